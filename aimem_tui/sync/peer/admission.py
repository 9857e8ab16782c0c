"""Who may come in: the tokens that were given out by pairing.

- One file in the workspace's folder, for its owner alone. It holds digests, so that who reads it
  cannot come in by it. A token has 256 random bits, so a plain digest is enough.
- Nobody comes in who is not listed, or whose time is over. A token is compared with every digest,
  each in constant time.
- The file is read whenever somebody asks: what another process gives or takes holds at once.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

import msgspec

from aimem_tui.errors import StorageError
from crdt.wire.messages import Role

FILE_NAME = "admitted.json"


@dataclass(frozen=True, slots=True)
class Admission:
    """A machine that may come in."""

    name: str
    """What it calls itself; made unique here."""
    digest: str
    """SHA-256 of its token, in hexadecimal digits."""
    role: Role
    since: int
    """When it was let in, ms since the Unix epoch."""
    expires: int
    """Until when, ms since the Unix epoch; 0 for ever."""

    def holds(self, now: int) -> bool:
        """Whether its time is not over."""
        return not self.expires or now < self.expires


class Admissions:
    """The list of one workspace.

    Args:
        folder: the workspace's.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE_NAME

    def all(self) -> list[Admission]:
        """All, the oldest first; those whose time is over, too.

        Raises:
            StorageError: if the file cannot be read or is damaged.
        """
        try:
            return msgspec.json.decode(self.file.read_bytes(), type=list[Admission])
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageError(
                f"{self.file} cannot be read.", why=f"{error.strerror or error}."
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StorageError(
                f"{self.file} is damaged.",
                why="It should list the machines that may connect.",
                hint="Remove it, and pair them again.",
            ) from error

    def issue(self, name: str, role: Role, *, now: int, expires: int) -> tuple[str, Admission]:
        """Let a machine in; returns its token, which is kept nowhere here.

        Raises:
            StorageError: if the file cannot be read or written.
        """
        listed = [one for one in self.all() if one.holds(now)]
        token = secrets.token_urlsafe(32)
        made = Admission(
            _unique(name, {one.name for one in listed}), _digest(token), role, now, expires
        )
        self._write([*listed, made])
        return token, made

    def find(self, token: bytes, now: int) -> Admission | None:
        """Whose token this is, if its time is not over.

        Raises:
            StorageError: if the file cannot be read or is damaged.
        """
        wanted = sha256(token).hexdigest()
        found = None
        for one in self.all():
            if compare_digest(one.digest, wanted) and one.holds(now):
                found = one
        return found

    def forget(self, name: str) -> bool:
        """Let a machine in no more; False if there is none of that name.

        Raises:
            StorageError: if the file cannot be read or written.
        """
        listed = self.all()
        left = [one for one in listed if one.name != name]
        if len(left) == len(listed):
            return False
        self._write(left)
        return True

    def _write(self, listed: list[Admission]) -> None:
        temporary = self.file.with_name(f".{self.file.name}.{secrets.token_hex(8)}")
        try:
            try:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as out:
                    out.write(msgspec.json.format(msgspec.json.encode(listed)))
                    out.flush()
                    os.fsync(out.fileno())
                temporary.replace(self.file)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(
                f"{self.file} cannot be written.", why=f"{error.strerror or error}."
            ) from error


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _unique(name: str, taken: set[str]) -> str:
    base = name = " ".join(name.split())[:64] or "machine"
    n = 2
    while name in taken:
        name = f"{base} {n}"
        n += 1
    return name
