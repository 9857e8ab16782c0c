"""Shows a text: lines, wrapping, colours, carets. Knows nothing of where the text comes from.

Rules of this room:

- The text changes by `apply_changes` (or, when much of it changes, `replace_text`) and by nothing
  else. Both take the caret, the selection and other people's carets along, and leave on screen
  what was on screen.
- The order inside is fixed: text, wrapping, selection, size, scrolling, repaint. Textual reads
  the selection while it measures; one that points past the end crashes it.
- Nothing here costs the length of the document per key. Rows are painted when they are seen.
- Only cells that changed go to the terminal. `_painted` holds the rows as they were last handed
  out; `_repaint` paints some anew and refreshes the difference. Any refresh that comes from
  elsewhere (a theme, a size, the focus, scrolling) forgets them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar, NamedTuple, Self

from rich.style import Style
from textual.geometry import Offset, Region
from textual.strip import Strip
from textual.widgets.text_area import Location, Selection

from aimem_tui.widgets.cells import printable
from aimem_tui.widgets.editor.carets import ByteSelection, Caret, OtherCarets, Step
from aimem_tui.widgets.editor.highlight import Highlighter
from aimem_tui.widgets.editor.line_document import LineDocument
from aimem_tui.widgets.editor.navigation import Navigator
from aimem_tui.widgets.editor.painting import SYNTAX, Flag, Looks, PlacedCaret, Scene, paint
from aimem_tui.widgets.editor.strips import changed_cells
from aimem_tui.widgets.editor.textual_private import BareTextArea
from aimem_tui.widgets.editor.wrapping import Wrapping
from crdt.adapter import Change

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_OPENING = {close: opening for opening, close in _CLOSING.items()}
_BRACKET_REACH = 2_000
"""Code points to either side in which a bracket's partner is looked for, on the same line."""


@dataclass(frozen=True, slots=True)
class ViewState:
    """Where somebody is in a text, in UTF-8 bytes."""

    anchor: int
    """Where the selection began; the same as ``head`` if nothing is selected."""
    head: int
    """The caret."""
    top: int
    """What the first row on screen begins with."""


class _Before(NamedTuple):
    """Where everything was before the text changed."""

    selection: ByteSelection
    held: int
    """A byte that must not move on the screen: the caret, or if that is not seen, the top."""
    rows_above: int
    """The rows of the screen above that byte."""
    marked: set[int]


