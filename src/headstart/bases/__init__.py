"""Room: bases."""
