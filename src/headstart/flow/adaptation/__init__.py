"""`adapt` from the user's path to report and bundle: one module a step."""
