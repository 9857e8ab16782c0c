"""A session over a real websocket, as the dialling and as the answering side drive it."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from aimem_tui.sync import connection as module
from aimem_tui.sync.connection import Connection
from crdt.document import ThoughtDocument
from crdt.session import events as ev
from crdt.session.replica import Limits
from crdt.wire.messages import CloseCode
from tests.simulation.disk import Disk
from tests.sync.wires import WORKSPACE, A, B, Side, connected, disk

THOUGHT = "01" * 16


def grow(copy: Disk, edits: int, *, size: int = 10) -> None:
    """A thought in a copy, with so many edits."""
    doc, update = ThoughtDocument.create(7, path="a.md", text="# A\n", at=1, by="ann")
    updates = [update]
    doc.on_update(updates.append)
    for number in range(edits - 1):
        doc.replace_text(f"# A\n{Random(number).randbytes(size).hex()}")
    for each in updates:
        copy.append([copy.make(THOUGHT, each, at=1)])


async def test_both_sides_end_with_everything_and_know_it():
    one, two = Side(disk(A)), Side(disk(B))
    grow(one.disk, 50)
    async with connected(one, two):
        await one.until(lambda: ev.Acknowledged(50) in one.events)
    assert two.disk.vector() == one.disk.vector()
    assert one.connection is not None and two.connection is not None
    assert two.connection.traffic.bytes_received <= one.connection.traffic.bytes_sent


async def test_what_is_committed_later_goes_out_when_the_session_is_told():
    one, two = Side(disk(A)), Side(disk(B))
    async with connected(one, two):
        await one.until(lambda: bool(one.of(ev.Acknowledged)))
        grow(one.disk, 3)
        assert one.connection is not None
        one.connection.session.log_grew()
        one.connection.wake()
        await two.until(lambda: two.disk.vector() == one.disk.vector())


async def test_the_reason_of_a_refusal_arrives_even_with_frames_unread():
    one, two = Side(disk(A)), Side(disk(B))
    two.on_hello = lambda connection: connection.close(CloseCode.UNAUTHORIZED, "Who are you?")
    async with connected(one, two) as running:
        gone = await running
    assert (gone.code, gone.reason, gone.permanent) == (
        CloseCode.UNAUTHORIZED,
        "Who are you?",
        True,
    )


async def test_another_workspace_is_refused():
    one, two = Side(disk(A)), Side(disk(B, workspace="bb" * 16))
    assert two.disk.workspace != WORKSPACE
    async with connected(one, two) as running:
        gone = await running
    assert gone.code is CloseCode.NO_WORKSPACE


async def test_a_peer_that_floods_is_not_read_while_too_much_waits_to_be_stored(monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING_BYTES", 20_000)
    one, two = Side(disk(A), Limits(batch_bytes=4_000)), Side(disk(B), storing=False)
    grow(one.disk, 200, size=2_000)
    async with connected(one, two) as running:
        await two.until(lambda: two.waiting_bytes > 20_000)
        assert two.connection is not None
        received = two.connection.traffic.bytes_received
        for _ in range(50):
            await asyncio.sleep(0)
        assert two.waiting_bytes < 30_000
        assert two.connection.traffic.bytes_received == received
        two.store_what_waits()
        await two.until(lambda: two.disk.vector() == one.disk.vector())
        assert not running.done()


@pytest.mark.parametrize("cut", ["dialler", "answerer"])
async def test_a_broken_connection_is_noticed_on_both_sides(cut):
    one, two = Side(disk(A)), Side(disk(B))
    async with connected(one, two) as running:
        await one.until(lambda: bool(one.of(ev.Acknowledged)))
        side = one if cut == "dialler" else two
        assert side.connection is not None
        transport = side.connection._socket.get_extra_info("socket")
        # As when a cable is pulled and the kernel gives up.
        transport.shutdown(2)
        gone = await running
        await two.until(lambda: bool(two.of(ev.PeerGone)))
    assert gone.code is CloseCode.LOST and not gone.permanent


async def test_an_event_that_cannot_be_taken_ends_the_session_and_is_kept():
    one, two = Side(disk(A)), Side(disk(B))

    def broken(connection: Connection) -> None:
        raise ZeroDivisionError

    two.on_hello = broken
    async with connected(one, two) as running:
        gone = await running
    assert gone.code is CloseCode.INTERNAL
    assert two.connection is not None
    assert isinstance(two.connection.failure, ZeroDivisionError)
