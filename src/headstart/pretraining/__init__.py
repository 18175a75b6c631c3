"""Base models of our own, trained from scratch on synthetic series that are drawn during training.

This room makes series and trains a network on them. It knows nothing of users' data.
"""
