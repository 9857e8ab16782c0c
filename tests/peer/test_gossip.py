"""Machines that connect directly, with real files and real TLS: what one writes all get."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

from aimem_tui.errors import AimemError, BadInput, Refused
from aimem_tui.sync.dialling import CannotDial
from aimem_tui.sync.peer import tls
from aimem_tui.sync.peer.listener import PeerListener
from crdt.session import Session, State
from crdt.session import events as ev
from crdt.wire import codec, messages
from crdt.wire.messages import CloseCode, Role
from tests.peer.machines import LOOPBACK, PATIENCE_S, Machine, until
from tests.session.pairs import disk


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[tuple[Machine, Machine, Machine]]:
    made = Machine(tmp_path, "ann"), Machine(tmp_path, "ben"), Machine(tmp_path, "cyd")
    yield made
    for machine in made:
        machine.close()


def in_step(*machines: Machine) -> bool:
    return all(one.vector == other.vector and one.vector for one, other in pairwise(machines))


async def ended(running: asyncio.Task[ev.PeerGone]) -> ev.PeerGone:
    """How a connection ends."""
    async with asyncio.timeout(PATIENCE_S):
        return await asyncio.shield(running)


async def test_what_one_machine_writes_the_other_gets(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    ann, ben, _ = machines
    ann.write("plan.md", "From Ann.\n")
    ben.write("notes.md", "From Ben.\n")
    token = ann.let_in("ben")
    async with ann.listening() as listener, ben.connected(listener, token):
        await until(lambda: in_step(ann, ben))
        assert listener.guests == ("ben",)
        ann.append("plan.md", "Later.")
        ben.append("notes.md", "Later, too.")
        await until(lambda: in_step(ann, ben) and len(ann.vector) == 2)
        await until(lambda: ann.texts() == ben.texts())
    assert ann.texts() == {"notes.md": "From Ben.\nLater, too.\n", "plan.md": "From Ann.\nLater.\n"}


async def test_two_machines_that_never_meet_agree_by_a_third(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    ann, ben, cyd = machines
    ann.write("plan.md", "One paragraph for all.\n")
    first, second = ben.let_in("ann"), ben.let_in("cyd")
    async with ben.listening() as hub:
        async with ann.connected(hub, first), cyd.connected(hub, second):
            await until(lambda: in_step(ann, ben, cyd))
        # Everybody is alone now, and writes in the same paragraph.
        for machine in machines:
            machine.workspace.catch_up()
            thought = machine.workspace.get("plan.md").id
            handout = machine.workspace.hand_out(thought)
            said = f"{machine.name} was here, and one"
            machine.workspace.take_back(handout, handout.text.replace("One", said))
        async with ann.connected(hub, first), cyd.connected(hub, second):
            await until(lambda: in_step(ann, ben, cyd))
    (text,) = ann.texts().values()
    assert ann.texts() == ben.texts() == cyd.texts()
    assert all(f"{machine.name} was here" in text for machine in machines)
    assert "paragraph for all.\n" in text


async def test_news_passes_on_one_machine_at_a_time(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    ann, ben, cyd = machines
    ann.write("plan.md", "From Ann.\n")
    token = ben.let_in("ann")
    async with ben.listening() as hub, ann.connected(hub, token):
        await until(lambda: in_step(ann, ben))
    token = cyd.let_in("ben")
    async with cyd.listening() as hub, ben.connected(hub, token):
        await until(lambda: in_step(ben, cyd))
    assert cyd.texts() == ann.texts()


async def test_both_know_that_the_other_has_it_on_disk(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    ann, ben, _ = machines
    ann.write("plan.md", "From Ann.\n")
    ben.write("notes.md", "From Ben.\n")
    token = ann.let_in("ben")
    async with ann.listening() as listener, ben.connected(listener, token):
        for machine in (ann, ben):
            await until(lambda machine=machine: machine.workspace.standing().durable_seq == 1)


@pytest.mark.parametrize("token", ["", "guessed", "x" * 43])
async def test_nobody_comes_in_without_a_token(
    machines: tuple[Machine, Machine, Machine], token: str
) -> None:
    ann, ben, _ = machines
    ann.write("plan.md", "Secret.\n")
    ann.let_in("somebody else")
    async with ann.listening() as listener, ben.connected(listener, token) as (_, running):
        gone = await ended(running)
        assert gone.code is CloseCode.UNAUTHORIZED
        assert gone.permanent
        assert "air again" in gone.reason
        assert listener.guests == ()
    assert not ben.vector


async def test_a_token_whose_time_is_over_opens_nothing(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    ann, ben, _ = machines
    token = ann.let_in("ben", expires=ann.clock.now + 5)
    ann.clock.now += 5
    async with ann.listening() as listener, ben.connected(listener, token) as (_, running):
        assert (await ended(running)).code is CloseCode.UNAUTHORIZED


async def test_who_is_forgotten_is_shown_out(machines: tuple[Machine, Machine, Machine]) -> None:
    ann, ben, cyd = machines
    ann.write("plan.md", "From Ann.\n")
    first, second = ann.let_in("ben"), ann.let_in("cyd")
    async with (
        ann.listening() as listener,
        ben.connected(listener, first) as (_, running),
        cyd.connected(listener, second),
    ):
        await until(lambda: in_step(ann, ben, cyd))
        # As another process does.
        type(ann.admissions)(ann.folder).forget("ben")
        assert (await ended(running)).code is CloseCode.UNAUTHORIZED
        assert listener.guests == ("cyd",)


async def test_who_stays_beyond_his_time_is_shown_out(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    ann, ben, _ = machines
    ann.write("plan.md", "From Ann.\n")
    token = ann.let_in("ben", expires=ann.clock.now + 1_000_000_000)
    async with ann.listening() as listener, ben.connected(listener, token) as (_, running):
        await until(lambda: in_step(ann, ben))
        ann.clock.now += 1_000_000_000
        assert (await ended(running)).code is CloseCode.UNAUTHORIZED


async def test_a_reader_gets_everything_and_changes_nothing(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    ann, ben, _ = machines
    ann.write("plan.md", "From Ann.\n")
    token = ann.let_in("ben", Role.READER)
    async with ann.listening() as listener, ben.connected(listener, token) as (link, running):
        await until(lambda: ben.vector.covers(ann.vector))
        assert link.read_only
        ben.write("notes.md", "From Ben.\n")
        ann.append("plan.md", "More.")
        await until(lambda: ben.vector.covers(ann.vector))
        assert not running.done()
    assert list(ann.texts()) == ["plan.md"]


async def test_a_reader_that_writes_all_the_same_is_refused(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    """Its own side would not send; so this one speaks the protocol by hand."""
    ann, _, _ = machines
    stranger = disk(7)
    token = ann.let_in("ben", Role.READER)
    session = Session(stranger, 0)
    session.connect(credential=token.encode())
    async with ann.listening() as listener, aiohttp.ClientSession() as http:
        url = f"wss://{LOOPBACK}:{listener.port}/sync/{stranger.workspace}"
        async with http.ws_connect(url, ssl=tls.client_context()) as socket:
            for frame in session.pull(1 << 20, 0):
                await socket.send_bytes(frame)
            while session.state is not State.OPEN:
                session.receive(await socket.receive_bytes(), 0)
            entry = stranger.make("b" * 32, b"\0\0", at=0)
            forced = codec.pack_entries([entry], run=1, mark=1, left=0, token=b"")
            for frame in session.pull(1 << 20, 0):
                await socket.send_bytes(frame)
            await socket.send_bytes(codec.encode(forced))
            while session.state is State.OPEN:
                session.receive(await socket.receive_bytes(), 0)
            assert session.close_code is CloseCode.READ_ONLY
    assert not ann.vector


async def test_another_certificate_than_the_pinned_one_gets_no_word(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    ann, ben, cyd = machines
    token = ann.let_in("ben")
    async with ann.listening() as listener:
        with pytest.raises(CannotDial, match="certificate") as error:
            async with ben.connected(
                listener, token, fingerprint=cyd.certificate.fingerprint.hex()
            ):
                pass
        assert error.value.permanent
        assert listener.guests == ()


async def test_another_workspace_is_refused(tmp_path: Path) -> None:
    ann = Machine(tmp_path, "ann")
    eve = Machine(tmp_path, "eve", workspace="b" * 32)
    token = ann.let_in("eve")
    async with ann.listening() as listener, eve.connected(listener, token) as (_, running):
        assert (await ended(running)).code is CloseCode.NO_WORKSPACE
    ann.close()
    eve.close()


async def test_a_listener_that_stops_says_so(machines: tuple[Machine, Machine, Machine]) -> None:
    ann, ben, _ = machines
    token = ann.let_in("ben")
    ann.write("plan.md", "From Ann.\n")
    async with ann.listening() as listener, ben.connected(listener, token) as (_, running):
        await until(lambda: in_step(ann, ben))
        await listener.stop()
        gone = await ended(running)
        assert gone.code is CloseCode.GOING_AWAY
        assert gone.by_peer


async def test_listening_beside_other_work_ends_with_it_and_says_why_it_cannot_be(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    ann, ben, cyd = machines
    ann.write("plan.md", "From Ann.\n")
    problems: list[AimemError] = []
    async with ann.online() as exchange, ben.online() as other:
        listener = ann.listener(exchange)
        running = asyncio.create_task(listener.run(problems.append))
        await until(lambda: bool(listener.port))
        async with cyd.connected(listener, ann.let_in("cyd")) as (_, connected):
            await until(lambda: in_step(ann, cyd))
            # There is nobody else at this port, and that is no reason to fail.
            await ben.listener(other, port=listener.port).run(problems.append)
            assert len(problems) == 1
            assert "already" in str(problems[0])
            running.cancel()
            assert (await ended(connected)).code is CloseCode.GOING_AWAY
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_who_comes_and_goes_is_seen_at_that_moment(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    ann, ben, _ = machines
    seen: list[tuple[str, ...]] = []
    listeners: list[PeerListener] = []
    async with ann.online(lambda: seen.extend(one.guests for one in listeners)) as exchange:
        listener = ann.listener(exchange)
        await listener.start()
        listeners.append(listener)
        async with ben.connected(listener, ann.let_in("ben")):
            await until(lambda: ("ben",) in seen)
        await until(lambda: not exchange.links)
        assert seen[-1] == ()
        await listener.stop()


async def test_a_copy_of_a_machine_goes_on_under_a_name_of_its_own(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    """Somebody gave the file of one machine to another; both have written since."""
    ann, ben, _ = machines
    ann.write("plan.md", "From Ann.\n")
    token = ann.let_in("ben")
    replica = ann.copy.replica.replica
    with ben.workspace.database.write() as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'replica'", (replica,))
    ben.write("notes.md", "From Ben.\n")
    async with ann.listening() as listener:
        async with ben.connected(listener, token) as (_, running):
            assert (await ended(running)).code in (CloseCode.FORK, CloseCode.GOING_AWAY)
        for _ in range(3):
            async with ben.connected(listener, token) as (_, running):
                done = asyncio.create_task(until(lambda: in_step(ann, ben)))
                await asyncio.wait({running, done}, return_when=asyncio.FIRST_COMPLETED)
                if done.done():
                    break
                done.cancel()
        await until(lambda: ann.texts() == ben.texts())
    assert sorted(ann.texts()) == ["notes.md", "plan.md"]


async def test_a_port_that_is_taken_is_explained(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    ann, ben, _ = machines
    async with ann.listening() as listener:
        with pytest.raises(Refused, match="already") as error:
            async with ben.listening(port=listener.port):
                pass
        assert "--port" in error.value.hint


async def test_an_address_that_is_not_ours_is_explained(
    machines: tuple[Machine, Machine, Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, _, _ = machines
    monkeypatch.setattr("tests.peer.machines.LOOPBACK", "192.0.2.77")
    with pytest.raises(BadInput, match="not an address of this machine"):
        async with ann.listening():
            pass


async def test_what_is_no_greeting_ends_the_connection(
    machines: tuple[Machine, Machine, Machine],
) -> None:
    ann, _, _ = machines
    async with ann.listening() as listener, aiohttp.ClientSession() as http:
        url = f"wss://{LOOPBACK}:{listener.port}/sync/x"
        async with http.ws_connect(url, ssl=tls.client_context()) as socket:
            await socket.send_bytes(b"hello")
            answer = codec.decode(await socket.receive_bytes())
            assert isinstance(answer, messages.Error)
            assert answer.code == CloseCode.BAD_FRAME.value
