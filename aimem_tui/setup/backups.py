"""What was overwritten, kept in aimem's data folder: one folder for each run that overwrote."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from aimem_tui.errors import StorageError
from aimem_tui.paths import Home
from aimem_tui.setup.place import Place, Thing


class Backups:
    """Keeps copies for one run.

    Args:
        now: milliseconds since the Unix epoch.
    """

    def __init__(self, home: Home, now: int) -> None:
        moment = datetime.fromtimestamp(now / 1000, UTC)
        self._parent = home.data / "backups" / "init"
        self._name = moment.strftime("%Y-%m-%d_%H-%M-%S")
        self.folder: Path | None = None
        """Where the copies are; None while there are none."""

    def keep(self, file: Path, thing: Thing) -> None:
        """Keep what is at a path that is about to be overwritten.

        Raises:
            StorageError: if it cannot be kept; then nothing may be overwritten.
        """
        if self.folder is None:
            self.folder = self._made()
        kept = Place(self.folder)
        path = file.absolute().relative_to(file.absolute().anchor).as_posix()
        kept.put(path, thing)

    def _made(self) -> Path:
        try:
            self._parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            for number in range(1, 1000):
                folder = self._parent / (self._name if number == 1 else f"{self._name}-{number}")
                try:
                    folder.mkdir(0o700)
                except FileExistsError:
                    continue
                return folder
        except OSError as error:
            raise StorageError(
                "No backup can be kept, so nothing is overwritten.",
                why=f"{error.strerror or error}: {self._parent}.",
            ) from error
        raise StorageError("No backup can be kept, so nothing is overwritten.")
