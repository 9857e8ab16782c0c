"""What a folder holds that cannot be taken in: each with a clear line, and nothing else touched."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from aimem_tui.bridge import scan
from aimem_tui.bridge.files import SIZE_LIMIT, LeftOut
from aimem_tui.errors import BadInput, NotFound
from aimem_tui.workspace.workspace import Workspace
from tests.bridge.trees import counts, put, reasons, take, texts

needs_rights = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")


def skipped(workspace: Workspace, folder: Path) -> dict[str, str]:
    """Import a folder that holds ``good.md`` and something bad; returns what was skipped."""
    put(folder, {"good.md": "good"})
    report = take(workspace, folder)
    assert texts(workspace)["good.md"] == "good", "what is good comes in all the same"
    return reasons(report.skipped)


def test_a_file_that_is_not_utf8_is_skipped_with_the_place_of_the_first_bad_byte(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"latin.md": "na\u00efve".encode("latin-1")})
    assert skipped(workspace, source) == {"latin.md": "It is not UTF-8: see byte 2."}


def test_a_file_with_half_a_surrogate_pair_is_not_utf8(workspace: Workspace, source: Path) -> None:
    put(source, {"half.md": b"ab\xed\xa0\x80"})
    assert skipped(workspace, source) == {"half.md": "It is not UTF-8: see byte 2."}


def test_a_file_with_a_nul_is_skipped_as_not_text(workspace: Workspace, source: Path) -> None:
    put(source, {"nul.md": b"text\0more", "image.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"})
    assert skipped(workspace, source) == {
        "nul.md": "It is not text: byte 4 is NUL.",
        "image.png": "It is not text: byte 8 is NUL.",
    }


def test_a_utf16_file_is_named_as_such(workspace: Workspace, source: Path) -> None:
    put(source, {"wide.md": "hello".encode("utf-16")})
    assert skipped(workspace, source) == {"wide.md": "It is UTF-16, not UTF-8."}


def test_a_file_of_50_mb_is_skipped_without_being_opened(
    workspace: Workspace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (source / "large.md").open("wb") as out:
        out.truncate(50 * 1024 * 1024)
    opened: list[object] = []
    real_open = os.open
    monkeypatch.setattr(
        os,
        "open",
        lambda name, *rest, **more: (opened.append(name), real_open(name, *rest, **more))[1],
    )
    assert skipped(workspace, source) == {"large.md": "It is too large: 50.0 MB of at most 8 MB."}
    assert not [name for name in opened if b"large.md" in os.fsencode(str(name))]


def test_a_file_that_grows_beyond_the_limit_after_the_scan_is_read_no_further(
    source: Path,
) -> None:
    put(source, {"growing.md": "small"})
    found = scan.scan(source, scan.Choice())
    with (source / "growing.md").open("r+b") as out:
        out.truncate(SIZE_LIMIT + 1)
    with pytest.raises(LeftOut, match="too large"):
        scan.read(found.root, found.files[0])


def test_a_file_just_at_the_limit_is_read(source: Path) -> None:
    put(source, {"full.md": b"x" * SIZE_LIMIT})
    found = scan.scan(source, scan.Choice())
    assert len(scan.read(found.root, found.files[0])) == SIZE_LIMIT


@needs_rights
def test_a_file_that_may_not_be_read_is_skipped(workspace: Workspace, source: Path) -> None:
    put(source, {"secret.md": "x"})
    (source / "secret.md").chmod(0)
    assert skipped(workspace, source) == {"secret.md": "It may not be read."}


@needs_rights
def test_a_folder_that_may_not_be_read_is_skipped(workspace: Workspace, source: Path) -> None:
    put(source, {"closed/inside.md": "x"})
    (source / "closed").chmod(0)
    try:
        assert skipped(workspace, source) == {"closed": "It may not be read."}
    finally:
        (source / "closed").chmod(0o700)


def test_a_link_to_a_folder_above_is_no_loop(workspace: Workspace, source: Path) -> None:
    (source / "a" / "b").mkdir(parents=True)
    (source / "a" / "b" / "up").symlink_to("../..")
    (source / "a" / "b" / "self").symlink_to(source / "a" / "b")
    assert skipped(workspace, source) == {
        "a/b/up": "It is a link to the folder itself.",
        "a/b/self": "It is a link to a/b.",
    }


def test_links_that_lead_to_each_other_are_skipped(workspace: Workspace, source: Path) -> None:
    (source / "one").symlink_to("two")
    (source / "two").symlink_to("one")
    assert skipped(workspace, source) == {
        "one": "It is a link that leads in circles.",
        "two": "It is a link that leads in circles.",
    }


def test_a_link_out_of_the_folder_is_not_followed(
    workspace: Workspace, source: Path, tmp_path: Path
) -> None:
    put(tmp_path / "outside", {"secret.md": "secret"})
    (source / "folder").symlink_to(tmp_path / "outside")
    (source / "file.md").symlink_to(tmp_path / "outside" / "secret.md")
    assert skipped(workspace, source) == {
        "folder": "It is a link that leads out of the folder.",
        "file.md": "It is a link that leads out of the folder.",
    }
    assert "secret" not in texts(workspace).values()


def test_a_link_to_a_file_inside_says_which(workspace: Workspace, source: Path) -> None:
    (source / "again.md").symlink_to("good.md")
    (source / "nowhere.md").symlink_to("missing.md")
    assert skipped(workspace, source) == {
        "again.md": "It is a link to good.md.",
        "nowhere.md": "It is a link to something that is not there.",
    }


def test_a_second_name_of_the_same_file_is_skipped_and_not_the_one_people_use(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"shared/plans/a.md": "plan"})
    for copy in ("searchable/shared/plans/a.md", "zebra/a.md"):
        (source / copy).parent.mkdir(parents=True)
        os.link(source / "shared/plans/a.md", source / copy)
    assert skipped(workspace, source) == {
        "searchable/shared/plans/a.md": "It is the same file as shared/plans/a.md.",
        "zebra/a.md": "It is the same file as shared/plans/a.md.",
    }


def test_a_hard_link_to_a_file_outside_is_an_ordinary_file(
    workspace: Workspace, source: Path, tmp_path: Path
) -> None:
    put(tmp_path / "outside", {"a.md": "text"})
    os.link(tmp_path / "outside" / "a.md", source / "a.md")
    assert skipped(workspace, source) == {}
    assert texts(workspace)["a.md"] == "text"


def test_pipes_and_sockets_are_never_opened(
    workspace: Workspace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(source / "pipe.md")
    monkeypatch.chdir(source)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.md")
        assert skipped(workspace, source) == {
            "pipe.md": "It is a pipe.",
            "socket.md": "It is a socket.",
        }


def test_a_name_that_is_not_utf8_is_skipped_and_shown_escaped(
    workspace: Workspace, source: Path
) -> None:
    try:
        Path(os.fsdecode(os.fsencode(source) + b"/caf\xe9.md")).write_text("x")
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    Path(os.fsdecode(os.fsencode(source) + b"/\xff\xfe")).mkdir()
    assert skipped(workspace, source) == {
        r"caf\xe9.md": "Its name is not UTF-8.",
        r"\xff\xfe": "Its name is not UTF-8.",
    }


def test_a_name_with_a_line_break_or_a_backslash_is_skipped(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"two\nlines.md": "x", "back\\slash.md": "x", "..\\up.md": "x"})
    found = skipped(workspace, source)
    assert set(found) == {r"two\nlines.md", "back\\slash.md", "..\\up.md"}
    assert "printed" in found[r"two\nlines.md"]
    assert "backslash" in found["back\\slash.md"]


def test_a_path_that_is_too_long_is_skipped(workspace: Workspace, source: Path) -> None:
    deep = "/".join(["d" * 200] * 6) + "/a.md"
    put(source, {deep: "x"})
    found = skipped(workspace, source)
    assert list(found) == [deep]
    assert "longer than 1024 bytes" in found[deep]


def test_a_tree_deeper_than_the_system_can_name_ends_with_a_line(
    workspace: Workspace, source: Path
) -> None:
    root = os.open(source, os.O_RDONLY)
    here = root
    try:
        for _ in range(25):
            os.mkdir("d" * 200, dir_fd=here)
            there = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
            if here != root:
                os.close(here)
            here = there
        os.close(here)
    finally:
        os.close(root)
    assert list(skipped(workspace, source).values()) == ["Its path is too long."]


def test_what_belongs_to_tools_is_left_out_once_each(workspace: Workspace, source: Path) -> None:
    put(
        source,
        {
            ".git/config": "x",
            ".git/objects/aa/bb": "x",
            "sub/.git": "gitdir: elsewhere",
            "node_modules/a/readme.md": "x",
            ".venv/lib/x.py": "x",
            "__pycache__/x.pyc": "x",
            ".DS_Store": "x",
            ".hg/x": "x",
            ".svn/x": "x",
            ".gitignore": "kept",
        },
    )
    assert set(skipped(workspace, source)) == {
        ".git",
        "sub/.git",
        "node_modules",
        ".venv",
        "__pycache__",
        ".DS_Store",
        ".hg",
        ".svn",
    }
    assert set(texts(workspace)) == {"good.md", ".gitignore"}


def test_text_that_is_not_markdown_and_empty_files_are_taken_in(
    workspace: Workspace, source: Path
) -> None:
    files = {"sync.sh": "#!/bin/sh\n", ".gitkeep": "", "Makefile": "all:\n", "a/.hidden": "x"}
    assert counts(take(workspace, put(source, files))) == (4, 0, 0, 0)
    assert texts(workspace) == files


def test_an_empty_folder_is_mentioned(workspace: Workspace, source: Path) -> None:
    (source / "nothing" / "here").mkdir(parents=True)
    report = take(workspace, source)
    assert reasons(report.notices) == {
        "nothing/here": "It is empty; there are only folders with thoughts in them."
    }


def test_what_was_asked_to_be_left_out_is(workspace: Workspace, source: Path) -> None:
    put(
        source,
        {
            "a.md": "",
            "drafts/b.md": "",
            "x/drafts/c.md": "",
            "x/y.log": "",
            "x/z/w.md": "",
            "build[1]/k.md": "",
        },
    )
    report = take(workspace, source, exclude=("drafts", "*.log", "x/z/*", "build[1]", ""))
    assert set(texts(workspace)) == {"a.md"}
    assert reasons(report.skipped) == {
        "drafts": "It is left out by drafts.",
        "x/drafts": "It is left out by drafts.",
        "x/y.log": "It is left out by *.log.",
        "x/z/w.md": "It is left out by x/z/*.",
        "build[1]": "It is left out by build[1].",
    }


def test_only_markdown_leaves_out_the_rest_by_name(workspace: Workspace, source: Path) -> None:
    put(source, {"a.md": "", "b.MD": "", "c.py": "", "d/e.txt": ""})
    report = take(workspace, source, only_markdown=True)
    assert set(texts(workspace)) == {"a.md", "b.MD"}
    assert reasons(report.skipped) == {
        "c.py": "It is not markdown.",
        "d/e.txt": "It is not markdown.",
    }


def test_a_source_tree_is_refused_unless_the_user_means_it(
    workspace: Workspace, source: Path
) -> None:
    put(source, {f"src/{n}.py": "pass" for n in range(160)})
    put(source, {f"docs/{n}.md": "text" for n in range(50)})
    with pytest.raises(BadInput, match="looks like a source tree"):
        take(workspace, source)
    assert texts(workspace) == {}
    assert counts(take(workspace, source, only_markdown=True)) == (50, 0, 0, 160)
    assert counts(take(workspace, source, everything=True)) == (160, 0, 50, 0)


def test_a_folder_of_mostly_markdown_is_no_source_tree(workspace: Workspace, source: Path) -> None:
    put(source, {f"{n}.py": "" for n in range(150)} | {f"{n}.md": "" for n in range(51)})
    assert take(workspace, source).created == 201


def test_a_root_that_is_not_there_or_not_a_folder_is_an_error(
    workspace: Workspace, source: Path
) -> None:
    with pytest.raises(NotFound):
        take(workspace, source / "missing")
    os.mkfifo(source / "pipe")
    with pytest.raises(BadInput):
        take(workspace, source / "pipe")
    (source / "circle").symlink_to("circle")
    with pytest.raises(BadInput):
        take(workspace, source / "circle")


def test_a_single_file_can_be_imported_and_is_the_same_as_in_its_folder(
    workspace: Workspace, source: Path
) -> None:
    put(source, {"a.md": "a", "b.md": "b"})
    assert counts(take(workspace, source / "a.md")) == (1, 0, 0, 0)
    assert counts(take(workspace, source)) == (1, 0, 1, 0)


def test_a_folder_with_nothing_in_it_gives_a_report_of_zeros(
    workspace: Workspace, source: Path
) -> None:
    report = take(workspace, source)
    assert counts(report) == (0, 0, 0, 0)
    assert not report.notices and not report.interrupted


def test_a_file_that_vanishes_after_the_scan_is_a_line(source: Path) -> None:
    put(source, {"a.md": "a"})
    found = scan.scan(source, scan.Choice())
    (source / "a.md").unlink()
    with pytest.raises(LeftOut, match="vanished"):
        scan.read(found.root, found.files[0])


def test_a_file_that_is_swapped_for_a_link_after_the_scan_is_not_followed(
    source: Path, tmp_path: Path
) -> None:
    put(source, {"a.md": "a"})
    put(tmp_path, {"secret.md": "secret"})
    found = scan.scan(source, scan.Choice())
    (source / "a.md").unlink()
    (source / "a.md").symlink_to(tmp_path / "secret.md")
    with pytest.raises(LeftOut, match="replaced"):
        scan.read(found.root, found.files[0])


def test_a_folder_that_is_swapped_for_a_link_after_the_scan_is_not_followed(
    source: Path, tmp_path: Path
) -> None:
    put(source, {"folder/a.md": "a"})
    put(tmp_path / "outside", {"a.md": "secret"})
    found = scan.scan(source, scan.Choice())
    (source / "folder").rename(tmp_path / "gone")
    (source / "folder").symlink_to(tmp_path / "outside")
    with pytest.raises(LeftOut, match="replaced"):
        scan.read(found.root, found.files[0])


def test_a_file_that_is_written_while_it_is_read_is_a_line(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(source, {"a.md": "a"})
    found = scan.scan(source, scan.Choice())
    real_read = os.read

    def read_and_write(descriptor: int, size: int) -> bytes:
        with (source / "a.md").open("ab") as out:
            out.write(b"more")
        monkeypatch.setattr(os, "read", real_read)
        return real_read(descriptor, size)

    monkeypatch.setattr(os, "read", read_and_write)
    with pytest.raises(LeftOut, match="changed while it was read"):
        scan.read(found.root, found.files[0])
