"""Suggestions for keeping order: ``organize``, ``tags``, ``duplicates``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

import click

from aimem_tui import words
from aimem_tui.cli import diagnostics, output, shapes
from aimem_tui.cli.command import SETTINGS, LazyGroup, command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import UsageProblem, note
from aimem_tui.cli.output import Column
from aimem_tui.cli.styling import Span, bold, dim
from aimem_tui.cli.types import FolderName, Text, ThoughtName
from aimem_tui.errors import Refused
from aimem_tui.model import Filter
from aimem_tui.organize.suggestion import SuggestionKind

if TYPE_CHECKING:
    from aimem_tui.organize.duplicates import Pair
    from aimem_tui.organize.organizer import Listing
    from aimem_tui.organize.suggestion import Suggestion
    from aimem_tui.workspace.ordering import Accepted, Ordering
    from aimem_tui.workspace.workspace import Workspace

_HEADINGS = {
    SuggestionKind.DUPLICATE: "Duplicates",
    SuggestionKind.LINK: "Broken links",
    SuggestionKind.STALE: "Left alone",
    SuggestionKind.TAGS: "Tags",
    SuggestionKind.TITLE: "Titles",
    SuggestionKind.SUMMARY: "Summaries",
}
_PAIRS = (
    Column("KEEP", flexible=True, keep_end=True, style="bold"),
    Column("MERGE IN", flexible=True, keep_end=True),
    Column("ALIKE"),
    Column("WORDS", right=True),
    Column("WITHIN", right=True),
    Column("MEANING", right=True),
)

model_option = click.option(
    "--model", "with_model", is_flag=True, help="Let the language model put them better."
)
path_option = click.option(
    "--path", type=FolderName(), metavar="PATH", help="A folder, a path, or a glob."
)


@click.group(
    "organize",
    cls=LazyGroup,
    default="list",
    short_help="See what could be put in order, and do it.",
    context_settings=SETTINGS,
)
def organize_command() -> None:
    """See what could be put in order, and do it.

    Nothing is changed unless you accept it, and what you accept is an edit that can be undone.

    \b
    aimem organize
    aimem organize accept 3f9a
    aimem organize edit 3f9a api security
    aimem organize dismiss 3f9a
    """


@command("list", short_help="List suggestions.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice([kind.value for kind in SuggestionKind], case_sensitive=False),
    metavar="KIND",
    multiple=True,
    help=f"One of {', '.join(SuggestionKind)}. May be repeated.",
)
@path_option
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=10_000),
    default=10,
    metavar="N",
    help="Of each kind at most this many; 10 if not said.",
)
@click.option("--dismissed", is_flag=True, help="Those as well that were dismissed.")
@model_option
@json_option
@click.pass_obj
def list_command(
    session: Session,
    kinds: tuple[str, ...],
    path: str | None,
    limit: int,
    dismissed: bool,
    with_model: bool,
    as_json: bool,
) -> None:
    """List what could be put in order: duplicates, broken links, what was left alone, tags, titles
    and summaries that are missing.
    """
    workspace = session.reading()
    chosen = [SuggestionKind(kind) for kind in kinds]
    with _ordering(session, with_model=with_model) as ordering:
        listing = ordering.suggestions(
            chosen, Filter(path=path or ""), limit=limit, dismissed=dismissed
        )
    _print_listing(workspace, listing, as_json=as_json)


@command("accept", short_help="Do what suggestions propose.")
@click.argument("ids", type=Text(), nargs=-1, required=True, metavar="ID...", help="Suggestions.")
@json_option
@click.pass_obj
def accept_command(session: Session, ids: tuple[str, ...], as_json: bool) -> None:
    """Do what suggestions propose. Each is an edit like any other; how to undo it is said."""
    session.reading()
    done: list[Accepted] = []
    with _ordering(session) as ordering:
        for each in ids:
            suggestion = ordering.suggestion(each)
            done.append(ordering.accept(suggestion))
            if not as_json:
                _print_accepted(suggestion, done[-1])
    if as_json:
        output.json_object({"accepted": [shapes.accepted(each) for each in done]})


@command("edit", short_help="Accept a suggestion with something else in it.")
@click.argument("identity", type=Text(), metavar="ID", help="The suggestion.")
@click.argument(
    "values",
    type=Text(),
    nargs=-1,
    required=True,
    metavar="VALUE...",
    help="Tags, a title, a summary, a status, where a link leads, or which duplicate to keep.",
)
@json_option
@click.pass_obj
def edit_command(session: Session, identity: str, values: tuple[str, ...], as_json: bool) -> None:
    """Accept a suggestion with something else in it than what it proposes.

    \b
    aimem organize edit 3f9a api security      # other tags
    aimem organize edit 81c2 notes/auth.md     # keep the other of two duplicates
    """
    session.reading()
    with _ordering(session) as ordering:
        suggestion = ordering.edited(ordering.suggestion(identity), values)
        accepted = ordering.accept(suggestion)
    if as_json:
        output.json_object({"accepted": [shapes.accepted(accepted)]})
    else:
        _print_accepted(suggestion, accepted)


@command("dismiss", short_help="Never show suggestions again.")
@click.argument("ids", type=Text(), nargs=-1, required=True, metavar="ID...", help="Suggestions.")
@json_option
@click.pass_obj
def dismiss_command(session: Session, ids: tuple[str, ...], as_json: bool) -> None:
    """Never show suggestions again, unless what they are about changes.

    `aimem organize --dismissed` shows them all the same, and they can be accepted then.
    """
    with _ordering(session) as ordering:
        found = [ordering.suggestion(each) for each in ids]
        for suggestion in found:
            ordering.dismiss(suggestion)
    if as_json:
        output.json_object({"dismissed": [suggestion.id for suggestion in found]})
    else:
        output.line(f"Dismissed {words.count(len(found), 'suggestion')}.")


@click.group(
    "tags",
    cls=LazyGroup,
    default="list",
    short_help="The tags in use, and tags for thoughts.",
    context_settings=SETTINGS,
)
def tags_command() -> None:
    """The tags in use, and tags for thoughts that have none."""


@command("list", short_help="List the tags in use.")
@path_option
@json_option
@click.pass_obj
def list_tags_command(session: Session, path: str | None, as_json: bool) -> None:
    """List the tags in use with how many thoughts have each, the most used first."""
    session.reading()
    with _ordering(session) as ordering:
        counts = ordering.tags(Filter(path=path or ""))
    if as_json:
        output.json_list("tags", ({"tag": each.tag, "thoughts": each.thoughts} for each in counts))
        return
    columns = (Column("THOUGHTS", right=True), Column("TAG", style="bold"))
    if counts:
        output.table(columns, ((f"{each.thoughts:,}", each.tag) for each in counts))
    else:
        note(dim("No thought has a tag."))


@command("suggest", short_help="Tags for a thought, or for those without any.")
@click.argument(
    "thought",
    type=ThoughtName(),
    required=False,
    help="A thought: its path, file name, or the start of its id.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=10_000),
    metavar="N",
    help="At most this many tags for a thought (3), or thoughts (10).",
)
@model_option
@json_option
@click.pass_obj
def suggest_command(
    session: Session, thought: str | None, limit: int | None, with_model: bool, as_json: bool
) -> None:
    """Tags for a thought, from those in use: what thoughts like it have, and what it names.

    Without a thought, for all that have no tags. To take them: aimem organize accept.
    """
    workspace = session.reading()
    with _ordering(session, with_model=with_model) as ordering:
        if thought is None:
            listing = ordering.suggestions([SuggestionKind.TAGS], limit=limit or 10)
        else:
            listing = ordering.suggest_tags(session.find(thought).id, limit=limit or 3)
    _print_listing(workspace, listing, as_json=as_json)


@command("duplicates", short_help="Find thoughts that should be one, and merge them.")
@click.argument("kept", type=ThoughtName(), required=False, help="The thought to keep.")
@click.argument("other", type=ThoughtName(), required=False, help="The one to merge into it.")
@path_option
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only so many pairs.")
@click.option(
    "--merge", is_flag=True, help="Merge the two; without thoughts, all that are word for word."
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def duplicates_command(
    session: Session,
    kept: str | None,
    other: str | None,
    path: str | None,
    limit: int | None,
    merge: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Find thoughts that should be one, with the figures that say so, and merge them.

    Of two thoughts it shows what the one to keep would gain. Merging adds what only the other says
    where it belongs, and puts the other into the trash; its path then leads to the one that was
    kept, and both keep their history.

    \b
    aimem duplicates
    aimem duplicates plans/auth notes/auth-copy
    aimem duplicates plans/auth notes/auth-copy --merge
    """
    session.reading()
    if kept is not None and other is None:
        raise UsageProblem(
            "The other thought is missing.", hint=f"Say it: aimem duplicates {kept} OTHER."
        )
    with _ordering(session) as ordering:
        if kept is not None and other is not None:
            _two(session, ordering, kept, other, merge=merge, as_json=as_json)
            return
        pairs = ordering.duplicates(Filter(path=path or ""))[:limit]
        if merge:
            pairs = [pair for pair in pairs if pair.likeness.value == "same"]
            if pairs and not yes:
                _ask(len(pairs))
            # Deepest first: what is merged in may have been kept in another pair.
            done = [_merge(ordering, pair) for pair in reversed(_in_order(pairs))]
            _print_merged(done, as_json=as_json)
            return
    _print_pairs(pairs, as_json=as_json)


