"""The servers that a cluster of relays stands on, real ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services import Missing, Postgres, Redis


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server. A test that stops it starts it again."""
    try:
        server = Postgres()
    except Missing as missing:
        pytest.skip(str(missing))
    with server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """An empty database."""
    postgres.start()
    return postgres.new_database()


@pytest.fixture
def redis() -> Iterator[Redis]:
    """A Redis server."""
    try:
        server = Redis()
    except Missing as missing:
        pytest.skip(str(missing))
    with server:
        yield server
