"""Labels: the task they pose, how they are spelled, which of them are rare."""
