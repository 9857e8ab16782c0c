"""The side that answers: other machines connect here, and pair here.

- It lets in who has a token that was given out by pairing, and nobody else. Who is forgotten, or
  whose time is over, is shown out within a second.
- It listens on the addresses that it is given, never on others. It encrypts everything (TLS) with
  the certificate of this device.
- What connections do is the exchange's: the entries of one machine go on to all others, whoever has
  made them, so two machines that never meet agree by a third.
- One pairing at a time, and only while somebody is there to compare codes (``agree``).
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address

from aiohttp import web

from aimem_tui.errors import AimemError, BadInput, Refused, StorageError
from aimem_tui.sync.connection import CLOSE_S
from aimem_tui.sync.exchange import Admitted, Denied, Exchange
from aimem_tui.sync.link import Link
from aimem_tui.sync.peer import meeting, tls
from aimem_tui.sync.peer.admission import Admission, Admissions
from aimem_tui.sync.peer.discovery import Advertisement, join_address, lan_addresses
from aimem_tui.sync.peer.pairing import MAX_FRAME, Answering, BothAgree, Granted
from aimem_tui.sync.peer.tls import Certificate
from crdt.session import events as ev
from crdt.session.replica import Limits
from crdt.wire.messages import CloseCode, Role

PORT = 8_788
"""Where a machine listens unless told otherwise."""
YEAR_MS = 365 * 86_400_000
MOST_GUESTS = 64
"""So many connections, those that have not said yet who they are included."""
_WATCH_S = 0.5
_UNKNOWN = "This machine does not know you, or no longer. Pair again: aimem peer pair."


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms pairing lets machines in."""

    role: Role = Role.WRITER
    """The most that one may be."""
    lifetime_ms: int = YEAR_MS
    """How long it may come in; 0: for ever."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is offered, and where."""

    workspace: str
    """The id of the workspace."""
    workspace_name: str
    name: str
    """What this machine calls itself."""
    addresses: Sequence[str]
    """IP addresses of this machine."""
    port: int = PORT
    """0: any that is free."""
    advertised: bool = True
    """Whether the network is told."""


@dataclass(eq=False, slots=True)
class _Guest:
    link: Link
    admission: Admission | None = None


