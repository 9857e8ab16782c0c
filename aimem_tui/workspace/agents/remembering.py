"""Remembering: a fact is written once, as an entry of the memory that it belongs to.

- Memory are the thoughts of that kind: those below a folder ``memory``, foremost. A fact that one
  of them says already is not written again; ``facts`` decides.
- Where it belongs: the thought that was named; else the memory whose topic was named; else the one
  that is nearest to the fact by words and meaning; else a new one, with the properties that Claude
  Code's own memory files have, and a line in ``MEMORY.md`` beside it where there is one. Files that
  hold instructions or an index are read and never chosen.
- Searching comes first, without a lock. Writing is one transaction that looks once more at what
  was written since, so that a fact is written once by however many threads and processes.
- Nearness by meaning only says where a fact belongs and what is like it. It drops nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from aimem_tui.errors import BadInput, NotFound
from aimem_tui.markdown import edits, frontmatter, sections
from aimem_tui.markdown.classify import first_value
from aimem_tui.markdown.describe import title_from_name
from aimem_tui.model import Filter, Kind, Thought
from aimem_tui.store import catalogue
from aimem_tui.store.catalogue import Where
from aimem_tui.workspace import naming
from aimem_tui.workspace.agents import facts
from crdt.textdiff import apply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import apsw

    from aimem_tui.workspace.workspace import Workspace

TYPES = ("user", "feedback", "project", "reference")
"""What a memory is about: the person, how to work, the project, where to find things."""

LONGEST = 4_000
"""Characters of a fact."""

_FOLDER = "memory"
_INDEX = "MEMORY.md"
_NOT_CHOSEN = frozenset(
    ("memory.md", "claude.md", "claude.local.md", "agents.md", "agents.override.md", "gemini.md")
)
_CANDIDATES = 50
_SEARCHED = 8
_NEAR = 0.4
"""How near by meaning a memory must be for a fact to belong there: the same matter in other words
lies at 0.44 to 0.49 with the bundled model, another below 0.2."""
_SHARED = 0.5
"""Or which share of the fact's words it must have."""
_TOPIC_WORDS = 4
_LONGEST_NAME = 60
_LONGEST_DESCRIPTION = 150
_ENTRY_MARK = re.compile(r"(?:[-*+]|\d{1,9}[.)])(?:\s+|\Z)")
_NOT_IN_NAMES = re.compile(r"[\W_]+")
_NOT_SEARCHED = re.compile(r"[^\w\s]+")


class What(StrEnum):
    """What became of a fact."""

    ADDED = "added"
    """It was added to a thought."""
    KNOWN = "known"
    """It is said there already; nothing was written."""
    MADE = "made"
    """A thought was made for it."""


@dataclass(frozen=True, slots=True)
class Near:
    """Something like a fact that stands elsewhere."""

    path: str
    line: int
    """From 1."""
    text: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """Where a fact stands now."""

    thought: Thought
    line: int
    """From 1."""
    what: What
    text: str
    """As it stands there."""
    near: Near | None = None
    """What memory says that is like it, and may be out of date now."""


@dataclass(frozen=True, slots=True)
class _Fact:
    text: str
    topic: str
    kind: str
    folder: str
    """Only memory below it counts; empty: all."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a fact is to go: a thought that is there, or the path of one to be made."""

    thought: str
    path: str


class _Found(NamedTuple):
    """A memory that a search found, and how near it is by meaning; 0 where that is not known."""

    thought: Thought
    cosine: float


def remember(
    workspace: Workspace,
    fact: str,
    *,
    about: str = "",
    kind: str = "",
    path: str = "",
    folder: str = "",
) -> Remembered:
    """Write a fact down, unless memory says it already.

    Args:
        fact: a sentence or a short paragraph.
        about: its topic, in a word or a few.
        kind: one of :data:`TYPES`; empty: ``project`` for a new memory, any for one that is there.
        path: the thought to write it to, as a person names it, made if it is not there; then only
            that one is looked at.
        folder: only memory below this folder is looked at, and made.

    Raises:
        BadInput: if the fact is empty or too long, or there is no such kind.
        Ambiguous: if several thoughts are called ``path``.
    """
    given = _Fact(_entry_text(fact), " ".join(about.split()), _checked(kind), folder.strip("/"))
    workspace.settle()
    workspace.catch_up()
    with workspace.database.snapshot() as connection:
        seen = _last_position(connection)
        named = _named(workspace, path)
        looked_at = [named] if named else list(_holding(connection, given)) if not path else []
        for thought in looked_at:
            if (known := _known(workspace, thought, given)) is not None:
                return known
    found = [] if path else _searched(workspace, given.text, given.folder)
    near = _like(workspace, found, given)
    place = _Place(named.id, named.path) if named else _place(workspace, given, path, found)
    with workspace.database.write() as connection:
        for thought in _written_since(connection, seen):
            counts = thought.path == place.path if path else _is_memory(thought, given.folder)
            if counts and (known := _known(workspace, thought, given)) is not None:
                return known
        return _write(workspace, given, place, near)


