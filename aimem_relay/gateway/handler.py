"""The websocket request of a stock client, and which thoughts are open.

- ``/yjs/{workspace}/{thought}``: as y-websocket builds it from a server's address and a room name.
- The token comes in the header ``Authorization: Bearer``, or, for browsers, which cannot set that,
  as sub-protocol ``aimem.token.<token>``; never in the URL, which ends up in logs. A client that
  offers :data:`SUBPROTOCOL` as well is answered with that, so that the token is not sent back.
- Whoever is refused is told so by a close code on an open websocket: of an answer to the request a
  browser's program sees nothing, and it would ask again for ever.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable

from aiohttp import web

from aimem_relay.access import Denied, Gate
from aimem_relay.admission import Admission
from aimem_relay.config import Config
from aimem_relay.gateway.connection import Connection
from aimem_relay.gateway.places import Place, Places
from aimem_relay.gateway.ports import Limits, Refused, Workspace, Workspaces
from aimem_relay.gateway.thought import Thought
from aimem_relay.metrics import Metrics
from crdt.ids import is_id
from crdt.wire.messages import CloseCode

PATH = "/yjs/{workspace}/{thought}"
SUBPROTOCOL = "aimem.yjs"
TOKEN_PROTOCOL = "aimem.token."

_BEARER = "bearer "
_MAX_REASON = 123
"""Bytes of a close frame's reason (RFC 6455, section 5.5)."""


class _Open:
    """A thought that is open, or being opened."""

    def __init__(self, workspace: str, thought: str) -> None:
        self.key = (workspace, thought)
        self.users = 0
        self.workspace: Workspace | None = None
        self.thought: asyncio.Task[Thought] | None = None
        self.linger: asyncio.TimerHandle | None = None

    @property
    def failed(self) -> bool:
        """Whether it was opened and cannot be served any more."""
        task = self.thought
        if task is None or not task.done() or task.cancelled() or task.exception() is not None:
            return False
        return task.result().failed is not None


