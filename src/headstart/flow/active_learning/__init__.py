"""Which unlabelled rows are most worth a label."""
