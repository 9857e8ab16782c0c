"""The relay's port: synchronisation, stock clients, and what an operator's tools ask for.

| path | what |
| --- | --- |
| ``/sync/{workspace}`` | a session of the protocol over a websocket (``docs/protocol.md``) |
| ``/yjs/{workspace}/{thought}`` | one thought for a stock Yjs client (:mod:`aimem_relay.gateway`) |
| ``/health`` | 200 while the process works |
| ``/ready`` | 200 while it can serve; 503 while it stops or the ledger does not store |
| ``/metrics`` | measurements in Prometheus's text format |
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING

from aiohttp import web

from aimem_relay import logging as log
from aimem_relay.errors import RelayError
from aimem_relay.front import SYNC, Front
from aimem_relay.metrics import CONTENT_TYPE
from aimem_relay.relay import Relay
from aimem_relay.websocket import Unfinished, WebSocket
from crdt.ids import is_id
from crdt.wire.messages import CloseCode

if TYPE_CHECKING:
    from aimem_relay.gateway.handler import Gateway

BACKLOG = 1_024
CHECK_S = 2.0
"""How long the ledger may take to answer before the relay is not ready."""
_PATH = SYNC.decode().removeprefix("GET ")


class Server:
    """Listens for a relay.

    Args:
        relay: started before the server, stopped after it.
    """

    def __init__(self, relay: Relay) -> None:
        self.port = 0
        """Where it listens, once it does."""
        self._relay = relay
        self._unfinished = Unfinished(relay.config.unfinished_bytes)
        self._gateway: Gateway | None = None
        self._listening: asyncio.Server | None = None
        self._runner = web.AppRunner(self._app(), access_log=None, handle_signals=False)

    async def start(self) -> None:
        """Listen.

        Raises:
            RelayError: if the address is taken, or the certificate cannot be used.
        """
        config = self._relay.config
        await self._runner.setup()
        http = self._runner.server
        if http is None:
            raise RuntimeError("the application was not set up")
        try:
            context = _tls(config.tls_certificate, config.tls_key)
            self._listening = await asyncio.get_running_loop().create_server(
                lambda: Front(
                    http,
                    self._opened,
                    forwarded_hops=config.forwarded_hops,
                    max_frame=self._relay.limits.max_greeting,
                    unfinished=self._unfinished,
                ),
                config.host,
                config.port,
                ssl=context,
                backlog=BACKLOG,
            )
        except (OSError, ssl.SSLError) as error:
            place = f"{config.host}:{config.port}"
            raise RelayError(f"The relay cannot listen on {place}: {error.strerror}.") from None
        self.port = _port_of(self._listening.sockets)
        log.event("listening", host=config.host, port=self.port, tls=context is not None)

    async def drain(self) -> None:
        """Send everybody away, over the configured time. New connections are told to come back."""
        clients = asyncio.create_task(self._drain_gateway())
        await self._relay.drain()
        await clients

    async def stop(self) -> None:
        """Listen no more; whoever is still connected is dropped."""
        if self._listening is not None:
            self._listening.close()
        if self._gateway is not None:
            await self._gateway.close()
        await self._runner.cleanup()

    async def _drain_gateway(self) -> None:
        """Stock clients come back within a moment, all of them: send them away in parts."""
        if self._gateway is None:
            return
        steps = 10
        for step in range(steps):
            if not self._gateway.drop(1 / (steps - step)):
                return
            await asyncio.sleep(self._relay.config.drain_s / steps)

    # Synchronisation

    def _opened(self, channel: WebSocket, path: str) -> None:
        """A websocket below ``/sync/``."""
        workspace = path.partition("?")[0].removeprefix(_PATH)
        connection = self._relay.accept(channel, workspace)
        channel.attach(connection)
        if not is_id(workspace):
            connection.end(CloseCode.NO_WORKSPACE, "The address names no workspace.")

    # Everything else

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/health", self._health)
        app.router.add_get("/ready", self._ready)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/yjs/{workspace}/{thought}", self._yjs)
        app.on_response_prepare.append(_close_after)
        return app

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _ready(self, request: web.Request) -> web.Response:
        reason = await self._not_ready()
        return web.Response(text=f"{reason or 'ready'}\n", status=503 if reason else 200)

    async def _not_ready(self) -> str:
        relay = self._relay
        if relay.draining:
            return "stopping"
        if relay.committer.problem:
            return "the ledger does not store"
        try:
            async with asyncio.timeout(CHECK_S):
                await relay.ledger.check()
        except Exception:
            return "the ledger does not answer"
        return ""

    async def _metrics(self, request: web.Request) -> web.Response:
        self._relay.metrics.unfinished_bytes.set(self._unfinished.held)
        page = self._relay.measure()
        return web.Response(body=page, headers={"Content-Type": CONTENT_TYPE})

    async def _yjs(self, request: web.Request) -> web.StreamResponse:
        if self._relay.draining:
            raise web.HTTPServiceUnavailable(text="The relay is restarting.\n")
        if self._gateway is None:
            # The document engine is loaded with it; a relay without stock clients needs none.
            from aimem_relay.gateway.handler import Gateway
            from aimem_relay.gateway.places import Places
            from aimem_relay.workspaces import GuestWorkspaces

            relay = self._relay
            places = Places(relay.admission, relay.metrics, relay.config.forwarded_hops)
            self._gateway = Gateway(relay.gate, GuestWorkspaces(relay), places=places)
        return await self._gateway.handle(request)


async def _close_after(request: web.Request, response: web.StreamResponse) -> None:
    """One answer a connection: its next request may be one that aiohttp does not serve."""
    if not isinstance(response, web.WebSocketResponse):
        response.force_close()


def _tls(certificate: str, key: str) -> ssl.SSLContext | None:
    if not certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


def _port_of(sockets: tuple[socket.socket, ...]) -> int:
    return int(sockets[0].getsockname()[1])
