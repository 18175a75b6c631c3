"""Metrics with intervals, one module a kind of task."""
