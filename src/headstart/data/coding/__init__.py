"""Sub-room: coding frames - reading them from tables, and labels of rows in the words of a frame."""
