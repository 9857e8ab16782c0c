"""What a row of the editor looks like: text, selections, carets and names, in the theme's colours.

Painting reads a `Scene` and changes nothing. The layers, from the bottom: the page, the markdown,
other people's selections, one's own selection, other people's carets, a bracket and its partner,
one's own caret, and last the names that stand beside carets.

The styles come from the style sheet, through the editor's component classes; so they follow the
theme, light or dark, and can be overridden like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Offset
from textual.strip import Strip
from textual.widgets.text_area import Location, Selection

from aimem_tui.widgets.cells import cut, printable
from aimem_tui.widgets.editor.carets import Caret
from aimem_tui.widgets.editor.highlight import Highlighter
from aimem_tui.widgets.editor.strips import Brush, overlay
from aimem_tui.widgets.editor.wrapping import Row, Wrapping
from aimem_tui.widgets.people import PERSON_COLORS

SYNTAX = (
    "heading",
    "emphasis",
    "strong",
    "strike",
    "code",
    "link",
    "url",
    "wiki",
    "tag",
    "bullet",
    "open",
    "done",
    "finished",
    "quote",
    "key",
    "comment",
    "marker",
)
"""The looks that markdown gives to a text; each has a component class ``editor--<look>``."""

_TINT = 0.3
"""How much of a person's colour is in the background of what they have selected."""


@dataclass(frozen=True, slots=True)
class Looks:
    """The styles that the theme gives to the parts of the editor."""

    base: Style
    cursor: Style
    cursor_line: Style
    selection: Style
    bracket: Style
    gutter: Style
    cursor_gutter: Style
    placeholder: Style
    syntax: Mapping[str, Style]

    @classmethod
    def of(cls, base: Style, component: Callable[..., Style]) -> Looks:
        """The looks on a ``base``; ``component`` is the widget's `get_component_rich_style`."""

        def own(name: str) -> Style:
            """What a component says itself, with colours as they come out on the page."""
            whole, said = component(name), component(name, partial=True)
            return said.without_color + Style(
                color=whole.color if said.color else None,
                bgcolor=whole.bgcolor if said.bgcolor else None,
            )

        return cls(
            base=base,
            cursor=component("text-area--cursor"),
            cursor_line=own("text-area--cursor-line"),
            selection=own("text-area--selection"),
            bracket=own("text-area--matching-bracket"),
            gutter=component("text-area--gutter"),
            cursor_gutter=component("text-area--cursor-gutter"),
            placeholder=own("text-area--placeholder"),
            syntax={look: own(f"editor--{look}") for look in SYNTAX},
        )


@dataclass(frozen=True, slots=True)
class PlacedCaret:
    """Somebody else's caret, in locations."""

    caret: Caret
    head: Location
    anchor: Location
    named_until: float

    @property
    def color(self) -> str:
        """The person's colour."""
        return PERSON_COLORS[self.caret.color % len(PERSON_COLORS)]


@dataclass(frozen=True, slots=True)
class Flag:
    """A name beside a caret, on the wrapped text."""

    offset: Offset
    name: str
    """Printable."""
    style: Style


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a row's look depends on."""

    wrapping: Wrapping
    highlighter: Highlighter
    looks: Looks
    width: int
    """The cells of a row, with those for line numbers."""
    gutter_width: int
    """The cells for line numbers, 0 for none."""
    first_number: int
    scrolled: int
    """The cells scrolled away on the left; 0 where text wraps."""
    selection: Selection
    bracket: Location | None
    """The partner of the bracket at the caret."""
    caret_drawn: bool
    caret_line_marked: bool
    others: Sequence[PlacedCaret]
    flags: Sequence[Flag]
    placeholder: str


def paint(scene: Scene, y: int) -> Strip:
    """The row ``y`` of the wrapped text, or a blank one past its end."""
    looks, wrapping = scene.looks, scene.wrapping
    if y >= wrapping.height:
        return Strip.blank(scene.width, looks.base)
    row = wrapping.row(y)
    on_caret_line = scene.caret_line_marked and row.line == scene.selection.end[0]
    base = looks.base + looks.cursor_line if on_caret_line else looks.base
    brush = Brush(wrapping.cells(row.line), row, base)
    for span in scene.highlighter.spans(row.line):
        if span.start < row.stop and span.end > row.start:
            brush.lay(span.start, span.end, looks.syntax[span.look])
    for other in scene.others:
        _lay_selection(brush, row, Selection(other.anchor, other.head), _tint(base, other.color))
    _lay_selection(brush, row, scene.selection, looks.selection)
    _lay_carets(brush, row, scene)
    width = scene.width - scene.gutter_width
    strip = brush.strip(scene.scrolled + width)
    if scene.scrolled:
        strip = strip.crop(scene.scrolled, scene.scrolled + width)
    if scene.placeholder and not y and not wrapping.document.byte_count:
        # Beside the caret, which keeps the first cell.
        text = cut(printable(scene.placeholder), width - 1)
        strip = overlay(strip, 1, text, looks.base + looks.placeholder)
    for flag in scene.flags:
        if flag.offset.y == y:
            name = cut(flag.name, width)
            x = max(min(flag.offset.x - scene.scrolled, width - cell_len(name)), 0)
            strip = overlay(strip, x, name, flag.style)
    return Strip.join([_gutter(row, scene), strip]) if scene.gutter_width else strip


def holds(row: Row, location: Location) -> bool:
    """Whether a caret at a location stands in a row."""
    line, column = location
    return line == row.line and row.start <= column < row.stop + row.last


def _lay_selection(brush: Brush, row: Row, selection: Selection, style: Style) -> None:
    start, end = sorted(selection)
    if start == end or not start[0] <= row.line <= end[0]:
        return
    left = start[1] if row.line == start[0] else 0
    brush.lay(left, end[1] if row.line == end[0] else row.stop, style)
    if row.last and row.line < end[0]:
        brush.mark(row.stop, style)


def _lay_carets(brush: Brush, row: Row, scene: Scene) -> None:
    for other in scene.others:
        if holds(row, other.head):
            style = Style(color="black", bgcolor=other.color, bold=True)
            brush.mark(other.head[1], style, other.caret.initials[:1])
    caret = scene.selection.end
    if scene.bracket is not None and scene.selection.is_empty:
        for location in (caret, scene.bracket):
            if holds(row, location):
                brush.mark(location[1], scene.looks.bracket)
    if scene.caret_drawn and holds(row, caret):
        brush.mark(caret[1], scene.looks.cursor)


def _gutter(row: Row, scene: Scene) -> Strip:
    width = scene.gutter_width
    number = "" if row.section else str(row.line + scene.first_number)
    marked = scene.caret_line_marked and row.line == scene.selection.end[0]
    style = scene.looks.cursor_gutter if marked else scene.looks.gutter
    return Strip([Segment(f"{number:>{width - 2}}  ", style)], width)


def _tint(base: Style, color: str) -> Style:
    """A background that hints at a colour and leaves the text legible, or where there is no colour
    to mix it with, an underline."""
    if base.bgcolor is None or base.bgcolor.is_default:
        return Style(underline=True)
    ground = Color.from_rich_color(base.bgcolor)
    return Style(bgcolor=ground.blend(Color.parse(color), _TINT).rich_color)
