"""Keeping order: what is alike, what is missing, what is old; every finding is a proposal."""
