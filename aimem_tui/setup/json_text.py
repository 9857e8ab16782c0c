"""Minimal edits of JSON files that belong to people: everything else stays, byte for byte.

- A member or element is put behind the last one, written as the file around it is: its
  indentation, its line ends, its comments, and a comma behind the last member if it has those.
- What was added can be taken out again, and then the text is what it was before: that is a
  property of every text, and tested as one.
- A value of somebody else's is never replaced unless that was asked for; what it was is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from aimem_tui.errors import BadInput
from aimem_tui.setup.edits import Edited, JsonAdded
from aimem_tui.setup.json_scan import Member, Node, last_comment_end, meaning, parse

_BLANKS = " \t\r\n\ufeff"


def add(
    text: str,
    path: Sequence[str],
    value: object,
    *,
    element: bool = False,
    replace: bool = False,
) -> Edited[JsonAdded]:
    """Put a value at a path, with the objects on the way that are missing.

    Args:
        path: the keys that lead there; of the array if ``element``.
        element: append the value to an array, unless an equal one is in it.
        replace: put it in place of another value.

    Returns: the text with it. ``state`` is ``there`` if it was there already, and ``differs`` if
        there is another value, which then stays.

    Raises:
        BadInput: if the text is not JSON, or something on the way is no object or array.
    """
    path = tuple(path)
    if not text.strip(_BLANKS):
        body = _dumped(_wrapped(path, value, element), "  ", "\n", "")
        return Edited(f"{text}{body}\n", "added", JsonAdded(path, value, element, blank=text))
    node = parse(text)
    for depth, key in enumerate(path):
        if node.open != "{":
            raise _no_container(path[:depth], "an object")
        found = _member(node, key)
        if found is None:
            wrapped = _wrapped(path[depth + 1 :], value, element)
            added = JsonAdded(path, value, element, depth, _hollow(text, node))
            return Edited(_inserted(text, node, key, wrapped), "added", added)
        node = found.value
    if element:
        if node.open != "[":
            raise _no_container(path, "a list")
        if any(meaning(text, member.value) == value for member in node.members):
            return Edited(text, "there")
        added = JsonAdded(path, value, True, len(path), _hollow(text, node))
        return Edited(_inserted(text, node, None, value), "added", added)
    present = meaning(text, node)
    if present == value:
        return Edited(text, "there")
    if not replace:
        return Edited(text, "differs", was=text[node.start : node.end])
    return _replaced(text, node, value, JsonAdded(path, value, False, len(path)))


def renew(text: str, added: JsonAdded, value: object) -> Edited[JsonAdded]:
    """Put a newer value where an earlier one was added.

    Returns: ``differs`` if what was added is not there any more as it was added.

    Raises:
        BadInput: if the text is not JSON.
    """
    node = _added_node(text, added)
    if node is None or meaning(text, node) != added.value:
        return Edited(text, "differs", was="" if node is None else text[node.start : node.end])
    new = _written(text, node, value)
    return Edited(new, "added", _with_value(added, value))


def take_out(text: str, added: JsonAdded) -> Edited[JsonAdded]:
    """Take out what was added, and the objects that were made for it and hold nothing else.

    Returns: ``gone`` if it is not there, ``differs`` if it was changed since and therefore stays.

    Raises:
        BadInput: if the text is not JSON any more.
    """
    if not text.strip(_BLANKS):
        return Edited(text, "gone")
    node = _added_node(text, added)
    if node is None:
        return Edited(text, "gone")
    if meaning(text, node) != added.value:
        return Edited(text, "differs", was=text[node.start : node.end])
    if added.replaced is not None:
        return Edited(text[: node.start] + added.replaced + text[node.end :], "removed")
    new = _without(text, added)
    if added.blank is not None and meaning(new, parse(new)) == {}:
        new = added.blank
    return Edited(new, "removed")


def _without(text: str, added: JsonAdded) -> str:
    """The text without the member; containers above it go with it if they were made for it."""
    way: list[tuple[Node, int]] = []
    node = parse(text)
    for key in added.path:
        at = max(i for i, member in enumerate(node.members) if member.key == key)
        way.append((node, at))
        node = node.members[at].value
    if added.element:
        at = max(
            i for i, member in enumerate(node.members) if meaning(text, member.value) == added.value
        )
        way.append((node, at))
    container, at = way.pop()
    while len(way) > added.depth and len(container.members) == 1:
        container, at = way.pop()
    emptied = len(way) == added.depth and len(container.members) == 1
    new = _cut(text, container, at)
    if not emptied or added.hollow is None:
        return new
    inner = new[container.start + 1 : container.end - 1 - (len(text) - len(new))]
    if inner.split() != added.hollow.split():
        return new
    return new[: container.start + 1] + added.hollow + new[container.start + 1 + len(inner) :]


def _cut(text: str, container: Node, at: int) -> str:
    members = container.members
    member = members[at]
    before = members[at - 1] if at else None
    behind = container.start + 1
    if before is not None:
        assert before.comma is not None, "between two members is a comma"
        behind = before.comma + 1
    start = last_comment_end(text, behind, member.start)
    if member.comma is not None:
        return text[:start] + text[member.comma + 1 :]
    without = text[:start] + text[member.end :]
    if before is not None:
        assert before.comma is not None, "between two members is a comma"
        without = without[: before.comma] + without[before.comma + 1 :]
    return without


def _inserted(text: str, node: Node, key: str | None, value: object) -> str:
    ends = "\r\n" if "\r\n" in text else "\n"
    unit = _unit(text)
    own = _own_line_indent(text, node)
    inline = bool(node.members) and own is None
    if not node.members:
        own = _line_indent(text, node.start) + unit
    closing = node.end - 1
    last = node.members[-1] if node.members else None
    trailing = last is not None and last.comma is not None
    gap = node.start + 1
    if last is not None:
        gap = last.end if last.comma is None else last.comma + 1
    at = last_comment_end(text, gap, closing)
    line_comment = at > gap and text.rfind("//", gap, at) > text.rfind("*/", gap, at)
    if inline and not line_comment:
        separator, body = " ", _compact(value)
    else:
        indent = own if own is not None else _line_indent(text, node.start)
        separator, body = ends + indent, _dumped(value, unit, ends, indent)
    named = body if key is None else f"{json.dumps(key, ensure_ascii=False)}: {body}"
    rest = text[at:]
    if last is None and "\n" not in text[at:closing]:
        rest = ends + _line_indent(text, node.start) + text[closing:]
    comma = "," if last is not None and not trailing else ""
    return text[:gap] + comma + text[gap:at] + separator + named + "," * trailing + rest


def _hollow(text: str, node: Node) -> str | None:
    return None if node.members else text[node.start + 1 : node.end - 1]


def _replaced(text: str, node: Node, value: object, added: JsonAdded) -> Edited[JsonAdded]:
    was = text[node.start : node.end]
    kept = JsonAdded(added.path, value, False, added.depth, replaced=was)
    return Edited(_written(text, node, value), "added", kept, was=was)


def _written(text: str, node: Node, value: object) -> str:
    ends = "\r\n" if "\r\n" in text else "\n"
    body = _dumped(value, _unit(text), ends, _line_indent(text, node.start))
    return text[: node.start] + body + text[node.end :]


def _added_node(text: str, added: JsonAdded) -> Node | None:
    node = parse(text)
    for key in added.path:
        member = _member(node, key) if node.open == "{" else None
        if member is None:
            return None
        node = member.value
    if not added.element:
        return node
    equal = [member.value for member in node.members if meaning(text, member.value) == added.value]
    return equal[-1] if node.open == "[" and equal else None


def _member(node: Node, key: str) -> Member | None:
    return next((member for member in reversed(node.members) if member.key == key), None)


def _wrapped(path: Sequence[str], value: object, element: bool) -> object:
    wrapped: object = [value] if element else value
    for key in reversed(path):
        wrapped = {key: wrapped}
    return wrapped


def _with_value(added: JsonAdded, value: object) -> JsonAdded:
    return JsonAdded(
        added.path,
        value,
        added.element,
        added.depth,
        added.hollow,
        added.replaced,
        added.blank,
    )


def _dumped(value: object, unit: str, ends: str, indent: str) -> str:
    lines = json.dumps(value, indent=unit, ensure_ascii=False).split("\n")
    return (ends + indent).join(lines)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _line_indent(text: str, at: int) -> str:
    """The blanks that the line of a place begins with."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _own_line_indent(text: str, node: Node) -> str | None:
    """The indentation of a container's last member, if it stands on a line of its own."""
    if not node.members:
        return None
    start = node.members[-1].start
    line = text.rfind("\n", node.start, start)
    blank = text[line + 1 : start]
    return blank if line >= 0 and not blank.strip(" \t") else None


def _unit(text: str) -> str:
    """What one level is indented by: as the first indented line is, else two spaces."""
    match = re.search(r"^([ \t]+)[\"\[{}\]]", text, re.MULTILINE)
    if match is None:
        return "  "
    return "\t" if match[1].startswith("\t") else match[1]


def _no_container(path: Sequence[str], wanted: str) -> BadInput:
    named = ".".join(path) or "The whole file"
    return BadInput(f"{named} is not {wanted}.", why=f"It has to be {wanted} to be added to.")
