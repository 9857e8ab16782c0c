"""Writing thoughts into one file: JSON, or a plain SQLite file that other programs can read.

The file is made beside its place and renamed into it when it is complete. A file that is there is
replaced only if it was exported from here and is unchanged, or if the caller says ``overwrite``.

- JSON: an object with ``workspace``, ``exported_at`` and ``thoughts``, a list by path; each has the
  fields of :class:`aimem_tui.model.Thought` and ``text``. It is streamed, one thought a line.
- SQLite: tables ``thoughts``, ``tags`` and ``links`` with their relations, and a full-text index
  over title, path and text. Times are milliseconds since the Unix epoch, as everywhere.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import apsw

from aimem_tui.bridge import intake, sources
from aimem_tui.bridge.files import printable
from aimem_tui.errors import BadInput, Refused, StorageError
from aimem_tui.model import ExportOptions, ExportReport, Progress, ReportLine, Thought
from aimem_tui.store import catalogue
from aimem_tui.store.connection import Database

_PROGRESS_EVERY = 200
_PIECE = 1 << 20


class _Stopped(Exception):
    """The caller asked to stop; an incomplete file is of no use."""


def write(database: Database, target: Path, options: ExportOptions, workspace: str) -> ExportReport:
    """Write thoughts into one file; see :func:`aimem_tui.bridge.exporter.export`."""
    try:
        file = target.resolve()
    except (OSError, RuntimeError) as error:
        raise BadInput(f"{printable(str(target))} cannot be used.", why=f"{error}.") from error
    if file.is_dir():
        raise BadInput(
            f"{printable(str(target))} is a folder.", hint=f"Name a file for {options.format}."
        )
    root = sources.folder_root(file.parent)
    _refuse_foreign(database, file, root, options)
    report = ExportReport()
    draft = file.with_name(f".aimem-{secrets.token_hex(8)}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with database.snapshot() as connection:
            if options.format == "json":
                report.written = _write_json(draft, connection, options, workspace)
            else:
                report.written = _write_sqlite(draft, connection, options, report)
        content = _content(draft)
        draft.replace(file)
    except (KeyboardInterrupt, _Stopped):
        return ExportReport(interrupted=True)
    except OSError as error:
        raise StorageError(
            f"{printable(str(target))} cannot be written.", why=f"{error.strerror or error}."
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    with database.write() as connection:
        sources.remember_export(connection, root, printable(file.name), None, content)
    return report


def _refuse_foreign(database: Database, file: Path, root: str, options: ExportOptions) -> None:
    if not file.exists() or options.overwrite:
        return
    known = sources.exported_content(database.read(), root, printable(file.name))
    if not file.is_file() or known is None or known != _content(file):
        raise Refused(
            f"There is a file at {printable(str(file))} already.",
            why="It was not exported from here, or was changed since.",
            hint="Choose another name, or replace it: --overwrite.",
        )


def _content(file: Path) -> str:
    """The fingerprint of a file that may be large; as :func:`files.fingerprint`."""
    digest = blake2b(digest_size=16)
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _thoughts(connection: apsw.Connection, options: ExportOptions) -> Iterator[tuple[Thought, str]]:
    """The wanted thoughts with their texts, by path."""
    condition = catalogue.where(options.wanted)
    total = catalogue.count(connection, options.wanted)
    rows = connection.execute(
        f"SELECT texts.body, {catalogue.COLUMNS} FROM thoughts AS t JOIN texts ON texts.n = t.n"
        f" WHERE {condition.sql} ORDER BY t.path, t.id",
        condition.values,
    )
    for done, (text, *columns) in enumerate(rows):
        if options.stop():
            raise _Stopped
        thought = catalogue.thought(tuple(columns))
        if done % _PROGRESS_EVERY == 0:
            options.progress(Progress("Writing", done, total, printable(thought.path)))
        yield thought, str(text)
    options.progress(Progress("Writing", total, total))


def _write_json(
    draft: Path, connection: apsw.Connection, options: ExportOptions, workspace: str
) -> int:
    written = 0
    head = {"workspace": workspace, "exported_at": intake.now_ms()}
    with draft.open("x", encoding="utf-8", newline="\n") as out:
        out.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "thoughts": [')
        for thought, text in _thoughts(connection, options):
            row = thought._asdict() | {"text": text}
            out.write(",\n" if written else "\n")
            out.write(json.dumps(row, ensure_ascii=False))
            written += 1
        out.write("\n]}\n")
    return written


def _write_sqlite(
    draft: Path, connection: apsw.Connection, options: ExportOptions, report: ExportReport
) -> int:
    import sqlite3

    from sqlite_utils import Database as PlainDatabase

    # Plugins of the user's own sqlite-utils have no say in what an export holds.
    plain = PlainDatabase(draft, execute_plugins=False)
    try:
        thoughts = plain.table("thoughts")
        thoughts.create(_COLUMNS, pk="id", not_null=set(_COLUMNS) - {"trashed_at"})
        rows = (_row(thought, text) for thought, text in _thoughts(connection, options))
        thoughts.insert_all(rows)
        for name, columns in _RELATED.items():
            table = plain.table(name)
            table.create({"thought": str} | columns, foreign_keys=[("thought", "thoughts", "id")])
            table.insert_all(_related(connection, options, name, [*columns]))
            table.create_index(["thought"])
        plain.table("tags").create_index(["tag"])
        try:
            thoughts.enable_fts(["title", "path", "text"], tokenize="porter", create_triggers=True)
        except sqlite3.OperationalError:
            report.notices.append(
                ReportLine(
                    draft.name, "This Python's SQLite has no FTS5; there is no search index."
                )
            )
        return int(thoughts.count)
    finally:
        plain.close()


def _row(thought: Thought, text: str) -> dict[str, object]:
    row = thought._asdict() | {"text": text}
    return {column: row[column] for column in _COLUMNS}


def _related(
    connection: apsw.Connection, options: ExportOptions, table: str, columns: list[str]
) -> Iterator[dict[str, object]]:
    """Rows of a table that belongs to thoughts, those of the wanted thoughts."""
    condition = catalogue.where(options.wanted)
    rows = connection.execute(
        f"SELECT t.id, {', '.join(f'r.{column}' for column in columns)} FROM thoughts AS t"
        f" JOIN {table} AS r ON r.thought = t.n WHERE {condition.sql}"
        f" ORDER BY t.path, t.id, {', '.join(f'r.{column}' for column in columns)}",
        condition.values,
    )
    return (dict(zip(("thought", *columns), row, strict=True)) for row in rows)


_COLUMNS: dict[str, type] = {
    "id": str,
    "path": str,
    "declared_path": str,
    "title": str,
    "kind": str,
    "status": str,
    "lifecycle": str,
    "created_at": int,
    "created_by": str,
    "updated_at": int,
    "updated_by": str,
    "trashed_at": int,
    "size": int,
    "words": int,
    "tasks_done": int,
    "tasks_total": int,
    "text": str,
}

_RELATED: dict[str, dict[str, type]] = {
    "tags": {"tag": str},
    "links": {"line": int, "target": str},
}
