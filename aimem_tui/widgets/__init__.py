"""The parts screens are made of: lists, the tree of thoughts, the preview, the editor.

A widget never sees SQL or sockets. What it cannot compute from its own text it asks for in a
message or through a small protocol, and a worker answers.
"""
