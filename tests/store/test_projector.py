"""What lists and search read is always what a rebuild from the log would make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import permutations
from operator import methodcaller
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.markdown.paths import Declared, unique_names
from aimem_tui.store import compaction, documents, log, projector
from aimem_tui.store.connection import Database
from aimem_tui.store.log import Draft
from aimem_tui.workspace import doctor
from aimem_tui.workspace.workspace import Workspace
from crdt.document import ThoughtDocument
from tests.store.drafts import Author
from tests.workspaces import START, open_workspace

PATHS = ["a.md", "a (2).md", "a (3).md", "a (2) (2).md", "x/a.md", "x/y/b.md", "x.md", ".keep"]
TEXTS = [
    "",
    "# One\n\nSee [[x]] and [b](x/y/b.md#part).\n",
    "---\ntitle: Two\ntags: [red, blue]\nstatus: done\nauthor: Zoë\n---\n- [x] a\n- [ ] b\n",
    "plain words, 日本 👍",
    "---\nbroken: [\n---\n# Three\n",
]
Change = Callable[[ThoughtDocument], object]
TABLES = ("thoughts", "folders", "aliases", "tags", "links", "texts", "set_aside", "stale")


@contextmanager
def fresh() -> Iterator[Workspace]:
    with TemporaryDirectory() as folder, open_workspace(Path(folder)) as workspace:
        yield workspace


def uuid(number: int) -> str:
    return f"{number:032x}"


def tables(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All projections."""
    connection = database.read()
    return {
        table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in TABLES
    }


def shown(database: Database) -> dict[str, str]:
    return dict(database.read().execute("SELECT id, path FROM thoughts WHERE shown").fetchall())


def expected_names(database: Database) -> dict[str, str]:
    rows = database.read().execute("SELECT id, declared_path FROM thoughts WHERE shown")
    return unique_names([Declared(*row) for row in rows])


def append_change(database: Database, thought: str, change: Change, at: int) -> None:
    """Change a thought as another process does that leaves the projections to others."""
    with database.write() as connection:
        document = documents.load(connection, log.thought_number(connection, thought))
        updates: list[bytes] = []
        document.on_update(updates.append)
        change(document)
        document.close()
        log.append(connection, [Draft(thought, update, at, f"by{at % 3}") for update in updates])


def append_new(database: Database, thought: str, path: str, text: str, at: int = START) -> None:
    _, update = ThoughtDocument.create(at % 1000 + 1, path=path, text=text, at=at, by="ann")
    with database.write() as connection:
        log.append(connection, [Draft(thought, update, at, "ann")])


numbers = st.integers(1, 6)
paths = st.sampled_from(PATHS)
texts = st.sampled_from(TEXTS)
creations = st.tuples(st.just("create"), numbers, st.sampled_from(PATHS[:2]) | paths, texts)
changes = st.lists(
    st.one_of(
        creations,
        st.tuples(st.just("edit"), numbers, texts),
        st.tuples(st.just("move"), numbers, paths),
        st.tuples(st.sampled_from(["trash", "restore", "purge", "compact"]), numbers),
        st.tuples(st.just("project"), st.sampled_from([1, 2, None])),
    ),
    max_size=20,
)
operations = st.tuples(st.lists(creations, max_size=8), changes).map(lambda two: two[0] + two[1])


WAYS: dict[str, Callable[..., Change]] = {
    "edit": lambda at, text: methodcaller("replace_text", text),
    "move": lambda at, path: methodcaller("move", path),
    "trash": lambda at: methodcaller("put_into_trash", at, "ann"),
    "restore": lambda at: methodcaller("take_out_of_trash"),
    "purge": lambda at: methodcaller("purge", at),
}


def carry_out(database: Database, steps: list[tuple]) -> None:
    made: set[int] = set()
    for at, (action, *rest) in enumerate(steps, START):
        if action == "project":
            projector.project_stale(database, limit=rest[0])
            continue
        number, *given_values = rest
        thought = uuid(number)
        if action == "create" and number not in made:
            append_new(database, thought, *given_values, at=at)
            made.add(number)
        elif action == "compact" and number in made:
            with database.write() as connection:
                compaction.compact(connection, log.thought_number(connection, thought))
        elif action in WAYS and number in made:
            append_change(database, thought, WAYS[action](at, *given_values), at)
    projector.project_stale(database)


