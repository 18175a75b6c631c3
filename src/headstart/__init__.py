"""Headstart: adapt pre-trained models to small local data, and say honestly whether it helped."""

__version__ = "0.1.0"
