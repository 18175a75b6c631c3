"""A bundle in use: rows in, answers out, from files or from memory; explanations of single answers."""
