"""Cells and columns of tables: what a column holds and what it serves as. No file is read here."""