@given(operations)
def test_projections_equal_those_that_a_rebuild_makes(steps: list[tuple]) -> None:
    with fresh() as workspace:
        database = workspace.database
        carry_out(database, steps)
        kept = tables(database)
        assert kept["stale"] == []
        projector.drop(database)
        projector.project_stale(database)
        assert tables(database) == kept
        assert shown(database) == expected_names(database)
        assert [f for f in doctor.examine(workspace) if not f.ok] == []


@given(operations)
def test_the_announced_changes_lead_to_what_is_shown(steps: list[tuple]) -> None:
    with fresh() as workspace:
        carry_out(workspace.database, steps)
        followed: dict[str, str] = {}
        for thought, old, new in workspace.database.read().execute(
            "SELECT thought, old_path, new_path FROM changes ORDER BY version"
        ):
            assert followed.pop(thought, "") == old
            if new:
                followed[thought] = new
        assert followed == shown(workspace.database)


@pytest.mark.parametrize("order", [*permutations(range(4))])
def test_in_whatever_order_equal_paths_arrive_the_names_are_the_same(
    workspace: Workspace, order: tuple[int, ...]
) -> None:
    declared = ["a.md", "a.md", "a (2).md", "a.md"]
    for number in order:
        append_new(workspace.database, uuid(number + 1), declared[number], str(number))
        projector.project_stale(workspace.database)
        assert shown(workspace.database) == expected_names(workspace.database)
    assert shown(workspace.database) == {
        uuid(1): "a.md",
        uuid(2): "a (3).md",
        uuid(3): "a (2).md",
        uuid(4): "a (4).md",
    }


def test_a_thought_that_leaves_gives_its_name_to_the_next(workspace: Workspace) -> None:
    database = workspace.database
    for number in (1, 2, 3):
        append_new(database, uuid(number), "a.md", "")
    append_change(database, uuid(1), lambda d: d.put_into_trash(5, "ann"), START)
    projector.project_stale(database)
    assert shown(database) == {uuid(2): "a.md", uuid(3): "a (2).md"}
    append_change(database, uuid(1), lambda d: d.take_out_of_trash(), START)
    projector.project_stale(database)
    assert shown(database)[uuid(1)] == "a.md"
    assert shown(database)[uuid(3)] == "a (3).md"
    append_change(database, uuid(2), lambda d: d.move("b.md"), START)
    projector.project_stale(database)
    assert shown(database) == {uuid(1): "a.md", uuid(2): "b.md", uuid(3): "a (2).md"}


def test_folders_count_what_is_shown_below_them(workspace: Workspace) -> None:
    database = workspace.database

    def folders() -> dict[str, int]:
        return dict(database.read().execute("SELECT path, thoughts FROM folders").fetchall())

    for number, path in enumerate(["x/y/a.md", "x/y/b.md", "x/c.md", "d.md"], 1):
        append_new(database, uuid(number), path, "")
    projector.project_stale(database)
    assert folders() == {"x": 3, "x/y": 2}
    append_change(database, uuid(2), lambda d: d.put_into_trash(5, "ann"), START)
    projector.project_stale(database)
    assert folders() == {"x": 2, "x/y": 1}
    append_change(database, uuid(2), lambda d: d.take_out_of_trash(), START)
    projector.project_stale(database)
    assert folders() == {"x": 3, "x/y": 2}
    append_change(database, uuid(1), lambda d: d.move("z/a.md"), START)
    append_change(database, uuid(2), lambda d: d.move("b.md"), START)
    projector.project_stale(database)
    assert folders() == {"x": 1, "z": 1}


