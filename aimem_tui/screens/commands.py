"""What the command palette offers: every action with its key, and thoughts by title."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from aimem_tui.actions import ACTIONS, Area
from aimem_tui.screens.main import MainScreen

_THOUGHTS = 8


class Commands(Provider):
    """The palette's source on the main screen."""

    async def discover(self) -> Hits:
        """All actions that make sense now."""
        for title, shown, run in self._actions():
            yield DiscoveryHit(title, run, help=shown)

    async def search(self, query: str) -> Hits:
        """Actions by name, then thoughts by title."""
        matcher = self.matcher(query)
        for title, shown, run in self._actions():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, help=shown)
        main = self._main
        if main is None or len(query) < 2:
            return
        for hit in main.workspace.search(query, limit=_THOUGHTS, as_you_type=True).hits:
            thought = hit.thought
            yield Hit(
                0.4,
                thought.title,
                partial(main.open_thought, thought.id),
                help=thought.path,
            )

    @property
    def _main(self) -> MainScreen | None:
        return self.screen if isinstance(self.screen, MainScreen) else None

    def _actions(self) -> list[tuple[str, str, Callable[[], object]]]:
        main = self._main
        if main is None:
            return []
        open_thought = main.page.thought is not None
        return [
            (action.title, action.shown, partial(main.run_action, action.name))
            for action in ACTIONS
            if action.name != "commands"
            and (open_thought or action.area not in (Area.THOUGHT, Area.WRITING))
        ]
