"""Room: bundle."""
