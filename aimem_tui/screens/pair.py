"""Pair: find another machine on this network, and compare a code with whoever sits at it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from aimem_tui.errors import AimemError
from aimem_tui.widgets.hints import Hint, Hints
from aimem_tui.widgets.rows import ItemModel, Row, Span
from aimem_tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from aimem_tui.sync.peer.discovery import Found
    from aimem_tui.sync.peer.pairing import Compare
    from aimem_tui.workspace.background import Background
    from aimem_tui.workspace.workspace import Workspace

_LOOKING = "Looking on this network."
_NOBODY = "Nobody was found. On the other machine run  aimem peer , or give its address."


class PairScreen(ModalScreen[bool]):
    """Pairs with a machine that listens. Ends with whether it did."""

    DEFAULT_CSS = """
    PairScreen {
        align: center top;
        background: $background 40%;
        & > Vertical {
            width: 92%; max-width: 90; height: auto; margin-top: 3; padding: 1 2;
            background: $panel;
        }
        & Input, & Input:focus {
            border: none; height: 1; padding: 0 1; background: $background;
        }
        & .title { text-style: bold; margin-bottom: 1; }
        & .label { color: $foreground 60%; margin-top: 1; }
        & VirtualList { height: 6; background: $panel; }
        & .code { text-style: bold; color: $text-accent; margin: 1 0; display: none; }
        & .problem { height: auto; margin-top: 1; }
        & .problem.bad { color: $error; }
        &.comparing {
            & Input, & VirtualList, & .label { display: none; }
            & .code { display: block; }
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", priority=True),
        Binding("down", "row(1)", priority=True),
        Binding("up", "row(-1)", priority=True),
        Binding("y", "answer(True)", "The same"),
        Binding("n", "answer(False)", "Not the same"),
    ]

    class Heard(Message):
        """The machines that were found, or why the network cannot be asked."""

        def __init__(self, found: Sequence[Found], problem: str = "") -> None:
            super().__init__()
            self.found = found
            self.problem = problem

    class Shown(Message):
        """A code to compare."""

        def __init__(self, compare: Compare) -> None:
            super().__init__()
            self.compare = compare

    class Ended(Message):
        """What it has come to: a name, or a problem."""

        def __init__(self, name: str, problem: str = "") -> None:
            super().__init__()
            self.name = name
            self.problem = problem

    def __init__(self, workspace: Workspace, sync: Background) -> None:
        super().__init__()
        self._workspace = workspace
        self._sync = sync
        self._answer: Future[bool] | None = None
        self._busy = False
        self._machines: ItemModel[Found] = ItemModel(key=lambda found: found.address, row=_row)

    def compose(self) -> ComposeResult:
        """An address or a machine from the list; later the code."""
        with Vertical():
            yield Static("Pair with another machine", classes="title")
            yield Input(placeholder="its address, as in 192.168.1.5:8788")
            yield Static("On this network", classes="label")
            yield VirtualList(self._machines, letters=False, empty=_LOOKING)
            yield Static("", classes="code")
            yield Static("", classes="problem", markup=False)
            yield Hints()

    def on_mount(self) -> None:
        """Look who is there; keys go to the line."""
        self.query_one(VirtualList).can_focus = False
        self.query_one(Hints).show([Hint("enter", "pair"), Hint("esc", "close", "leave")])
        self._find()

    def on_pair_screen_heard(self, message: Heard) -> None:
        """List them."""
        self._machines.replace(message.found)
        listing = self.query_one(VirtualList)
        listing.empty = message.problem or _NOBODY
        listing.model_changed()

    def on_input_changed(self) -> None:
        """Another answer deserves another look."""
        self._say("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Begin with the address, or else the machine that the cursor is on."""
        address = event.value.strip()
        if self._busy or not (address or self._machines.count()):
            return
        listing = self.query_one(VirtualList)
        self._busy = True
        self._say("Asking it.")
        self._pair(address or self._machines.items[listing.cursor])

    def on_virtual_list_selected(self) -> None:
        """A machine was clicked twice."""
        if not self._busy:
            self._busy = True
            self._say("Asking it.")
            self._pair(self._machines.items[self.query_one(VirtualList).cursor])

    def on_pair_screen_shown(self, message: Shown) -> None:
        """Show the code."""
        code = message.compare.code
        self.add_class("comparing")
        self.query_one(".code", Static).update(f"{code[:3]} {code[3:]}")
        self._say(f"Does {message.compare.name} show the same code?")
        self.query_one(Hints).show(
            [Hint("y", "the same", "answer(True)"), Hint("n", "not the same", "answer(False)")]
        )
        self.set_focus(None)

    def on_pair_screen_ended(self, message: Ended) -> None:
        """Leave if it worked; else say what is wrong."""
        self._busy, self._answer = False, None
        if message.name:
            self.notify(f"Paired with {message.name}.", markup=False)
            self._sync.retry()
            self.dismiss(True)
            return
        self.remove_class("comparing")
        self.query_one(Hints).show([Hint("enter", "pair"), Hint("esc", "close", "leave")])
        self.query_one(Input).focus()
        self._say(message.problem, bad=True)

    def action_row(self, by: int) -> None:
        """Move in the list while the keys go on reaching the line."""
        self.query_one(VirtualList).action_move(by)

    def action_answer(self, same: bool) -> None:
        """The codes are the same, or not."""
        if self._answer is not None and not self._answer.done():
            self._say("Waiting for the other machine." if same else "Saying so.")
            self._answer.set_result(same)

    def action_leave(self) -> None:
        """Leave; what was begun ends without a pairing."""
        self.dismiss(False)

    def on_unmount(self) -> None:
        """Let nobody wait for an answer."""
        self.action_answer(False)

    def _say(self, said: str, *, bad: bool = False) -> None:
        if self.is_attached:
            problem = self.query_one(".problem", Static)
            problem.set_class(bad, "bad")
            problem.update(said)

    @work(thread=True, exclusive=True, group="find", exit_on_error=False)
    def _find(self) -> None:
        from aimem_tui.workspace import pairing

        try:
            heard = self.Heard(pairing.find(self._workspace))
        except AimemError as error:
            heard = self.Heard((), str(error))
        self.post_message(heard)

    @work(thread=True, exclusive=True, group="pair", exit_on_error=False)
    def _pair(self, machine: Found | str) -> None:
        from aimem_tui.workspace import pairing

        try:
            name = pairing.pair(self._workspace, self._sync.config, machine, self._ask)
            self._sync.begin()
            ended = self.Ended(name)
        except AimemError as error:
            ended = self.Ended("", str(error))
        self.post_message(ended)

    def _ask(self, compare: Compare) -> Future[bool]:
        """Called in the thread that pairs."""
        self._answer = Future()
        if not self.post_message(self.Shown(compare)):
            self._answer.set_result(False)
        return self._answer


def _row(found: Found) -> Row:
    return Row(((Span(found.name, "strong"),),), (Span(found.address, "muted"),), indent=1)
