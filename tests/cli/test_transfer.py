"""``import`` and ``export``."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import Aimem
from tests.shared_data import shared_data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "thoughts"
    (root / "plans").mkdir(parents=True)
    (root / "plans" / "a.md").write_bytes(b"# A\r\n")
    (root / "b.md").write_bytes("# été\n".encode())
    (root / "run.sh").write_bytes(b"ls\n")
    (root / "image.md").write_bytes(b"\x89PNG\x00\xff")
    return root


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()
    }


def test_import_reports_what_it_took_and_what_it_skipped(aimem: Aimem, folder: Path) -> None:
    said = aimem("import", str(folder)).out
    assert said.startswith("Imported: 3 new, 0 updated, 0 unchanged, 1 skipped.\n")
    assert "Skipped\n  image.md" in said
    assert aimem("list").out == "b.md\nplans/a.md\nrun.sh\n"
    assert aimem("import", str(folder)).out.startswith("Imported: 0 new, 0 updated, 3 unchanged")


def test_json_of_import_holds_every_count(aimem: Aimem, folder: Path) -> None:
    report = aimem("import", str(folder), "--json").json
    (skipped,) = report.pop("skipped")
    assert skipped["path"] == "image.md"
    assert skipped["reason"]
    assert report == {
        "created": 3,
        "updated": 0,
        "unchanged": 0,
        "revisions": 0,
        "notices": [],
        "interrupted": False,
        "dry_run": False,
    }


def test_import_takes_options(aimem: Aimem, folder: Path) -> None:
    aimem("import", str(folder), "--into", "mine/", "--only-markdown", "--exclude", "plans/*")
    assert aimem("list").out == "mine/b.md\n"


def test_a_dry_run_changes_nothing(aimem: Aimem, folder: Path) -> None:
    assert aimem("import", str(folder), "--dry-run").out.startswith("Would import: 3 new")
    assert aimem("import", str(folder), "-n", "--json").json["dry_run"] is True
    assert aimem("list").out == ""


def test_what_was_imported_is_exported_byte_for_byte(
    aimem: Aimem, folder: Path, tmp_path: Path
) -> None:
    (folder / "image.md").unlink()
    aimem("import", str(folder))
    out = tmp_path / "out"
    assert "3 written, 0 unchanged." in aimem("export", str(out)).out
    assert tree(out) == tree(folder)
    assert "0 written, 3 unchanged." in aimem("export", str(out)).out


def test_real_thoughts_come_and_go_byte_for_byte(aimem: Aimem, tmp_path: Path) -> None:
    source = shared_data("thoughts", "mem8", "latest")
    assert aimem("import", str(source), "--json").json["skipped"] == []
    aimem("export", str(tmp_path / "out"))
    assert tree(tmp_path / "out") == tree(source)


def test_export_filters_and_cleans_only_its_own_files(
    aimem: Aimem, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    aimem("import", str(folder))
    aimem("export", str(out))
    (out / "mine.txt").write_text("kept")
    aimem("trash", "b")
    report = aimem("export", str(out), "--clean", "--json").json
    assert (report["removed"], report["interrupted"]) == (1, False)
    assert sorted(tree(out)) == ["mine.txt", "plans/a.md", "run.sh"]
    aimem("export", str(tmp_path / "plans"), "--path", "plans", "--since", "30d")
    assert sorted(tree(tmp_path / "plans")) in (["plans/a.md"], [])


def test_export_keeps_a_file_that_is_not_its_own_unless_told(
    aimem: Aimem, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.md").write_text("somebody's work")
    aimem("import", str(folder))
    said = aimem("export", str(out)).out
    assert "Skipped\n  b.md" in said
    assert (out / "b.md").read_text() == "somebody's work"
    aimem("export", str(out), "--overwrite")
    assert (out / "b.md").read_text() == "# été\n"


def test_export_makes_one_file_of_other_formats(aimem: Aimem, folder: Path, tmp_path: Path) -> None:
    aimem("import", str(folder))
    aimem("export", str(tmp_path / "all.json"), "--format", "json")
    assert json.loads((tmp_path / "all.json").read_text())
    aimem("export", str(tmp_path / "all.db"), "--format", "sqlite")
    assert (tmp_path / "all.db").read_bytes().startswith(b"SQLite format 3")


def git(repository: Path, *args: str, date: str = "2024-05-01T12:00:00Z") -> None:
    who = {"GIT_AUTHOR_NAME": "Eve", "GIT_AUTHOR_EMAIL": "e@x", "GIT_AUTHOR_DATE": date}
    committer = {key.replace("AUTHOR", "COMMITTER"): value for key, value in who.items()}
    subprocess.run(
        ["git", "-C", str(repository), *args],
        check=True,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(repository), **who, **committer},
    )


def test_a_git_history_becomes_revisions(aimem: Aimem, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q")
    for number, date in enumerate(("2024-05-01T12:00:00Z", "2024-06-01T12:00:00Z"), 1):
        (repository / "a.md").write_text(f"version {number}\n")
        git(repository, "add", ".")
        git(repository, "commit", "-qm", f"change {number}", date=date)
    report = aimem("import", "--git", str(repository), "--json").json
    assert (report["created"], report["revisions"]) == (1, 2)
    revisions = aimem("history", "a", "--json").json["revisions"]
    assert [(r["author"], r["ended_at"], r["note"].split(" (")[0]) for r in revisions] == [
        ("Eve", "2024-06-01T12:00:00.000Z", "change 2"),
        ("Eve", "2024-05-01T12:00:00.000Z", "change 1"),
    ]
    assert aimem("history", "show", "a", "1").out == "version 1\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["import", "no-such-folder"], 3),
        (["import"], 2),
        (["import", ".", "--into", "../out"], 5),
        (["import", "--git", "."], 5),
        (["export"], 2),
        (["export", "out", "--format", "pdf"], 2),
        (["export", "out", "--since", "never"], 2),
    ],
)
def test_a_wrong_import_or_export_is_explained(
    aimem: Aimem,
    arguments: list[str],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    aimem.fails(*arguments, code=code)
    assert list(tmp_path.iterdir()) == []


def test_an_export_onto_a_file_is_explained(aimem: Aimem, tmp_path: Path) -> None:
    aimem("new", "a")
    (tmp_path / "out").write_text("in the way")
    aimem.fails("export", str(tmp_path / "out"), code=5)
    assert (tmp_path / "out").read_text() == "in the way"
