"""The statements of the PostgreSQL ledger.

Values for many rows travel as one array for each column: whatever the size of a group, it is one
statement, prepared once for each connection.
"""

from __future__ import annotations

from aimem_relay.ledger import rows

LOCK = "SELECT * FROM lock_workspaces($1, $2, $3)"

MAKE = """
INSERT INTO workspaces (id, replica, log)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS new (id, replica, log) ORDER BY id
ON CONFLICT DO NOTHING
"""

HELD = """
SELECT e.workspace, e.replica, e.seq, e.digest
FROM unnest($1::bigint[], $2::bytea[], $3::bigint[]) AS n (workspace, replica, seq)
JOIN entries e ON e.workspace = n.workspace AND e.replica = n.replica AND e.seq = n.seq
"""

HELD_BEHIND = """
SELECT e.workspace, e.replica, e.seq, e.digest
FROM unnest($1::bigint[], $2::bytea[], $3::bigint[]) AS n (workspace, replica, seq)
JOIN entries e ON e.workspace = n.workspace AND e.replica = n.replica AND e.seq > n.seq
"""

VECTORS = """
SELECT c.workspace, c.thought, c.vector
FROM unnest($1::bigint[], $2::bytea[]) AS n (workspace, thought)
JOIN checkpoints c ON c.workspace = n.workspace AND c.thought = n.thought
"""

KNOWN_KEYS = """
SELECT a.workspace, a.key
FROM unnest($1::bigint[], $2::bytea[]) AS n (workspace, key)
JOIN authored a ON a.workspace = n.workspace AND a.key = n.key
"""

WRITE = f"""
WITH workspace_rows AS (
    UPDATE workspaces w SET version = n.version, last = n.last,
        last_checkpoint = n.last_checkpoint, count = n.count, size = n.size
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
        $6::bigint[]) AS n (number, version, last, last_checkpoint, count, size)
    WHERE w.number = n.number
), head_rows AS (
    INSERT INTO heads (workspace, replica, seq, reach, digest, version)
    SELECT * FROM unnest($7::bigint[], $8::bytea[], $9::bigint[], $10::bigint[], $11::bytea[],
        $12::bigint[])
    ON CONFLICT (workspace, replica) DO UPDATE SET seq = excluded.seq, reach = excluded.reach,
        digest = excluded.digest, version = excluded.version
), token_rows AS (
    INSERT INTO tokens (workspace, log, token)
    SELECT * FROM unnest($13::bigint[], $14::bytea[], $15::bytea[])
    ON CONFLICT (workspace, log) DO UPDATE SET token = excluded.token
), thought_rows AS (
    INSERT INTO thoughts AS t (workspace, thought, records, size, sealed, due)
    SELECT *, NOT sealed AND (records >= $21 OR size >= $22)
    FROM unnest($16::bigint[], $17::bytea[], $18::bigint[], $19::bigint[], $20::boolean[])
        AS n (workspace, thought, records, size, sealed)
    ON CONFLICT (workspace, thought) DO UPDATE SET
        records = t.records + excluded.records,
        size = t.size + excluded.size,
        sealed = t.sealed OR excluded.sealed,
        due = NOT t.aside AND NOT (t.sealed OR excluded.sealed)
            AND (t.records + excluded.records >= $21 OR t.size + excluded.size >= $22)
)
INSERT INTO entries (workspace, {rows.ENTRY_COLUMNS})
SELECT * FROM unnest($23::bigint[], $24::bigint[], $25::bytea[], $26::bigint[], $27::integer[],
    $28::bytea[], $29::bytea[], $30::bigint[], $31::bytea[], $32::bytea[], $33::bigint[],
    $34::bytea[], $35::bytea[])
"""

WRITE_CHECKPOINTS = f"""
INSERT INTO checkpoints (workspace, {rows.CHECKPOINT_COLUMNS})
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bytea[], $5::bytea[],
    $6::bigint[], $7::bytea[], $8::bigint[], $9::bytea[], $10::bytea[])
"""

WRITE_KEYS = """
INSERT INTO authored (workspace, key, at)
SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[])
"""

STATE = f"SELECT {rows.WORKSPACE_COLUMNS} FROM workspaces WHERE id = $1"

# One statement sees one moment.
COPY = f"""
SELECT {", ".join(f"w.{name}" for name in rows.WORKSPACE_COLUMNS.split(", "))},
    h.replica AS head, h.seq, h.reach, h.digest
FROM workspaces w LEFT JOIN heads h ON h.workspace = w.number AND h.version > $2
WHERE w.id = $1
"""

CHECKPOINT_VECTORS = """
SELECT position, size, vector FROM checkpoints
WHERE workspace = $1 AND position > $2 ORDER BY position
"""

