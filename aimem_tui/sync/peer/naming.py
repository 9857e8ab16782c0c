"""What a machine calls itself."""

from __future__ import annotations

import socket


def machine_name(author: str) -> str:
    """Who it belongs to and which it is, for people: ``Ada on laptop``."""
    host = socket.gethostname().partition(".")[0]
    return f"{author} on {host}"[:120] if host else author[:120]
