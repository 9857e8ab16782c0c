"""``aimem index``: what it says, what it does, what scripts get."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui import locks
from aimem_tui.index.file import IndexFile
from tests.cli.running import Aimem
from tests.cli.test_imports import modules_after
from tests.index.indexing import WordModel, source


@pytest.fixture
def aimem(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aimem]:
    monkeypatch.setenv("AIMEM_AUTHOR", "Ada")
    model = WordModel()
    monkeypatch.setattr(
        "aimem_tui.index.job.ModelSource.of", lambda _setting, threads=None: source(model)
    )
    made = Aimem()
    made("new", "plans/a.md", "# A plan\n\nThe first words.")
    made("new", "plans/b.md", "# Another\n\nOther words.")
    yield made


@pytest.fixture
def file(home: Path) -> Path:
    return home / "aimem" / "index.db"


def test_before_the_first_run_all_thoughts_wait(aimem: Aimem) -> None:
    assert "2 thoughts not yet indexed; to do it: aimem index run." in aimem("index").out
    assert aimem("index", "--json").json["unindexed"] == 2


def test_a_run_indexes_what_waits_and_says_so(aimem: Aimem) -> None:
    assert aimem("index", "run").out == "Indexed 2 thoughts; 2 passages embedded.\n"
    assert "up to date" in aimem("index", "status").out
    aimem("append", "plans/a.md", "One more line.")
    assert aimem("index", "status", "--json").json["unindexed"] == 1
    done = aimem("index", "run", "--json").json
    assert done == {
        "busy": False,
        "thoughts": 1,
        "embedded": 1,
        "waiting": {"thoughts": 0, "passages": 0},
    }
    (space,) = aimem("index", "--json").json["workspaces"]
    assert (space["thoughts"], space["passages"], space["waiting"]) == (2, 2, 0)


def test_paused_it_stays_paused_until_it_is_resumed(aimem: Aimem) -> None:
    assert aimem("index", "pause", "--json").json == {"paused": True}
    assert "aimem index resume" in aimem.fails("index", "run", code=4)
    assert "paused" in aimem("index").out
    aimem("index", "resume")
    assert aimem("index", "run", "--json").json["embedded"] == 2


def test_while_another_program_indexes_it_says_so(aimem: Aimem, file: Path) -> None:
    with IndexFile(file):
        lock = locks.to_index(file)
        assert lock.take()
        assert aimem("index", "run", "--json").json["busy"]
        assert "being indexed now" in aimem("index").out
        lock.release()


def test_a_rebuild_makes_everything_anew_and_keeps_the_pause(aimem: Aimem, file: Path) -> None:
    aimem("index", "run")
    with IndexFile(file) as index, index.write() as connection:
        connection.execute("DELETE FROM chunks")
    assert "aimem index rebuild" in aimem("doctor", code=6).out
    aimem("index", "pause")
    assert aimem("index", "rebuild", "--json").json["embedded"] == 2
    assert aimem("index", "--json").json["paused"]
    assert "agrees" in aimem("doctor").out


def test_a_purge_empties_what_the_index_had_of_it(aimem: Aimem, file: Path) -> None:
    aimem("index", "run")
    aimem("trash", "plans/b.md")
    aimem("purge", "plans/b.md", "--yes")
    (space,) = aimem("index", "--json").json["workspaces"]
    assert (space["thoughts"], space["passages"]) == (1, 1)


@pytest.mark.parametrize(
    "words",
    [("index", "status"), ("index", "pause"), ("purge", "plans/b.md", "--yes")],
    ids=lambda words: words[0] + " " + words[1],
)
def test_what_makes_no_vectors_loads_nothing_that_would(
    aimem: Aimem, tmp_path: Path, words: tuple[str, ...]
) -> None:
    aimem("index", "run")
    aimem("trash", "plans/b.md")
    assert modules_after(*words, folder=tmp_path) & {"numpy", "onnxruntime", "tokenizers"} == set()
