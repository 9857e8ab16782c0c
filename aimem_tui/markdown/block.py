"""Reads the lines between the fences of a frontmatter block into properties with their places.

Three readers give the same kind of result, and ``read_block`` takes the first that can:

1. ``read_plain`` knows ``key: value``, ``key: [a, b]`` and lists of dashes. It gives up on
   anything else, so that what it does read is exactly what a YAML parser would say. Nearly all
   thoughts stop here, and YAML need not be imported.
2. ``read_yaml``, in ``yaml_block``, knows the rest of YAML, through PyYAML (libyaml where it is
   built in). It gives up on errors, on aliases (a few hundred bytes of them can stand for
   gigabytes), on deep nesting, and where properties do not begin on lines of their own.
3. ``read_loose`` never gives up: every line that looks like ``key: value`` is one.

All scalars are the strings that were written. A value that is neither a scalar nor a list of
scalars is given as the text that was written. Where a key stands twice the later one counts.
A property's place is whole lines, because an edit replaces whole lines: two people who set the
same property at once then leave two lines, of which one counts, and never one garbled line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aimem_tui.markdown.lines import Line, lines_between
from aimem_tui.markdown.scalars import is_plain, read_quoted

MAX_KEY = 200
"""Characters of the longest key; YAML's own limit for a key on one line is 1,024."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list of dashes: its value, and the offsets of its lines."""

    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Property:
    """A property and its place: ``start`` and ``end`` are offsets of whole lines."""

    key: str
    value: str | list[str]
    start: int
    end: int
    comment: str = ""
    """The comment that can stay when the value changes, with the spaces before it."""
    items: tuple[Item, ...] = ()
    """A list of dashes: its entries. Empty for every other way to write a value."""


def read_block(text: str, start: int, end: int) -> list[Property]:
    """The properties in ``text[start:end]``, whole lines without the fences, in their order."""
    found = read_plain(text, start, end)
    if found is None:
        from aimem_tui.markdown.yaml_block import read_yaml  # takes 20 ms, and few need it

        found = read_yaml(text, start, end)
    if found is None:
        found = read_loose(text, start, end)
    return found


# The plain reader

_PLAIN_KEY = re.compile(r"(\w[\w-]*+(?: [\w-]++)*+):( .*)?")
DASHED = re.compile(r"( *+)- ++(.*)")
COMMENT = re.compile(r" +#.*| *")
_QUOTED = re.compile(r"(\"(?:[^\"\\]|\\.)*+\"|'(?:[^']|'')*+')(.*)")
_FLOW_LIST = re.compile(r"\[([^\[\]{}#]*+)\](.*)")
_FLOW_ITEM = re.compile(r""" *+(?:"([^"\\]*+)"|'([^']*+)'|([^,"']++)) *+(,|\Z)""")


def read_plain(text: str, start: int, end: int) -> list[Property] | None:
    """Reads the common, simple blocks; None for any block that holds something else."""
    lines = list(lines_between(text, start, end))
    if not all(line.text.isprintable() for line in lines):
        return None
    found: list[Property] = []
    for number, line in enumerate(lines):
        if _is_blank(line.text) or (found and line.start < found[-1].end):
            continue
        match = _PLAIN_KEY.fullmatch(line.text)
        if match is None or len(match[1]) > MAX_KEY:
            return None
        key, rest = match[1], (match[2] or "").rstrip(" ")
        if COMMENT.fullmatch(rest):
            items = _plain_items(lines, number + 1)
            if items is None:
                return None
            value: str | list[str] = [item.value for item in items] or ""
            stop = items[-1].end if items else line.end
            found.append(Property(key, value, line.start, stop, rest, tuple(items)))
        else:
            written = _plain_value(rest.lstrip(" "))
            if written is None:
                return None
            found.append(Property(key, written.value, line.start, line.end, written.comment))
    return found


@dataclass(frozen=True, slots=True)
class _Written:
    value: str | list[str]
    comment: str


def _plain_value(rest: str) -> _Written | None:
    if rest[0] != "[":
        return _plain_scalar(rest)
    match = _FLOW_LIST.fullmatch(rest)
    if match is None or not COMMENT.fullmatch(match[2]):
        return None
    values: list[str] = []
    inner, position = match[1].strip(" "), 0
    while position < len(inner):
        item = _FLOW_ITEM.match(inner, position)
        if item is None or (item[4] and item.end() == len(inner)):
            return None
        plain = item[3]
        if plain is not None and not is_plain(plain := plain.strip(" "), flow=True):
            return None
        values.append(next(each for each in (item[1], item[2], plain) if each is not None))
        position = item.end()
    return _Written(values, match[2].rstrip(" "))


