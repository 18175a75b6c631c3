"""Strategies that use no pre-trained model: what transfer has to beat."""
