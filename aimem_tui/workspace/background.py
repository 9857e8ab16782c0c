"""Syncing an open workspace beside everything else, for the app.

- Nothing of the network is loaded before there is something to sync with, and then by whoever calls
  :meth:`Background.begin`, which is to be a thread that nobody waits for.
- States are handed on one at a time: the newest is kept until :meth:`Background.take` asks for it,
  and ``on_news`` is called once for it. So whoever is slow misses states, and never the last one.
- Ending is bounded: what was written last gets a moment to arrive elsewhere, then the connections
  get a moment to end in order, and then nobody waits any longer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aimem_tui.errors import AimemError

if TYPE_CHECKING:
    from aimem_tui.sync.engine import SyncEngine
    from aimem_tui.sync.presence import PresenceState
    from aimem_tui.sync.remotes import Remote
    from aimem_tui.sync.state import SyncState
    from aimem_tui.workspace.workspace import Workspace

FAREWELL_S = 1.0
"""How long what was written last may take to arrive elsewhere when the app ends."""
ENDING_S = 1.0
"""How long the connections may take to end after that."""
_LOOK_S = 0.02


class Background:
    """The syncing of one open workspace. All methods but ``begin`` and ``end`` return at once.

    Args:
        workspace: open until :meth:`end` has returned.
        config: the installation's folder for configuration, where credentials may be.
        on_news: called in some thread when there is a new state to take.
    """

    def __init__(self, workspace: Workspace, config: Path, on_news: Callable[[], object]) -> None:
        self.config = config
        self._workspace = workspace
        self._on_news = on_news
        self._engine: SyncEngine | None = None
        self._beginning = threading.Lock()
        self._lock = threading.Lock()
        self._presence: PresenceState | None = None
        self._latest: SyncState | None = None
        self._told = False
        self._over = False

    @property
    def folder(self) -> Path:
        """Where the list of remotes is."""
        return self._workspace.database.path.parent

    @property
    def is_running(self) -> bool:
        """Whether it was begun, and has not ended."""
        return self._engine is not None and not self._over

    @property
    def failure(self) -> BaseException | None:
        """The defect that has ended it; None if there was none."""
        return None if self._engine is None else self._engine.failure

    def is_due(self) -> bool:
        """Whether to begin now: there is something to sync with, and nothing has begun."""
        return self._engine is None and not self._over and self._has_remotes()

    def remotes(self) -> list[Remote]:
        """What there is to sync with; nothing where the list cannot be read: states tell why."""
        from aimem_tui.sync.remotes import Remotes

        try:
            return Remotes(self.folder).all()
        except AimemError:
            return []

    def begin(self) -> bool:
        """Begin, if there is something to sync with. Loads the network, so call it in a thread.

        Returns: whether it is running now.
        """
        if not self.is_running and not self._has_remotes():
            return False
        from aimem_tui.sync.credentials import Credentials
        from aimem_tui.sync.engine import SyncEngine
        from aimem_tui.sync.remotes import Remotes

        with self._beginning:
            if self._engine is None and not self._over:
                engine = SyncEngine(
                    self._workspace.database,
                    Remotes(self.folder),
                    Credentials(self.config),
                    clock=self._workspace.clock,
                    on_state=self._keep,
                )
                engine.start()
                # Waits until it takes what it is told; from now on nobody else has to.
                engine.wake()
                self._engine = engine
                engine.set_presence(self._presence)
        return self.is_running

    def take(self) -> SyncState | None:
        """The newest state; None if there is none newer than the one taken before."""
        with self._lock:
            state, self._latest = self._latest, None
            self._told = False
        return state

    def wake(self) -> None:
        """Something was written: send it now."""
        if self._engine is not None:
            self._engine.wake()

    def retry(self) -> None:
        """Dial now, also what was refused."""
        if self._engine is not None:
            self._engine.retry()

    def set_presence(self, state: PresenceState | None) -> None:
        """Tell the others where the person is; None: nowhere."""
        self._presence = state
        if self._engine is not None:
            self._engine.set_presence(state)

    def end(self) -> bool:
        """Send what was written last, hang up, and end; takes two seconds at most.

        Returns: whether all has ended in order.
        """
        self._over = True
        with self._beginning:
            engine = self._engine
        if engine is None:
            return True
        self._send_the_last(engine)
        ending = threading.Thread(target=engine.stop, name="aimem-sync-end", daemon=True)
        ending.start()
        ending.join(ENDING_S)
        return not ending.is_alive()

    def _has_remotes(self) -> bool:
        from aimem_tui.sync.remotes import Remotes

        try:
            return bool(Remotes(self.folder).all())
        except AimemError:
            # The engine's states say what is wrong with the list.
            return True

    def _send_the_last(self, engine: SyncEngine) -> None:
        """Wait until others have on disk what was written here, if somebody is there to take it."""
        patience = time.monotonic() + FAREWELL_S
        try:
            self._workspace.settle()
            written = self._workspace.standing().own_seq
        except AimemError:
            return
        engine.wake()
        while time.monotonic() < patience and engine.failure is None:
            state = engine.state()
            if not state.connected or min(state.own_seq, state.durable_seq) >= written:
                return
            time.sleep(_LOOK_S)

    def _keep(self, state: SyncState) -> None:
        with self._lock:
            self._latest = state
            told, self._told = self._told, True
        if not told:
            self._on_news()
