"""The ways from one thought to another: find, jump, the palette, links, back and forward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aimem_tui import actions
from aimem_tui.model import Filter

if TYPE_CHECKING:
    from aimem_tui.model import Description
    from aimem_tui.screens.find import Found
    from aimem_tui.screens.jump import Target
    from aimem_tui.screens.main import MainScreen
    from aimem_tui.screens.palette import Offer
    from aimem_tui.widgets.people import Somebody

_PANES = {"tree": "Thoughts", "page": "The open thought", "about": "What it is about"}
_MOST_HEADINGS = 20
_MOST_PEOPLE = 6
_MOST_NEIGHBOURS = 10
"""Places of each kind to jump to."""
_ABOUT_THE_OPEN = (actions.Area.THOUGHT, actions.Area.WRITING)


class Ways:
    """The ways of one main screen, and where one has been."""

    def __init__(self, main: MainScreen) -> None:
        self._main = main
        self._visited: list[str] = []
        self._ahead: list[str] = []

    def left(self, thought: str) -> None:
        """A thought was left for another one."""
        self._visited.append(thought)
        self._ahead.clear()

    def back(self) -> None:
        """To the thought before."""
        self._travel(self._visited, self._ahead)

    def forward(self) -> None:
        """To where one came back from."""
        self._travel(self._ahead, self._visited)

    def _travel(self, come_from: list[str], go_to: list[str]) -> None:
        if not come_from:
            self._main.notify("There is nothing further that way.")
            return
        if self._main.page.thought is not None:
            go_to.append(self._main.page.thought.id)
        self._main.open_thought(come_from.pop(), visit=False)

    def follow(self, target: str) -> None:
        """Where a link in the open thought leads."""
        thought = self._main.workspace.follow(self._main.page.thought, target) if target else None
        if thought is None:
            self._main.notify(f"{target} is not a thought here.", severity="warning", markup=False)
        else:
            self._main.open_thought(thought.id)

    def find(self) -> None:
        """Look for a thought."""
        from aimem_tui.screens.find import FindScreen

        def found(chosen: Found | None) -> None:
            if chosen is not None:
                self._main.open_thought(chosen.thought, line=chosen.line or None)

        self._main.app.push_screen(FindScreen(self._main.workspace, self._main.icons), found)

    def trash(self) -> None:
        """Look at what was thrown away."""
        from aimem_tui.screens.trash import TrashScreen

        def back(thought: str | None) -> None:
            if thought:
                self._main.open_thought(thought)

        self._main.app.push_screen(TrashScreen(self._main.workspace, self._main.icons), back)

    def jump(self, description: Description | None, people: Sequence[tuple[Somebody, str]]) -> None:
        """Jump to a pane, a heading, a person, a neighbour.

        Args:
            description: of the open thought.
            people: who looks at which thought, by its id.
        """
        from aimem_tui.screens.jump import JumpScreen, Target

        targets = [Target(label, "pane", name) for name, label in _PANES.items()]
        if description is not None:
            targets += [
                Target(heading.text, "heading", str(heading.line), indent=heading.level - 1)
                for heading in description.headings[:_MOST_HEADINGS]
            ]
        for shown, thought_id in people[:_MOST_PEOPLE]:
            found = self._main.find_thought(thought_id)
            if found is not None:
                targets.append(Target(f"{shown.name}, in {found.title}", "person", thought_id))
        recent = self._main.workspace.thoughts(Filter(), order="updated", limit=_MOST_NEIGHBOURS)
        targets += [Target(thought.title, "thought", thought.id) for thought in recent]
        self._main.app.push_screen(JumpScreen(targets), self._land)

    def _land(self, target: Target | None) -> None:
        if target is None:
            return
        if target.group == "pane":
            self._main.show_pane(target.place)
        elif target.group == "heading":
            self._main.page.go_to_line(int(target.place))
            self._main.show_pane("page")
        else:
            self._main.open_thought(target.place)

    def commands(self) -> None:
        """The palette: every command, and thoughts by name."""
        from aimem_tui.screens.palette import PaletteScreen

        main = self._main
        offered = [
            action
            for action in actions.ACTIONS
            if action.name != "commands"
            and (main.page.thought is not None or action.area not in _ABOUT_THE_OPEN)
        ]

        def chosen(offer: Offer | None) -> None:
            if offer is None:
                return
            if offer.action is not None:
                main.call_later(main.run_action, offer.action.name)
            elif offer.thought is not None:
                main.open_thought(offer.thought.id)

        main.app.push_screen(PaletteScreen(main.workspace, offered, main.icons), chosen)
