"""The log numbers every change once, without gaps, whoever appends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aimem_tui.store import compaction, log
from aimem_tui.store.connection import Database
from aimem_tui.store.log import Draft
from crdt.checkpoint import build_state
from crdt.vector import Vector
from tests.store.drafts import THOUGHTS, Author


def draft(thought: int = 0, update: bytes = b"\0\0", *, author: str = "ann", note: str = ""):
    return Draft(THOUGHTS[thought], update, 1_000, author, note)


def append(database: Database, *drafts: Draft) -> list[log.Record]:
    with database.write() as connection:
        return log.append(connection, drafts)


def whole_log(database: Database) -> list[log.Record]:
    return log.tail(database.read(), 0)


def test_an_empty_log_says_so(database: Database) -> None:
    connection = database.read()
    assert log.last_position(connection) == 0
    assert log.tail(connection, 0) == []
    assert log.vector(connection) == Vector()
    assert append(database) == []
    assert len(log.own_replica(connection)) == 32


def test_what_was_appended_is_read_back(database: Database) -> None:
    drafts = [
        Draft(THOUGHTS[0], b"\x00\x00", 5, "ann"),
        Draft(THOUGHTS[1], bytes(range(256)), 6, "ben", "why"),
        Draft(THOUGHTS[0], b"", 4, "ann", "日本"),
    ]
    records = append(database, *drafts)
    assert whole_log(database) == records
    for number, (given_draft, record) in enumerate(zip(drafts, records, strict=True), 1):
        entry = record.entry
        assert (record.position, entry.seq) == (number, number)
        assert entry.replica == log.own_replica(database.read())
        assert Draft(entry.thought, entry.update, entry.at, entry.author, entry.note) == given_draft
    number = log.thought_number(database.read(), THOUGHTS[0])
    assert list(log.entries_of(database.read(), number)) == [records[0], records[2]]
    assert list(log.entries_of(database.read(), number, after=1)) == [records[2]]
    assert log.vector(database.read()) == Vector({records[0].entry.replica: 3})
    assert log.last_position(database.read()) == 3


@given(st.lists(st.integers(0, 5), max_size=6), st.integers(1, 4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_tail_is_read_in_pieces_without_loss(
    database: Database, sizes: list[int], limit: int
) -> None:
    after = log.last_position(database.read())
    appended = [record for size in sizes for record in append(database, *[draft()] * size)]
    found: list[log.Record] = []
    position = after
    while batch := log.tail(database.read(), position, limit):
        assert len(batch) <= limit
        found += batch
        position = batch[-1].position
    assert found == appended


def test_a_change_marks_its_thought_as_waiting_for_its_projection(database: Database) -> None:
    append(database, draft(0), draft(1), draft(0))
    waiting = "SELECT id FROM stale JOIN thought_ids ON n = thought ORDER BY id"
    assert database.read().execute(waiting).fetchall() == [(THOUGHTS[0],), (THOUGHTS[1],)]


def test_numbers_of_a_change_that_was_rolled_back_are_given_out_again(database: Database) -> None:
    append(database, draft())
    with pytest.raises(LookupError), database.write() as connection:
        log.append(connection, [draft(), draft()])
        raise LookupError
    assert [record.entry.seq for record in append(database, draft())] == [2]
    assert [record.entry.seq for record in whole_log(database)] == [1, 2]


def test_a_number_is_never_given_out_twice_even_after_its_entry_was_trimmed(
    database: Database,
) -> None:
    append(database, *[draft()] * 3)
    with database.write() as connection:
        connection.execute("DELETE FROM log")
    assert log.last_position(database.read()) == 3
    (record,) = append(database, draft())
    assert (record.position, record.entry.seq) == (4, 4)


def test_many_threads_append_without_gap_or_double(database: Database) -> None:
    def work(thread: int) -> list[log.Record]:
        return [
            record
            for turn in range(15)
            for record in append(database, *[draft(author=f"{thread}.{turn}")] * (turn % 3 + 1))
        ]

    with ThreadPoolExecutor(6) as pool:
        appended = [record for records in pool.map(work, range(6)) for record in records]
    found = whole_log(database)
    assert sorted(appended, key=lambda record: record.position) == found
    assert [record.entry.seq for record in found] == list(range(1, len(found) + 1))
    assert len(found) == 6 * 15 * 2


def test_what_is_new_is_told_in_order_checkpoints_in_the_place_of_trimmed_entries(
    database: Database,
) -> None:
    authors = [Author(thought, client_id=number + 1) for number, thought in enumerate(THOUGHTS[:3])]
    records = [record for author in authors for record in append(database, author.begin())]
    for author in authors[:2]:
        records += append(database, author.write("more"))
    assert log.since(database.read(), 0) == records
    assert log.since(database.read(), 4) == records[4:]
    with database.write() as connection:
        compaction.compact(connection, log.thought_number(connection, THOUGHTS[0]))
    found = log.since(database.read(), 0)
    assert [record.position for record in found] == [2, 3, 4, 5]
    assert [found[0], found[1], found[3]] == [records[1], records[2], records[4]]
    checkpoint = found[2].entry
    assert (checkpoint.replica, checkpoint.seq, checkpoint.thought) == ("", 0, THOUGHTS[0])
    assert checkpoint.update == build_state([d.update for d in authors[0].drafts])
    assert log.since(database.read(), 3) == found[2:]
    assert log.since(database.read(), 4) == found[3:], "what it stands for was known"
    assert log.since(database.read(), 5) == []


def test_each_name_is_kept_once(database: Database) -> None:
    append(database, *[draft(number % 3, author=f"author {number % 2}") for number in range(12)])
    for table, count in (("authors", 2), ("thought_ids", 3), ("replicas", 1), ("vectors", 1)):
        assert database.read().execute(f"SELECT count(*) FROM {table}").get == count
