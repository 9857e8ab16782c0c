"""What a search asks of the database does not grow with what there is to find."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui.model import Filter
from aimem_tui.search import matching
from aimem_tui.workspace.workspace import Workspace
from tests.statements import listening
from tests.workspaces import open_workspace

MOST = 14


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path) as opened:
        with opened.database.write():
            for number in range(60):
                opened.create(f"{number % 4}/{number}.md", f"# word {number}\n\ncommon word\n")
        yield opened


def statements(workspace: Workspace, text: str, **options) -> int:
    """How many statements a search runs."""
    with listening(workspace) as ran:
        workspace.search(text, **options)
    return len(ran)


@pytest.mark.parametrize("ranked", [10, 1_000])
def test_a_search_runs_a_handful_of_statements_whatever_it_finds(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, ranked: int
) -> None:
    monkeypatch.setattr(matching, "RANKED", ranked)
    for text in ("common", "word 7", "common nowhere", '"common word"', "nowhere at all"):
        for limit in (1, 5, 50):
            for wanted in (Filter(), Filter(path="3")):
                found = statements(workspace, text, limit=limit, wanted=wanted)
                assert 1 <= found <= MOST, (text, limit, wanted)


def test_more_hits_are_no_more_statements(workspace: Workspace) -> None:
    assert statements(workspace, "common", limit=10) == statements(workspace, "common", limit=50)


def test_typing_a_word_runs_a_handful_of_statements_for_each_letter(workspace: Workspace) -> None:
    word = "common wor"
    for length in range(1, len(word) + 1):
        assert statements(workspace, word[:length], as_you_type=True) <= MOST
