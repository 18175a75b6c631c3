"""Data of another place: drift of rows and shift of class frequencies."""
