"""Numbered migrations: ``schema/NNNN_name.sql``, each run once, in order.

``PRAGMA user_version`` holds the number of the last one. All that are missing run in one
transaction, after a backup of a file that already held something. A file from a newer version is
refused untouched.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import apsw

from aimem_tui.errors import StorageError

APPLICATION_ID = 0x41494D45
"""``AIME``: marks the file as a workspace (PRAGMA application_id)."""

LATEST = 3


class Migration(NamedTuple):
    """One step of the schema."""

    number: int
    name: str
    sql: str


def load() -> list[Migration]:
    """The migrations that this version knows, in order."""
    from importlib import resources  # Slow to import, and not needed for a file that is up to date.

    folder = resources.files("aimem_tui.store") / "schema"
    found = []
    for file in folder.iterdir():
        number, _, name = file.name.removesuffix(".sql").partition("_")
        if file.name.endswith(".sql"):
            found.append(Migration(int(number), name, file.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.number)


def migrate(
    connection: apsw.Connection, path: Path, migrations: Sequence[Migration] | None = None
) -> None:
    """Bring the file up to the newest schema.

    Raises:
        StorageError: if the file is from a newer version, or belongs to another program.
    """
    latest = LATEST if migrations is None else migrations[-1].number
    if _version(connection, path, latest) == latest:
        return
    migrations = load() if migrations is None else migrations
    version = _version(connection, path, latest)
    if version > 0:
        _back_up(connection, path, path.with_name(f"{path.name}.before-{latest:04d}"))
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: another process may have been quicker.
        version = _version(connection, path, latest)
        for migration in migrations:
            if migration.number > version:
                connection.execute(migration.sql)
        connection.execute(f"PRAGMA user_version = {latest}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _back_up(connection: apsw.Connection, path: Path, backup: Path) -> None:
    """Copy the file as it is; under its name there is only ever a whole copy."""
    from tempfile import TemporaryDirectory

    if backup.exists():
        return
    with TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
        whole = Path(folder) / backup.name
        connection.execute("VACUUM INTO ?", (str(whole),))
        whole.replace(backup)


def _version(connection: apsw.Connection, path: Path, latest: int) -> int:
    # One statement sees one moment: between two, another process may make the file a workspace.
    version, owner, tables = connection.execute(
        "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema)"
        " FROM pragma_user_version, pragma_application_id"
    ).get
    if (owner != APPLICATION_ID) and (owner or version or tables):
        raise StorageError(
            f"{path} is not a workspace.", why="The database belongs to another program."
        )
    if version > latest:
        raise StorageError(
            f"{path} was written by a newer version of aimem.",
            why=f"Its format is {version}; this version knows up to {latest}.",
            hint="Update aimem. Nothing was changed.",
        )
    return int(version)
