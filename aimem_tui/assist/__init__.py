"""A language model where the user has one: asking, and better proposals."""
