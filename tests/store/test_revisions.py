"""A thought's history: edits of one author close in time, each with the text at its end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aimem_tui.model import Activity
from aimem_tui.store import compaction, log, revisions
from aimem_tui.store.connection import Database
from aimem_tui.store.log import Draft
from aimem_tui.store.revisions import GAP_MS, SPAN_MS, Stage
from crdt.adapter import Change
from tests.store.drafts import Author
from tests.workspaces import START

MINUTE = 60_000


class Timeline:
    """A thought whose edits are made at given times."""

    def __init__(self, database: Database, thought: str = "1" * 32) -> None:
        self.database = database
        self.now = START
        self.author = Author(thought, clock=lambda: self.now)
        self.number = 0
        self._append(self.author.begin())

    def _append(self, draft: Draft) -> None:
        with self.database.write() as connection:
            log.append(connection, [draft])
            self.number = log.thought_number(connection, self.author.thought)

    def edit(self, text: str, *, after: int, by: str = "ann", note: str = "") -> None:
        self.now += after
        self.author.name = by
        self._append(self.author.write(text, note=note))

    def stages(self) -> list[Stage]:
        return revisions.stages(self.database.read(), self.number)

    def compact(self) -> None:
        with self.database.write() as connection:
            compaction.compact(connection, self.number)


@pytest.fixture
def timeline(database: Database) -> Timeline:
    return Timeline(database)


def authors(stages: list[Stage]) -> list[str]:
    return [stage.revision.author for stage in stages]


def test_edits_of_one_author_close_in_time_are_one_revision(timeline: Timeline) -> None:
    for word in ("one ", "two ", "three "):
        timeline.edit(word, after=MINUTE)
    (stage,) = timeline.stages()
    assert stage.text == "one two three "
    revision = stage.revision
    assert (revision.number, revision.author, revision.note) == (1, "ann", "")
    assert (revision.started_at, revision.ended_at) == (START, START + 3 * MINUTE)
    assert (revision.added, revision.removed) == (len(stage.text), 0)


def test_another_author_a_pause_and_a_reason_begin_a_new_revision(timeline: Timeline) -> None:
    timeline.edit("a", after=1)
    timeline.edit("b", after=1, by="ben")
    timeline.edit("c", after=1)
    timeline.edit("d", after=GAP_MS)
    timeline.edit("e", after=GAP_MS + 1)
    timeline.edit("f", after=1, note="imported")
    timeline.edit("g", after=1, note="imported")
    timeline.edit("h", after=1)
    assert [stage.text for stage in timeline.stages()] == [
        "a",
        "ab",
        "abcd",
        "abcde",
        "abcdef",
        "abcdefg",
        "abcdefgh",
    ]
    assert authors(timeline.stages()) == ["ann", "ben", "ann", "ann", "ann", "ann", "ann"]
    notes = [stage.revision.note for stage in timeline.stages()]
    assert notes == ["", "", "", "", "imported", "imported", ""]


def test_a_revision_ends_after_a_while_even_of_steady_writing(timeline: Timeline) -> None:
    for _ in range(SPAN_MS // MINUTE + 5):
        timeline.edit("x", after=MINUTE)
    first, second = timeline.stages()
    assert first.revision.ended_at - first.revision.started_at < SPAN_MS
    assert second.revision.started_at == START + SPAN_MS


def test_a_clock_that_goes_back_does_not_tear_a_revision_apart(timeline: Timeline) -> None:
    timeline.edit("a", after=MINUTE)
    timeline.edit("b", after=-2 * MINUTE)
    (stage,) = timeline.stages()
    assert (stage.revision.started_at, stage.revision.ended_at) == (START, START + MINUTE)
    timeline.edit("c", after=-10 * GAP_MS)
    assert len(timeline.stages()) == 2


def test_what_was_added_and_removed_is_counted_in_characters(timeline: Timeline) -> None:
    timeline.edit("日本 👍🏽 text\n", after=1)
    timeline.now += 2 * GAP_MS
    timeline.author.doc.splice([Change(0, len("日本 ".encode()), "é")])
    timeline._append(timeline.author.drafts[-1])
    last = timeline.stages()[-1].revision
    assert (last.added, last.removed) == (1, 3)


def test_the_newest_activity_is_told_without_texts(timeline: Timeline) -> None:
    for number in range(4):
        timeline.edit("x", after=2 * GAP_MS, by=f"author {number}", note=f"note {number}")
    timeline.compact()
    timeline.edit("x", after=2 * GAP_MS, by="last")

    def newest(limit: int) -> list[Activity]:
        return revisions.activity(timeline.database.read(), timeline.number, limit)

    everything = [
        Activity(s.revision.author, s.revision.ended_at, s.revision.note)
        for s in reversed(timeline.stages())
    ]
    assert len(everything) == 6
    assert newest(100) == everything
    assert newest(2) == everything[:2]
    assert newest(0) == []


edits = st.lists(
    st.tuples(
        st.text("ab日\n", min_size=1, max_size=4),
        st.sampled_from([1, MINUTE, GAP_MS, GAP_MS + 1, 2 * GAP_MS, -MINUTE]),
        st.sampled_from(["ann", "ben"]),
        st.sampled_from(["", "", "note"]),
        st.booleans(),
    ),
    max_size=15,
)


@given(edits)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nobody_can_tell_from_the_history_when_a_thought_was_compacted(
    database: Database, edits: list[tuple[str, int, str, str, bool]]
) -> None:
    number = log.last_position(database.read())
    plain = Timeline(database, f"{number:031x}a")
    compacted = Timeline(database, f"{number:031x}b")
    for text, after, by, note, compact_now in edits:
        for timeline in (plain, compacted):
            timeline.edit(text, after=after, by=by, note=note)
        if compact_now:
            compacted.compact()
        assert compacted.stages() == plain.stages()
    for before, stage in pairwise(plain.stages()):
        assert stage.revision.number == before.revision.number + 1
    assert plain.stages()[-1].text == "".join(edit[0] for edit in edits)
    assert revisions.activity(database.read(), compacted.number, 9) == revisions.activity(
        database.read(), plain.number, 9
    )
