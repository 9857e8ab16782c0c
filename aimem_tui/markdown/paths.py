"""Which paths a thought may have, how equal ones are told apart, and how paths are selected.

A path is relative, with ``/`` between its parts, and is kept byte for byte: Unicode is never
normalised and case is never changed, because people cite paths and files must come back as they
were. Two thoughts may declare the same path, on two machines that do not see each other; both
live, and all but the oldest are *shown* under a numbered name. The names follow from the declared
paths and the ids alone, so every machine shows the same ones:

- the smallest id keeps the declared path; ids are UUIDv7, so it is the oldest thought;
- the next get ``name (2).md``, ``name (3).md`` and so on, without any name that is itself
  declared by a thought.

No two thoughts are shown alike: declared names are skipped, and no two paths have a numbered name
in common, because the number stands before a suffix that holds no space, bracket or dot.
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import count, islice
from typing import NamedTuple

from aimem_tui.errors import BadInput

MAX_PART = 255
"""UTF-8 bytes of a folder's or file's name; what Linux and macOS allow."""

MAX_PATH = 1_024
"""UTF-8 bytes of a path."""

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DRIVE = re.compile(r"[A-Za-z]:")
_SUFFIX = re.compile(r"(?<=.)\.[^\s.()]+\Z", re.DOTALL)
_NUMBERED = re.compile(r"(.+) \(([2-9]|[1-9][0-9]{1,9})\)((?:\.[^\s.()]+)?)", re.DOTALL)
_WINDOWS_MARKS = re.compile(r'[<>:"|?*]')
_WINDOWS_DEVICE = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[1-9\u00b9\u00b2\u00b3]) *(?:\..*)?",
    re.IGNORECASE | re.DOTALL,
)


def check_path(path: str) -> str:
    """``path`` as a thought's path, without a leading ``./``.

    Raises:
        BadInput: it is absolute, leaves its folder, has an empty part, a backslash, a character
            that cannot be printed, or is too long.
    """
    why = _fault(path.removeprefix("./"))
    if why:
        raise BadInput(
            f"{path!r} cannot be the path of a thought.",
            why=why,
            hint="Use a path such as plans/name.md.",
        )
    return path.removeprefix("./")


def portability(path: str) -> str:
    """A sentence that says why a path cannot exist on Windows or macOS; empty where it can."""
    for part in path.split("/"):
        if mark := _WINDOWS_MARKS.search(part):
            return f"Windows allows no {mark[0]} in a name: {part}."
        if _WINDOWS_DEVICE.fullmatch(part):
            return f"Windows keeps this name for a device: {part}."
        if part.endswith((".", " ")):
            return f"Windows drops the dot or space at the end of a name: {part!r}."
    return ""


def fold(path: str) -> str:
    """The key that two paths share if some file system takes them for the same file.

    Covers file systems that ignore case, and those that normalise Unicode: the canonical caseless
    match of the Unicode Standard (section 3.13, D145).
    """
    decomposed = unicodedata.normalize("NFD", path)
    return unicodedata.normalize("NFD", decomposed.casefold())


def numbered(path: str, number: int) -> str:
    """``path`` with a number before its suffix: ``a.md`` becomes ``a (2).md``.

    A name that is all suffix keeps it in front: ``.gitkeep`` becomes ``.gitkeep (2)``.
    """
    folder, slash, name = path.rpartition("/")
    suffix = _SUFFIX.search(name)
    at = suffix.start() if suffix else len(name)
    return f"{folder}{slash}{name[:at]} ({number}){name[at:]}"


def unnumbered(path: str) -> str | None:
    """The path whose numbered name ``path`` would be; None where there is none."""
    folder, slash, name = path.rpartition("/")
    match = _NUMBERED.fullmatch(name)
    if match is None:
        return None
    base = f"{folder}{slash}{match[1]}{match[3]}"
    return base if numbered(base, int(match[2])) == path else None


class Declared(NamedTuple):
    """A thought's id and the path its document says."""

    id: str
    path: str


def shown_path(path: str, rank: int, is_declared: Callable[[str], bool]) -> str:
    """The path shown for one of the thoughts that declare ``path``.

    Args:
        path: the declared path.
        rank: how many thoughts with a smaller id declare it too; 0 for the oldest.
        is_declared: whether any thought declares a given path.
    """
    return next(islice(_shown_names(path, is_declared), rank, None))


def unique_names(declared: Iterable[Declared]) -> dict[str, str]:
    """The shown path of every id; the order in which they are given does not count."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for each in declared:
        ids[each.path].append(each.id)
    shown: dict[str, str] = {}
    for path, sharing in ids.items():
        shown.update(zip(sorted(sharing), _shown_names(path, ids.__contains__), strict=False))
    return shown


def _shown_names(path: str, is_declared: Callable[[str], bool]) -> Iterator[str]:
    yield path
    for number in count(2):
        if not is_declared(name := numbered(path, number)):
            yield name


def folders_above(path: str) -> list[str]:
    """The folders that a path is in, the outermost first: ``a`` and ``a/b`` for ``a/b/c.md``."""
    return [path[:at] for at, char in enumerate(path) if char == "/"]


def matches(path: str, pattern: str) -> bool:
    """Whether a path is selected by a folder, a path, or a glob; nothing selects everything.

    ``plans`` and ``plans/`` select what lies in that folder, at any depth, and a thought of just
    that path, which may be given without its ``.md``. In a glob ``*`` stands for any characters,
    ``/`` too, and ``?`` for one. Case counts.
    """
    if is_glob(pattern):
        return _glob(glob_for_sqlite(pattern)).match(path) is not None
    folder = pattern.removeprefix("./").strip("/")
    return not folder or path in (folder, f"{folder}.md") or path.startswith(f"{folder}/")


def is_glob(pattern: str) -> bool:
    """Whether a pattern for ``matches`` is a glob."""
    return "*" in pattern or "?" in pattern


def glob_for_sqlite(pattern: str) -> str:
    """A glob for ``matches`` as SQLite's ``GLOB`` writes it, where brackets mean more."""
    pattern = pattern.removeprefix("./").lstrip("/").replace("[", "[[]")
    return f"{pattern}*" if pattern.endswith("/") else pattern


@lru_cache(maxsize=64)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))


def _fault(path: str) -> str:
    """What is wrong with a path, as a sentence; empty where nothing is."""
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "Its name is not text in UTF-8."
    parts = path.split("/")
    if not path:
        return "It is empty."
    if path.startswith("/") or _DRIVE.match(path):
        return "It is not relative."
    if "\\" in path:
        return "It holds a backslash; folders are divided by /."
    if _UNPRINTABLE.search(path):
        return "It holds a character that cannot be printed."
    if ".." in parts or "." in parts:
        return "A part of it is . or .., which may lead out of its folder."
    if "" in parts:
        return "A part of it is empty."
    if size > MAX_PATH:
        return f"It is longer than {MAX_PATH} bytes."
    if any(len(part.encode()) > MAX_PART for part in parts):
        return f"A part of it is longer than {MAX_PART} bytes."
    return ""
