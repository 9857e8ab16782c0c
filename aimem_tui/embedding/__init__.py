"""Meaning as numbers: texts to unit vectors, offline."""
