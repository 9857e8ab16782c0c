"""The look at an update before the engine sees it: true updates pass, traps do not."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest

from crdt import adapter
from crdt.document import ThoughtDocument
from crdt.errors import CrdtError, WireError
from crdt.update_check import MAX_DEPTH, check_update
from tests.crdt.histories import history, settled

# What a client, a count and so on take at 2**28, as the varint that starts each trap.
HUGE = b"\x80\x80\x80\x80\x01"

TRAPS = {
    "clients": HUGE + b"\0\0",
    "structs": b"\x01" + HUGE + b"\x05\0\0",
    "deleting clients": b"\0" + HUGE + b"\0",
    "deleted ranges": b"\0\x01\x05" + HUGE + b"\0",
    "text": b"\x01\x01\x05\0\x04\x01\x01t" + HUGE + b"a",
    "values": b"\x01\x01\x05\0\x08\x01\x01t" + HUGE + b"a",
    "texts": b"\x01\x01\x05\0\x02\x01\x01t" + HUGE + b"a",
    "bytes": b"\x01\x01\x05\0\x03\x01\x01t" + HUGE + b"a",
    "list": b"\x01\x01\x05\0\x08\x01\x01t\x01\x75" + HUGE + b"a",
    "deep list": b"\x01\x01\x05\0\x08\x01\x01t\x01" + b"\x75\x01" * 5000 + b"\x7e\0",
}


def everything_one_can_write() -> list[bytes]:
    """Updates with every kind of content that pycrdt writes."""
    import pycrdt

    doc: pycrdt.Doc = pycrdt.Doc(client_id=7)
    updates: list[bytes] = []
    doc.observe(lambda event: updates.append(event.update))
    doc["t"] = text = pycrdt.Text()
    doc["m"] = values = pycrdt.Map()
    doc["a"] = array = pycrdt.Array()
    doc["x"] = xml = pycrdt.XmlFragment()
    text.insert(0, "plain 👍 text")
    text.insert(3, "bold", {"bold": True})
    text.insert_embed(0, {"image": "x"})
    text.format(2, 6, {"color": "red"})
    del text[1:4]
    values["plain"] = None
    for value in (
        True,
        False,
        1,
        -1,
        1 << 60,
        1.5,
        1e300,
        "é",
        b"\0\xff",
        [1, [2]],
        {"k": {"l": 1}},
    ):
        values["plain"] = value
        array.append(value)
    values["nested"] = pycrdt.Map({"inner": pycrdt.Array([pycrdt.Text("deep")])})
    xml.children.append(pycrdt.XmlElement("p", {"class": "c"}, [pycrdt.XmlText("hi")]))
    array.move(0, 3) if hasattr(array, "move") else None
    values["sub"] = pycrdt.Doc()
    return [*updates, doc.get_update(), pycrdt.merge_updates(*updates)]


def test_all_that_the_engine_writes_passes() -> None:
    for update in everything_one_can_write():
        check_update(update)


@pytest.mark.parametrize("seed", range(30))
def test_updates_of_real_histories_pass(seed: int) -> None:
    updates = settled(seed)[0].updates()
    for update in updates:
        check_update(update)
    check_update(adapter.merge(updates))
    # With a hole in the middle the engine writes skips.
    rng = Random(seed)
    some = [update for update in updates if rng.random() < 0.5]
    check_update(adapter.merge(some))
    for peer in history(seed):
        check_update(peer.doc.state())


def test_a_thought_passes_through_its_whole_life() -> None:
    thought, update = ThoughtDocument.create(1, path="a/b.md", text="# Hé\n", at=5, by="Ann")
    updates = [update]
    thought.on_update(updates.append)
    thought.replace_text("# Hello 👍\n")
    thought.move("c.md")
    thought.put_into_trash(6, "Ann")
    thought.take_out_of_trash()
    thought.purge(7)
    for update in [*updates, thought.state(), b"\0\0"]:
        check_update(update)


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS.keys())
def test_a_count_that_lies_is_refused(trap: bytes) -> None:
    with pytest.raises(WireError):
        check_update(trap)


@pytest.mark.parametrize(
    "update",
    [
        b"",
        b"\0",
        b"\0\0\0",
        b"\x01\x01\x05\0\x00\x00\0",
        b"\x01\x01\x05\0\x1f\x01\x01t\0",
        b"\x01\x01\x05\0\x07\x01\x01t\x07\0",
        b"\x01\x01\x05\0\x04\x02\x01t\x01a\0",
        b"\x01\x01\x05\0\x04\x01\x01t\x01\xff\0",
        b"\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\0\x00\x01\0",
        b"\x01\x01\x05\xff\xff\xff\xff\x0f\x00\x01\0",
        b"\x01\x01\x05\0\x08\x01\x01t\x01" + b"\x75\x01" * (MAX_DEPTH + 1) + b"\x7e\0",
    ],
    ids=[
        "nothing", "no delete set", "more behind", "empty struct", "unknown struct", "unknown type",
        "unknown parent", "not UTF-8", "long number", "large clock", "deep value",
    ],
)  # fmt: skip
def test_what_is_not_well_formed_is_refused(update: bytes) -> None:
    with pytest.raises(WireError):
        check_update(update)


def test_an_update_cut_anywhere_is_refused() -> None:
    update = settled(3)[0].doc.state()
    for end in range(len(update)):
        with pytest.raises(WireError):
            check_update(update[:end])


def test_what_passes_costs_the_engine_no_memory_and_no_life() -> None:
    """Mutated updates: the engine, in a process with little memory, survives all that pass."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crdt.hostile_updates"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    tried, passed, applied = map(int, done.stdout.split())
    assert tried > passed > applied > 100


def test_what_the_engine_makes_of_a_mutated_update_passes_again() -> None:
    rng = Random(1)
    update = bytearray(settled(5)[0].doc.state())
    for _ in range(300):
        mutated = bytearray(update)
        mutated[rng.randrange(len(mutated))] = rng.randrange(256)
        try:
            check_update(bytes(mutated))
            state = adapter.EngineDoc(1, [bytes(mutated)]).state()
        except CrdtError:
            continue
        check_update(state)
