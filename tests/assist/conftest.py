from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui.assist import claude
from tests.assist.fake_anthropic import FakeAnthropic
from tests.cli.conftest import aimem, aimem_home
from tests.cli.running import Aimem
from tests.workspaces import open_workspace

__all__ = ["aimem", "aimem_home"]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of a test is reached straight, whatever leads to the network here."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAnthropic]:
    """Anthropic's API, as the command line then finds it."""
    with FakeAnthropic() as fake:
        monkeypatch.setattr(claude, "BASE_URL", fake.url)
        yield fake


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[object]:
    """An empty workspace."""
    with open_workspace(tmp_path) as workspace:
        yield workspace


@pytest.fixture
def written(aimem: Aimem) -> Aimem:
    """The command line over a workspace with three thoughts."""
    for path, text in THOUGHTS.items():
        aimem("new", path, "-", stdin=text)
    return aimem


THOUGHTS = {
    "plans/auth.md": "---\nstatus: draft\n---\n\n# Auth\n\nWhat we do.\n\n## Tokens\n\n"
    "Refresh tokens live 30 days and rotate with every use.\n",
    "research/postgres.md": "# Postgres\n\nVacuum runs at night.\n",
    "notes/garden.md": "# Garden\n\nTomatoes need sun and water.\n",
}
