"""Vectors of rows: `embed` makes an index, `search` asks it, `similar` groups rows that say nearly the same."""
