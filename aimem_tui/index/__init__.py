"""The index of a machine: passages of thoughts, their words and their meaning as vectors."""
