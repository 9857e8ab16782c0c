-- Ids are 16 bytes, digests 8; what people write is UTF-8 and stored as it came.

CREATE TABLE workspaces (
    number          INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE,
    replica         BLOB NOT NULL,
    log             BLOB NOT NULL,
    version         INTEGER NOT NULL,
    last            INTEGER NOT NULL,
    last_checkpoint INTEGER NOT NULL,
    count           INTEGER NOT NULL,
    size            INTEGER NOT NULL
);

-- version: of the workspace when this last changed.
CREATE TABLE heads (
    workspace INTEGER NOT NULL,
    replica   BLOB NOT NULL,
    seq       INTEGER NOT NULL,
    reach     INTEGER NOT NULL,
    digest    BLOB NOT NULL,
    version   INTEGER NOT NULL,
    PRIMARY KEY (workspace, replica)
) WITHOUT ROWID;

CREATE TABLE entries (
    workspace    INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    replica      BLOB NOT NULL,
    seq          INTEGER NOT NULL,
    size         INTEGER NOT NULL,
    digest       BLOB NOT NULL,
    thought      BLOB NOT NULL,
    at           INTEGER NOT NULL,
    author       BLOB NOT NULL,
    note         BLOB NOT NULL,
    sealed       INTEGER NOT NULL,
    signature    BLOB NOT NULL,
    update_bytes BLOB NOT NULL
);
CREATE UNIQUE INDEX entries_by_position ON entries (workspace, position);
CREATE UNIQUE INDEX entries_by_name ON entries (workspace, replica, seq);
CREATE INDEX entries_by_thought ON entries (workspace, thought, position);

CREATE TABLE checkpoints (
    workspace INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    size      INTEGER NOT NULL,
    thought   BLOB NOT NULL,
    vector    BLOB NOT NULL,
    at        INTEGER NOT NULL,
    author    BLOB NOT NULL,
    sealed    INTEGER NOT NULL,
    signature BLOB NOT NULL,
    state     BLOB NOT NULL
);
CREATE UNIQUE INDEX checkpoints_by_position ON checkpoints (workspace, position);
CREATE INDEX checkpoints_by_thought ON checkpoints (workspace, thought, position);

CREATE TABLE tokens (
    workspace INTEGER NOT NULL,
    log       BLOB NOT NULL,
    token     BLOB NOT NULL,
    PRIMARY KEY (workspace, log)
) WITHOUT ROWID;

-- Under which keys updates without a name were stored, so that none is stored twice.
CREATE TABLE authored (
    workspace INTEGER NOT NULL,
    key       BLOB NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (workspace, key)
) WITHOUT ROWID;
CREATE INDEX authored_by_time ON authored (at);

-- What has come to each thought since its last checkpoint, and whether it is worth another one.
CREATE TABLE thoughts (
    workspace    INTEGER NOT NULL,
    thought      BLOB NOT NULL,
    records      INTEGER NOT NULL,
    size         INTEGER NOT NULL,
    sealed       INTEGER NOT NULL,
    aside        INTEGER NOT NULL,
    due          INTEGER NOT NULL,
    leased_until INTEGER NOT NULL,
    PRIMARY KEY (workspace, thought)
) WITHOUT ROWID;
CREATE INDEX thoughts_due ON thoughts (leased_until) WHERE due;
