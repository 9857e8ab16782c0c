"""A search from beginning to end: what was typed, three rankings made into one, hits with passages.

- *Words*: thoughts whose title, path and text have the words (BM25). Needs the workspace's file
  alone, so it is true to every edit at once.
- *Passages by words* and *passages by meaning*: from the machine's index, as far as that has come.
- A full-text search uses the first two, a semantic one the last, a hybrid one all three. Where the
  index cannot serve, the words of the workspace's file do, and the answer says so.
- What a search leaves out (filters, exact words, ``-not``) is left out before the best are taken.
- Statements are a handful, however much is found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import apsw

from aimem_tui.errors import AimemError
from aimem_tui.model import Filter, SearchHit, SearchResults, Thought
from aimem_tui.model.found import Boost, Why
from aimem_tui.search import alike, fulltext, fusion, matching, naming, query, scope
from aimem_tui.search.passages import MATCH_START, Marker, Passage
from aimem_tui.search.query import Query
from aimem_tui.search.scripts import quoted
from aimem_tui.store import catalogue
from aimem_tui.store.catalogue import Where

if TYPE_CHECKING:
    from aimem_tui.search.semantic import Meaning, Near

KINDS = ("hybrid", "fulltext", "semantic")

CANDIDATES = 200
"""So many thoughts of each ranking are looked at, or twice as many as are wanted."""
_MOST_PASSAGES = 1_000
LEAST_COSINE = 0.2
"""What is less near than this has nothing to do with what was asked; texts on other matters lie
around 0.05."""
_MORE_THAN_WANTED = 10
"""Hits that are looked at beside those wanted, for those that turn out to be copies."""
_RECENT_DAYS = 30.0
_DAY_MS = 86_400_000.0
_RECENT_SHARE = 0.03
_CALLED_SO = 2.0


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for."""

    text: str
    wanted: Filter
    kind: str
    limit: int
    as_you_type: bool
    now: int
    """Milliseconds since the Unix epoch."""


class _Limits(NamedTuple):
    """What is left out: for the words, which leave out their own, and for all else."""

    thoughts: Where
    everything: Where
    restricted: bool


class _Row(NamedTuple):
    """A candidate with what is needed to show it."""

    thought: Thought
    body: str
    boosts: tuple[Boost, ...]
    score: float
    fused: fusion.Fused


class _Shown(NamedTuple):
    """What decides which passage of a hit is shown."""

    words: Marker
    names: Marker
    """Of parts of names that are words as well: where no word stands, these are marked."""
    near: Mapping[int, Near]
    named: Mapping[int, int]
    """The places of thoughts that were found by a part of a name."""
    for_name: bool
    """Whether that is what was looked for."""


def find(connection: apsw.Connection, search: Search, meaning: Meaning | None) -> SearchResults:
    """Search.

    Args:
        connection: reads the workspace, all its statements at one moment.
        meaning: None where there is no index.
    """
    parsed = query.parse(search.text, as_you_type=search.as_you_type, now=search.now)
    said = [*parsed.said]
    if not parsed.has_words:
        return _by_fields_alone(connection, search, parsed)
    kind = search.kind
    if kind != "fulltext" and (meaning is None or not meaning.is_ready()):
        kind = "fulltext"
        said.append("Nothing is indexed by meaning yet: found by words.")
    depth = max(CANDIDATES, 2 * search.limit)
    nearest: Callable[[], list[Near]] | None = None
    if meaning is not None and kind != "fulltext" and parsed.text:
        nearest = meaning.near_soon(parsed.text, min(2 * depth, _MOST_PASSAGES))
    plan = matching.plan(connection, "fulltext", parsed)
    said += [f'Nothing has "{query.told(phrase)}" as it stands.' for phrase in plan.absent]
    if plan.absent and not plan.match:
        return SearchResults(search.text, (), 0, kind, 0, " ".join(said))
    limits = _limits(search, parsed, plan)
    near: list[Near] = []
    passages: list[tuple[int, float]] = []
    words: list[fulltext.Scored] = []
    named: list[fulltext.Scored] = []
    parts = naming.parts(connection, parsed)
    if kind != "semantic":
        words = _words(connection, plan, limits, depth)
        reader = None if meaning is None else meaning.reader
        named = naming.ranked(
            connection,
            reader,
            parts,
            limits.everything,
            limit=depth,
            restricted=limits.restricted,
        )
        words = naming.joined(words, named)[:depth]
    if meaning is not None:
        try:
            if kind != "semantic":
                passages = _kept(connection, meaning.passages_with(parsed, depth), limits)
            if nearest is not None:
                near = _near(connection, meaning, parsed, limits, nearest(), depth)
        except AimemError as error:
            said.append(f"Found by words: {error}" if kind != "fulltext" else str(error))
            words = words or _words(connection, plan, limits, depth)
            kind = "fulltext"
    unread: set[int] = set()
    unmeant: set[int] = set()
    if meaning is not None and words:
        unread, unmeant = meaning.unknown([each.thought for each in words])
    fused = fusion.fuse(
        words,
        passages,
        [(each.thought, each.cosine) for each in near],
        unread=unread,
        unmeant=unmeant,
    )
    shown = _Shown(
        Marker(connection, parsed, parts.strange),
        Marker(connection, Query(), parts.familiar),
        {each.thought: each for each in near},
        {each.thought: place for place, each in enumerate(named, 1)},
        parts.nothing_else,
    )
    hits = _hits(connection, search, parsed, fused, shown)
    total = len(fused)
    if kind != "semantic" and total >= search.limit:
        total = max(total, fulltext.count(connection, plan, limits.thoughts))
    unindexed = 0
    if meaning is not None and kind != "fulltext":
        unindexed = meaning.unindexed(connection)
    return SearchResults(
        search.text,
        tuple(hits),
        min(total, fulltext.COUNT_LIMIT),
        kind,
        unindexed,
        " ".join(said),
    )