class TextPane(BareTextArea):
    """A text area that shows a text exactly, and moves through it by graphemes."""

    DEFAULT_CSS = """
    TextPane {
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
        # Whether the view is where it should be, and if not, the byte to show at its top.
        self._settled = False
        self._top: int | None = None
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

    # The text

    @property
    def lines(self) -> LineDocument:
        """The text as it is shown. To be read only."""
        return self._lines

    def show_text(self, text: str) -> None:
        """Show another text from its beginning, without anybody else's carets."""
        self._others.show((), 0)
        self._bracket = self._top = None
        self._settled = self._laid_out
        self._build(text)
        self.put_selection(Selection())
        self.measure_again()
        self.scroll_to(y=0, animate=False, immediate=True, force=True)
        self.refresh()

    def apply_changes(
        self, changes: Sequence[Change], selection: ByteSelection | None = None
    ) -> None:
        """Show the text as the changes make it.

        With a ``selection`` (in the new text) that is where the caret goes, and it is scrolled
        into view. Without one, the caret and what is on screen stay where they are in the text.
        """
        before = self._remember()
        height = self._wrapping.height
        first, stop = self._lines.line_count, 0
        for change in changes:
            splice = self._lines.replace_bytes(
                change.start, change.start + change.deleted, change.inserted
            )
            self._wrapping.splice(splice)
            restyled = self._highlighter.splice(splice)
            if splice.first < stop:
                stop += splice.added - splice.removed
            stop = max(stop, splice.first + splice.added)
            first = min(first, splice.first)
            if restyled is not None:
                first, stop = min(first, restyled), self._lines.line_count
        if self._wrapping.height != height:
            stop = self._lines.line_count
        self._settle(changes, selection, before, range(first, stop))

    def replace_text(
        self, text: str, changes: Sequence[Change], selection: ByteSelection | None = None
    ) -> None:
        """Show ``text``, which ``changes`` made: `apply_changes` for very many of them."""
        before = self._remember()
        self._build(text)
        self._settle(changes, selection, before, range(self._lines.line_count))

    def _build(self, text: str) -> None:
        self._lines = LineDocument(text)
        self._wrapping = Wrapping(self._lines, self._wrap_width, self.indent_width)
        self._navigator = Navigator(self._wrapping)
        self._highlighter = Highlighter(self._lines)
        self._placed = self._scene = None
        self.show_document(self._lines, self._wrapping, self._navigator)

    def _remember(self) -> _Before:
        """Where everything is, before the text changes."""
        selection = self.byte_selection
        if self.caret_offset.y in self._visible_rows:
            held, rows_above = selection.head, self.caret_offset.y - self.scroll_offset.y
        else:
            held, rows_above = self._top_byte, 0
        return _Before(selection, held, rows_above, self._marked_rows(self.selection))

    def _settle(
        self,
        changes: Sequence[Change],
        selection: ByteSelection | None,
        before: _Before,
        lines: range,
    ) -> None:
        """Bring carets, size, scrolling and screen up to a text that has changed in ``lines``."""
        steps = [Step.of(change) for change in changes]
        self._others.follow(steps)
        self._placed = self._scene = None
        previous = self.selection
        if self._wrap_width != self._wrapping.width:
            self._wrapping.wrap(self._wrap_width)
            lines = range(self._lines.line_count)
        self.put_selection(self._locations(selection or before.selection.move(steps)))
        self.measure_again()
        held = ByteSelection.caret(before.held).move(steps).head
        if not self._laid_out:
            self._top = held if self._settled else None
            return
        if selection is None:
            self._scroll_to_row(self._row_of(held) - before.rows_above)
        else:
            self.scroll_cursor_visible()
        self._caret_moved(previous)
        stop = self._wrapping.first_row(lines.stop)
        if lines.stop == self._lines.line_count:
            stop = max(stop, self._visible_rows.stop)
        changed = self._visible(self._wrapping.first_row(lines.start), stop)
        self._repaint({*changed, *before.marked, *self._marked_rows(self.selection)})

    # Carets

    @property
    def byte_selection(self) -> ByteSelection:
        """The selection in UTF-8 bytes of the text."""
        start, end = self.selection
        anchor = self._lines.byte_of(start)
        return ByteSelection(anchor, anchor if start == end else self._lines.byte_of(end))

    @property
    def view_state(self) -> ViewState:
        """Where the reader is, to come back to by `restore_view_state`."""
        return ViewState(*self.byte_selection, self._top_byte)

    def restore_view_state(self, state: ViewState) -> None:
        """Go to where the reader was; what lies outside of the text is moved into it."""
        previous = self.selection
        self.put_selection(self._locations(ByteSelection(state.anchor, state.head)))
        self._top = state.top
        self.rewrap()
        self._caret_moved(previous)

    def set_carets(self, carets: Iterable[Caret]) -> None:
        """Show other people's carets, and no others than these."""
        before = self._other_rows()
        self._others.show(carets, monotonic() + self.NAMED_FOR)
        self._placed = None
        self._repaint(before | self._other_rows())
        if self.NAMED_FOR and len(self._others) and self.is_mounted:
            self.set_timer(self.NAMED_FOR, self._end_naming)

    def _end_naming(self) -> None:
        """Take down the names that have stood long enough, wherever they were."""
        self._repaint(self._visible_rows)

    def selection_moved(self, previous: Selection, current: Selection) -> None:
        """Bring the caret into view, and paint what it left and where it is."""
        if not self._laid_out:
            self.put_selection(current)
            self._top, self._settled = None, False
            return
        left = self._marked_rows(previous)
        self.app.clear_selection()
        self.scroll_cursor_visible()
        self._caret_moved(previous)
        self._repaint(left | self._marked_rows(current))

    def _caret_moved(self, previous: Selection) -> None:
        row, column = self.selection.end
        character = self._lines[row][column : column + 1]
        self._bracket = self.find_matching_bracket(character, self.selection.end)
        if self.has_focus:
            self.app.cursor_position = self.cursor_screen_offset
        if self.selection != previous:
            self.post_message(self.SelectionChanged(self.selection, self))

    def _locations(self, selection: ByteSelection) -> Selection:
        anchor, head = map(self._lines.location_of, selection)
        return Selection(self._navigator.snap(anchor), self._navigator.snap(head))

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

    def clamp_visitable(self, location: Location) -> Location:
        """The nearest location that lies in the text and between two graphemes."""
        return self._navigator.snap(location)

    def get_cursor_word_left_location(self) -> Location:
        """Where the caret goes by a word to the left."""
        return self._navigator.word_left(self.cursor_location)

    def get_cursor_word_right_location(self) -> Location:
        """Where the caret goes by a word to the right."""
        return self._navigator.word_right(self.cursor_location)

    def select_word(self, location: Location) -> None:
        """Select the word around a location."""
        self.selection = Selection(*self._navigator.word_at(location))
        self.record_cursor_width()

    # Rows

    def rewrap(self) -> None:
        """Wrap to the width there is. In view stays what was, or comes what is to be shown."""
        if not self._laid_out:
            return
        before, top = self._remember(), self._top
        self._wrapping.wrap(self._wrap_width, self.indent_width)
        self.put_selection(self.selection)
        self.measure_again()
        if top is not None:
            self._scroll_to_row(self._row_of(top))
        elif self._settled:
            self._scroll_to_row(self._row_of(before.held) - before.rows_above)
        else:
            self.scroll_cursor_visible(center=True)
        self._top, self._settled = None, True
        self._caret_moved(self.selection)
        self.refresh()

    @property
    def _laid_out(self) -> bool:
        """Whether there is room on the screen; not before the first layout, nor while hidden."""
        return self.is_mounted and self.scrollable_content_region.width > 0

    @property
    def _wrap_width(self) -> int:
        """The width to wrap to; while hidden, the last one, so that little is done in vain."""
        return self.wrap_width if self._laid_out else self._wrapping.width

    @property
    def _top_byte(self) -> int:
        """What the first row on the screen begins with."""
        if self._top is not None:
            return self._top
        row = self._wrapping.row(self.scroll_offset.y)
        return self._lines.byte_of((row.line, row.start))

    def _row_of(self, byte: int) -> int:
        return self._wrapping.location_to_offset(self._lines.location_of(byte)).y

    def _scroll_to_row(self, y: int) -> None:
        if y != self.scroll_offset.y:
            self.scroll_to(y=max(y, 0), animate=False, immediate=True, force=True)

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

    # Painting

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Paint everything anew. The pane itself refreshes only what differs, by `_repaint`."""
        self._painted.clear()
        self._looks = self._scene = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of a region of the screen."""
        if self._top is not None or not self._settled:
            # Textual does not tell every time that a widget is shown again; this does.
            self.rewrap()
        return super().render_lines(crop)

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
