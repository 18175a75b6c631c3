"""Strategies that train layers of the base model, and what they share."""