def test_work_is_taken_up_where_it_was_left(workspace: Workspace) -> None:
    database = workspace.database
    for number in range(1, 260):
        append_new(database, uuid(number), f"{number}.md", "")
    assert projector.waiting(database.read()) == 259
    assert projector.project_stale(database, limit=60) >= 60
    assert 0 < projector.waiting(database.read()) <= 199
    left = projector.waiting(database.read())
    assert projector.project_stale(database) == left
    assert projector.project_stale(database) == 0
    assert len(shown(database)) == 259


def test_a_document_that_cannot_be_read_is_set_aside_and_the_rest_goes_on(
    workspace: Workspace,
) -> None:
    database = workspace.database
    append_new(database, uuid(1), "good.md", "good")
    append_new(database, uuid(2), "bad.md", "was good")
    projector.project_stale(database)
    with database.write() as connection:
        log.append(connection, [Draft(uuid(2), b"\x05broken", START, "mallory")])
        log.append(connection, [Draft(uuid(3), b"\x05broken", START, "mallory")])
    append_new(database, uuid(4), "later.md", "good")
    projector.project_stale(database)
    assert {"good.md", "later.md"} <= set(shown(database).values())
    aside = database.read().execute("SELECT count(*) FROM set_aside").get
    assert aside == 2
    findings = [finding for finding in doctor.examine(workspace) if not finding.ok]
    assert {uuid(2) in finding.detail for finding in findings} == {True, False}
    with database.write() as connection:
        connection.execute("DELETE FROM log WHERE update_bytes = ?", (b"\x05broken",))
        connection.execute("INSERT INTO stale SELECT n FROM thought_ids")
    projector.project_stale(database)
    assert database.read().execute("SELECT count(*) FROM set_aside").get == 0


def test_changes_that_build_on_what_is_not_there_are_told_of_and_the_rest_is_shown(
    workspace: Workspace,
) -> None:
    database = workspace.database
    author, first = ThoughtDocument.create(7, path="a.md", text="one\n", at=START, by="mallory")
    updates = [first]
    author.on_update(updates.append)
    author.replace_text("one\ntwo\n")
    author.replace_text("one\ntwo\nthree\n")

    def take_in(update: bytes) -> str:
        with database.write() as connection:
            log.append(connection, [Draft(uuid(1), update, START, "mallory")])
        append_change(database, uuid(2), lambda d: d.replace_text(f"{d.text}more\n"), START)
        projector.project_stale(database)
        return str(database.read().execute("SELECT body FROM texts WHERE path = 'a.md'").get)

    append_new(database, uuid(2), "other.md", "")
    assert take_in(updates[0]) == "one\n"
    assert take_in(updates[2]) == "one\n"
    (finding,) = [finding for finding in doctor.examine(workspace) if not finding.ok]
    assert uuid(1) in finding.detail and "not here" in finding.detail
    assert take_in(updates[1]) == "one\ntwo\nthree\n"
    assert database.read().execute("SELECT count(*) FROM set_aside").get == 0


def test_old_announcements_are_forgotten(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "_CHANGES_KEPT", 100)
    append_new(workspace.database, uuid(1), "a.md", "")
    with workspace.database.write() as connection:
        number = log.thought_number(connection, uuid(1))
        for _ in range(2_000):
            projector._announce(connection, uuid(1), "a.md", "a.md")
        assert connection.execute("SELECT count(*) FROM changes").get <= 101
        assert number == 1


def test_each_edit_by_hand_is_what_the_log_says(workspace: Workspace) -> None:
    """The newest entry says when and by whom a thought was last touched, in a checkpoint too."""
    clock = iter(range(START, START + 10))
    author = Author(uuid(1), name="ann", clock=lambda: next(clock))
    drafts = [author.begin("a.md", "one")]
    author.name = "ben"
    drafts.append(author.write(" two"))
    database = workspace.database
    with database.write() as connection:
        log.append(connection, drafts)
        projector.refresh(connection, 1)
    for _ in range(2):
        thought = workspace.by_id(uuid(1))
        assert (thought.updated_by, thought.updated_at) == ("ben", START + 1)
        assert (thought.created_by, thought.created_at) == ("ann", 1_000)
        with database.write() as connection:
            compaction.compact(connection, 1)
        projector.drop(database)
        projector.project_stale(database)
