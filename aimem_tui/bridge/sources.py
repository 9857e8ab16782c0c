"""Which file of which folder belongs to which thought.

- ``import_sources`` holds, for each file that was taken in, the content it had (its fingerprint, or
  its git blob) and the document as it was with that text: the *base*. When the file has changed,
  the change is what leads from the base to the new text; edits made here meanwhile stay.
- ``export_targets`` holds the fingerprint of each file that was written. Its base is found again in
  the log, so that exporting needs no document engine.
- A folder is named by its real path; a git history by ``git:`` and the real path of its folder. A
  file that is known under both names, or was exported into a folder from which it is imported,
  stays one thought.
- All of this is about this machine and is never replicated.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import apsw

from aimem_tui.bridge.files import fingerprint, printable

GONE = ""
"""The content of a file that a git history has deleted."""

_LEVEL = 1
_NOT_PURGED = "NOT EXISTS (SELECT 1 FROM thoughts WHERE thoughts.n = thought AND purged)"


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a file."""

    number: int
    """The small number of its thought."""
    thought: str
    """The id of its thought."""
    content: str
    """The fingerprint or git blob of the file as it was, or :data:`GONE`."""


def folder_root(folder: Path) -> str:
    """The name under which the files of a folder (a real path) are known."""
    return printable(str(folder))


def git_root(folder: Path) -> str:
    """The name under which the git history of a folder (a real path) is known."""
    return f"git:{folder_root(folder)}"


def git_blob(data: bytes, *, like: str) -> str:
    """The name of a file's content in git, by the hash that the name ``like`` was made with.

    See "Git Internals - Git Objects" in the Pro Git book: the hash of ``blob <size>``, a NUL and
    the content.
    """
    name = "sha256" if len(like) == 64 else "sha1"
    return hashlib.new(name, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def imported(connection: apsw.Connection, root: str, paths: Iterable[str]) -> dict[str, Source]:
    """What is known of those files that were imported, by path."""
    return _sources(connection, "import_sources", root, paths)


def exported(connection: apsw.Connection, root: str, paths: Iterable[str]) -> dict[str, Source]:
    """What is known of those files that were exported and hold one thought each, by path."""
    return _sources(connection, "export_targets", root, paths)


def exported_content(connection: apsw.Connection, root: str, path: str) -> str | None:
    """The fingerprint of what was written to a file; None if nothing was."""
    content: str | None = connection.execute(
        "SELECT digest FROM export_targets WHERE root = ? AND path = ?", (root, path)
    ).get
    return content


def all_exported(connection: apsw.Connection, root: str) -> list[tuple[str, str]]:
    """The paths and fingerprints of the files that hold one thought each and were written."""
    rows = connection.execute(
        "SELECT path, digest FROM export_targets"
        " WHERE root = ? AND thought IS NOT NULL ORDER BY path",
        (root,),
    )
    return [(str(path), str(content)) for path, content in rows]


def all_imported(connection: apsw.Connection, root: str) -> dict[str, Source]:
    """All imported files of a root, by path."""
    rows = connection.execute(
        "SELECT path, thought, id, digest FROM import_sources"
        f" JOIN thought_ids ON thought_ids.n = thought WHERE root = ? AND {_NOT_PURGED}",
        (root,),
    )
    return {str(row[0]): Source(int(row[1]), str(row[2]), str(row[3])) for row in rows}


def imports_from(connection: apsw.Connection, root: str, number: int) -> bool:
    """Whether a thought has a file of this root already."""
    return bool(
        connection.execute(
            "SELECT EXISTS (SELECT 1 FROM import_sources WHERE thought = ? AND root = ?)",
            (number, root),
        ).get
    )


def base(connection: apsw.Connection, root: str, path: str) -> bytes:
    """The state of the document with the text that an imported file had."""
    packed = connection.execute(
        "SELECT base FROM import_sources WHERE root = ? AND path = ?", (root, path)
    ).get
    return zlib.decompress(packed)


def base_of_export(connection: apsw.Connection, source: Source) -> bytes | None:
    """The newest state of a document with the text that was exported.

    Found by going through the thought's entries; None if a checkpoint has replaced them.
    """
    from aimem_tui.store import documents
    from crdt.document import ThoughtDocument

    updates = documents.updates_of(connection, source.number)
    document = ThoughtDocument.load(documents.new_client_id(), updates[:1])
    found = None
    for at in range(len(updates)):
        if at:
            document.apply(updates[at])
        if fingerprint(document.text.encode()) == source.content:
            found = document.state()
    return found


def remember_import(
    connection: apsw.Connection, root: str, path: str, source: Source, state: bytes
) -> None:
    """Keep what an imported file is now, and the document with exactly its text."""
    connection.execute(
        "INSERT OR REPLACE INTO import_sources VALUES (?, ?, ?, ?, ?)",
        (root, path, source.number, source.content, zlib.compress(state, _LEVEL)),
    )


def rename_import(connection: apsw.Connection, root: str, old: str, new: str) -> None:
    """Let a file be known under another path."""
    connection.execute("DELETE FROM import_sources WHERE root = ? AND path = ?", (root, new))
    connection.execute(
        "UPDATE import_sources SET path = ? WHERE root = ? AND path = ?", (new, root, old)
    )


def mark_gone(connection: apsw.Connection, root: str, path: str) -> None:
    """Keep that a git history has deleted a file; its thought is known in case it comes back."""
    connection.execute(
        "UPDATE import_sources SET digest = ? WHERE root = ? AND path = ?", (GONE, root, path)
    )


def remember_export(
    connection: apsw.Connection, root: str, path: str, number: int | None, content: str
) -> None:
    """Keep what was written to a file. What was imported from it before no longer counts."""
    connection.execute(
        "INSERT OR REPLACE INTO export_targets VALUES (?, ?, ?, ?)", (root, path, number, content)
    )
    if number is not None:
        connection.execute("DELETE FROM import_sources WHERE root = ? AND path = ?", (root, path))


def forget_export(connection: apsw.Connection, root: str, path: str) -> None:
    """Forget a file that was exported."""
    connection.execute("DELETE FROM export_targets WHERE root = ? AND path = ?", (root, path))


def _sources(
    connection: apsw.Connection, table: str, root: str, paths: Iterable[str]
) -> dict[str, Source]:
    rows = connection.execute(
        f"SELECT path, thought, id, digest FROM {table}"
        " JOIN thought_ids ON thought_ids.n = thought"
        f" WHERE root = ? AND path IN (SELECT value FROM json_each(?)) AND {_NOT_PURGED}",
        (root, json.dumps([*paths])),
    )
    return {str(row[0]): Source(int(row[1]), str(row[2]), str(row[3])) for row in rows}
