"""Keeping the projections: what lists, search and export read.

- A projection is a pure function of the log. This module turns one thought's document into rows:
  its line in ``thoughts``, its text and full-text index, tags, links, aliases, folder counts.
- Whoever appends marks thoughts stale in the same transaction; whoever has time clears the marks
  with :func:`project_stale`. Any process may do it; a crash in between loses nothing.
- Thoughts that declare the same path are told apart by name here, the same way on every machine.
- Every change of a row is announced in ``changes``, which other processes follow.
- A document whose bytes are broken is set aside with the reason; the rest goes on. So is one that
  holds changes which refer to what is not there, but what can be read of it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import apsw

from aimem_tui.markdown import paths
from aimem_tui.markdown.describe import describe
from aimem_tui.store.connection import Database
from crdt.document import ThoughtMeta, digest

_BATCH = 200
"""How many thoughts one transaction brings up to date: each makes the full-text index write a part
of itself, and syncs the disk."""
_CHANGES_KEPT = 20_000
_LINKS_KEPT = 2_000
_INCOMPLETE = "changes to it build on others that are not here, and are left out"


@dataclass(frozen=True, slots=True)
class Content:
    """What a thought's document says, and who touched it last."""

    thought: str
    text: str
    meta: ThoughtMeta
    updated_at: int
    updated_by: str


def project_stale(database: Database, *, limit: int | None = None) -> int:
    """Bring stale projections up to date, a few thoughts per transaction.

    Returns: how many thoughts were done.
    """
    done = 0
    purged = False
    while limit is None or done < limit:
        with database.write() as connection:
            numbers = [
                int(row[0])
                for row in connection.execute("SELECT thought FROM stale LIMIT ?", (_BATCH,))
            ]
            for number in numbers:
                purged |= refresh(connection, number)
        done += len(numbers)
        if len(numbers) < _BATCH:
            break
    if purged:
        with database.write() as connection:
            forget_words(connection)
        database.truncate_wal()
    return done


def waiting(connection: apsw.Connection) -> int:
    """How many thoughts have projections behind the log."""
    return int(connection.execute("SELECT count(*) FROM stale").get)


def refresh(connection: apsw.Connection, number: int) -> bool:
    """Project one thought from the log; the caller holds the write transaction.

    Returns: whether it was purged elsewhere, and what this file still held of it is gone only now;
    then :func:`forget_words` is due.
    """
    from aimem_tui.store import compaction, documents, revisions
    from crdt.checkpoint import holds_back
    from crdt.document import ThoughtDocument
    from crdt.errors import CrdtError

    purged = False
    try:
        updates = documents.updates_of(connection, number)
        document = ThoughtDocument.load(documents.new_client_id(), updates)
        meta, text = document.meta, document.text
        problem = _INCOMPLETE if holds_back(updates, document.state_vector()) else ""
    except CrdtError as error:
        connection.execute("INSERT OR REPLACE INTO set_aside VALUES (?, ?)", (number, str(error)))
    else:
        thought = str(connection.execute("SELECT id FROM thought_ids WHERE n = ?", (number,)).get)
        touch = revisions.last_touch(connection, number)
        if touch is None or not touch.at:
            touch = revisions.Touch(meta.created_at, meta.created_by)
        project(connection, number, Content(thought, text, meta, touch.at, touch.author))
        connection.execute("DELETE FROM set_aside WHERE thought = ?", (number,))
        if problem:
            connection.execute("INSERT INTO set_aside VALUES (?, ?)", (number, problem))
        # Where it cannot be done the thought keeps its entries, and is as it was.
        with suppress(CrdtError):
            if _is_purged(meta, text):
                purged = compaction.compact(connection, number, forget_history=True)
                connection.execute("DELETE FROM import_sources WHERE thought = ?", (number,))
            elif compaction.is_due(connection, number):
                compaction.compact(connection, number)
    connection.execute("DELETE FROM stale WHERE thought = ?", (number,))
    return purged


