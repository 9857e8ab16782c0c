"""The app on a user's machine: store, search, bridges, command line and terminal app."""

__version__ = "0.1.0"
