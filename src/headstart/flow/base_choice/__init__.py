"""Choose the base model: candidates are measured on training rows and ordered."""
