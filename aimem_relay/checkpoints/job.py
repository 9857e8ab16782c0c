"""Finds thoughts that are worth a checkpoint, and puts one in the place of their records.

- The ledger tells which thoughts are due, each to one pod at a time, and never sealed ones.
- The state is built by :mod:`aimem_relay.checkpoints.build` in a process of its own. What was read
  is replaced up to the position at which it was read: what came since stays.
- A thought of which no state can be made is set aside: its records stay as they are and are
  delivered as before; nothing is lost, its log only stays long.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable

import msgspec

from aimem_relay import logging as log
from aimem_relay.checkpoints.build import NO_STATE
from aimem_relay.config import Config
from aimem_relay.ledger.port import Change, DueThought, Ledger, LedgerDown, ThoughtRecords
from aimem_relay.metrics import Metrics
from crdt.entry import Checkpoint, Entry
from crdt.vector import Vector

AT_A_TIME = 16
"""How many thoughts are asked for at a time."""
MAX_STATE = 16 << 20
"""The largest state that the protocol carries, in bytes."""
_ATTEMPTS = 2


class NoState(Exception):
    """No state can be made of these records."""


class Killed(Exception):
    """The building took too much time or memory."""


class CheckpointJob:
    """Looks for thoughts that are due, for ever.

    Args:
        on_change: is told what a checkpoint has changed.
    """

    def __init__(
        self, ledger: Ledger, config: Config, metrics: Metrics, on_change: Callable[[Change], None]
    ) -> None:
        self._ledger = ledger
        self._config = config
        self._metrics = metrics
        self._on_change = on_change
        self._failed: dict[DueThought, int] = {}

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            found = 0
            with contextlib.suppress(LedgerDown):
                found = await self.look()
            if found < AT_A_TIME:
                await asyncio.sleep(self._config.checkpoint_s)

    async def look(self) -> int:
        """Do what is due now; returns how many thoughts that were.

        Raises:
            LedgerDown: if the ledger does not answer.
        """
        lease_ms = int(self._config.checkpoint_timeout_s * 1_000) * AT_A_TIME
        due = await self._ledger.due(AT_A_TIME, lease_ms)
        self._metrics.checkpoint_lag.set(len(due))
        for thought in due:
            self._metrics.checkpoints.labels(await self._do(thought)).inc()
        return len(due)

    async def _do(self, due: DueThought) -> str:
        """Make one; returns what became of it, for the metrics."""
        workspace, thought = due.workspace, due.thought
        records = await self._ledger.records_of(workspace, thought)
        held: list[Entry | Checkpoint] = [*records.checkpoints, *records.entries]
        if any(one.sealed for one in held):
            await self._ledger.set_aside(workspace, thought)
            return "set aside"
        try:
            checkpoint = await self._make(thought, records)
        except NoState:
            return await self._set_aside(due)
        except Killed:
            self._failed[due] = self._failed.get(due, 0) + 1
            if self._failed[due] < _ATTEMPTS:
                # The machine may have been busy; the ledger tells of it again.
                return "failed"
            return await self._set_aside(due)
        self._failed.pop(due, None)
        change = await self._ledger.replace(workspace, thought, records.upto, checkpoint)
        if change is None:
            return "in vain"
        self._on_change(change)
        return "made"

    async def _set_aside(self, due: DueThought) -> str:
        self._failed.pop(due, None)
        log.event("a thought is set aside", logging.WARNING, workspace=due.workspace)
        await self._ledger.set_aside(due.workspace, due.thought)
        return "set aside"

    async def _make(self, thought: str, records: ThoughtRecords) -> Checkpoint:
        updates = [one.state for one in records.checkpoints]
        updates += [one.update for one in records.entries]
        state = await build(
            updates, self._config.checkpoint_timeout_s, self._config.checkpoint_memory
        )
        if len(state) > MAX_STATE:
            raise NoState
        vector = Vector()
        for one in records.checkpoints:
            vector = vector.merged(one.vector)
        vector = vector.merged({entry.replica: entry.seq for entry in records.entries})
        held: list[Entry | Checkpoint] = [*records.checkpoints, *records.entries]
        newest = max(held, key=lambda one: one.at)
        return Checkpoint(thought, state, vector, newest.at, newest.author)


async def build(updates: list[bytes], seconds: float, memory: int) -> bytes:
    """The state that updates make, built in a process of its own.

    Args:
        seconds: how long it may take.
        memory: how many bytes it may take.

    Raises:
        NoState: if they make none.
        Killed: if it took too much.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "aimem_relay.checkpoints.build",
        str(memory),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(seconds):
            state, _ = await process.communicate(msgspec.msgpack.encode(updates))
    except TimeoutError:
        raise Killed from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == NO_STATE:
        raise NoState
    if process.returncode:
        raise Killed
    return state
