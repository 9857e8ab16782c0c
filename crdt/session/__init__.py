"""How two replicas agree: the session, a state machine that does no input or output of its own.

``session`` is the machine, ``greeting`` its first words, ``outgoing`` and ``incoming`` its streams,
``presence`` what travels beside them, ``speaking`` the order of all that, ``liveness`` whether the
other side is there, ``replica`` what a session reads from the copy it stands for, ``events`` what
it reports.
"""

from crdt.session.session import Session, State

__all__ = ["Session", "State"]
