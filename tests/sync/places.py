"""What machines meet at: a relay as a process of its own, and a way there that can break."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path

from tests.cli.running import ROOT, environment
from tests.sync.wires import WORKSPACE


class RelayProcess:
    """``python -m aimem_relay`` with its data in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._port = 0
        self.token = self.make_token()

    def __enter__(self) -> RelayProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Run it, on the same port as before if it ran before."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "aimem_relay", "serve"],
            env=self._environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if '"listening"' in line:
                self._port = json.loads(line)["port"]
                return
        raise AssertionError("the relay has not started")

    def stop(self) -> None:
        self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """As a power failure does."""
        self._end(subprocess.Popen.kill)

    def make_token(self, role: str = "writer", *, workspace: str = WORKSPACE) -> str:
        asked = ["token", "--workspace", workspace, "--role", role]
        made = subprocess.run(
            [sys.executable, "-m", "aimem_relay", *asked],
            env=self._environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return made.stdout.strip()

    def _end(self, how: object) -> None:
        if self._process is not None:
            assert callable(how)
            how(self._process)
            self._process.communicate()
            self._process = None

    def _environment(self) -> dict[str, str]:
        return environment(
            {
                "AIMEM_RELAY_DATA_DIR": str(self._folder),
                "AIMEM_RELAY_PORT": str(self._port),
                "AIMEM_RELAY_DRAIN_S": "0",
            }
        )


class Cable:
    """A way to a server that carries so many bytes towards the one who dials, and breaks then."""

    def __init__(self, url: str, *, down: int = 1 << 60, up: int = 1 << 60) -> None:
        self._host, _, port = url.removeprefix("ws://").partition(":")
        self._to = int(port)
        self.left = {"down": down, "up": up}
        self.carried = {"down": 0, "up": 0}
        self.broken = 0
        self.url = ""
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))

    def __enter__(self) -> Cable:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(self._host, self._to)
        except OSError:
            writer.close()
            return
        ways = [
            asyncio.create_task(self._way(reader, back, "up")),
            asyncio.create_task(self._way(there, writer, "down")),
            asyncio.create_task(self._stop.wait()),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for task in ways:
            task.cancel()
        for each in (writer, back):
            each.transport.abort()

    async def _way(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str
    ) -> None:
        while data := await reader.read(4_096):
            self.carried[way] += len(data)
            if self.carried[way] > self.left[way]:
                self.broken += 1
                self.left[way] = 1 << 60
                return
            writer.write(data)
            await writer.drain()
