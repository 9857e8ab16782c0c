"""Paints the rows of a text, and sends the terminal only the cells that have changed.

`_painted` holds the rows as they were last handed out. Whoever changes something says by `_repaint`
which rows may look different; those on the screen are painted anew and compared, and the
difference is refreshed. Any refresh that comes from elsewhere (a theme, a size, the focus,
scrolling) forgets all of them. So a row on the screen is never out of date, and a key costs the
line a hundred bytes.

Rows are counted from the top of the wrapped text. Nothing here changes the text or the selection.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import ClassVar, Self

from rich.style import Style
from textual.geometry import Offset, Region
from textual.strip import Strip
from textual.widgets.text_area import Location, Selection

from aimem_tui.widgets.cells import printable
from aimem_tui.widgets.editor.carets import Caret, OtherCarets
from aimem_tui.widgets.editor.highlight import Highlighter
from aimem_tui.widgets.editor.line_document import LineDocument
from aimem_tui.widgets.editor.navigation import Navigator
from aimem_tui.widgets.editor.painting import SYNTAX, Flag, Looks, PlacedCaret, Scene, paint
from aimem_tui.widgets.editor.strips import changed_cells
from aimem_tui.widgets.editor.textual_private import BareTextArea
from aimem_tui.widgets.editor.wrapping import Wrapping

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_OPENING = {close: opening for opening, close in _CLOSING.items()}
_BRACKET_REACH = 2_000
"""Code points to either side in which a bracket's partner is looked for, on the same line."""


