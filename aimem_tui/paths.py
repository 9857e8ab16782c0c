"""Where aimem's files are on this machine.

The platform decides (``platformdirs``); the environment variable ``AIMEM_HOME`` overrides it with
one folder that holds everything, which is also how two machines are played on one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class Home(NamedTuple):
    """The folders of one installation."""

    config: Path
    data: Path
    state: Path
    """Logs and what may be thrown away."""

    @property
    def settings_file(self) -> Path:
        """The settings, in TOML."""
        return self.config / "config.toml"

    @property
    def workspaces(self) -> Path:
        """One folder for each workspace."""
        return self.data / "workspaces"

    @property
    def index_file(self) -> Path:
        """What finds thoughts by meaning, for all workspaces; it can be built anew."""
        return self.data / "index.db"

    @property
    def log_file(self) -> Path:
        """Where the app writes what it cannot show."""
        return self.state / "aimem.log"


def home() -> Home:
    """The folders in force: below ``AIMEM_HOME`` if it is set, else where the platform says."""
    override = os.environ.get("AIMEM_HOME")
    if override:
        root = Path(override).expanduser().absolute()
        return Home(config=root, data=root, state=root / "state")
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("aimem", appauthor=False, roaming=False)
    return Home(
        config=Path(dirs.user_config_dir),
        data=Path(dirs.user_data_dir),
        state=Path(dirs.user_state_dir),
    )
