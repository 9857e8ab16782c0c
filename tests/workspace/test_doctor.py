"""The doctor finds what is wrong, changes nothing, and a rebuild mends what can be mended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui.model import Progress
from aimem_tui.store import log
from aimem_tui.store.log import Draft
from aimem_tui.workspace import doctor
from aimem_tui.workspace.workspace import Workspace
from tests.store.drafts import Author
from tests.workspaces import START, open_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path) as opened:
        for path in ("a.md", "x/b.md", "x/y/c.md", "x/y/d.md"):
            opened.create(path, f"# {path}\n\nwords of {path}\n")
        opened.trash(opened.get("d").id)
        yield opened


def troubles(workspace: Workspace) -> set[str]:
    return {finding.check for finding in doctor.examine(workspace) if not finding.ok}


def damage(workspace: Workspace, sql: str) -> None:
    with workspace.database.write() as connection:
        connection.execute(sql)


def test_all_is_well_with_a_new_and_with_a_used_workspace(
    workspace: Workspace, tmp_path: Path
) -> None:
    with open_workspace(tmp_path / "new") as empty:
        for each in (empty, workspace):
            findings = doctor.examine(each)
            assert [finding for finding in findings if not finding.ok] == []
            checks = {finding.check for finding in findings}
            assert checks == {
                *("file", "format", "sqlite", "log", "documents"),
                *("index", "tree", "texts", "search", "meaning"),
            }
            assert all(finding.detail.endswith(".") for finding in findings)


@pytest.mark.parametrize(
    ("sql", "check"),
    [
        ("UPDATE folders SET thoughts = 9 WHERE path = 'x'", "tree"),
        ("UPDATE folders SET thoughts = 9 WHERE path = 'x/y'", "tree"),
        ("DELETE FROM folders WHERE path = 'x/y'", "tree"),
        ("INSERT INTO folders VALUES ('ghost', '', 'ghost', 1)", "tree"),
        ("UPDATE thoughts SET path = 'a.md', folder = '', name = 'a.md'", "tree"),
        ("UPDATE texts SET body = 'other words'", "texts"),
        ("UPDATE texts SET body = 'other words'", "search"),
        ("INSERT INTO fulltext (fulltext) VALUES ('delete-all')", "search"),
        ("INSERT INTO stale SELECT n FROM thought_ids", "index"),
    ],
)
def test_damage_is_found_left_alone_and_mended_by_a_rebuild(
    workspace: Workspace, sql: str, check: str
) -> None:
    damage(workspace, sql)
    for _ in range(2):
        assert check in troubles(workspace)
    for finding in doctor.examine(workspace):
        assert finding.ok or finding.hint
    doctor.rebuild(workspace, lambda progress: None)
    assert troubles(workspace) == set()


@pytest.mark.parametrize(
    "sql", ["UPDATE vectors SET seq = 2", "DELETE FROM vectors", "UPDATE log SET seq = seq + 100"]
)
def test_numbers_that_were_never_given_out_are_found(workspace: Workspace, sql: str) -> None:
    damage(workspace, sql)
    assert troubles(workspace) == {"log"}


def test_an_entry_that_is_missing_is_found(workspace: Workspace) -> None:
    damage(workspace, "DELETE FROM log WHERE seq = 2")
    assert "log" in troubles(workspace)


def test_entries_in_checkpoints_are_not_missing(workspace: Workspace) -> None:
    from aimem_tui.store import compaction

    with workspace.database.write() as connection:
        compaction.compact(connection, 1)
        compaction.compact(connection, 4)
    workspace.append(workspace.get("a.md").id, "more")
    assert troubles(workspace) == set()


def test_whoever_looks_twice_finds_no_damage_in_what_was_written_between(
    workspace: Workspace,
) -> None:
    for turn in range(3):
        for number in range(12):
            workspace.create(f"{turn}/{number}.md", f"words {turn} and {number}\n")
            workspace.append(workspace.get("a.md").id, "more")
        assert troubles(workspace) == set()


def test_a_thought_that_cannot_be_read_is_named(workspace: Workspace) -> None:
    thought = workspace.get("a.md")
    with workspace.database.write() as connection:
        log.append(connection, [Draft(thought.id, b"\x05broken", START, "mallory")])
    workspace.catch_up()
    findings = [finding for finding in doctor.examine(workspace) if not finding.ok]
    assert any(thought.id in finding.detail for finding in findings)
    assert any("a.md" in finding.detail for finding in findings)


def test_a_damaged_file_is_looked_over_all_the_same(tmp_path: Path) -> None:
    with open_workspace(tmp_path) as workspace:
        for number in range(200):
            workspace.create(f"{number}.md", f"{number} " * 400)
        file = workspace.database.path
    raw = bytearray(file.read_bytes())
    middle = len(raw) // 2
    raw[middle:] = b"\xa5" * (len(raw) - middle)
    file.write_bytes(raw)
    with open_workspace(tmp_path) as workspace:
        found = {finding.check: finding for finding in doctor.examine(workspace)}
    assert not found["file"].ok
    assert found["sqlite"].ok
    assert all(finding.ok or finding.hint for finding in found.values())


def test_looking_changes_nothing(workspace: Workspace) -> None:
    def everything() -> list[object]:
        connection = workspace.database.read()
        tables = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'fulltext%'"
        ).fetchall()
        return [sorted(connection.execute(f"SELECT * FROM {t}"), key=repr) for (t,) in tables]

    before = everything()
    doctor.examine(workspace)
    assert everything() == before


def test_a_rebuild_tells_how_far_it_is_and_keeps_history(workspace: Workspace) -> None:
    past = workspace.past(workspace.get("x/b.md").id)
    thoughts = [*workspace.thoughts()]
    heard: list[Progress] = []
    assert doctor.rebuild(workspace, heard.append) == 4
    assert heard[0] == Progress("Rebuilding", 0, 4)
    assert heard[-1] == Progress("Rebuilding", 4, 4)
    assert [*workspace.thoughts()] == thoughts
    assert workspace.past(workspace.get("x/b.md").id) == past


def test_a_rebuild_that_was_cut_off_goes_on_where_it_was(workspace: Workspace) -> None:
    with workspace.database.write() as connection:
        author = Author("f" * 32)
        log.append(connection, [author.begin("late.md", "text")])

    class Cut(Exception):
        pass

    def cut(progress: Progress) -> None:
        raise Cut

    with pytest.raises(Cut):
        doctor.rebuild(workspace, cut)
    assert workspace.count() == 0
    assert workspace.catch_up() == 5
    assert workspace.count() == 4
    assert troubles(workspace) == set()
