"""sqlite-vec's own tables: the only module that knows how it lays out what it stores.

A vec0 table ``t`` with a partition key and two columns of vectors keeps its rows in blocks of
``BLOCK`` slots, each block of one partition:

- ``t_rowids``: where each row is: block (``chunk_id``) and slot (``chunk_offset``);
- ``t_chunks``: of each block, which slots are used (``validity``, a bit each, lowest first), whose
  they are (``rowids``, int64), and the partition (``partition00``);
- ``t_vector_chunks00`` and ``t_vector_chunks01``: of each block, all slots' vectors, end to end.

Reading a block is one read of a large value, and a row is a piece of one; through the virtual table
either takes many times as long. :func:`is_known` checks that a table looks like this, and
``tests/index/test_vectors_shadow.py`` that sqlite-vec itself gives the same. Nothing here writes.
numpy is imported where it is needed: removing needs none.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import apsw

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from aimem_tui.index.vectors.port import Ids, Vectors

BLOCK = 256
"""Slots of a block: 0.5 MB with 384 dimensions, the least that a workspace takes. Larger ones make
looking up a row slower, as SQLite follows the pages of a value from its beginning."""

_COLUMNS = {
    "rowids": {"rowid", "chunk_id", "chunk_offset"},
    "chunks": {"chunk_id", "validity", "rowids", "partition00"},
    "vector_chunks00": {"vectors"},
    "vector_chunks01": {"vectors"},
}


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The used slots of a block."""

    ids: Ids
    slots: NDArray[np.int64]
    records: NDArray[np.int8]
    """What the second column has for each, shape (n, bytes)."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where some rows are."""

    blocks: NDArray[np.int64]
    slots: NDArray[np.int64]


def is_known(connection: apsw.Connection, table: str) -> bool:
    """Whether a table is laid out as this module says."""
    return all(
        columns <= {row[1] for row in connection.execute(f"PRAGMA table_info({table}_{ending})")}
        for ending, columns in _COLUMNS.items()
    )


def blocks_of(connection: apsw.Connection, table: str, ids: Iterable[int]) -> list[int]:
    """The blocks in which some rows are."""
    rows = connection.execute(
        f"SELECT DISTINCT chunk_id FROM {table}_rowids"
        " WHERE rowid IN (SELECT value FROM carray(?))",
        (numbers(ids),),
    )
    return [row[0] for row in rows]


def spaces_of(
    connection: apsw.Connection, table: str, blocks: Collection[int]
) -> list[tuple[int, int]]:
    """Each block with its partition, of those that are there."""
    return [
        (block, space)
        for block, space in connection.execute(
            f"SELECT chunk_id, partition00 FROM {table}_chunks"
            " WHERE chunk_id IN (SELECT value FROM carray(?))",
            (numbers(blocks),),
        )
    ]


def sparse(connection: apsw.Connection, table: str, most: int) -> dict[int, list[int]]:
    """The rows of blocks of which less than half is used, by partition, but for its newest block.

    Args:
        most: how many blocks at most.
    """
    newest = {
        row[0]
        for row in connection.execute(
            f"SELECT max(chunk_id) FROM {table}_chunks GROUP BY partition00"
        )
    }
    sparse = [
        block
        for block, validity in connection.execute(f"SELECT chunk_id, validity FROM {table}_chunks")
        if block not in newest and int.from_bytes(validity).bit_count() * 2 < len(validity) * 8
    ]
    found: dict[int, list[int]] = {}
    for row, space in connection.execute(
        f"SELECT r.rowid, c.partition00 FROM {table}_rowids AS r"
        f" JOIN {table}_chunks AS c ON c.chunk_id = r.chunk_id"
        " WHERE r.chunk_id IN (SELECT value FROM carray(?)) ORDER BY r.rowid",
        (numbers(sparse[:most]),),
    ):
        found.setdefault(space, []).append(row)
    return found


