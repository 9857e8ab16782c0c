"""The places that stock clients take: the same ones as connections of the protocol.

A client is counted from its request until it has gone, also where it is refused; as one that is
being let in until it goes to a workspace; and from then on as one of that workspace.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from aimem_relay.admission import Admission, Refusal
from aimem_relay.front import address_of
from aimem_relay.gateway.ports import Refused
from aimem_relay.metrics import Metrics
from crdt.wire.messages import CloseCode


class Places:
    """Gives out places.

    Args:
        forwarded_hops: how many proxies stand before the relay.
    """

    def __init__(self, admission: Admission, metrics: Metrics, forwarded_hops: int = 0) -> None:
        self._admission = admission
        self._metrics = metrics
        self._forwarded_hops = forwarded_hops

    @contextmanager
    def take(self, request: web.Request) -> Iterator[Place]:
        """A place for a client, whether there is one or not, to the end of the block."""
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
        peer = request.get_extra_info("peername")
        address = address_of(peer, forwarded, self._forwarded_hops)
        place = Place(self._admission, self._metrics, self._admission.enter(address))
        try:
            yield place
        finally:
            place.leave()
            self._admission.leave(address)


class Place:
    """What one client has taken."""

    def __init__(self, admission: Admission, metrics: Metrics, refusal: Refusal | None) -> None:
        self._admission = admission
        self._metrics = metrics
        self._refusal = refusal
        self._greeting = True
        self._workspace = ""

    def check(self) -> None:
        """Make sure that there is one.

        Raises:
            Refused: if there is not.
        """
        if self._refusal is not None:
            self._metrics.turned_away.labels(self._refusal.cause).inc()
            raise Refused(CloseCode.TRY_LATER, self._refusal.reason)

    def join(self, workspace: str) -> None:
        """Go to a workspace, now that the client may.

        Raises:
            Refused: if there is no place in it.
        """
        self._refusal = self._admission.join(workspace)
        self.check()
        self._workspace = workspace

    def greeted(self) -> None:
        """The client is served from now on, or will not be."""
        if self._greeting:
            self._greeting = False
            self._admission.greeted()

    def ended(self, code: CloseCode) -> None:
        """Count how it ended."""
        self._metrics.closed.labels(code.name.lower()).inc()

    def leave(self) -> None:
        """Give back what was taken."""
        self.greeted()
        if self._workspace:
            self._admission.quit(self._workspace)
            self._workspace = ""
