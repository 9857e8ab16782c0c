"""Pairing over real TLS: two machines, two people, and now and then somebody in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from aimem_tui.errors import AimemError, Refused, StorageError, Unreachable
from aimem_tui.sync.peer import meeting, pairing, tls
from aimem_tui.sync.peer.admission import Admission
from aimem_tui.sync.peer.listener import YEAR_MS, Terms
from aimem_tui.sync.peer.pairing import Compare
from crdt.wire.messages import Role
from tests.peer.machines import LOOPBACK, Machine, People, pair, until
from tests.peer.test_gossip import in_step


@pytest.fixture
def ann(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path, "ann")
    yield made
    made.close()


@pytest.fixture
def ben(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path, "ben")
    yield made
    made.close()


async def never(_: Compare) -> bool:
    """Somebody who has gone for a coffee."""
    await asyncio.Event().wait()
    return False


async def test_two_machines_that_were_paired_connect_and_agree(ann: Machine, ben: Machine) -> None:
    people = People()
    let_in: list[Admission] = []
    ann.write("plan.md", "From Ann.\n")
    async with ann.listening(agree=people.at("ann"), on_paired=let_in.append) as listener:
        granted, fingerprint = await pair("ben's laptop", listener.port, people.at("ben"))
        await until(lambda: bool(let_in))
        assert people.codes["ann"] == people.codes["ben"]
        assert people.names == {"ann": "ben's laptop", "ben": "ann"}
        assert granted.workspace == ann.workspace.identity()
        assert granted.workspace_name == "team"
        assert granted.role is Role.WRITER
        assert fingerprint == ann.certificate.fingerprint
        async with ben.connected(listener, granted.token, fingerprint=fingerprint.hex()):
            await until(lambda: in_step(ann, ben))
            assert listener.guests == ("ben's laptop",)
    assert ben.texts() == {"plan.md": "From Ann.\n"}
    assert ann.admissions.all() == let_in


@pytest.mark.parametrize("who", ["ann", "ben"])
async def test_where_one_of_the_two_says_no_nobody_gets_anything(ann: Machine, who: str) -> None:
    people = People()
    failures: list[AimemError] = []
    says = {who: False, "ann" if who == "ben" else "ben": True}
    async with ann.listening(
        agree=people.at("ann", says=says["ann"]), on_failed=failures.append
    ) as listener:
        with pytest.raises(Refused, match="not paired"):
            await pair("ben", listener.port, people.at("ben", says=says["ben"]))
        await until(lambda: bool(failures))
    assert "not paired" in str(failures[0])
    assert ann.admissions.all() == []


async def test_the_other_is_told_at_once_while_its_person_still_thinks(ann: Machine) -> None:
    async def no(_: Compare) -> bool:
        return False

    failures: list[AimemError] = []
    async with ann.listening(agree=never, on_failed=failures.append) as listener:
        with pytest.raises(Refused):
            await pair("ben", listener.port, no)
        await until(lambda: bool(failures))
        assert "other machine" in str(failures[0])
        # And the next one may come.
        failures.clear()
        with pytest.raises(Refused):
            await pair("ben", listener.port, no)


@asynccontextmanager
async def somebody_between(machine: Machine, port: int) -> AsyncIterator[int]:
    """Passes everything on, word by word, under a certificate of his own."""

    async def handle(request: web.Request) -> web.StreamResponse:
        outer = web.WebSocketResponse()
        await outer.prepare(request)
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(
                f"wss://{LOOPBACK}:{port}{request.path}", ssl=tls.client_context()
            ) as inner,
        ):

            async def carry(source, target) -> None:
                async for message in source:
                    await target.send_bytes(message.data)
                await target.close()

            await asyncio.gather(carry(outer, inner), carry(inner, outer))
        return outer

    app = web.Application()
    app.router.add_get("/{any:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0, ssl_context=tls.server_context(machine.certificate))
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_two_people_see_that_somebody_stands_between_them(
    ann: Machine, tmp_path: Path
) -> None:
    people = People()
    mallory = Machine(tmp_path, "mallory")
    async with (
        ann.listening(agree=people.at("ann")) as listener,
        somebody_between(mallory, listener.port) as port,
    ):
        with pytest.raises(Refused):
            await pair("ben", port, people.at("ben"))
    assert len(set(people.codes.values())) == 2
    assert ann.admissions.all() == []
    mallory.close()


async def test_nobody_is_paired_where_nobody_is_there_to_compare(ann: Machine) -> None:
    async with ann.listening() as listener:
        with pytest.raises(Refused, match="cannot be paired with"):
            await pair("ben", listener.port, never)


async def test_a_second_one_waits_for_his_turn(ann: Machine) -> None:
    people = People()
    async with ann.listening(agree=people.at("ann")) as listener:
        first = asyncio.create_task(pair("ben", listener.port, never))
        await until(lambda: "ann" in people.codes)
        with pytest.raises(Refused, match="busy"):
            await pair("cyd", listener.port, people.at("cyd"))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


async def test_people_who_never_answer_are_not_waited_for(
    ann: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairing, "PATIENCE_S", 0.05)
    failures: list[AimemError] = []
    async with ann.listening(agree=never, on_failed=failures.append) as listener:
        with pytest.raises(Refused, match="not paired"):
            await pair("ben", listener.port, never)
        await until(lambda: bool(failures))


async def test_a_machine_that_says_nothing_is_not_waited_for(
    ann: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairing, "HURRY_S", 0.05)
    failures: list[AimemError] = []
    async with (
        ann.listening(agree=never, on_failed=failures.append) as listener,
        aiohttp.ClientSession() as http,
        http.ws_connect(
            f"wss://{LOOPBACK}:{listener.port}{meeting.PATH}", ssl=tls.client_context()
        ),
    ):
        await until(lambda: bool(failures))
    assert "in time" in str(failures[0])


async def test_terms_say_what_is_given_out(ann: Machine) -> None:
    for terms, role, expires in (
        (Terms(Role.READER, 0), Role.READER, 0),
        (Terms(), Role.WRITER, YEAR_MS),
    ):
        people = People()
        before = ann.clock.now
        async with ann.listening(agree=people.at("ann"), terms=terms) as listener:
            granted, _ = await pair("ben", listener.port, people.at("ben"))
        assert granted.role is role
        assert (granted.expires >= before + expires) if expires else granted.expires == 0


async def test_who_asks_to_read_gets_no_more(ann: Machine) -> None:
    people = People()
    async with ann.listening(agree=people.at("ann")) as listener:
        granted, _ = await pair("ben", listener.port, people.at("ben"), Role.READER)
    assert granted.role is Role.READER
    assert ann.admissions.all()[0].role is Role.READER


async def test_a_token_that_could_not_be_kept_opens_nothing(ann: Machine) -> None:
    people = People()
    failures: list[AimemError] = []

    def keep(*_: object) -> None:
        raise StorageError("The disk is full.")

    async with ann.listening(agree=people.at("ann"), on_failed=failures.append) as listener:
        with pytest.raises(StorageError, match="full"):
            await meeting.ask(
                LOOPBACK,
                listener.port,
                name="ben",
                role=Role.WRITER,
                agree=people.at("ben"),
                keep=keep,
            )
        await until(lambda: bool(failures))
    assert ann.admissions.all() == []


async def test_nobody_there_is_said_in_words(ann: Machine) -> None:
    async with ann.listening() as listener:
        port = listener.port
    with pytest.raises(Unreachable, match="Nobody answers") as error:
        await pair("ben", port, never)
    assert "aimem peer" in error.value.hint


async def test_something_else_that_listens_is_said_in_words() -> None:
    async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail\r\n")
        writer.close()

    server = await asyncio.start_server(hello, LOOPBACK, 0)
    async with server:
        with pytest.raises(AimemError):
            await pair("ben", server.sockets[0].getsockname()[1], never)
