"""What goes in comes out the same, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.model import ExportOptions
from aimem_tui.workspace.workspace import Workspace
from tests.bridge.trees import counts, put, reasons, take, texts, tree
from tests.shared_data import shared_data
from tests.workspaces import open_workspace

ROOT = Path(__file__).resolve().parents[2]


def folders(root: Path) -> set[str]:
    """All folders below a folder."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_dir()}


@pytest.mark.parametrize("corpus", ["mem8", "actingweb"])
def test_real_thoughts_come_out_as_they_went_in_and_are_not_imported_twice(
    workspace: Workspace, tmp_path: Path, corpus: str
) -> None:
    source = shared_data("thoughts", corpus, "latest")
    report = take(workspace, source)
    assert report.created == len(tree(source)) > 50
    assert not report.skipped
    workspace.export(tmp_path / "out", ExportOptions())
    assert tree(tmp_path / "out") == tree(source)
    assert folders(tmp_path / "out") == folders(source)
    again = take(workspace, source)
    assert counts(again) == (0, 0, report.created, 0)


def test_a_tree_exported_from_one_workspace_makes_the_same_tree_in_another(
    workspace: Workspace, tmp_path: Path
) -> None:
    take(workspace, shared_data("thoughts", "mem8", "latest"))
    workspace.export(tmp_path / "out", ExportOptions())
    with open_workspace(tmp_path / "second") as second:
        take(second, tmp_path / "out")
        assert texts(second) == texts(workspace)
        times = [
            {each.path: each.updated_at for each in one.thoughts()} for one in (workspace, second)
        ]
        assert times[0] == times[1]


_pieces = st.one_of(
    st.sampled_from(
        [
            "\ufeff",
            "\r",
            "\r\n",
            "\n",
            "\u2028",
            "\u2029",
            "\x0b",
            "\x0c",
            "\x85",
            "---\n",
            "title: x\n",
            "- [ ] a\n",
            "# h\n",
            "```\n",
            "\U0001f469\u200d\U0001f4bb",
            "e\u0301",
            "\U0001f1e6\U0001f1e8",
            "\u0644",
            "\u6f22",
            "\ufffe",
            "\ufdd0",
            "\x01",
            "\x1b[0m",
            "\t",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
)
_texts = st.lists(_pieces, max_size=30).map("".join)


@given(st.lists(_texts, min_size=1, max_size=4))
def test_any_text_comes_out_as_the_bytes_that_went_in(
    tmp_path_factory: pytest.TempPathFactory, contents: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    files = {
        f"{number}.{('md', 'txt')[number % 2]}": text.encode()
        for number, text in enumerate(contents)
    }
    put(folder / "in", files)
    with open_workspace(folder) as workspace:
        report = take(workspace, folder / "in")
        assert not report.skipped
        workspace.export(folder / "out", ExportOptions())
        assert tree(folder / "out") == files
        assert counts(take(workspace, folder / "in")) == (0, 0, len(files), 0)
        assert counts(take(workspace, folder / "out")) == (0, 0, len(files), 0)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6))
def test_any_bytes_are_either_taken_in_whole_or_reported(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    files = {f"{number}.md": content for number, content in enumerate(contents)}
    put(folder / "in", files)
    with open_workspace(folder) as workspace:
        lost = reasons(take(workspace, folder / "in").skipped)
        workspace.export(folder / "out", ExportOptions())
        kept = tree(folder / "out")
    assert kept == {path: content for path, content in files.items() if is_text(content)}
    assert lost.keys() == files.keys() - kept.keys()


def is_text(content: bytes) -> bool:
    """Whether bytes are what a thought can hold."""
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


@given(_texts, st.lists(_texts, min_size=1, max_size=4))
def test_a_file_that_changes_again_and_again_is_always_the_thoughts_text(
    tmp_path_factory: pytest.TempPathFactory, first: str, later: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    put(folder / "in", {"a.md": first})
    with open_workspace(folder) as workspace:
        take(workspace, folder / "in")
        thought = workspace.get("a.md").id
        for text in later:
            put(folder / "in", {"a.md": text})
            take(workspace, folder / "in")
            assert workspace.text(thought) == text
        assert len(texts(workspace)) == 1


@pytest.mark.heavy
def test_thousands_of_files_come_in_with_progress_and_bounded_memory(tmp_path: Path) -> None:
    source = shared_data("corpora")
    program = """
import resource, sys
from pathlib import Path
from aimem_tui.model import ExportOptions, ImportOptions
from aimem_tui.workspace.workspace import Workspace
told = []
with Workspace(Path(sys.argv[1]), name="test", author="ann") as workspace:
    options = ImportOptions(author="ann", progress=told.append)
    report = workspace.import_folder(Path(sys.argv[2]), options)
    workspace.export(Path(sys.argv[3]), ExportOptions())
scale = 1 if sys.platform == "darwin" else 1024
print(report.created, len(told), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "w.db"), str(source), str(tmp_path / "out")],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    created, told, memory = map(int, done.stdout.split())
    files = tree(source)
    assert created == len(files) > 2_000
    assert told >= created // 100
    assert memory < 300_000_000
    assert tree(tmp_path / "out") == files
