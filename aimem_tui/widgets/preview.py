"""A thought as it reads: markdown drawn block by block, only those in view.

How it works:

- The source is an `Outline` of blocks, cut anew around an edit only; `Layout` knows which block
  stands where and draws it when it comes into view; this widget gives colours and takes keys.
- The place of the reader is a spot (a block and a line in it). Heights that were guessed wrong
  are corrected above and below it, and the text in view stands still.
- Edits are taken up a tenth of a second after the last one, another thought at once.
- Text is held to a reading width and stands in the middle of a wide screen.
- A link is walked to with tab and followed with enter, or clicked; the widget tells its target
  and goes nowhere itself, except to headings of its own page.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Offset, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer

from aimem_tui.model import Heading
from aimem_tui.widgets.blocks import Block
from aimem_tui.widgets.cells import wrap
from aimem_tui.widgets.drawing import Drawer, Drawing
from aimem_tui.widgets.icons import PLAIN, Icons
from aimem_tui.widgets.outline import Outline, split
from aimem_tui.widgets.painting import Painter
from aimem_tui.widgets.preview_layout import Layout, Spot
from aimem_tui.widgets.preview_links import LinkSpot, link_from, next_link, slug, spot_of_link
from aimem_tui.widgets.preview_selection import marked, selected_text
from aimem_tui.widgets.preview_style import CSS, NAMES, PREFIX
from aimem_tui.widgets.rows import Span

READING_WIDTH = 90
"""Cells of the longest line of text."""

SETTLE_S = 0.1
"""Seconds without an edit after which edits are shown."""

_LONGEST_WAIT_S = 0.5
"""Seconds after which edits are shown though more keep coming."""


class MarkdownPreview(ScrollView, can_focus=True):
    """A preview of markdown of any size.

    Args:
        empty: what to say while there is no text.
        icons: signs to draw with.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"{PREFIX}{name}" for name in NAMES}

    DEFAULT_CSS = CSS

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", show=False),
        Binding("k", "scroll_up", "Up", show=False),
        Binding("space", "page_down", "Page down", show=False),
        Binding("b", "page_up", "Page up", show=False),
        Binding("g", "scroll_home", "Top", show=False),
        Binding("G", "scroll_end", "End", show=False),
        Binding("right_square_bracket", "heading(1)", "Next heading", show=False),
        Binding("left_square_bracket", "heading(-1)", "Heading before", show=False),
        Binding("tab", "link(1)", "Next link", show=False),
        Binding("shift+tab", "link(-1)", "Link before", show=False),
        Binding("enter", "follow", "Follow link", show=False),
        Binding("escape", "leave_link", "Leave link", show=False),
    ]

    @dataclass
    class LinkActivated(Message):
        """A link was followed. ``target`` is as written, a wiki name without its brackets."""

        preview: MarkdownPreview
        target: str

        @property
        def control(self) -> MarkdownPreview:
            """The preview it happened in."""
            return self.preview

    def __init__(
        self,
        *,
        empty: str = "",
        icons: Icons = PLAIN,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._icons = icons
        self._empty = empty
        self._outline = Outline("", ())
        self._definitions = ""
        self._drawer = Drawer(icons)
        self._page = Layout(self._draw_block)
        self._spot = Spot(0, 0)
        self._placing = False
        self._link: LinkSpot | None = None
        self._version: object = None
        self._waiting: str | None = None
        self._waiting_since = 0.0
        self._timer: Timer | None = None
        self._strips: LRUCache[tuple[Block, int], Strip] = LRUCache(2048)
        self._painter = Painter(self, PREFIX)

    @property
    def headings(self) -> tuple[Heading, ...]:
        """The headings of the page, in order."""
        return self._outline.headings

    @property
    def empty(self) -> str:
        """What is said while there is no text."""
        return self._empty

    @empty.setter
    def empty(self, text: str) -> None:
        self._empty = text
        self.refresh()

    def load(self, text: str, version: object = None) -> None:
        """Show another text from its top, at once."""
        self._stop_waiting()
        self._version = version
        self._link = None
        self._spot = Spot(0, 0)
        self._show(split(text))

    def set_source(self, text: str, version: object = None) -> None:
        """Show what an edit made of the text, a moment after the last edit.

        Args:
            text: the whole source.
            version: whatever names this state of it; a text of the same version is passed over.
        """
        if version is not None and version == self._version:
            return
        self._version = version
        now = time.monotonic()
        if self._waiting is None:
            self._waiting_since = now
        self._waiting = text
        if self._timer is not None:
            self._timer.stop()
        left = self._waiting_since + _LONGEST_WAIT_S - now
        self._timer = self.set_timer(max(0.0, min(SETTLE_S, left)), self.settle)

    def settle(self) -> None:
        """Show the edits that wait, if any, without waiting longer."""
        text = self._waiting
        self._stop_waiting()
        if text is not None:
            before = self._outline
            after = split(text, before)
            self._spot = _followed(self._spot, before, after)
            self._show(after)

    def _stop_waiting(self) -> None:
        self._waiting = None
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _show(self, outline: Outline) -> None:
        definitions = outline.definitions
        if definitions != self._definitions:
            self._definitions = definitions
            self._drawer = Drawer(self._icons, definitions)
            self._page.forget()
            self._strips.clear()
        self._outline = outline
        self._page.show(outline.blocks)
        if self._link is not None and self._link.block >= len(outline.blocks):
            self._link = None
        self._place(self._spot)

    def _draw_block(self, block: Block, width: int) -> Drawing:
        return self._drawer.draw(block, width)

    # The reader's place

    @property
    def _rows(self) -> int:
        return self.scrollable_content_region.height

    def _place(self, spot: Spot) -> None:
        """Put a spot at the top of the view, or as near as the end of the text allows."""
        page, rows, width = self._page, self._rows, self.scrollable_content_region.width
        self._spot = spot
        if not rows or not page.width:
            return
        page.walk(spot, rows)
        spot = page.walk(spot, 0)
        if page.line_of(spot) + rows > page.height:
            spot = page.walk(page.end(), 1 - rows)
        self._spot = spot
        self._placing = True
        try:
            self.virtual_size = Size(width, page.height)
            self.scroll_to(y=page.line_of(spot))
        finally:
            self._placing = False
        self.refresh()

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
        """Scroll at once: places behind guessed heights cannot be glided to."""
        super().scroll_to(x, y, **{**options, "animate": False})

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Find out where the reader went, and draw what has come into view."""
        super().watch_scroll_y(old_value, new_value)
        if self._placing:
            return
        page = self._page
        line = round(new_value)
        by = line - page.line_of(self._spot)
        near = abs(by) <= 3 * max(1, self._rows)
        self._place(page.walk(self._spot, by) if near else page.locate(line))

    def on_resize(self) -> None:
        """Draw for the new width, with the same text at the top."""
        available = self.scrollable_content_region.width
        margin = 2 if available > 40 else 1
        width = max(1, min(READING_WIDTH, available - 2 * margin))
        page = self._page
        if page.width != width:
            source = page.source_of(self._spot) if page.width and self._spot.line else None
            page.resize(width)
            self._strips.clear()
            if source is not None:
                self._spot = page.spot_of_source(source)
        self._strips.clear()
        self._place(self._spot)

    def scroll_to_line(self, line: int, row: int | None = None) -> None:
        """Bring a line of the source into view.

        Args:
            line: counts from 0.
            row: where on screen it is to stand, from 0. Without it the view only moves if the
                line is not in it.
        """
        page = self._page
        spot = page.spot_of_source(line)
        if row is None:
            below = page.line_of(spot) - page.line_of(self._spot)
            if 0 <= below < self._rows:
                return
            row = self._rows // 4
        self._place(page.walk(spot, -row))

    def line_at(self, row: int = 0) -> int:
        """The line of the source that stands in a row of the view."""
        return self._page.source_of(self._page.walk(self._spot, row))

    def action_scroll_home(self) -> None:
        """Go to the top."""
        self._place(Spot(0, 0))

    def action_scroll_end(self) -> None:
        """Go to the end."""
        self._place(self._page.end())

    def action_heading(self, direction: int) -> None:
        """Go to the next heading, or to the one before."""
        here = self._page.source_of(self._spot)
        lines = [heading.line for heading in self.headings]
        if direction > 0:
            ahead = [line for line in lines if line > here]
        else:
            ahead = [line for line in reversed(lines) if line < here]
        if ahead:
            self.scroll_to_line(ahead[0], row=0)

    def go_to_heading(self, anchor: str) -> bool:
        """Go to the heading a link such as ``#the-plan`` means; False where there is none."""
        wanted = anchor.removeprefix("#").casefold()
        for heading in self.headings:
            if wanted in (slug(heading.text), heading.text.casefold()):
                self.scroll_to_line(heading.line, row=0)
                return True
        return False

    # Links

    @property
    def link_target(self) -> str | None:
        """Where the link under the cursor leads."""
        if self._link is None or self._link.block >= len(self._page.blocks):
            return None
        links = self._page.drawing(self._link.block).links
        return links[self._link.number] if self._link.number < len(links) else None

    def action_link(self, direction: int) -> None:
        """Put the cursor on the next link; past the last one, on the next widget."""
        if self._link is not None:
            found = next_link(self._page, self._link, direction)
        else:
            edge = self._spot if direction > 0 else self._page.walk(self._spot, self._rows - 1)
            found = link_from(self._page, edge, direction)
        self._link = found
        if found is not None:
            spot = spot_of_link(self._page, found)
            below = self._page.line_of(spot) - self._page.line_of(self._spot)
            if not 0 <= below < self._rows:
                self._place(self._page.walk(spot, -(self._rows // 3)))
        elif direction > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()
        self.refresh()

    def action_follow(self) -> None:
        """Follow the link under the cursor."""
        target = self.link_target
        if target is None:
            raise SkipAction
        self._follow(target)

    def action_leave_link(self) -> None:
        """Take the cursor off the link."""
        if self._link is None:
            raise SkipAction
        self._link = None
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Follow the link that was clicked."""
        offset = event.get_content_offset(self)
        span = None if offset is None else self._span_at(offset)
        if offset is not None and span is not None and span.link >= 0:
            event.stop()
            spot = self._page.locate(self.scroll_offset.y + offset.y)
            self._follow(self._page.drawing(spot.block).links[span.link])

    def _follow(self, target: str) -> None:
        if not (target.startswith("#") and self.go_to_heading(target)):
            self.post_message(self.LinkActivated(self, target))

    # Drawing

    def _span_at(self, offset: Offset) -> Span | None:
        """What is drawn in a cell of the view."""
        line = self.scroll_offset.y + offset.y
        if not 0 <= line < self._page.height:
            return None
        spot = self._page.locate(line)
        row = spot.line - self._page.gap(spot.block)
        drawn = self._page.drawing(spot.block).lines
        at = self._margin
        if 0 <= row < len(drawn):
            for span in drawn[row].spans:
                cells = cell_len(span.text)
                if at <= offset.x < at + cells:
                    return span
                at += cells
        return None

    @property
    def _margin(self) -> int:
        return (self.scrollable_content_region.width - self._page.width) // 2

    def notify_style_update(self) -> None:
        """Forget all colours and what was drawn with them."""
        super().notify_style_update()
        self._painter.forget()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """One line of what is in view."""
        page = self._page
        line = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if not page.blocks:
            lines = wrap([Span(self._empty, "muted")], page.width) if self._empty else []
            return self._strip(lines[y - 1] if 1 <= y <= len(lines) else (), "", width)
        strip = Strip.blank(width, self._painter.style())
        if line < page.height:
            spot = page.locate(line)
            row = spot.line - page.gap(spot.block)
            drawn = page.drawing(spot.block).lines
            if 0 <= row < len(drawn):
                strip = self._line_strip(spot.block, row, width)
        selection = self.text_selection
        if selection is not None:
            chosen = self.screen.get_component_rich_style("screen--selection")
            strip = marked(strip, selection.get_span(line), chosen)
        return strip.apply_offsets(0, line)

    def _line_strip(self, index: int, row: int, width: int) -> Strip:
        block = self._page.blocks[index].block
        line = self._page.drawing(index).lines[row]
        if self._link is not None and self._link.block == index:
            number = self._link.number
            spans = tuple(
                span._replace(style=f"{span.style} link-focus") if span.link == number else span
                for span in line.spans
            )
            return self._strip(spans, line.fill, width)
        strip = self._strips.get((block, row))
        if strip is None:
            strip = self._strips[block, row] = self._strip(line.spans, line.fill, width)
        return strip

    def _strip(self, spans: tuple[Span, ...], fill: str, width: int) -> Strip:
        """Spans as a strip: the margin, the text, what fills the line, the other margin."""
        used = sum(cell_len(span.text) for span in spans)
        margin = self._margin
        whole = [Span(" " * margin), *spans]
        if fill and used < self._page.width:
            whole.append(Span(" " * (self._page.width - used), fill))
        return self._painter.strip(whole, width)

    # Text selected with the mouse

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text that is selected, as drawn; the source, if that is very much."""
        return selected_text(self._page, selection, self._margin, self._outline.source), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Show what is selected."""
        self.refresh()


def _followed(spot: Spot, before: Outline, after: Outline) -> Spot:
    """Where the block at a spot is after an edit."""
    old, new = before.blocks, after.blocks
    if not old or not new or spot.block >= len(old):
        return Spot(0, 0)
    moved = len(new) - len(old)
    if 0 <= spot.block + moved < len(new):
        rest = zip(old[spot.block :], new[spot.block + moved :], strict=True)
        if all(one.block is other.block for one, other in rest):
            return Spot(spot.block + moved, spot.line)
    return Spot(min(spot.block, len(new) - 1), spot.line)
