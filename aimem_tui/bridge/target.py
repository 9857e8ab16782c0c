"""A folder that files are written into, and nothing outside of it.

- Every folder on the way to a file is opened for itself, beside its parent and without following
  links. A link that somebody put below the target, before or during an export, stops the file; it
  never leads the export elsewhere.
- A file is written beside its place and renamed into it, so nobody ever sees half of one.
- Paths come in order, so folders on the way stay open for the next file.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from aimem_tui.bridge.files import SIZE_LIMIT, LeftOut, printable
from aimem_tui.errors import BadInput, StorageError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Present:
    """A regular file that is in the target already."""

    data: bytes | None
    """Its content; None if it is larger than any thought."""
    mode: int
    """Its permissions."""


class Target:
    """A folder to write into; it is made if it is not there.

    Raises:
        BadInput: if there is a file, or the folder cannot be made or opened.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.folder = folder.resolve()
            """The real path of the folder."""
            self._root = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileExistsError:
            raise BadInput(f"{printable(str(folder))} is not a folder.") from None
        except (OSError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise BadInput(f"{printable(str(folder))} cannot be used.", why=f"{why}.") from error
        self._open: list[tuple[bytes, int]] = []
        """The folders on the way to the last file, with their descriptors."""

    def __enter__(self) -> Target:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave(0)
        os.close(self._root)

    def read(self, path: str) -> Present | None:
        """What is at a path; None if nothing is.

        Raises:
            LeftOut: if it is no regular file, or a folder on the way is none.
        """
        with _explained():
            *folders, name = path.encode().split(b"/")
            folder = self._enter(folders, make=False)
            if folder is None:
                return None
            try:
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                return None
            _require_file(found)
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(name, flags, dir_fd=folder)
            try:
                found = os.fstat(descriptor)
                _require_file(found)
                mode = stat.S_IMODE(found.st_mode)
                if found.st_size > SIZE_LIMIT:
                    return Present(None, mode)
                return Present(b"".join(_pieces(descriptor)), mode)
            finally:
                os.close(descriptor)

    def write(self, path: str, data: bytes, modified_at: int, mode: int | None = None) -> None:
        """Put a file at a path, in place of the regular file that may be there.

        Args:
            modified_at: milliseconds since the Unix epoch.
            mode: permissions; None: as for any new file.

        Raises:
            LeftOut: if it cannot be written there.
            StorageError: if nothing more can be written at all.
        """
        with _explained():
            *folders, name = path.encode().split(b"/")
            folder = self._enter(folders, make=True)
            assert folder is not None, "folders are made"
            draft = b".aimem-%s.tmp" % secrets.token_hex(8).encode()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(draft, flags, 0o666, dir_fd=folder)
            try:
                try:
                    if mode is not None:
                        os.fchmod(descriptor, mode & 0o777)
                    view = memoryview(data)
                    while view:
                        view = view[os.write(descriptor, view) :]
                    os.utime(descriptor, ns=(modified_at * 1_000_000, modified_at * 1_000_000))
                finally:
                    os.close(descriptor)
                # Renaming replaces a link itself, never what it leads to, but not a folder.
                os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(OSError):
                    os.unlink(draft, dir_fd=folder)
                raise

    def remove(self, path: str) -> None:
        """Remove a file, and the folders that are empty without it.

        Raises:
            LeftOut: if it cannot be removed.
        """
        with _explained():
            *folders, name = path.encode().split(b"/")
            folder = self._enter(folders, make=False)
            if folder is None:
                return
            os.unlink(name, dir_fd=folder)
            while folders:
                name = folders.pop()
                parent = self._enter(folders, make=False)
                try:
                    os.rmdir(name, dir_fd=parent)
                except OSError:
                    break

    def folds_names(self) -> bool:
        """Whether the file system takes names for the same that differ in case or normalisation.

        Found out by making a file and looking for it under other spellings.
        """
        stem = f".aimem-{secrets.token_hex(8)}-"
        probe, others = f"{stem}\u00e9", (f"{stem}\u00c9", f"{stem}e\u0301")
        with _explained():
            descriptor = os.open(
                probe.encode(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=self._root
            )
            os.close(descriptor)
            try:
                return any(self._is_there(other.encode()) for other in others)
            finally:
                os.unlink(probe.encode(), dir_fd=self._root)

    def _is_there(self, name: bytes) -> bool:
        try:
            os.stat(name, dir_fd=self._root, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def _enter(self, folders: list[bytes], *, make: bool) -> int | None:
        """The descriptor of a folder; None if it is not there and not to be made."""
        shared = 0
        for (name, _), wanted in zip(self._open, folders, strict=False):
            if name != wanted:
                break
            shared += 1
        self._leave(shared)
        for name in folders[shared:]:
            parent = self._open[-1][1] if self._open else self._root
            try:
                descriptor = os.open(name, _FOLDER, dir_fd=parent)
            except FileNotFoundError:
                if not make:
                    return None
                with suppress(FileExistsError):
                    os.mkdir(name, 0o777, dir_fd=parent)
                descriptor = os.open(name, _FOLDER, dir_fd=parent)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise LeftOut(f"{_what_is(name, parent)} is in the way.") from None
                raise
            self._open.append((name, descriptor))
        return self._open[-1][1] if self._open else self._root

    def _leave(self, depth: int) -> None:
        while len(self._open) > depth:
            os.close(self._open.pop()[1])


def _pieces(descriptor: int) -> Iterator[bytes]:
    while piece := os.read(descriptor, _PIECE):
        yield piece


def _require_file(found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise LeftOut("A link is there; links are not followed.")
    if stat.S_ISDIR(found.st_mode):
        raise LeftOut("A folder of that name is there.")
    if not stat.S_ISREG(found.st_mode):
        raise LeftOut("What is there is not a regular file.")


def _what_is(name: bytes, parent: int) -> str:
    try:
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except OSError:
        return f"What is at {printable(name)}"
    return f"The {'link' if stat.S_ISLNK(found.st_mode) else 'file'} {printable(name)}"


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageError(
                "Nothing more can be exported.",
                why=f"{error.strerror}.",
                hint="What was written so far is complete.",
            ) from error
        if error.errno == errno.ENAMETOOLONG:
            raise LeftOut("Its name is too long for this file system.") from None
        raise LeftOut(f"It cannot be written: {error.strerror or error}.") from None
