"""How thoughts and search hits are drawn in lists."""

from __future__ import annotations

import re

from aimem_tui import words
from aimem_tui.model import SearchHit, Thought
from aimem_tui.search.saved import SavedSearch
from aimem_tui.widgets.rows import Row, Span

_MARKED = re.compile("\x01([^\x02]*)\x02")


def thought_row(thought: Thought, now: int, *, age: int | None = None) -> Row:
    """A thought in two lines: its title and age, its path and state."""
    moment = words.when(thought.updated_at if age is None else age, now)
    return Row(
        ((Span(thought.title, "strong"),), _details(thought)), (Span(moment, "muted"),), indent=1
    )


def hit_row(hit: SearchHit, now: int) -> Row:
    """A search hit in three lines: title and age, path and state, the passage that matches."""
    thought = hit.thought
    title = [Span(thought.title, "strong")]
    if hit.heading and hit.heading != thought.title:
        title.append(Span(f"  {hit.heading}", "muted"))
    details = [*_details(thought)]
    why = hit.why
    if why.semantic is not None and why.fulltext is None and why.chunk is None:
        details.append(Span("  by meaning", "people"))
    if hit.similar:
        details.append(Span(f"  and {len(hit.similar)} much like it", "people"))
    return Row(
        (tuple(title), tuple(details), marked(hit.snippet)),
        (Span(words.when(thought.updated_at, now), "muted"),),
        indent=1,
    )


def saved_row(search: SavedSearch) -> Row:
    """A search that was kept: its name, and what it looks for."""
    return Row(
        ((Span(search.name, "strong"),), (Span(search.query, "accent"),)),
        (Span("kept search", "muted"),),
        indent=1,
    )


def marked(snippet: str) -> tuple[Span, ...]:
    """A snippet as spans, with its matches in the style of a match."""
    spans: list[Span] = []
    at = 0
    for match in _MARKED.finditer(snippet):
        spans += [Span(snippet[at : match.start()], "muted"), Span(match[1], "match")]
        at = match.end()
    spans.append(Span(snippet[at:], "muted"))
    return tuple(span for span in spans if span.text)


def _details(thought: Thought) -> tuple[Span, ...]:
    spans = [
        Span(thought.path.removesuffix(".md"), "accent"),
        Span(f"  {thought.kind.value}", "muted"),
    ]
    if thought.status:
        spans.append(Span(f"  {thought.status.replace('_', ' ')}", "muted"))
    if thought.tasks_total:
        spans.append(Span(f"  {thought.tasks_done} of {thought.tasks_total} done", "muted"))
    if thought.tags:
        spans.append(Span("  " + " ".join(thought.tags[:4]), "muted"))
    return tuple(spans)
