"""Room: modalities."""
