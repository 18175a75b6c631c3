"""Which columns came with the data, and which of them tell groups apart that a model may treat differently."""
