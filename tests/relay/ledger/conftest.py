"""Every test of the contract runs on each ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aimem_relay.ledger.port import Due, Ledger
from aimem_relay.ledger.postgres import PostgresLedger
from aimem_relay.ledger.sqlite import SqliteLedger

DUE = Due(records=4, size=3_000)


@pytest.fixture(params=["sqlite", "postgres"])
def make_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Ledger]:
    """Makes ledgers on one file or database; each is still to be started."""
    if request.param == "sqlite":
        return lambda: SqliteLedger(tmp_path / "ledger.db", DUE)
    url: str = request.getfixturevalue("postgres_url")
    return lambda: PostgresLedger(url, DUE, connections=4)
