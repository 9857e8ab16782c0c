-- Ids are 16 bytes, digests 8; what people write is UTF-8 and stored as it came (a column of type
-- text does not take every character).
-- Rows that change with every commit leave room in their page, so that indexes need not change.

CREATE TABLE workspaces (
    number          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              bytea  NOT NULL UNIQUE,
    replica         bytea  NOT NULL,
    log             bytea  NOT NULL,
    version         bigint NOT NULL DEFAULT 0,
    last            bigint NOT NULL DEFAULT 0,
    last_checkpoint bigint NOT NULL DEFAULT 0,
    count           bigint NOT NULL DEFAULT 0,
    size            bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- version: of the workspace when this last changed.
CREATE TABLE heads (
    workspace bigint NOT NULL,
    replica   bytea  NOT NULL,
    seq       bigint NOT NULL,
    reach     bigint NOT NULL,
    digest    bytea  NOT NULL,
    version   bigint NOT NULL,
    PRIMARY KEY (workspace, replica)
) WITH (fillfactor = 50);

CREATE TABLE entries (
    workspace    bigint  NOT NULL,
    position     bigint  NOT NULL,
    replica      bytea   NOT NULL,
    seq          bigint  NOT NULL,
    size         integer NOT NULL,
    digest       bytea   NOT NULL,
    thought      bytea   NOT NULL,
    at           bigint  NOT NULL,
    author       bytea   NOT NULL,
    note         bytea   NOT NULL,
    sealed       bigint  NOT NULL,
    signature    bytea   NOT NULL,
    update_bytes bytea   NOT NULL,
    PRIMARY KEY (workspace, position)
);
CREATE UNIQUE INDEX entries_by_name ON entries (workspace, replica, seq);
CREATE INDEX entries_by_thought ON entries (workspace, thought, position);

CREATE TABLE checkpoints (
    workspace bigint  NOT NULL,
    position  bigint  NOT NULL,
    size      integer NOT NULL,
    thought   bytea   NOT NULL,
    vector    bytea   NOT NULL,
    at        bigint  NOT NULL,
    author    bytea   NOT NULL,
    sealed    bigint  NOT NULL,
    signature bytea   NOT NULL,
    state     bytea   NOT NULL,
    PRIMARY KEY (workspace, position)
);
CREATE INDEX checkpoints_by_thought ON checkpoints (workspace, thought, position);

CREATE TABLE tokens (
    workspace bigint NOT NULL,
    log       bytea  NOT NULL,
    token     bytea  NOT NULL,
    PRIMARY KEY (workspace, log)
) WITH (fillfactor = 50);

-- Under which keys updates without a name were stored, so that none is stored twice.
CREATE TABLE authored (
    workspace bigint NOT NULL,
    key       bytea  NOT NULL,
    at        bigint NOT NULL,
    PRIMARY KEY (workspace, key)
);
CREATE INDEX authored_by_time ON authored (at);

-- What has come to each thought since its last checkpoint, and whether it is worth another one.
CREATE TABLE thoughts (
    workspace    bigint  NOT NULL,
    thought      bytea   NOT NULL,
    records      bigint  NOT NULL,
    size         bigint  NOT NULL,
    sealed       boolean NOT NULL,
    aside        boolean NOT NULL DEFAULT false,
    due          boolean NOT NULL,
    leased_until bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace, thought)
) WITH (fillfactor = 70);
CREATE INDEX thoughts_due ON thoughts (leased_until) WHERE due;

-- Locks workspaces, always in the same order, then reads them and the heads that are asked for.
-- One round trip instead of two; the second statement sees what was committed while the first
-- waited. Always with the head of each workspace's own replica; its columns are null where there
-- is none.
CREATE FUNCTION lock_workspaces(wanted bytea[], named bytea[], replicas bytea[])
RETURNS TABLE (
    number bigint, id bytea, replica bytea, log bytea, version bigint, last bigint,
    last_checkpoint bigint, count bigint, size bigint,
    head bytea, seq bigint, reach bigint, digest bytea
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM 1 FROM workspaces w WHERE w.id = ANY (wanted) ORDER BY w.id FOR UPDATE;
    RETURN QUERY
        WITH one AS (SELECT * FROM workspaces w WHERE w.id = ANY (wanted)),
        ask AS (
            SELECT o.number, n.replica
            FROM unnest(named, replicas) AS n (workspace, replica) JOIN one o ON o.id = n.workspace
            UNION SELECT o.number, o.replica FROM one o
        )
        SELECT o.*, h.replica, h.seq, h.reach, h.digest
        FROM one o
        JOIN ask a ON a.number = o.number
        LEFT JOIN heads h ON h.workspace = a.number AND h.replica = a.replica;
END
$$;
