"""Who else is on this network: machines that listen say so by multicast DNS, and are found by it.

What is told to the network is what anybody in it may know: a name for people, where to connect, the
beginning of the certificate's fingerprint, and a mark of the workspace by which only those who have
it know it. Nothing that is heard is believed: whoever connects compares the whole fingerprint.

The service is ``_aimem._tcp`` (RFC 6763); its TXT record has ``v`` (1), ``name``, ``fp`` (the first
16 hexadecimal digits of the fingerprint) and ``ws`` (the mark, 16 hexadecimal digits).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aimem_tui.errors import Refused
from aimem_tui.sync.remotes import Kind, Remote

if TYPE_CHECKING:
    from zeroconf import ServiceStateChange, Zeroconf
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

SERVICE = "_aimem._tcp.local."
FIND_S = 3.0
"""How long to listen for others, in seconds; most answer within one."""
_ASK_MS = 3_000
_REACH_S = 2.0
_LOCATE_S = 1.0
"""A machine that is there answers much sooner."""
_FINGERPRINT_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Found:
    """A machine that listens."""

    name: str
    addresses: tuple[str, ...]
    port: int
    fingerprint_start: str
    """The first digits of its certificate's fingerprint."""
    mark: str
    """Of its workspace; see :func:`mark_of`."""

    @property
    def address(self) -> str:
        """Where to dial, as ``host:port``."""
        return join_address(self.addresses[0], self.port)


class Advertisement:
    """Says that this machine listens, from :meth:`start` to :meth:`stop`.

    Args:
        addresses: where it listens; told to the networks that these belong to, and to no other.
    """

    def __init__(
        self, *, name: str, addresses: Sequence[str], port: int, fingerprint: str, workspace: str
    ) -> None:
        self._name = name
        self._addresses = list(addresses)
        self._port = port
        self._fingerprint = fingerprint
        self._workspace = workspace
        self._zeroconf: AsyncZeroconf | None = None

    async def start(self) -> None:
        """Begin to answer those who look for machines.

        Raises:
            Refused: if this network cannot be told.
        """
        from zeroconf import Error
        from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

        start, mark = self._fingerprint[:_FINGERPRINT_DIGITS], mark_of(self._workspace)
        label = f"{start}-{mark[:8]}"
        info = AsyncServiceInfo(
            SERVICE,
            f"{label}.{SERVICE}",
            parsed_addresses=self._addresses,
            port=self._port,
            # A text record holds at most 255 bytes.
            properties={
                "v": "1",
                "name": self._name.encode()[:120].decode(errors="ignore"),
                "fp": start,
                "ws": mark,
            },
            server=f"aimem-{label}.local.",
        )
        try:
            self._zeroconf = AsyncZeroconf(interfaces=self._addresses)
            await self._zeroconf.async_register_service(info, allow_name_change=True)
        except (OSError, Error) as error:
            await self.stop()
            raise _unreachable(error) from error

    async def stop(self) -> None:
        """Take it back."""
        if self._zeroconf is not None:
            zeroconf, self._zeroconf = self._zeroconf, None
            await zeroconf.async_unregister_all_services()
            await zeroconf.async_close()


async def find(
    seconds: float = FIND_S,
    *,
    interfaces: Sequence[str] = (),
    until: Callable[[Found], bool] = lambda found: False,
) -> list[Found]:
    """The machines that listen on this network, by name.

    Args:
        seconds: how long to listen.
        interfaces: addresses of this machine in the networks to ask; all if none are given.
        until: the search ends with the first that this holds of.

    Raises:
        Refused: if this network cannot be asked.
    """
    from zeroconf import Error, InterfaceChoice, IPVersion
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

    found: dict[str, Found] = {}
    asked: set[asyncio.Task[None]] = set()
    enough = asyncio.Event()

    async def ask(name: str) -> None:
        info = AsyncServiceInfo(SERVICE, name)
        if await info.async_request(zeroconf.zeroconf, _ASK_MS):
            one = _read(info)
            if one is not None:
                found[name] = one
                if until(one):
                    enough.set()

    def changed(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change.name == "Removed":
            found.pop(name, None)
            return
        task = asyncio.get_running_loop().create_task(ask(name))
        asked.add(task)
        task.add_done_callback(asked.discard)

    try:
        zeroconf = AsyncZeroconf(
            interfaces=list(interfaces) or InterfaceChoice.All,
            ip_version=IPVersion.V4Only if not interfaces else None,
        )
    except (OSError, Error) as error:
        raise _unreachable(error) from error
    try:
        browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE, handlers=[changed])
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await enough.wait()
        await browser.async_cancel()
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        await zeroconf.async_close()
    return sorted(found.values(), key=lambda one: (one.name.casefold(), one.address))


async def locate(remote: Remote) -> str:
    """The present address of a machine that was paired: its network may give it another each day.

    The certificate's fingerprint tells it from all others, here and when it is dialled. Where it
    does not say where it is, the address that was noted stands.
    """
    parts = urlsplit(remote.url)
    host = parts.hostname or ""
    if remote.kind is not Kind.PEER or not remote.fingerprint or _is_loopback(host):
        return remote.url
    mark = mark_of(parts.path.rpartition("/")[2])

    def is_meant(one: Found) -> bool:
        return remote.fingerprint.startswith(one.fingerprint_start) and one.mark == mark

    try:
        found = await find(_LOCATE_S, until=is_meant)
    except Refused:
        return remote.url
    for one in filter(is_meant, found):
        address = host if host in one.addresses else await first_reached(one)
        return parts._replace(netloc=join_address(address, one.port)).geturl()
    return remote.url


async def first_reached(machine: Found) -> str:
    """Of a machine's addresses the first that answers; the first of all if none does."""
    for address in machine.addresses:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_REACH_S):
                _, writer = await asyncio.open_connection(address, machine.port)
            writer.close()
            return address
    return machine.addresses[0]


def mark_of(workspace: str) -> str:
    """What tells a workspace to those who have it, and nothing to others."""
    summary = blake2b(workspace.encode(), digest_size=8, person=b"aimem workspace")
    return summary.hexdigest()


def lan_addresses() -> list[str]:
    """This machine's addresses in local networks, IPv4 first.

    Those are the private ones (RFC 1918) and the unique local ones (RFC 4193); never an address
    that the internet can reach.
    """
    import ifaddr

    found = []
    for adapter in ifaddr.get_adapters():
        for each in adapter.ips:
            address = ip_address(each.ip if isinstance(each.ip, str) else each.ip[0])
            if address.is_private and not (
                address.is_loopback or address.is_link_local or address.is_unspecified
            ):
                found.append(address)
    return [str(one) for one in sorted(set(found), key=lambda one: (one.version, int(one)))]


def join_address(host: str, port: int) -> str:
    """``host:port``, with brackets where the host is an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(info: AsyncServiceInfo) -> Found | None:
    """What a record says; None where it says nothing that can be used."""
    told = {
        key.decode(errors="replace"): (value or b"").decode(errors="replace")
        for key, value in info.properties.items()
    }
    addresses = tuple(info.parsed_scoped_addresses())
    if not addresses or not info.port or len(told.get("fp", "")) != _FINGERPRINT_DIGITS:
        return None
    name = told.get("name") or addresses[0]
    return Found(name, addresses, info.port, told["fp"], told.get("ws", ""))


def _unreachable(error: Exception) -> Refused:
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return Refused(
        "Machines on this network cannot be looked for.",
        why=f"{why}.",
        hint="Connect by address: aimem peer pair HOST:PORT.",
    )
