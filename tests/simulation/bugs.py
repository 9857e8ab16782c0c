"""Bugs that can be put in, to see that the simulator finds them."""

from __future__ import annotations

from enum import Enum


class Bug(Enum):
    """What is wrong in a run; nothing unless asked for."""

    NONE = "none"
    ACK_BEFORE_STORE = "ack-before-store"
    """A pod or machine acknowledges what it has received, not what it has committed."""
    FAN_OUT_BEFORE_COMMIT = "fan-out-before-commit"
    """Pods pass entries on before the ledger has committed them."""
    OUT_OF_ORDER = "out-of-order"
    """Logs are streamed replica by replica instead of in their own order."""
    UNSAFE_CHECKPOINT = "unsafe-checkpoint"
    """Compaction trims an entry that came while the state was being built."""
    SEQ_REUSE = "seq-reuse"
    """A machine sends entries before its commit, and after a crash gives their numbers again."""
    READER_WRITES = "reader-writes"
    """Whoever may only read is let in as a writer."""
    TOKENS_FOR_EVER = "tokens-for-ever"
    """A token is looked at when somebody dials, and never again."""
    GHOST = "ghost"
    """Pods do not take back the presence of connections that have broken."""
    NEWCOMER_BLIND = "newcomer-blind"
    """Pods tell a newcomer nothing of those who are there."""
