"""Lists and search, brought up to date with what connections bring.

- That is done whenever nothing waits to be stored: it takes the same thread, and longer.
- While a peer has announced more it waits, unless nothing comes for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from aimem_tui.errors import StorageError
from aimem_tui.sync.inbox import RETRY_S
from aimem_tui.sync.link import Link
from aimem_tui.sync.local_copy import LocalCopy

QUIET_S = 1.0
"""So long nothing has come of what was announced before it is not waited for any longer."""


class Lists:
    """Follows what is stored.

    Args:
        links: all there are; the list changes as they come and go.
        on_change: called in the event loop when all is up to date.
    """

    def __init__(
        self, copy: LocalCopy, links: Sequence[Link], on_change: Callable[[], None]
    ) -> None:
        self._copy = copy
        self._links = links
        self._on_change = on_change
        self._behind = asyncio.Event()
        self._arrived = asyncio.Event()

    @property
    def up_to_date(self) -> bool:
        """Whether all that was stored is shown."""
        return not self._behind.is_set()

    def arrived(self) -> None:
        """Something that changes thoughts was stored."""
        self._behind.set()
        self._arrived.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._behind.wait()
            for link in [*self._links]:
                if link.box is not None:
                    await link.box.empty.wait()
            if any(link.to_come for link in self._links) and await self._more_arrives():
                continue
            self._arrived.clear()
            done = False
            try:
                while not done and not self._arrived.is_set():
                    done = await self._copy.project()
            except StorageError:
                await asyncio.sleep(RETRY_S)
                continue
            if done:
                self._behind.clear()
                self._on_change()

    async def _more_arrives(self) -> bool:
        """Wait for what was announced; False if it does not come."""
        self._arrived.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(QUIET_S):
                await self._arrived.wait()
        return self._arrived.is_set()
