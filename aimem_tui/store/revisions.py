"""A thought's history, read from its entries: revisions.

Entries of one author that lie close together are one revision. An entry with a note (an import, a
commit, a restore) is a revision of its own. A checkpoint that another copy sent counts as an entry
of whoever wrote last in it. Revisions whose entries a checkpoint made here has replaced were kept
with their text (see ``compaction``) and come first; entries that follow closely enough go on with
the last of them, so that nobody sees when a thought was compacted.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import islice

import apsw

from aimem_tui.model import Activity, Revision
from aimem_tui.store import documents
from crdt.document import ThoughtDocument
from crdt.textdiff import splices

GAP_MS = 5 * 60_000
"""A pause longer than this begins a new revision."""

SPAN_MS = 30 * 60_000
"""A revision that has lasted this long ends."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of entries that make one revision."""

    author: str
    started_at: int
    ended_at: int
    note: str
    last_position: int
    """Of its last entry in the file; 0 if a checkpoint made here has replaced all of them."""


@dataclass(frozen=True, slots=True)
class Touch:
    """When and by whom a thought was changed."""

    at: int
    author: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A revision with the text as it was at its end."""

    revision: Revision
    text: str


def spans(connection: apsw.Connection, thought: int) -> list[Span]:
    """The runs of entries that make a thought's revisions, oldest first."""
    kept = connection.execute(
        "SELECT author, started_at, ended_at, note FROM kept_revisions"
        " WHERE thought = ? ORDER BY number",
        (thought,),
    )
    found = [
        Span(str(author), int(started), int(ended), str(note), 0)
        for author, started, ended, note in kept
    ]
    rows = connection.execute(
        "SELECT position, authors.name, at, note FROM ("
        " SELECT position, author, at, note FROM log WHERE thought = ?1 UNION ALL"
        " SELECT position, author, at, '' FROM checkpoints WHERE thought = ?1 AND upto = position)"
        " JOIN authors ON authors.n = author ORDER BY position",
        (thought,),
    )
    for position, author, at, note in rows:
        last = found[-1] if found else None
        if (
            last is not None
            and not note
            and not last.note
            and author == last.author
            and last.started_at - GAP_MS <= at <= last.ended_at + GAP_MS
            and at - last.started_at < SPAN_MS
        ):
            found[-1] = Span(author, last.started_at, max(last.ended_at, at), "", int(position))
        else:
            found.append(Span(author, at, at, note, int(position)))
    return found


def activity(connection: apsw.Connection, thought: int, limit: int) -> list[Activity]:
    """The newest revisions without their texts, newest first."""
    newest = reversed(spans(connection, thought))
    return [Activity(span.author, span.ended_at, span.note) for span in islice(newest, limit)]


def last_touch(connection: apsw.Connection, thought: int) -> Touch | None:
    """Who changed a thought last, by the clocks of those who did; None where there is nothing.

    Copies store the same entries in different orders and shall say the same.
    """
    row = connection.execute(
        "SELECT max(at), authors.name FROM ("
        " SELECT author, at FROM log WHERE thought = ?1 UNION ALL"
        " SELECT author, at FROM checkpoints WHERE thought = ?1)"
        " JOIN authors ON authors.n = author GROUP BY authors.n"
        " ORDER BY max(at) DESC, authors.name DESC LIMIT 1",
        (thought,),
    ).fetchone()
    return None if row is None else Touch(int(row[0]), str(row[1]))


def stages(connection: apsw.Connection, thought: int) -> list[Stage]:
    """Every revision of a thought with its text, oldest first.

    Costs one replay of the thought's entries and one comparison per revision.
    """
    kept = [
        row[0]
        for row in connection.execute(
            "SELECT text FROM kept_revisions WHERE thought = ? ORDER BY number", (thought,)
        )
    ]
    found: list[Stage] = []
    document: ThoughtDocument | None = None
    text, position = "", 0
    for span in spans(connection, thought):
        before = text
        if not span.last_position:
            text = zlib.decompress(kept[len(found)]).decode()
        elif document is None:
            updates = documents.updates_of(connection, thought, span.last_position)
            document = ThoughtDocument.load(documents.new_client_id(), updates)
            text = document.text
        else:
            for update in documents.updates_of(
                connection, thought, span.last_position, after=position
            ):
                document.apply(update)
            text = document.text
        position = span.last_position
        found.append(_stage(len(found) + 1, span, before, text))
    return found


def keep(connection: apsw.Connection, thought: int) -> None:
    """Store the text of every revision whose entries are here, before they are trimmed."""
    for stage, span in zip(stages(connection, thought), spans(connection, thought), strict=True):
        if not span.last_position:
            continue
        revision = stage.revision
        connection.execute(
            "INSERT OR REPLACE INTO kept_revisions VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                thought,
                revision.number,
                revision.author,
                revision.started_at,
                revision.ended_at,
                revision.note,
                zlib.compress(stage.text.encode()),
            ),
        )


def _stage(number: int, span: Span, before: str, text: str) -> Stage:
    edits = splices(before, text)
    added = sum(len(edit.text) for edit in edits)
    removed = sum(edit.end - edit.start for edit in edits)
    return Stage(
        Revision(number, span.author, span.started_at, span.ended_at, span.note, added, removed),
        text,
    )
