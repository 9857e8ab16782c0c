"""The one list of the app: tree, search results, recent thoughts, history and trash are this.

How it works:

- The list holds no rows. It asks its `RowModel` for the rows on screen, line by line, through
  Textual's line API; there is no widget per row.
- The cursor is an index on screen and a *key* in memory. After the model changed, call
  `model_changed()`: the cursor stays on its key and the rows stay where the eye left them (the
  cursor's row if it is in view, else the topmost row that still exists).
- A key press repaints the old and the new row and nothing else. Nothing is animated, and the
  mouse pointer passing over costs nothing.
- A strip is cached under what it shows: the row's value, its state and its width. Equal input
  draws equally, so the cache is never stale; it is dropped when styles change.
- Colours come from component classes. A row's style name ``muted`` is the class
  ``virtual-list--muted``; a subclass or screen may add names of its own.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from aimem_tui.widgets.cells import fit_spans, wrap
from aimem_tui.widgets.icons import PLAIN, Icons
from aimem_tui.widgets.painting import Painter
from aimem_tui.widgets.rows import Row, RowModel, Span

_STYLE = "virtual-list--"


class VirtualList(ScrollView, can_focus=True):
    """A list over a model of any size.

    Args:
        model: where the rows come from.
        row_height: lines of each row, the same for all.
        empty: what to say while there are no rows; may have several lines.
        letters: also take j, k, g and G; leave off where typed letters mean something else.
        icons: signs to draw with.
    """

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"{_STYLE}{name}"
        for name in (
            "cursor",
            "cursor-blurred",
            "strong",
            "muted",
            "accent",
            "match",
            "people",
            "trouble",
        )
    }

    DEFAULT_CSS = """
    VirtualList {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        scrollbar-background: $surface;
        scrollbar-background-hover: $surface;
        scrollbar-background-active: $surface;
        scrollbar-color: $foreground 15%;
        scrollbar-color-hover: $foreground 30%;
        scrollbar-color-active: $accent;

        & > .virtual-list--cursor { background: $accent 25%; text-style: bold; }
        & > .virtual-list--cursor-blurred { background: $foreground 8%; }
        & > .virtual-list--strong { text-style: bold; }
        & > .virtual-list--muted { color: $foreground 60%; }
        & > .virtual-list--accent { color: $text-accent; }
        & > .virtual-list--match { color: $text-accent; text-style: bold; }
        & > .virtual-list--people { color: $text-success; }
        & > .virtual-list--trouble { color: $text-error; }

        &:ansi {
            & > .virtual-list--cursor { background: transparent; text-style: bold reverse; }
            & > .virtual-list--cursor-blurred { background: transparent; text-style: underline; }
            & > .virtual-list--muted { color: ansi_default; text-style: dim; }
        }
        &:nocolor {
            & > .virtual-list--cursor { text-style: reverse; }
            & > .virtual-list--cursor-blurred { text-style: underline; }
            & > .virtual-list--match { text-style: bold underline; }
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "first", "First", show=False),
        Binding("end", "last", "Last", show=False),
        Binding("enter", "select", "Open", show=False),
        Binding("k", "letter('move', -1)", "Up", show=False),
        Binding("j", "letter('move', 1)", "Down", show=False),
        Binding("g", "letter('first')", "First", show=False),
        Binding("G", "letter('last')", "Last", show=False),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)
    """Index of the row the cursor is on; 0 while there are no rows."""

    class Highlighted(Message):
        """The cursor came to another row. ``key`` is None when there are no rows any more."""

        def __init__(self, list: VirtualList, key: Hashable | None) -> None:
            super().__init__()
            self.list = list
            self.key = key

        @property
        def control(self) -> VirtualList:
            """The list it happened in."""
            return self.list

    class Selected(Message):
        """A row was chosen with enter or a double click."""

        def __init__(self, list: VirtualList, key: Hashable) -> None:
            super().__init__()
            self.list = list
            self.key = key

        @property
        def control(self) -> VirtualList:
            """The list it happened in."""
            return self.list

    def __init__(
        self,
        model: RowModel,
        *,
        row_height: int = 1,
        empty: str = "",
        letters: bool = True,
        icons: Icons = PLAIN,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.model = model
        self.row_height = row_height
        self.icons = icons
        self._empty = empty
        self._letters = letters
        self._cursor_key: Hashable | None = None
        self._shown: list[Hashable] = []
        self._strips: LRUCache[Hashable, tuple[Strip, ...]] = LRUCache(512)
        self._drawn: dict[int, Strip] = {}
        self._painter = Painter(self, _STYLE)

    @property
    def cursor_key(self) -> Hashable | None:
        """The key of the row under the cursor; None when there are no rows."""
        return self._cursor_key

    @property
    def empty(self) -> str:
        """What the list says while there are no rows."""
        return self._empty

    @empty.setter
    def empty(self, text: str) -> None:
        self._empty = text
        if not self.model.count():
            self.refresh()

    def go_to(self, key: Hashable) -> bool:
        """Put the cursor on the row with this key; False when it is not there."""
        index = self.model.row_of(key)
        if index is None:
            return False
        self.cursor = index
        self._scroll_to_cursor()
        return True

    def model_changed(self) -> None:
        """Take up what the model says now; rows may have come, gone, moved or changed."""
        count = self.model.count()
        index = None if self._cursor_key is None else self.model.row_of(self._cursor_key)
        if index is None:
            index = min(self.cursor, count - 1) if count else 0
        top = self._anchored_top(index)
        self.set_reactive(VirtualList.cursor, index)
        self._update_virtual_size()
        if top != self.scroll_offset.y:
            self.scroll_to(y=top)
        self._note_cursor()
        self._note_shown()
        self._refresh_what_changed()

    def _refresh_what_changed(self) -> None:
        """Draw the lines again that look different now: most news are about one row, or none."""
        if not self._drawn:
            self.refresh()
        for y, strip in self._drawn.items():
            if strip != self._line(y):
                self.refresh_lines(y + self.scroll_offset.y)

    def _anchored_top(self, cursor: int) -> int:
        """The scroll offset that keeps rows in place, with the cursor's row at ``cursor`` now."""
        height = self.row_height
        top_row, within = divmod(self.scroll_offset.y, height)
        if not self._shown:
            return self.scroll_offset.y
        if self._cursor_key in self._shown and self.model.row_of(self._cursor_key) == cursor:
            return max(0, (cursor - self._shown.index(self._cursor_key)) * height + within)
        for place, key in enumerate(self._shown):
            row = self.model.row_of(key)
            if row is not None:
                return max(0, (row - place) * height + within)
        return top_row * height + within

    def _note_shown(self) -> None:
        """Remember the keys on screen: after a change the model can no longer tell them."""
        first = self.scroll_offset.y // self.row_height
        last = min(self.model.count(), first + self._page_rows() + 2)
        self._shown = [self.model.key(index) for index in range(first, last)]

    def _note_cursor(self) -> None:
        key = self.model.key(self.cursor) if self.cursor < self.model.count() else None
        if key != self._cursor_key:
            self._cursor_key = key
            self.moved_to(key)

    def moved_to(self, key: Hashable | None) -> None:
        """Tell that the cursor came to another row; a subclass may tell more."""
        self.post_message(self.Highlighted(self, key))

    def _page_rows(self) -> int:
        return max(1, self.scrollable_content_region.height // self.row_height)

    def _update_virtual_size(self) -> None:
        width = self.scrollable_content_region.width
        self.virtual_size = Size(width, self.model.count() * self.row_height)

    def on_mount(self) -> None:
        """Begin with what the model has."""
        self.model_changed()

    def on_resize(self) -> None:
        """Keep the cursor in view when the place for the list changes."""
        in_view = not self._shown or self._cursor_key in self._shown
        self._drawn.clear()
        self._update_virtual_size()
        if in_view:
            self._scroll_to_cursor()
        self._note_shown()

    def on_focus(self) -> None:
        """Show the cursor as the one that keys move."""
        self._refresh_row(self.cursor)

    def on_blur(self) -> None:
        """Show the cursor as a place only."""
        self._refresh_row(self.cursor)

    def notify_style_update(self) -> None:
        """Forget all colours and what was drawn with them."""
        super().notify_style_update()
        self._painter.forget()
        self._strips.clear()

    @property
    def allow_vertical_scroll(self) -> bool:
        """Whether there is more than is in view. The scrollbar would tell a frame too late."""
        return self.max_scroll_y > 0

    def scroll_to(
        self,
        x: float | None = None,
        y: float | None = None,
        **options: Any,  # noqa: ANN401 - passed on as they are
    ) -> None:
        """Scroll at once: a list under the hand does not glide."""
        super().scroll_to(x, y, **{**options, "animate": False})

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Repaint, and remember what is in view."""
        super().watch_scroll_y(old_value, new_value)
        self._note_shown()

    def validate_cursor(self, cursor: int) -> int:
        """Hold the cursor on the rows there are."""
        return max(0, min(cursor, self.model.count() - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Repaint the row left and the row reached, and bring the latter into view."""
        self._note_cursor()
        self._refresh_row(old)
        self._refresh_row(new)
        self._scroll_to_cursor()

    def _scroll_to_cursor(self) -> None:
        height = self.row_height
        page = self.scrollable_content_region.height
        top, y = self.scroll_offset.y, self.cursor * height
        if y < top:
            self.scroll_to(y=y)
        elif page and y + height > top + page:
            self.scroll_to(y=min(y, y + height - page) if height <= page else y)

    def _refresh_row(self, index: int) -> None:
        top = self.scroll_offset.y
        y = index * self.row_height
        if y + self.row_height > top and y < top + self.size.height:
            self.refresh_lines(y, self.row_height)

    def action_move(self, rows: int) -> None:
        """Move the cursor by a number of rows."""
        self.cursor += rows

    def action_page(self, pages: int) -> None:
        """Move the cursor by what is in view, one row kept."""
        self.cursor += pages * max(1, self._page_rows() - 1)

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self.cursor = 0
        self._scroll_to_cursor()

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self.cursor = self.model.count() - 1

    def action_letter(self, action: str, *arguments: int) -> None:
        """Do what a letter stands for."""
        getattr(self, f"action_{action}")(*arguments)

    def action_select(self) -> None:
        """Choose the row under the cursor."""
        if self._cursor_key is not None:
            self.post_message(self.Selected(self, self._cursor_key))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Letters are keys only where the list was told so."""
        return self._letters if action == "letter" else True

    def on_click(self, event: events.Click) -> None:
        """A click brings the cursor, a double click chooses."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = (offset.y + self.scroll_offset.y) // self.row_height
        if index < self.model.count():
            event.stop()
            self.row_clicked(index, offset.x, event.chain)

    def row_clicked(self, index: int, x: int, clicks: int) -> None:
        """What a click on a row does.

        Args:
            index: the row.
            x: the cell within the row, from 0.
            clicks: 1 for a click, 2 for the second of a double click.
        """
        self.cursor = index
        if clicks == 2:
            self.action_select()

    def render_line(self, y: int) -> Strip:
        """One line of what is in view."""
        strip = self._drawn[y] = self._line(y)
        return strip

    def _line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        index, line = divmod(y + self.scroll_offset.y, self.row_height)
        if index < self.model.count():
            return self._row_strips(index, width)[line]
        return (
            self._empty_strip(y, width)
            if self._empty and not self.model.count()
            else (Strip.blank(width, self._painter.style()))
        )

    def _row_strips(self, index: int, width: int) -> tuple[Strip, ...]:
        state = ""
        if index == self.cursor:
            state = "cursor" if self.has_focus else "cursor-blurred"
        row = self.model.row(index)
        key = (row, state, width)
        strips = self._strips.get(key)
        if strips is None:
            strips = tuple(self._draw(row, line, state, width) for line in range(self.row_height))
            self._strips[key] = strips
        return strips

    def _draw(self, row: Row, line: int, state: str, width: int) -> Strip:
        """A line: one free cell, indent, text cut to fit, then badges and meta at the right."""
        right: list[Span] = []
        if line == 0:
            for badge in row.badges:
                right += [Span(" "), badge]
            if row.meta:
                right += [Span(" "), *row.meta]
        tail, tail_cells = fit_spans(right, width - 1, self.icons.ellipsis)
        spans = row.lines[line] if line < len(row.lines) else ()
        indent = min(1 + row.indent, max(0, width - tail_cells - 1))
        room = width - 1 - tail_cells - indent
        head, head_cells = fit_spans(spans, room, self.icons.ellipsis)
        gap = width - 1 - indent - head_cells - tail_cells
        drawn = (Span(" " * indent), *head, Span(" " * gap), *tail, Span(" "))
        return self._painter.strip(drawn, width, state)

    def _empty_strip(self, y: int, width: int) -> Strip:
        margin = 2 if width > 20 else 0
        lines = [
            line
            for part in self._empty.split("\n")
            for line in wrap([Span(part, "muted")], width - 2 * margin)
        ]
        line = lines[y - 1] if 1 <= y <= len(lines) else ()
        return self._painter.strip((Span(" " * margin), *line), width)
