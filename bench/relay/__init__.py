"""The relay beside the servers that stock Yjs clients use: the same load from the same driver.

``servers.py`` starts the servers, ``driver.py`` is the load, ``dialects.py`` how each server is
spoken to, ``updates.py`` the updates; ``contests.py`` says what is measured. Ours stores everything
durably before it passes it on; the others store nothing.
"""

from bench.relay.contests import run

__all__ = ["run"]
