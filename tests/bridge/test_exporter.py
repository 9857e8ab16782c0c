"""Exporting a tree of files: what is written, what is kept, and that nothing else is touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.bridge import exporter, target
from aimem_tui.bridge.exporter import Name, tree_names
from aimem_tui.errors import BadInput, StorageError
from aimem_tui.markdown import paths
from aimem_tui.model import ExportOptions, ExportReport, Filter, Progress
from aimem_tui.workspace.workspace import Workspace
from tests.bridge.trees import put, reasons, take, tree


def give(workspace: Workspace, folder: Path, **options: object) -> ExportReport:
    """Export into a folder."""
    return workspace.export(folder, ExportOptions(**options))  # type: ignore[arg-type]


def counts(report: ExportReport) -> tuple[int, int, int, int]:
    """Written, unchanged, removed, skipped."""
    return report.written, report.unchanged, report.removed, len(report.skipped)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder that is not there yet."""
    return tmp_path / "deep" / "out"


def test_thoughts_become_files_with_the_time_of_their_last_edit(
    workspace: Workspace, out: Path
) -> None:
    thought = workspace.create("plans/a.md", "# A\r\nline\u2028end", at=1_600_000_000_123)
    workspace.create("b", "")
    assert counts(give(workspace, out)) == (2, 0, 0, 0)
    assert tree(out) == {"plans/a.md": "# A\r\nline\u2028end".encode(), "b": b""}
    assert (out / "plans/a.md").stat().st_mtime_ns == thought.updated_at * 1_000_000


def test_exporting_needs_no_document_engine(tmp_path: Path) -> None:
    import subprocess
    import sys

    program = """
import sys
from pathlib import Path
from aimem_tui.model import ExportOptions
from aimem_tui.workspace.workspace import Workspace
with Workspace(Path(sys.argv[1]), name="test", author="ann") as workspace:
    report = workspace.export(Path(sys.argv[2]), ExportOptions(clean=True))
assert report.written == 1, report
assert "pycrdt" not in sys.modules
"""
    from tests.workspaces import open_workspace

    with open_workspace(tmp_path) as workspace:
        workspace.create("a.md", "a")
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "workspace.db"), str(tmp_path / "out")],
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )


def test_only_what_differs_is_written(workspace: Workspace, out: Path) -> None:
    changed = workspace.create("a.md", "a").id
    workspace.create("b.md", "b")
    give(workspace, out)
    before = (out / "b.md").stat()
    workspace.append(changed, "more")
    assert counts(give(workspace, out)) == (1, 1, 0, 0)
    after = (out / "b.md").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert tree(out)["a.md"] == b"a\nmore\n"


def test_only_what_is_wanted_is_written(workspace: Workspace, out: Path) -> None:
    workspace.create("plans/a.md", "a")
    workspace.create("notes/b.md", "b")
    give(workspace, out, wanted=Filter(path="plans"))
    assert set(tree(out)) == {"plans/a.md"}


def test_a_replaced_file_keeps_its_permissions(workspace: Workspace, out: Path) -> None:
    script = workspace.create("run.sh", "#!/bin/sh\n").id
    give(workspace, out)
    (out / "run.sh").chmod(0o755)
    workspace.append(script, "true")
    give(workspace, out)
    assert (out / "run.sh").stat().st_mode & 0o777 == 0o755


