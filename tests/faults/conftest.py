from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.machines import Stage
from tests.relay.conftest import postgres, postgres_url, redis

__all__ = ["postgres", "postgres_url", "redis"]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Where a test starts its machines and relays."""
    stage = Stage(tmp_path)
    try:
        yield stage
    finally:
        stage.close()
