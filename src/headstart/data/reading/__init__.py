"""Files of tables and of text: one module a format, and what they share. What a column means is decided elsewhere."""
