"""Two models on the same rows: the verdict on transfer, and what an update changes."""