class Gateway:
    """Serves stock clients.

    Args:
        gate: decides about access.
        workspaces: what the relay has.
        places: those of the relay; ones of its own unless given.
    """

    def __init__(
        self,
        gate: Gate,
        workspaces: Workspaces,
        limits: Limits | None = None,
        places: Places | None = None,
    ) -> None:
        self._gate = gate
        self._places = places or Places(Admission(Config()), Metrics())
        self._workspaces = workspaces
        self._limits = limits or Limits()
        self._open: dict[tuple[str, str], _Open] = {}
        self._connections: set[Connection] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one client, from its request until it goes."""
        limits = self._limits
        token, protocols = _token_of(request)
        socket = web.WebSocketResponse(
            protocols=protocols,
            heartbeat=limits.ping_s,
            max_msg_size=limits.max_frame,
            compress=False,
            timeout=5.0,
        )
        with self._places.take(request) as place:
            await socket.prepare(request)
            try:
                place.check()
                refused = await self._serve(request, socket, token, place)
            except Refused as error:
                refused = error
            place.greeted()
            place.ended(refused.code)
            if refused.code is not CloseCode.LOST:
                reason = refused.reason.encode()[:_MAX_REASON].decode("utf-8", "ignore")
                await socket.close(code=refused.code.value, message=reason.encode())
        return socket

    async def _serve(
        self, request: web.Request, socket: web.WebSocketResponse, token: bytes, place: Place
    ) -> Refused:
        workspace, thought = request.match_info["workspace"], request.match_info["thought"]
        if not is_id(workspace) or not is_id(thought):
            raise Refused(CloseCode.NO_WORKSPACE, "The address names no thought.")
        decision = await self._gate.check(workspace, token)
        if isinstance(decision, Denied):
            raise Refused(decision.code, decision.reason)
        place.join(workspace)
        opened = self._use(workspace, thought)
        try:
            assert opened.thought is not None
            connection = Connection(
                socket,
                await asyncio.shield(opened.thought),
                decision,
                lambda: self._gate.check(workspace, token),
                self._limits,
            )
            place.greeted()
            self._connections.add(connection)
            try:
                return await connection.run()
            finally:
                self._connections.discard(connection)
        finally:
            self._let_go(opened)

    # Thoughts

    def _use(self, workspace: str, thought: str) -> _Open:
        key = (workspace, thought)
        opened = self._open.get(key)
        if opened is not None and opened.failed:
            self._drop(opened)
            opened = None
        if opened is None:
            opened = self._open[key] = _Open(*key)
            opened.thought = asyncio.create_task(self._open_thought(opened))
        opened.users += 1
        if opened.linger is not None:
            opened.linger.cancel()
            opened.linger = None
        return opened

    async def _open_thought(self, opened: _Open) -> Thought:
        workspace, name = opened.key
        thought: Thought | None = None
        try:
            opened.workspace = await self._workspaces.enter(workspace)
            thought = Thought(opened.workspace, name, self._limits)
            await thought.open()
        except BaseException:
            # The next one who asks begins anew.
            if self._open.get(opened.key) is opened:
                del self._open[opened.key]
            if thought is not None:
                thought.close()
            if opened.workspace is not None:
                opened.workspace.leave()
            raise
        return thought

    def _let_go(self, opened: _Open) -> None:
        opened.users -= 1
        if not opened.users and self._open.get(opened.key) is opened:
            loop = asyncio.get_running_loop()
            opened.linger = loop.call_later(self._limits.linger_s, self._close_thought, opened)

    def _close_thought(self, opened: _Open) -> None:
        """Nobody has come back."""
        assert opened.thought is not None
        if not opened.thought.done():
            opened.thought.cancel()
            return
        thought = opened.thought.result()
        if thought.busy:
            loop = asyncio.get_running_loop()
            opened.linger = loop.call_later(self._limits.linger_s, self._close_thought, opened)
            return
        self._drop(opened)

    def _drop(self, opened: _Open) -> None:
        """Close a thought that was opened."""
        if self._open.get(opened.key) is opened:
            del self._open[opened.key]
        if opened.linger is not None:
            opened.linger.cancel()
        if opened.thought is not None:
            opened.thought.result().close()
        if opened.workspace is not None:
            opened.workspace.leave()

    # The end

    def drop(self, share: float = 1.0) -> int:
        """Ask a share of the clients to come back later, as when this process is to stop.

        Returns:
            How many are left.
        """
        leaving = [*self._connections][: math.ceil(len(self._connections) * share)]
        for connection in leaving:
            self._connections.discard(connection)
            connection.end(CloseCode.GOING_AWAY, "The relay is restarting.")
        return len(self._connections)

    async def close(self) -> None:
        """Drop all clients, and have stored what they have sent."""
        self.drop()
        for opened in [*self._open.values()]:
            task = opened.thought
            if task is None:
                continue
            if not task.done():
                task.cancel()
                continue
            if task.cancelled() or task.exception() is not None:
                continue
            await task.result().drained()
            self._drop(opened)
        self._open.clear()


def _token_of(request: web.Request) -> tuple[bytes, Iterable[str]]:
    """The token that a request brings, and the sub-protocols that are spoken with this client."""
    authorization = request.headers.get("Authorization", "")
    token = ""
    if authorization.lower().startswith(_BEARER):
        token = authorization[len(_BEARER) :].strip()
    offered = [
        part.strip()
        for header in request.headers.getall("Sec-WebSocket-Protocol", [])
        for part in header.split(",")
    ]
    carriers = [one for one in offered if one.startswith(TOKEN_PROTOCOL)]
    if not token and carriers:
        token = carriers[0].removeprefix(TOKEN_PROTOCOL)
    # A browser drops a connection on which nothing is spoken of what it offers.
    spoken = [SUBPROTOCOL] if SUBPROTOCOL in offered else carriers
    return token.encode("utf-8", "replace"), spoken
