"""Importing a folder: what it makes of files, and what it does when they come again."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aimem_tui.bridge import importer
from aimem_tui.errors import BadInput
from aimem_tui.model import ExportOptions, Filter, ImportOptions, Progress
from aimem_tui.store import compaction
from aimem_tui.store.log import last_position, thought_number
from aimem_tui.workspace.workspace import Workspace
from crdt.textdiff import Splice
from tests.bridge.trees import counts, put, reasons, set_time, take, texts, tree

HOUR = 3_600_000


def ids(workspace: Workspace) -> dict[str, str]:
    """The ids of all thoughts that are shown, by path."""
    return {thought.path: thought.id for thought in workspace.thoughts(Filter())}


@contextmanager
def nothing_is_written(workspace: Workspace) -> Iterator[None]:
    """Fails if anything at all changes in the workspace's tables."""
    with workspace.database.write():
        pass
    before = _contents(workspace)
    yield
    assert _contents(workspace) == before


def _contents(workspace: Workspace) -> dict[str, list[tuple[object, ...]]]:
    connection = workspace.database.read()
    tables = [
        row[0]
        for row in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'fulltext%'"
        )
    ]
    return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


def test_a_file_becomes_a_thought_with_its_time_and_the_importers_name(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"plans/a.md": "# A plan\n"})
    written = 1_700_000_000_123
    set_time(source / "plans" / "a.md", written)
    take(workspace, source)
    thought = workspace.get("plans/a.md")
    assert (thought.title, thought.created_by, thought.updated_by) == ("A plan", "bob", "bob")
    assert (thought.created_at, thought.updated_at) == (written, written)
    [revision] = workspace.history(thought.id)
    assert (revision.note, revision.author, revision.ended_at) == ("imported", "bob", written)


def test_a_time_in_the_future_or_before_1970_is_brought_into_range(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"future.md": "a", "past.md": "b"})
    set_time(source / "future.md", int(time.time() * 1000) + 1_000 * HOUR)
    set_time(source / "past.md", -HOUR)
    take(workspace, source)
    assert workspace.get("future.md").created_at <= time.time() * 1000
    assert workspace.get("past.md").created_at == 0


def test_files_go_below_the_folder_that_was_asked_for(workspace: Workspace, source: Path) -> None:
    put(source, {"a.md": "a", "b/c.md": "c"})
    take(workspace, source, into="/team/notes/")
    assert set(texts(workspace)) == {"team/notes/a.md", "team/notes/b/c.md"}


@pytest.mark.parametrize("into", ["../up", "a/../../b", "a//b", "C:/x"])
def test_a_folder_that_leads_out_of_the_workspace_is_refused(
    workspace: Workspace, source: Path, into: str
) -> None:
    put(source, {"a.md": "a"})
    with pytest.raises(BadInput):
        take(workspace, source, into=into)
    assert texts(workspace) == {}


def test_an_import_that_comes_again_changes_nothing(workspace: Workspace, source: Path) -> None:
    put(source, {f"{n}/file.md": f"text {n}" for n in range(20)})
    assert counts(take(workspace, source)) == (20, 0, 0, 0)
    with nothing_is_written(workspace):
        assert counts(take(workspace, source)) == (0, 0, 20, 0)


def test_an_import_by_another_name_of_the_folder_is_the_same_import(
    workspace: Workspace, source: Path, tmp_path: Path
) -> None:
    put(source, {"a.md": "a"})
    take(workspace, source)
    (tmp_path / "link").symlink_to(source)
    assert counts(take(workspace, tmp_path / "link")) == (0, 0, 1, 0)


def test_a_changed_file_changes_its_thought_and_keeps_its_history(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"a.md": "one\ntwo\nthree\n"})
    take(workspace, source)
    thought = workspace.get("a.md").id
    put(source, {"a.md": "one\n2\nthree\n"})
    assert counts(take(workspace, source)) == (0, 1, 0, 0)
    assert workspace.text(thought) == "one\n2\nthree\n"
    assert [past.text for past in workspace.past(thought)] == [
        "one\ntwo\nthree\n",
        "one\n2\nthree\n",
    ]


def test_edits_made_here_meanwhile_survive_a_changed_file(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"a.md": "one\ntwo\nthree\n"})
    take(workspace, source)
    thought = workspace.get("a.md").id
    workspace.append(thought, "four, from here")
    put(source, {"a.md": "zero\none\n2\nthree\n"})
    take(workspace, source)
    assert workspace.text(thought) == "zero\none\n2\nthree\nfour, from here\n"
    put(source, {"a.md": "zero\none\ntwo again\nthree\n"})
    take(workspace, source)
    assert workspace.text(thought) == "zero\none\ntwo again\nthree\nfour, from here\n"


