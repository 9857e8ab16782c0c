"""Keystrokes reach the disk in groups, in their order, and none is dropped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from random import Random

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.errors import StorageError
from aimem_tui.store import log
from aimem_tui.store import writer as writer_module
from aimem_tui.store.connection import Database
from aimem_tui.store.log import Draft, Record
from aimem_tui.store.writer import GroupWriter, merge_neighbours
from tests.store.drafts import THOUGHTS, Author, merged_text, text_in

WAIT = 60


@contextmanager
def writing(database: Database, **callbacks) -> Iterator[GroupWriter]:
    writer = GroupWriter(database, **callbacks)
    try:
        yield writer
    finally:
        writer.close()


@contextmanager
def full_disk(database: Database) -> Iterator[None]:
    """The file may not grow while this lasts."""
    with database.write() as connection:
        pages = connection.pragma("page_count")
    connection.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        connection.execute("PRAGMA max_page_count = 1073741823")


def logged(database: Database) -> list[log.Record]:
    return log.tail(database.read(), 0)


def test_what_was_flushed_is_in_the_log_in_order(database: Database) -> None:
    authors = [Author(thought, client_id=number + 1) for number, thought in enumerate(THOUGHTS)]
    rng = Random(1)
    with writing(database) as writer:
        for author in authors:
            writer.submit(author.begin())
        for number in range(300):
            writer.submit(rng.choice(authors).write(f"{number} "))
            if rng.random() < 0.02:
                assert writer.flush(WAIT)
                for author in authors:
                    assert text_in(database.read(), author.thought) == author.doc.text()
        assert writer.flush(WAIT)
        assert writer.state() == writer_module.WriterState(0, "")
    for author in authors:
        assert text_in(database.read(), author.thought) == author.doc.text()
    seqs = [record.entry.seq for record in logged(database)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) < 150, "edits were gathered"


def test_edits_of_a_moment_become_one_entry(database: Database) -> None:
    author = Author()
    committed: list[list[Record]] = []
    with writing(database, on_commit=lambda records: committed.append([*records])) as writer:
        with database.write():
            for text in "keystroke":
                writer.submit(author.write(text))
        writer.flush(WAIT)
    records = [record for group in committed for record in group]
    assert records == logged(database)
    assert len(records) <= 2
    assert text_in(database.read(), author.thought) == "keystroke"


def test_whoever_waits_for_the_flush_finds_the_commit_announced(database: Database) -> None:
    author = Author()
    seen: list[int] = []
    with writing(database, on_commit=lambda records: seen.append(len(records))) as writer:
        for number in range(1, 6):
            writer.submit(author.write("x"))
            assert writer.flush(WAIT)
            assert sum(seen) == number


def test_flushing_nothing_is_at_once_done(database: Database) -> None:
    with writing(database) as writer:
        assert writer.flush()
        assert writer.flush(0)
        writer.submit(Author().write("x"))
        assert writer.flush()


def test_a_flush_does_not_wait_for_what_comes_after_it(database: Database) -> None:
    """Somebody who types all the time must not keep a reader waiting."""
    author = Author()
    stop = threading.Event()
    with writing(database) as writer:

        def type_on() -> None:
            while not stop.is_set():
                writer.submit(author.write("x"))
                stop.wait(0.001)

        typist = threading.Thread(target=type_on)
        typist.start()
        results = [writer.flush(WAIT) for _ in range(5)]
        stop.set()
        typist.join()
    assert results == [True] * 5


def test_closing_writes_what_waits_and_then_nothing_is_taken(database: Database) -> None:
    author = Author()
    writer = GroupWriter(database)
    for text in "last words":
        writer.submit(author.write(text))
    assert writer.close()
    assert text_in(database.read(), author.thought) == "last words"
    with pytest.raises(RuntimeError, match="closed"):
        writer.submit(author.write("x"))
    assert writer.close(), "closing twice does no harm"


def test_a_full_disk_loses_nothing_and_is_got_over(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "RETRY_S", 0.01)
    author = Author()
    troubles: list[str] = []
    over = threading.Event()

    def hear(trouble: str) -> None:
        troubles.append(trouble)
        if not trouble:
            over.set()

    with writing(database, on_trouble=hear) as writer:
        writer.submit(author.write("before "))
        assert writer.flush(WAIT)
        with full_disk(database):
            writer.submit(author.write("x" * 50_000))
            assert not writer.flush(WAIT)
            assert "disk is full" in writer.state().trouble
            writer.submit(author.write(" after"))
            assert not writer.flush(WAIT)
            assert writer.state().pending == 2
            assert text_in(database.read(), author.thought) == "before "
        assert over.wait(WAIT), "it tries again by itself"
        assert writer.flush(WAIT)
        assert writer.state().trouble == ""
    assert "disk is full" in troubles[0]
    assert troubles[-1] == ""
    assert text_in(database.read(), author.thought) == author.doc.text()
    assert [record.entry.seq for record in logged(database)] == [1, 2]


def test_a_flush_tries_anew_whatever_went_wrong_before(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "RETRY_S", 10_000)
    author = Author()
    with writing(database) as writer:
        with full_disk(database):
            writer.submit(author.write("x" * 50_000))
            assert not writer.flush(WAIT)
        assert writer.flush(WAIT)
    assert text_in(database.read(), author.thought) == author.doc.text()


def test_closing_tries_once_more_and_says_if_it_was_in_vain(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "RETRY_S", 10_000)
    for room in (True, False):
        author = Author(client_id=5 + room)
        writer = GroupWriter(database)
        with full_disk(database):
            writer.submit(author.write("x" * 50_000))
            assert not writer.flush(WAIT)
            if not room:
                assert not writer.close()
                assert not writer.flush(), "nobody is kept waiting"
        if room:
            assert writer.close()


def test_no_failure_ends_the_thread(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "RETRY_S", 0.01)
    real = log.append
    failures: list[Exception] = [
        apsw.ConstraintError("no"),
        ValueError("odd"),
        StorageError("Busy."),
        LookupError(),
    ]

    def failing(connection: apsw.Connection, drafts: list[Draft]) -> list[Record]:
        if failures:
            raise failures.pop()
        return real(connection, drafts)

    monkeypatch.setattr(log, "append", failing)
    author = Author()
    with writing(database) as writer:
        writer.submit(author.write("kept"))
        while not writer.flush(WAIT):
            assert writer.state().trouble
    assert text_in(database.read(), author.thought) == "kept"


# Merging


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["ann", "ben"]), st.sampled_from(["", "why"])),
        max_size=12,
    )
)
def test_merging_neighbours_keeps_every_edit_its_author_and_its_reason(
    edits: list[tuple[int, str, str]],
) -> None:
    authors = [Author(THOUGHTS[number], client_id=number + 1) for number in range(3)]
    drafts = []
    for number, (which, name, note) in enumerate(edits):
        authors[which].name = name
        drafts.append(authors[which].write(f"{number} ", note=note))
    merged = merge_neighbours(drafts)
    assert [d for d in merged if d.note] == [d for d in drafts if d.note]
    for author in authors:
        before = [d for d in drafts if d.thought == author.thought]
        after = [d for d in merged if d.thought == author.thought]
        assert merged_text(after) == author.doc.text()
        ends = [
            draft
            for draft, following in zip_longest(before, before[1:])
            if following is None or draft.note or following.note or following.author != draft.author
        ]
        assert [(d.author, d.note, d.at) for d in after] == [(d.author, d.note, d.at) for d in ends]


def test_merged_entries_do_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MERGE_LIMIT_BYTES", 1_000)
    author = Author()
    merged = merge_neighbours([author.write("y" * 100) for _ in range(50)])
    assert 4 <= len(merged) <= 10
    assert all(len(draft.update) < 2_500 for draft in merged)
    assert merged_text(merged) == author.doc.text()