def read_block(connection: apsw.Connection, table: str, block: int) -> Block | None:
    """What a block holds; None if it is gone."""
    import numpy as np

    head = connection.execute(
        f"SELECT validity, rowids FROM {table}_chunks WHERE chunk_id = ?", (block,)
    ).fetchone()
    # No join: that column has no affinity, and joined to an integer its index is not used.
    vectors = connection.execute(
        f"SELECT vectors FROM {table}_vector_chunks01 WHERE rowid = ?", (block,)
    ).get
    if head is None or vectors is None:
        return None
    validity, ids = head
    slots = _used(validity)
    records = np.frombuffer(vectors, np.int8).reshape(8 * len(validity), -1)
    if len(slots) < len(records):
        records = records[slots]
    return Block(np.frombuffer(ids, np.int64)[slots], slots, records)


def pass_through(
    connection: apsw.Connection, table: str, space: int, width: int, only: Ids | None
) -> Iterator[tuple[int, Block]]:
    """Each block of a partition by its number, one after another.

    The records are in memory that the next block takes; reading into it again and again costs half
    of what taking new memory does. The caller holds a transaction.

    Args:
        width: bytes of a record.
        only: the ids of rows to give, ascending; None for all. Blocks without any are not read.
    """
    import numpy as np

    rows = connection.execute(
        f"SELECT chunk_id, validity, rowids FROM {table}_chunks WHERE partition00 = ?", (space,)
    )
    room = np.empty((0, width), np.int8)
    padded = None if only is None else np.append(only, -1)
    with ExitStack() as stack:
        blob = None
        for number, validity, held in rows:
            slots = _used(validity)
            ids = np.frombuffer(held, np.int64)[slots]
            if only is not None and padded is not None:
                wanted = padded[np.searchsorted(only, ids)] == ids
                slots, ids = slots[wanted], ids[wanted]
            if not len(ids):
                continue
            if len(room) != 8 * len(validity):
                room = np.empty((8 * len(validity), width), np.int8)
            if blob is None:
                blob = stack.enter_context(
                    connection.blob_open(
                        "main", f"{table}_vector_chunks01", "vectors", number, False
                    )
                )
            else:
                blob.reopen(number)
            blob.read_into(room.data)
            yield number, Block(ids, slots, room if len(slots) == len(room) else room[slots])


def read_rows(connection: apsw.Connection, table: str, where: Places, dimensions: int) -> Vectors:
    """The vectors of the first column at some places, shape (n, dimensions), in their order.

    The caller holds a transaction in which the places hold.
    """
    import numpy as np

    found = np.empty((len(where.blocks), dimensions), np.float32)
    if not len(found):
        return found
    order = np.lexsort((where.slots, where.blocks))
    at = int(where.blocks[order[0]])
    with connection.blob_open("main", f"{table}_vector_chunks00", "vectors", at, False) as blob:
        for row in order.tolist():
            block = int(where.blocks[row])
            if block != at:
                blob.reopen(block)
                at = block
            blob.seek(int(where.slots[row]) * dimensions * found.itemsize)
            blob.read_into(found[row].data)
    return found


def vectors_of(
    connection: apsw.Connection, table: str, space: int, ids: Ids, dimensions: int
) -> Vectors:
    """The vectors of some rows of a partition, shape (n, dimensions); zeros for those not in it.

    The caller holds a transaction.
    """
    import numpy as np

    at = {
        row: (block, slot)
        for row, block, slot in connection.execute(
            f"SELECT r.rowid, r.chunk_id, r.chunk_offset FROM {table}_rowids AS r"
            f" CROSS JOIN {table}_chunks AS c ON c.chunk_id = r.chunk_id"
            " WHERE r.rowid IN (SELECT value FROM carray(?)) AND c.partition00 = ?",
            (numbers(ids.tolist()), space),
        )
    }
    there = [row for row, each in enumerate(ids.tolist()) if each in at]
    places = np.array([at[each] for each in ids[there].tolist()], np.int64).reshape(-1, 2)
    found = np.zeros((len(ids), dimensions), np.float32)
    found[there] = read_rows(connection, table, Places(places[:, 0], places[:, 1]), dimensions)
    return found


def _used(validity: bytes) -> NDArray[np.intp]:
    """The slots that are used."""
    import numpy as np

    return np.flatnonzero(np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little"))


def numbers(values: Iterable[int]) -> apsw.CArrayBinding:
    """Integers as SQLite's ``carray`` takes them; without any, one that is no row's."""
    return apsw.carray(array("q", values) or array("q", [-1]))