def test_a_change_that_was_made_on_both_sides_is_not_doubled(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"a.md": "one\n"})
    take(workspace, source)
    thought = workspace.get("a.md").id
    workspace.append(thought, "two")
    put(source, {"a.md": "one\ntwo\n"})
    assert counts(take(workspace, source)) == (0, 0, 1, 0)
    put(source, {"a.md": "one\ntwo\nthree\n"})
    take(workspace, source)
    assert workspace.text(thought) == "one\ntwo\nthree\n"


def test_a_changed_file_reaches_a_thought_that_was_moved(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"a.md": "one\n"})
    take(workspace, source)
    thought = workspace.get("a.md").id
    workspace.move(thought, "archive/b.md")
    put(source, {"a.md": "one\ntwo\n"})
    assert counts(take(workspace, source)) == (0, 1, 0, 0)
    assert texts(workspace) == {"archive/b.md": "one\ntwo\n"}


def test_a_thought_in_the_trash_comes_back_only_if_its_file_has_changed(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"a.md": "one\n"})
    take(workspace, source)
    workspace.trash(workspace.get("a.md").id)
    os.utime(source / "a.md")
    assert counts(take(workspace, source)) == (0, 0, 1, 0)
    assert texts(workspace) == {}
    put(source, {"a.md": "one\ntwo\n"})
    assert counts(take(workspace, source)) == (0, 1, 0, 0)
    assert texts(workspace) == {"a.md": "one\ntwo\n"}


def test_a_purged_thought_is_a_new_one_when_its_file_is_imported_again(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"a.md": "one\n"})
    take(workspace, source)
    old = workspace.get("a.md").id
    workspace.trash(old)
    workspace.purge(old)
    assert counts(take(workspace, source)) == (1, 0, 0, 0)
    assert workspace.get("a.md").id != old


def test_a_thought_with_the_same_path_and_text_is_adopted(
    workspace: Workspace, source: Path
) -> None:
    thought = workspace.create("a.md", "same\n").id
    put(source, {"a.md": "same\n"})
    assert counts(take(workspace, source)) == (0, 0, 1, 0)
    assert ids(workspace) == {"a.md": thought}
    put(source, {"a.md": "same\nand more\n"})
    assert counts(take(workspace, source)) == (0, 1, 0, 0)
    assert workspace.text(thought) == "same\nand more\n"


def test_another_text_at_the_same_path_becomes_a_second_thought(
    workspace: Workspace, source: Path
) -> None:
    first = workspace.create("a.md", "from here\n").id
    put(source, {"a.md": "from outside\n"})
    set_time(source / "a.md", 1_000_000_000_000)
    report = take(workspace, source)
    assert counts(report) == (1, 0, 0, 0)
    assert texts(workspace) == {"a.md": "from here\n", "a (2).md": "from outside\n"}
    assert workspace.get("a.md").id == first, "an old file does not take the name away"
    assert reasons(report.notices) == {
        "a.md": "There is another thought at this path; this one is shown as a (2).md."
    }
    assert counts(take(workspace, source)) == (0, 0, 1, 0)


def test_two_folders_with_files_of_the_same_names_keep_apart(
    workspace: Workspace, tmp_path: Path
) -> None:
    one, two = put(tmp_path / "one", {"a.md": "1"}), put(tmp_path / "two", {"a.md": "2"})
    take(workspace, one)
    take(workspace, two)
    put(one, {"a.md": "1!"})
    put(two, {"a.md": "2!"})
    assert counts(take(workspace, one)) == (0, 1, 0, 0)
    assert counts(take(workspace, two)) == (0, 1, 0, 0)
    assert texts(workspace) == {"a.md": "1!", "a (2).md": "2!"}


def test_names_that_differ_only_in_case_or_accents_are_both_taken_in(
    workspace: Workspace, source: Path
) -> None:
    files = {"Plan.md": "1", "plan.md": "2", "caf\u00e9.md": "3", "cafe\u0301.md": "4"}
    put(source, files)
    if len(tree(source)) < 4:
        pytest.skip("this file system does not tell these names apart")
    report = take(workspace, source)
    assert texts(workspace) == files
    assert reasons(report.notices) == {
        "plan.md": "Its name differs from Plan.md only in case or accents.",
        "caf\u00e9.md": "Its name differs from cafe\u0301.md only in case or accents.",
    }


