"""Vectors of contents: kept in sqlite-vec, searched there or in memory."""
