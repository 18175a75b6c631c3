"""Room: ladder."""