def test_names_that_windows_cannot_have_are_taken_in_with_a_notice(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"ab:c.md": "1", "con.md": "2", "end./x.md": "3"})
    report = take(workspace, source)
    assert len(texts(workspace)) == 3
    assert set(reasons(report.notices)) == {"ab:c.md", "con.md", "end./x.md"}


def test_a_dry_run_says_the_same_and_changes_nothing(
    workspace: Workspace, source: Path, tmp_path: Path
) -> None:
    workspace.create("adopted.md", "same")
    workspace.create("taken.md", "here")
    put(source, {"changed.md": "1", "same.md": "2", "both.md": "3"})
    take(workspace, source)
    workspace.append(workspace.get("both.md").id, "more")
    put(
        source,
        {
            "changed.md": "1!",
            "both.md": workspace.text(workspace.get("both.md").id),
            "adopted.md": "same",
            "taken.md": "there",
            "new.md": "new",
            "New.md": "New",
            "bad.md": b"\xff",
        },
    )
    with nothing_is_written(workspace):
        dry = take(workspace, source, dry_run=True)
    real = take(workspace, source)
    assert dry == real
    assert counts(real) == (3, 1, 3, 1)


def test_a_dry_run_of_an_empty_workspace_counts_every_file(
    workspace: Workspace, source: Path
) -> None:
    put(source, {f"{n}.md": "x" for n in range(250)})
    with nothing_is_written(workspace):
        assert counts(take(workspace, source, dry_run=True)) == (250, 0, 0, 0)


def test_exported_files_that_were_edited_come_back_as_edits(
    workspace: Workspace, tmp_path: Path
) -> None:
    thought = workspace.create("plans/a.md", "one\ntwo\n").id
    workspace.append(thought, "three")
    out = tmp_path / "out"
    workspace.export(out, ExportOptions())
    assert counts(take(workspace, out)) == (0, 0, 1, 0)
    workspace.append(thought, "four, from here")
    put(out, {"plans/a.md": "zero\none\ntwo\nthree\n"})
    assert counts(take(workspace, out)) == (0, 1, 0, 0)
    assert texts(workspace) == {"plans/a.md": "zero\none\ntwo\nthree\nfour, from here\n"}


def test_a_folder_that_is_exported_to_and_imported_from_stays_in_step(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"a.md": "one\n"})
    take(workspace, source)
    thought = workspace.get("a.md").id
    workspace.append(thought, "two, from here")
    workspace.export(source, ExportOptions())
    assert tree(source) == {"a.md": b"one\ntwo, from here\n"}
    put(source, {"a.md": "zero\none\ntwo, from here\n"})
    assert counts(take(workspace, source)) == (0, 1, 0, 0)
    assert texts(workspace) == {"a.md": "zero\none\ntwo, from here\n"}


def compact(workspace: Workspace, thought: str) -> None:
    """Replace a thought's entries by a checkpoint."""
    with workspace.database.write() as connection:
        compaction.compact(connection, thought_number(connection, thought))


def test_a_changed_file_merges_into_a_thought_whose_entries_were_compacted(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"a.md": "one\ntwo\nthree\n"})
    take(workspace, source)
    thought = workspace.get("a.md").id
    workspace.edit_text(thought, lambda text: [Splice(0, 4, "")])
    workspace.append(thought, "from here")
    compact(workspace, thought)
    put(source, {"a.md": "zero\none\ntwo\nthree\nend\n"})
    assert counts(take(workspace, source)) == (0, 1, 0, 0)
    compact(workspace, thought)
    found = workspace.text(thought).splitlines()
    assert sorted(found) == ["end", "from here", "three", "two", "zero"]
    assert found.index("zero") < found.index("two") < found.index("three")


def test_a_changed_export_whose_base_is_compacted_away_is_kept_beside_the_thought(
    workspace: Workspace, tmp_path: Path
) -> None:
    thought = workspace.create("a.md", "one\n").id
    out = tmp_path / "out"
    workspace.export(out, ExportOptions())
    workspace.append(thought, "two")
    compact(workspace, thought)
    put(out, {"a.md": "zero\none\n"})
    report = take(workspace, out)
    assert counts(report) == (1, 0, 0, 0)
    assert texts(workspace) == {"a.md": "one\ntwo\n", "a (2).md": "zero\none\n"}
    assert "a (2).md" in reasons(report.notices)["a.md"]


