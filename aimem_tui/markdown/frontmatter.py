"""The properties at the top of a text: found and read leniently, changed as edits of the text.

A frontmatter block begins at the first character of the text (a byte order mark may come before
it) with a line of three dashes, and ends with the next such line. Spaces after the dashes do not
count. A text that only looks like it is not touched: without an end, or with a first line inside
that is no ``key:``, or longer than ``MAX_BLOCK``, it has no frontmatter.

Nothing is ever parsed and written back. An edit replaces the whole lines of one property and
leaves every other character as it was: line ends, comments, order and quotes of the rest. Each
edit is tried before it is given out: the property must then read as the value asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aimem_tui.errors import BadInput
from aimem_tui.markdown.block import MAX_KEY, Property, looks_like_key, read_block
from aimem_tui.markdown.lines import line_end, lines_between
from aimem_tui.markdown.scalars import write_quoted, write_scalar
from crdt.textdiff import Splice, apply

MAX_BLOCK = 32_768
"""Characters from fence to fence; what is longer is text."""

TAG_KEYS = ("tags", "tag", "keywords")
"""The properties that hold tags; a new tag goes to the first of them that is there."""

_OPEN = re.compile(r"\ufeff?(---[ \t]*+(?:\r\n|\r|\n))")
_FENCE = re.compile(r"---[ \t]*+(?![^\r\n])")
_PLAIN_KEY = re.compile(r"\w[\w-]*+(?: [\w-]++)*+")
_DASH = re.compile(r"[ \t]*+-[ \t]++")


@dataclass(frozen=True, slots=True)
class Frontmatter:
    """Where a frontmatter block stands, as offsets in code points.

    ``text[start:end]`` is the whole block with both fences and their line ends;
    ``text[inner_start:inner_end]`` is what lies between the fences, whole lines.
    """

    start: int
    inner_start: int
    inner_end: int
    end: int


def split(text: str) -> Frontmatter | None:
    """Finds the frontmatter block of ``text``; None where there is none."""
    opening = _OPEN.match(text)
    if opening is None:
        return None
    inner_start = opening.end()
    for fence in _FENCE.finditer(text, inner_start):
        if fence.start() - inner_start > MAX_BLOCK:
            return None
        if text[fence.start() - 1] in "\r\n":
            break
    else:
        return None
    for line in lines_between(text, inner_start, fence.start()):
        if line.text.strip() and not line.text.lstrip().startswith("#"):
            if not looks_like_key(line.text):
                return None
            break
    end = fence.end()
    end += 2 if text.startswith("\r\n", end) else int(end < len(text))
    return Frontmatter(opening.start(1), inner_start, fence.start(), end)


def properties(text: str) -> dict[str, str | list[str]]:
    """The properties of ``text`` in their order, every scalar as the string that was written.

    A nested value is given as its text. Where a key stands twice the later one counts.
    """
    return {each.key: each.value for each in _read(text)}


def tags_of(found: Mapping[str, str | list[str]]) -> list[str]:
    """The tags that ``properties`` hold, in their order and without duplicates."""
    tags = (tag for key in TAG_KEYS for tag in _tag_list(found.get(key, "")))
    return list(dict.fromkeys(tags))


def set_property(text: str, key: str, value: str | Sequence[str]) -> list[Splice]:
    """The edit after which property ``key`` reads as ``value``; empty where it already does.

    The property's lines are replaced; a missing one is added at the end of the block, a missing
    block at the start of the text. An empty list is written as ``[]``.

    Raises:
        BadInput: the key or the value cannot be written.
    """
    wanted = value if isinstance(value, str) else list(value)
    _check(key, [wanted] if isinstance(wanted, str) else wanted)
    found = [each for each in _read(text) if each.key == key]
    if found and found[-1].value == wanted:
        return []
    splices = [_removal(text, each) for each in found[:-1]]
    splices.append(_replace(text, found[-1], wanted) if found else _add(text, key, wanted))
    _require(properties(apply(text, splices)).get(key) == wanted, key)
    return splices


def remove_property(text: str, key: str) -> list[Splice]:
    """The edit after which there is no property ``key``; empty where there is none.

    The block stays, even without any property left in it.

    Raises:
        BadInput: the block is so irregular that the property cannot be taken out.
    """
    splices = [_removal(text, each) for each in _read(text) if each.key == key]
    _require(key not in properties(apply(text, splices)), key)
    return splices


def add_tags(text: str, tags: Iterable[str]) -> list[Splice]:
    """The edit after which ``text`` has all of ``tags``; those it has stay where they are.

    In a list of dashes only the new lines are inserted.

    Raises:
        BadInput: a tag is empty or cannot be written.
    """
    found = _read(text)
    present = properties(text)
    wanted = dict.fromkeys(_clean_tags(tags))
    missing = [tag for tag in wanted if tag not in tags_of(present)]
    if not missing:
        return []
    key = next((key for key in TAG_KEYS if key in present), TAG_KEYS[0])
    prop = next((each for each in reversed(found) if each.key == key), None)
    if prop is None or not prop.items:
        return set_property(text, key, [*_tag_list(present.get(key, "")), *missing])
    _check(key, missing)
    last = prop.items[-1]
    dash = _DASH.match(text, last.start)
    assert dash is not None, "an item begins with a dash"
    eol = line_end(text[last.start : last.end])
    lines = "".join(f"{dash[0]}{write_scalar(tag)}{eol}" for tag in missing)
    splices = [Splice(last.end, last.end, lines)]
    _require(set(missing) <= set(tags_of(properties(apply(text, splices)))), key)
    return splices


def remove_tags(text: str, tags: Iterable[str]) -> list[Splice]:
    """The edit after which ``text`` has none of ``tags``; empty where it has none of them.

    A property of which no tag is left is taken out.

    Raises:
        BadInput: a tag is empty, or the block is so irregular that none can be taken out.
    """
    unwanted = set(_clean_tags(tags))
    splices: list[Splice] = []
    for prop in _read(text):
        if prop.key not in TAG_KEYS:
            continue
        before = _tag_list(prop.value)
        after = [tag for tag in before if tag not in unwanted]
        if not after and before:
            splices.append(_removal(text, prop))
        elif len(after) < len(before) and prop.items:
            splices += [
                Splice(item.start, item.end, "")
                for item in prop.items
                if unwanted.intersection(_tag_list([item.value]))
            ]
        elif len(after) < len(before):
            splices.append(_replace(text, prop, after))
    _require(unwanted.isdisjoint(tags_of(properties(apply(text, splices)))), "tags")
    return splices


def _read(text: str) -> list[Property]:
    block = split(text)
    return [] if block is None else read_block(text, block.inner_start, block.inner_end)


def _tag_list(value: str | list[str]) -> list[str]:
    written = value.split(",") if isinstance(value, str) else value
    tags = (tag.strip().removeprefix("#").strip() for tag in written)
    return [tag for tag in tags if tag]


def _clean_tags(tags: Iterable[str]) -> list[str]:
    cleaned: list[str] = []
    for tag in tags:
        name = _tag_list([tag])
        if not name:
            raise BadInput("A tag cannot be empty.")
        cleaned += name
    return cleaned


def _add(text: str, key: str, value: str | list[str]) -> Splice:
    block = split(text)
    if block is not None:
        eol = line_end(text[block.start :])
        first = next(iter(_read(text)), None)
        inside = text[first.start : first.end] if first else ""
        indent = inside[: len(inside) - len(inside.lstrip(" "))]
        line = _render(indent + _write_key(key), value, "", "") + eol
        return Splice(block.inner_end, block.inner_end, line)
    at = int(text.startswith("\ufeff"))
    eol = line_end(text)
    blank = eol if text[at : at + 1] not in ("", "\r", "\n") else ""
    line = _render(_write_key(key), value, "", "")
    return Splice(at, at, f"---{eol}{line}{eol}---{eol}{blank}")


def _replace(text: str, old: Property, value: str | list[str]) -> Splice:
    lines = text[old.start : old.end]
    eol = line_end(lines)
    indent = lines[: len(lines) - len(lines.lstrip(" "))]
    dash = _DASH.match(text, old.items[0].start) if old.items else None
    new = _render(indent + _write_key(old.key), value, old.comment, eol + dash[0] if dash else "")
    return Splice(old.start, old.end, new + eol)


def _removal(text: str, old: Property) -> Splice:
    """Takes a property out, and the comments indented below it.

    Left behind, such a comment would become text where a block scalar comes before it.
    """
    end = old.end
    for line in lines_between(text, old.end, len(text)):
        comment = line.text.strip().startswith("#") and line.text[0] in " \t"
        if line.text.strip() and not comment:
            break
        end = line.end if comment else end
    return Splice(old.start, end, "")


def _render(key: str, value: str | list[str], comment: str, dash: str) -> str:
    """A property without its last line end. ``dash`` begins each entry of a list of dashes."""
    if isinstance(value, str):
        return f"{key}: {write_scalar(value)}{comment}"
    if dash and value:
        return f"{key}:{comment}" + "".join(dash + write_scalar(item) for item in value)
    items = ", ".join(write_scalar(item, flow=True) for item in value)
    return f"{key}: [{items}]{comment}"


def _write_key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) and key.isprintable() else write_quoted(key)


def _check(key: str, values: list[str]) -> None:
    if not key.strip() or len(key) > MAX_KEY or re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", key):
        raise BadInput(
            "This name of a property cannot be written.",
            hint=f"Use one line of up to {MAX_KEY} characters.",
        )
    try:
        "".join([key, *values]).encode()
    except UnicodeEncodeError as error:
        raise BadInput(
            f"The property {key!r} cannot be written.", why="It holds half a character."
        ) from error


def _require(holds: bool, key: str) -> None:
    if not holds:
        raise BadInput(
            f"The property {key} cannot be changed.",
            why="The lines between the dashes at the top of the text are not regular.",
            hint="Edit them by hand.",
        )
