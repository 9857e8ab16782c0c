"""The editor of a thought: keys, mouse and commands on a `BoundPane`.

A command finds out what to replace (the rules for markdown are in `writing`) and hands it over as
one step. Nothing here knows of documents, drawing or wrapping.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.widgets.text_area import Location

from aimem_tui.widgets.editor.binding import BoundPane
from aimem_tui.widgets.editor.carets import ByteSelection
from aimem_tui.widgets.editor.highlight import PROSE
from aimem_tui.widgets.editor.keys import KEYS
from aimem_tui.widgets.editor.writing import (
    break_line,
    delete_lines,
    indent,
    is_item,
    move_lines,
    outdent,
    toggle_task,
)
from crdt.adapter import byte_length


class Editor(BoundPane):
    """Edits one thought at a time. Without a bound document it shows nothing and takes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    async def on_key(self, event: events.Key) -> None:
        """Type what can be typed. Every other key is a binding."""
        if event.key in ("enter", "shift+enter"):
            self.action_break_line()
        elif event.key == "shift+space":
            self._type(" ")
        elif event.is_printable and event.character is not None:
            self._type(event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    async def on_paste(self, event: events.Paste) -> None:
        """Take in what the terminal pastes."""
        event.stop()
        event.prevent_default()
        self.paste(event.text)

    async def on_click(self, event: events.Click) -> None:
        """Select a word at the second click in a place, a line at the third."""
        if event.chain == 2:
            self.select_word(self.get_target_document_location(event))
        elif event.chain == 3:
            self.action_select_line()
        if event.chain > 1:
            event.prevent_default()

    def paste(self, text: str) -> None:
        """Put a text in the place of the selection, as a step of its own."""
        self._run = ""
        self._type(text)
        self._run = ""

    def _type(self, text: str) -> None:
        if self._may_write():
            self.replace(text, *self.selection, maintain_selection_offset=False)

    def action_paste(self) -> None:
        """Paste what was last cut or copied in the app."""
        self.paste(self.app.clipboard)

    def action_cut(self) -> None:
        """Cut the selection, or the line if nothing is selected."""
        if self.read_only:
            return
        if not self.selection.is_empty:
            self.app.copy_to_clipboard(self.selected_text)
            self._run = ""
            self.delete(*self.selection, maintain_selection_offset=False)
            return
        gone = delete_lines(self._lines, self._selected_rows)
        self.app.copy_to_clipboard(self._lines.get_text_range(gone.start, gone.end))
        self._replace([gone])

    def action_break_line(self) -> None:
        """Begin a new line, and in it what the line above has begun: a list, a task, a quote."""
        if not self.selection.is_empty:
            self._type("\n")
            return
        row, _ = self.cursor_location
        broken = break_line(self._lines, self.cursor_location, prose=self._is_prose(row))
        start = self._lines.byte_of(broken.start)
        self._replace([broken], ByteSelection.caret(start + byte_length(broken.text)))

    def action_indent(self) -> None:
        """Indent the selected lines or the item of a list; elsewhere, go to the next tab stop."""
        row, _ = self.cursor_location
        if len(self._selected_rows) > 1 or (is_item(self._lines[row]) and self._is_prose(row)):
            self._replace(indent(self._lines, self._selected_rows, self.indent_width))
        else:
            x = self._wrapping.cells(row).x_of(min(self.selection)[1])
            self._type(" " * (self.indent_width - x % self.indent_width))

    def action_outdent(self) -> None:
        """Take indentation away from the selected lines, or from the caret's."""
        self._replace(outdent(self._lines, self._selected_rows, self.indent_width))

    def action_toggle_task(self) -> None:
        """Tick the task in the caret's line, or take the tick away; of other text, make a task."""
        row, _ = self.cursor_location
        if self._is_prose(row) and (toggled := toggle_task(self._lines[row], row)) is not None:
            self._replace([toggled])

    def action_move_lines_up(self) -> None:
        """Move the selected lines, or the caret's, above the line before."""
        self._move_lines(down=False)

    def action_move_lines_down(self) -> None:
        """Move the selected lines, or the caret's, below the line behind."""
        self._move_lines(down=True)

    def _move_lines(self, *, down: bool) -> None:
        moves = move_lines(self._lines, self._selected_rows, down=down)
        if not moves:
            return
        by = sum(byte_length(move.text) for move in moves)
        anchor, head = self.byte_selection
        by = by if down else -by
        self._replace(moves, ByteSelection(anchor + by, head + by))

    def action_delete_line(self) -> None:
        """Delete the selected lines, or the caret's."""
        self._replace([delete_lines(self._lines, self._selected_rows)])

    def action_delete_word_left(self) -> None:
        """Delete the selection, or up to the beginning of the word."""
        start = self.get_cursor_word_left_location() if self.selection.is_empty else None
        self._delete_to(start)

    def action_delete_word_right(self) -> None:
        """Delete the selection, or up to the end of the word."""
        end = self.get_cursor_word_right_location() if self.selection.is_empty else None
        self._delete_to(end)

    def _delete_to(self, location: Location | None) -> None:
        start, end = self.selection
        self.delete(start, end if location is None else location, maintain_selection_offset=False)

    def action_cursor_text_start(self, select: bool = False) -> None:
        """Go to the beginning of the text."""
        self.move_cursor((0, 0), select=select)

    def action_cursor_text_end(self, select: bool = False) -> None:
        """Go to the end of the text."""
        self.move_cursor(self._lines.end, select=select)

    @property
    def _selected_rows(self) -> range:
        """The lines of the selection; not one in which nothing but its end lies."""
        (top, _), (bottom, column) = sorted(self.selection)
        return range(top, bottom + (column > 0 or bottom == top))

    def _is_prose(self, row: int) -> bool:
        return self._highlighter.state(row) == PROSE
