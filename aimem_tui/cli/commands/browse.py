"""Finding and reading: ``list``, ``show``, ``search``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from aimem_tui import words
from aimem_tui.cli import output, shapes
from aimem_tui.cli.command import command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import UsageProblem, note
from aimem_tui.cli.options import filter_of, filter_options, thought_argument
from aimem_tui.cli.output import Column
from aimem_tui.cli.styling import Piece, bold, dim
from aimem_tui.cli.types import FolderName, LineRange, Lines, Text, ThoughtName
from aimem_tui.errors import BadInput
from aimem_tui.model import Filter, Thought
from aimem_tui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from aimem_tui.model import SearchHit, SearchResults

SEARCH_LIMIT = 20

_LONG = (
    Column("PATH", flexible=True, keep_end=True, style="bold"),
    Column("KIND"),
    Column("STATUS", flexible=True),
    Column("TAGS", flexible=True),
    Column("TASKS", right=True),
    Column("SIZE", right=True),
    Column("EDITED"),
    Column("BY", flexible=True),
)

_SEARCHES = (
    Column("NAME", style="bold"),
    Column("TYPE"),
    Column("SEARCH", flexible=True),
)


@command("list", short_help="List thoughts.")
@click.argument(
    "folder", type=FolderName(), required=False, help="A folder or a glob; like --path."
)
@filter_options
@click.option("--trash", is_flag=True, help="List what is in the trash.")
@click.option(
    "--sort",
    type=click.Choice(["path", "updated", "created", "title"]),
    default="path",
    show_default=True,
    help="By path or title, or newest first.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most this many.")
@click.option("-l", "--long", is_flag=True, help="A table with kind, status, tags and more.")
@json_option
@click.pass_obj
def list_command(
    session: Session,
    folder: str | None,
    path: str | None,
    kinds: tuple[str, ...],
    tags: tuple[str, ...],
    author: str | None,
    status: str | None,
    since: int | None,
    trash: bool,
    sort: str,
    limit: int | None,
    long: bool,
    as_json: bool,
) -> None:
    """List thoughts, one path per line.

    \b
    aimem list plans
    aimem list --kind plan --status active --long
    aimem list --since 7d --sort updated
    """
    if folder and path:
        raise UsageProblem("Two folders were given.", hint=f"Use {folder} or --path, not both.")
    wanted = filter_of(
        path=folder or path,
        kinds=kinds,
        tags=tags,
        author=author,
        status=status,
        since=since,
        trashed=trash,
    )
    workspace = session.reading()
    found = workspace.thoughts(wanted, order=sort, limit=limit)
    if as_json:
        output.json_list("thoughts", map(shapes.thought, found))
        return
    first = next(found, None)
    if first is None:
        _say_nothing_found(workspace, wanted)
        return
    if long:
        now = session.clock()
        output.table(_LONG, (_long_row(thought, now) for thought in _behind(first, found)))
    else:
        for thought in _behind(first, found):
            output.line(thought.path)


@command("show", short_help="Print a thought.")
@thought_argument()
@click.option("--lines", type=LineRange(), metavar="A-B", help="Only these lines: 12, 12-20, 12-.")
@click.option(
    "--section",
    type=Text(),
    metavar="HEADING",
    help="Only what stands below this heading: Tasks, or Plan > Tasks.",
)
@click.option("--outline", is_flag=True, help="Only its headings, with their lines.")
@click.option("--info", is_flag=True, help="What is known of it instead of its text.")
@click.option("--raw", is_flag=True, help="Exactly as it is, on a terminal too.")
@json_option
@click.pass_obj
def show_command(
    session: Session,
    thought: str,
    lines: Lines | None,
    section: str | None,
    outline: bool,
    info: bool,
    raw: bool,
    as_json: bool,
) -> None:
    """Print a thought's text, or a part of it.

    Into a file or a pipe the text goes byte for byte. On a terminal it ends with a line end, and
    characters that a terminal would act on are shown as escapes; --raw prints those, too.
    """
    if sum((lines is not None, section is not None, outline, info)) > 1:
        raise UsageProblem(
            "Several parts were asked for.",
            hint="Use one of --lines, --section, --outline and --info.",
        )
    workspace = session.reading()
    found = workspace.get(thought, trashed=True)
    if info:
        if as_json:
            output.json_object({"thought": shapes.thought(found)})
        else:
            output.fields(_info(found, session.clock()))
        return
    text = workspace.text(found.id)
    if outline:
        _print_outline(found, text, as_json=as_json)
        return
    if lines is not None:
        text = _lines_of(text, lines, found)
    if section is not None:
        from aimem_tui.markdown import sections

        place = sections.find(text, section)
        text = text[place.start : place.end]
    if as_json:
        output.json_object({"thought": shapes.thought(found), "text": text})
    elif raw:
        output.exact(text)
    else:
        output.text(text)


@command("search", short_help="Find thoughts by words and meaning.")
@click.argument("query", type=Text(), nargs=-1, help="What to look for.")
@click.option(
    "--type",
    "kind_of_search",
    type=click.Choice(["hybrid", "fulltext", "semantic"]),
    help="By words and meaning (the default), by words, or by meaning.",
)
@filter_options
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=1_000),
    default=SEARCH_LIMIT,
    show_default=True,
    metavar="N",
    help="At most this many.",
)
@click.option("--like", type=ThoughtName(), metavar="THOUGHT", help="What is near this thought.")
@click.option("--save", type=Text(), metavar="NAME", help="Keep this search under a name.")
@click.option("--saved", type=Text(), metavar="NAME", help="Make the search of that name.")
@click.option("--forget", type=Text(), metavar="NAME", help="Remove the search of that name.")
@click.option("--list-saved", is_flag=True, help="List the searches that are kept.")
@json_option
@click.pass_obj
def search_command(
    session: Session,
    query: tuple[str, ...],
    kind_of_search: str | None,
    path: str | None,
    kinds: tuple[str, ...],
    tags: tuple[str, ...],
    author: str | None,
    status: str | None,
    since: int | None,
    limit: int,
    like: str | None,
    save: str | None,
    saved: str | None,
    forget: str | None,
    list_saved: bool,
    as_json: bool,
) -> None:
    """Find thoughts by words and meaning, best first.

    "Exact words" go in quotes and must be there; -word leaves thoughts with that word out. Fields
    narrow the search: kind, status, tag, author, since and path, also behind a dash.

    \b
    aimem search token refresh kind:plan
    aimem search 'why do sessions expire tag:auth since:30d'
    aimem search '"session cookie" -status:done'
    aimem search --save stale 'kind:plan status:draft' ; aimem search --saved stale
    """
    ways = [bool(query), like is not None, saved is not None, forget is not None, list_saved]
    if sum(ways) != 1:
        raise UsageProblem(
            "Say what to look for." if not any(ways) else "That is more than one search.",
            hint="Give words, or one of --like, --saved, --forget, --list-saved.",
        )
    workspace = session.reading()
    if list_saved or forget is not None:
        _keep_searches(workspace, forget, as_json=as_json)
        return
    text = " ".join(query)
    if saved is not None:
        known = workspace.saved_searches.get(saved)
        text, kind_of_search = known.query, kind_of_search or known.kind
    if save is not None:
        from aimem_tui.search.saved import SavedSearch

        workspace.saved_searches.save(SavedSearch(save, text, kind_of_search or "hybrid"))
    if like is not None:
        _print_related(workspace, session.find(like), limit, as_json=as_json)
        return
    wanted = filter_of(path=path, kinds=kinds, tags=tags, author=author, status=status, since=since)
    workspace.search_once()
    results = workspace.search(text, wanted, kind=kind_of_search or "hybrid", limit=limit)
    if as_json:
        output.json_object(shapes.search(results))
        return
    for hit in results.hits:
        _print_hit(hit, session.clock())
    _say_how_many(results)


def _keep_searches(workspace: Workspace, forget: str | None, *, as_json: bool) -> None:
    searches = workspace.saved_searches
    if forget is not None:
        searches.remove(forget)
    known = searches.all()
    if as_json:
        output.json_object({"searches": [shapes.saved_search(each) for each in known]})
    elif forget is None and known:
        output.table(_SEARCHES, ((each.name, each.kind, each.query) for each in known))
    elif forget is None:
        note("No search is kept. To keep one: aimem search --save NAME WORDS.")


def _print_related(workspace: Workspace, thought: Thought, limit: int, *, as_json: bool) -> None:
    found = workspace.related(thought.id, limit)
    if as_json:
        output.json_object(
            {
                "thought": shapes.thought(thought),
                "related": [shapes.related(each) for each in found],
            }
        )
        return
    for each in found:
        near = "" if each.cosine is None else f"  {each.cosine:.2f}"
        output.line(bold(each.thought.path), f"  {each.thought.title}", dim(near))
    if not found:
        note("Nothing is near it.")


def _behind(first: Thought, rest: Iterable[Thought]) -> Iterable[Thought]:
    yield first
    yield from rest


def _say_nothing_found(workspace: Workspace, wanted: Filter) -> None:
    if wanted.trashed:
        note(
            "Nothing like that is in the trash."
            if wanted != Filter(trashed=True)
            else "The trash is empty."
        )
    elif workspace.count():
        note("No thought is like that.")
    else:
        note("There are no thoughts yet.")
        note("To begin: aimem new notes/first, or aimem import a folder of markdown.")


def _long_row(thought: Thought, now: int) -> Sequence[str]:
    tasks = f"{thought.tasks_done}/{thought.tasks_total}" if thought.tasks_total else ""
    return (
        thought.path,
        thought.kind.value,
        thought.status,
        " ".join(thought.tags),
        tasks,
        words.size(thought.size),
        words.when(thought.updated_at, now),
        thought.updated_by,
    )


def _info(thought: Thought, now: int) -> list[tuple[str, str]]:
    size = f"{words.size(thought.size)}, {words.count(thought.words, 'word')}"
    tasks = f"{thought.tasks_done} of {thought.tasks_total} done" if thought.tasks_total else ""
    trashed = "" if thought.trashed_at is None else words.when(thought.trashed_at, now)
    return [
        ("Title", thought.title),
        ("Path", thought.path),
        ("Also at", thought.declared_path if thought.declared_path != thought.path else ""),
        ("Kind", thought.kind.value),
        ("Status", thought.status),
        ("Tags", ", ".join(thought.tags)),
        ("Tasks", tasks),
        ("Size", size),
        ("Made", f"{words.when(thought.created_at, now)} by {thought.created_by}"),
        ("Edited", f"{words.when(thought.updated_at, now)} by {thought.updated_by}"),
        ("In the trash", trashed),
        ("Id", thought.id),
    ]


def _lines_of(text: str, wanted: Lines, thought: Thought) -> str:
    from aimem_tui.markdown.lines import lines_between

    lines = list(lines_between(text, 0, len(text)))
    if wanted.first > len(lines):
        raise BadInput(
            f"{thought.path} has no line {wanted.first}.",
            why=f"It has {words.count(len(lines), 'line')}.",
        )
    last = lines[: wanted.last][-1]
    return text[lines[wanted.first - 1].start : last.end]


def _print_outline(thought: Thought, text: str, *, as_json: bool) -> None:
    from aimem_tui.markdown import sections
    from aimem_tui.markdown.describe import is_markdown

    there = sections.outline(text) if is_markdown(thought.path) else []
    found = [each for each in there if each.level]
    if as_json:
        shown = [shapes.section(each) for each in found]
        output.json_object({"thought": shapes.thought(thought), "sections": shown})
        return
    width = len(str(found[-1].last_line)) if found else 0
    for each in found:
        lines = f"{each.first_line:>{width}}-{each.last_line:<{width}}"
        output.line(dim(lines), "  " * each.level, each.title)
    if not found:
        note("It has no headings.")


def _print_hit(hit: SearchHit, now: int) -> None:
    thought = hit.thought
    about = f"  {thought.kind.value}, {words.when(thought.updated_at, now)}"
    below = f" > {hit.heading}" if hit.heading not in ("", thought.title) else ""
    output.line(bold(f"{thought.path}:{hit.line + 1}"), f"  {thought.title}{below}", dim(about))
    pieces: list[Piece] = ["    "]
    pieces += [
        bold(part) if matched else part for part, matched in shapes.snippet_parts(hit.snippet)
    ]
    output.line(*pieces)
    if hit.similar:
        output.line(dim(f"    the same in {', '.join(each.path for each in hit.similar)}"))


def _say_how_many(results: SearchResults) -> None:
    shown = len(results.hits)
    if results.said:
        note(results.said)
    if not shown:
        note("Nothing matches.")
    elif results.total > shown:
        more = " or more" if results.total >= 1_000 else ""
        note(dim(f"{shown} of {results.total:,}{more}. To see more: --limit."))
    if results.unindexed:
        thoughts = words.count(results.unindexed, "thought")
        note(dim(f"{thoughts} cannot be found by meaning yet. To index: aimem index run."))
