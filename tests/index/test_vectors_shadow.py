"""sqlite-vec lays out its tables as aimem reads them.

If one of these fails with a new version of sqlite-vec, ``aimem_tui/index/vectors/shadow.py`` has to
follow; until it does, such tables are searched by sqlite-vec itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest

from aimem_tui.index.file import IndexFile
from aimem_tui.index.vectors import coarse, shadow
from aimem_tui.index.vectors.table import ensure_extension, extension_path
from tests.index.vector_tables import DIMENSIONS, TABLE, ids, opened, put, random_vectors


@pytest.fixture
def index(tmp_path: Path) -> Iterator[IndexFile]:
    with opened(tmp_path / "index.db") as index:
        yield index


def assert_read_as_sqlite_vec_does(connection: apsw.Connection) -> None:
    ensure_extension(connection)
    rows = {
        row: (space, exact, record)
        for row, space, exact, record in connection.execute(
            "SELECT rowid, space, exact, coarse FROM vectors_1"
        )
    }
    blocks = [each for (each,) in connection.execute("SELECT chunk_id FROM vectors_1_chunks")]
    spaces = dict(shadow.spaces_of(connection, "vectors_1", blocks))
    found = {}
    for number in blocks:
        block = shadow.read_block(connection, "vectors_1", number)
        assert block is not None
        assert shadow.blocks_of(connection, "vectors_1", block.ids.tolist()) == [number]
        exact = shadow.read_rows(
            connection,
            "vectors_1",
            shadow.Places(np.full(len(block.ids), number), block.slots),
            DIMENSIONS,
        )
        for row, vector, record in zip(block.ids.tolist(), exact, block.records, strict=True):
            found[row] = (spaces[number], vector.tobytes(), record.tobytes())
    assert found == rows
    noted = connection.execute("SELECT block, space FROM vector_blocks").fetchall()
    assert dict(noted) == spaces


def test_blocks_hold_what_the_virtual_table_says(index: IndexFile) -> None:
    put(index, 1, ids(1, 700), random_vectors(700))
    put(index, 2, ids(701, 720), random_vectors(20, 1))
    with index.write() as connection:
        TABLE.remove(connection, range(100, 300, 3))
        TABLE.move(connection, ids(400, 450), 2)
        assert_read_as_sqlite_vec_does(connection)
    with index.snapshot() as connection:
        assert_read_as_sqlite_vec_does(connection)


def test_a_block_after_one_that_was_emptied_is_found_by_its_number(index: IndexFile) -> None:
    put(index, 1, ids(1, 700), random_vectors(700))
    with index.write() as connection:
        TABLE.remove(connection, range(1, 257))
        assert_read_as_sqlite_vec_does(connection)
    put(index, 1, ids(701, 1300), random_vectors(600, 1))
    with index.write() as connection:
        TABLE.remove(connection, range(1, 1301))
        assert connection.execute("SELECT count(*) FROM vectors_1_chunks").get == 0
        assert connection.execute("SELECT count(*) FROM vector_blocks").get == 0
    put(index, 1, ids(1, 300), random_vectors(300, 2))
    with index.snapshot() as connection:
        assert_read_as_sqlite_vec_does(connection)


def test_a_block_that_is_gone_is_none(index: IndexFile) -> None:
    assert shadow.read_block(index.read(), "vectors_1", 99) is None


def test_the_coarse_record_is_that_of_the_vector(index: IndexFile) -> None:
    vectors = random_vectors(300)
    put(index, 1, ids(1, 300), vectors)
    with index.write() as connection:
        TABLE.move(connection, ids(1, 50), 2)
        rows = connection.execute("SELECT exact, coarse FROM vectors_1").fetchall()
    for exact, record in rows:
        held = np.frombuffer(exact, np.float32)[np.newaxis]
        assert coarse.encode(held).tobytes() == record


def test_a_table_of_another_layout_is_not_known(index: IndexFile) -> None:
    with index.write() as connection:
        assert shadow.is_known(connection, "vectors_1")
        connection.execute("ALTER TABLE vectors_1_chunks RENAME COLUMN validity TO valid")
        assert not shadow.is_known(connection, "vectors_1")
        assert not shadow.is_known(connection, "vectors_9")


def test_the_extension_is_where_its_package_says() -> None:
    import sqlite_vec

    assert str(extension_path()) == sqlite_vec.loadable_path()
