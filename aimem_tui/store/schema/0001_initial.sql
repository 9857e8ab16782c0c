-- The truth: replicas, authors, the entry log, vectors, checkpoints, import sources, export targets,
-- what other copies have told us.

-- workspace, replica and log: the ids. file: which file this was when they were given to it.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE replicas (
    n  INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE
);

CREATE TABLE authors (
    n    INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- Every thought ever seen has a small number here, for use inside this file only.
CREATE TABLE thought_ids (
    n  INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE
);

CREATE TABLE log (
    position     INTEGER PRIMARY KEY AUTOINCREMENT,
    replica      INTEGER NOT NULL REFERENCES replicas,
    seq          INTEGER NOT NULL,
    thought      INTEGER NOT NULL REFERENCES thought_ids,
    at           INTEGER NOT NULL,
    author       INTEGER NOT NULL REFERENCES authors,
    note         TEXT NOT NULL,
    update_bytes BLOB NOT NULL,
    sealed       INTEGER NOT NULL,
    signature    BLOB NOT NULL
);
CREATE UNIQUE INDEX log_by_name ON log (replica, seq);
CREATE INDEX log_by_thought ON log (thought, position);

-- seq: up to here everything is held. reach: the highest number of seq, the log and all checkpoints.
-- digest is that of the entry digest_seq, if compaction has taken it from the log when it was the
-- last one held: by it two lives of a replica are told apart.
CREATE TABLE vectors (
    replica    INTEGER PRIMARY KEY REFERENCES replicas,
    seq        INTEGER NOT NULL,
    reach      INTEGER NOT NULL,
    digest     BLOB NOT NULL DEFAULT x'',
    digest_seq INTEGER NOT NULL DEFAULT 0
);

-- The merged state of one thought, standing in for its entries up to a vector. One that was made here
-- has replaced the entries and checkpoints of its thought; those received stand beside them until
-- the next one is made here. Positions are counted together with the log's.
CREATE TABLE checkpoints (
    position  INTEGER PRIMARY KEY,
    thought   INTEGER NOT NULL REFERENCES thought_ids,
    vector    BLOB NOT NULL,
    state     BLOB NOT NULL,
    at        INTEGER NOT NULL,
    author    INTEGER NOT NULL REFERENCES authors,
    sealed    INTEGER NOT NULL,
    signature BLOB NOT NULL,
    -- The last position that it has replaced: who has read up to there needs nothing of it. Its own
    -- position if it was received.
    upto      INTEGER NOT NULL
);
CREATE INDEX checkpoints_by_thought ON checkpoints (thought, position);
CREATE INDEX checkpoints_by_replaced ON checkpoints (upto);

-- Up to where another copy's log was stored here, in that copy's own terms.
CREATE TABLE tokens (
    log   TEXT PRIMARY KEY,
    token BLOB NOT NULL
) WITHOUT ROWID;

-- Up to which number another copy has the entries of this one on disk.
CREATE TABLE acknowledged (
    log     TEXT PRIMARY KEY,
    replica TEXT NOT NULL,
    seq     INTEGER NOT NULL
) WITHOUT ROWID;

-- Revisions whose entries a checkpoint has replaced, each with its whole text (zlib).
CREATE TABLE kept_revisions (
    thought    INTEGER NOT NULL REFERENCES thought_ids,
    number     INTEGER NOT NULL,
    author     TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    note       TEXT NOT NULL,
    text       BLOB NOT NULL,
    PRIMARY KEY (thought, number)
) WITHOUT ROWID;

-- Which file of which folder a thought was imported from, as it was then. Never replicated.
CREATE TABLE import_sources (
    root    TEXT NOT NULL,
    path    TEXT NOT NULL,
    thought INTEGER NOT NULL REFERENCES thought_ids,
    digest  TEXT NOT NULL,
    base    BLOB NOT NULL,
    PRIMARY KEY (root, path)
) WITHOUT ROWID;
CREATE INDEX import_sources_by_thought ON import_sources (thought);

-- Which file of which folder an export wrote, and its content then. Never replicated. A row without
-- a thought is a file that holds many.
CREATE TABLE export_targets (
    root    TEXT NOT NULL,
    path    TEXT NOT NULL,
    thought INTEGER REFERENCES thought_ids,
    digest  TEXT NOT NULL,
    PRIMARY KEY (root, path)
) WITHOUT ROWID;

-- Thoughts whose projections are behind the log.
CREATE TABLE stale (
    thought INTEGER PRIMARY KEY REFERENCES thought_ids
);

-- Thoughts whose bytes the document engine cannot read. The bytes stay in the log.
CREATE TABLE set_aside (
    thought INTEGER PRIMARY KEY REFERENCES thought_ids,
    reason  TEXT NOT NULL
);

-- Projections: all below can be dropped and built again from the truth.

CREATE TABLE thoughts (
    n             INTEGER PRIMARY KEY REFERENCES thought_ids,
    id            TEXT NOT NULL UNIQUE,
    declared_path TEXT NOT NULL,
    path          TEXT NOT NULL,
    folder        TEXT NOT NULL,
    name          TEXT NOT NULL,
    title         TEXT NOT NULL,
    kind          TEXT NOT NULL,
    status        TEXT NOT NULL,
    lifecycle     TEXT NOT NULL,
    tags          TEXT NOT NULL,
    named_author  TEXT NOT NULL,
    date          INTEGER,
    created_at    INTEGER NOT NULL,
    created_by    TEXT NOT NULL,
    updated_at    INTEGER NOT NULL,
    updated_by    TEXT NOT NULL,
    trashed_at    INTEGER,
    purged        INTEGER NOT NULL,
    shown         INTEGER GENERATED ALWAYS AS (trashed_at IS NULL AND purged = 0) VIRTUAL,
    size          INTEGER NOT NULL,
    words         INTEGER NOT NULL,
    tasks_done    INTEGER NOT NULL,
    tasks_total   INTEGER NOT NULL
);
CREATE INDEX thoughts_by_declared ON thoughts (declared_path, id);
CREATE INDEX thoughts_by_path ON thoughts (path);
CREATE INDEX thoughts_in_order ON thoughts (shown, path, id);
CREATE INDEX thoughts_by_folder ON thoughts (shown, folder, name, id);
-- With the words, so that the figures of a workspace need no look at its thoughts.
CREATE INDEX thoughts_by_update ON thoughts (shown, updated_at DESC, id, words);
CREATE INDEX thoughts_in_trash ON thoughts (trashed_at) WHERE trashed_at IS NOT NULL;

CREATE TABLE folders (
    path     TEXT PRIMARY KEY,
    parent   TEXT NOT NULL,
    name     TEXT NOT NULL,
    thoughts INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX folders_by_parent ON folders (parent, name);

CREATE TABLE aliases (
    path    TEXT NOT NULL,
    thought INTEGER NOT NULL REFERENCES thoughts ON DELETE CASCADE,
    PRIMARY KEY (path, thought)
) WITHOUT ROWID;
CREATE INDEX aliases_by_thought ON aliases (thought);

CREATE TABLE tags (
    tag     TEXT NOT NULL,
    thought INTEGER NOT NULL REFERENCES thoughts ON DELETE CASCADE,
    PRIMARY KEY (tag, thought)
) WITHOUT ROWID;
CREATE INDEX tags_by_thought ON tags (thought);

CREATE TABLE links (
    thought INTEGER NOT NULL REFERENCES thoughts ON DELETE CASCADE,
    line    INTEGER NOT NULL,
    target  TEXT NOT NULL,
    name    TEXT NOT NULL
);
CREATE INDEX links_by_thought ON links (thought);
CREATE INDEX links_by_name ON links (name);

CREATE TABLE texts (
    n     INTEGER PRIMARY KEY REFERENCES thoughts ON DELETE CASCADE,
    title TEXT NOT NULL,
    path  TEXT NOT NULL,
    body  TEXT NOT NULL
);

-- The prefixes are what makes search answer while the first letters of a word are typed: without
-- them the engine merges the lists of all words that begin so, which takes seconds in a large
-- workspace. They cost about a quarter of the file.
CREATE VIRTUAL TABLE fulltext USING fts5 (
    title, path, body,
    content = 'texts', content_rowid = 'n',
    tokenize = 'porter unicode61 remove_diacritics 2',
    prefix = '1 2 3'
);

-- A match in the title counts eight times, one in the path three times as much as one in the text.
INSERT INTO fulltext (fulltext, rank) VALUES ('rank', 'bm25(8.0, 3.0, 1.0)');

-- What other processes show follows this: one row for each change of a projection, old ones pruned.
CREATE TABLE changes (
    version  INTEGER PRIMARY KEY AUTOINCREMENT,
    thought  TEXT NOT NULL,
    old_path TEXT NOT NULL,
    new_path TEXT NOT NULL
);
