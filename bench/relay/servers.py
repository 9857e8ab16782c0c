"""The servers that are compared, each started as a process of its own on a free loopback port.

The others are installed into the cache when first needed (``npm``, and a virtual environment); one
that cannot be had here is absent, and the report says so. Ours is started as a user starts it.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from aimem_relay import tokens
from bench import cache
from bench.peers import Absent, installed
from crdt.wire.messages import Role
from tests import services

_SECRET = "only for the time of one measurement, on loopback"
_HERE = Path(__file__).parent
_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 15.0
_NPM_TIMEOUT_S = 600
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens."""

    url: str
    """``ws://127.0.0.1:port``."""
    pids: tuple[int, ...]
    """Its processes, and those of what keeps its data."""
    credential: Callable[[str], str] = lambda room: ""
    """What opens a room."""

    def cpu_s(self) -> float:
        """Seconds of processor time so far, children included."""
        total = 0
        for pid in _with_children(self.pids):
            fields = _stat(pid)
            if fields:
                total += int(fields[11]) + int(fields[12])
        return total / _TICKS

    def memory(self) -> int:
        """Bytes of memory that are its own (proportional set size), of the first process."""
        for line in Path(f"/proc/{self.pids[0]}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        return 0


@contextmanager
def y_websocket() -> Iterator[Running]:
    """The server that comes with npm ``y-websocket`` 2.0.4, the last version that brings one."""
    folder = node_modules("y-websocket", {"y-websocket": "2.0.4", "yjs": "13.6.33"})
    port = free_port()
    with _process(
        ["node", "node_modules/y-websocket/bin/server.cjs"],
        port,
        cwd=folder,
        env={"HOST": "127.0.0.1", "PORT": str(port)},
    ) as pid:
        yield Running(f"ws://127.0.0.1:{port}", (pid,))


@contextmanager
def hocuspocus() -> Iterator[Running]:
    """npm ``@hocuspocus/server`` with its default settings and no storage."""
    folder = node_modules("hocuspocus", {"@hocuspocus/server": "4.4.0", "yjs": "13.6.33"})
    program = folder / "server.mjs"
    shutil.copyfile(_HERE / "hocuspocus.mjs", program)
    port = free_port()
    with _process(["node", program.name], port, cwd=folder, env={"PORT": str(port)}) as pid:
        yield Running(f"ws://127.0.0.1:{port}", (pid,))


@contextmanager
def pycrdt_websocket() -> Iterator[Running]:
    """``pycrdt-websocket`` under uvicorn, with the exception handler that keeps it alive."""
    peer = installed(
        "pycrdt-websocket==0.16.5",
        "pycrdt==0.14.13",
        "uvicorn==0.38.0",
        "websockets==15.0.1",
        "uvloop",
        program="uvicorn",
    )
    port = free_port()
    python = peer.program.with_name("python")
    with _process([str(python), str(_HERE / "pycrdt_server.py"), str(port)], port) as pid:
        yield Running(f"ws://127.0.0.1:{port}", (pid,))


@contextmanager
def aimem_sqlite(data: Path | None = None) -> Iterator[Running]:
    """Our relay as it is without any settings: everything in one SQLite file, synced to disk.

    Args:
        data: its data folder; an empty one unless given.
    """
    with ExitStack() as stack:
        folder = data or stack.enter_context(TemporaryDirectory(prefix="aimem-bench-"))
        pid, url = stack.enter_context(_aimem(str(folder), {}))
        yield Running(url, (pid,), _credential)


@contextmanager
def aimem_postgres() -> Iterator[Running]:
    """Our relay as one pod of a cluster: PostgreSQL, which syncs to disk, and Redis."""
    try:
        database, redis = services.Postgres(), services.Redis()
    except services.Missing as error:
        raise Absent(str(error)) from error
    with ExitStack() as stack:
        for service in (database, redis):
            stack.callback(service.close)
            service.start()
        settings = {
            "AIMEM_RELAY_DATABASE": database.new_database(),
            "AIMEM_RELAY_REDIS": redis.url,
        }
        data = stack.enter_context(TemporaryDirectory(prefix="aimem-bench-"))
        pid, url = stack.enter_context(_aimem(data, settings))
        yield Running(url, (pid, database.pid, redis.pid), _credential)


@contextmanager
def _aimem(data: str, settings: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    port = free_port()
    env = {
        "AIMEM_RELAY_PORT": str(port),
        "AIMEM_RELAY_DATA_DIR": data,
        "AIMEM_RELAY_SECRETS": _SECRET,
        "AIMEM_RELAY_DRAIN_S": "0",
        **settings,
    }
    command = [sys.executable, "-m", "aimem_relay", "serve"]
    with _process(command, port, cwd=cache.ROOT, env=env) as pid:
        yield pid, f"ws://127.0.0.1:{port}"


def _credential(room: str) -> str:
    return tokens.issue(tokens.Token(room, Role.WRITER, 0, tokens.new_id()), _SECRET)


def free_port() -> int:
    """A port of the loopback interface that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def node_modules(name: str, packages: Mapping[str, str]) -> Path:
    """A folder with npm packages in it.

    Raises:
        Absent: if they cannot be installed.
    """
    folder = cache.folder("npm", name)
    if (folder / "complete").is_file():
        return folder
    if not shutil.which("npm") or not shutil.which("node"):
        raise Absent(f"{name} needs node and npm, which are not installed here")
    if os.environ.get("AIMEM_BENCH_OFFLINE"):
        raise Absent(f"{name} is not installed here, and nothing is to be")
    (folder / "package.json").write_text('{"private": true}\n')
    done = subprocess.run(
        ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
        + [f"{package}@{version}" for package, version in packages.items()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=_NPM_TIMEOUT_S,
    )
    if done.returncode:
        raise Absent(f"{name} could not be installed by npm")
    (folder / "complete").touch()
    return folder


@contextmanager
def _process(
    command: Sequence[str],
    port: int,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """A process that listens on ``port``; ended at the end."""
    server = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, server)
        yield server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            if server.poll() is not None:
                raise Absent(f"{server.args!r} ended with code {server.returncode}") from None
            if time.monotonic() > until:
                raise Absent(f"{server.args!r} does not listen") from None
            time.sleep(0.05)


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _with_children(pids: Sequence[int]) -> list[int]:
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            fields = _stat(int(folder.name))
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found, waiting = [], [*pids]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += parents.get(pid, [])
    return found