CHECKPOINTS_AT = f"""
SELECT {rows.CHECKPOINT_COLUMNS} FROM checkpoints
WHERE workspace = $1 AND position = ANY ($2::bigint[]) ORDER BY position
"""

HAS_ENTRIES = "SELECT EXISTS (SELECT FROM entries WHERE workspace = $1 AND position > $2)"

# The known numbers are looked up row by row, so that the rows come in the order of the index and
# the limit ends the search.
NEXT_ENTRIES = f"""
SELECT {rows.ENTRY_COLUMNS}, found
FROM (
    SELECT *, sum(size) OVER (ORDER BY position) AS running, count(*) OVER () AS found
    FROM (
        SELECT {rows.ENTRY_COLUMNS} FROM entries
        WHERE workspace = $1 AND position > $2
            AND seq > coalesce(($3::jsonb ->> encode(replica, 'hex'))::bigint, 0)
        ORDER BY position LIMIT $4
    ) AS behind
) AS summed
WHERE running <= $5 OR running = size
ORDER BY position
"""

NEWEST_SIZES = """
SELECT position, size FROM (
    (SELECT position, size FROM entries
        WHERE workspace = $1 AND position > $2 ORDER BY position DESC LIMIT $3)
    UNION ALL
    (SELECT position, size FROM checkpoints
        WHERE workspace = $1 AND position > $2 ORDER BY position DESC LIMIT $3)
) AS newest
ORDER BY position DESC LIMIT $3
"""

ENTRIES_BEHIND = f"""
SELECT {rows.ENTRY_COLUMNS} FROM entries WHERE workspace = $1 AND position > $2
"""

CHECKPOINTS_BEHIND = f"""
SELECT {rows.CHECKPOINT_COLUMNS} FROM checkpoints WHERE workspace = $1 AND position > $2
"""

VERSIONS = "SELECT id, version FROM workspaces WHERE id = ANY ($1::bytea[])"

WORKSPACES = "SELECT id FROM workspaces ORDER BY id"

TOKEN = """
SELECT w.number, t.token
FROM workspaces w LEFT JOIN tokens t ON t.workspace = w.number AND t.log = $2
WHERE w.id = $1
"""

SIZE = "SELECT size FROM workspaces WHERE id = $1"

RENEW = "UPDATE workspaces SET replica = $2, log = $3, version = version + 1 WHERE number = $1"

FORGET_KEYS = "DELETE FROM authored WHERE at < $1"

TAKE_DUE = """
UPDATE thoughts t SET leased_until = $1
FROM (
    SELECT d.workspace, d.thought, w.id
    FROM thoughts d JOIN workspaces w ON w.number = d.workspace
    WHERE d.due AND d.leased_until <= $2
    ORDER BY d.leased_until LIMIT $3
    FOR UPDATE OF d SKIP LOCKED
) AS chosen
WHERE t.workspace = chosen.workspace AND t.thought = chosen.thought
RETURNING chosen.id, chosen.thought
"""

SET_ASIDE = """
INSERT INTO thoughts (workspace, thought, records, size, sealed, aside, due)
SELECT number, $2, 0, 0, false, true, false FROM workspaces WHERE id = $1
ON CONFLICT (workspace, thought) DO UPDATE SET aside = true, due = false
RETURNING workspace
"""

THOUGHT_CHECKPOINTS = f"""
SELECT {rows.CHECKPOINT_COLUMNS} FROM checkpoints
WHERE workspace = $1 AND thought = $2 ORDER BY position
"""

THOUGHT_ENTRIES = f"""
SELECT {rows.ENTRY_COLUMNS} FROM entries
WHERE workspace = $1 AND thought = $2 ORDER BY position
"""

REPLACE_ENTRIES = """
WITH gone AS (
    DELETE FROM entries WHERE workspace = $1 AND thought = $2 AND position <= $3
    RETURNING replica, seq, size
)
SELECT replica, max(seq) AS seq, count(*) AS count, sum(size)::bigint AS size
FROM gone GROUP BY replica
"""

REPLACE_CHECKPOINTS = """
DELETE FROM checkpoints WHERE workspace = $1 AND thought = $2 AND position <= $3
RETURNING size, vector
"""

COUNT_ANEW = """
UPDATE thoughts SET records = rest.records, size = rest.size, leased_until = 0,
    due = NOT sealed AND NOT aside AND (rest.records >= $4 OR rest.size >= $5)
FROM (
    SELECT count(*) AS records, coalesce(sum(size), 0)::bigint AS size
    FROM entries WHERE workspace = $1 AND thought = $2 AND position > $3
) AS rest
WHERE workspace = $1 AND thought = $2
"""

VERSION_TABLE = """
CREATE TABLE IF NOT EXISTS schema_version (number integer NOT NULL)
"""