def _limits(search: Search, parsed: Query, plan: matching.Plan) -> _Limits:
    thoughts = scope.condition(search.wanted, parsed.scope)
    everything = scope.condition(search.wanted, parsed.scope)
    if parsed.excluded:
        everything.add(
            "t.n NOT IN (SELECT rowid FROM fulltext WHERE fulltext MATCH ?)",
            " OR ".join(map(quoted, parsed.excluded)),
        )
    if exact := [quoted(each) for each in parsed.phrases if each not in plan.absent]:
        everything.add(
            "t.n IN (SELECT rowid FROM fulltext WHERE fulltext MATCH ?)", " AND ".join(exact)
        )
    return _Limits(thoughts, everything, scope.restricts(search.wanted, parsed.scope))


def _words(
    connection: apsw.Connection, plan: matching.Plan, limits: _Limits, depth: int
) -> list[fulltext.Scored]:
    return fulltext.ranked(
        connection, plan, limits.thoughts, limit=depth, restricted=limits.restricted
    )


def _near(
    connection: apsw.Connection,
    meaning: Meaning,
    parsed: Query,
    limits: _Limits,
    everywhere: Sequence[Near],
    depth: int,
) -> list[Near]:
    """The nearest thoughts of those that are wanted.

    Of the nearest passages those are taken whose thoughts are wanted; should so many be left out
    that too few remain, the nearest among those wanted are asked for.
    """
    allowed = scope.among(connection, [each.thought for each in everywhere], limits.everything)
    found = [each for each in everywhere if each.thought in allowed]
    if len(found) < depth // 2 and len(allowed) < len({each.thought for each in everywhere}):
        rows = connection.execute(
            f"SELECT t.n FROM thoughts AS t WHERE {limits.everything.sql}", limits.everything.values
        )
        among = [int(row[0]) for row in rows]
        found = meaning.near(parsed.text, min(2 * depth, _MOST_PASSAGES), among) if among else []
    return [each for each in found[:depth] if each.cosine >= LEAST_COSINE]


def _kept(
    connection: apsw.Connection, scored: list[tuple[int, float]], limits: _Limits
) -> list[tuple[int, float]]:
    allowed = scope.among(connection, [thought for thought, _ in scored], limits.everything)
    return [each for each in scored if each[0] in allowed]


def _hits(
    connection: apsw.Connection,
    search: Search,
    parsed: Query,
    fused: Sequence[fusion.Fused],
    shown: _Shown,
) -> list[SearchHit]:
    called = shown.named if shown.for_name else {}
    rows = _rows(connection, search, parsed, fused[: search.limit + _MORE_THAN_WANTED], called)
    hits = []
    for group in alike.groups([row.body for row in rows])[: search.limit]:
        row = rows[group[0]]
        nearest = shown.near.get(row.fused.thought)
        passage = _passage(shown, row)
        hits.append(
            SearchHit(
                row.thought,
                row.score,
                passage.snippet,
                passage.line,
                passage.heading,
                Why(
                    row.fused.words,
                    row.fused.passages,
                    row.fused.meaning,
                    None if nearest is None else nearest.cosine,
                    row.boosts,
                    shown.named.get(row.fused.thought),
                ),
                tuple(rows[other].thought for other in group[1:]),
            )
        )
    return hits


