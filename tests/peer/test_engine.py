"""As the app does it: two engines in the background, one of which listens, too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aimem_tui.errors import AimemError
from aimem_tui.sync.credentials import Credentials
from aimem_tui.sync.engine import SyncEngine
from aimem_tui.sync.exchange import Exchange
from aimem_tui.sync.peer.discovery import locate
from aimem_tui.sync.peer.listener import PeerListener
from aimem_tui.sync.presence import PresenceState
from aimem_tui.sync.remotes import Kind, Remote, Remotes
from aimem_tui.sync.state import Phase
from tests.peer.machines import LOOPBACK, PATIENCE_S, Machine


@contextmanager
def engine(machine: Machine, listeners: list[PeerListener] | None = None) -> Iterator[SyncEngine]:
    """A machine's engine; it listens if there is a place to put the listener."""
    problems: list[AimemError] = []

    async def listen(exchange: Exchange) -> None:
        assert listeners is not None
        listeners.append(machine.listener(exchange))
        await listeners[0].run(problems.append)

    made = SyncEngine(
        machine.workspace.database,
        Remotes(machine.folder),
        Credentials(machine.folder),
        clock=machine.clock,
        beside=None if listeners is None else listen,
        locate=locate,
    )
    made.start()
    try:
        yield made
    finally:
        made.stop()
        assert made.failure is None
        assert problems == []


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for something that happens in other threads."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.01)


def test_an_app_that_listens_and_one_that_dials_see_each_others_work_and_people(
    tmp_path: Path,
) -> None:
    ann, ben = Machine(tmp_path, "ann"), Machine(tmp_path, "ben")
    ann.write("plan.md", "From Ann.\n")
    listeners: list[PeerListener] = []
    with engine(ann, listeners) as hers:
        wait_until(lambda: bool(listeners) and listeners[0].port > 0)
        url = f"wss://{LOOPBACK}:{listeners[0].port}/sync/{ann.workspace.identity()}"
        fingerprint = ann.certificate.fingerprint.hex()
        Remotes(ben.folder).add(Remote("ann", url, Kind.PEER, fingerprint))
        Credentials(ben.folder).keep(ann.workspace.identity(), "ann", ann.let_in("ben"))
        hers.set_presence(PresenceState("Ann"))
        with engine(ben) as his:
            his.set_presence(PresenceState("Ben"))
            wait_until(lambda: ben.texts() == {"plan.md": "From Ann.\n"})
            ben.append("plan.md", "From Ben.")
            his.wake()
            wait_until(lambda: ann.texts() == {"plan.md": "From Ann.\nFrom Ben.\n"})
            for one, name in ((hers, "Ben"), (his, "Ann")):
                wait_until(
                    lambda one=one, name=name: [each.name for each in one.state().people] == [name]
                )
            wait_until(lambda: [each.name for each in hers.state().links] == ["ben"])
            wait_until(lambda: hers.state().links[0].phase is Phase.IN_STEP)
            wait_until(lambda: his.state().waiting == 0)
        wait_until(lambda: hers.state().links == () and hers.state().people == ())
    ann.close()
    ben.close()
