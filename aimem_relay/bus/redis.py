"""The bus over Redis pub/sub.

One channel a workspace, and one for what concerns all pods. What is to be told is collected for a
few milliseconds and goes out in one pipeline; hints of one workspace fall together. When Redis is
away nothing is kept: pods poll meanwhile and tell everything anew afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from aimem_relay import logging as log
from aimem_relay.bus.port import Heard, Hint, Message, Watching

PREFIX = "aimem:relay:"
COLLECT_S = 0.002
MOST_WAITING = 10_000
"""Messages that wait to be sent; more are dropped."""
ANSWER_S = 5.0
"""After so long without an answer Redis counts as away."""


class RedisBus:
    """A :class:`aimem_relay.bus.port.Bus` between the pods that use one Redis server.

    Args:
        url: of the server, with its credentials if it asks for any.
    """

    alone = False

    def __init__(self, url: str) -> None:
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            health_check_interval=2,
            single_connection_client=False,
        )
        self._decoder = msgspec.msgpack.Decoder(Message)
        self._encode = msgspec.msgpack.Encoder().encode
        self._watched: set[str] = {""}
        self._changes: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
        self._hints: dict[str, Hint] = {}
        self._waiting: list[tuple[str, bytes]] = []
        self._something = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.connected = False

    async def start(self, heard: Heard, watching: Watching) -> None:
        """See :meth:`aimem_relay.bus.port.Bus.start`."""
        self._tasks = [
            asyncio.create_task(self._listen(heard, watching)),
            asyncio.create_task(self._send()),
        ]

    async def close(self) -> None:
        """See :meth:`aimem_relay.bus.port.Bus.close`."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(RedisError, OSError):
            await self._redis.aclose()

    def watch(self, workspace: str) -> None:
        """See :meth:`aimem_relay.bus.port.Bus.watch`."""
        self._watched.add(workspace)
        self._changes.put_nowait((workspace, True))

    def unwatch(self, workspace: str) -> None:
        """See :meth:`aimem_relay.bus.port.Bus.unwatch`."""
        self._watched.discard(workspace)
        self._changes.put_nowait((workspace, False))

    def tell(self, workspace: str, message: Message) -> None:
        """See :meth:`aimem_relay.bus.port.Bus.tell`."""
        if not self.connected:
            return
        if isinstance(message, Hint):
            self._hints[workspace] = message
        elif len(self._waiting) < MOST_WAITING:
            self._waiting.append((workspace, self._encode(message)))
        self._something.set()

    async def _send(self) -> None:
        while True:
            await self._something.wait()
            await asyncio.sleep(COLLECT_S)
            self._something.clear()
            messages, self._waiting = self._waiting, []
            hints, self._hints = self._hints, {}
            messages += [(one, self._encode(hint)) for one, hint in hints.items()]
            if not self.connected:
                continue
            try:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for workspace, data in messages:
                        pipeline.publish(PREFIX + workspace, data)
                    await pipeline.execute()
            except (RedisError, OSError):
                self._lost()

    async def _listen(self, heard: Heard, watching: Watching) -> None:
        wait = 0.1
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    while not self._changes.empty():
                        self._changes.get_nowait()
                    await pubsub.subscribe(*(PREFIX + one for one in self._watched))
                    if not self.connected:
                        self.connected = True
                        log.event("bus connected")
                    wait = 0.1
                    await self._follow(pubsub, heard, watching)
            except (RedisError, OSError):
                self._lost()
            await asyncio.sleep(random.uniform(wait / 2, wait))
            wait = min(2 * wait, 2.0)

    async def _follow(self, pubsub: PubSub, heard: Heard, watching: Watching) -> None:
        """Pass on what comes, and watch what is to be watched, until the connection breaks."""
        subscribing = asyncio.create_task(self._keep_watching(pubsub))
        try:
            # What could not be told has to be told anew, and so does everything: start over.
            while self.connected and not subscribing.done():
                found = await pubsub.get_message(timeout=1.0)
                if found is None:
                    continue
                workspace = found["channel"].decode("ascii", "replace").removeprefix(PREFIX)
                if found["type"] == "subscribe":
                    watching(workspace)
                elif found["type"] == "message":
                    self._pass_on(workspace, found["data"], heard)
            if subscribing.done():
                subscribing.result()
        finally:
            subscribing.cancel()

    async def _keep_watching(self, pubsub: PubSub) -> None:
        while True:
            workspace, on = await self._changes.get()
            if on:
                await pubsub.subscribe(PREFIX + workspace)
            else:
                await pubsub.unsubscribe(PREFIX + workspace)

    def _pass_on(self, workspace: str, data: bytes, heard: Heard) -> None:
        try:
            message: Message = self._decoder.decode(data)
        except msgspec.DecodeError:
            log.event("a message on the bus is none", logging.WARNING)
            return
        heard(workspace, message)

    def _lost(self) -> None:
        if self.connected:
            self.connected = False
            log.event("bus lost", logging.WARNING)
        self._waiting.clear()
        self._hints.clear()
