"""A new machine gets a workspace of 10,000 thoughts, 100,000 entries, from the relay.

Beside it: a stock client that opens each thought as a room of y-websocket and is told what is in
it, 32 at a time; and a program that reads the same entries from the relay's SQLite file and writes
them into a workspace's, a thousand a transaction, synced to disk.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from aimem_relay.ledger.port import Job
from aimem_relay.ledger.sqlite import SqliteLedger
from aimem_tui.store.replica import StoreReplica
from aimem_tui.workspace.creation import create_workspace
from aimem_tui.workspace.workspace import Workspace
from bench import cache
from bench.relay import servers
from bench.relay.dialects import YWebsocket
from bench.relay.updates import Writer
from crdt.entry import Entry
from crdt.session.events import EntriesReceived
from crdt.session.replica import Cursor
from crdt.vector import Vector
from tests.faults.large import Notes

EDITS = 10
_BATCH = 1_000
_BATCH_BYTES = 1 << 20
_AT_A_TIME = 32
_LOOK_S = 0.01
_TIMEOUT_S = 300
_ENTRIES = (
    "SELECT position, seq, at, note, update_bytes, sealed, signature FROM entries ORDER BY position"
)


def ours(thoughts: int) -> tuple[float, float, float]:
    """Seconds until all entries are on the new machine's disk, until ``aimem sync`` ends, and for
    reading and writing them.

    Raises:
        RuntimeError: if not all of it arrives.
    """
    with TemporaryDirectory(prefix="aimem-bench-") as name:
        folder = Path(name)
        data = folder / "relay"
        data.mkdir()
        workspace = asyncio.run(_fill(folder / "ann", data / "ledger.db", thoughts))
        copied = _read_and_write(data / "ledger.db", folder / "copy.db", workspace)
        with servers.aimem_sqlite(data) as running:
            stored, ended = _sync(folder / "ben", running, workspace, thoughts * EDITS)
    return stored, ended, copied


def handshakes(thoughts: int) -> float:
    """Seconds for one handshake of y-websocket for each thought."""
    with servers.y_websocket() as running:
        return asyncio.run(_handshakes(running.url, thoughts))


async def _fill(home: Path, ledger_file: Path, thoughts: int) -> str:
    """A relay's ledger with the workspace in it; returns the workspace's id."""
    home.mkdir()
    ledger = SqliteLedger(ledger_file)
    await ledger.start()
    with Workspace(home / "workspace.db", name="team", author="ann") as workspace:
        Notes(thoughts, EDITS).fill(workspace)
        identity = workspace.identity()
        for entries in _entries(StoreReplica(workspace.database)):
            await ledger.commit([Job(identity, EntriesReceived(1, b"", entries))])
    await ledger.close()
    return identity


def _entries(replica: StoreReplica) -> Iterator[Sequence[Entry]]:
    cursor = Cursor()
    while True:
        found = replica.read(cursor, Vector(), _BATCH, _BATCH_BYTES)
        if found.entries:
            yield found.entries
        cursor = found.cursor
        if not found.left:
            return


def _sync(
    home: Path, running: servers.Running, workspace: str, entries: int
) -> tuple[float, float]:
    """Seconds until everything is on disk, and until the command ends."""
    env = {
        **os.environ,
        "AIMEM_HOME": str(home),
        "AIMEM_WORKSPACE": "team",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    aimem = [sys.executable, "-m", "aimem_tui"]
    where = f"{running.url}/sync/{workspace}"
    subprocess.run(
        [*aimem, "connect", where, "--name", "relay", "-w", "team", "--token-stdin"],
        input=running.credential(workspace).encode(),
        env=env,
        cwd=cache.ROOT,
        check=True,
        capture_output=True,
    )
    file = apsw.Connection(
        str(home / "workspaces" / "team" / "workspace.db"), flags=apsw.SQLITE_OPEN_READONLY
    )
    before = _count(file)
    if before:
        raise RuntimeError(f"{before} entries are there before they were fetched")
    started, stored = time.perf_counter(), 0.0
    command = subprocess.Popen(
        [*aimem, "sync", "--json"], env=env, cwd=cache.ROOT, stdout=subprocess.DEVNULL
    )
    try:
        while command.poll() is None and time.perf_counter() < started + _TIMEOUT_S:
            if not stored and _count(file) == entries:
                stored = time.perf_counter() - started
            time.sleep(_LOOK_S)
    finally:
        command.kill()
        command.wait()
    ended = time.perf_counter() - started
    if command.returncode or not stored:
        raise RuntimeError(f"aimem sync ended with {command.returncode}, {_count(file)} entries")
    return stored, ended


def _count(file: apsw.Connection) -> int:
    """How many entries there are, as their positions have no gaps in a new workspace."""
    return int(file.execute("SELECT coalesce(max(position), 0) FROM log").get)


def _read_and_write(ledger: Path, copy: Path, workspace: str) -> float:
    """Seconds for copying all entries from one file to another."""
    create_workspace(copy, workspace)
    reader = apsw.Connection(str(ledger), flags=apsw.SQLITE_OPEN_READONLY)
    writer = apsw.Connection(str(copy))
    writer.execute("PRAGMA foreign_keys = OFF; PRAGMA journal_mode = WAL; PRAGMA synchronous = 2")
    started = time.perf_counter()
    rows = reader.execute(_ENTRIES)
    while group := [*islice(rows, _BATCH)]:
        with writer:
            writer.executemany(
                "INSERT INTO log (position, replica, seq, thought, at, author, note, update_bytes,"
                " sealed, signature) VALUES (?1, 1, ?2, 1, ?3, 1, CAST(?4 AS TEXT), ?5, ?6, ?7)",
                group,
            )
    took = time.perf_counter() - started
    reader.close()
    writer.close()
    return took


class _Client(WSListener):
    """Greets, and is done once it was told what is in the room."""

    def __init__(self, room: str) -> None:
        self.dialect = YWebsocket(room)
        self.told = asyncio.get_running_loop().create_future()
        self.transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        for frame in self.dialect.greeting():
            transport.send(WSMsgType.BINARY, frame)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.BINARY:
            return
        answer = self.dialect.answer(frame.get_payload_as_bytes())
        if answer is not None:
            transport.send(WSMsgType.BINARY, answer)
        if self.dialect.ready and not self.told.done():
            self.told.set_result(None)

    def leave(self) -> None:
        if self.transport is not None:
            self.transport.disconnect()


async def _handshakes(url: str, thoughts: int) -> float:
    rooms = [os.urandom(16).hex() for _ in range(thoughts)]
    # A room is forgotten once nobody is in it.
    writers = await _all(url, rooms, stay=True)
    for number, client in enumerate(writers):
        writer = Writer(number, number + 1)
        assert client.transport is not None
        for _ in range(EDITS):
            for frame in client.dialect.wrap([writer.update()]):
                client.transport.send(WSMsgType.BINARY, frame)
        await asyncio.sleep(0)
    # The last one's answer says that the server has taken in the others.
    await _all(url, rooms[-1:])
    started = time.perf_counter()
    await _all(url, rooms)
    took = time.perf_counter() - started
    for client in writers:
        client.leave()
    return took


async def _all(url: str, rooms: Sequence[str], *, stay: bool = False) -> list[_Client]:
    gate = asyncio.Semaphore(_AT_A_TIME)

    async def one(room: str) -> _Client:
        async with gate:
            client = _Client(room)
            await ws_connect(
                lambda: client,
                url + client.dialect.path(),
                websocket_handshake_timeout=_TIMEOUT_S,
            )
            await client.told
            if not stay:
                client.leave()
            return client

    return await asyncio.gather(*map(one, rooms))
