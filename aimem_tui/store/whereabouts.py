"""Telling whether a workspace's file is still the file that it was, at every opening.

``of`` describes a file by what stays when it is renamed and changes when it is copied. The witness
is a small file outside of the workspace, which stays where it is when an older workspace is put
back. Every command passes here, so nothing is imported that takes time.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path

import apsw

from aimem_tui import paths

COPIED = "copied"
RESTORED = "restored"

_MACHINE_ID = Path("/etc/machine-id")


def settle(connection: apsw.Connection, path: Path, workspace: str = "") -> str:
    """See to it, when a file is opened, that its ids are its own (see ``identity``).

    Args:
        workspace: the workspace's id for a new file; a random one if not given.

    Returns: why it took new ids, ``COPIED`` or ``RESTORED``; empty where it did not.
    """
    here = of(path)
    if _doubt(connection, here) is None:
        return ""
    if connection.readonly("main"):
        # No name can be given twice, as none can be given.
        return ""
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: another process may have been quicker.
        doubt = _doubt(connection, here)
        if doubt is not None:
            connection.execute(
                "INSERT OR IGNORE INTO meta VALUES ('workspace', ?)", (workspace or new_id(),)
            )
            take_new_ids(connection)
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('file', ?)", (here,))
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return doubt or ""


def new_id() -> str:
    """A random id."""
    return os.urandom(16).hex()


def take_new_ids(connection: apsw.Connection) -> None:
    """Give the file another replica id and log id; the caller holds the write transaction."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('replica', ?)", (new_id(),))
    connection.execute("DELETE FROM acknowledged")
    take_new_log_id(connection)


def take_new_log_id(connection: apsw.Connection) -> None:
    """Give the numbering of the file's log another name."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('log', ?)", (new_id(),))


def of(path: Path) -> str:
    """The machine, number, device and file system of a file, in this order."""
    status = path.stat()
    # A device's number may change when the machine starts; a file system's mostly stays.
    system = os.statvfs(path).f_fsid if hasattr(os, "statvfs") else 0
    return f"{_machine()} {status.st_ino} {status.st_dev} {system}"


def is_same(noted: str, now: str) -> bool:
    """Whether two descriptions are of one file."""
    if noted == now:
        return True
    *file, device, system = noted.split(" ")
    *file_now, device_now, system_now = now.split(" ")
    return file == file_now and (device == device_now or system == system_now != "0")


class Witness:
    """What this machine remembers of a replica, outside of the workspace's file.

    The newest position of the file's log is enough: each own entry has one, so a file that comes
    later than another one in all positions comes later in its own entries, too. Where the witness
    cannot be written there is none; the protocol notices then what it would have noticed.
    """

    def __init__(self, replica: str) -> None:
        self._file = paths.home().state / "replicas" / replica
        self._position = -1

    def read(self) -> int:
        """The newest position of the file's log when something last left it; 0 if nothing has."""
        try:
            return int(self._file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0

    def note(self, position: int) -> None:
        """Note how far the file has come, before anybody else sees it."""
        if self._position < 0:
            self._position = self.read()
        if position <= self._position:
            return
        self._position = position
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            # Of fixed length, so that it is never half of one note and half of another.
            with os.fdopen(os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(f"{position:020d}\n")


def _doubt(connection: apsw.Connection, here: str) -> str | None:
    """Why the ids cannot stay; empty for a file that has none yet, None if they can."""
    found = dict(connection.execute("SELECT key, value FROM meta WHERE key IN ('replica', 'file')"))
    if "replica" not in found:
        return ""
    if not is_same(found["file"], here):
        return COPIED
    seen = Witness(found["replica"]).read()
    if not seen:
        return None
    position = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'log'").get
    return RESTORED if (position or 0) < seen else None


def _machine() -> str:
    """Which machine this is, without saying so: a checksum of its id; "-" where it has none."""
    try:
        machine = _MACHINE_ID.read_bytes().strip()
    except OSError:
        machine = b""
    return f"{zlib.crc32(b'aimem ' + machine):08x}" if machine else "-"