def test_an_interrupted_write_leaves_the_old_file_and_no_litter(
    workspace: Workspace, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thought = workspace.create("a.md", "old").id
    give(workspace, out)
    workspace.append(thought, "new")
    real = os.write

    def press(descriptor: int, data: bytes) -> int:
        real(descriptor, data[:2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(target.os, "write", press)
        assert give(workspace, out).interrupted
    assert tree(out) == {"a.md": b"old"}
    assert counts(give(workspace, out)) == (1, 0, 0, 0)


def test_a_file_that_holds_somebody_elses_text_is_kept_and_reported(
    workspace: Workspace, out: Path
) -> None:
    workspace.create("a.md", "mine")
    workspace.create("b.md", "mine too")
    put(out, {"a.md": "theirs", "unrelated.md": "stays"})
    report = give(workspace, out)
    assert counts(report) == (1, 0, 0, 1)
    assert "did not come from here" in reasons(report.skipped)["a.md"]
    assert tree(out) == {"a.md": b"theirs", "b.md": b"mine too", "unrelated.md": b"stays"}
    assert counts(give(workspace, out, overwrite=True)) == (1, 1, 0, 0)
    assert tree(out)["a.md"] == b"mine"


def test_an_exported_file_that_was_changed_since_is_kept_until_it_is_imported(
    workspace: Workspace, out: Path
) -> None:
    thought = workspace.create("a.md", "one\n").id
    give(workspace, out)
    put(out, {"a.md": "zero\none\n"})
    workspace.append(thought, "two")
    assert counts(give(workspace, out)) == (0, 0, 0, 1)
    assert tree(out) == {"a.md": b"zero\none\n"}
    take(workspace, out)
    assert counts(give(workspace, out)) == (1, 0, 0, 0)
    assert tree(out) == {"a.md": b"zero\none\ntwo\n"}


def test_a_file_that_was_imported_as_it_is_may_be_replaced(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"a.md": "one\n"})
    take(workspace, source)
    workspace.append(workspace.get("a.md").id, "two")
    assert counts(give(workspace, source)) == (1, 0, 0, 0)
    assert tree(source) == {"a.md": b"one\ntwo\n"}


def test_clean_removes_what_an_export_wrote_and_is_gone(workspace: Workspace, out: Path) -> None:
    for path in ("a/b/gone.md", "a/moved.md", "stays.md", "changed.md"):
        workspace.create(path, f"text of {path}")
    give(workspace, out)
    put(out, {"a/foreign.md": "foreign", "changed.md": "changed outside"})
    workspace.trash(workspace.get("a/b/gone.md").id)
    workspace.trash(workspace.get("changed.md").id)
    workspace.move(workspace.get("a/moved.md").id, "new.md")
    assert counts(give(workspace, out)) == (1, 1, 0, 0), "without clean nothing is removed"
    report = give(workspace, out, clean=True)
    assert counts(report) == (0, 2, 2, 1)
    assert "changed since" in reasons(report.skipped)["changed.md"]
    assert set(tree(out)) == {"a/foreign.md", "changed.md", "new.md", "stays.md"}
    assert not (out / "a" / "b").exists(), "a folder that is empty without it is gone, too"


def test_clean_never_removes_a_file_that_no_export_wrote(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"a.md": "a", "b.md": "b"})
    take(workspace, source)
    give(workspace, source)
    workspace.trash(workspace.get("a.md").id)
    assert counts(give(workspace, source, clean=True)) == (0, 1, 0, 0)
    assert set(tree(source)) == {"a.md", "b.md"}


def test_clean_with_a_filter_leaves_what_the_filter_does_not_cover(
    workspace: Workspace, out: Path
) -> None:
    workspace.create("plans/a.md", "a")
    workspace.create("notes/b.md", "b")
    give(workspace, out)
    report = give(workspace, out, wanted=Filter(path="plans"), clean=True)
    assert counts(report) == (0, 1, 0, 0)
    assert set(tree(out)) == {"plans/a.md", "notes/b.md"}


def test_clean_does_not_follow_a_link_to_remove_a_file(
    workspace: Workspace, out: Path, tmp_path: Path
) -> None:
    workspace.create("folder/a.md", "same")
    workspace.create("b.md", "b")
    give(workspace, out)
    outside = put(tmp_path / "outside", {"a.md": "same"})
    (out / "folder" / "a.md").unlink()
    (out / "folder").rmdir()
    (out / "folder").symlink_to(outside)
    workspace.trash(workspace.get("folder/a.md").id)
    report = give(workspace, out, clean=True)
    assert "link" in reasons(report.skipped)["folder/a.md"]
    assert tree(outside) == {"a.md": b"same"}


def test_links_in_the_target_are_not_followed(
    workspace: Workspace, out: Path, tmp_path: Path
) -> None:
    outside = put(tmp_path / "outside", {"a.md": "untouched", "c.md": "untouched"})
    workspace.create("folder/a.md", "mine")
    workspace.create("b.md", "mine")
    workspace.create("deep/er/c.md", "mine")
    out.mkdir(parents=True)
    (out / "folder").symlink_to(outside)
    (out / "b.md").symlink_to(outside / "a.md")
    (out / "deep").mkdir()
    (out / "deep" / "er").symlink_to("../../../outside")
    report = give(workspace, out, overwrite=True)
    assert counts(report) == (0, 0, 0, 3)
    assert reasons(report.skipped) == {
        "b.md": "A link is there; links are not followed.",
        "deep/er/c.md": "The link er is in the way.",
        "folder/a.md": "The link folder is in the way.",
    }
    assert tree(outside) == {"a.md": b"untouched", "c.md": b"untouched"}


def test_a_link_that_appears_between_looking_and_writing_is_replaced_and_not_followed(
    workspace: Workspace, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = put(tmp_path / "outside", {"a.md": "untouched"})
    workspace.create("a.md", "mine")
    out.mkdir(parents=True)
    real = os.replace

    def race(*arguments: object, **options: object) -> None:
        (out / "a.md").symlink_to(outside / "a.md")
        real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(target.os, "replace", race)
    give(workspace, out)
    assert tree(outside) == {"a.md": b"untouched"}
    assert tree(out) == {"a.md": b"mine"}


def test_a_file_or_folder_in_the_way_is_a_line(workspace: Workspace, out: Path) -> None:
    workspace.create("a/b.md", "x")
    workspace.create("c.md", "x")
    put(out, {"a": "a file", "c.md/inside": "a folder"})
    os.mkfifo(out / "d.md")
    workspace.create("d.md", "x")
    assert reasons(give(workspace, out).skipped) == {
        "a/b.md": "The file a is in the way.",
        "c.md": "A folder of that name is there.",
        "d.md": "What is there is not a regular file.",
    }


def test_a_thought_and_a_folder_of_the_same_name_are_both_written(
    workspace: Workspace, out: Path
) -> None:
    workspace.create("plans", "a file")
    workspace.create("plans/a.md", "a")
    report = give(workspace, out)
    assert tree(out) == {"plans (2)": b"a file", "plans/a.md": b"a"}
    assert "plans (2)" in reasons(report.notices)["plans"]


def test_on_a_file_system_that_ignores_case_nothing_is_lost(
    workspace: Workspace, out: Path
) -> None:
    files = {
        "Plan.md": "1",
        "plan.md": "2",
        "plan (2).md": "3",
        "caf\u00e9.md": "4",
        "cafe\u0301.md": "5",
        "Folder/a.md": "6",
        "folder/A.md": "7",
    }
    for path, text in files.items():
        workspace.create(path, text)
    report = exporter.export(workspace.database, out, ExportOptions(), folds=True)
    written = tree(out)
    assert sorted(written.values()) == sorted(text.encode() for text in files.values())
    assert len({paths.fold(path) for path in written}) == len(files)
    assert written["plan (2).md"] == b"3", "a name that is in use is not given out"
    assert set(reasons(report.notices)) == {"plan.md", "caf\u00e9.md", "folder/A.md"}
    again = exporter.export(workspace.database, out, ExportOptions(), folds=True)
    assert counts(again) == (0, 7, 0, 0)


def test_names_on_such_a_file_system_do_not_depend_on_what_is_written(
    workspace: Workspace, out: Path
) -> None:
    workspace.create("Plan.md", "1")
    workspace.create("plan.md", "2", at=2_000_000_000_000)
    options = ExportOptions(wanted=Filter(since=1_900_000_000_000))
    exporter.export(workspace.database, out, options, folds=True)
    assert tree(out) == {"plan (2).md": b"2"}


def test_an_ordinary_file_system_is_found_to_tell_names_apart(
    workspace: Workspace, out: Path
) -> None:
    workspace.create("Plan.md", "1")
    workspace.create("plan.md", "2")
    out.mkdir(parents=True)
    put(out, {"Probe": "x"})
    if (out / "probe").exists():
        pytest.skip("this file system does not tell these names apart")
    (out / "Probe").unlink()
    give(workspace, out)
    assert tree(out) == {"Plan.md": b"1", "plan.md": b"2"}


_names = st.lists(
    st.text(alphabet="aA\u00e9e\u0301 ()2.", min_size=1, max_size=5).filter(
        lambda name: name not in (".", "..")
    ),
    min_size=1,
    max_size=3,
).map("/".join)


@given(st.lists(_names, unique=True, max_size=12), st.booleans())
def test_names_in_a_tree_never_collide(wanted: list[str], folds: bool) -> None:
    names = [Name(str(number), path) for number, path in enumerate(sorted(wanted))]
    other = tree_names(names, folds=folds)
    final = [other.get(each.id, each.path) for each in names]
    keys = [paths.fold(path) if folds else path for path in final]
    assert len(set(keys)) == len(keys)
    for key in keys:
        assert not any(longer.startswith(f"{key}/") for longer in keys)
    assert all(
        path.rpartition("/")[0] == each.path.rpartition("/")[0]
        for each, path in zip(names, final, strict=True)
    )


def test_thoughts_in_the_trash_can_be_written_out(workspace: Workspace, out: Path) -> None:
    for text in ("one", "two"):
        workspace.trash(workspace.create("a.md", text).id)
    give(workspace, out, wanted=Filter(trashed=True))
    assert sorted(tree(out).values()) == [b"one", b"two"]


def test_a_target_that_is_a_file_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    workspace.create("a.md", "a")
    put(tmp_path, {"out": "x"})
    with pytest.raises(BadInput, match="not a folder"):
        give(workspace, tmp_path / "out")
    with pytest.raises(BadInput, match="cannot be used"):
        give(workspace, tmp_path / "out" / "below")
    assert (tmp_path / "out").read_text() == "x"


def test_a_target_that_is_a_link_to_a_folder_is_that_folder(
    workspace: Workspace, out: Path, tmp_path: Path
) -> None:
    workspace.create("a.md", "a")
    out.mkdir(parents=True)
    (tmp_path / "link").symlink_to(out)
    give(workspace, tmp_path / "link")
    assert tree(out) == {"a.md": b"a"}


def test_a_name_too_long_for_the_file_system_is_a_line(
    workspace: Workspace, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thought = workspace.create("a.md", "a").id
    with workspace.database.write() as connection:
        connection.execute("UPDATE thoughts SET path = ? WHERE id = ?", ("x" * 300, thought))
    report = give(workspace, out)
    assert reasons(report.skipped) == {"x" * 300: "Its name is too long for this file system."}


def test_a_full_disk_ends_the_export_in_words(
    workspace: Workspace, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    workspace.create("a.md", "a")
    workspace.create("b.md", "b")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(target.os, "write", full)
    with pytest.raises(StorageError, match="Nothing more can be exported"):
        give(workspace, out)
    assert tree(out) == {}


def test_an_export_that_is_stopped_is_completed_by_the_next(
    workspace: Workspace, out: Path
) -> None:
    for number in range(10):
        workspace.create(f"{number}.md", "x")
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 4

    report = give(workspace, out, stop=stop, clean=True)
    assert report.interrupted and report.written == 4
    assert counts(give(workspace, out)) == (6, 4, 0, 0)


def test_progress_ends_at_the_total(workspace: Workspace, out: Path) -> None:
    for number in range(3):
        workspace.create(f"{number}.md", "x")
    told: list[Progress] = []
    give(workspace, out, progress=told.append)
    assert told[-1].done == told[-1].total == 3


def test_an_unknown_format_is_refused(workspace: Workspace, out: Path) -> None:
    with pytest.raises(BadInput, match="docx"):
        give(workspace, out, format="docx")
