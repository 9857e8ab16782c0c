"""Numbered migrations: ``schema/<kind>/NNNN_name.sql``, each run once, in order."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from aimem_relay.ledger.port import LedgerError


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of a schema."""

    number: int
    name: str
    sql: str


def load(kind: str) -> list[Migration]:
    """The migrations for ``sqlite`` or ``postgres`` that this version knows, in order."""
    found = []
    for file in (resources.files("aimem_relay.ledger") / "schema" / kind).iterdir():
        number, _, name = file.name.removesuffix(".sql").partition("_")
        if file.name.endswith(".sql"):
            found.append(Migration(int(number), name, file.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.number)


def missing(migrations: list[Migration], version: int) -> list[Migration]:
    """Those that a schema of this version lacks.

    Raises:
        LedgerError: if the schema is newer than all of them.
    """
    latest = migrations[-1].number
    if version > latest:
        raise LedgerError(
            f"The ledger was written by a newer version of the relay: its format is {version},"
            f" this one knows up to {latest}. Update the relay. Nothing was changed."
        )
    return [migration for migration in migrations if migration.number > version]