def project(connection: apsw.Connection, number: int, content: Content) -> None:
    """Write the rows of one thought; the caller holds the write transaction.

    Takes the content from the caller, so that an import need not load what it just made.
    """
    meta, text = content.meta, content.text
    if not meta.path:
        return
    described = describe(meta.path, text)
    trash = meta.trash
    trashed_at = trash.at if trash is not None and trash.digest == digest(text) else None
    purged = _is_purged(meta, text)
    before = connection.execute(
        "SELECT declared_path, path, shown FROM thoughts WHERE n = ?", (number,)
    ).fetchone()
    shown = trashed_at is None and not purged
    # What has a name for itself alone, as most do, is given it at once.
    alone = before is None and not (shown and _shares_its_name(connection, meta.path))
    folder, _, name = meta.path.rpartition("/") if alone else ("", "", "")
    connection.execute(
        _UPSERT,
        (
            number,
            content.thought,
            meta.path,
            meta.path if alone else "",
            folder,
            name,
            described.title,
            described.kind.value,
            described.status,
            described.lifecycle.value,
            "\n".join(described.tags),
            described.author,
            described.date,
            meta.created_at,
            meta.created_by,
            content.updated_at,
            content.updated_by,
            trashed_at,
            int(purged),
            len(text.encode()),
            described.words,
            sum(task.done for task in described.tasks),
            len(described.tasks),
        ),
    )
    is_new = before is None
    _index_text(connection, number, (described.title, meta.path, text), is_new=is_new)
    links = [
        (number, link.line, link.target, link_name(link.target))
        for link in described.links[:_LINKS_KEPT]
    ]
    aliases = [(path, number) for path in meta.aliases]
    tags = [(tag, number) for tag in described.tags]
    for table, rows in (("aliases", aliases), ("tags", tags), ("links", links)):
        _replace(connection, table, number, rows, is_new=is_new)
    declared_before, path_before, was_shown = before or ("", "", False)
    old_path = str(path_before) if was_shown else ""
    if alone:
        if shown:
            _count_folders(connection, meta.path, +1)
    elif is_new or (bool(was_shown), declared_before) != (shown, meta.path):
        # Taken out of the tree and put in again; what is not in the tree goes by its own path.
        if old_path:
            _count_folders(connection, old_path, -1)
        _set_path(connection, number, "" if shown else meta.path)
        if declared_before not in ("", meta.path):
            _assign_names(connection, str(declared_before))
        _assign_names(connection, meta.path)
    new_path = ""
    if shown:
        new_path = meta.path if alone else _path(connection, number)
    _announce(connection, content.thought, old_path, new_path)


def link_name(target: str) -> str:
    """The last part of a link's target, folded, without anchor and suffix: how links meet names."""
    name = target.split("#")[0].split("?")[0].rstrip("/").rpartition("/")[2]
    return name.removesuffix(".md").casefold()


def forget_words(connection: apsw.Connection) -> None:
    """Remove from the full-text index what only replaced texts said.

    The index keeps such words, out of sight, until its parts are merged, which this does at once.
    Takes seconds for 100,000 thoughts.
    """
    connection.execute("INSERT INTO fulltext (fulltext) VALUES ('optimize')")
    connection.execute("INSERT INTO names (names) VALUES ('optimize')")


