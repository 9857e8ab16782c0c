"""A folder that is written into, and nothing outside of it.

- Every folder on the way to a path is opened for itself, beside its parent and without following
  links. A link that somebody put below the folder stops what goes through it; it never leads it
  elsewhere. The folder itself may be reached by a link.
- A file is written beside its place and renamed into it, so nobody ever sees half of one.
- Paths are relative, with slashes, and hold no ``..``.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aimem_tui.bridge.files import printable
from aimem_tui.errors import BadInput, Refused, StorageError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Thing:
    """What is at a path: a file, a link or a folder."""

    kind: str
    """``file``, ``link``, ``folder``, or ``other`` for what is none of them."""
    data: bytes = b""
    """A file's content, or where a link leads."""
    mode: int | None = None
    """A file's permissions; None: those that it has, or as for any new file."""

    @property
    def executable(self) -> bool:
        """Whether its owner may run it."""
        return bool((self.mode or 0) & 0o100)


class Place:
    """A folder to read and write below.

    Args:
        folder: need not exist; it is made with the first thing that is written.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self.folder = folder.expanduser().resolve()
            """The real path of the folder."""
        except (OSError, RuntimeError) as error:
            raise BadInput(f"{printable(str(folder))} cannot be used.", why=f"{error}.") from error
        if self.folder.exists() and not self.folder.is_dir():
            raise BadInput(f"{printable(str(folder))} is not a folder.")

    def look(self, path: str) -> Thing | None:
        """What is at a path; None if nothing is.

        Raises:
            Refused: if a link or a file is in the way.
            StorageError: if it cannot be read.
        """
        with self._parent(path, make=False) as (parent, name):
            if parent is None:
                return None
            try:
                found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            except FileNotFoundError:
                return None
            if stat.S_ISLNK(found.st_mode):
                return Thing("link", os.fsencode(os.readlink(name, dir_fd=parent)))
            if stat.S_ISDIR(found.st_mode):
                return Thing("folder")
            if not stat.S_ISREG(found.st_mode):
                return Thing("other")
            descriptor = os.open(
                name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent
            )
            with os.fdopen(descriptor, "rb") as file:
                return Thing("file", file.read(), stat.S_IMODE(found.st_mode))

    def put(self, path: str, thing: Thing) -> None:
        """Put a file, link or folder at a path, in place of the file or link that may be there.

        A file that is there keeps its permissions but for being executable.

        Raises:
            Refused: if a link, or a thing of another kind, is in the way.
            StorageError: if it cannot be written.
        """
        with self._parent(path, make=True) as (parent, name):
            assert parent is not None, "folders are made"
            mode = self._replaceable(name, parent, path, thing)
            if thing.kind == "folder":
                with suppress(FileExistsError):
                    os.mkdir(name, 0o777, dir_fd=parent)
                return
            draft = f".aimem-{secrets.token_hex(8)}.tmp"
            try:
                if thing.kind == "link":
                    os.symlink(os.fsdecode(thing.data), draft, dir_fd=parent)
                else:
                    self._write(draft, parent, thing, mode)
                os.replace(draft, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with suppress(OSError):
                    os.unlink(draft, dir_fd=parent)
                raise

    def remove(self, path: str) -> None:
        """Remove a file or link; nothing if it is not there.

        Raises:
            Refused, StorageError: as for the others.
        """
        with self._parent(path, make=False) as (parent, name):
            if parent is not None:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=parent)

    def remove_folder(self, path: str) -> bool:
        """Remove a folder if it is empty; returns whether it went."""
        with self._parent(path, make=False) as (parent, name):
            if parent is None:
                return False
            try:
                os.rmdir(name, dir_fd=parent)
            except OSError:
                return False
            return True

    def missing_folders(self, path: str) -> list[str]:
        """The folders on the way to a path that are not there, the uppermost first."""
        parts = path.split("/")[:-1]
        ways = ["/".join(parts[: i + 1]) for i in range(len(parts))]
        return [way for way in ways if not (self.folder / way).is_dir()]

    def _write(self, name: str, parent: int, thing: Thing, mode: int | None) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o666, dir_fd=parent)
        with os.fdopen(descriptor, "wb") as file:
            if mode is not None and thing.mode is not None:
                bits = mode & 0o666
                mode = bits | (bits & 0o444) >> 2 if thing.executable else bits
            wanted = thing.mode if mode is None else mode
            if wanted is not None:
                os.fchmod(file.fileno(), wanted & 0o777)
            file.write(thing.data)

    def _replaceable(self, name: str, parent: int, path: str, thing: Thing) -> int | None:
        """The permissions of the file that is there; None if none is.

        Raises:
            Refused: if what is there cannot be replaced.
        """
        try:
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return None
        is_folder = stat.S_ISDIR(found.st_mode)
        if is_folder != (thing.kind == "folder"):
            what = "A folder" if is_folder else "A file"
            raise Refused(f"{what} is in the way at {printable(path)}.")
        return stat.S_IMODE(found.st_mode) if stat.S_ISREG(found.st_mode) else None

    @contextmanager
    def _parent(self, path: str, *, make: bool) -> Iterator[tuple[int | None, str]]:
        """The opened folder that a path is in, or None if it is not there; and the last name."""
        *folders, name = path.split("/")
        if not all(part not in ("", ".", "..") and "\0" not in part for part in (*folders, name)):
            raise Refused(f"{printable(path)} leads out of the folder, and is not written.")
        opened: list[int] = []
        try:
            yield self._enter(folders, opened, make=make), name
        except OSError as error:
            raise StorageError(
                f"{printable(str(self.folder / path))} cannot be used.",
                why=f"{error.strerror or error}.",
            ) from error
        finally:
            for descriptor in opened:
                os.close(descriptor)

    def _enter(self, folders: list[str], opened: list[int], *, make: bool) -> int | None:
        if make:
            self.folder.mkdir(parents=True, exist_ok=True)
        try:
            opened.append(os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        except FileNotFoundError:
            return None
        for depth, name in enumerate(folders):
            parent = opened[-1]
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o777, dir_fd=parent)
            try:
                opened.append(os.open(name, _FOLDER, dir_fd=parent))
            except FileNotFoundError:
                return None
            except OSError as error:
                way = "/".join(folders[: depth + 1])
                raise _in_the_way(self.folder, way) from error
        return opened[-1]


def _in_the_way(folder: Path, way: str) -> Refused:
    shown = printable(way)
    if (folder / way).is_symlink():
        return Refused(
            f"{shown} is a link, and nothing is written through links.",
            why=f"It leads to {printable(str((folder / way).readlink()))}.",
            hint="Choose another folder with --output, or put a folder in its place.",
        )
    return Refused(f"{shown} is in the way: it is not a folder.")
