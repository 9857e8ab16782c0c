"""Every way of searching vectors finds what comparing with all of them finds, whoever writes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimem_tui.errors import StorageError
from aimem_tui.index.file import IndexFile
from aimem_tui.index.vectors import shadow
from aimem_tui.index.vectors.choose import WarmingIndex, open_index
from aimem_tui.index.vectors.matrix import MatrixIndex
from aimem_tui.index.vectors.port import MAX_NEIGHBOURS, Ids, VectorIndex
from aimem_tui.index.vectors.stream import StreamIndex
from aimem_tui.index.vectors.table import VectorTable
from aimem_tui.index.vectors.vec0 import Vec0Index
from tests.index.vector_tables import (
    DIMENSIONS,
    TABLE,
    assert_nearest,
    ids,
    opened,
    put,
    random_vectors,
)

KINDS = (MatrixIndex, StreamIndex, Vec0Index)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "index.db"


@pytest.fixture
def index(file: Path) -> Iterator[IndexFile]:
    with opened(file) as index:
        yield index


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest):
    return request.param


@dataclass(frozen=True)
class Step:
    """One transaction of one of two processes, and the search that follows it."""

    process: int
    action: str
    space: int
    first: int
    count: int
    """Of the ids from ``first`` on."""
    stride: int
    seed: int
    k: int
    share: float | None
    """How many of all ids the search is among; None for all."""

    @property
    def ids(self) -> Ids:
        return np.arange(self.first, self.first + self.count, dtype=np.int64)[:: self.stride]


STEPS = st.lists(
    st.builds(
        Step,
        process=st.integers(0, 1),
        action=st.sampled_from(("put", "put", "put", "remove", "move", "tidy", "give up")),
        space=st.integers(0, 2),
        first=st.integers(1, 600),
        # Blocks have 256 slots: some steps fill or empty whole ones.
        count=st.sampled_from((1, 3, 40, 300, 700)),
        stride=st.sampled_from((1, 1, 2, 5)),
        seed=st.integers(0, 99),
        k=st.sampled_from((1, 5, 50, 200)),
        share=st.sampled_from((None, None, 0.01, 0.2, 0.9)),
    ),
    min_size=1,
    max_size=8,
)


class GivenUp(Exception):
    """A transaction that ends without a commit."""


@given(STEPS)
def test_all_ways_agree_with_brute_force_whoever_writes_what(steps: list[Step]) -> None:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder) / "index.db"
        processes = [stack.enter_context(opened(path)) for _ in range(2)]
        readers: list[tuple[int, VectorIndex]] = [
            (space, kind(TABLE, space, process.snapshot))
            for process in processes
            for space in range(3)
            for kind in KINDS
        ]
        held: dict[int, tuple[int, np.ndarray]] = {}
        for step in steps:
            apply(step, processes[step.process], held)
            random = np.random.default_rng(step.seed)
            query = random_vectors(1, step.seed + 1000)[0]
            among = None
            if step.share is not None:
                among = random.permutation(1400)[: int(1400 * step.share)].astype(np.int64)
            asked = random.integers(1, 1400, 20)
            for space, reader in readers:
                mine = {each: vector for each, (at, vector) in held.items() if at == space}
                assert_nearest(reader.nearest(query, step.k, among), mine, query, step.k, among)
                nothing = np.zeros(DIMENSIONS, np.float32)
                expected = np.array([mine.get(each, nothing) for each in asked.tolist()])
                np.testing.assert_allclose(reader.vectors(asked), expected, atol=1e-6)


def apply(step: Step, process: IndexFile, held: dict[int, tuple[int, np.ndarray]]) -> None:
    vectors = random_vectors(len(step.ids), step.seed)
    if step.action == "give up":
        with pytest.raises(GivenUp), process.write() as connection:
            TABLE.put(connection, step.space, step.ids, vectors)
            MatrixIndex(TABLE, step.space, process.snapshot).nearest(vectors[0], 1)
            raise GivenUp
        return
    with process.write() as connection:
        match step.action:
            case "put":
                TABLE.put(connection, step.space, step.ids, vectors)
                for each, vector in zip(step.ids.tolist(), vectors, strict=True):
                    held[each] = (step.space, vector)
            case "remove":
                TABLE.remove(connection, step.ids)
                for each in step.ids.tolist():
                    held.pop(each, None)
            case "move":
                TABLE.move(connection, step.ids, step.space)
                for each in step.ids.tolist():
                    if each in held:
                        held[each] = (step.space, held[each][1])
            case "tidy":
                TABLE.tidy(connection)


def test_vectors_closer_than_a_byte_can_tell_are_still_in_order(index: IndexFile) -> None:
    random = np.random.default_rng(4)
    middle = random_vectors(1)[0]
    vectors = middle + 1e-4 * random.standard_normal((900, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    put(index, 1, ids(1, 900), vectors)
    query = random_vectors(1, 5)[0]
    found = MatrixIndex(TABLE, 1, index.snapshot).nearest(query, 20)
    expected = np.argsort(-(vectors.astype(np.float64) @ query), kind="stable")[:20] + 1
    assert len(set(found.ids.tolist()) & set(expected.tolist())) >= 19
    assert_nearest(found, dict(enumerate(vectors, 1)), query, 20)


def test_a_query_need_not_have_length_one(index: IndexFile, kind) -> None:
    put(index, 1, ids(1, 50), random_vectors(50))
    searched = kind(TABLE, 1, index.snapshot)
    query = random_vectors(1, 1)[0]
    for length in (1e-30, 0.5, 1e30):
        found = searched.nearest((query * np.float32(length)).astype(np.float32), 5)
        np.testing.assert_array_equal(found.ids, searched.nearest(query, 5).ids)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 0.0])
def test_a_vector_that_is_no_direction_is_refused_and_nothing_is_stored(
    index: IndexFile, kind, wrong: float
) -> None:
    vectors = random_vectors(3)
    vectors[1, :] = wrong
    with pytest.raises(ValueError, match="no direction"):
        put(index, 1, ids(1, 3), vectors)
    searched = kind(TABLE, 1, index.snapshot)
    with pytest.raises(ValueError, match="no direction"):
        searched.nearest(vectors[1], 5)
    assert len(searched.nearest(vectors[0], 5)) == 0


def test_what_does_not_fit_is_refused(index: IndexFile, kind) -> None:
    searched = kind(TABLE, 1, index.snapshot)
    query = random_vectors(1)[0]
    for k in (0, -1, MAX_NEIGHBOURS + 1):
        with pytest.raises(ValueError, match="k is"):
            searched.nearest(query, k)
    for shape in ((DIMENSIONS + 1,), (1, DIMENSIONS), ()):
        with pytest.raises(ValueError, match="shape"):
            searched.nearest(np.ones(shape, np.float32), 5)
    with pytest.raises(ValueError, match="shape"):
        put(index, 1, ids(1, 2), np.ones((2, DIMENSIONS + 1), np.float32))
    for wrong in ([1, 1], [0, 1], [1]):
        with pytest.raises(ValueError, match="id"):
            put(index, 1, np.array(wrong), random_vectors(2))
    assert len(searched.nearest(query, 5)) == 0


def test_among_nothing_is_nothing(index: IndexFile, kind) -> None:
    put(index, 1, ids(1, 300), random_vectors(300))
    searched = kind(TABLE, 1, index.snapshot)
    query = random_vectors(1)[0]
    assert len(searched.nearest(query, 5, np.empty(0, np.int64))) == 0
    assert len(searched.nearest(query, 5, np.array([301, -4, 2**40]))) == 0
    twice = searched.nearest(query, 5, np.array([7, 7, 9]))
    assert sorted(twice.ids.tolist()) == [7, 9]


def test_a_table_that_is_not_there_yet_finds_nothing_until_it_is(file: Path, kind) -> None:
    with IndexFile(file) as index:
        searched = kind(TABLE, 1, index.snapshot)
        query = random_vectors(1)[0]
        assert len(searched.nearest(query, 5)) == 0
        assert not searched.vectors(ids(1, 2)).any()
        with index.write() as connection:
            TABLE.create(connection)
            TABLE.create(connection)
        put(index, 1, ids(1, 2), random_vectors(2))
        assert len(searched.nearest(query, 5)) == 2


def test_a_table_that_was_made_again_is_read_anew(index: IndexFile, file: Path, kind) -> None:
    put(index, 1, ids(1, 200), random_vectors(200))
    searched = kind(TABLE, 1, index.snapshot)
    query = random_vectors(1, 9)[0]
    assert len(searched.nearest(query, 5)) == 5
    with IndexFile(file) as other, other.write() as connection:
        TABLE.drop(connection)
        TABLE.drop(connection)
    assert len(searched.nearest(query, 5)) == 0
    fresh = random_vectors(200, 3)
    with index.write() as connection:
        TABLE.create(connection)
        TABLE.put(connection, 1, ids(1, 200), fresh)
    assert_nearest(searched.nearest(query, 5), dict(enumerate(fresh, 1)), query, 5)


def test_models_have_vectors_of_their_own(index: IndexFile) -> None:
    other = VectorTable(2, 7)
    with index.write() as connection:
        other.create(connection)
        TABLE.put(connection, 1, ids(1, 5), random_vectors(5))
        other.put(connection, 1, ids(1, 9), random_vectors(9, dimensions=7))
    searched = open_index(other, 1, index.snapshot)
    assert searched.dimensions == 7
    assert len(searched.nearest(random_vectors(1, dimensions=7)[0], 20)) == 9
    with index.write() as connection:
        TABLE.drop(connection)
    assert len(searched.nearest(random_vectors(1, dimensions=7)[0], 20)) == 9


def test_only_what_another_process_touched_is_read_again(
    index: IndexFile, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(index, 1, ids(1, 2000), random_vectors(2000))
    put(index, 2, ids(3000, 4000), random_vectors(1001, 1))
    searched = MatrixIndex(TABLE, 1, index.snapshot)
    query = random_vectors(1)[0]
    searched.nearest(query, 5)
    read: list[int] = []
    whole = shadow.read_block
    monkeypatch.setattr(
        shadow,
        "read_block",
        lambda connection, table, block: read.append(block) or whole(connection, table, block),
    )
    searched.nearest(query, 5)
    assert read == []
    with IndexFile(file) as other:
        put(other, 2, ids(5000, 5001), random_vectors(2))
        searched.nearest(query, 5)
        assert read == []
        with other.write() as connection:
            TABLE.remove(connection, [4])
        put(other, 1, ids(2001, 2002), random_vectors(2, 2))
        searched.nearest(query, 5)
        assert len(read) == 2


def test_a_writer_sees_its_own_vectors_and_nobody_else_before_the_commit(
    index: IndexFile, kind
) -> None:
    put(index, 1, ids(1, 300), random_vectors(300))
    searched = kind(TABLE, 1, index.snapshot)
    query = random_vectors(1, 9)[0]

    def count() -> int:
        return len(searched.nearest(query, 500))

    with ThreadPoolExecutor(1) as elsewhere:
        with pytest.raises(GivenUp), index.write() as connection:
            TABLE.put(connection, 1, ids(301, 310), random_vectors(10, 1))
            assert count() == 310
            assert elsewhere.submit(count).result() == 300
            raise GivenUp
        assert count() == 300
        put(index, 1, ids(301, 302), random_vectors(2, 2))
        assert elsewhere.submit(count).result() == count() == 302


def test_what_was_given_up_is_not_taken_for_what_is_written_next(index: IndexFile, kind) -> None:
    searched = kind(TABLE, 1, index.snapshot)
    query = random_vectors(1, 9)[0]
    with pytest.raises(GivenUp), index.write() as connection:
        TABLE.put(connection, 1, ids(1, 200), random_vectors(200, 1))
        assert len(searched.nearest(query, 5)) == 5
        raise GivenUp
    written = random_vectors(200, 2)
    put(index, 1, ids(1, 200), written)
    assert_nearest(searched.nearest(query, 5), dict(enumerate(written, 1)), query, 5)


def test_a_reader_in_a_transaction_keeps_its_moment_while_others_go_on(
    index: IndexFile, kind
) -> None:
    before, after = random_vectors(600, 1), random_vectors(600, 2)
    put(index, 1, ids(1, 600), before)
    searched = kind(TABLE, 1, index.snapshot)
    query = random_vectors(1, 3)[0]

    def replace_and_search() -> None:
        put(index, 1, ids(1, 600), after)
        assert_nearest(searched.nearest(query, 20), dict(enumerate(after, 1)), query, 20)

    with ThreadPoolExecutor(1) as elsewhere, index.snapshot():
        searched.nearest(query, 1)
        elsewhere.submit(replace_and_search).result()
        assert_nearest(searched.nearest(query, 20), dict(enumerate(before, 1)), query, 20)
        np.testing.assert_allclose(searched.vectors(ids(1, 600)), before, atol=1e-6)
    assert_nearest(searched.nearest(query, 20), dict(enumerate(after, 1)), query, 20)


def test_threads_that_search_while_another_writes_see_one_state_or_the_other(
    index: IndexFile, kind
) -> None:
    states = [random_vectors(400, 1), random_vectors(400, 2)]
    query = random_vectors(1, 3)[0]
    put(index, 1, ids(1, 400), states[0])
    searched = kind(TABLE, 1, index.snapshot)
    answers = [sorted((state @ query).tolist(), reverse=True)[:30] for state in states]

    def search() -> bool:
        cosines = searched.nearest(query, 30).cosines
        return any(np.allclose(cosines, answer, atol=1e-5) for answer in answers)

    with ThreadPoolExecutor(3) as threads:
        searches = [threads.submit(search) for _ in range(30)]
        for turn in range(6):
            put(index, 1, ids(1, 400), states[(turn + 1) % 2])
        assert all(each.result() for each in searches)


def test_removed_vectors_leave_no_bytes_in_the_file(index: IndexFile, file: Path) -> None:
    table = VectorTable(3, 384)
    vectors = random_vectors(700, dimensions=384)
    with index.write() as connection:
        table.create(connection)
        table.put(connection, 1, ids(1, 700), vectors)
    index.truncate_wal()
    gone = [40, 41, 699]
    with index.write() as connection:
        records = connection.execute(
            "SELECT exact, coarse FROM vectors_3 WHERE rowid = 41"
        ).fetchall()[0]
    assert all(traces(record, file) for record in records)
    with index.write() as connection:
        table.remove(connection, gone)
    index.truncate_wal()
    assert not any(traces(record, file) for record in records)


def traces(record: bytes, file: Path) -> bool:
    """Whether a file has any piece of a record; pages may have cut it."""
    content = file.read_bytes()
    return any(record[at : at + 32] in content for at in range(8, len(record) - 32, 32))


@pytest.mark.parametrize("stride", [3, 10, 30])
def test_tidying_gives_room_back_and_changes_no_answer(index: IndexFile, kind, stride: int) -> None:
    vectors = random_vectors(2560)
    put(index, 1, ids(1, 2560), vectors)
    kept = ids(1, 2560)[::stride]
    with index.write() as connection:
        TABLE.remove(connection, np.setdiff1d(ids(1, 2560), kept))
    searched = kind(TABLE, 1, index.snapshot)
    held = {each: vectors[each - 1] for each in kept.tolist()}
    query = random_vectors(1, 7)[0]
    searched.nearest(query, 10)
    with index.write() as connection:
        # One at a time, so that it can be spread over pauses.
        for _ in range(10):
            TABLE.tidy(connection, 1)
            assert_nearest(searched.nearest(query, 10), held, query, 10)
        assert TABLE.tidy(connection) == 0
        blocks = connection.execute("SELECT count(*) FROM vectors_1_chunks").get
    assert blocks <= -(-len(kept) // 128) + 1
    assert_nearest(searched.nearest(query, 10), held, query, 10)


def test_a_space_lists_what_it_has(index: IndexFile) -> None:
    put(index, 1, ids(1, 300), random_vectors(300))
    put(index, 2, ids(301, 310), random_vectors(10))
    with index.write() as connection:
        TABLE.move(connection, np.array([5, 6, 999]), 2)
        assert TABLE.ids(connection, 2) == [5, 6, *range(301, 311)]
        assert TABLE.ids(connection, 3) == []
        fetched = TABLE.fetch(connection, np.array([5, 999, 1]))
    np.testing.assert_allclose(fetched[[0, 2]], random_vectors(300)[[4, 0]], atol=1e-6)
    assert not fetched[1].any()


def test_a_layout_that_is_not_known_is_searched_by_sqlite_vec_itself(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow, "is_known", lambda connection, table: False)
    vectors = random_vectors(300)
    with opened(file) as index:
        put(index, 1, ids(1, 300), vectors)
        with index.write() as connection:
            TABLE.remove(connection, [1, 2])
            TABLE.move(connection, np.array([3]), 2)
            assert TABLE.tidy(connection) == 0
        searched = open_index(TABLE, 1, index.snapshot)
        assert isinstance(searched, Vec0Index)
        held = {each: vectors[each - 1] for each in range(4, 301)}
        query = random_vectors(1, 1)[0]
        assert_nearest(searched.nearest(query, 10), held, query, 10)


def test_the_first_search_keeps_nothing_and_all_agree(
    index: IndexFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = random_vectors(700)
    put(index, 1, ids(1, 700), vectors)
    kept: list[int] = []
    whole = shadow.read_block
    monkeypatch.setattr(
        shadow,
        "read_block",
        lambda connection, table, block: kept.append(block) or whole(connection, table, block),
    )
    searched = open_index(TABLE, 1, index.snapshot)
    assert isinstance(searched, WarmingIndex)
    query = random_vectors(1, 1)[0]
    for blocks in (0, 3, 3):
        found = searched.nearest(query, 10)
        assert_nearest(found, dict(enumerate(vectors, 1)), query, 10)
        np.testing.assert_allclose(searched.vectors(ids(1, 700)), vectors, atol=1e-6)
        assert len(kept) == blocks


def test_a_machine_without_the_extension_is_told_so(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimem_tui.index.vectors.table.find_spec", lambda name: None)
    with (
        IndexFile(file) as index,
        pytest.raises(StorageError, match="by meaning"),
        index.write() as connection,
    ):
        TABLE.create(connection)


def test_searching_in_memory_needs_no_extension(
    index: IndexFile, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(index, 1, ids(1, 300), random_vectors(300))
    monkeypatch.setattr("aimem_tui.index.vectors.table.find_spec", lambda name: None)
    with IndexFile(file) as other:
        searched = open_index(TABLE, 1, other.snapshot)
        assert len(searched.nearest(random_vectors(1)[0], 5)) == 5


def test_removing_loads_no_numpy(index: IndexFile, file: Path) -> None:
    put(index, 1, ids(1, 3), random_vectors(3))
    program = (
        "import sys; from pathlib import Path;"
        " from aimem_tui.index.file import IndexFile;"
        " from aimem_tui.index.vectors.table import VectorTable;"
        " index = IndexFile(Path(sys.argv[1])); writing = index.write();"
        " connection = writing.__enter__();"
        f" VectorTable(1, {DIMENSIONS}).remove(connection, [2]);"
        " writing.__exit__(None, None, None); index.close();"
        " print('numpy' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "False"
    assert TABLE.ids(index.read(), 1) == [1, 3]


@settings(max_examples=10)
@given(st.integers(1, 300), st.integers(0, 5))
def test_an_index_of_any_size_gives_what_is_there(count: int, spare: int) -> None:
    with TemporaryDirectory() as folder, opened(Path(folder) / "index.db") as index:
        vectors = random_vectors(count)
        put(index, 1, ids(1, count), vectors)
        query = random_vectors(1, 2)[0]
        k = max(1, count - 2 + spare)
        for kind in KINDS:
            found = kind(TABLE, 1, index.snapshot).nearest(query, k)
            assert_nearest(found, dict(enumerate(vectors, 1)), query, k)
