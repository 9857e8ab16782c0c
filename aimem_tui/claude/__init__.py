"""Claude Code: what aimem does in its sessions, and what is installed there.

``event`` is what Claude Code says, ``hooks`` answers it, in the ``words`` and with the page of
``start``. ``surroundings``, ``places`` and ``memory`` say which files are a project's thoughts;
``intake`` takes such a file in; ``notes`` keeps what hooks of one session must know of each other.
``plugin`` and ``wiring`` are what is installed. Nothing here imports click or the terminal app.
"""
