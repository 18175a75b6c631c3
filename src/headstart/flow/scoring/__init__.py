"""What evaluation needs to know of rows: their groups, their predictions, their decisions."""
