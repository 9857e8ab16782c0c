"""Everything of Textual that the editor uses and that Textual does not promise to keep.

`BareTextArea` is a text area whose document, drawing and selection are left to a subclass: its
mouse handling, its actions and its scrolling stay. All private names of Textual stand in this
module and nowhere else in the editor; each has a test in
``tests/widgets/editor/test_textual_contract.py``, and Textual's version is pinned. To move to a
new version, run those tests first.

A subclass fills in `selection_moved`, `rewrap` and `render_line`.
"""

from __future__ import annotations

from textual.geometry import Offset, Region, Size
from textual.reactive import Reactive, reactive
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import TextArea
from textual.widgets.text_area import DocumentBase, DocumentNavigator, Selection, WrappedDocument


class BareTextArea(TextArea, inherit_bindings=False):
    """A text area without a document, a look and an undo history of its own."""

    # The inherited reactive repaints the whole widget whenever the caret moves.
    selection: Reactive[Selection] = reactive(
        Selection(), init=False, always_update=True, repaint=False
    )

    def selection_moved(self, previous: Selection, current: Selection) -> None:
        """Called when the selection was set."""
        raise NotImplementedError

    def rewrap(self) -> None:
        """Called when the width, or what takes of it, may be another."""
        raise NotImplementedError

    def show_document(
        self, document: DocumentBase, wrapped: WrappedDocument, navigator: DocumentNavigator
    ) -> None:
        """Show another document."""
        self.document = document
        self.wrapped_document = wrapped
        self.navigator = navigator

    def put_selection(self, selection: Selection) -> None:
        """Set the selection and nothing else: no scrolling, no repaint, no message."""
        self.set_reactive(BareTextArea.selection, selection)
        self._cursor_offset = self.wrapped_document.location_to_offset(selection.end)

    def measure_again(self) -> None:
        """Tell Textual how many rows there are. The selection must be in the text already.

        Setting ``virtual_size`` would lay out the whole screen anew for each row more or less.
        """
        if self.soft_wrap:
            size = Size(0, self.wrapped_document.height)
        else:
            text = self.document.get_size(self.indent_width)
            size = Size(text.width + self.gutter_width + 1, text.height)
        if size == self.virtual_size:
            return
        self.set_reactive(Widget.virtual_size, size)
        if self.container_size:
            self._scroll_update(size)
        if self.styles.auto_dimensions:
            self.refresh(layout=True)

    @property
    def caret_offset(self) -> Offset:
        """Where the caret stands on the wrapped text: x in its row, y from the top."""
        x, y = self._cursor_offset
        return Offset(x, y)

    @property
    def caret_drawn(self) -> bool:
        """Whether the caret is to be drawn now."""
        return bool(self._draw_cursor)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Render without TextArea's own theme, which looks up all of its styles each time."""
        return Widget.render_lines(self, crop)

    def _set_document(self, text: str, language: str | None) -> None:
        """Not used: documents come by `show_document`."""

    def _watch_selection(self, previous_selection: Selection, selection: Selection) -> None:
        self.selection_moved(previous_selection, selection)

    def _rewrap_and_refresh_virtual_size(self) -> None:
        self.rewrap()
