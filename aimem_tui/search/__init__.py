"""Finding thoughts by their words."""
