"""Indexing: what changed is read, what is new is embedded, once; what is gone is gone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aimem_tui import locks
from aimem_tui.errors import StorageError
from aimem_tui.index import contents, spaces, status
from aimem_tui.index.check import check
from aimem_tui.index.file import IndexFile
from aimem_tui.index.job import BATCH, Done
from aimem_tui.index.reader import Coverage, IndexReader
from aimem_tui.workspace.workspace import Workspace
from crdt.textdiff import Splice
from tests.index.indexing import WordModel, indexer
from tests.workspaces import Clock, open_workspace

WORDS = ["lorem", "ipsum", "sync", "relay", "vector", "entry", "cursor", "paper", "river", "stone"]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "a").mkdir()
    with open_workspace(tmp_path / "a") as opened:
        yield opened


@pytest.fixture
def index(home: Path) -> Iterator[IndexFile]:
    with IndexFile(home / "aimem" / "index.db") as opened:
        yield opened


@pytest.fixture
def model() -> WordModel:
    return WordModel()


def text(seed: int, sections: int = 4) -> str:
    drawn = random.Random(seed)
    return "".join(
        f"## Part {seed}.{n}\n\n" + " ".join(drawn.choices(WORDS, k=120)) + f" {seed}.{n}.\n\n"
        for n in range(sections)
    )


def fill(workspace: Workspace, thoughts: int) -> list[str]:
    return [workspace.create(f"n/{n}.md", text(n)).id for n in range(thoughts)]


def reader(workspace: Workspace, index: IndexFile) -> IndexReader:
    connection = workspace.database.read()
    return IndexReader(index, spaces.whose(connection, workspace.database.path).replica)


def number(workspace: Workspace, thought: str) -> int:
    found = workspace.database.read().execute("SELECT n FROM thoughts WHERE id = ?", (thought,))
    return int(found.get)


def test_a_run_indexes_all_and_the_next_one_nothing(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    fill(workspace, 5)
    made = indexer(workspace, index, model)
    assert made.pending() == (5, 0)
    done = made.run()
    assert done == Done(thoughts=5, passages=20, embedded=20)
    assert made.pending() == (0, 0)
    assert made.run() == Done(0, 0, 0)
    assert check(workspace.database, index, WordModel()) == []


def test_an_edit_embeds_only_the_passages_that_it_changed(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    thought, *_ = fill(workspace, 3)
    made = indexer(workspace, index, model)
    made.run()
    before = len(model.texts)
    workspace.edit_text(thought, lambda said: [Splice(said.index("0.2."), said.index("0.2."), "x")])
    assert made.pending().thoughts == 1
    assert made.run() == Done(thoughts=1, passages=1, embedded=1)
    assert "x0.2" in model.texts[before]
    assert check(workspace.database, index, WordModel()) == []


def test_an_undo_a_move_and_a_restore_embed_nothing(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    thought, *_ = fill(workspace, 2)
    made = indexer(workspace, index, model)
    made.run()
    workspace.edit_text(thought, lambda said: [Splice(0, 0, "New words. ")])
    made.run()
    seen = len(model.texts)
    workspace.edit_text(thought, lambda said: [Splice(0, len("New words. "), "")])
    made.run()
    workspace.move(thought, "elsewhere/a.md")
    made.run()
    workspace.trash(thought)
    made.run()
    assert reader(workspace, index).chunks_of(number(workspace, thought)) == []
    workspace.restore(thought)
    made.run()
    assert len(model.texts) == seen
    assert check(workspace.database, index, WordModel()) == []


def test_a_second_workspace_embeds_nothing_that_the_first_has(
    workspace: Workspace, index: IndexFile, model: WordModel, tmp_path: Path
) -> None:
    fill(workspace, 4)
    indexer(workspace, index, model).run()
    seen = len(model.texts)
    (tmp_path / "b").mkdir()
    with open_workspace(tmp_path / "b") as other:
        fill(other, 4)
        other.create("own.md", "Only here.")
        indexer(other, index, model).run()
        assert len(model.texts) == seen + 1
        assert check(other.database, index, WordModel()) == []
    assert check(workspace.database, index, WordModel()) == []


def test_a_workspace_that_is_gone_leaves_the_index_and_its_vectors_serve_again(
    workspace: Workspace, index: IndexFile, model: WordModel, tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    with open_workspace(tmp_path / "b") as other:
        fill(other, 3)
        indexer(other, index, model).run()
    (tmp_path / "b" / "workspace.db").unlink()
    seen = len(model.texts)
    indexer(workspace, index, model).run()
    assert [space.file for space in status.read(index).spaces] == [workspace.database.path]
    fill(workspace, 3)
    indexer(workspace, index, model).run()
    assert len(model.texts) == seen


def test_the_newest_thoughts_are_embedded_first(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    fill(workspace, 60)
    indexer(workspace, index, model).run()
    first = " ".join(model.texts[: 4 * BATCH])
    assert " 59.0." in first
    assert " 0.0." not in first


def test_what_is_written_while_others_are_embedded_is_next(
    workspace: Workspace, index: IndexFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimem_tui.index.job.QUIET_S", 0.0)

    class Writing(WordModel):
        written = False

        def embed(self, texts):  # type: ignore[no-untyped-def]
            if not self.written:
                self.written = True
                workspace_of_another.create("new.md", "Just written.")
            return super().embed(texts)

    fill(workspace, 100)
    model = Writing()
    folder, clock = workspace.database.path.parent, workspace.clock
    assert isinstance(clock, Clock)
    with open_workspace(folder, clock=clock) as workspace_of_another:
        made = indexer(workspace, index, model)
        made.run()
    place = next(at for at, said in enumerate(model.texts) if "Just written." in said)
    assert place < 4 * BATCH
    assert check(workspace.database, index, WordModel()) == []


def test_a_stopped_run_keeps_what_it_has(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    fill(workspace, 30)
    made = indexer(workspace, index, model)
    made.run(lambda: len(model.texts) >= BATCH)
    left = made.pending().passages
    assert 0 < left < 120
    assert reader(workspace, index).coverage(workspace.database.read()).passages == left
    assert check(workspace.database, index, WordModel()) == []
    made.run()
    assert len(model.texts) == len(set(model.texts)) == 120


def test_paused_it_reads_and_embeds_nothing(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    fill(workspace, 3)
    status.pause(index)
    made = indexer(workspace, index, model)
    assert made.run() == Done(thoughts=3, passages=12, embedded=0)
    assert reader(workspace, index).chunks_by_words('"2.3"', 5)
    assert made.pending() == (0, 12)
    status.resume(index)
    assert made.run() == Done(thoughts=0, passages=0, embedded=12)


def test_while_another_process_is_at_it_nothing_is_done(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    fill(workspace, 1)
    lock = locks.to_index(index.path)
    assert lock.take()
    assert indexer(workspace, index, model).run() is None
    assert status.read(index).working
    lock.release()
    assert indexer(workspace, index, model).run() is not None


def test_two_workspaces_take_turns(
    workspace: Workspace,
    index: IndexFile,
    model: WordModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aimem_tui.index.job.TURN_S", 0.0)
    fill(workspace, 60)
    (tmp_path / "b").mkdir()
    with open_workspace(tmp_path / "b") as other, IndexFile(index.path) as theirs:
        other.create("b.md", "Waits for its turn.")
        waiting = indexer(other, theirs, WordModel())

        def ask() -> bool:
            if BATCH <= len(model.texts) < 2 * BATCH:
                assert waiting.run(give_way=True) is None
            return False

        made = indexer(workspace, index, model)
        made.run(ask, give_way=True)
        assert made.pending().passages > 0
        done = waiting.run(give_way=True)
        assert done is not None
        assert done.embedded == 1
    made.run(give_way=True)
    assert made.pending() == (0, 0)


def test_another_model_is_made_while_the_old_one_serves(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    fill(workspace, 20)
    indexer(workspace, index, model).run()
    other = WordModel(dimensions=32, seed=1)
    changed = indexer(workspace, index, other, "other")
    assert changed.pending().passages == 80
    changed.run(lambda: len(other.texts) >= BATCH)
    found = reader(workspace, index)
    assert found.model is not None
    assert found.model.identity == "words"
    vectors = found.vectors()
    assert vectors is not None
    assert len(vectors.nearest(model.embed_one(text(3)), 50)) == 50
    assert found.coverage(workspace.database.read()).unindexed == 0
    assert check(workspace.database, index, WordModel()) == []
    changed.run()
    assert found.model is not None
    assert found.model.identity == "other"
    assert len(other.texts) == 80
    with index.snapshot() as connection:
        assert [each.identity for each in spaces.models(connection)] == ["other"]
    assert check(workspace.database, index, WordModel(dimensions=32, seed=1)) == []
    back = found.vectors()
    assert back is not None
    assert back.dimensions == 32


def test_going_back_to_the_model_that_serves_ends_the_change(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    fill(workspace, 20)
    indexer(workspace, index, model).run()
    other = WordModel(dimensions=32, seed=1)
    indexer(workspace, index, other, "other").run(lambda: len(other.texts) >= BATCH)
    seen = len(model.texts)
    indexer(workspace, index, model).run()
    assert len(model.texts) == seen
    with index.snapshot() as connection:
        assert [each.identity for each in spaces.models(connection)] == ["words"]
    assert check(workspace.database, index, WordModel()) == []


def test_a_purge_leaves_no_word_and_no_vector_in_the_index(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    kept = workspace.create("other.md", "# Other\n\nqkept stays.")
    thought = workspace.create("a.md", "# Zqtitle\n\n" + "zqword " * 400)
    made = indexer(workspace, index, model)
    made.run()
    workspace.edit_text(thought.id, lambda said: [Splice(0, len(said), "zqlater harmless")])
    made.run()
    workspace.trash(thought.id)
    made.run()
    assert status.read(index).spare
    workspace.purge(thought.id)
    folder = index.path.parent
    on_disk = b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())
    assert b"qkept" in on_disk
    assert b"zq" not in on_disk.lower()
    for said in model.texts:
        assert ("zq" not in said.lower()) or model.embed_one(said).tobytes() not in on_disk
    (row,) = reader(workspace, index).chunks_of(number(workspace, kept.id))
    held = reader(workspace, index).vectors_of(row.thought)
    assert held[0].tobytes() in on_disk
    assert status.read(index).spare == 0
    assert made.run() == Done(0, 0, 0)
    assert check(workspace.database, index, WordModel()) == []


def test_what_was_purged_elsewhere_goes_with_the_next_run(
    workspace: Workspace, index: IndexFile, model: WordModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    thought = workspace.create("a.md", "zqword " * 400)
    made = indexer(workspace, index, model)
    made.run()
    index.truncate_wal()
    assert b"zqword" in index.path.read_bytes()
    monkeypatch.setattr("aimem_tui.workspace.indexing.forget", lambda *_: None)
    workspace.trash(thought.id)
    workspace.purge(thought.id)
    made.run()
    assert b"zq" not in index.path.read_bytes()
    assert check(workspace.database, index, WordModel()) == []


def test_a_purge_that_cannot_reach_the_index_says_so_and_the_next_run_does_it(
    workspace: Workspace, index: IndexFile, model: WordModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimem_tui.index.file.BUSY_TIMEOUT_MS", 1)
    thought = workspace.create("a.md", "zqword " * 400)
    made = indexer(workspace, index, model)
    made.run()
    workspace.trash(thought.id)
    with index.write(), pytest.raises(StorageError, match="still has words"):
        workspace.purge(thought.id)
    made.run()
    assert b"zq" not in index.path.read_bytes()


def test_a_damaged_or_foreign_index_is_built_anew(
    workspace: Workspace, model: WordModel, home: Path
) -> None:
    fill(workspace, 2)
    path = home / "aimem" / "index.db"
    with IndexFile(path) as index:
        indexer(workspace, index, model).run()
    for damage in (b"no database at all" * 500, b"", path.read_bytes()[:4096] + b"\xff" * 9000):
        path.write_bytes(damage)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        try:
            with IndexFile(path) as index:
                indexer(workspace, index, model).run()
                assert check(workspace.database, index, WordModel()) == []
        except StorageError:
            with IndexFile(path) as index:
                index.empty()
                indexer(workspace, index, model).run()
                assert check(workspace.database, index, WordModel()) == []


def test_an_index_of_another_version_is_emptied(home: Path) -> None:
    path = home / "aimem" / "index.db"
    with IndexFile(path) as index, index.write() as connection:
        connection.execute("INSERT INTO state VALUES ('old', '1')")
        connection.pragma("user_version", 999)
    assert IndexFile.existing(path) is None
    with IndexFile(path) as index:
        assert index.read().execute("SELECT count(*) FROM state").get == 0


def test_two_workspaces_wait_for_the_same_string_and_it_is_embedded_once(
    workspace: Workspace, index: IndexFile, model: WordModel, tmp_path: Path
) -> None:
    status.pause(index)
    (tmp_path / "b").mkdir()
    with open_workspace(tmp_path / "b") as other:
        for each in (workspace, other):
            fill(each, 2)
            indexer(each, index, model).run()
        status.resume(index)
        indexer(workspace, index, model).run()
        assert indexer(other, index, model).pending() == (0, 0)
        assert len(model.texts) == 8
        assert check(other.database, index, WordModel()) == []


def test_spare_vectors_go_when_they_are_old_or_too_many(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    thought, *_ = fill(workspace, 1)
    indexer(workspace, index, model).run()
    workspace.trash(thought)
    indexer(workspace, index, model).run()
    now = workspace.clock()
    with index.write() as connection:
        assert contents.prune_spare(connection, now, bytes_kept=2 * 5 * model.dimensions) == 2
        assert contents.prune_spare(connection, now + 29 * 86_400_000) == 0
        assert contents.prune_spare(connection, now + 31 * 86_400_000) == 2


def test_the_reader_gives_passages_by_words_by_vectors_and_of_thoughts(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    ids = fill(workspace, 6)
    found = reader(workspace, index)
    assert found.vectors() is None
    assert found.chunks_by_words("sync", 5) == []
    assert found.coverage(workspace.database.read()).unindexed == 6
    indexer(workspace, index, model).run()
    third = number(workspace, ids[3])
    assert {hit.thought for hit in found.chunks_by_words('"3.1"', 9)} == {third}
    assert found.chunks_by_words('"3.1"', 9, among=[third + 1]) == []
    rows = found.chunks_of(third)
    assert [row.ordinal for row in rows] == [0, 1, 2, 3]
    assert found.chunks([row.id for row in reversed(rows)]) == rows[::-1]
    assert rows[1].headings == ("Part 3.1",)
    vectors = found.vectors()
    assert vectors is not None
    assert found.vectors() is vectors
    nearest = vectors.nearest(found.vectors_of(third)[0], 1)
    assert np.isclose(nearest.cosines[0], 1)
    ((row,),) = found.chunks_with([int(nearest.ids[0])]).values()
    assert row.thought == third
    assert set(found.ids_of([third])) == {row.content for row in rows}
    workspace.append(ids[3], "More.")
    assert found.changed_since(workspace.database.read()) == {third}


@pytest.mark.parametrize("counted", [2_000, 10])
def test_the_reader_says_how_many_thoughts_wait(
    workspace: Workspace, index: IndexFile, monkeypatch: pytest.MonkeyPatch, counted: int
) -> None:
    monkeypatch.setattr("aimem_tui.index.reader._COUNTED", counted)
    fill(workspace, 20)
    status.pause(index)
    indexer(workspace, index, WordModel()).run()
    workspace.create("new.md", "Not read yet.")
    found = reader(workspace, index).coverage(workspace.database.read())
    assert found == Coverage(thoughts=21, changed=1, waiting=20, passages=80)
    assert found.unindexed == 21


def test_a_rebuild_of_the_lists_costs_no_vector(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    from aimem_tui.workspace import doctor

    fill(workspace, 5)
    made = indexer(workspace, index, model)
    made.run()
    seen = len(model.texts)
    doctor.rebuild(workspace, lambda _: None)
    made.run()
    assert len(model.texts) == seen
    assert check(workspace.database, index, WordModel()) == []
    assert all(finding.ok for finding in doctor.examine(workspace))


def test_what_has_not_been_read_yet_is_no_disagreement(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    edited, trashed, restored, kept = fill(workspace, 4)
    workspace.trash(restored)
    indexer(workspace, index, model).run()
    workspace.append(edited, "More.")
    workspace.trash(trashed)
    workspace.restore(restored)
    workspace.create("new.md", "Words.")
    assert check(workspace.database, index, WordModel()) == []
    assert reader(workspace, index).chunks_of(number(workspace, kept))


def test_the_doctor_sees_an_index_that_differs(
    workspace: Workspace, index: IndexFile, model: WordModel
) -> None:
    from aimem_tui.workspace import doctor

    fill(workspace, 2)
    indexer(workspace, index, model).run()
    with index.write() as connection:
        connection.execute("DELETE FROM chunks WHERE id = 1")
    wrong = [finding for finding in doctor.examine(workspace) if not finding.ok]
    assert [finding.check for finding in wrong] == ["meaning"]
    assert "aimem index rebuild" in wrong[0].hint
