"""Stock clients for tests: y-websocket in node or a browser, told what to do, telling what is."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from tests.gateway.npm import PROGRAMS, environment, node_packages, program

PATIENCE_S = 30
"""How long something that is to happen may take on a busy machine."""


class StockClient:
    """One client, in another process.

    Args:
        tell: passes a command on to it.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self._tell = tell
        self._news = asyncio.Condition()
        self.client = 0
        self.text = ""
        self.meta: dict[str, Any] = {}
        self.people: list[dict[str, Any]] = []
        self.synced = False
        self.status = ""
        self.refused: tuple[int, str] | None = None
        self.dropped: list[int] = []
        self.gone = False

    async def do(self, what: str, **more: Any) -> None:
        """Have it do something."""
        await self._tell({"do": what, **more})

    async def until(self, holds: Callable[[StockClient], Any]) -> Any:
        """Wait until something holds; returns what that is."""
        try:
            async with asyncio.timeout(PATIENCE_S), self._news:
                while not (result := holds(self)):
                    assert not self.gone, "the client has ended"
                    await self._news.wait()
                return result
        except TimeoutError:
            raise AssertionError(f"it never came: {vars(self)}") from None

    def person(self, name: str) -> dict[str, Any] | None:
        """What it sees of somebody."""
        for one in self.people:
            if one["state"].get("user", {}).get("name") == name:
                return one
        return None

    async def happened(self, event: dict[str, Any] | None) -> None:
        """Something has happened to it, or nothing ever will again."""
        async with self._news:
            match event:
                case None:
                    self.gone = True
                case {"event": "client"}:
                    self.client = event["client"]
                case {"event": "text"}:
                    self.text, self.meta = event["text"], event["meta"]
                case {"event": "people"}:
                    self.people = event["people"]
                case {"event": "synced"}:
                    self.synced = event["synced"]
                case {"event": "status"}:
                    self.status = event["status"]
                case {"event": "refused"}:
                    self.refused = event["code"], event["reason"]
                case {"event": "dropped"}:
                    self.dropped.append(event["code"])
            self._news.notify_all()


@asynccontextmanager
async def node_client(options: dict[str, Any]) -> AsyncIterator[tuple[StockClient, Any]]:
    """A client in node, and its process."""
    program("stock.js")
    process = await asyncio.create_subprocess_exec(
        *program("client.js"),
        json.dumps(options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
        limit=1 << 24,
    )
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None

    async def tell(command: dict[str, Any]) -> None:
        stdin.write(json.dumps(command).encode() + b"\n")
        await stdin.drain()

    client = StockClient(tell)

    async def listen() -> None:
        async for line in stdout:
            await client.happened(json.loads(line))
        await client.happened(None)

    listening = asyncio.create_task(listen())
    try:
        yield client, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


@asynccontextmanager
async def browser_client(options: dict[str, Any], folder: Path) -> AsyncIterator[StockClient]:
    """A client on a page in headless chromium, with a folder of its own."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium")
    packages = node_packages() / "node_modules"
    connected: asyncio.Future[StockClient] = asyncio.get_running_loop().create_future()

    async def page(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PROGRAMS / "browser.html")

    async def module(request: web.Request) -> web.StreamResponse:
        root = PROGRAMS if request.match_info["kind"] == "programs" else packages
        path = root / request.match_info["path"]
        # A package's own name for a module has no ending.
        path = path if path.suffix in (".js", ".mjs") else path.with_name(f"{path.name}.js")
        return web.FileResponse(path, headers={"Content-Type": "text/javascript"})

    async def control(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client = StockClient(socket.send_json)
        await socket.send_json(options)
        connected.set_result(client)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await client.happened(message.json())
        await client.happened(None)
        return socket

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/{kind:packages|programs}/{path:.+}", module)
    app.router.add_get("/control", control)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    process = await asyncio.create_subprocess_exec(
        chromium,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
        f"--user-data-dir={folder}",
        f"http://{host}:{port}/",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(2 * PATIENCE_S):
            client = await connected
        yield client
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await runner.cleanup()
