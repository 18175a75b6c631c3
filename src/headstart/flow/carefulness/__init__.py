"""Making a finished model more or less careful: the bundle, its result and its report follow together."""