organize_command.add_command(list_command)
organize_command.add_command(accept_command)
organize_command.add_command(edit_command)
organize_command.add_command(dismiss_command)
tags_command.add_command(list_tags_command)
tags_command.add_command(suggest_command)


@contextmanager
def _ordering(session: Session, *, with_model: bool = False) -> Iterator[Ordering]:
    from aimem_tui.workspace import ordering

    workspace = session.open()
    model = None
    if with_model:
        from aimem_tui.workspace import asking

        model = asking.language_model(session.settings.get, session.home, session.clock)
        if model is None:
            raise Refused("No language model is set up.", hint="To set one up: aimem assist setup.")
    with nullcontext() if model is None else closing(model):
        yield ordering.Ordering(
            workspace,
            nearness=ordering.by_index(session.home, workspace),
            improver=None if model is None else ordering.improver(model),
        )


def _two(
    session: Session, ordering: Ordering, kept: str, other: str, *, merge: bool, as_json: bool
) -> None:
    from aimem_tui.workspace import difference

    workspace = session.open()
    stays, goes = session.find(kept), session.find(other)
    if merge:
        accepted = ordering.merge(stays.id, goes.id)
        _print_merged([accepted], as_json=as_json)
        return
    pair = ordering.compare(stays.id, goes.id)
    merged = ordering.preview(stays.id, goes.id)
    lines = list(difference.unified(workspace.text(stays.id), merged.text))
    if as_json:
        output.json_object(
            {
                "pair": shapes.pair(pair),
                "diff": "".join(f"{line}\n" for line in lines),
                "left_out": list(merged.left_out),
            }
        )
        return
    _print_pairs([pair], as_json=False, hint=False)
    if lines:
        output.line("")
        for line in lines:
            style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            output.line(Span(line, style) if style else line)
    else:
        note(dim(f"{stays.path} would stay as it is."))
    _say_left_out(merged.left_out)
    note(dim(f"To merge them: aimem duplicates {stays.path} {goes.path} --merge."))


