"""Findings about data before training, and once rows have features or a model."""
