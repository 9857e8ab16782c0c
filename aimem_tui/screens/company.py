"""The main screen among others: how syncing stands, who is here, and telling where one is.

- The network is loaded after the first frame, in a thread, and only if there is something to sync
  with.
- States come as messages and are shown a few times a second at most.
- Agents on this machine are company too, also where nothing is synced.
- Where somebody is in a text comes as a position that stays with a character, so it is looked up
  again whenever the text changes from outside; an edit may arrive after the position that needs it.
- Where one is oneself is told a tenth of a second after one has moved. A key costs no more for it
  than noting that there is something to tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aimem_tui.markdown import paths
from aimem_tui.screens import standing
from aimem_tui.screens.standing import Standing
from aimem_tui.widgets import people
from aimem_tui.widgets.people import Somebody
from aimem_tui.widgets.rows import Span

if TYPE_CHECKING:
    from textual.timer import Timer

    from aimem_tui.screens.main import MainScreen
    from aimem_tui.sync.state import Person, SyncState
    from aimem_tui.sync.visitors import Visitors
    from aimem_tui.workspace.background import Background

BEGIN_S = 0.5
"""How long after the first frame the network is loaded: the first keys come before it."""
LOOK_S = 2.0
"""How often it is looked whether there is something to sync with by now."""
VISITORS_S = 0.5
"""How often it is looked for agents that work on this machine."""
SHOW_S = 0.2
"""How far apart two states are shown at least."""
TELL_S = 0.1
"""How far apart it is told where one is."""
_MOST_BADGES = 3
"""People beside a thought or a closed folder in the tree."""


class Company:
    """The company of one main screen."""

    def __init__(self, main: MainScreen, sync: Background) -> None:
        self.standing = Standing()
        self.here: tuple[Somebody, ...] = ()
        """Who else is in the workspace, for the top line."""
        self._main = main
        self._sync = sync
        self._people: tuple[Person, ...] = ()
        self._synced: tuple[Person, ...] = ()
        self._visiting: tuple[Person, ...] = ()
        self._visitors: Visitors | None = None
        self._badges: dict[str, tuple[Span, ...]] = {}
        self._folder_badges: dict[str, tuple[Span, ...]] = {}
        self._pause: Timer | None = None
        self._telling: Timer | None = None

    # Life

    def begin(self) -> None:
        """The first frame is there."""
        self._main.set_timer(BEGIN_S, self._begin_syncing)
        self._main.set_interval(LOOK_S, self._look)
        self._main.set_interval(VISITORS_S, self._look_for_visitors)
        renewed = self._main.workspace.renewed
        if renewed and self._sync.is_due():
            self._main.notify(standing.of_renewal(renewed), timeout=15, markup=False)

    def _begin_syncing(self) -> None:
        self._main.run_worker(
            self._sync.begin, thread=True, exclusive=True, group="sync", exit_on_error=False
        )

    def _look(self) -> None:
        if self._sync.is_due():
            self._begin_syncing()
        elif self._sync.failure is not None and not self.standing.stopped:
            self.standing.stopped = True
            self._show(None)
            self._main.notify(
                "Syncing has ended because of a defect in aimem. What you write is saved here; it"
                " goes to the others after the next start.",
                severity="error",
                timeout=15,
            )

    # How it stands

    @property
    def state(self) -> SyncState | None:
        """How syncing stood last; None while nothing is synced."""
        return self.standing.sync

    def news(self) -> None:
        """There is a newer state."""
        if self._pause is None:
            self._take()

    def _take(self) -> None:
        self._pause = None
        state = self._sync.take()
        if state is not None:
            self._pause = self._main.set_timer(SHOW_S, self._take)
            self._show(state)

    def _show(self, state: SyncState | None) -> None:
        before, self.standing.sync = self.standing.sync, state
        if before is None:
            self.moved()
        if state is not None:
            for notice in standing.to_tell(before, state):
                self._main.notify(
                    notice.said,
                    title=notice.title,
                    severity="error" if notice.grave else "warning",
                    timeout=15,
                    markup=False,
                )
        self._synced = () if state is None else state.people
        self._meet((*self._synced, *self._visiting))
        self._main.standing_changed()

    def written(self) -> None:
        """Something was written to the file: whatever of it is news to others goes out now."""
        self._sync.wake()

    # Who is here

    def badges(self, thought: str) -> tuple[Span, ...]:
        """Who looks at a thought, for its row in the tree."""
        return self._badges.get(thought, ())

    def folder_badges(self, folder: str) -> tuple[Span, ...]:
        """Who looks at a thought in a folder, at any depth, for the folder's row in the tree."""
        return self._folder_badges.get(folder, ())

    def whereabouts(self) -> list[tuple[Somebody, str]]:
        """Who looks at which thought, by its id."""
        both = zip(self.here, self._people, strict=True)
        return [(shown, person.thought) for shown, person in both if person.thought]

    def _look_for_visitors(self) -> None:
        if self._visitors is None:
            from aimem_tui.sync.visitors import Visitors

            self._visitors = Visitors(self._sync.folder)
        visiting = self._visitors.seen()
        if visiting != self._visiting:
            self._visiting = visiting
            self._meet((*self._synced, *self._visiting))
            self._main.standing_changed()

    def _meet(self, present: tuple[Person, ...]) -> None:
        if present == self._people:
            return
        self._people = present
        self.here = tuple(map(people.somebody, present))
        badges: dict[str, tuple[Span, ...]] = {}
        folder_badges: dict[str, tuple[Span, ...]] = {}
        sign = self._main.icons.person
        for shown, thought in self.whereabouts():
            badge = Span(f"{sign}{shown.initials}", f"{people.PREFIX}{shown.color}")
            _add(badges, thought, badge)
            found = self._main.find_thought(thought)
            for folder in () if found is None else paths.folders_above(found.path):
                _add(folder_badges, folder, badge)
        if (badges, folder_badges) != (self._badges, self._folder_badges):
            self._badges, self._folder_badges = badges, folder_badges
            self._main.thoughts.model_changed()
        self._main.page.show_people(present)

    # Where one is

    def moved(self) -> None:
        """The caret, or the open thought, is another."""
        if self._telling is None and self._sync.is_running:
            self._telling = self._main.set_timer(TELL_S, self._tell)

    def _tell(self) -> None:
        from aimem_tui.sync.presence import PresenceState

        self._telling = None
        name = self._main.workspace.author
        place = self._main.page.whereabouts()
        self._sync.set_presence(
            PresenceState(
                name,
                people.PERSON_COLORS[people.color_of(name)],
                thought=place.thought,
                anchor=place.anchor,
                head=place.head,
            )
        )


def _add(badges: dict[str, tuple[Span, ...]], place: str, badge: Span) -> None:
    beside = badges.get(place, ())
    if badge not in beside and len(beside) < _MOST_BADGES:
        badges[place] = (*beside, badge)
