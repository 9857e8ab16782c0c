"""Entries, checkpoints and ids as both ledgers keep them in their tables.

Texts are kept as UTF-8 bytes: an author's name may hold what a column of text does not take.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from aimem_relay.ledger.plan import WorkspaceState
from aimem_relay.ledger.port import Copy, Head, size_of
from crdt.entry import Checkpoint, Entry
from crdt.vector import Vector

Row: TypeAlias = Sequence[Any]

KEY_LIFE_MS = 24 * 3_600_000
"""How long the key of an authored update is known, so that storing it again stores nothing."""

ENTRY_COLUMNS = (
    "position, replica, seq, size, digest, thought, at, author, note, sealed, signature,"
    " update_bytes"
)
CHECKPOINT_COLUMNS = "position, size, thought, vector, at, author, sealed, signature, state"
WORKSPACE_COLUMNS = "number, id, replica, log, version, last, last_checkpoint, count, size"


def entry_row(position: int, entry: Entry, digest: bytes) -> tuple[Any, ...]:
    """The values of ``ENTRY_COLUMNS``."""
    return (
        position,
        bytes.fromhex(entry.replica),
        entry.seq,
        size_of(entry),
        digest,
        bytes.fromhex(entry.thought),
        entry.at,
        text_bytes(entry.author),
        text_bytes(entry.note),
        entry.sealed,
        entry.signature,
        entry.update,
    )


def entry_of(row: Row) -> Entry:
    """The entry in the values of ``ENTRY_COLUMNS``."""
    _, replica, seq, _, _, thought, at, author, note, sealed, signature, update = row
    return Entry(
        replica.hex(),
        seq,
        thought.hex(),
        update,
        at,
        text_of(author),
        text_of(note),
        sealed,
        signature,
    )


def checkpoint_row(position: int, checkpoint: Checkpoint) -> tuple[Any, ...]:
    """The values of ``CHECKPOINT_COLUMNS``."""
    return (
        position,
        size_of(checkpoint),
        bytes.fromhex(checkpoint.thought),
        checkpoint.vector.to_bytes(),
        checkpoint.at,
        text_bytes(checkpoint.author),
        checkpoint.sealed,
        checkpoint.signature,
        checkpoint.state,
    )


def checkpoint_of(row: Row) -> Checkpoint:
    """The checkpoint in the values of ``CHECKPOINT_COLUMNS``."""
    _, _, thought, vector, at, author, sealed, signature, state = row
    return Checkpoint(
        thought.hex(),
        state,
        Vector.from_bytes(vector),
        at,
        text_of(author),
        sealed,
        signature,
    )


def text_bytes(text: str) -> bytes:
    """A text as it is kept."""
    return text.encode("utf-8", "surrogatepass")


def text_of(data: bytes) -> str:
    """A text that was kept."""
    return data.decode("utf-8", "surrogatepass")


def workspace_of(row: Row) -> WorkspaceState:
    """The workspace in the values of ``WORKSPACE_COLUMNS``."""
    number, workspace, replica, log, *counts = row
    return WorkspaceState(number, workspace.hex(), replica.hex(), log.hex(), *counts)


def copy_of(state: WorkspaceState, heads: Iterable[Head]) -> Copy:
    """What a pod is to keep in memory of a workspace."""
    return Copy(
        workspace=state.workspace,
        replica=state.replica,
        log=state.log,
        version=state.version,
        last=state.last,
        last_checkpoint=state.last_checkpoint,
        count=state.count,
        size=state.size,
        heads={head.replica: head for head in heads},
    )


def left_behind(state: WorkspaceState, position: int, *, more: bool) -> int:
    """About how many records are behind a position; at least 1 if there are more.

    Positions that checkpoints have freed are not counted, so that it is never far too many.
    """
    return max(1, min(state.last - position, state.count)) if more else 0


def check_covers(checkpoint: Checkpoint, replaced: Iterable[Vector]) -> None:
    """Make sure that a checkpoint includes what it is to replace.

    Raises:
        ValueError: if it does not.
    """
    for vector in replaced:
        if not checkpoint.vector.covers(vector):
            raise ValueError("a checkpoint does not cover the records that it is to replace")
