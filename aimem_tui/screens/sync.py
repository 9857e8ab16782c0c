"""Sync: a line for each copy this one keeps in step with, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from aimem_tui import words
from aimem_tui.errors import AimemError
from aimem_tui.sync.state import LinkState, Phase, SyncState, in_words
from aimem_tui.widgets.hints import Hint, Hints
from aimem_tui.widgets.icons import Icons
from aimem_tui.widgets.rows import ItemModel, Row, Span
from aimem_tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from aimem_tui.screens.company import Company
    from aimem_tui.sync.remotes import Remote
    from aimem_tui.workspace.background import Background
    from aimem_tui.workspace.workspace import Workspace

_FRESH_S = 0.5
"""How often what is said is brought up to date."""

_EMPTY = """Your thoughts are saved on this machine, and nowhere else yet.

c   connect to a relay: its address, and a token from whoever keeps it
p   pair with another machine on this network, where  aimem peer  runs

A relay of your own: run  aimem relay  on a machine that is always on."""

_PHASES = {
    Phase.OFFLINE: "Offline",
    Phase.CONNECTING: "Connecting",
    Phase.CATCHING_UP: "Catching up",
    Phase.IN_STEP: "In step",
    Phase.REFUSED: "Refused",
    Phase.DEGRADED: "In trouble",
}
_TROUBLE = (Phase.REFUSED, Phase.DEGRADED)
_HERE = (Phase.IN_STEP, Phase.CATCHING_UP, Phase.DEGRADED)


@dataclass(frozen=True, slots=True)
class Line:
    """A remote and how it stands."""

    link: LinkState
    kind: str
    own_seq: int
    elsewhere: bool
    """Another program on this machine keeps it in step."""
    now: int


class SyncScreen(ModalScreen[None]):
    """The sync room."""

    DEFAULT_CSS = """
    SyncScreen {
        background: $background;
        & #title { padding: 0 2; height: 1; background: $panel; text-style: bold; }
        & VirtualList { height: 1fr; padding: 1 1; background: $background; }
        & #problem { padding: 0 3 1 3; height: auto; max-height: 6; color: $foreground 80%; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f3", "close", "Close"),
        Binding("c", "connect", "Connect"),
        Binding("d", "disconnect", "Disconnect"),
        Binding("s", "sync_now", "Sync now"),
        Binding("p", "pair", "Pair"),
    ]

    class Disconnected(Message):
        """A remote was forgotten, or could not be."""

        def __init__(self, said: str, *, failed: bool = False) -> None:
            super().__init__()
            self.said = said
            self.failed = failed

    def __init__(
        self, workspace: Workspace, sync: Background, company: Company, icons: Icons
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._sync = sync
        self._company = company
        self._icons = icons
        self._said = ""
        self._lines: ItemModel[Line] = ItemModel(key=lambda line: line.link.name, row=row)

    def compose(self) -> ComposeResult:
        """How it stands in all, the copies, what is wrong with the chosen one, the keys."""
        with Vertical():
            yield Static("", id="title", markup=False)
            yield VirtualList(
                self._lines, row_height=2, icons=self._icons, empty=_EMPTY, id="copies"
            )
            yield Static("", id="problem", markup=False)
            yield Hints()

    def on_mount(self) -> None:
        """Show how it stands, and go on doing so."""
        self.query_one("#copies").focus()
        self._refresh_lines()
        self.set_interval(_FRESH_S, self._refresh_lines)

    def on_virtual_list_highlighted(self) -> None:
        """Tell more of the one under the cursor."""
        self._show_problem()

    # Actions

    def action_close(self) -> None:
        """Leave."""
        self.dismiss(None)

    def action_connect(self) -> None:
        """Ask for an address and a token, and connect."""
        from aimem_tui.screens.connect import ConnectScreen

        chosen = self._chosen()
        known = chosen.link.url if chosen is not None and chosen.kind == "relay" else ""
        refused = chosen is not None and chosen.link.phase is Phase.REFUSED
        self.app.push_screen(
            ConnectScreen(self._workspace, self._sync, address=known if refused else ""),
            lambda _: self._refresh_lines(),
        )

    def action_pair(self) -> None:
        """Get to trust another machine on this network."""
        from aimem_tui.screens.pair import PairScreen

        self.app.push_screen(
            PairScreen(self._workspace, self._sync), lambda _: self._refresh_lines()
        )

    def action_disconnect(self) -> None:
        """Ask, then forget the chosen remote."""
        from aimem_tui.screens.prompt import Confirm

        line = self._chosen()
        if line is None:
            return
        name = line.link.name

        def answered(yes: bool | None) -> None:
            if yes:
                self._disconnect(name)

        self.app.push_screen(
            Confirm(
                f"Disconnect from {name}?",
                "What it has stays there, and everything stays here. The token for it is"
                " forgotten; to connect again you need one.",
                yes="disconnect",
            ),
            answered,
        )

    def action_sync_now(self) -> None:
        """Dial again now, and send what waits."""
        if not self._lines.count():
            self.notify("There is nothing to sync with yet. c connects to a relay.")
            return
        self._sync.retry()
        self._sync.wake()
        state = self._company.state
        in_step = state is not None and state.connected and not state.waiting
        self.notify("Everything is in step already." if in_step else "Trying now.")

    # Inside

    @work(thread=True, exit_on_error=False)
    def _disconnect(self, name: str) -> None:
        from aimem_tui.workspace import connecting

        try:
            # In a thread, because some keyrings ask the person first.
            connecting.disconnect(self._workspace, self._sync.config, name)
        except AimemError as error:
            self.post_message(self.Disconnected(str(error), failed=True))
        else:
            said = f"Disconnected from {name}. Everything stays here, and there."
            self.post_message(self.Disconnected(said))

    def on_sync_screen_disconnected(self, message: Disconnected) -> None:
        """Say what came of it."""
        severity: Literal["error", "information"] = "error" if message.failed else "information"
        self.notify(message.said, severity=severity, markup=False)
        self._sync.retry()
        self._refresh_lines()

    def _refresh_lines(self) -> None:
        if not self.is_attached:
            return
        state = self._company.state or SyncState()
        now = self._workspace.clock()
        lines = _lines(self._sync.remotes(), state, now)
        said = self._title(state, bool(lines), now)
        if said != self._said:
            self._said = said
            self.query_one("#title", Static).update(said)
        if [*lines] != [*self._lines.items]:
            had = self._lines.count()
            self._lines.replace(lines)
            self.query_one("#copies", VirtualList).model_changed()
            if not had or not lines:
                self._show_hints()
        elif not lines:
            self._show_hints()
        self._show_problem()

    def _title(self, state: SyncState, any_remotes: bool, now: int) -> str:
        if not any_remotes:
            return f"Sync   {self._workspace.name}"
        standing = self._company.standing
        said = standing.in_words(self._workspace.writer_state(), None, now).said
        return f"Sync   {said or in_words(state).rstrip('.')}"

    def _show_hints(self) -> None:
        hints = [Hint("c", "connect", "connect")]
        if self._lines.count():
            hints += [
                Hint("s", "sync now", "sync_now"),
                Hint("d", "disconnect", "disconnect"),
            ]
        hints += [Hint("p", "pair", "pair"), Hint("esc", "close", "close")]
        self.query_one(Hints).show(hints)

    def _show_problem(self) -> None:
        line = self._chosen()
        self.query_one("#problem", Static).update("" if line is None else _more(line))

    def _chosen(self) -> Line | None:
        if not self._lines.count():
            return None
        return self._lines.items[self.query_one("#copies", VirtualList).cursor]


def _lines(remotes: Sequence[Remote], state: SyncState, now: int) -> list[Line]:
    """A line for each remote that is kept, how it stands if that is known."""
    known = {link.name: link for link in state.links}
    # Shown to the minute, so a line does not change with each look at the clock.
    minute = now - now % 60_000
    return [
        Line(
            known.get(remote.name, LinkState(remote.name, remote.url)),
            remote.kind.value,
            state.own_seq,
            state.elsewhere,
            max(minute, known[remote.name].last_seen or 0) if remote.name in known else minute,
        )
        for remote in remotes
    ]


def row(line: Line) -> Row:
    """A remote as two lines: what and how, then what it has and what is on its way."""
    link = line.link
    phase = "Kept in step by another aimem" if line.elsewhere else _PHASES[link.phase]
    style = "trouble" if link.phase in _TROUBLE else "" if link.phase in _HERE else "muted"
    first = (Span(f"{link.name}  ", "strong"), Span(phase, style))
    return Row((first, (Span(_second(line), "muted"),)), (Span(_seen(line), "muted"),), indent=2)


def _second(line: Line) -> str:
    link = line.link
    if line.elsewhere:
        return link.url
    if link.phase not in _HERE and not link.acknowledged:
        return link.problem or link.url
    lacks = max(0, line.own_seq - link.acknowledged)
    if not line.own_seq:
        has = "Nothing was written here yet"
    elif not lacks:
        has = "Has all that was written here"
    elif link.read_only:
        has = f"Lets you read only; lacks {words.count(lacks, 'edit')} of yours"
    else:
        has = f"Lacks {words.count(lacks, 'edit')} of yours"
    to_come = f", {link.to_come:,} to come" if link.to_come else ""
    moved = f"; {link.received:,} received, {link.sent:,} sent" if link.phase in _HERE else ""
    return f"{has}{to_come}{moved}."


def _seen(line: Line) -> str:
    link = line.link
    where = link.url.partition("://")[2].partition("/")[0]
    if line.elsewhere or link.phase in (*_HERE, Phase.REFUSED):
        return where
    if link.last_seen is None:
        return f"{where}, not reached yet"
    return f"{where}, last seen {words.when(link.last_seen, line.now)}"


def _more(line: Line) -> str:
    link = line.link
    said = [link.url]
    if link.problem and not line.elsewhere:
        said.insert(0, link.problem)
        if link.phase is Phase.REFUSED:
            said.insert(1, "c connects it anew with another token, s tries once more.")
    return "\n".join(said)
