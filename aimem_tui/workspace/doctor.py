"""Looking a workspace over, and building its projections again.

Each check is a function that gives findings; a finding that is not well says what to do about it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

import apsw

from aimem_tui import paths
from aimem_tui.errors import StorageError
from aimem_tui.index.check import check
from aimem_tui.index.file import IndexFile
from aimem_tui.index.reader import IndexReader
from aimem_tui.index.spaces import whose
from aimem_tui.model import Finding, Progress
from aimem_tui.store import documents, log, migrate, projector
from aimem_tui.workspace.workspace import Workspace
from crdt.errors import CrdtError
from crdt.vector import Vector

DOCUMENTS_CHECKED = 2_000
"""How many thoughts, newest first, are compared with their documents."""

_REBUILD = "Run: aimem doctor --rebuild."
_REINDEX = "Run: aimem index rebuild."
_RESTORE = "Restore a backup, and keep this file."


def examine(workspace: Workspace) -> list[Finding]:
    """Check the file, the log, the documents and the projections; changes nothing."""
    findings: list[Finding] = []
    with workspace.database.snapshot() as connection:
        for name, check in _CHECKS.items():
            try:
                findings.extend(check(connection))
            except (apsw.Error, CrdtError) as error:
                findings.append(
                    Finding(name, False, f"This could not be checked: {error}.", _RESTORE)
                )
    findings.extend(_fulltext(workspace))
    findings.extend(_meaning(workspace))
    return findings


def rebuild(workspace: Workspace, progress: Callable[[Progress], None]) -> int:
    """Drop all projections and build them again from the log; returns how many thoughts.

    Raises:
        StorageError: if the file cannot be written.
    """
    total = int(workspace.database.read().execute("SELECT count(*) FROM thought_ids").get)
    projector.drop(workspace.database)
    done = 0
    progress(Progress("Rebuilding", 0, total))
    while step := projector.project_stale(workspace.database, limit=200):
        done += step
        progress(Progress("Rebuilding", min(done, total), total))
    return done


def _file(connection: apsw.Connection) -> Iterator[Finding]:
    # On a connection of its own: one that has used the search index before checks it by what it
    # remembers of it, and finds damage where others have written since.
    fresh = apsw.Connection(connection.filename, flags=apsw.SQLITE_OPEN_READONLY)
    try:
        problems = [str(row[0]) for row in fresh.execute("PRAGMA quick_check(5)")]
    finally:
        fresh.close()
    sound = problems == ["ok"]
    yield Finding(
        "file",
        sound,
        "The file is sound." if sound else "The file is damaged: " + "; ".join(problems),
        "" if sound else "Export what can be read (aimem export DIR) and restore a backup.",
    )
    version = int(connection.pragma("user_version"))
    yield Finding("format", version == migrate.LATEST, f"The format is {version}.")


def _extensions(connection: apsw.Connection) -> Iterator[Finding]:
    probe = apsw.Connection(":memory:")
    try:
        probe.execute("CREATE VIRTUAL TABLE probe USING fts5 (text)")
        import sqlite_vec

        probe.enable_load_extension(True)
        probe.load_extension(sqlite_vec.loadable_path())
        vec = str(probe.execute("SELECT vec_version()").get)
        yield Finding(
            "sqlite", True, f"SQLite {apsw.sqlite_lib_version()} with FTS5 and sqlite-vec {vec}."
        )
    except (apsw.Error, ImportError) as error:
        yield Finding(
            "sqlite", False, f"A part of SQLite is missing: {error}.", "Install aimem anew."
        )
    finally:
        probe.close()


def _log(connection: apsw.Connection) -> Iterator[Finding]:
    beyond = connection.execute(
        "SELECT count(*) FROM log LEFT JOIN vectors ON vectors.replica = log.replica"
        " WHERE vectors.seq IS NULL OR log.seq > vectors.reach"
        " OR (log.seq > vectors.seq AND log.replica = (SELECT n FROM replicas"
        " WHERE id = (SELECT value FROM meta WHERE key = 'replica')))"
    ).get
    missing = _missing(connection)
    entries = connection.execute("SELECT count(*) FROM log").get
    held = sum(log.vector(connection).values())
    if beyond:
        detail = f"{beyond:,} edits have numbers that were never given out."
    elif missing:
        detail = f"{missing:,} edits are missing."
    else:
        detail = f"The log holds {entries:,} of {held:,} edits; the others are in checkpoints."
    sound = not beyond and not missing
    yield Finding("log", sound, detail, "" if sound else _RESTORE)


def _missing(connection: apsw.Connection) -> int:
    """How many entries are neither in the log nor before the end of any checkpoint."""
    covered: dict[str, int] = {}
    for (vector,) in connection.execute("SELECT vector FROM checkpoints"):
        for replica, seq in Vector.from_bytes(vector).items():
            covered[replica] = max(seq, covered.get(replica, 0))
    missing = 0
    for replica, seq in log.vector(connection).items():
        trimmed = covered.get(replica, 0)
        present = connection.execute(
            "SELECT count(*) FROM log JOIN replicas ON replicas.n = log.replica"
            " WHERE replicas.id = ? AND seq > ? AND seq <= ?",
            (replica, trimmed, seq),
        ).get
        missing += max(0, seq - trimmed) - int(present)
    return missing


def _set_aside(connection: apsw.Connection) -> Iterator[Finding]:
    rows = connection.execute(
        "SELECT thought_ids.id, reason FROM set_aside"
        " JOIN thought_ids ON thought_ids.n = set_aside.thought"
    ).fetchall()
    if not rows:
        yield Finding("documents", True, "Every thought can be read.")
    for thought, reason in rows:
        yield Finding(
            "documents",
            False,
            f"The thought {thought} cannot be read: {reason}.",
            "Its bytes are kept. A newer version may read them.",
        )


def _stale(connection: apsw.Connection) -> Iterator[Finding]:
    behind = projector.waiting(connection)
    yield Finding(
        "index",
        not behind,
        "Lists and search are up to date."
        if not behind
        else f"{behind} thoughts wait to be indexed.",
        "" if not behind else "They are indexed when aimem is next used.",
    )


def _folders(connection: apsw.Connection) -> Iterator[Finding]:
    expected: Counter[str] = Counter()
    for folder, thoughts in connection.execute(
        "SELECT folder, count(*) FROM thoughts WHERE shown = 1 GROUP BY folder"
    ):
        while folder:
            expected[folder] += thoughts
            folder = folder.rpartition("/")[0]
    found = dict(connection.execute("SELECT path, thoughts FROM folders"))
    wrong = sum(found.get(path) != expected.get(path) for path in found.keys() | expected.keys())
    twice = connection.execute(
        "SELECT count(*) FROM (SELECT path FROM thoughts WHERE shown = 1"
        " GROUP BY path HAVING count(*) > 1)"
    ).get
    sound = not wrong and not twice
    yield Finding(
        "tree",
        sound,
        "Folders and names agree with the thoughts."
        if sound
        else f"{wrong} folders are counted wrong; {twice} paths stand for two thoughts.",
        "" if sound else _REBUILD,
    )


def _documents(connection: apsw.Connection) -> Iterator[Finding]:
    rows = connection.execute(
        "SELECT t.n, t.path, texts.body FROM thoughts AS t JOIN texts ON texts.n = t.n"
        " WHERE t.n NOT IN (SELECT thought FROM stale) ORDER BY t.updated_at DESC LIMIT ?",
        (DOCUMENTS_CHECKED,),
    )
    checked, differing = 0, []
    for number, path, body in rows:
        checked += 1
        try:
            if documents.load(connection, number).text != body:
                differing.append(str(path))
        except CrdtError:
            differing.append(str(path))
    yield Finding(
        "texts",
        not differing,
        f"The newest {checked:,} thoughts read the same in lists as in their documents."
        if not differing
        else f"{len(differing)} thoughts read differently: {', '.join(differing[:5])}.",
        "" if not differing else _REBUILD,
    )


def _fulltext(workspace: Workspace) -> Iterator[Finding]:
    started = time.monotonic()
    try:
        with workspace.database.write() as connection:
            # Compares the indexes with the texts they were made from.
            for table in ("fulltext", "names"):
                connection.execute(
                    f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)"
                )
    except StorageError:
        yield Finding("search", False, "The search index differs from the texts.", _REBUILD)
    else:
        seconds = time.monotonic() - started
        yield Finding("search", True, f"The search index agrees with the texts ({seconds:.1f} s).")


def _meaning(workspace: Workspace) -> Iterator[Finding]:
    file = paths.home().index_file
    if not file.is_file():
        yield Finding("meaning", True, "Nothing is indexed by meaning yet.")
        return
    try:
        index = IndexFile.existing(file)
        if index is None:
            yield Finding("meaning", False, f"{file} is no index of this version.", _REINDEX)
            return
        with index:
            wrong = check(workspace.database, index, most=DOCUMENTS_CHECKED, words=False)
            coverage = IndexReader(index, _replica(workspace)).coverage(workspace.database.read())
    except StorageError as error:
        yield Finding("meaning", False, str(error), _REINDEX)
        return
    left = f" {coverage.unindexed:,} thoughts are not indexed yet." if coverage.unindexed else ""
    yield Finding(
        "meaning",
        not wrong,
        f"The index by meaning agrees with the texts.{left}" if not wrong else " ".join(wrong[:5]),
        "" if not wrong else _REINDEX,
    )


def _replica(workspace: Workspace) -> str:
    return whose(workspace.database.read(), workspace.database.path).replica


_CHECKS: dict[str, Callable[[apsw.Connection], Iterator[Finding]]] = {
    "file": _file,
    "sqlite": _extensions,
    "log": _log,
    "documents": _set_aside,
    "index": _stale,
    "tree": _folders,
    "texts": _documents,
}