def drop(database: Database) -> None:
    """Drop all projections and mark every thought stale.

    :func:`project_stale` builds them again; if that is interrupted, the next call takes it up.
    """
    with database.write() as connection:
        connection.execute("INSERT INTO fulltext (fulltext) VALUES ('delete-all')")
        connection.execute("INSERT INTO names (names) VALUES ('delete-all')")
        for table in ("texts", "links", "tags", "aliases", "folders", "thoughts", "set_aside"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("INSERT OR IGNORE INTO stale SELECT n FROM thought_ids")


def _is_purged(meta: ThoughtMeta, text: str) -> bool:
    """Whether a thought's text was removed for good, and nobody has written anew since."""
    return meta.purged_at is not None and not text


def _index_text(
    connection: apsw.Connection, number: int, row: tuple[str, str, str], *, is_new: bool
) -> None:
    old: tuple[str, str, str] | None = None
    if not is_new:
        old = connection.execute(
            "SELECT title, path, body FROM texts WHERE n = ?", (number,)
        ).fetchone()
        if old == row:
            return
        # The index keeps no copy of the text: to forget a text it must be told it once more.
        connection.execute(
            "INSERT INTO fulltext (fulltext, rowid, title, path, body)"
            " SELECT 'delete', n, title, path, body FROM texts WHERE n = ?",
            (number,),
        )
        connection.execute("DELETE FROM texts WHERE n = ?", (number,))
    connection.execute("INSERT INTO texts VALUES (?, ?, ?, ?)", (number, *row))
    connection.execute(
        "INSERT INTO fulltext (rowid, title, path, body) VALUES (?, ?, ?, ?)", (number, *row)
    )
    # Not with every key: a text is edited far more often than what it is called.
    if old is None or old[:2] != row[:2]:
        if old is not None:
            connection.execute(
                "INSERT INTO names (names, rowid, title, path) VALUES ('delete', ?, ?, ?)",
                (number, *old[:2]),
            )
        connection.execute(
            "INSERT INTO names (rowid, title, path) VALUES (?, ?, ?)", (number, *row[:2])
        )


def _replace(
    connection: apsw.Connection,
    table: str,
    number: int,
    rows: Sequence[tuple[object, ...]],
    *,
    is_new: bool,
) -> None:
    if not is_new:
        connection.execute(f"DELETE FROM {table} WHERE thought = ?", (number,))
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", rows)


def _assign_names(connection: apsw.Connection, declared: str) -> None:
    """Give the thoughts that declare a path the names they are shown under.

    A path that comes or goes may also free or take a numbered name of another group, so the
    groups whose numbering could produce it are looked at as well.
    """
    group: str | None = declared
    while group is not None:
        rows = connection.execute(
            "SELECT n, id, path FROM thoughts WHERE declared_path = ? AND shown ORDER BY id",
            (group,),
        )
        for rank, (number, thought, old) in enumerate([*rows]):
            new = paths.shown_path(group, rank, lambda path: _is_declared(connection, path))
            if new == old:
                continue
            _set_path(connection, number, new)
            if old:
                _count_folders(connection, old, -1)
                _announce(connection, thought, old, new)
            _count_folders(connection, new, +1)
        group = paths.unnumbered(group)


def _shares_its_name(connection: apsw.Connection, path: str) -> bool:
    """Whether the name under which a thought of this path is shown depends on others, or theirs
    on it."""
    return paths.unnumbered(path) is not None or _is_declared(connection, path)


def _set_path(connection: apsw.Connection, number: int, path: str) -> None:
    folder, _, name = path.rpartition("/")
    connection.execute(
        "UPDATE thoughts SET path = ?, folder = ?, name = ? WHERE n = ?",
        (path, folder, name, number),
    )


def _is_declared(connection: apsw.Connection, path: str) -> bool:
    return bool(
        connection.execute(
            "SELECT EXISTS (SELECT 1 FROM thoughts WHERE declared_path = ? AND shown)", (path,)
        ).get
    )


def _path(connection: apsw.Connection, number: int) -> str:
    return str(connection.execute("SELECT path FROM thoughts WHERE n = ?", (number,)).get)


def _count_folders(connection: apsw.Connection, path: str, change: int) -> None:
    folder = path.rpartition("/")[0]
    while folder:
        parent, _, name = folder.rpartition("/")
        connection.execute(
            "INSERT INTO folders VALUES (?, ?, ?, ?)"
            " ON CONFLICT (path) DO UPDATE SET thoughts = thoughts + excluded.thoughts",
            (folder, parent, name, change),
        )
        if change < 0:
            connection.execute("DELETE FROM folders WHERE path = ? AND thoughts <= 0", (folder,))
        folder = parent


def _announce(connection: apsw.Connection, thought: str, old_path: str, new_path: str) -> None:
    connection.execute(
        "INSERT INTO changes (thought, old_path, new_path) VALUES (?, ?, ?)",
        (thought, old_path, new_path),
    )
    version = connection.last_insert_rowid()
    if version % 1_000 == 0:
        connection.execute("DELETE FROM changes WHERE version < ?", (version - _CHANGES_KEPT,))


_UPSERT = """
INSERT INTO thoughts (
    n, id, declared_path, path, folder, name, title, kind, status, lifecycle, tags, named_author,
    date, created_at, created_by, updated_at, updated_by, trashed_at, purged, size, words,
    tasks_done, tasks_total
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (n) DO UPDATE SET
    declared_path = excluded.declared_path, title = excluded.title, kind = excluded.kind,
    status = excluded.status, lifecycle = excluded.lifecycle, tags = excluded.tags,
    named_author = excluded.named_author, date = excluded.date, created_at = excluded.created_at,
    created_by = excluded.created_by, updated_at = excluded.updated_at,
    updated_by = excluded.updated_by, trashed_at = excluded.trashed_at, purged = excluded.purged,
    size = excluded.size, words = excluded.words, tasks_done = excluded.tasks_done,
    tasks_total = excluded.tasks_total
"""
