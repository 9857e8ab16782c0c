"""Checkpoints: what keeps the log of a thought short.

``job`` finds thoughts that are worth one and puts it in the place of their records; ``build`` makes
its state, in a process of its own that may be killed. Only here, and for stock clients, does the
relay read updates, and only those in the open.
"""
