"""Sub-room: coding frames - what changed between two of them, and which labelled rows that touches."""
