"""A `TextPane` bound to a `ThoughtDocument`: what is typed is written, what is written is shown.

Rules of this room:

- The document comes first. A local edit is written to it, in one transaction per key, and then
  shown. What others write, and one's own undo, comes back by `on_text` and is shown as it comes.
- What is shown is the document's text, always. Lengths are compared before each edit; when they
  differ (a defect) nothing is written, the text is shown anew, and a line goes to the log. With
  ``AIMEM_DEBUG`` set, the texts themselves are compared after every change.
- Whoever else in this process writes to the document (a property, a restored revision) may do so
  past the editor; the document tells that it was written to, and what differs is shown at once.
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

from textual.message import Message
from textual.widgets.text_area import Edit, EditResult, Selection

from aimem_tui.widgets.editor.carets import ByteSelection, Step
from aimem_tui.widgets.editor.pane import TextPane
from aimem_tui.widgets.editor.undo_clock import UndoClock, undo_clock
from aimem_tui.widgets.editor.writing import Replacement
from crdt.adapter import Change, byte_length
from crdt.document import ThoughtDocument, as_changes
from crdt.errors import CrdtError
from crdt.textdiff import splices

log = logging.getLogger(__name__)

_MANY_CHANGES = 200
_MUCH_OF_THE_TEXT = 0.2
_LITTLE_TEXT = 4096
"""Bytes below which even a change of everything is small."""

_LINE_END = re.compile(r"\r\n?|\n")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class BoundPane(TextPane):
    """Edits one document at a time. Without one it shows nothing and takes nothing."""

    @dataclass
    class Edited(Message, namespace="editor"):
        """The person at this screen has changed the text, undo and redo included."""

        editor: BoundPane

        @property
        def control(self) -> BoundPane:
            """The editor."""
            return self.editor

    @dataclass
    class Refused(Message, namespace="editor"):
        """The document took no edit and will take none: open it anew. What it held is safe."""

        editor: BoundPane

        @property
        def control(self) -> BoundPane:
            """The editor."""
            return self.editor

    @dataclass
    class RemotelyEdited(Message, namespace="editor"):
        """Somebody else, or another part of the app, has changed the text."""

        editor: BoundPane

        @property
        def control(self) -> BoundPane:
            """The editor."""
            return self.editor

    _document: ThoughtDocument | None = None
    _clock: UndoClock | None = None
    _stops: Sequence[Callable[[], None]] = ()
    _writing = False
    _undoing = False
    _passed_by = False
    """Whether the document was written to past this editor, and that is not shown yet."""
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
        if not self._may_write():
            return False
        shown = self._lines.text
        changes = as_changes(shown, splices(shown, text))
        if not changes:
            return False
        self._run = ""
        self._write(changes, None)
        self._run = ""
        return True

    def check(self) -> None:
        """Show the document's text if, for whatever reason, something else is shown."""
        self._passed_by = False
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
        self._passed_by = False
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
        if not self._writing and not self._passed_by:
            self._passed_by = True
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
        may_write = self._may_write()
        text = clean(edit.text, self._lines.newline)
        top, bottom = self._lines.clamp(edit.top), self._lines.clamp(edit.bottom)
        if not may_write or (top == bottom and not text):
            return EditResult(top, "")
        replaced = self._lines.get_text_range(top, bottom)
        start = self._lines.byte_of(top)
        change = Change(start, self._lines.byte_of(bottom) - start, text)
        end = start + byte_length(text)
        selection = ByteSelection.caret(end)
        if edit.maintain_selection_offset:
            selection = self.byte_selection.move([Step.of(change)], behind=True)
        if text and replaced:
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
        """Whether there is something to write to, and what is shown is what is there."""
        if self._document is None or self.read_only:
            return False
        if self._passed_by:
            self.check()
        return self._in_step()

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
        except CrdtError:
            log.exception("The document does not take an edit.")
            self.post_message(self.Refused(self))
            return
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


def clean(text: str, newline: str) -> str:
    """A text as it may enter a document: one kind of line end, no NUL, no half of a pair."""
    if "\n" in text or "\r" in text:
        text = _LINE_END.sub(newline, text)
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
