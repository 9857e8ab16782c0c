"""Where calls are worked on: the workspace, a few threads, and who is where.

- The workspace is opened by the first call that needs it; the client has its greeting long before.
- Threads are few and stay, because each keeps a connection for reading. A call waits for its turn;
  one that is cancelled before has done nothing, one that is cancelled later is done to its end,
  though nobody hears of it.
- An agent writes under its own name with that of the person; see
  :mod:`aimem_tui.workspace.agents.names`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from aimem_tui.mcp.visits import Place, Visits
from aimem_tui.workspace.agents.names import agent_name
from aimem_tui.workspace.agents.names import author as author_of

if TYPE_CHECKING:
    from aimem_tui.mcp.access import Access
    from aimem_tui.workspace.workspace import Workspace

T = TypeVar("T")

_THREADS = 4


@dataclass(frozen=True, slots=True)
class Call:
    """What a call is worked on with."""

    workspace: Workspace
    """For reading."""
    access: Access
    author: str
    into: str
    """The folder of the project that the server was started in; empty: none."""

    @property
    def writing(self) -> Workspace:
        """The workspace for the agent to write in.

        Raises:
            Refused: if it may only read.
        """
        self.access.check_writing()
        return self.workspace.written_by(self.author)


class Desk:
    """What all clients of one server share.

    Args:
        open_workspace: called once, in a thread; its author is the person.
        access: what agents may see and do.
        agent: the agent's name where the person has given one.
        into: the folder of the project.
    """

    def __init__(
        self,
        open_workspace: Callable[[], Workspace],
        access: Access,
        *,
        agent: str = "",
        into: str = "",
    ) -> None:
        self.access = access
        self.into = into if access.has(into) else ""
        self._agent = agent
        self._open_workspace = open_workspace
        self._opening = threading.Lock()
        self._workspace: Workspace | None = None
        self._visits: Visits | None = None
        self._threads = ThreadPoolExecutor(_THREADS, "call")

    async def work(self, action: Callable[[Call], T], *names: str | None) -> T:
        """Have something done in a thread.

        Args:
            action: what to do.
            names: what the agent says it is called, the best first.

        Raises:
            AimemError: what the action raises, or if the workspace cannot be opened.
        """
        return await asyncio.wrap_future(self._threads.submit(self._act, action, names))

    def warm_up(self) -> None:
        """Open the workspace, so that the first call need not wait for it."""
        self._threads.submit(self._opened)

    def visit(self, author: str, place: Place) -> None:
        """Show where an agent is."""
        if self._visits is not None and place.thought:
            self._visits.at(author, place)

    def close(self) -> None:
        """Finish what has begun, and let go of everything but the workspace, which others close."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._visits is not None:
            self._visits.close()

    def _act(self, action: Callable[[Call], T], names: tuple[str | None, ...]) -> T:
        workspace = self._opened()
        workspace.catch_up()
        author = author_of(workspace.author, agent_name(self._agent, *names))
        return action(Call(workspace, self.access, author, self.into))

    def _opened(self) -> Workspace:
        with self._opening:
            if self._workspace is None:
                workspace = self._open_workspace()
                # Made here, where no other thread makes it as well.
                _ = workspace.searching
                self._visits = Visits(workspace)
                self._workspace = workspace
            return self._workspace
