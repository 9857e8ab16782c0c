"""The top line: where one is, how safe the text is, and who else is here."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from aimem_tui.widgets.cells import fit


class Place(NamedTuple):
    """What the top line says."""

    workspace: str
    path: str = ""
    state: str = ""
    trouble: bool = False
    """The state is something to worry about."""


class Header(Widget):
    """One line: breadcrumb on the left, state in words on the right."""

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

    def render(self) -> Text:
        """The line for the present width; the path gives way first, from its left."""
        crumb = self.get_component_rich_style("header--crumb")
        here = self.get_component_rich_style("header--here")
        shown = "header--trouble" if self.place.trouble else "header--state"
        state = fit(self.place.state, max(0, self.size.width - 12))
        narrow = self.size.width < 100
        folder, _, name = self.place.path.removesuffix(".md").rpartition("/")
        parts = [part for part in folder.split("/") if part]
        if not narrow:
            parts.insert(0, self.place.workspace)
        room = self.size.width - cell_len(state) - 3
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
        line.append(" " * max(1, self.size.width - line.cell_len - cell_len(state)))
        line.append(state, self.get_component_rich_style(shown))
        return line
