"""Reading the projections: thoughts, folders, texts, links. Never needs the document engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import apsw

from aimem_tui.errors import Ambiguous, NotFound
from aimem_tui.model import Filter, Folder, Kind, Lifecycle, Thought
from crdt.ids import is_id

COLUMNS = (
    "t.id, t.path, t.declared_path, t.title, t.kind, t.status, t.lifecycle, t.tags,"
    " t.created_at, t.created_by, t.updated_at, t.updated_by, t.trashed_at, t.size, t.words,"
    " t.tasks_done, t.tasks_total"
)
_ID_PREFIX = 8


@dataclass(slots=True)
class Where:
    """A condition on ``thoughts AS t`` with its parameters."""

    clauses: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)

    def add(self, clause: str, *values: object) -> None:
        """One more condition that must hold."""
        self.clauses.append(clause)
        self.values += [_storable(value) if isinstance(value, str) else value for value in values]

    @property
    def sql(self) -> str:
        """The conditions joined, for use after WHERE."""
        return " AND ".join(self.clauses) or "1"


def where(wanted: Filter) -> Where:
    """The condition that a filter stands for."""
    found = Where()
    found.add("t.shown = ?", int(not wanted.trashed))
    if wanted.trashed:
        found.add("t.purged = 0")
    if wanted.path:
        _add_path(found, wanted.path)
    if wanted.kinds:
        marks = ", ".join("?" * len(wanted.kinds))
        found.add(f"t.kind IN ({marks})", *(kind.casefold() for kind in wanted.kinds))
    for tag in wanted.tags:
        found.add(
            "EXISTS (SELECT 1 FROM tags WHERE thought = t.n AND tag = ? COLLATE NOCASE)",
            tag.removeprefix("#"),
        )
    if wanted.author:
        pattern = f"%{_escaped(wanted.author)}%"
        found.add(
            r"(t.created_by LIKE ? ESCAPE '\' OR t.updated_by LIKE ? ESCAPE '\'"
            r" OR t.named_author LIKE ? ESCAPE '\')",
            pattern,
            pattern,
            pattern,
        )
    if wanted.status:
        found.add(
            "(t.status = ? COLLATE NOCASE OR t.lifecycle = ? COLLATE NOCASE)",
            wanted.status,
            wanted.status,
        )
    if wanted.since is not None:
        found.add("t.updated_at >= ?", wanted.since)
    return found


def thought(row: tuple[object, ...]) -> Thought:
    """A row of :data:`COLUMNS` as a thought."""
    values = dict(zip(_FIELDS, row, strict=True))
    tags = str(values["tags"])
    values["kind"] = Kind(str(values["kind"]))
    values["lifecycle"] = Lifecycle(str(values["lifecycle"]))
    values["tags"] = tuple(tags.split("\n")) if tags else ()
    return Thought(**values)  # type: ignore[arg-type]


def by_id(connection: apsw.Connection, thought_id: str) -> Thought:
    """The thought with an id.

    Raises:
        NotFound: if there is none, or it was purged.
    """
    row = connection.execute(
        f"SELECT {COLUMNS} FROM thoughts AS t WHERE t.id = ? AND t.purged = 0", (thought_id,)
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no thought with the id {thought_id}.")
    return thought(row)


def resolve(connection: apsw.Connection, name: str, *, trashed: bool = False) -> Thought:
    """The thought a person means by ``name``.

    Tried in this order: the shown path, with or without ``.md``; an earlier path; an id or the
    first eight or more digits of one; a file name that only one thought has. With ``trashed`` the
    trash is searched, too, after all else.

    Raises:
        NotFound, Ambiguous: with the nearest names.
    """
    wanted = _storable(name).strip().strip("/")
    for scope in ("t.shown", "t.trashed_at IS NOT NULL AND t.purged = 0")[: 1 + trashed]:
        for condition, values in _readings(wanted):
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM thoughts AS t WHERE {scope} AND {condition}"
                " ORDER BY t.updated_at DESC LIMIT 6",
                values,
            ).fetchall()
            if len(rows) == 1 or (rows and scope != "t.shown"):
                return thought(rows[0])
            if rows:
                names = ", ".join(thought(row).path for row in rows[:5])
                raise Ambiguous(
                    f"Several thoughts are called {name}.", why=f"{names}.", hint="Say the path."
                )
    near = nearest(connection, wanted)
    raise NotFound(
        f"There is no thought called {name}.",
        hint=f"Did you mean {near}?" if near else "To see all: aimem list.",
    )


def listing(
    connection: apsw.Connection,
    wanted: Filter,
    *,
    order: str = "path",
    limit: int | None = None,
    after: str = "",
) -> Iterator[Thought]:
    """Thoughts that pass a filter.

    Args:
        order: ``path``, ``updated`` (newest first), ``created`` (newest first) or ``title``.
        after: with order ``path``: only what comes behind this path.
    """
    condition = where(wanted)
    if after:
        condition.add("t.path > ?", after)
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM thoughts AS t WHERE {condition.sql}"
        f" ORDER BY {_ORDERS[order]} LIMIT ?",
        (*condition.values, -1 if limit is None else limit),
    )
    return (thought(row) for row in rows)


def count(connection: apsw.Connection, wanted: Filter) -> int:
    """How many thoughts pass a filter."""
    if wanted == Filter():
        return int(connection.execute(_COUNT_ALL).get)
    condition = where(wanted)
    return int(
        connection.execute(
            f"SELECT count(*) FROM thoughts AS t WHERE {condition.sql}", condition.values
        ).get
    )


def folders(connection: apsw.Connection, parent: str) -> list[Folder]:
    """The folders directly below one, by name."""
    rows = connection.execute(
        "SELECT path, thoughts FROM folders WHERE parent = ? ORDER BY name", (parent,)
    )
    return [Folder(str(path), int(number)) for path, number in rows]


def tags(connection: apsw.Connection, beginning: str, *, limit: int) -> list[str]:
    """Tags in use that begin so, the most used first."""
    rows = connection.execute(
        "SELECT tag FROM tags JOIN thoughts AS t ON t.n = tags.thought"
        r" WHERE t.shown = 1 AND tag LIKE ? ESCAPE '\'"
        " GROUP BY tag ORDER BY count(*) DESC, tag LIMIT ?",
        (_escaped(beginning) + "%", limit),
    )
    return [str(row[0]) for row in rows]


def thoughts_in(
    connection: apsw.Connection, folder: str, *, limit: int, after: Thought | None = None
) -> list[Thought]:
    """The thoughts directly in a folder, by name, at most ``limit``, behind ``after``."""
    name, last_id = ("", "") if after is None else (after.name, after.id)
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM thoughts AS t WHERE t.shown = 1 AND t.folder = ?"
        " AND (t.name, t.id) > (?, ?) ORDER BY t.name, t.id LIMIT ?",
        (folder, name, last_id, limit),
    )
    return [thought(row) for row in rows]


def text(connection: apsw.Connection, thought_id: str) -> str:
    """The whole text of a thought.

    Raises:
        NotFound: if there is no such thought.
    """
    row = connection.execute(
        "SELECT body FROM texts JOIN thoughts ON thoughts.n = texts.n"
        " WHERE thoughts.id = ? AND purged = 0",
        (thought_id,),
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no thought with the id {thought_id}.")
    return str(row[0])


def linked_from(connection: apsw.Connection, target: Thought, limit: int = 50) -> list[Thought]:
    """Thoughts that refer to one, by its path or the end of it."""
    stem = target.name.removesuffix(".md").casefold()
    rows = connection.execute(
        f"SELECT DISTINCT {COLUMNS}, links.target FROM links JOIN thoughts AS t"
        " ON t.n = links.thought WHERE links.name = ? AND t.shown = 1 AND t.id != ?"
        " ORDER BY t.updated_at DESC LIMIT ?",
        (stem, target.id, limit * 4),
    )
    found: dict[str, Thought] = {}
    for row in rows:
        link = str(row[-1]).split("#")[0].lstrip("./@").removesuffix(".md").casefold()
        whole = "/" + target.path.removesuffix(".md").casefold()
        if whole.endswith("/" + link) or ("/" + link).endswith(whole):
            source = thought(row[:-1])
            found.setdefault(source.id, source)
    return list(found.values())[:limit]


def nearest(connection: apsw.Connection, name: str) -> str:
    """The path most like a name that nothing answers to; empty if none is near."""
    import difflib

    words = [word for word in name.replace("/", " ").replace("-", " ").split() if len(word) > 2]
    if not words:
        return ""
    likely = " OR ".join([r"t.path LIKE ? ESCAPE '\'"] * len(words[:4]))
    rows = connection.execute(
        f"SELECT t.path FROM thoughts AS t WHERE t.shown = 1 AND ({likely}) LIMIT 500",
        [f"%{_escaped(word[:5])}%" for word in words[:4]],
    )
    matches = difflib.get_close_matches(name, [str(row[0]) for row in rows], n=1, cutoff=0.4)
    return matches[0] if matches else ""


def _readings(name: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    yield "t.path IN (?, ? || '.md')", (name, name)
    yield (
        "t.n IN (SELECT thought FROM aliases WHERE path IN (?, ? || '.md'))",
        (name, name),
    )
    if is_id(name):
        yield "t.id = ?", (name,)
    elif len(name) >= _ID_PREFIX and set(name) <= set("0123456789abcdef"):
        yield "t.id >= ? AND t.id < ?", (name, name + "g")
    if "/" not in name and name:
        yield "t.name IN (?, ? || '.md')", (name, name)


def _add_path(found: Where, path: str) -> None:
    from aimem_tui.markdown import paths

    if paths.is_glob(path):
        found.add("t.path GLOB ?", paths.glob_for_sqlite(path))
        return
    folder = path.removeprefix("./").strip("/")
    if not folder:
        return
    found.add(
        "(t.path = ? OR t.path = ? || '.md' OR (t.path >= ? || '/' AND t.path < ? || '0'))",
        folder,
        folder,
        folder,
        folder,
    )


def _storable(text: str) -> str:
    """A name that came from outside as one that SQLite can compare: UTF-8 without NUL."""
    return text.replace("\0", "\ufffd").encode(errors="surrogatepass").decode(errors="replace")


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


_COUNT_ALL = (
    "SELECT (SELECT coalesce(sum(thoughts), 0) FROM folders WHERE parent = '')"
    " + (SELECT count(*) FROM thoughts WHERE shown = 1 AND folder = '')"
)
"""Those in each folder are counted already."""
_FIELDS = tuple(column.strip().removeprefix("t.") for column in COLUMNS.split(","))
_ORDERS = {
    "path": "t.path, t.id",
    "updated": "t.updated_at DESC, t.id",
    "created": "t.created_at DESC, t.id",
    "title": "t.title COLLATE NOCASE, t.id",
}
