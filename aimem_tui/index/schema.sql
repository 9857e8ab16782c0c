-- The index of a machine. All of it can be built again from the workspaces; no text is kept in it.

CREATE TABLE state (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Models that vectors were made with. choice: where the model is; empty for the one that comes along.
-- The vectors of a model are in the table vectors_<n>.
CREATE TABLE models (
    n          INTEGER PRIMARY KEY AUTOINCREMENT,
    identity   TEXT NOT NULL UNIQUE,
    choice     TEXT NOT NULL,
    dimensions INTEGER NOT NULL
);

-- A space is one workspace's file. version: up to where its table of changes was read. model: whose
-- vectors serve it; making: those that are to serve it next. The words of its chunks are in the table
-- words_<n>, the names in them in names_<n>. Space 0 is no row here: it has the spare contents.
CREATE TABLE spaces (
    n         INTEGER PRIMARY KEY AUTOINCREMENT,
    replica   TEXT NOT NULL UNIQUE,
    workspace TEXT NOT NULL,
    file      TEXT NOT NULL,
    version   INTEGER NOT NULL,
    model     INTEGER REFERENCES models,
    making    INTEGER REFERENCES models
);

-- thought: its number inside the workspace's file. digest: of title, path and text as they were
-- indexed; empty for one that is not shown, which has no chunks.
CREATE TABLE thoughts (
    space   INTEGER NOT NULL REFERENCES spaces,
    thought INTEGER NOT NULL,
    digest  BLOB NOT NULL,
    PRIMARY KEY (space, thought)
) WITHOUT ROWID;

-- What is embedded: the digest of a string, once for each space that has it. Its id is the id of its
-- vector. One that no chunk has any more goes to space 0, so that an undo finds its vector again.
CREATE TABLE contents (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    space     INTEGER NOT NULL,
    digest    BLOB NOT NULL,
    spared_at INTEGER
);
CREATE UNIQUE INDEX contents_by_digest ON contents (digest, space);
CREATE INDEX contents_spare ON contents (spared_at) WHERE space = 0;

-- first and last: character offsets into the thought's text, last excluded. line counts from 0.
-- headings: those above it, one a line. words: the digest of what is in the table of words.
CREATE TABLE chunks (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    space    INTEGER NOT NULL REFERENCES spaces,
    thought  INTEGER NOT NULL,
    ordinal  INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    line     INTEGER NOT NULL,
    headings TEXT NOT NULL,
    words    BLOB NOT NULL,
    content  INTEGER NOT NULL REFERENCES contents
);
CREATE INDEX chunks_by_thought ON chunks (space, thought, content);
CREATE INDEX chunks_by_content ON chunks (content);

-- The queue: contents without a vector of a model. at: when the thought was last changed.
CREATE TABLE waiting (
    model   INTEGER NOT NULL REFERENCES models,
    space   INTEGER NOT NULL,
    content INTEGER NOT NULL REFERENCES contents,
    at      INTEGER NOT NULL,
    PRIMARY KEY (model, content)
) WITHOUT ROWID;
CREATE INDEX waiting_in_order ON waiting (model, space, at DESC);