def _passage(shown: _Shown, row: _Row) -> Passage:
    """Where the words stand; in the passage that is nearest, if it is by that it was found."""
    near = shown.near.get(row.fused.thought)
    by_words, by_meaning = row.fused.words, row.fused.meaning
    if near is not None and (by_words is None or by_meaning is None or by_words > by_meaning):
        passage = shown.words.passage(row.body, near.start, near.end)
        if by_words is None or MATCH_START in passage.snippet:
            return passage
    passage = shown.words.passage(row.body)
    if row.fused.thought in shown.named and MATCH_START not in passage.snippet:
        return shown.names.passage(row.body)
    return passage


def _rows(
    connection: apsw.Connection,
    search: Search,
    parsed: Query,
    fused: Sequence[fusion.Fused],
    called: Container[int],
) -> list[_Row]:
    found = connection.execute(
        f"SELECT t.n, texts.body, {catalogue.COLUMNS} FROM thoughts AS t JOIN texts USING (n)"
        " WHERE t.n IN (SELECT value FROM carray(?))",
        (apsw.carray(scope.array_of([each.thought for each in fused])),),
    )
    known = {int(row[0]): (str(row[1]), catalogue.thought(row[2:])) for row in found}
    rows = []
    for each in fused:
        if each.thought in known:
            body, thought = known[each.thought]
            boosts = tuple(_boosts(thought, parsed, search.now))
            if each.thought in called:
                boosts += (Boost("name", _CALLED_SO),)
            score = each.score * math.prod(boost.factor for boost in boosts)
            rows.append(_Row(thought, body, boosts, score, each))
    return sorted(rows, key=lambda row: -row.score)


def _boosts(thought: Thought, parsed: Query, now: int) -> Iterable[Boost]:
    called = " ".join(parsed.text.casefold().split())
    path = thought.path.casefold()
    names = (thought.title.casefold(), path, path.removesuffix(".md"), thought.name.casefold())
    if called and (called in names or called == names[3].removesuffix(".md")):
        yield Boost("title", _CALLED_SO)
    age = max(0.0, (now - thought.updated_at) / _DAY_MS)
    factor = 1 + _RECENT_SHARE * math.exp(-age / _RECENT_DAYS)
    if factor > 1.001:
        yield Boost("recent", round(factor, 4))


def _by_fields_alone(connection: apsw.Connection, search: Search, parsed: Query) -> SearchResults:
    """Without words: what the fields leave, what was edited last first."""
    said = " ".join(parsed.said)
    if not (parsed.scope.groups or parsed.scope.unwanted):
        if not said and search.text.strip() and not search.as_you_type:
            said = "There is no word in it to look for."
        return SearchResults(search.text, (), 0, "fulltext", 0, said)
    where = scope.condition(search.wanted, parsed.scope)
    if parsed.excluded:
        where.add(
            "t.n NOT IN (SELECT rowid FROM fulltext WHERE fulltext MATCH ?)",
            " OR ".join(map(quoted, parsed.excluded)),
        )
    rows = connection.execute(
        f"SELECT substr(texts.body, 1, 2000), {catalogue.COLUMNS} FROM thoughts AS t"
        f" JOIN texts USING (n) WHERE {where.sql} ORDER BY t.updated_at DESC, t.id LIMIT ?",
        (*where.values, search.limit),
    ).fetchall()
    marker = Marker(connection, parsed)
    hits = []
    for place, row in enumerate(rows):
        passage = marker.passage(str(row[0]))
        thought = catalogue.thought(row[1:])
        hits.append(SearchHit(thought, 1 / (1 + place), *passage))
    total = len(hits)
    if total >= search.limit:
        total = int(
            connection.execute(
                f"SELECT count(*) FROM (SELECT 1 FROM thoughts AS t WHERE {where.sql} LIMIT ?)",
                (*where.values, fulltext.COUNT_LIMIT),
            ).get
        )
    return SearchResults(search.text, tuple(hits), total, "fulltext", 0, said)
