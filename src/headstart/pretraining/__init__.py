"""Base models of our own, trained from nothing that anybody has to own: synthetic series, made while they are learnt.

This room makes series and trains a network on them. It knows nothing of users' data.
"""
