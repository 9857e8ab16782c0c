"""The editor of a thought: a `TextPane` bound to a `ThoughtDocument`.

Rules of this room:

- The document comes first. A local edit is written to it, in one transaction per key, and then
  shown. What others write, and one's own undo, comes back by `on_text` and is shown as it comes.
- What is shown is the document's text, always. Lengths are compared before each edit; when they
  differ (a defect) nothing is written, the text is shown anew, and a line goes to the log. With
  ``AIMEM_DEBUG`` set, the texts themselves are compared after every change.
- Whoever else writes to a bound document on this machine (a property, a restored revision) writes
  as they like; it is noticed and shown. Through `merge_text` the caret fares better.
- Undo is the document's: it takes back one's own edits and nobody else's. `UndoClock` says where
  a step ends: at a jump of the caret, a paste, a new line, a change from typing to deleting.
- Text comes in with the document's prevailing line end, without NUL and without halves of
  surrogate pairs. What is in the document already stays as it is.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.widgets.text_area import Edit, EditResult, Location, Selection

from aimem_tui.widgets.editor.carets import ByteSelection, Step
from aimem_tui.widgets.editor.highlight import PROSE
from aimem_tui.widgets.editor.keys import KEYS
from aimem_tui.widgets.editor.pane import TextPane
from aimem_tui.widgets.editor.undo_clock import UndoClock, undo_clock
from aimem_tui.widgets.editor.writing import (
    Replacement,
    break_line,
    delete_lines,
    indent,
    is_item,
    move_lines,
    outdent,
    toggle_task,
)
from crdt.adapter import Change, byte_length
from crdt.document import ThoughtDocument, as_changes
from crdt.textdiff import splices

log = logging.getLogger(__name__)

_MANY_CHANGES = 200
_MUCH_OF_THE_TEXT = 0.2
_LITTLE_TEXT = 4096
"""Bytes below which even a change of everything is small."""

_LINE_END = re.compile(r"\r\n?|\n")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Editor(TextPane):
    """Edits one thought at a time. Without a bound document it shows nothing and takes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    @dataclass
    class Edited(Message):
        """The person at this screen has changed the text, undo and redo included."""

        editor: Editor

        @property
        def control(self) -> Editor:
            """The editor."""
            return self.editor

    @dataclass
    class RemotelyEdited(Message):
        """Somebody else, or another part of the app, has changed the text."""

        editor: Editor

        @property
        def control(self) -> Editor:
            """The editor."""
            return self.editor

    _document: ThoughtDocument | None = None
    _clock: UndoClock | None = None
    _stops: Sequence[Callable[[], None]] = ()
    _writing = False
    _undoing = False
    _run = ""
    """What the last edits were, if one more of the kind may belong to the same undo step."""

    # The document

    @property
    def bound(self) -> ThoughtDocument | None:
        """The document that is edited, if any."""
        return self._document

    def bind(self, document: ThoughtDocument) -> None:
        """Edit a document, from its beginning. The one edited before is let go."""
        self._let_go()
        self._document = document
        self._clock = undo_clock(document)
        self._stops = (document.on_text(self._on_text), document.on_update(self._on_update))
        self.show_text(document.text)

    def unbind(self) -> None:
        """Let go of the document and show nothing."""
        self._let_go()
        self.show_text("")

    def merge_text(self, text: str) -> bool:
        """Make the document's text ``text`` by a minimal edit, as one step; False if it is that.

        Raises:
            CrdtError: if ``text`` holds half of a surrogate pair.
        """
        shown = self._lines.text
        changes = as_changes(shown, splices(shown, text))
        if not changes or not self._may_write():
            return False
        self._run = ""
        self._write(changes, None)
        self._run = ""
        return True

    def check(self) -> None:
        """Show the document's text if, for whatever reason, something else is shown."""
        document = self._document
        if document is None or document.text == self._lines.text:
            return
        shown, text = self._lines.text, document.text
        self.replace_text(text, as_changes(shown, splices(shown, text)))
        self.post_message(self.RemotelyEdited(self))

    def on_unmount(self) -> None:
        """Let go of the document with the widget."""
        self._let_go()

    def _let_go(self) -> None:
        for stop in self._stops:
            stop()
        self._stops = ()
        self._document = self._clock = None
        self._run = ""

    def _on_text(self, changes: Sequence[Change], own_undo: bool) -> None:
        """Show what others wrote, or what one's own undo did. Must not write."""
        selection = None
        if own_undo and self._undoing and changes:
            last = changes[-1]
            selection = ByteSelection.caret(last.start + byte_length(last.inserted))
        try:
            self._show(changes, selection)
        except Exception:
            log.exception("A change of the text could not be shown. The text is shown anew.")
            self.call_later(self.check)
        else:
            self.call_later(self._in_step)
        self.post_message(self.Edited(self) if own_undo else self.RemotelyEdited(self))

    def _on_update(self, _update: bytes) -> None:
        """Notice what was written here, but not by this editor."""
        if not self._writing:
            self.call_later(self.check)

    def _show(self, changes: Sequence[Change], selection: ByteSelection | None) -> None:
        """Show what the changes have made of the document's text."""
        assert self._document is not None
        touched = sum(change.deleted + len(change.inserted) for change in changes)
        much = max(_MUCH_OF_THE_TEXT * self._lines.byte_count, _LITTLE_TEXT)
        if len(changes) > _MANY_CHANGES or touched > much:
            self.replace_text(self._document.text, changes, selection)
        else:
            self.apply_changes(changes, selection)

    def _in_step(self) -> bool:
        """Whether the text shown is as long as the document's; if not, it is shown anew."""
        document = self._document
        if document is None:
            return True
        if self._lines.byte_count == document.text_bytes:
            if os.environ.get("AIMEM_DEBUG") and self._lines.text != document.text:
                raise AssertionError("the editor shows another text than the document's")
            return True
        log.error(
            "The editor showed %d bytes of a text of %d. The text is shown anew.",
            self._lines.byte_count,
            document.text_bytes,
        )
        self.check()
        return False

    # Writing

    def edit(self, edit: Edit) -> EditResult:
        """Put a text in the place of a range: all of Textual's own edits come this way."""
        text = clean(edit.text, self._lines.newline)
        top, bottom = self._lines.clamp(edit.top), self._lines.clamp(edit.bottom)
        if (top == bottom and not text) or not self._may_write():
            return EditResult(top, "")
        replaced = self._lines.get_text_range(top, bottom)
        start = self._lines.byte_of(top)
        change = Change(start, self._lines.byte_of(bottom) - start, text)
        end = start + byte_length(text)
        selection = ByteSelection.caret(end)
        if edit.maintain_selection_offset:
            selection = self.byte_selection.move([Step.of(change)], behind=True)
        if "\n" in text or (text and replaced):
            self._run = ""
        self._write([change], selection, run="type" if text else "delete")
        return EditResult(self._lines.location_of(end), replaced)

    def load_text(self, text: str) -> None:
        """Make the text another one, by a minimal edit that can be undone."""
        self.merge_text(text)

    def undo(self) -> None:
        """Take back one's own last step; the caret goes to where it was."""
        self._time_travel(ThoughtDocument.undo)

    def redo(self) -> None:
        """Do again what was taken back; the caret goes to where it is."""
        self._time_travel(ThoughtDocument.redo)

    def _time_travel(self, travel: Callable[[ThoughtDocument], bool]) -> None:
        if not self._may_write():
            return
        assert self._document is not None
        self._run = ""
        self._undoing = True
        try:
            travel(self._document)
        finally:
            self._undoing = False

    def _may_write(self) -> bool:
        return self._document is not None and not self.read_only and self._in_step()

    def _write(
        self, changes: Sequence[Change], selection: ByteSelection | None, run: str = ""
    ) -> None:
        """Write to the document, then show it. Edits of the same ``run`` are undone together."""
        assert self._document is not None
        assert self._clock is not None
        if not run or run != self._run:
            self._clock.begin_step()
        self._run = run
        self._writing = True
        try:
            self._document.splice(changes)
        finally:
            self._writing = False
        self._show(changes, selection)
        self._in_step()
        self.post_message(self.Edited(self))

    def _replace(
        self, replacements: Sequence[Replacement], selection: ByteSelection | None = None
    ) -> None:
        """Make replacements, ascending and disjoint, as one step.

        Without a ``selection``, the caret stays with the text behind it.
        """
        if not replacements or not self._may_write():
            return
        changes = []
        for one in reversed(replacements):
            start = self._lines.byte_of(one.start)
            changes.append(Change(start, self._lines.byte_of(one.end) - start, one.text))
        if selection is None:
            selection = self.byte_selection.move(map(Step.of, changes), behind=True)
        self._write(changes, selection)

    def selection_moved(self, previous: Selection, current: Selection) -> None:
        """Follow the caret; where it jumps, an undo step ends."""
        self._run = ""
        super().selection_moved(previous, current)

    def on_blur(self) -> None:
        """Let an undo step end with the focus."""
        self._run = ""

    # Keys

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


def clean(text: str, newline: str) -> str:
    """A text as it may enter a document: one kind of line end, no NUL, no half of a pair."""
    if "\n" in text or "\r" in text:
        text = _LINE_END.sub(newline, text)
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