def test_a_thought_that_cannot_be_read_is_a_line_and_the_rest_comes_in(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"a.md": "a", "b.md": "b"})
    take(workspace, source)
    broken = workspace.get("a.md").id
    with workspace.database.write() as connection:
        connection.execute(
            "UPDATE log SET update_bytes = x'ff' WHERE thought ="
            " (SELECT n FROM thought_ids WHERE id = ?)",
            (broken,),
        )
    put(source, {"a.md": "a!", "b.md": "b!"})
    report = take(workspace, source)
    assert counts(report) == (0, 1, 0, 1)
    assert "cannot be read" in reasons(report.skipped)["a.md"]
    assert workspace.text(workspace.get("b.md").id) == "b!"


def test_progress_is_told_for_every_batch(
    workspace: Workspace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH_FILES", 10)
    put(source, {f"{n:03}.md": "x" for n in range(35)} | {"bad.md": b"\xff"})
    told: list[Progress] = []
    take(workspace, source, progress=told.append)
    assert [(each.done, each.total) for each in told] == [(10, 36), (20, 36), (30, 36), (36, 36)]


def test_large_files_make_small_batches(
    workspace: Workspace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH_BYTES", 1_000)
    put(source, {f"{n}.md": "x" * 600 for n in range(6)})
    told: list[Progress] = []
    take(workspace, source, progress=told.append)
    assert [each.done for each in told] == [2, 4, 6]


def test_other_writers_get_their_turn_between_batches(
    workspace: Workspace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH_FILES", 5)
    put(source, {f"{n}.md": "x" for n in range(20)})
    positions: list[int] = []

    def write_between(progress: Progress) -> None:
        workspace.create(f"other/{progress.done}.md", "from another writer")
        positions.append(last_position(workspace.database.read()))

    take(workspace, source, progress=write_between)
    assert positions == [6, 12, 18, 24]


def test_an_import_that_is_stopped_keeps_what_it_has_and_the_next_completes_it(
    workspace: Workspace, source: Path
) -> None:
    files = {f"{n:03}.md": f"text {n}" for n in range(250)}
    put(source, files)
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 120

    report = take(workspace, source, stop=stop)
    assert report.interrupted
    taken = texts(workspace)
    assert len(taken) == report.created and 0 < len(taken) < 250
    assert workspace.status().waiting == 0
    second = take(workspace, source)
    assert not second.interrupted
    assert (second.created, second.unchanged) == (250 - len(taken), len(taken))
    assert texts(workspace) == files


def test_ctrl_c_between_batches_is_reported_and_the_next_import_completes_it(
    workspace: Workspace, source: Path
) -> None:
    files = {f"{n:03}.md": f"text {n}" for n in range(250)}
    put(source, files)

    def press(progress: Progress) -> None:
        if progress.step == "Importing" and progress.done >= 200:
            raise KeyboardInterrupt

    report = take(workspace, source, progress=press)
    assert report.interrupted and report.created == 200
    assert counts(take(workspace, source)) == (50, 0, 200, 0)
    assert texts(workspace) == files


def test_ctrl_c_inside_a_batch_rolls_that_batch_back(
    workspace: Workspace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(source, {f"{n:03}.md": f"text {n}" for n in range(150)})
    real, calls = importer.intake.birth, 0

    def press(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 120:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(importer.intake, "birth", press)
    report = take(workspace, source)
    assert report.interrupted and report.created == 100 == len(texts(workspace))
    assert counts(take(workspace, source)) == (50, 0, 100, 0)


def test_every_file_is_counted_once(workspace: Workspace, source: Path) -> None:
    put(source, {"a.md": "a", "b.md": b"\xff", "c/d.md": "d", ".git/x": "x"})
    (source / "link").symlink_to("a.md")
    report = take(workspace, source)
    assert sum(counts(report)) == 5


def test_two_importers_of_one_folder_make_each_thought_once(
    workspace: Workspace, source: Path, tmp_path: Path
) -> None:
    from tests.workspaces import open_workspace

    put(source, {f"{n:03}.md": f"text {n}" for n in range(150)})
    with open_workspace(tmp_path / "workspace") as other:
        second = None

        def meanwhile(progress: Progress) -> None:
            nonlocal second
            if progress.step == "Importing" and second is None:
                second = importer.import_folder(
                    other.database, source, ImportOptions(author="carol")
                )

        first = take(workspace, source, progress=meanwhile)
    assert second is not None
    assert (first.created, first.unchanged) == (100, 50)
    assert (second.created, second.unchanged) == (50, 100)
    assert len(texts(workspace)) == 150
