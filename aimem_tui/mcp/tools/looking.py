"""Finding and reading: ``search_thoughts``, ``read_thought``, ``list_thoughts``,
``recent_changes``, ``related_thoughts``, ``thought_history``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any

from aimem_tui import words
from aimem_tui.errors import BadInput
from aimem_tui.mcp import texts
from aimem_tui.mcp.arguments import Argument, Given, Number, Text, Texts
from aimem_tui.mcp.desk import Call
from aimem_tui.mcp.texts import Answer
from aimem_tui.mcp.tools.tool import CURSOR, PATH, THOUGHT, Tool
from aimem_tui.model import Filter, Kind, Thought

if TYPE_CHECKING:
    from aimem_tui.model import Related, SearchHit
    from aimem_tui.workspace.agents.reading import Change, Reading

_WAYS = {"both": "hybrid", "words": "fulltext", "meaning": "semantic"}
_DEEPEST = 500
"""So far into what a search found one can turn pages."""
_SNIPPET = 240
_ORDERS: dict[str, Callable[[Thought], Any]] = {
    "path": lambda each: (each.path, each.id),
    "updated": lambda each: (-each.updated_at, each.id),
    "created": lambda each: (-each.created_at, each.id),
    "title": lambda each: (each.title.lower(), each.id),
}
_LIST_LIMIT = 100
_MOST_RELATED = 2_000
_OUTLINE = 1_000

_FILTERS: tuple[Argument, ...] = (
    PATH,
    Text("kind", "", choices=tuple(Kind)),
    Texts("tags", "All of these."),
    Text("status", "As written, or draft, active, done, obsolete.", most=200),
    Text("author", "Part of a name.", most=200),
    Text("since", "Edited since: 3h, 7d, yesterday, 2026-11-02.", most=40),
)


def _search(call: Call, given: Given) -> Answer:
    limit, query = given.number("limit"), given.text("query")
    begin = texts.offset_of(given.text("cursor"), _DEEPEST)
    if call.access.is_bounded:
        # Whether exact words are anywhere else must make no difference here.
        query = query.replace('"', " ")
    hits: dict[str, SearchHit] = {}
    total, said, kind, unindexed = 0, "", "", 0
    for wanted in call.access.filters(_filter(call, given)):
        found = call.workspace.search(
            query, wanted, kind=_WAYS[given.text("how") or "both"], limit=begin + limit + 1
        )
        hits |= {hit.thought.id: hit for hit in found.hits if call.access.has(hit.thought.path)}
        total += found.total
        said, kind, unindexed = found.said, found.kind, found.unindexed
    best = sorted(hits.values(), key=lambda hit: -hit.score)
    total = max(total, len(best))
    rows = texts.fitting(
        _hit(number, hit) for number, hit in enumerate(best[begin : begin + limit], start=begin + 1)
    )
    if not rows:
        hint = "Try fewer or other words, or look around with list_thoughts."
        return Answer((" ".join(filter(None, ("Nothing found.", said, hint))),))
    end = begin + len(rows)
    how = {"fulltext": "by words", "semantic": "by meaning"}.get(kind, "by words and meaning")
    about = f"{words.count(total, 'thought')} found {how}, {begin + 1}-{end} shown, best first."
    more = []
    if said and not call.access.is_bounded:
        more.append(said)
    if unindexed and not call.access.is_bounded:
        more.append(f"{words.count(unindexed, 'thought')} not yet indexed by meaning.")
    if len(best) > end and end <= _DEEPEST:
        more.append(f'More: the same with cursor="{texts.cursor(end)}".')
    return Answer(("\n".join([about, *rows, *more]),))


def _hit(number: int, hit: SearchHit) -> str:
    snippet = texts.line(hit.snippet.replace("\x01", "").replace("\x02", ""), _SNIPPET)
    heading = f" [{texts.line(hit.heading, 60)}]" if hit.heading else ""
    same = f"\n   Says the same: {', '.join(each.path for each in hit.similar[:3])}"
    return (
        f"{number}. {texts.row(hit.thought)}\n   line {hit.line + 1}{heading}: {snippet}"
        f"{same if hit.similar else ''}"
    )


def _read(call: Call, given: Given) -> Answer:
    from aimem_tui.workspace.agents import reading

    thought = call.access.find(call.workspace, given.text("thought"))
    first, last = given.number("first_line"), given.number("last_line")
    if first and last and last < first:
        raise BadInput("last_line is before first_line.", hint="Call again with that put right.")
    found = reading.read(
        call.workspace,
        thought,
        section=given.text("section"),
        first=first or None,
        last=last or None,
        budget=given.number("max_chars"),
    )
    part = f" | section {found.section}" if found.section else ""
    lines = f"lines {found.first_line}-{found.last_line} of {found.lines}"
    head = f"{texts.row(thought)} | id {thought.id}{part} | {lines}"
    return Answer((head, found.text, *_rest(thought, found)), thought.id)


def _rest(thought: Thought, found: Reading) -> list[str]:
    """How to get what was cut off, and what there is to choose from."""
    said = []
    if found.left_out:
        said.append(
            f"The last line goes on for {found.left_out:,} characters; a larger max_chars shows"
            " more of it."
        )
    if found.next_line is not None:
        more = texts.call("read_thought", thought=thought.path, first_line=found.next_line)
        said.append(f"Cut here. Go on: {more}.")
    if said and found.sections:
        outline = texts.fitting(
            (f"{each.name} (line {each.first_line})" for each in found.sections if each.level),
            _OUTLINE,
        )
        said.append(f"Sections: {'; '.join(outline)}.")
    return ["\n".join(said)] if said else []


def _list(call: Call, given: Given) -> Answer:
    order, limit = given.text("order") or "path", given.number("limit")
    wanted = _filter(call, given)
    filters = call.access.filters(wanted)
    key = _ORDERS[order]
    after, begin = "", 0
    if order == "path":
        after = "".join(texts.parts_of(given.text("cursor"), 1))
    else:
        begin = texts.offset_of(given.text("cursor"), 100_000)
    found = {
        each.id: each
        for one in filters
        for each in call.access.kept(
            call.workspace.thoughts(one, order=order, limit=begin + limit + 1, after=after)
        )
    }
    listed = sorted(found.values(), key=key)[begin:]
    rows = texts.fitting(map(texts.row, listed[:limit]))
    total = sum(call.workspace.count(one) for one in filters)
    place = f" below {wanted.path}" if wanted.path else ""
    said = [f"{words.count(total, 'thought')}{place}, {len(rows)} shown, by {order}."]
    if not given.text("cursor") and wanted == Filter(path=wanted.path):
        said += _folders(call, wanted.path)
    if len(listed) > len(rows):
        on = texts.cursor(listed[len(rows) - 1].path if order == "path" else begin + len(rows))
        rows.append(f'More: the same with cursor="{on}".')
    return Answer(("\n".join([*said, *rows]),))


def _folders(call: Call, path: str) -> list[str]:
    """The folders below one, which say more of a large workspace than its first thoughts."""
    folder = path.strip("/")
    if call.access.is_bounded and not (folder and call.access.has(folder)):
        named = [each for each in call.access.narrowed(path) if not each.endswith(".md")]
        counted = [(each, call.workspace.count(Filter(path=each))) for each in named]
    else:
        counted = [(each.path, each.thoughts) for each in call.workspace.folders(folder)]
    rows = texts.fitting((f"{each}/ ({number:,})" for each, number in counted), _OUTLINE)
    if not rows:
        return []
    more = f", and {len(counted) - len(rows)} more" if len(rows) < len(counted) else ""
    return [f"Folders: {', '.join(rows)}{more}."]


def _recent(call: Call, given: Given) -> Answer:
    from aimem_tui.workspace.agents import reading

    since = _since(call, given.text("since") or "7d")
    limit = given.number("limit")
    changes: dict[str, Change] = {}
    more = False
    for path in call.access.narrowed(given.text("path")):
        found = reading.recent(call.workspace, since=since, limit=limit, path=path)
        more = more or found.more
        changes |= {
            each.thought.id: each for each in found.changes if call.access.has(each.thought.path)
        }
    newest = sorted(changes.values(), key=lambda each: -each.thought.updated_at)
    rows = texts.fitting(map(_change, newest[:limit]))
    if not rows:
        return Answer((f"Nothing has changed since {texts.when(since)}.",))
    about = f"Changed since {texts.when(since)}, newest first:"
    cut = more or len(newest) > len(rows)
    end = ["There is more: set path, a later since, or a larger limit."] if cut else []
    return Answer(("\n".join([about, *rows, *end]),))


def _change(change: Change) -> str:
    thought = change.thought
    did = "new" if change.made else "edited"
    by = texts.line(", ".join(change.authors[:4]) or thought.updated_by, 120)
    title = texts.line(thought.title, 80)
    return f"{texts.when(thought.updated_at)} {thought.path} | {title} | {did} by {by}"


def _related(call: Call, given: Given) -> Answer:
    thought = call.access.find(call.workspace, given.text("thought"))
    limit = given.number("limit")
    rows = []
    near = _near(call, thought, limit)
    if near:
        by = "meaning" if near[0].cosine is not None else "words"
        rows.append(f"Near {thought.path} by {by}, nearest first:")
        rows += [f"- {texts.row(each.thought)}" for each in near]
    linking = call.access.kept(call.workspace.linked_from(thought))
    if linking:
        rows.append(f"Linking to it: {', '.join(each.path for each in linking[:limit])}.")
    if not rows:
        rows.append(f"Nothing is near {thought.path}, and nothing links to it.")
    return Answer(("\n".join(texts.fitting(rows)),), thought.id)


def _near(call: Call, thought: Thought, limit: int) -> list[Related]:
    """The nearest that are in bounds: asked for more as long as there may be more of them."""
    asked = limit
    while True:
        found = call.workspace.related(thought.id, asked)
        kept = [each for each in found if call.access.has(each.thought.path)]
        if len(kept) >= limit or len(found) < asked or asked >= _MOST_RELATED:
            return kept[:limit]
        asked *= 4


def _history(call: Call, given: Given) -> Answer:
    thought = call.access.find(call.workspace, given.text("thought"))
    if given.has("revision"):
        return _revision(call, thought, given.number("revision"))
    # From the log alone: the texts of revisions would take a replay.
    touched = call.workspace.activity(thought.id, 1_000_000)
    rows = texts.fitting(
        f"{len(touched) - place}. {texts.when(each.ended_at)} {texts.line(each.author, 60)}"
        f"{f': {texts.line(each.note, 120)}' if each.note else ''}"
        for place, each in islice(enumerate(touched), given.number("limit"))
    )
    about = f"{thought.path} has {words.count(len(touched), 'revision')}, newest first:"
    hint = f"What one changed: {texts.call('thought_history', thought=thought.path, revision=1)}."
    return Answer(("\n".join([about, *rows, hint]),), thought.id)


def _revision(call: Call, thought: Thought, number: int) -> Answer:
    from aimem_tui.workspace import difference

    past = call.workspace.revision(thought.id, number)
    revision = past.revision
    about = (
        f"{thought.path}, revision {number}, {texts.when(revision.ended_at)}"
        f" {texts.line(revision.author, 60)}: +{revision.added:,} -{revision.removed:,} characters"
    )
    lines = list(difference.unified(past.before, past.text, context=1))
    rows = texts.fitting(texts.line(each, 500) if len(each) > 500 else each for each in lines)
    cut = [f"{len(lines) - len(rows)} more lines."] if len(rows) < len(lines) else []
    return Answer((about, "\n".join([*rows, *cut]) or "No line changed."), thought.id)


def _filter(call: Call, given: Given) -> Filter:
    kind, since = given.text("kind"), given.text("since")
    return Filter(
        path=given.text("path"),
        kinds=(kind,) if kind else (),
        tags=tuple(given.texts("tags")),
        author=given.text("author"),
        status=given.text("status"),
        since=_since(call, since) if since else None,
    )


def _since(call: Call, since: str) -> int:
    from aimem_tui.search.moments import parse_since

    try:
        return parse_since(since, call.workspace.clock())
    except ValueError:
        raise BadInput(
            f"since is not a time: {texts.line(since, 40)}.",
            hint="Write 3h, 7d, 2w, yesterday or 2026-11-02.",
        ) from None


def _limit(default: int, most: int) -> Number:
    return Number("limit", "", default=default, most=most)


TOOLS = (
    Tool(
        "search_thoughts",
        "Search thoughts",
        "Find thoughts by words and meaning. Gives paths with snippets; read on with read_thought."
        ' Words of the query may be "exact", -unwanted, or fields such as tag:auth.',
        (
            Text("query", "What to look for.", required=True, most=2_000),
            *_FILTERS,
            Text("how", "Default both.", choices=tuple(_WAYS)),
            _limit(8, 30),
            CURSOR,
        ),
        _search,
    ),
    Tool(
        "read_thought",
        "Read a thought",
        "Read a thought, one section of it, or some lines. Long texts are cut, with how to go on.",
        (
            THOUGHT,
            Text("section", "A heading, or Outer > Inner.", most=1_000),
            Number("first_line", ""),
            Number("last_line", ""),
            Number(
                "max_chars",
                "Cut after so many characters.",
                least=200,
                most=40_000,
                default=texts.ANSWER_LIMIT,
            ),
        ),
        _read,
    ),
    Tool(
        "list_thoughts",
        "List thoughts",
        "List folders and thoughts, by folder, kind, tags, status, author or date.",
        (
            *_FILTERS,
            Text("order", "Default path.", choices=tuple(_ORDERS)),
            _limit(25, _LIST_LIMIT),
            CURSOR,
        ),
        _list,
    ),
    Tool(
        "recent_changes",
        "Recent changes",
        "What people and agents changed lately, newest first.",
        (
            Text("since", "3h, 7d, yesterday, 2026-11-02. Default 7d.", most=40),
            PATH,
            _limit(15, 50),
        ),
        _recent,
    ),
    Tool(
        "related_thoughts",
        "Related thoughts",
        "Thoughts near one in meaning, and those that link to it.",
        (THOUGHT, _limit(8, 30)),
        _related,
    ),
    Tool(
        "thought_history",
        "History of a thought",
        "Who changed a thought and when; with a revision, what that one changed.",
        (THOUGHT, Number("revision", "Its number."), _limit(15, 100)),
        _history,
    ),
)
