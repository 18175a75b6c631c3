"""A bundle on labelled data of another place: its figures, corrections, and two bundles side by side."""
