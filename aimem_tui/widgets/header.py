"""The top line: where one is, how safe the text is, and who else is here."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.reactive import reactive
from textual.widget import Widget

from aimem_tui.widgets import people
from aimem_tui.widgets.cells import fit
from aimem_tui.widgets.people import Somebody
from aimem_tui.widgets.rows import Span

NARROW = 100
"""Columns below which everything is said shorter."""


class Place(NamedTuple):
    """What the top line says."""

    workspace: str
    path: str = ""
    state: str = ""
    brief: str = ""
    """The state in a word or two, for narrow terminals; the whole of it if empty."""
    trouble: bool = False
    """The state is something to worry about."""
    here: tuple[Somebody, ...] = ()
    """Who else is in the workspace."""


class Header(Widget):
    """One line: breadcrumb on the left, state in words and people on the right.

    A click on the right half does the screen's action ``sync``.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "header--crumb",
        "header--here",
        "header--state",
        "header--trouble",
    }

    DEFAULT_CSS = """
    Header {
        height: 1;
        padding: 0 1;
        background: $panel;
        & > .header--crumb { color: $foreground 60%; }
        & > .header--here { color: $foreground; text-style: bold; }
        & > .header--state { color: $foreground 60%; }
        & > .header--trouble { color: $error; text-style: bold; }
    }
    """

    place: reactive[Place] = reactive(Place(""))

    def __init__(self) -> None:
        super().__init__()
        self._right = 0

    def render(self) -> Text:
        """The line for the present width; the path gives way first, from its left."""
        crumb = self.get_component_rich_style("header--crumb")
        here = self.get_component_rich_style("header--here")
        width, narrow = self.size.width, self._narrow
        company = self._company(width // 4)
        company_width = sum(cell_len(span.text) for span in company)
        said = self.place.brief or self.place.state if narrow else self.place.state
        gap = "" if not company or not said else " · " if narrow else "    "
        state = fit(said, max(0, width - 12 - company_width - len(gap)))
        self._right = cell_len(state) + len(gap) + company_width
        folder, _, name = self.place.path.removesuffix(".md").rpartition("/")
        parts = [part for part in folder.split("/") if part]
        if not narrow:
            parts.insert(0, self.place.workspace)
        room = width - self._right - 3
        name = name or ("" if parts else self.place.workspace)
        while parts and cell_len(" / ".join([*parts, name])) > room:
            parts.pop(0)
            if parts:
                parts[0] = "…"
            if parts == ["…"]:
                break
        line = Text(no_wrap=True, end="")
        if narrow and self.place.path:
            line.append("‹ ", crumb)
        for part in parts:
            line.append(f"{part} / " if name or part is not parts[-1] else part, crumb)
        line.append(fit(name, max(1, room - line.cell_len)), here)
        line.append(" " * max(1, width - line.cell_len - self._right))
        shown = "header--trouble" if self.place.trouble else "header--state"
        line.append(state, self.get_component_rich_style(shown)).append(gap, crumb)
        for span in company:
            line.append(span.text, self._style(span.style))
        return line

    async def on_click(self, event: events.Click) -> None:
        """What is said on the right has a screen of its own."""
        if self._right and event.x >= self.size.width + self.gutter.left - self._right:
            await self.screen.run_action("sync")

    @property
    def _narrow(self) -> bool:
        return self.outer_size.width < NARROW

    def _company(self, room: int) -> list[Span]:
        if not self.place.here:
            return []
        return people.line(self.place.here, room, " " if self._narrow else "  ")

    def _style(self, name: str) -> Style:
        if name.startswith(people.PREFIX):
            return people.person_style(name, dark=self.app.current_theme.dark)
        return self.get_component_rich_style("header--state")
