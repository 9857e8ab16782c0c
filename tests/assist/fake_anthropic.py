"""A server on this machine that behaves as Anthropic's API is recorded to: ``docs/assist.md``.

It checks requests as the service does (headers, fields, what a schema may say) and answers from
``contract/``. What it does next is set by a test: :attr:`FakeAnthropic.plan` holds one step a
request, and the last one stays.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

CONTRACT = Path(__file__).with_name("contract")
KEY = "sk-ant-api03-a-key-for-tests-only"
_ERRORS = json.loads((CONTRACT / "errors.json").read_text(encoding="utf-8"))
_FIELDS = {"model", "max_tokens", "system", "messages", "output_config"}
_NOT_IN_A_SCHEMA = {"minLength", "maxLength", "maxItems", "minimum", "maximum", "pattern"}

Step = Callable[[web.Request], Awaitable[web.StreamResponse]]


def recorded(name: str) -> dict[str, Any]:
    """An answer of the contract."""
    value: dict[str, Any] = json.loads((CONTRACT / f"{name}.json").read_text(encoding="utf-8"))
    return value


def says(value: object, *, stop: str = "end_turn") -> Step:
    """A message whose text is a JSON value, or a text as it is."""
    message = recorded("answer")
    text = value if isinstance(value, str) else json.dumps(value)
    message["content"][-1]["text"] = text
    message["stop_reason"] = stop
    return sends(message)


def sends(value: object, status: int = 200, **headers: str) -> Step:
    """A JSON body."""

    async def step(_request: web.Request) -> web.StreamResponse:
        return web.json_response(value, status=status, headers={"request-id": "req_1", **headers})

    return step


def fails(status: int, headers: Mapping[str, str] | None = None) -> Step:
    """An error of the contract."""
    body = {"type": "error", "error": _ERRORS[str(status)], "request_id": "req_1"}
    return sends(body, status, **(headers or {}))


def trickles() -> Step:
    """A body that goes on and on, a few bytes at a time, until the other side leaves."""

    async def step(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    return step


def floods() -> Step:
    """A body without an end, as fast as it is read."""

    async def step(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"{" * 65_536)

    return step


def breaks_off() -> Step:
    """A connection that ends in the middle of a body."""

    async def step(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"id": ')
        assert request.transport is not None
        request.transport.abort()
        return response

    return step


def redirects(to: str) -> Step:
    """Somewhere else."""

    async def step(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": to})

    return step


def page() -> Step:
    """What a portal in a hotel answers."""

    async def step(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>Welcome. Please log in.</html>", content_type="text/html")

    return step


@dataclass
class FakeAnthropic:
    """The server, in a thread of its own. Use it as a context manager."""

    plan: list[Step] = field(default_factory=lambda: [sends(recorded("answer"))])
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Every request that came: ``path``, ``headers``, ``body``."""
    tls: ssl.SSLContext | None = None

    def __enter__(self) -> FakeAnthropic:
        started: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)))
        self._thread.start()
        self.port = started.result(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"

    async def _serve(self, started: Future[int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self.tls)
        await site.start()
        started.set_result(runner.addresses[0][1])
        await self._stopping.wait()
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append(
            {
                "path": request.path,
                "headers": {name.lower(): value for name, value in request.headers.items()},
                "body": json.loads(body) if body else None,
            }
        )
        wrong = self._wrong(request)
        if wrong is not None:
            return await wrong(request)
        step = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
        return await step(request)

    def _wrong(self, request: web.Request) -> Step | None:
        """What the service itself would object to."""
        if request.headers.get("x-api-key") != KEY:
            return fails(401)
        if request.headers.get("anthropic-version") != "2023-06-01":
            return fails(400)
        if request.method == "GET" and request.path.startswith("/v1/models/"):
            known = request.path.rpartition("/")[2] == "claude-haiku-5-5"
            return sends(recorded("model")) if known else fails(404)
        if (request.method, request.path) != ("POST", "/v1/messages"):
            return fails(404)
        body = self.requests[-1]["body"]
        fits = (
            set(body) == _FIELDS
            and isinstance(body["max_tokens"], int)
            and [message["role"] for message in body["messages"]] == ["user"]
            and body["output_config"]["format"]["type"] == "json_schema"
            and not _keywords(body["output_config"]["format"]["schema"]) & _NOT_IN_A_SCHEMA
        )
        return None if fits else fails(400)


def _keywords(schema: object) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(_keywords, schema))
    if not isinstance(schema, dict):
        return set()
    names = schema.get("properties", {})
    return set(schema).union(*map(_keywords, schema.values())) - set(names)
