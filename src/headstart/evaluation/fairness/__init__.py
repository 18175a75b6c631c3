"""Gaps between groups, where they come from, and what a mitigation changes."""