def _entry_text(fact: str) -> str:
    lines = [line.rstrip() for line in fact.strip().splitlines()]
    kept = "\n".join(line for line in lines if line)
    if (mark := _ENTRY_MARK.match(kept)) is not None:
        kept = kept[mark.end() :]
    if not kept:
        raise BadInput("The fact is empty.", hint="Say it in a sentence.")
    if len(kept) > LONGEST:
        raise BadInput(
            f"The fact has {len(kept):,} characters.",
            why=f"At most {LONGEST:,} are remembered as one.",
            hint="Make a thought of it, as with aimem new.",
        )
    return kept


def _checked(kind: str) -> str:
    if kind and kind not in TYPES:
        raise BadInput(f"There is no type called {kind}.", hint=f"Use {', '.join(TYPES)}.")
    return kind


def _last_position(connection: apsw.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(position), 0) FROM log").get)


def _named(workspace: Workspace, path: str) -> Thought | None:
    if not path:
        return None
    try:
        return workspace.get(path)
    except NotFound:
        return None


# Looking for the fact


def _memory(folder: str) -> Where:
    return catalogue.where(Filter(path=folder, kinds=(Kind.MEMORY.value,)))


def _is_memory(thought: Thought, folder: str) -> bool:
    return thought.kind is Kind.MEMORY and (not folder or thought.path.startswith(f"{folder}/"))


def _holding(connection: apsw.Connection, given: _Fact) -> Iterator[Thought]:
    """The memories that have all telling words of a fact, the best first."""
    condition = _memory(given.folder)
    # Not those that folding alone has made ASCII: the index folds otherwise.
    lowered = given.text.lower()
    words = [w for w in facts.topic_words(given.text) if w.isascii() and w in lowered]
    if words:
        rows = connection.execute(
            f"SELECT {catalogue.COLUMNS} FROM fulltext AS f CROSS JOIN thoughts AS t"
            f" ON t.n = f.rowid WHERE f.fulltext MATCH ? AND {condition.sql} LIMIT ?",
            (" AND ".join(f'"{word}"' for word in words), *condition.values, _CANDIDATES),
        )
    else:
        # Words of other scripts may be parts of what the index takes for a word.
        rows = connection.execute(
            f"SELECT {catalogue.COLUMNS} FROM thoughts AS t WHERE {condition.sql}"
            " ORDER BY t.updated_at DESC LIMIT ?",
            (*condition.values, 10 * _CANDIDATES),
        )
    return (catalogue.thought(row) for row in rows.fetchall())


def _written_since(connection: apsw.Connection, position: int) -> Iterable[Thought]:
    rows = connection.execute(
        f"SELECT {catalogue.COLUMNS} FROM thoughts AS t WHERE t.shown = 1 AND t.n IN"
        " (SELECT thought FROM log WHERE position > ?)",
        (position,),
    ).fetchall()
    return [catalogue.thought(row) for row in rows]


def _known(workspace: Workspace, thought: Thought, given: _Fact) -> Remembered | None:
    said = facts.where_said(workspace.text(thought.id), given.text)
    if said is None:
        return None
    return Remembered(thought, said.line, What.KNOWN, said.text)


def _like(workspace: Workspace, found: Sequence[_Found], given: _Fact) -> Near | None:
    """What memory says that shares many words with a fact."""
    best: tuple[float, Near] | None = None
    for thought in (each.thought for each in found):
        near = facts.nearest(workspace.text(thought.id), given.text)
        if near is not None and (best is None or near[0] > best[0]):
            best = near[0], Near(thought.path, near[1].line, near[1].text)
    return None if best is None else best[1]


# Choosing the place


