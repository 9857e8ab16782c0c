"""Shows a text, its caret and a part of it on the screen, wherever the text comes from.

Rules of this room:

- The text changes by `apply_changes` (or, when much of it changes, `replace_text`) and by nothing
  else. Both take the caret, the selection and other people's carets along, and leave on screen
  what was on screen.
- The order inside is fixed: text, wrapping, selection, size, scrolling, repaint. Textual reads
  the selection while it measures; one that points past the end crashes it.
- Nothing here costs the length of the document per key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from textual.geometry import Region
from textual.strip import Strip
from textual.widgets.text_area import Location, Selection

from aimem_tui.widgets.editor.canvas import Canvas
from aimem_tui.widgets.editor.carets import ByteSelection, Step
from aimem_tui.widgets.editor.line_document import LineDocument
from crdt.adapter import Change


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


class TextPane(Canvas):
    """A text area that shows a text exactly, and moves through it by graphemes."""

    _settled = False
    """Whether the view is where it should be; not while there is no room to be seen in."""
    _top: int | None = None
    """The byte to show at the top once there is room, if not the caret decides."""

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

    def selection_moved(self, previous: Selection, current: Selection) -> None:
        """Bring the caret into view, and paint what it left and where it is."""
        if not self._laid_out:
            self.put_selection(current)
            self._top, self._settled = None, False
            self._caret_moved(previous)
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

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of a region of the screen."""
        if self._top is not None or not self._settled:
            # Textual does not tell every time that a widget is shown again; this does.
            self.rewrap()
        return super().render_lines(crop)
