"""Reaching another copy: the websocket, and in words why it cannot be reached or ended."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from http import HTTPStatus

import aiohttp

from aimem_tui.sync.connection import CLOSE_S, Socket
from crdt.session import events as ev
from crdt.session.replica import Limits
from crdt.wire.messages import CloseCode

DIAL_S = 10.0
"""How long the other side may take to answer."""
_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY}
_REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


class CannotDial(Exception):
    """The other side could not be reached.

    Args:
        problem: what is wrong, one sentence.
        hint: what to do.
        permanent: dialling again without a change would end the same way.
    """

    def __init__(
        self, problem: str, hint: str, *, permanent: bool = False, delay_ms: int = 0
    ) -> None:
        super().__init__(f"{problem} {hint}".strip())
        self.problem = problem
        self.hint = hint
        self.permanent = permanent
        self.delay_ms = delay_ms


async def dial(http: aiohttp.ClientSession, url: str, fingerprint: str = "") -> Socket:
    """Open a websocket.

    Args:
        fingerprint: SHA-256 of the only certificate that will do; empty: any that is trusted.

    Raises:
        CannotDial: in words.
    """
    where = _where(url)
    pinned = aiohttp.Fingerprint(bytes.fromhex(fingerprint)) if fingerprint else True
    try:
        async with asyncio.timeout(DIAL_S):
            return await http.ws_connect(
                url,
                ssl=pinned,
                max_msg_size=Limits().max_frame,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
            )
    except aiohttp.ServerFingerprintMismatch as error:
        raise CannotDial(
            f"{where} shows another certificate than the one that you paired with.",
            "If that machine was set up anew, pair again: aimem peer pair. If not, somebody stands"
            " in between.",
            permanent=True,
        ) from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise CannotDial(
            f"The certificate of {where} cannot be trusted: {_certificate_problem(error)}.",
            "Check the address, and this machine's clock and certificates.",
            permanent=True,
        ) from error
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        raise CannotDial(
            f"{where} does not speak TLS.",
            "If it is meant to be reached without, the address begins with ws://.",
            permanent=True,
        ) from error
    except aiohttp.WSServerHandshakeError as error:
        raise _no_websocket(where, error) from error
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError) as error:
        raise CannotDial(f"{url} is not an address.", "Check it.", permanent=True) from error
    except TimeoutError as error:
        raise CannotDial(
            f"{where} does not answer.", "Check the address and your network."
        ) from error
    except (aiohttp.ClientConnectorDNSError, socket.gaierror) as error:
        raise CannotDial(
            f"No computer called {where} is known here.", "Check the address and your network."
        ) from error
    except (aiohttp.ClientError, OSError) as error:
        # The event loop puts its own words where the system's stand; the number is the system's.
        number = error.errno if isinstance(error, OSError) else None
        said = f": {os.strerror(number).lower()}" if number else ""
        raise CannotDial(
            f"{where} cannot be reached{said}.",
            "Check the address, and whether it runs there.",
        ) from error


def why_gone(gone: ev.PeerGone, name: str) -> str:
    """Why a session ended, and what to do, for people.

    Args:
        name: what the other side is called.
    """
    reason = gone.reason.strip()
    said = f" It says: {reason}" if reason and gone.by_peer else ""
    match gone.code:
        case CloseCode.UNAUTHORIZED:
            return (
                f"{name} does not accept the token.{said} Ask for another one, then connect again:"
                " aimem connect URL."
            )
        case CloseCode.FORBIDDEN:
            return f"{name} does not let you in.{said} Ask whoever keeps it."
        case CloseCode.NO_WORKSPACE:
            return (
                f"{name} has another workspace.{said} Connect with the address of this one:"
                " aimem connect URL."
            )
        case CloseCode.BAD_VERSION:
            return f"{name} speaks another version.{said} Update aimem here and there."
        case CloseCode.READ_ONLY:
            return f"{name} does not take changes from you.{said} Ask whoever keeps it."
        case CloseCode.TOO_BIG:
            return f"Something is too large for {name}.{said}"
        case CloseCode.TRY_LATER | CloseCode.TOO_FAST:
            return f"{name} is busy.{said}"
        case CloseCode.GOING_AWAY | CloseCode.NORMAL:
            return f"{name} has closed the connection.{said}"
        case CloseCode.SILENT:
            return f"{name} does not answer any more.{said}"
        case CloseCode.LOST:
            return f"The connection to {name} broke."
        case CloseCode.FORK:
            return f"{name} knows other changes under this copy's name.{said}"
        case _ if gone.permanent:
            return (
                f"{name} and this side do not understand each other: {reason or gone.code.name}"
                f"{'' if reason.endswith('.') else '.'} Update aimem here and there."
            )
        case _:
            return f"{name} has failed.{said}" if gone.by_peer else f"Ended: {reason}"


def _no_websocket(where: str, error: aiohttp.WSServerHandshakeError) -> CannotDial:
    status = error.status
    if status in _BUSY:
        after = error.headers.get("Retry-After", "") if error.headers else ""
        delay = int(after) * 1_000 if after.isdecimal() and len(after) < 5 else 0
        return CannotDial(f"{where} is busy.", "It is tried again.", delay_ms=delay)
    if status in _REFUSALS:
        return CannotDial(
            f"{where} does not let you in.", "Ask whoever keeps it for a token.", permanent=True
        )
    return CannotDial(
        f"{where} answers, but not as a relay does (HTTP {status}).",
        "Check the address.",
        permanent=status < HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def _certificate_problem(error: aiohttp.ClientConnectorCertificateError) -> str:
    inner = error.certificate_error
    said = getattr(inner, "verify_message", "") or str(inner)
    return str(said).rstrip(".")


def _where(url: str) -> str:
    """The computer and port of an address, for people."""
    return url.partition("://")[2].partition("/")[0] or url
