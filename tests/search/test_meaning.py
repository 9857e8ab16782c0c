"""Searching by meaning finds what shares no word, and says what is not indexed yet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui import paths
from aimem_tui.index.file import IndexFile
from aimem_tui.index.job import Indexer, ModelSource
from aimem_tui.model import Filter
from aimem_tui.search import finder, fusion
from aimem_tui.search.passages import MATCH_START
from aimem_tui.workspace.workspace import Workspace
from tests.workspaces import START, Clock, open_workspace

TEXTS = {
    "notes/car.md": "# Workshop\n\nFixing a broken engine of an old car took the whole weekend.\n",
    "notes/bread.md": "# Kitchen\n\nSourdough wants flour, water, salt and patience.\n",
    "plans/login.md": "---\nstatus: draft\n---\n# Sign in\n\nPeople prove who they are daily.\n",
    "plans/trip.md": "# Holidays\n\nWe rent a vehicle and drive along the coast.\n",
}


def index_all(workspace: Workspace) -> None:
    with IndexFile(paths.home().index_file) as index:
        Indexer(workspace.database, index, ModelSource.of(""), clock=workspace.clock).run()


@pytest.fixture
def workspace(tmp_path: Path, home: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path) as opened:
        for path, text in TEXTS.items():
            opened.create(path, text)
        index_all(opened)
        yield opened


def found(workspace: Workspace, text: str, **options) -> list[str]:
    return [hit.thought.path for hit in workspace.search(text, **options).hits]


def test_what_shares_no_word_is_found_by_what_it_means(workspace: Workspace) -> None:
    for kind in ("hybrid", "semantic"):
        results = workspace.search("automobile repair", kind=kind)
        hit = results.hits[0]
        assert (results.kind, results.unindexed, results.said) == (kind, 0, "")
        assert hit.thought.path == "notes/car.md"
        assert (hit.why.fulltext, hit.why.semantic) == (None, 1)
        assert hit.why.cosine is not None
        assert hit.why.cosine > finder.LEAST_COSINE
        assert "Fixing a broken engine" in hit.snippet
        assert (MATCH_START in hit.snippet, hit.heading) == (False, "Workshop")
    assert found(workspace, "automobile repair", kind="fulltext") == []


def test_filters_fields_and_exclusions_hold_for_what_is_meant(workspace: Workspace) -> None:
    assert found(workspace, "automobile", wanted=Filter(path="plans"))[0] == "plans/trip.md"
    assert found(workspace, "authentication status:draft") == ["plans/login.md"]
    assert "notes/car.md" not in found(workspace, "automobile repair -engine")
    assert found(workspace, 'automobile "along the coast"') == ["plans/trip.md"]


def test_a_filter_never_empties_an_answer(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the nearest passages that are asked for at first were all of other thoughts.
    monkeypatch.setattr(finder, "CANDIDATES", 1)
    for path in TEXTS:
        wanted = Filter(path=path)
        text = TEXTS[path].split("\n\n")[-1]
        assert found(workspace, text, wanted=wanted, kind="semantic", limit=1) == [path]


def test_what_has_nothing_to_do_with_it_is_not_found(workspace: Workspace) -> None:
    assert found(workspace, "zxqv 83921 kjhh", kind="semantic") == []


def test_what_was_written_since_is_found_by_its_words_and_counted(workspace: Workspace) -> None:
    workspace.create("notes/new.md", "# New\n\nAn automobile was mended.\n")
    results = workspace.search("automobile mended")
    assert results.hits[0].thought.path == "notes/new.md"
    assert results.unindexed == 1
    index_all(workspace)
    assert workspace.search("automobile mended").unindexed == 0


def test_what_is_gone_is_not_found(workspace: Workspace) -> None:
    workspace.trash(workspace.get("notes/car.md").id)
    assert "notes/car.md" not in found(workspace, "automobile repair")


def test_related_thoughts_are_near_in_meaning(workspace: Workspace) -> None:
    near = workspace.related(workspace.get("notes/car.md").id)
    assert "notes/car.md" not in {each.thought.path for each in near}
    assert all(each.cosine is not None for each in near)


def test_a_broken_index_leaves_the_words(workspace: Workspace) -> None:
    workspace.searching.close()
    paths.home().index_file.write_bytes(b"no database at all" * 1_000)
    results = workspace.search("engine")
    assert [hit.thought.path for hit in results.hits] == ["notes/car.md"]
    assert (results.kind, bool(results.said)) == ("fulltext", True)


def test_who_is_not_known_to_a_ranking_stands_neither_first_nor_last_for_it() -> None:
    words = [(2, 10.0), (1, 8.0), (3, 1.0)]
    meaning = [(2, 0.8), (3, 0.7)]
    late = fusion.fuse(words, [], meaning, unmeant={1})
    assert [each.thought for each in late] == [2, 1, 3]
    assert [each.thought for each in fusion.fuse(words, [], meaning)] == [2, 3, 1]


def test_a_ranking_is_told_apart_by_scores_and_names_the_places() -> None:
    (best, *_) = fusion.fuse([(7, 4.0), (8, 2.0)], [(8, 3.0)], [(8, 0.6), (7, 0.5)])
    assert best == fusion.Fused(8, best.score, 2, 1, 1)
    assert fusion.fuse([]) == []


def test_a_single_search_finds_the_same_and_begins_no_thread(
    workspace: Workspace, tmp_path: Path
) -> None:
    with open_workspace(tmp_path, clock=Clock(START, step=0)) as command:
        command.search_once()
        before = {thread.name for thread in threading.enumerate()}
        once = {kind: command.search("automobile repair", kind=kind) for kind in finder.KINDS}
        assert {thread.name for thread in threading.enumerate()} == before
    with open_workspace(tmp_path, clock=Clock(START, step=0)) as lasting:
        for kind, results in once.items():
            hits = lasting.search("automobile repair", kind=kind).hits
            assert [hit.thought for hit in results.hits] == [hit.thought for hit in hits]
            assert [hit.score for hit in results.hits] == pytest.approx(
                [hit.score for hit in hits], abs=1e-4
            )