def _place(workspace: Workspace, given: _Fact, path: str, found: Sequence[_Found]) -> _Place:
    if path:
        return _Place("", naming.with_suffix(path))
    about = given.topic or given.text
    name = _name(given)
    base = f"{given.folder}/{_FOLDER}" if given.folder else _FOLDER
    if given.topic:
        thought = workspace.at(f"{base}/{name}.md")
        if thought is not None and _suits(workspace, workspace.by_id(thought), given):
            return _Place(thought, workspace.by_id(thought).path)
        found = _searched(workspace, given.topic, given.folder)
    for candidate, cosine in found:
        if candidate.name.lower() in _NOT_CHOSEN or not _suits(workspace, candidate, given):
            continue
        called = f"{candidate.name.rpartition('.')[0]} {candidate.title}"
        if given.topic:
            near = facts.shared_words(called, about) == 1.0 or cosine >= _NEAR
        else:
            text = f"{called} {workspace.text(candidate.id)}"
            near = facts.shared_words(text, about) >= _SHARED or cosine >= _NEAR
        if near:
            return _Place(candidate.id, candidate.path)
    new = f"{base}/{name}.md"
    taken = workspace.at(new)
    if taken is not None and not _suits(workspace, workspace.by_id(taken), given):
        new = f"{base}/{name}-{given.kind}.md"
    return _Place(workspace.at(new) or "", new)


def _searched(workspace: Workspace, text: str, folder: str) -> list[_Found]:
    """Memories by words and meaning, best first."""
    plain = " ".join(_NOT_SEARCHED.sub(" ", text).split())
    if not plain:
        return []
    wanted = Filter(path=folder, kinds=(Kind.MEMORY.value,))
    hits = workspace.search(plain, wanted, limit=_SEARCHED).hits
    return [_Found(hit.thought, hit.why.cosine or 0.0) for hit in hits]


def _suits(workspace: Workspace, thought: Thought, given: _Fact) -> bool:
    """Whether a memory is for facts of this kind; one that says nothing is for all."""
    if not given.kind:
        return True
    written = first_value(frontmatter.properties(workspace.text(thought.id)), "type").lower()
    return written not in TYPES or written == given.kind


def _name(given: _Fact) -> str:
    """The file name of a topic, without its end."""
    words = given.topic or " ".join(facts.topic_words(given.text)[:_TOPIC_WORDS])
    name = _NOT_IN_NAMES.sub("-", words.casefold()).strip("-")
    return name[:_LONGEST_NAME].strip("-") or "facts"


# Writing


def _write(workspace: Workspace, given: _Fact, place: _Place, near: Near | None) -> Remembered:
    entry = "- " + given.text.replace("\n", "\n  ")
    # Somebody may have made it meanwhile, or taken it away for good.
    there = workspace.at(place.path) if not place.thought else place.thought
    if there is None:
        text = _new_text(given, place.path, entry)
        made = workspace.create(place.path, text)
        _add_to_index(workspace, made, given)
        return Remembered(made, _line_of(text, entry), What.MADE, given.text, near)
    thought = workspace.edit_text(there, lambda text: edits.append(text, entry))
    line = _line_of(workspace.text(there), entry)
    return Remembered(thought, line, What.ADDED, given.text, near)


def _line_of(text: str, entry: str) -> int:
    first = entry.partition("\n")[0]
    return sections.line_of(text, max(0, text.rfind(first)))


def _new_text(given: _Fact, path: str, entry: str) -> str:
    name = path.rpartition("/")[2].rpartition(".")[0]
    title = given.topic or title_from_name(path)
    text = ""
    for key, value in (
        ("name", name),
        ("description", _description(given)),
        ("type", given.kind or "project"),
    ):
        text = apply(text, frontmatter.set_property(text, key, value))
    return f"{text}\n# {title[:1].upper()}{title[1:]}\n\n{entry}\n"


def _description(given: _Fact) -> str:
    line = " ".join(given.text.split())
    if len(line) <= _LONGEST_DESCRIPTION:
        return line
    return f"{line[: _LONGEST_DESCRIPTION - 1].rpartition(' ')[0] or line[:_LONGEST_DESCRIPTION]}…"


def _add_to_index(workspace: Workspace, made: Thought, given: _Fact) -> None:
    folder = made.path.rpartition("/")[0]
    index = workspace.at(f"{folder}/{_INDEX}" if folder else _INDEX)
    if index is None or f"({made.name})" in workspace.text(index):
        return
    line = f"- [{made.title}]({made.name}): {_description(given)}"
    workspace.edit_text(index, lambda text: edits.append(text, line))
