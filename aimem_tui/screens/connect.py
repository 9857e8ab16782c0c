"""Connect: an address and a token, tried out before they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from aimem_tui.errors import AimemError

if TYPE_CHECKING:
    from aimem_tui.workspace.background import Background
    from aimem_tui.workspace.connecting import Connected
    from aimem_tui.workspace.workspace import Workspace


class ConnectScreen(ModalScreen[bool]):
    """Asks for a relay's address and the token for it. Ends with whether that was connected.

    Args:
        address: what stands there at first.
    """

    DEFAULT_CSS = """
    ConnectScreen {
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
        & .label { color: $foreground 60%; }
        & #token { margin-bottom: 1; }
        & .problem { color: $error; height: auto; }
        & .problem.busy { color: $foreground 60%; }
        & .detail { color: $foreground 60%; margin-top: 1; height: auto; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", "Cancel")]

    class Tried(Message):
        """What came of trying it out."""

        def __init__(self, connected: Connected | None, problem: str = "") -> None:
            super().__init__()
            self.connected = connected
            self.problem = problem

    def __init__(self, workspace: Workspace, sync: Background, *, address: str = "") -> None:
        super().__init__()
        self._workspace = workspace
        self._sync = sync
        self._address = address

    def compose(self) -> ComposeResult:
        """Two lines to fill in, and help."""
        with Vertical():
            yield Static(
                f"Connect {self._workspace.name} to a relay", classes="title", markup=False
            )
            yield Static("Address", classes="label")
            yield Input(
                self._address,
                placeholder="wss://relay.example.org",
                select_on_focus=False,
                id="address",
            )
            yield Static("Token", classes="label")
            yield Input(password=True, placeholder="pasted, and not shown", id="token")
            yield Static("", classes="problem", markup=False)
            yield Static(
                "Whoever keeps the relay makes a token there:\n"
                f"aimem relay token --workspace {self._workspace.identity()}",
                classes="detail",
                markup=False,
            )

    def on_mount(self) -> None:
        """Begin with what is missing."""
        self.query_one("#token" if self._address else "#address").focus()

    def on_input_changed(self) -> None:
        """Another answer deserves another look."""
        self._say("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """From the address to the token, and from there on its way."""
        if event.input.id == "address":
            problem = self._address_problem()
            if problem:
                self._say(problem)
            else:
                self.query_one("#token").focus()
            return
        problem = self._address_problem()
        if problem:
            self._say(problem)
            self.query_one("#address").focus()
            return
        self._say("Trying it out.", busy=True)
        self._try(self._value("#address"), self._value("#token"))

    def on_connect_screen_tried(self, message: Tried) -> None:
        """Leave if it worked; else say what is wrong."""
        connected = message.connected
        if connected is None:
            self._say(message.problem)
            return
        may = "read there" if connected.read_only else "read and write there"
        said = [f"Connected to {connected.remote.name}. You may {may}."]
        if connected.in_file is not None:
            said.append(
                f"There is no keyring, so the token is in {connected.in_file}, which only you can"
                " read."
            )
        if connected.is_open:
            said.append("Who is on the way can read all of it: the connection is not encrypted.")
        self.notify(
            " ".join(said),
            severity="warning" if connected.is_open else "information",
            timeout=15 if len(said) > 1 else 5,
            markup=False,
        )
        self._sync.retry()
        self.dismiss(True)

    def _address_problem(self) -> str:
        from aimem_tui.sync.remotes import read_address

        try:
            read_address(self._value("#address"))
        except AimemError as error:
            return str(error)
        return ""

    def _value(self, name: str) -> str:
        return self.query_one(name, Input).value.strip()

    def _say(self, said: str, *, busy: bool = False) -> None:
        problem = self.query_one(".problem", Static)
        problem.set_class(busy, "busy")
        problem.update(said)

    @work(thread=True, exclusive=True, group="connect", exit_on_error=False)
    def _try(self, address: str, token: str) -> None:
        from aimem_tui.workspace import connecting

        worker = get_current_worker()
        try:
            tried = self.Tried(
                connecting.connect(self._workspace, self._sync.config, address, token)
            )
            self._sync.begin()
        except AimemError as error:
            tried = self.Tried(None, str(error))
        if not worker.is_cancelled:
            self.post_message(tried)
