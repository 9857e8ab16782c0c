"""Checkpoints: the merged state of one thought, standing in for the entries it covers.

The obvious way, loading all updates and writing the document out, silently drops what the document
holds but could not yet place. The safe formula keeps it::

    M = merge(updates)            S = state of a fresh document given M
    checkpoint = merge(S, what M has beyond S)

On a gapless log the second part is empty and the checkpoint is ``S`` itself, without the text that
was deleted. A checkpoint is loaded into a fresh document and compared before anybody relies on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from crdt import adapter
from crdt.entry import Checkpoint
from crdt.errors import CrdtError

__all__ = ["Checkpoint", "build_state", "has_structs", "holds_back", "is_gapless"]

_PROBE_CLIENT = 1


def build_state(updates: Sequence[bytes]) -> bytes:
    """The state that ``updates`` make, by the safe formula, checked.

    Args:
        updates: an earlier checkpoint's state and the entries after it, in the log's order.

    Raises:
        CrdtError: if an update is broken, or the result does not make the same thought.
    """
    merged = adapter.merge(updates)
    whole = adapter.EngineDoc(_PROBE_CLIENT, [merged])
    state = whole.state()
    beyond = adapter.diff(merged, whole.state_vector())
    if has_structs(beyond):
        state = adapter.merge([state, beyond])
    check = adapter.EngineDoc(_PROBE_CLIENT, [state])
    if check.text() != whole.text() or check.meta() != whole.meta():
        raise CrdtError("a checkpoint does not make the thought it was built from")
    return state


def is_gapless(updates: Sequence[bytes]) -> bool:
    """Whether nothing in ``updates`` waits for something that is not there."""
    whole = adapter.EngineDoc(_PROBE_CLIENT, [adapter.merge(updates)])
    return not holds_back(updates, whole.state_vector())


def holds_back(updates: Sequence[bytes], state_vector: bytes) -> bool:
    """Whether a document that was given ``updates`` left some out, as they refer to what none has.

    Args:
        state_vector: the document's.
    """
    return has_structs(adapter.diff(adapter.merge(updates), state_vector))


def has_structs(update: bytes) -> bool:
    """Whether an update inserts anything; its first byte counts the clients that do."""
    return update[:1] not in (b"", b"\x00")
