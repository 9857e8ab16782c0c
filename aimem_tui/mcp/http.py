"""Serving any number of clients of this machine over HTTP.

- Listens on the loopback interface and nowhere else; TLS would protect from nobody there.
- A page in a browser can reach it, too: a request for another host, or from another origin, is
  refused before anything else is looked at, and all need the token.
- A client that ends without a word is forgotten after half an hour.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings

from aimem_tui.errors import Refused
from aimem_tui.mcp import token
from aimem_tui.mcp.server import make

if TYPE_CHECKING:
    from collections.abc import Awaitable, MutableMapping

    from aimem_tui.mcp.desk import Desk

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOST = "127.0.0.1"
PATH = "/mcp"
_BODY_LIMIT = 4 << 20
"""Bytes of a request; a text of the largest size fits, escaped."""
_SESSIONS = 200
_GRACE_S = 5


def serve(desk: Desk, secret: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until a signal comes.

    Args:
        secret: the token that clients have to show.
        port: 0 for any that is free.
        say: told where the server is, once it listens.

    Raises:
        Refused: if the port is taken.
    """
    listening = _listen(port)
    with listening:
        port = listening.getsockname()[1]
        say(f"http://{HOST}:{port}{PATH}")
        config = uvicorn.Config(
            guarded(desk, secret, port),
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=_GRACE_S,
            limit_concurrency=4 * _SESSIONS,
        )
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:
            pass
        finally:
            desk.close()


def guarded(desk: Desk, secret: str, port: int) -> App:
    """The application, behind the checks of host, origin and token."""
    hosts = [f"{name}:{port}" for name in (HOST, "localhost", "[::1]")]
    origins = [f"http://{host}" for host in hosts]
    inner: App = make(desk).streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        max_request_body_size=_BODY_LIMIT,
        max_sessions=_SESSIONS,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=origins
        ),
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await inner(scope, receive, send)
            return
        if (problem := _problem(scope, secret, hosts, origins)) is not None:
            await _refuse(send, *problem)
            return
        await inner(scope, receive, send)

    return app


def _problem(
    scope: Scope, secret: str, hosts: list[str], origins: list[str]
) -> tuple[int, str] | None:
    """Why a request is refused, with its status; None if it is not."""
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    if len(headers.get("host", [])) != 1 or headers["host"][0].lower() not in hosts:
        return 421, "This is not the host that was asked for."
    if any(origin.lower() not in origins for origin in headers.get("origin", [])):
        return 403, "Pages from elsewhere may not come in."
    if scope["path"] != PATH:
        return 404, f"There is only {PATH}."
    shown = headers.get("authorization", [])
    if len(shown) != 1 or not token.matches(secret, shown[0]):
        return 401, "The token is missing or wrong. See: aimem mcp --help."
    return None


async def _refuse(send: Send, status: int, why: str) -> None:
    body = f"{why}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        # The rest of what the client sends is not read.
        (b"connection", b"close"),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(100)
    except OSError as error:
        listening.close()
        raise Refused(
            f"Nothing can listen at port {port}.",
            why=f"{error.strerror}.",
            hint="Choose another: aimem mcp --http --port N.",
        ) from error
    return listening
