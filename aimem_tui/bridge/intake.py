"""How a text from outside becomes a thought, or a change of one.

- A new thought is made as one entry whose bytes are also its document's state, the base of later
  changes. Its id carries the time of the import, not of the file: of two thoughts at one path the
  newcomer gets the number.
- A text for a thought that exists is never written over it. The base is loaded beside the present
  document and edited minimally; the edit is an entry like any other and merges with what was
  written here meanwhile.
- Whoever calls holds the write transaction.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import apsw

from aimem_tui.bridge.files import LeftOut, printable
from aimem_tui.bridge.sources import Source
from aimem_tui.errors import BadInput
from aimem_tui.markdown import paths
from aimem_tui.store import log
from aimem_tui.store.log import Draft
from crdt import ids

if TYPE_CHECKING:
    from crdt.document import ThoughtDocument


@dataclass(frozen=True, slots=True)
class Arrival:
    """A text that comes from outside, and what is known about its writing."""

    path: str
    """Where in the workspace it belongs."""
    text: str
    at: int
    """When it was written, milliseconds since the Unix epoch."""
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Birth:
    """A thought that was made: its entry, and the state of its document."""

    draft: Draft
    arrival: Arrival
    state: bytes


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


def clamped(at: int, now: int) -> int:
    """A time that may come from a wrong clock, brought between the epoch and now."""
    return max(0, min(at, now))


def place(into: str, path: str) -> str:
    """Where in the workspace a file belongs that lies at ``path`` below what is imported.

    Raises:
        LeftOut: if no thought can have that path.
    """
    whole = f"{into}/{path}" if into else path
    try:
        return paths.check_path(whole)
    except BadInput as error:
        raise LeftOut(error.why or error.what) from None


def birth(arrival: Arrival, now: int) -> Birth:
    """A new thought with a text."""
    from aimem_tui.store import documents
    from crdt.document import ThoughtDocument

    document, update = ThoughtDocument.create(
        documents.new_client_id(),
        path=arrival.path,
        text=arrival.text,
        at=arrival.at,
        by=arrival.by,
    )
    document.close()
    thought = ids.uuid7(now, os.urandom(10))
    return Birth(Draft(thought, update, arrival.at, arrival.by, arrival.note), arrival, update)


def enter(connection: apsw.Connection, births: list[Birth]) -> list[int]:
    """Append new thoughts to the log and project them; returns their small numbers."""
    from aimem_tui.store import projector
    from crdt.document import ThoughtMeta

    log.append(connection, [each.draft for each in births])
    numbers = []
    for each in births:
        arrival = each.arrival
        number = log.thought_number(connection, each.draft.thought)
        meta = ThoughtMeta(arrival.path, (), arrival.at, arrival.by, None, None)
        projector.project(
            connection,
            number,
            projector.Content(each.draft.thought, arrival.text, meta, arrival.at, arrival.by),
        )
        connection.execute("DELETE FROM stale WHERE thought = ?", (number,))
        numbers.append(number)
    return numbers


def rewrite(document: ThoughtDocument, text: str) -> bytes:
    """Make a document's text ``text``; returns the update, empty if it was that already."""
    from crdt import adapter

    updates: list[bytes] = []
    stop = document.on_update(updates.append)
    document.replace_text(text)
    stop()
    return adapter.merge(updates) if updates else b""


def is_taken(connection: apsw.Connection, path: str) -> bool:
    """Whether a thought is shown at a path, or would be if it were the only one there."""
    return bool(
        connection.execute(
            "SELECT EXISTS (SELECT 1 FROM thoughts"
            " WHERE (path = ?1 OR declared_path = ?1) AND shown)",
            (path,),
        ).get
    )


def twin(connection: apsw.Connection, path: str, text: str) -> Source | None:
    """The thought that is shown at a path and has that very text."""
    rows = connection.execute(
        "SELECT t.n, t.id, texts.body FROM thoughts AS t JOIN texts ON texts.n = t.n"
        " WHERE (t.path = ?1 OR t.declared_path = ?1) AND t.shown AND t.size = ?2"
        " ORDER BY t.path != ?1, t.id",
        (path, len(text.encode())),
    )
    return next((Source(int(row[0]), str(row[1]), "") for row in rows if row[2] == text), None)


def remarks(connection: apsw.Connection, path: str) -> Iterator[str]:
    """What to know of a thought that is about to be made at a path."""
    there = int(
        connection.execute(
            "SELECT count(*) FROM thoughts WHERE declared_path = ? AND shown", (path,)
        ).get
    )
    if there:
        shown = paths.shown_path(path, there, lambda name: _is_declared(connection, name))
        yield f"There is another thought at this path; this one is shown as {printable(shown)}."
    if cannot := paths.portability(path):
        yield cannot


def _is_declared(connection: apsw.Connection, path: str) -> bool:
    return bool(
        connection.execute(
            "SELECT EXISTS (SELECT 1 FROM thoughts WHERE declared_path = ? AND shown)", (path,)
        ).get
    )