def _merge(ordering: Ordering, pair: Pair) -> Accepted:
    return ordering.merge(pair.kept.thought.id, pair.other.thought.id)


def _in_order(pairs: Sequence[Pair]) -> list[Pair]:
    """Pairs so that a thought is merged in before the pair in which it is kept."""
    into = {pair.other.n: pair.kept.n for pair in pairs}

    def depth(pair: Pair) -> int:
        steps, at = 0, pair.kept.n
        while at in into:
            steps, at = steps + 1, into[at]
        return steps

    return sorted(pairs, key=depth)


def _ask(count: int) -> None:
    if not diagnostics.can_ask():
        raise Refused("Nothing was merged.", hint="To merge without being asked: add --yes.")
    if not diagnostics.confirm(f"Merge {words.count(count, 'pair')} of the same text?"):
        raise Refused("Nothing was merged.")


def _print_listing(workspace: Workspace, listing: Listing, *, as_json: bool) -> None:
    if as_json:
        output.json_object(
            {
                "suggestions": [
                    shapes.suggestion(
                        each,
                        workspace.by_id(each.thought),
                        workspace.by_id(each.other) if each.other else None,
                    )
                    for each in listing.suggestions
                ],
                "more": [kind.value for kind in listing.more],
                "said": list(listing.said),
            }
        )
        return
    last = None
    for each in listing.suggestions:
        if each.kind is not last:
            if last is not None:
                output.line("")
            output.line(bold(_HEADINGS[each.kind]))
            last = each.kind
        _print_suggestion(workspace, each)
        if each.kind in listing.more and each is _last_of(listing, each.kind):
            output.line(dim("  There are more: --limit."))
    for sentence in listing.said:
        note(dim(sentence))
    if listing.suggestions:
        note(dim("To take one: aimem organize accept ID. To be rid of one: dismiss ID."))
    else:
        note(dim("There is nothing to suggest."))


