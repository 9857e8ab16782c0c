"""The wire: which messages two replicas exchange, and their bytes.

``messages`` holds the messages as types with their limits; ``codec`` turns frames into messages and
back, and entries and checkpoints into their wire form. What the messages mean, and when which may
be sent, is ``crdt.session``'s.
"""
