"""Looking through a folder: which files could be taken in, and why the others cannot.

- Nothing outside the folder is read. Links are never followed, neither to files nor to folders,
  so there are no loops; a folder that is swapped for a link meanwhile is noticed.
- Nothing but a regular file is ever opened: no pipe, socket or device can hold the scan up.
- Names are bytes to the system and UTF-8 to us, whatever the locale says.
- A file with several names (hard links) is taken once, under the name that people use.
- A scan opens folders only. :func:`read` then reads one file, bounded, and only if it is still
  the file that the scan saw.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aimem_tui.bridge.files import SIZE_LIMIT, LeftOut, printable, too_large
from aimem_tui.errors import BadInput, NotFound
from aimem_tui.markdown import paths
from aimem_tui.markdown.describe import is_markdown
from aimem_tui.model import Progress, ReportLine, never, silent

LEFT_OUT_NAMES = {
    ".git": "It is git's own.",
    ".hg": "It is Mercurial's own.",
    ".svn": "It is Subversion's own.",
    "node_modules": "It holds installed packages.",
    ".venv": "It holds installed packages.",
    "__pycache__": "It holds what Python has compiled.",
    ".DS_Store": "It is the Finder's own.",
}
"""Names that never hold thoughts. Each is reported once where it is found, with nothing below."""

_KINDS = (
    (stat.S_ISFIFO, "It is a pipe."),
    (stat.S_ISSOCK, "It is a socket."),
    (stat.S_ISCHR, "It is a device."),
    (stat.S_ISBLK, "It is a device."),
)
_PROGRESS_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file below the root."""

    path: str
    """Relative to the root, with slashes."""
    size: int
    """Bytes."""
    modified_at: int
    """Milliseconds since the Unix epoch."""
    device: int
    inode: int


