"""A real relay in a process of its own that may use little memory and time, and people who talk to
it over real sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from aimem_relay import tokens
from crdt.session import Session, State
from crdt.session.replica import Limits
from crdt.wire.messages import CloseCode, Role
from tests.session.pairs import Side
from tests.simulation.disk import Disk

ADDRESS_SPACE = 2 << 30
"""Bytes that the relay may map, its libraries and the stacks of its threads included."""
CPU_S = 240
MEMORY = 300 << 20
"""Bytes that it may come to hold at most."""
PATIENCE_S = 20.0
CROWD = Limits(presence_keys=20_000, presence_per_s=5_000)

Change = Callable[[bytes], list[bytes]]


@dataclass(frozen=True, slots=True)
class RunningRelay:
    process: subprocess.Popen[str]
    port: int
    secret: str
    log: Path

    def token(self, workspace: str, role: Role = Role.WRITER) -> bytes:
        """A credential that is good for ever."""
        token = tokens.Token(workspace, role, 0, tokens.new_id())
        return tokens.issue(token, self.secret).encode()

    def url(self, workspace: str) -> str:
        return f"http://127.0.0.1:{self.port}/sync/{workspace}"

    def most_memory(self) -> int:
        """The most that it has held so far, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024


@contextlib.contextmanager
def relay(folder: Path) -> Iterator[RunningRelay]:
    """Run a relay with an empty ledger in ``folder``."""
    secret = secrets.token_hex(32)
    log = folder / "relay.log"
    settings = {
        "AIMEM_RELAY_PORT": "0",
        "AIMEM_RELAY_DATA_DIR": str(folder / "data"),
        "AIMEM_RELAY_SECRETS": secret,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "aimem_relay", "serve"],
            stdout=out,
            stderr=out,
            text=True,
            env={**os.environ, **settings},
            cwd=folder,
            preexec_fn=_limit,
        )
    try:
        yield RunningRelay(process, _port(process, log), secret, log)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))


def _port(process: subprocess.Popen[str], log: Path) -> int:
    """Where the relay listens, as it says in its log."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        for line in log.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if "listening" in said.values():
                    return int(said["port"])
        time.sleep(0.05)
    raise AssertionError(f"the relay does not start:\n{log.read_text(encoding='utf-8')}")


class Person(Side):
    """A copy with a real connection to the relay.

    Args:
        change: what to send in place of each frame; the same unless given.
    """

    def __init__(self, copy: Disk, change: Change | None = None) -> None:
        super().__init__(copy, None)
        self.session = Session(copy, _ms(), limits=CROWD)
        self.closed_with: int | None = None
        self._change = change
        self._woken = asyncio.Event()

    async def talk(self, http: aiohttp.ClientSession, url: str, credential: bytes) -> None:
        """Connect, and talk until the connection ends."""
        async with http.ws_connect(url, max_msg_size=0, autoping=True) as socket:
            self.session.connect(credential=credential)
            sending = asyncio.create_task(self._send(socket))
            try:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.BINARY:
                        self.take(self.session.receive(message.data, _ms()))
                        self.wake()
            finally:
                self.closed_with = socket.close_code
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await sending
                self.take(self.session.lost())

    def wake(self) -> None:
        """There may be something to send."""
        self._woken.set()

    async def _send(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        session = self.session
        while True:
            self._woken.clear()
            self.take(session.tick(_ms()))
            while frames := session.pull(1 << 20, _ms()):
                for frame in frames:
                    for said in self._change(frame) if self._change else [frame]:
                        await socket.send_bytes(said)
            if session.state is State.CLOSED:
                await socket.close(code=(session.close_code or CloseCode.NORMAL).value)
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), 0.2)

    def write(self, about: str, update: bytes) -> int:
        """Make an entry; returns its number."""
        made = self.disk.make(about, update, at=1)
        self.disk.append([made])
        self.session.log_grew()
        self.wake()
        return made.seq


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain until {what}")
        await asyncio.sleep(0.005)


def _ms() -> int:
    return time.monotonic_ns() // 1_000_000
