"""The secrets that open remotes: in the system's keyring, or in a file where there is none.

- The file is readable by its owner only from the moment it is made; whoever keeps a secret there is
  told so.
- A secret is found by workspace and remote, and by the folder of this installation: two of them on
  one machine have nothing in common.
- What is in the keyring wins. Removing removes from both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from types import ModuleType

from aimem_tui.errors import AimemError, StorageError

FILE_NAME = "credentials.json"
LONGEST = 16_384
"""The most bytes that the protocol carries."""


class Place(Enum):
    """Where a secret is kept."""

    KEYRING = "keyring"
    FILE = "file"


class Credentials:
    """The secrets of one installation.

    Args:
        folder: the installation's folder for configuration.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE_NAME
        self._service = f"aimem {folder}"

    def get(self, workspace: str, remote: str) -> str:
        """The secret for a remote; empty where there is none.

        Raises:
            StorageError: if the file is there and cannot be read.
        """
        key = f"{workspace}/{remote}"
        keyring = _keyring()
        if keyring is not None:
            with suppress(Exception):
                kept = keyring.get_password(self._service, key)
                if kept:
                    return str(kept)
        return self._read().get(key, "")

    def keep(self, workspace: str, remote: str, secret: str) -> Place:
        """Keep a secret; returns where.

        Raises:
            StorageError: if the file cannot be written.
        """
        key = f"{workspace}/{remote}"
        keyring = _keyring()
        if keyring is not None:
            with suppress(Exception):
                keyring.set_password(self._service, key, secret)
                self._change(lambda secrets: secrets.pop(key, None))
                return Place.KEYRING
        self._change(lambda secrets: secrets.update({key: secret}))
        return Place.FILE

    def forget(self, workspace: str, remote: str) -> None:
        """Remove a secret, if there is one.

        Raises:
            StorageError: if the file cannot be written.
        """
        key = f"{workspace}/{remote}"
        keyring = _keyring()
        if keyring is not None:
            with suppress(Exception):
                keyring.delete_password(self._service, key)
        self._change(lambda secrets: secrets.pop(key, None))

    def _change(self, change: Callable[[dict[str, str]], object]) -> None:
        before = self._read()
        secrets = dict(before)
        change(secrets)
        if secrets == before:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = self.file.with_name(f"{self.file.name}.{os.getpid()}.new")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                if hasattr(os, "fchmod"):
                    os.fchmod(descriptor, 0o600)
                json.dump(secrets, file, indent=2, sort_keys=True)
            temporary.replace(self.file)
        except OSError as error:
            raise StorageError(
                f"{self.file} cannot be written.", why=f"{error.strerror or error}."
            ) from error

    def _read(self) -> dict[str, str]:
        try:
            tree = json.loads(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StorageError(
                f"{self.file} cannot be read.", why=f"{error.strerror or error}."
            ) from error
        except ValueError as error:
            raise self._broken() from error
        if not isinstance(tree, dict) or not all(isinstance(one, str) for one in tree.values()):
            raise self._broken()
        return tree

    def _broken(self) -> AimemError:
        return StorageError(
            f"{self.file} is damaged.",
            hint="Remove it, and connect anew: aimem connect URL.",
        )


def _keyring() -> ModuleType | None:
    """The system's keyring; None where there is none that can be used."""
    try:
        import keyring
        from keyring.backends import fail, null

        backend = keyring.get_keyring()
    except Exception:
        # Backends of other people's making fail in ways of their own.
        return None
    usable = not isinstance(backend, (fail.Keyring, null.Keyring)) and backend.priority > 0
    return keyring if usable else None
