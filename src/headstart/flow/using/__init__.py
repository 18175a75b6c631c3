"""A model of a project in use: answers at once, answers to many with people's own beside them, and what it met."""
