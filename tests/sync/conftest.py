from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring

from tests.cli.running import Aimem
from tests.sync.places import RelayProcess
from tests.sync.stations import Hub, Station
from tests.sync.wires import WORKSPACE

Make = Callable[..., Station]


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the keyring of who runs it."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes machines that have the same workspace."""
    made: list[Station] = []

    def make(name: str, workspace_id: str = WORKSPACE) -> Station:
        made.append(Station(tmp_path, name, workspace_id))
        return made[-1]

    yield make
    for station in made:
        station.close()


@pytest.fixture
def hub(make: Make) -> Iterator[Hub]:
    """A copy that answers."""
    with Hub(make("hub")) as hub:
        yield hub


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[RelayProcess]:
    """A relay as it is run by people."""
    with RelayProcess(tmp_path / "relay") as relay:
        yield relay


@pytest.fixture(params=["machine", "relay"])
def place(request: pytest.FixtureRequest) -> Hub | RelayProcess:
    """Where machines meet: another machine, or a relay."""
    found = request.getfixturevalue("hub" if request.param == "machine" else "relay")
    assert isinstance(found, (Hub, RelayProcess))
    return found


@pytest.fixture
def aimem(monkeypatch: pytest.MonkeyPatch) -> Aimem:
    """The command line over an empty home, as Ada."""
    monkeypatch.setenv("AIMEM_AUTHOR", "Ada")
    monkeypatch.delenv("COLUMNS", raising=False)
    return Aimem()
