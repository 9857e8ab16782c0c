"""Machines on one network find each other, and tell it no more than they must."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import ip_address

import pytest

from aimem_tui.sync.peer import discovery
from aimem_tui.sync.peer.discovery import Advertisement, Found, find, lan_addresses, locate, mark_of
from aimem_tui.sync.remotes import Kind, Remote
from tests.peer.machines import LOOPBACK
from tests.peer.multicast import needs_multicast

FINGERPRINT = "0123456789abcdef" * 4
WORKSPACE = "c" * 32
SECONDS = 30.0


def advertisement(name: str = "Ann's laptop", fingerprint: str = FINGERPRINT) -> Advertisement:
    return Advertisement(
        name=name,
        addresses=[LOOPBACK],
        port=8788,
        fingerprint=fingerprint,
        workspace=WORKSPACE,
    )


def is_it(fingerprint: str = FINGERPRINT) -> Callable[[Found], bool]:
    return lambda found: fingerprint.startswith(found.fingerprint_start)


@needs_multicast
async def test_a_machine_that_listens_is_found_with_name_and_address() -> None:
    said = advertisement()
    await said.start()
    try:
        found = await find(SECONDS, interfaces=[LOOPBACK], until=is_it())
    finally:
        await said.stop()
    (ann,) = [one for one in found if FINGERPRINT.startswith(one.fingerprint_start)]
    assert ann.name == "Ann's laptop"
    assert ann.address == f"{LOOPBACK}:8788"
    assert ann.mark == mark_of(WORKSPACE)


@needs_multicast
async def test_a_name_of_any_kind_and_length_is_told() -> None:
    said = advertisement(name="Zoë’s 💻 " * 40)
    await said.start()
    try:
        found = await find(SECONDS, interfaces=[LOOPBACK], until=is_it())
    finally:
        await said.stop()
    assert any(one.name.startswith("Zoë’s 💻 Zoë’s") for one in found)


@needs_multicast
async def test_a_machine_that_stops_is_found_no_more() -> None:
    fingerprint = "fedcba9876543210" * 4
    said = advertisement(fingerprint=fingerprint)
    await said.start()
    await said.stop()
    found = await find(0.5, interfaces=[LOOPBACK], until=is_it(fingerprint))
    assert not any(fingerprint.startswith(one.fingerprint_start) for one in found)


@needs_multicast
async def test_two_machines_are_told_apart() -> None:
    other = "77" * 32
    first, second = advertisement("Ann"), advertisement("Ben", other)
    await asyncio.gather(first.start(), second.start())
    try:
        for fingerprint, name in ((FINGERPRINT, "Ann"), (other, "Ben")):
            found = await find(SECONDS, interfaces=[LOOPBACK], until=is_it(fingerprint))
            assert name in [one.name for one in found]
    finally:
        await asyncio.gather(first.stop(), second.stop())


def remote(host: str, *, port: int = 8788, kind: Kind = Kind.PEER, pinned: str = "") -> Remote:
    url = f"wss://{discovery.join_address(host, port)}/sync/{WORKSPACE}"
    return Remote("ann", url, kind, pinned or FINGERPRINT)


async def heard(*machines: Found) -> list[Found]:
    return list(machines)


async def test_a_machine_that_has_moved_is_dialled_where_it_is_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the network says is made up here; that it says so is tested above."""
    start, mark = FINGERPRINT[:16], mark_of(WORKSPACE)
    stranger = Found("eve", ("10.0.0.9",), 1, "77" * 8, mark)
    other = Found("ann", ("10.0.0.8",), 2, start, mark_of("d" * 32))
    ann = Found("ann", ("10.0.0.7", "fd00::7"), 8789, start, mark)

    async def reached(machine: Found) -> str:
        return machine.addresses[-1]

    monkeypatch.setattr(discovery, "first_reached", reached)
    monkeypatch.setattr(discovery, "find", lambda *_, **__: heard(stranger, other, ann))
    for host, now in (("10.0.0.5", "[fd00::7]"), ("10.0.0.7", "10.0.0.7")):
        assert await locate(remote(host)) == f"wss://{now}:8789/sync/{WORKSPACE}"
    monkeypatch.setattr(discovery, "find", lambda *_, **__: heard(stranger, other))
    assert await locate(remote("10.0.0.5")) == remote("10.0.0.5").url


@pytest.mark.parametrize(
    "elsewhere",
    [
        remote("127.0.0.1"),
        remote("localhost"),
        remote("::1"),
        remote("relay.example.org", kind=Kind.RELAY),
    ],
)
async def test_nobody_asks_the_network_for_what_is_not_in_it(
    monkeypatch: pytest.MonkeyPatch, elsewhere: Remote
) -> None:
    def asked(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(discovery, "find", asked)
    assert await locate(elsewhere) == elsewhere.url


def test_the_network_does_not_learn_the_workspace() -> None:
    mark = mark_of(WORKSPACE)
    assert len(mark) == 16
    assert mark not in WORKSPACE
    assert mark_of("d" * 32) != mark


def test_lan_addresses_are_none_that_the_internet_reaches() -> None:
    for address in map(ip_address, lan_addresses()):
        assert address.is_private
        assert not address.is_loopback
        assert not address.is_link_local


def test_an_address_is_written_so_that_it_can_be_dialled() -> None:
    assert discovery.join_address("10.0.0.1", 80) == "10.0.0.1:80"
    assert discovery.join_address("fd00::2", 80) == "[fd00::2]:80"
