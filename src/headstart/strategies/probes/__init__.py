"""Strategies that train a head on frozen features."""