@dataclass(slots=True)
class Scan:
    """What a folder holds. A single file is a folder in which only that file is looked at."""

    root: Path
    """The real path of the folder."""
    files: list[Found] = field(default_factory=list)
    """By path."""
    skipped: list[ReportLine] = field(default_factory=list)
    empty_folders: list[str] = field(default_factory=list)
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Which files are looked for."""

    exclude: Sequence[str] = ()
    """As in :func:`paths.matches`; one without a slash is about names at any depth, too."""
    only_markdown: bool = False

    def refusal(self, path: str, *, folder: bool = False) -> str:
        """Why a path is left out by choice; empty if it is not."""
        name = path.rpartition("/")[2]
        if name in LEFT_OUT_NAMES:
            return LEFT_OUT_NAMES[name]
        for given in self.exclude:
            by_name = "/" not in given.rstrip("/")
            if given and (paths.matches(path, given) or (by_name and paths.matches(name, given))):
                return f"It is left out by {printable(given)}."
        if self.only_markdown and not folder and not is_markdown(path):
            return "It is not markdown."
        return ""

    def refuses(self, path: str) -> str:
        """Why a file is left out because of its own name or that of a folder above it."""
        parts = path.split("/")
        for depth in range(1, len(parts)):
            reason = self.refusal("/".join(parts[:depth]), folder=True)
            if reason:
                return reason
        return self.refusal(path)


def scan(
    root: Path,
    choice: Choice,
    *,
    progress: Callable[[Progress], None] = silent,
    stop: Callable[[], bool] = never,
) -> Scan:
    """Look through a folder.

    Raises:
        NotFound: if there is nothing at ``root``.
        BadInput: if it is neither a folder nor a file, or cannot be read.
    """
    try:
        real = root.resolve(strict=True)
        status = real.stat()
    except FileNotFoundError:
        raise NotFound(f"There is nothing at {printable(str(root))}.") from None
    except OSError as error:
        raise _cannot_read(root, error) from error
    except RuntimeError as error:
        raise BadInput(
            f"{printable(str(root))} cannot be read.", why="It is a link that leads in circles."
        ) from error
    if stat.S_ISREG(status.st_mode):
        return _scan_file(real, status)
    if not stat.S_ISDIR(status.st_mode):
        raise BadInput(f"{printable(str(root))} is neither a folder nor a file.")
    try:
        os.close(os.open(real, os.O_RDONLY | os.O_DIRECTORY))
    except OSError as error:
        raise _cannot_read(root, error) from error
    found = Scan(real)
    walk = _Walk(os.fsencode(real), found, choice)
    for folder in walk:
        if len(found.files) - walk.told >= _PROGRESS_EVERY:
            walk.told = len(found.files)
            progress(Progress("Looking", walk.told, None, printable(folder)))
        if stop():
            found.interrupted = True
            break
    found.files.sort(key=lambda file: file.path)
    walk.drop_second_names()
    return found


def read(root: Path, file: Found) -> bytes:
    """The bytes of a file that a scan found.

    Raises:
        LeftOut: if it cannot be read, is too large, or is no longer the file that was found.
    """
    if file.size > SIZE_LIMIT:
        raise too_large(file.size)
    name = os.fsencode(root) + b"/" + file.path.encode()
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _left_out(error) from None
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or _identity(before) != (file.device, file.inode):
            raise LeftOut("It was replaced while the folder was read.")
        data = _read_bounded(descriptor)
        after = os.fstat(descriptor)
    except OSError as error:
        raise _left_out(error) from None
    finally:
        os.close(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise LeftOut("It was changed while it was read.")
    return data


class _Walk:
    """Goes through the folders one by one, each opened for itself and compared with its entry."""

    def __init__(self, root: bytes, found: Scan, choice: Choice) -> None:
        self.told = 0
        self._root = root
        self._found = found
        self._choice = choice
        self._several_names: set[tuple[int, int]] = set()
        self._waiting: list[tuple[bytes, os.stat_result | None]] = [(b"", None)]

    def __iter__(self) -> Iterator[bytes]:
        while self._waiting:
            folder, expected = self._waiting.pop()
            yield folder
            try:
                with _entries(self._root + b"/" + folder, expected) as entries:
                    empty = True
                    for entry in entries:
                        empty = False
                        name = os.fsencode(entry.name)
                        self._look_at(folder + b"/" + name if folder else name, entry)
            except OSError as error:
                self._skip(folder, str(_left_out(error)))
            except LeftOut as reason:
                self._skip(folder, str(reason))
            else:
                if empty and folder:
                    self._found.empty_folders.append(printable(folder))

    def drop_second_names(self) -> None:
        """Of files with several names keep the one outside ``searchable``, then the first."""
        if not self._several_names:
            return
        order = sorted(
            self._found.files, key=lambda file: ("searchable" in file.path.split("/"), file.path)
        )
        first: dict[tuple[int, int], Found] = {}
        second: dict[str, Found] = {}
        for file in order:
            key = (file.device, file.inode)
            if key in self._several_names and first.setdefault(key, file) is not file:
                second[file.path] = first[key]
        self._found.files = [file for file in self._found.files if file.path not in second]
        for path, kept in second.items():
            self._found.skipped.append(
                ReportLine(path, f"It is the same file as {printable(kept.path)}.")
            )

    def _look_at(self, raw: bytes, entry: os.DirEntry[str]) -> None:
        try:
            path = raw.decode("utf-8")
        except UnicodeDecodeError:
            self._skip(raw, "Its name is not UTF-8.")
            return
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError as error:
            self._skip(raw, str(_left_out(error)))
            return
        is_folder = stat.S_ISDIR(status.st_mode)
        refused = self._choice.refusal(path, folder=is_folder)
        if refused:
            self._skip(raw, refused)
        elif is_folder:
            self._waiting.append((raw, status))
        elif stat.S_ISLNK(status.st_mode):
            self._skip(raw, _link_reason(self._root, self._root + b"/" + raw))
        elif not stat.S_ISREG(status.st_mode):
            self._skip(raw, _special_reason(status.st_mode))
        else:
            if status.st_nlink > 1:
                self._several_names.add(_identity(status))
            self._found.files.append(_found(path, status))

    def _skip(self, path: bytes, reason: str) -> None:
        self._found.skipped.append(ReportLine(printable(path) or ".", reason))


def _scan_file(file: Path, status: os.stat_result) -> Scan:
    found = Scan(file.parent)
    try:
        found.files.append(_found(os.fsencode(file.name).decode("utf-8"), status))
    except UnicodeDecodeError:
        line = ReportLine(printable(os.fsencode(file.name)), "Its name is not UTF-8.")
        found.skipped.append(line)
    return found


@contextmanager
def _entries(
    folder: bytes, expected: os.stat_result | None
) -> Iterator[Iterator[os.DirEntry[str]]]:
    """What is in a folder; raises LeftOut if it is no longer the folder that was seen."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (os.O_NOFOLLOW if expected else 0)
    descriptor = os.open(folder, flags)
    try:
        if expected is not None and _identity(os.fstat(descriptor)) != _identity(expected):
            raise LeftOut("It was replaced while the folder was read.")
        with os.scandir(descriptor) as entries:
            yield entries
    finally:
        os.close(descriptor)


def _found(path: str, status: os.stat_result) -> Found:
    modified = status.st_mtime_ns // 1_000_000
    return Found(path, status.st_size, modified, *_identity(status))


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _read_bounded(descriptor: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
        size += len(part)
        if size > SIZE_LIMIT:
            raise too_large(size)
    return b"".join(parts)


def _link_reason(root: bytes, link: bytes) -> str:
    try:
        goal = os.path.realpath(link, strict=True)
    except FileNotFoundError:
        return "It is a link to something that is not there."
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "It is a link that leads in circles."
        return "It is a link that cannot be followed."
    if goal == root:
        return "It is a link to the folder itself."
    if goal.startswith(root.rstrip(b"/") + b"/"):
        return f"It is a link to {printable(goal[len(root) :].lstrip(b'/'))}."
    return "It is a link that leads out of the folder."


def _special_reason(mode: int) -> str:
    return next((reason for test, reason in _KINDS if test(mode)), "It is not a regular file.")


def _left_out(error: OSError) -> LeftOut:
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return LeftOut("It may not be read.")
        case errno.ENOENT | errno.ESTALE:
            return LeftOut("It vanished while the folder was read.")
        case errno.ELOOP | errno.ENOTDIR:
            return LeftOut("It was replaced while the folder was read.")
        case errno.ENAMETOOLONG:
            return LeftOut("Its path is too long.")
    return LeftOut(f"It cannot be read: {error.strerror or error}.")


def _cannot_read(root: Path, error: OSError) -> BadInput:
    return BadInput(f"{printable(str(root))} cannot be read.", why=f"{error.strerror or error}.")
