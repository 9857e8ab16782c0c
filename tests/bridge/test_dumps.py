"""Exporting into one file: JSON and a plain SQLite file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from aimem_tui.errors import BadInput, Refused
from aimem_tui.model import ExportOptions, ExportReport, Filter
from aimem_tui.workspace.workspace import Workspace
from tests.bridge.trees import put

PLAN = (
    "---\ntags: [alpha, beta]\nstatus: draft\n---\n# The plan\n- [x] done\n- [ ] open\n[n](b.md)\n"
)


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    """Two thoughts and one in the trash."""
    workspace.create("plans/a.md", PLAN)
    workspace.create("b.md", "caf\u00e9 \U0001f642 \u2028 searching words\r\n")
    workspace.trash(workspace.create("c.md", "c").id)
    return workspace


def give(workspace: Workspace, file: Path, form: str, **options: object) -> ExportReport:
    """Export into a file."""
    return workspace.export(file, ExportOptions(format=form, **options))  # type: ignore[arg-type]


def test_json_holds_every_field_and_the_text(filled: Workspace, tmp_path: Path) -> None:
    assert give(filled, tmp_path / "new" / "out.json", "json").written == 2
    found = json.loads((tmp_path / "new" / "out.json").read_text(encoding="utf-8"))
    assert found["workspace"] == "test"
    assert isinstance(found["exported_at"], int)
    assert [each["path"] for each in found["thoughts"]] == ["b.md", "plans/a.md"]
    plan = found["thoughts"][1]
    assert plan["text"] == PLAN
    assert plan["tags"] == ["alpha", "beta"]
    assert (plan["kind"], plan["lifecycle"], plan["tasks_done"]) == ("plan", "draft", 1)
    assert plan["id"] == filled.get("plans/a.md").id
    assert found["thoughts"][0]["text"] == "caf\u00e9 \U0001f642 \u2028 searching words\r\n"


def test_json_of_an_empty_workspace_is_json(workspace: Workspace, tmp_path: Path) -> None:
    give(workspace, tmp_path / "out.json", "json")
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["thoughts"] == []


def test_json_is_the_same_each_time_but_for_the_moment(filled: Workspace, tmp_path: Path) -> None:
    give(filled, tmp_path / "1.json", "json")
    give(filled, tmp_path / "2.json", "json")
    one, two = (
        (tmp_path / name).read_text(encoding="utf-8").split("\n", 1)[1]
        for name in ("1.json", "2.json")
    )
    assert one == two


def test_sqlite_is_a_plain_database_with_tags_links_and_search(
    filled: Workspace, tmp_path: Path
) -> None:
    assert give(filled, tmp_path / "out.db", "sqlite").written == 2
    with closing(sqlite3.connect(tmp_path / "out.db")) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
        assert plain.execute("SELECT path, text FROM thoughts ORDER BY path").fetchall() == [
            ("b.md", "caf\u00e9 \U0001f642 \u2028 searching words\r\n"),
            ("plans/a.md", PLAN),
        ]
        assert plain.execute(
            "SELECT path, tag FROM tags JOIN thoughts ON id = thought ORDER BY tag"
        ).fetchall() == [("plans/a.md", "alpha"), ("plans/a.md", "beta")]
        assert plain.execute(
            "SELECT path, line, target FROM links JOIN thoughts ON id = thought"
        ).fetchall() == [("plans/a.md", 7, "b.md")]
        assert plain.execute(
            "SELECT path FROM thoughts_fts WHERE thoughts_fts MATCH 'search'"
        ).fetchall() == [("b.md",)]
        kinds = {
            row[0] for row in plain.execute("SELECT DISTINCT typeof(created_at) FROM thoughts")
        }
        assert kinds == {"integer"}


@pytest.mark.parametrize("form", ["json", "sqlite"])
def test_only_what_is_wanted_is_written(filled: Workspace, tmp_path: Path, form: str) -> None:
    assert give(filled, tmp_path / "out", form, wanted=Filter(path="plans")).written == 1


@pytest.mark.parametrize("form", ["json", "sqlite"])
def test_a_file_that_is_not_ours_is_not_replaced_unless_asked(
    filled: Workspace, tmp_path: Path, form: str
) -> None:
    put(tmp_path, {"out": "theirs"})
    with pytest.raises(Refused, match="already"):
        give(filled, tmp_path / "out", form)
    assert (tmp_path / "out").read_text() == "theirs"
    give(filled, tmp_path / "out", form, overwrite=True)
    give(filled, tmp_path / "out", form)
    with (tmp_path / "out").open("ab") as changed:
        changed.write(b"\n")
    with pytest.raises(Refused):
        give(filled, tmp_path / "out", form)


@pytest.mark.parametrize("form", ["json", "sqlite"])
def test_a_folder_is_refused(filled: Workspace, tmp_path: Path, form: str) -> None:
    with pytest.raises(BadInput, match="folder"):
        give(filled, tmp_path, form)


@pytest.mark.parametrize("form", ["json", "sqlite"])
def test_an_export_that_is_stopped_leaves_nothing(
    filled: Workspace, tmp_path: Path, form: str
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    report = give(filled, target / "out", form, stop=lambda: True)
    assert report.interrupted and report.written == 0
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("form", ["json", "sqlite"])
def test_an_exported_file_is_never_taken_for_a_thoughts_file(
    filled: Workspace, tmp_path: Path, form: str
) -> None:
    out = tmp_path / "out"
    give(filled, out / "all", form)
    report = filled.export(out, ExportOptions(clean=True))
    assert report.removed == 0 and (out / "all").exists()