def _plain_scalar(rest: str) -> _Written | None:
    if rest.startswith(("'", '"')):
        match = _QUOTED.fullmatch(rest)
        if match is None or not COMMENT.fullmatch(match[2]):
            return None
        value = read_quoted(match[1])
        return None if value is None else _Written(value, match[2].rstrip(" "))
    cut = rest.find(" #")
    value = (rest if cut < 0 else rest[:cut]).rstrip(" ")
    if not is_plain(value):
        return None
    return _Written(value, rest[len(value) :].rstrip(" "))


def _plain_items(lines: list[Line], first: int) -> list[Item] | None:
    """The dashes from ``lines[first]`` on; empty where a key or the end comes first."""
    items: list[Item] = []
    indent: str | None = None
    for number in range(first, len(lines)):
        line = lines[number]
        if _is_blank(line.text):
            continue
        match = DASHED.fullmatch(line.text)
        if match is None:
            return items if line.text[0] not in " -" else None
        indent = match[1] if indent is None else indent
        written = _plain_scalar(match[2]) if match[1] == indent else None
        if written is None or not isinstance(written.value, str):
            return None
        items.append(Item(written.value, line.start, line.end))
    return items


def _is_blank(line: str) -> bool:
    """Whether nothing but spaces, or a comment, stands in a line."""
    rest = line.lstrip(" ")
    return not rest or rest[0] == "#"


# The loose reader

_LOOSE_KEY = re.compile(
    r"""( *+)("(?:[^"\\]|\\.)*+"|'(?:[^']|'')*+'|[^\s:#\[\]{},&*!|>%@"'`?-][^:#]*+)"""
    r"[ \t]*+:(?=[ \t]|\Z)(.*)"
)
_LOOSE_ITEM = re.compile(r"[ \t]*+-(?:[ \t]++(.*)|\Z)")
_LOOSE_FLOW_ITEM = re.compile(
    r"""\s*+("(?:[^"\\]|\\.)*+"\s*+|'(?:[^']|'')*+'\s*+|[^,]++)(?:,|\Z)"""
)


def looks_like_key(line: str) -> bool:
    """Whether a line could begin a property."""
    return _LOOSE_KEY.fullmatch(line) is not None


def read_loose(text: str, start: int, end: int) -> list[Property]:
    """Reads what looks like properties, line by line, in a block that is not regular YAML."""
    groups: list[list[Line]] = []
    indent: str | None = None
    inside = False
    for line in lines_between(text, start, end):
        match = _LOOSE_KEY.fullmatch(line.text)
        if match is not None and indent in (None, match[1]):
            indent = match[1]
            groups.append([line])
            inside = True
        elif inside and (_is_blank(line.text) or line.text[0] in " \t-"):
            groups[-1].append(line)
        else:
            inside = False
    return [_loose_property(group) for group in groups]


def _loose_property(lines: list[Line]) -> Property:
    while len(lines) > 1 and _is_blank(lines[-1].text):
        lines.pop()
    match = _LOOSE_KEY.fullmatch(lines[0].text)
    assert match is not None, "a group begins with its key"
    key = _unquoted(match[2].strip())
    first, comment = _cut_comment(match[3])
    more = [line for line in lines[1:] if not _is_blank(line.text)]
    value: str | list[str]
    items: tuple[Item, ...] = ()
    if not first and more and all(_LOOSE_ITEM.fullmatch(line.text) for line in more):
        items = tuple(Item(_loose_item(line.text), line.start, line.end) for line in more)
        value = [item.value for item in items]
    elif first in {"|", "|-", "|+", ">", ">-", ">+"}:
        value = "\n".join(line.text.strip() for line in lines[1:])
    else:
        whole = " ".join([first, *(_cut_comment(line.text)[0] for line in more)]).strip()
        value = _loose_value(whole)
    return Property(key, value, lines[0].start, lines[-1].end, comment, items)


def _loose_value(written: str) -> str | list[str]:
    if not (written.startswith("[") and written.endswith("]")):
        return _unquoted(written)
    items = (match[1].strip() for match in _LOOSE_FLOW_ITEM.finditer(written[1:-1]))
    return [_unquoted(item) for item in items if item]


def _loose_item(line: str) -> str:
    match = _LOOSE_ITEM.fullmatch(line)
    return _unquoted(_cut_comment(match[1] or "")[0]) if match else ""


def _unquoted(written: str) -> str:
    value = read_quoted(written)
    return written if value is None else value


def _cut_comment(written: str) -> tuple[str, str]:
    """What is written, stripped, and the comment after it with the spaces before."""
    stripped = written.lstrip(" \t")
    quoted = _QUOTED.fullmatch(stripped)
    if quoted is not None and re.fullmatch(r"[ \t]+#.*|[ \t]*", quoted[2]):
        return quoted[1], quoted[2].rstrip()
    cut = re.search(r"(?:^|[ \t]+)#", written)
    if cut is None:
        return written.strip(), ""
    return written[: cut.start()].strip(), written[cut.start() :].rstrip()