def _last_of(listing: Listing, kind: SuggestionKind) -> Suggestion:
    return [each for each in listing.suggestions if each.kind is kind][-1]


def _print_suggestion(workspace: Workspace, suggestion: Suggestion) -> None:
    path = workspace.by_id(suggestion.thought).path
    proposal = ", ".join(suggestion.proposal)
    if suggestion.kind is SuggestionKind.DUPLICATE:
        proposal = f"and {workspace.by_id(suggestion.other).path}"
    elif suggestion.kind is SuggestionKind.LINK:
        proposal = f"{suggestion.subject} → {proposal or '?'}"
    elif suggestion.kind is SuggestionKind.STALE:
        proposal = f"status: {proposal}"
    output.line(dim(suggestion.id), "  ", bold(path))
    output.line(" " * 12, proposal)
    output.line(" " * 12, dim(suggestion.why))


def _print_accepted(suggestion: Suggestion, accepted: Accepted) -> None:
    if accepted.other is not None:
        _print_merged([accepted], as_json=False)
        return
    path, value = accepted.thought.path, ", ".join(suggestion.proposal)
    said = {
        SuggestionKind.TAGS: f": tagged {value}.",
        SuggestionKind.TITLE: f" is called “{value}”.",
        SuggestionKind.SUMMARY: " has a summary.",
        SuggestionKind.STALE: f": status is {value}.",
        SuggestionKind.LINK: f" links to {value}.",
    }
    if not accepted.changed:
        output.line("Nothing changed in ", bold(path), ".")
        return
    output.line(bold(path), said[suggestion.kind])
    note(dim(f"To undo: aimem history restore {path} {accepted.undo}."))


def _print_merged(done: Sequence[Accepted], *, as_json: bool) -> None:
    if as_json:
        output.json_object({"accepted": [shapes.accepted(each) for each in done]})
        return
    for each in done:
        assert each.other is not None, "a merge has two"
        output.line("Merged ", bold(each.other.path), " into ", bold(each.thought.path), ".")
        _say_left_out(each.left_out)
        note(dim(f"Its history: aimem history {each.other.id}."))
        note(
            dim(
                f"To undo: aimem history restore {each.thought.path} {each.undo},"
                f" and aimem restore {each.other.id}."
            )
        )
    if not done:
        note(dim("No two thoughts are the same word for word."))


def _say_left_out(left_out: Sequence[str]) -> None:
    if left_out:
        note(dim(f"Left out, because it has its own: {'; '.join(left_out)}."))


def _print_pairs(pairs: Sequence[Pair], *, as_json: bool, hint: bool = True) -> None:
    if as_json:
        output.json_list("pairs", (shapes.pair(pair) for pair in pairs))
        return
    if not pairs:
        note(dim("No two thoughts are so alike that they should be one."))
        return
    output.table(
        _PAIRS,
        (
            (
                pair.kept.thought.path,
                pair.other.thought.path,
                pair.likeness.value,
                f"{pair.resemblance:.0%}",
                f"{pair.containment:.0%}",
                "" if pair.cosine is None else f"{pair.cosine:.2f}",
            )
            for pair in pairs
        ),
    )
    if hint:
        note(dim("To look at two: aimem duplicates KEEP OTHER. To merge them: add --merge."))