class PeerListener:
    """Listens from :meth:`start` to :meth:`stop`, in the event loop of the exchange.

    Args:
        exchange: of the workspace; outlives this.
        clock: ms since the Unix epoch.
        agree: asks the person here whether the other machine shows the same code; None: nobody is
            here, so nobody is paired.
        on_paired: told who was let in.
        on_failed: told why a pairing came to nothing.
    """

    def __init__(
        self,
        exchange: Exchange,
        place: Place,
        *,
        admissions: Admissions,
        certificate: Certificate,
        clock: Callable[[], int],
        terms: Terms | None = None,
        agree: meeting.Agree | None = None,
        on_paired: Callable[[Admission], None] = lambda admission: None,
        on_failed: Callable[[AimemError], None] = lambda error: None,
    ) -> None:
        self.place = place
        self.port = place.port
        """Where it listens, once it does."""
        self.not_told: Refused | None = None
        """Why the network could not be told."""
        self._exchange = exchange
        self._admissions = admissions
        self._certificate = certificate
        self._clock = clock
        self._terms = terms or Terms()
        self._agree = agree
        self._on_paired = on_paired
        self._on_failed = on_failed
        self._guests: set[_Guest] = set()
        self._pairing = False
        self._closing = False
        self._runner: web.AppRunner | None = None
        self._advertisement: Advertisement | None = None
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            Refused: if somebody else listens there.
            BadInput: if an address is not this machine's.
            StorageError: if the certificate cannot be used.
        """
        app = web.Application()
        app.router.add_get("/sync/{workspace}", self._sync)
        app.router.add_get(meeting.PATH, self._pair)
        context = tls.server_context(self._certificate)
        runner = self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=CLOSE_S
        )
        await runner.setup()
        try:
            for address in self.place.addresses:
                site = web.TCPSite(runner, address, self.port, ssl_context=context)
                await self._listen(site, address)
                # Where any port will do, all addresses get the same.
                self.port = runner.addresses[0][1]
        except BaseException:
            await self.stop()
            raise
        self._watching = asyncio.create_task(self._watch())
        if self.place.advertised:
            await self._advertise()

    async def stop(self) -> None:
        """Tell everybody, and stop listening."""
        self._closing = True
        if self._advertisement is not None:
            await self._advertisement.stop()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        for guest in self._guests:
            _show_out(guest, CloseCode.GOING_AWAY, "This machine stops listening.")
        if self._runner is not None:
            await self._runner.cleanup()

    async def run(self, on_problem: Callable[[AimemError], None]) -> None:
        """Listen until cancelled, beside what else the exchange does.

        Args:
            on_problem: told why nobody can listen, where that is so; then this returns.
        """
        try:
            await self.start()
        except AimemError as error:
            on_problem(error)
            return
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    @property
    def addresses(self) -> list[str]:
        """Where others reach this machine."""
        named = [one for one in self.place.addresses if not ip_address(one).is_unspecified]
        return named or lan_addresses()

    @property
    def guests(self) -> tuple[str, ...]:
        """The names of those who are connected, by name."""
        connected = self._exchange.links
        names = (
            one.admission.name for one in self._guests if one.admission and one.link in connected
        )
        return tuple(sorted(names))

    async def _advertise(self) -> None:
        advertisement = Advertisement(
            name=self.place.name,
            addresses=self.addresses,
            port=self.port,
            fingerprint=self._certificate.fingerprint.hex(),
            workspace=self.place.workspace,
        )
        try:
            await advertisement.start()
        except Refused as error:
            # Who knows the address can connect all the same.
            self.not_told = error
        else:
            self._advertisement = advertisement

    async def _listen(self, site: web.TCPSite, address: str) -> None:
        try:
            await site.start()
        except (OSError, OverflowError) as error:
            number = error.errno if isinstance(error, OSError) else None
            if number == errno.EADDRINUSE:
                raise Refused(
                    f"Something listens at {join_address(address, self.port)} already.",
                    hint="Stop it, or choose another port: aimem peer --port PORT.",
                ) from error
            if number in (errno.EACCES, errno.EPERM):
                raise Refused(
                    f"You may not listen at {join_address(address, self.port)}.",
                    hint="Choose a port above 1023: aimem peer --port PORT.",
                ) from error
            raise BadInput(
                f"Nobody can listen at {join_address(address, self.port)}.",
                why=f"{address} is not an address of this machine."
                if number == errno.EADDRNOTAVAIL
                else str(error),
            ) from error

    # Connections

    async def _sync(self, request: web.Request) -> web.StreamResponse:
        if self._closing or len(self._guests) >= MOST_GUESTS:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(
            max_msg_size=Limits().max_frame, timeout=CLOSE_S, compress=False
        )
        await socket.prepare(request)
        guest = _Guest(Link(request.remote or "somebody"))
        self._guests.add(guest)
        try:
            await self._exchange.ready.wait()
            await self._exchange.answer(socket, guest.link, partial(self._decide, guest))
        except StorageError as error:
            with suppress(ConnectionError):
                await socket.close(code=CloseCode.TRY_LATER.value, message=_short(error))
        finally:
            self._guests.discard(guest)
        return socket

    async def _decide(self, guest: _Guest, hello: ev.HelloReceived) -> Admitted | Denied:
        try:
            found = self._admissions.find(hello.credential, self._clock())
        except StorageError:
            return Denied(CloseCode.TRY_LATER, "This machine cannot read who may connect.")
        if found is None:
            return Denied(CloseCode.UNAUTHORIZED, _UNKNOWN)
        if self._closing:
            return Denied(CloseCode.GOING_AWAY, "This machine stops listening.")
        guest.admission = found
        guest.link.name = found.name
        return Admitted(_lesser(found.role, hello.role), found.expires)

    async def _watch(self) -> None:
        """Show out those who may not be here any more."""
        while True:
            await asyncio.sleep(_WATCH_S)
            if not any(guest.admission for guest in self._guests):
                continue
            with suppress(StorageError):
                now = self._clock()
                welcome = {one.digest for one in self._admissions.all() if one.holds(now)}
                for guest in self._guests:
                    if guest.admission is not None and guest.admission.digest not in welcome:
                        _show_out(guest, CloseCode.UNAUTHORIZED, _UNKNOWN)

    # Pairing

    async def _pair(self, request: web.Request) -> web.StreamResponse:
        if self._agree is None:
            raise web.HTTPForbidden
        if self._closing or self._pairing:
            raise web.HTTPServiceUnavailable
        self._pairing = True
        try:
            socket = web.WebSocketResponse(max_msg_size=MAX_FRAME, timeout=CLOSE_S, compress=False)
            await socket.prepare(request)
            await self._meet(socket, self._agree)
            return socket
        finally:
            self._pairing = False

    async def _meet(self, socket: web.WebSocketResponse, agree: meeting.Agree) -> None:
        machine = Answering(self._certificate.fingerprint, self.place.name)
        let_in: list[Admission] = []

        def act(event: BothAgree | Granted) -> None:
            assert isinstance(event, BothAgree)
            now, lifetime = self._clock(), self._terms.lifetime_ms
            token, admission = self._admissions.issue(
                event.name,
                _lesser(self._terms.role, event.role),
                now=now,
                expires=now + lifetime if lifetime else 0,
            )
            let_in.append(admission)
            place = self.place
            machine.grant(
                token,
                place.workspace,
                place.workspace_name,
                admission.role,
                admission.expires,
            )

        paired = False
        try:
            await meeting.drive(socket, machine, agree, act)
            paired = True
            self._on_paired(let_in[0])
        except AimemError as error:
            self._on_failed(error)
        finally:
            if not paired:
                # The other machine has not said that it has kept what it got.
                with suppress(StorageError):
                    for admission in let_in:
                        self._admissions.forget(admission.name)
            with suppress(ConnectionError):
                await socket.close()


def _show_out(guest: _Guest, code: CloseCode, reason: str) -> None:
    connection = guest.link.connection
    if connection is not None:
        connection.close(code, reason)


def _lesser(one: Role, other: Role) -> Role:
    return Role.WRITER if one is other is Role.WRITER else Role.READER


def _short(error: StorageError) -> bytes:
    """What fits into the close of a websocket."""
    return error.what.encode()[:120].decode(errors="ignore").encode()
