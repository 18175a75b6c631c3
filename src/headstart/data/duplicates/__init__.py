"""Rows that are nearly the same, by their content or by their features."""