class Canvas(BareTextArea):
    """A text area that paints its own rows."""

    DEFAULT_CSS = """
    Canvas {
        border: none;
        padding: 0;
        background: $background;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;

        &:focus { border: none; }

        .editor--heading { color: $text-primary; text-style: bold; }
        .editor--emphasis { text-style: italic; }
        .editor--strong { text-style: bold; }
        .editor--strike { text-style: strike; }
        .editor--code { color: $text-accent; }
        .editor--link { color: $text-secondary; }
        .editor--url { color: $foreground 65%; }
        .editor--wiki { color: $text-secondary; }
        .editor--tag { color: $text-accent; }
        .editor--bullet { color: $text-primary; }
        .editor--open { color: $text-warning; text-style: bold; }
        .editor--done { color: $text-success; }
        .editor--finished { color: $foreground 65%; }
        .editor--quote { color: $foreground 75%; text-style: italic; }
        .editor--key { color: $text-primary; }
        .editor--comment { color: $foreground 65%; text-style: italic; }
        .editor--marker { color: $foreground 65%; }

        &:ansi {
            .editor--url, .editor--finished, .editor--comment, .editor--marker { text-style: dim; }
        }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"editor--{look}" for look in SYNTAX}

    NAMED_FOR = 2.0
    """Seconds for which a caret that has moved carries its name; 0 for never."""

    def __init__(
        self,
        *,
        placeholder: str = "",
        show_line_numbers: bool = False,
        read_only: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        self._painted: dict[int, Strip] = {}
        self._scene: Scene | None = None
        self._looks: Looks | None = None
        self._others = OtherCarets()
        self._placed: list[PlacedCaret] | None = None
        self._bracket: Location | None = None
        self._wrapping = Wrapping(LineDocument(""))
        super().__init__(
            placeholder=placeholder,
            show_line_numbers=show_line_numbers,
            read_only=read_only,
            highlight_cursor_line=False,
            name=name,
            id=id,
            classes=classes,
            disabled=disabled,
        )
        self.cursor_blink = False
        self._build("")

    def _build(self, text: str) -> None:
        """Make lines, rows, colours and moves of a text."""
        self._lines = LineDocument(text)
        self._wrapping = Wrapping(self._lines, self._wrap_width, self.indent_width)
        self._navigator = Navigator(self._wrapping)
        self._highlighter = Highlighter(self._lines)
        self._placed = self._scene = None
        self.show_document(self._lines, self._wrapping, self._navigator)

    @property
    def _laid_out(self) -> bool:
        """Whether there is room on the screen; not before the first layout, nor while hidden."""
        return self.is_mounted and self.scrollable_content_region.width > 0

    @property
    def _wrap_width(self) -> int:
        """The width to wrap to; while hidden, the last one, so that little is done in vain."""
        return self.wrap_width if self._laid_out else self._wrapping.width

    # Rows

    @property
    def _visible_rows(self) -> range:
        top = self.scroll_offset.y
        return range(top, top + self.scrollable_content_region.height)

    def _visible(self, start: int, stop: int) -> range:
        """The rows from ``start`` up to ``stop`` that are on screen."""
        rows = self._visible_rows
        return range(max(start, rows.start), min(stop, rows.stop))

    def _rows_between(self, one: Location, other: Location) -> range:
        first, last = (self._wrapping.location_to_offset(at).y for at in sorted((one, other)))
        return self._visible(first, last + 1)

    def _marked_rows(self, selection: Selection) -> set[int]:
        """The rows on screen that look different for a selection, a bracket or somebody's name."""
        marked = {*self._rows_between(*selection), *(flag.offset.y for flag in self._name_flags())}
        if self._bracket is not None:
            marked.update(self._rows_between(self._bracket, self._bracket))
        return marked

    def _other_rows(self) -> set[int]:
        """The rows on screen with other people's carets, selections and names."""
        rows = {flag.offset.y for flag in self._name_flags()}
        for other in self._other_places():
            rows.update(self._rows_between(other.anchor, other.head))
        return rows

    # Other people

    @property
    def has_carets(self) -> bool:
        """Whether anybody else's caret is shown."""
        return len(self._others) > 0

    def set_carets(self, carets: Iterable[Caret]) -> None:
        """Show other people's carets, and no others than these."""
        before = self._other_rows()
        self._others.show(carets, monotonic() + self.NAMED_FOR)
        self._placed = None
        self._repaint(before | self._other_rows())
        if self.NAMED_FOR and len(self._others) and self.is_mounted:
            # A little later, so that no name is still up when the rows are painted.
            self.set_timer(self.NAMED_FOR + 0.05, self._end_naming)

    def _end_naming(self) -> None:
        """Take down the names that have stood long enough, wherever they were."""
        self._repaint(self._visible_rows)

    # Painting

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Paint everything anew. What has changed here is refreshed by `_repaint` instead."""
        self._painted.clear()
        self._looks = self._scene = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_line(self, y: int) -> Strip:
        """A row of the screen."""
        row = y + self.scroll_offset.y
        strip = self._painted.get(row)
        if strip is None:
            strip = self._painted[row] = self._paint(row)
        return strip

    def _repaint(self, rows: Iterable[int]) -> None:
        """Bring rows of the wrapped text up to date on the screen, sending what differs."""
        self._scene = None
        visible = self._visible_rows
        regions = []
        for row in rows:
            old = self._painted.pop(row, None)
            if row not in visible:
                continue
            y = row - visible.start
            if old is None:
                regions.append(Region(0, y, self.size.width, 1))
                continue
            new = self._paint(row)
            changed = changed_cells(old, new)
            if changed is None:
                self._painted[row] = old
                continue
            start, stop = changed
            # Textual sends whole segments: cut here, only the part that differs is sent.
            self._painted[row] = Strip.join(new.divide([start, stop, new.cell_length]))
            regions.append(Region(start, y, stop - start, 1))
        if regions:
            super().refresh(*regions)

    def _paint(self, y: int) -> Strip:
        if self._scene is None:
            self._scene = self._stage()
        return paint(self._scene, y)

    def _stage(self) -> Scene:
        if self._looks is None:
            self._looks = Looks.of(self.rich_style, self.get_component_rich_style)
        return Scene(
            wrapping=self._wrapping,
            highlighter=self._highlighter,
            looks=self._looks,
            width=self.scrollable_content_region.width,
            gutter_width=self.gutter_width,
            first_number=self.line_number_start,
            scrolled=0 if self.soft_wrap else self.scroll_offset.x,
            selection=self.selection,
            bracket=self._bracket if self.match_cursor_bracket else None,
            caret_drawn=self.caret_drawn,
            caret_line_marked=self.highlight_cursor_line,
            others=self._other_places(),
            flags=self._name_flags(),
            placeholder=str(self.placeholder),
        )

    def _other_places(self) -> list[PlacedCaret]:
        if self._placed is None:
            self._placed = [
                PlacedCaret(
                    shown.caret,
                    self._navigator.snap(self._lines.location_of(shown.caret.head)),
                    self._navigator.snap(self._lines.location_of(shown.caret.anchor)),
                    shown.named_until,
                )
                for shown in self._others
            ]
        return self._placed

    def _name_flags(self) -> list[Flag]:
        now = monotonic()
        return [self._flag(other) for other in self._other_places() if other.named_until > now]

    def _flag(self, other: PlacedCaret) -> Flag:
        """A name: behind a caret at a row's end; else above it, or at the screen's top below."""
        x, y = self._wrapping.location_to_offset(other.head)
        if other.head[1] == self._wrapping.row(y).stop:
            x += 1
        else:
            y += -1 if y > self._visible_rows.start else 1
        name = printable(other.caret.name)
        return Flag(Offset(x, y), name, Style(color="black", bgcolor=other.color))

    def find_matching_bracket(self, bracket: str, search_from: Location) -> Location | None:
        """The partner of a bracket, if it stands near on the same line."""
        row, column = search_from
        line = self._lines[row]
        if bracket in _CLOSING:
            other, step, end = _CLOSING[bracket], 1, min(len(line), column + _BRACKET_REACH)
        elif bracket in _OPENING:
            other, step, end = _OPENING[bracket], -1, max(-1, column - _BRACKET_REACH)
        else:
            return None
        depth = 0
        for at in range(column, end, step):
            depth += (line[at] == bracket) - (line[at] == other)
            if not depth:
                return row, at
        return None
