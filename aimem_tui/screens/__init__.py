"""The app's rooms: one module and, where it has a layout of its own, one style sheet each."""
