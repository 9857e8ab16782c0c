"""The look at an update before the engine sees it: true updates pass, traps do not."""

from __future__ import annotations

import subprocess
import sys
from random import Random
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt import adapter, update_check
from crdt.document import ThoughtDocument
from crdt.errors import CrdtError, WireError
from crdt.update_check import MAX_DEPTH, check_update, is_simple
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


def test_typing_and_deleting_is_known_by_its_shape() -> None:
    thought, _ = ThoughtDocument.create(1 << 40, path="a.md", text="# Hé\n", at=5, by="Ann")
    updates: list[bytes] = []
    thought.on_update(updates.append)
    for text in ("# Hé\nmore", "# Hé\nmany more", "# Hé\nmany 👍 more", "# Hé\nmany 👍 most"):
        thought.replace_text(text)
    assert len(updates) == 4 and [update for update in updates if not is_simple(update)] == []
    thought.move("b.md")
    assert not is_simple(updates[-1])


def varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    return bytes((number & 0x7F | 0x80,)) + varint(number >> 7)


numbers = st.integers(0, 0x7F).map(varint) | st.integers(0, 1 << 60).map(varint)
deletions = st.tuples(numbers, numbers, numbers).map(lambda d: b"\1" + d[0] + b"\1" + d[1] + d[2])


@given(
    head=st.tuples(numbers, numbers),
    neighbours=st.sampled_from([(0x44, 2), (0x84, 2), (0xC4, 4), (0x04, 2), (0x85, 2)]),
    places=st.tuples(numbers, numbers, numbers, numbers),
    text=st.text(max_size=200).map(str.encode) | st.binary(max_size=3),
    lie=st.sampled_from([0, 0, 0, 0, -1, 1]),
    end=st.just(b"\0") | deletions | st.binary(max_size=3),
)
def test_what_is_known_by_its_shape_passes_the_walk(
    head: tuple[bytes, bytes],
    neighbours: tuple[int, int],
    places: tuple[bytes, ...],
    text: bytes,
    lie: int,
    end: bytes,
) -> None:
    info, count = neighbours
    length = varint(max(0, len(text) + lie))
    start = b"".join([b"\1\1", *head, bytes((info,)), *places[:count]])
    update = start + length + text + end
    if is_simple(update):
        with mock.patch.object(update_check, "is_simple", return_value=False):
            check_update(update)


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
