"""Real PostgreSQL and Redis servers for tests and benchmarks.

Each lives in a temporary folder of its own and listens on a free port of the loopback interface
only. They are stopped by their process id. PostgreSQL refuses to run as root; there it runs as the
user ``nobody``.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

StopMode = Literal["fast", "immediate"]
_START_SECONDS = 60


class Missing(Exception):
    """A program is not installed."""


class _Service:
    """A server process in a folder."""

    def __init__(self) -> None:
        self.port = _free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="aimem-service."))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Service:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether the server is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it answers."""
        if self.running:
            return
        deadline = time.monotonic() + _START_SECONDS
        while not self._try_to_start(deadline):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{type(self).__name__} does not start:\n{self._complaints()}")

    def kill(self) -> None:
        """End the server without a chance to do anything more (SIGKILL)."""
        self._signal(signal.SIGKILL)

    def pause(self) -> None:
        """Let the server stand still (SIGSTOP)."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a server that stands still go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End the server and remove its folder."""
        if self.running:
            self._signal(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _try_to_start(self, deadline: float) -> bool:
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log)
        while self.running and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(0.02)
        # What a killed server has left behind may be in the way for a moment.
        time.sleep(0.1)
        return False

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(_START_SECONDS)

    def _complaints(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")[-4_000:]

    def _command(self) -> Sequence[str]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError


class Postgres(_Service):
    """A PostgreSQL server.

    Args:
        settings: of ``postgresql.conf``, as ``name=value``.

    Raises:
        Missing: if PostgreSQL is not installed.
    """

    def __init__(self, *settings: str) -> None:
        self._bin = _postgres_folder()
        self._prefix: list[str] = []
        self._settings = settings
        self._databases = 0
        super().__init__()
        if os.geteuid() == 0:
            import pwd  # Only where there are users of this kind.

            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            setpriv = _program("setpriv")
            self._prefix = [
                setpriv,
                f"--reuid={nobody.pw_uid}",
                f"--regid={nobody.pw_gid}",
                "--clear-groups",
            ]
        self._run("initdb", "-D", str(self._data), "-U", "aimem", "-A", "trust", "--no-sync")

    def new_database(self) -> str:
        """Make an empty database; returns its URL."""
        self._databases += 1
        name = f"test{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "aimem", name)
        return f"postgresql://aimem@127.0.0.1:{self.port}/{name}"

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server; after ``immediate`` it has to recover as after a crash."""
        self._signal(signal.SIGINT if mode == "fast" else signal.SIGQUIT)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _command(self) -> Sequence[str]:
        settings = (
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
            "max_connections=60",
            *self._settings,
        )
        return [
            *self._prefix,
            str(self._bin / "postgres"),
            "-D",
            str(self._data),
            "-p",
            str(self.port),
            *(word for setting in settings for word in ("-c", setting)),
        ]

    def _answers(self) -> bool:
        ask = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ask, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._prefix, str(self._bin / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")


class Redis(_Service):
    """A Redis server that keeps nothing on disk.

    Raises:
        Missing: if Redis is not installed.
    """

    def __init__(self) -> None:
        self._program = _program("redis-server")
        super().__init__()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        """Stop the server."""
        self._signal(signal.SIGTERM)

    def _command(self) -> Sequence[str]:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
        }
        return [self._program, *(word for k, v in options.items() for word in (f"--{k}", v))]

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _postgres_folder() -> Path:
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    # Debian keeps each version in a folder of its own, none of them in the path.
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_version)
    if not versions:
        raise Missing("PostgreSQL is not installed")
    return versions[-1].parent


def _version(program: Path) -> float:
    return float(program.parts[-3])


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
