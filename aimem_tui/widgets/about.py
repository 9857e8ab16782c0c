"""The right pane: what the open thought is, what is on its page, who refers to it, who edited it.

A list like any other: headings and thoughts in it can be walked to and opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message

from aimem_tui import words
from aimem_tui.model import Lifecycle, Thought
from aimem_tui.widgets import people
from aimem_tui.widgets.icons import Icons
from aimem_tui.widgets.rows import ItemModel, Row, Span
from aimem_tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from aimem_tui.model import Activity, Description

_BAR = 12
_MOST_HEADINGS = 200


class AboutLine(NamedTuple):
    """One line of the pane. At most one of ``source_line`` and ``thought`` is set."""

    number: int
    row: Row
    source_line: int | None = None
    thought: str = ""


def lines(
    described: Description,
    linked_from: Sequence[Thought],
    related: Sequence[Thought],
    activity: Sequence[Activity],
    now: int,
) -> list[AboutLine]:
    """What the pane says about a thought.

    Args:
        related: thoughts that are near it in meaning.
    """
    rows: list[tuple[Row, int | None, str]] = []

    def add(row: Row, source_line: int | None = None, thought: str = "") -> None:
        rows.append((row, source_line, thought))

    kind = described.kind.value.capitalize()
    status = (described.status or described.lifecycle.value).replace("_", " ")
    style = "muted" if described.lifecycle is Lifecycle.OBSOLETE else "accent"
    spans = [Span(kind, "strong")]
    if status:
        spans += [Span(" · ", "muted"), Span(status, style)]
    add(Row((tuple(spans),)))
    if described.tasks:
        done = sum(task.done for task in described.tasks)
        full = round(_BAR * done / len(described.tasks))
        bar = (Span("━" * full, "accent"), Span("─" * (_BAR - full), "muted"))
        add(Row(((Span(f"{done} of {len(described.tasks)} done  "), *bar),)))
    if described.tags:
        add(Row(((Span("  ".join(described.tags), "people"),),)))
    if len(described.headings) > 1:
        add(Row.of(""))
        add(Row.of("On this page", "muted"))
        top = min(heading.level for heading in described.headings)
        for heading in described.headings[:_MOST_HEADINGS]:
            indent = 2 + 2 * (heading.level - top)
            add(Row.of(heading.text, indent=indent), heading.line)
    if linked_from:
        add(Row.of(""))
        add(Row.of("Linked from", "muted"))
        for source in linked_from:
            add(Row.of(source.path.removesuffix(".md"), indent=2), None, source.id)
    if related:
        add(Row.of(""))
        add(Row.of("Related", "muted"))
        for near in related:
            add(Row.of(near.path.removesuffix(".md"), indent=2), None, near.id)
    if activity:
        add(Row.of(""))
        add(Row.of("Last edits", "muted"))
        for edit in activity:
            what = edit.note or "edited"
            spans_of_edit = (people.span(edit.author), Span(f" {what}", "muted"))
            moment = words.clock_time(edit.ended_at, now)
            add(Row((spans_of_edit,), (Span(moment, "muted"),), indent=2))
    return [AboutLine(number, *row) for number, row in enumerate(rows)]


class About(VirtualList):
    """The pane."""

    DEFAULT_CSS = """
    About {
        background: $background;
        padding: 1 1 0 1;
        & > .virtual-list--cursor-blurred { background: $background; }
    }
    """

    class HeadingChosen(Message):
        """A heading of the open thought was chosen; the line counts from 0."""

        def __init__(self, line: int) -> None:
            super().__init__()
            self.line = line

    class ThoughtChosen(Message):
        """Another thought was chosen."""

        def __init__(self, thought: str) -> None:
            super().__init__()
            self.thought = thought

    def __init__(self, icons: Icons, *, id: str | None = None) -> None:
        self._lines: ItemModel[AboutLine] = ItemModel(
            key=lambda line: line.number, row=lambda line: line.row
        )
        super().__init__(self._lines, id=id, icons=icons, empty="No thought is open.")

    def show(self, content: Sequence[AboutLine]) -> None:
        """Say this from now on."""
        self._lines.replace(content)
        self.model_changed()

    def on_virtual_list_selected(self, event: VirtualList.Selected) -> None:
        """Go where the chosen line leads."""
        event.stop()
        assert isinstance(event.key, int)
        line = self._lines.items[event.key]
        if line.source_line is not None:
            self.post_message(self.HeadingChosen(line.source_line))
        elif line.thought:
            self.post_message(self.ThoughtChosen(line.thought))
