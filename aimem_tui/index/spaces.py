"""Spaces and models: whose chunks are in the index, and which vectors serve them.

- A space is one workspace's file, known by its replica id: a copied or restored file has another
  one, and so is another space.
- Each space has its own tables of words and of the names in texts (``words_<n>``, ``names_<n>``),
  so that how rare one is counts within a workspace; each model has its own table of vectors
  (``vectors_<n>``).
- A space is served by one model at a time. While the vectors of another are being made, the old
  ones serve; a model that serves no space and is not being made goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from aimem_tui.store.tokenizer import TOKENIZE

if TYPE_CHECKING:
    from aimem_tui.index.vectors.table import VectorTable

SPARE = 0
"""The space of contents that no chunk has any more."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that vectors were made with."""

    n: int
    identity: str
    choice: str
    """Where it is; empty for the one that comes with aimem."""
    dimensions: int

    @property
    def vectors(self) -> VectorTable:
        """The table of its vectors."""
        from aimem_tui.index.vectors.table import VectorTable

        return VectorTable(self.n, self.dimensions)


@dataclass(frozen=True, slots=True)
class Space:
    """One workspace's file in the index."""

    n: int
    replica: str
    workspace: str
    file: Path
    version: int
    """Up to where the workspace's table of changes was read."""
    model: Model | None
    """Whose vectors serve it; None before the first were made."""
    making: int | None
    """The number of the model whose vectors are being made to serve it next."""

    @property
    def words(self) -> str:
        """The table of its words."""
        return f"words_{self.n}"

    @property
    def names(self) -> str:
        """The table of the names in its texts."""
        return f"names_{self.n}"


@dataclass(frozen=True, slots=True)
class WorkspaceFile:
    """What tells a workspace's file from all others."""

    replica: str
    workspace: str
    file: Path


def whose(workspace: apsw.Connection, file: Path) -> WorkspaceFile:
    """What a workspace's file says of itself."""
    found = dict(
        workspace.execute("SELECT key, value FROM meta WHERE key IN ('replica', 'workspace')")
    )
    return WorkspaceFile(str(found["replica"]), str(found["workspace"]), file)


def find(connection: apsw.Connection, replica: str) -> Space | None:
    """The space of a workspace's file, by its replica id."""
    return next((each for each in all_spaces(connection) if each.replica == replica), None)


def all_spaces(connection: apsw.Connection) -> list[Space]:
    """Every space."""
    return [
        Space(n, replica, workspace, Path(file), version, _model(*model), making)
        for n, replica, workspace, file, version, making, *model in connection.execute(_SPACES)
    ]


def make(connection: apsw.Connection, whose: WorkspaceFile) -> Space:
    """The space of a workspace's file, made if there is none; the caller holds the transaction."""
    connection.execute(
        "INSERT INTO spaces (replica, workspace, file, version) VALUES (?, ?, ?, 0)"
        " ON CONFLICT (replica) DO UPDATE SET file = excluded.file",
        (whose.replica, whose.workspace, str(whose.file)),
    )
    space = find(connection, whose.replica)
    assert space is not None, "it was just written"
    connection.execute(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {space.words} USING fts5 (title, headings, body,"
        f" content = '', contentless_delete = 1, tokenize = \"{TOKENIZE}\")"
    )
    connection.execute(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {space.names} USING fts5 (said, content = '',"
        " contentless_delete = 1, tokenize = 'trigram remove_diacritics 1')"
    )
    return space


def models(connection: apsw.Connection) -> list[Model]:
    """Every model that vectors are there of, or are being made of."""
    return [
        Model(*row)
        for row in connection.execute("SELECT n, identity, choice, dimensions FROM models")
    ]


def know(connection: apsw.Connection, identity: str, choice: str, dimensions: int) -> Model:
    """A model, noted if it is new; the caller holds the transaction."""
    connection.execute(
        "INSERT INTO models (identity, choice, dimensions) VALUES (?, ?, ?)"
        " ON CONFLICT (identity) DO UPDATE SET choice = excluded.choice",
        (identity, choice, dimensions),
    )
    model = next(each for each in models(connection) if each.identity == identity)
    model.vectors.create(connection)
    return model


def _model(n: int | None, identity: str, choice: str, dimensions: int) -> Model | None:
    return None if n is None else Model(n, identity, choice, dimensions)


_SPACES = """
SELECT spaces.n, replica, workspace, file, version, making,
    models.n, models.identity, models.choice, models.dimensions
FROM spaces LEFT JOIN models ON models.n = spaces.model ORDER BY spaces.n
"""
