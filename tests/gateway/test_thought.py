"""A thought that stock clients have open: stored before it is told, in an order without holes."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_relay.gateway.ports import Limits, Refused
from aimem_relay.gateway.thought import SEALED, Thought
from crdt.adapter import EngineDoc
from crdt.checkpoint import Checkpoint, is_gapless
from crdt.document import ThoughtDocument
from crdt.errors import CrdtError, WireError
from crdt.vector import Vector
from crdt.wire.messages import CloseCode
from tests.crdt.histories import PIECES, view, write_something
from tests.gateway.desks import Books, Desk, open_thought, settle
from tests.gateway.relays import TEXT, THOUGHT


def from_a_machine(books: Books, text: str, client: int = 50) -> bytes:
    """An update that a machine makes which has all that is stored."""
    document = ThoughtDocument.load(client, books.updates())
    before = document.state_vector()
    document.replace_text(f"{document.text}{text}")
    return document.update_since(before)


async def test_nobody_is_told_of_an_edit_before_it_is_on_disk() -> None:
    books = Books()
    thought = await open_thought(books)
    ann, ben = Desk(thought, 101), Desk(thought, 102)
    await ann.connect()
    await ben.connect()
    assert ann.receive_all() == ben.receive_all() == TEXT
    await ann.write(0, "new ")
    newcomer = Desk(thought, 103)
    await newcomer.connect()
    assert ben.receive_all() == TEXT
    assert newcomer.receive_all() == ""
    assert await books.store()
    assert ben.receive_all() == newcomer.receive_all() == f"new {TEXT}" == books.text()
    thought.close()


async def test_an_edit_may_build_on_one_that_is_not_on_disk_yet() -> None:
    books = Books()
    thought = await open_thought(books)
    ann = Desk(thought, 101)
    await ann.connect()
    ann.receive_all()
    for letter in "abc":
        await ann.write(len(TEXT), letter)
    # The first is under way; the others are one entry then.
    while await books.store():
        pass
    assert books.text() == f"{TEXT}cba"
    assert len(books.records) == 3
    thought.close()


async def test_what_comes_from_machines_is_told_in_its_order() -> None:
    books = Books()
    thought = await open_thought(books)
    ann = Desk(thought, 101)
    await ann.connect()
    ann.receive_all()
    for n in range(5):
        books.put(from_a_machine(books, f"{n}", 50 + n % 2))
        books.tell()
    assert ann.receive_all() == f"{TEXT}01234"
    thought.close()


async def test_what_only_a_checkpoint_brings_is_told() -> None:
    books = Books()
    thought = await open_thought(books)
    ann = Desk(thought, 101)
    await ann.connect()
    ann.receive_all()
    other = ThoughtDocument.load(60, books.updates())
    other.replace_text(f"{TEXT}from afar")
    books.put_checkpoint(Checkpoint(books.records[0].item.thought, other.state(), Vector()))
    books.tell()
    assert ann.receive_all() == f"{TEXT}from afar"
    thought.close()


async def test_what_was_missed_is_read_from_the_ledger() -> None:
    books = Books()
    thought = await open_thought(books)
    ann = Desk(thought, 101)
    await ann.connect()
    ann.receive_all()
    await ann.write(0, "mine ")
    for n in range(3):
        books.put(from_a_machine(books, f"{n}"))
    books.tell(lost=True)
    await settle()
    assert ann.receive_all() == f"mine {TEXT}012"
    await books.store()
    assert books.text() == f"mine {TEXT}012"
    thought.close()


async def test_after_a_backup_was_put_back_clients_bring_what_it_lacks() -> None:
    books = Books()
    thought = await open_thought(books)
    books.put(from_a_machine(books, "lost and found"))
    books.tell()
    ann = Desk(thought, 101)
    await ann.connect()
    ann.receive_all()
    del books.records[1:]
    books.tell(log="dc" * 16)
    assert ann.ended is not None
    assert ann.ended[0] is CloseCode.TRY_LATER
    thought.close()
    again = await open_thought(books)
    before = Desk(again, 102)
    await before.connect()
    again.offer(ann.doc.update_since(again.state_vector()), "ann")
    await settle()
    await books.store()
    assert before.receive_all() == books.text() == f"{TEXT}lost and found"
    again.close()


async def test_what_is_on_its_way_to_disk_outlives_a_look_into_the_ledger() -> None:
    books = Books()
    thought = await open_thought(books)
    ann = Desk(thought, 101)
    await ann.connect()
    ann.receive_all()
    await ann.write(0, "one ")
    books.put(from_a_machine(books, "missed"))
    books.tell(lost=True)
    await settle()
    await thought.ready.wait()
    known = ann.doc.state_vector()
    ann.disconnect()
    await ann.write(4, "two ")
    assert thought.offer(ann.doc.update_since(known), "desk").complete
    thought.close()


@given(st.integers(0, 10_000))
def test_what_comes_in_any_order_is_stored_as_it_is_served(seed: int) -> None:
    asyncio.run(_offer_in_any_order(Random(seed)))


async def _offer_in_any_order(rng: Random) -> None:
    books = Books()
    thought = await open_thought(books)
    other = EngineDoc(101, books.updates())
    made: list[bytes] = []
    other.on_update(made.append)
    for _ in range(rng.randint(2, 8)):
        write_something(other, rng)
    for update in rng.sample(made, len(made)):
        thought.offer(update, "desk")
        await settle()
        while await books.store():
            pass
        served, _ = thought.missing(b"\0")
        assert view(EngineDoc(1, books.updates())) == view(EngineDoc(1, [served]))
        assert is_gapless(books.updates())
    thought.offer(other.state(), "desk")
    await settle()
    await books.store()
    assert view(EngineDoc(1, books.updates())) == view(other)
    thought.close()


async def test_an_edit_that_cannot_be_stored_is_forgotten_with_what_builds_on_it() -> None:
    books = Books()
    thought = await open_thought(books)
    ann, ben = Desk(thought, 101), Desk(thought, 102)
    await ann.connect()
    await ben.connect()
    ann.receive_all()
    ben.receive_all()
    await ann.write(0, "a")
    offered = thought.offer(b"\0\0", "nobody")
    assert offered.stored is None
    await ann.write(1, "b")
    await books.store(Refused(CloseCode.TRY_LATER, "full"))
    await thought.ready.wait()
    assert not books.to_store
    await ben.write(0, "c")
    await books.store()
    assert ben.receive_all() == f"c{TEXT}" == books.text()
    # Who was refused comes back with it.
    ann.disconnect()
    await ann.connect()
    await settle()
    while await books.store():
        pass
    assert ann.receive_all() == ben.receive_all() == books.text()
    assert sorted(books.text()[:3]) == ["a", "b", "c"]
    thought.close()


async def test_an_update_that_makes_it_something_else_than_text_is_undone() -> None:
    books = Books()
    thought = await open_thought(books)
    ann = Desk(thought, 101)
    await ann.connect()
    ann.receive_all()
    with pytest.raises(Refused):
        thought.offer(b'\x01\x01\x63\x00\x05\x01\x07content\x07{"i":1}\x00', "eve")
    await thought.ready.wait()
    assert not ann.receive()
    await ann.write(0, "fine ")
    await books.store()
    assert ann.receive_all() == f"fine {TEXT}" == books.text()
    thought.close()


async def test_only_what_is_new_in_an_update_is_stored() -> None:
    books = Books()
    thought = await open_thought(books)
    ann = Desk(thought, 101)
    await ann.connect()
    ann.receive_all()
    await ann.write(0, "x" * 1_000)
    await books.store()
    await ann.write(0, "y", deleted=1_000)
    await books.store()
    size = len(books.updates()[-1])
    assert size < 60
    assert thought.holds(ann.doc.state())
    offered = thought.offer(ann.doc.state(), "desk")
    assert (offered.complete, offered.stored) == (True, None)
    thought.close()


async def test_a_reader_may_send_back_what_it_was_sent_and_nothing_else() -> None:
    books = Books()
    thought = await open_thought(books)
    ann, rita = Desk(thought, 101), Desk(thought, 102)
    await ann.connect()
    await rita.connect()
    ann.receive_all()
    rita.receive_all()
    await ann.write(2, "", deleted=3)
    await books.store()
    assert thought.holds(books.updates()[-1])
    rita.disconnect()
    before = rita.doc.state()
    await rita.write(1, "", deleted=1)
    assert thought.holds(before)
    assert not thought.holds(rita.doc.state())
    await rita.write(1, "x")
    assert not thought.holds(rita.doc.state())
    with pytest.raises(WireError):
        thought.holds(b"hello")
    thought.close()


async def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        await Thought(Books(), THOUGHT, Limits()).open()
    assert refused.value.code is CloseCode.NO_WORKSPACE


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("sealed", CloseCode.FORBIDDEN),
        ("large", CloseCode.FORBIDDEN),
        ("broken", CloseCode.BAD_UPDATE),
        ("down", CloseCode.TRY_LATER),
    ],
)
async def test_what_cannot_be_served_is_refused(why: str, code: CloseCode) -> None:
    books = Books()
    if why == "sealed":
        books.put(b"ciphertext", sealed=1)
    elif why == "broken":
        books.put(b"\x01\x02\x03")
    books.down = why == "down"
    with pytest.raises(Refused) as refused:
        await open_thought(books, Limits(max_thought=100 if why == "large" else 1 << 20))
    assert refused.value.code is code


async def test_who_has_a_thought_open_that_is_sealed_is_told() -> None:
    books = Books()
    thought = await open_thought(books)
    ann = Desk(thought, 101)
    await ann.connect()
    books.put(b"ciphertext", sealed=1)
    books.tell()
    assert ann.ended == (CloseCode.FORBIDDEN, SEALED)
    late = Desk(thought, 102)
    thought.join(late)
    assert late.ended == (CloseCode.FORBIDDEN, SEALED)
    thought.close()


async def test_clients_are_read_slower_while_much_waits_to_be_stored() -> None:
    books = Books()
    thought = await open_thought(books, Limits(waiting_bytes=1_000))
    ann = Desk(thought, 101)
    await ann.connect()
    ann.receive_all()
    await ann.write(0, "x" * 2_000)
    waiting = asyncio.create_task(thought.has_room())
    await settle()
    assert not waiting.done()
    await books.store()
    await waiting
    thought.close()


DOINGS = ["write"] * 3 + [
    *("erase", "store", "receive", "machine", "leave", "come", "refuse", "miss"),
]
steps = st.lists(
    st.tuples(
        st.sampled_from(DOINGS), st.integers(0, 2), st.integers(0, 30), st.sampled_from(PIECES)
    ),
    max_size=60,
)


@given(steps)
def test_whatever_happens_all_agree_in_the_end(steps: list[tuple[str, int, int, str]]) -> None:
    asyncio.run(_play(steps))


async def _play(steps: list[tuple[str, int, int, str]]) -> None:
    books = Books()
    thought = await open_thought(books)
    desks = [Desk(thought, 101 + n) for n in range(3)]
    for desk in desks:
        await desk.connect()
        desk.receive_all()
    here = [True] * 3
    for what, who, at, piece in steps:
        desk = desks[who]
        match what:
            case "write":
                await desk.write(at, piece)
            case "erase":
                await desk.write(at, "", deleted=3)
            case "store":
                await books.store()
            case "receive":
                desk.receive()
            case "machine" | "miss":
                books.put(from_a_machine(books, piece, 50 + who))
                books.tell(lost=what == "miss")
                await settle()
            case "leave" if here[who]:
                desk.disconnect()
                here[who] = False
            case "come" if not here[who]:
                await desk.connect()
                here[who] = True
            case "refuse":
                if await books.store(Refused(CloseCode.TRY_LATER, "full")):
                    await thought.ready.wait()
                    # Whose edits were refused are sent away, and come back.
                    for n, one in enumerate(desks):
                        one.disconnect()
                        here[n] = False
    for n, desk in enumerate(desks):
        if not here[n]:
            await desk.connect()
    await settle()
    while await books.store():
        pass
    texts = {desk.receive_all() for desk in desks}
    assert texts == {books.text()}
    updates = books.updates()
    for upto in range(1, len(updates) + 1):
        assert is_gapless(updates[:upto])
    assert thought.offer(desks[0].doc.state(), "desk").stored is None
    thought.close()


def test_a_refused_update_is_an_error_that_says_so() -> None:
    async def play() -> None:
        thought = await open_thought(Books())
        with pytest.raises(CrdtError):
            thought.offer(b"\x01\x02\x03", "eve")
        with pytest.raises(WireError):
            thought.missing(b"\x05")
        thought.close()

    asyncio.run(play())
