"""Places in a text that stay with a character, for carets: the relative positions of Yjs.

- A position names the character that it stands before (or, where ``before`` is said, behind), by
  the client id and clock that the character has for ever; no character stands for the end of the
  text (or its start). Its JSON is that of Yjs, so that every Yjs client reads it.
- Offsets are UTF-8 bytes, as everywhere in this package, clocks are UTF-16 code units. The engine
  mixes the two: it adds bytes to clocks and clocks to bytes. Inside one of its blocks that error is
  zero at the start and grows with each character that is not ASCII; so the start of the block is
  searched, in leaps that double and then by halves, and the rest is counted here.
- Where two blocks meet whose numbers happen to run on, the search leaps over the border. A caret is
  then drawn some characters beside its place, until it moves again.
- A position may come from anybody: :meth:`Position.from_json` and :func:`offset_of` take what is
  broken, or names what is not there, for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeGuard

from crdt.adapter import EngineDoc
from crdt.errors import CrdtError

ROOT = "content"

_MAX_CLIENT = (1 << 53) - 1
_MAX_CLOCK = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Item:
    """A character, by the name it has for ever."""

    client: int
    clock: int


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the content that stays with a character."""

    item: Item | None
    """The character; None for the end of the text, or with ``before`` for its start."""
    before: bool = False
    """The place is behind the character and stays with it: it belongs to what is before it."""

    def to_json(self) -> dict[str, Any]:
        """As ``Y.relativePositionToJSON`` writes it."""
        json: dict[str, Any] = {"tname": ROOT}
        if self.item is not None:
            json["item"] = {"client": self.item.client, "clock": self.item.clock}
        json["assoc"] = -1 if self.before else 0
        return json

    @classmethod
    def from_json(cls, json: object) -> Position | None:
        """What a Yjs client wrote; None where it is broken or means no place in the content."""
        if not isinstance(json, dict) or json.get("type") is not None:
            return None
        assoc = json.get("assoc", 0)
        if assoc is None:
            assoc = 0
        if not isinstance(assoc, int) or json.get("tname", ROOT) not in (ROOT, None):
            return None
        item = json.get("item")
        if item is None:
            # Without a name there is no telling whose end is meant.
            return cls(None, assoc < 0) if json.get("tname") == ROOT else None
        if not isinstance(item, dict):
            return None
        client, clock = item.get("client"), item.get("clock")
        if not _is_whole(client, _MAX_CLIENT) or not _is_whole(clock, _MAX_CLOCK):
            return None
        return cls(Item(client, clock), assoc < 0)


def position_at(document: EngineDoc, offset: int, *, before: bool = False) -> Position:
    """The position of a place in the content.

    Args:
        offset: UTF-8 bytes; at a character's border.
        before: the place is to stay with the character before it, not with the one after it.

    Raises:
        CrdtError: if the offset lies outside the text.
    """
    length = document.text_bytes()
    if not 0 <= offset <= length:
        raise CrdtError(f"byte {offset} lies outside a text of {length} bytes")
    if offset == (0 if before else length):
        return Position(None, before)
    text = document.text()
    data = b"" if text.isascii() else text.encode()
    if not before:
        return Position(_item_at(document, data, offset))
    start = _border(data, offset - 1)
    item = _item_at(document, data, start)
    return Position(Item(item.client, item.clock + max(0, _units(data[start:offset]) - 1)), True)


def offset_of(document: EngineDoc, position: Position) -> int | None:
    """Where a position is now, in UTF-8 bytes; None where the document knows nothing of it.

    Where its character was deleted, that is where it would be.
    """
    item, length = position.item, document.text_bytes()
    if item is None:
        return 0 if position.before else length
    if item.clock >= _seen(document.state_vector(), item.client):
        return None
    raw = document.raw_offset(item.client, item.clock)
    if raw is None or raw >= length:
        return raw
    text = document.text()
    data = b"" if text.isascii() else text.encode()
    # Less than the place, but already in the block of the character, unless that was deleted.
    inside = _border(data, raw)
    start, first = _block_at(document, data, inside)
    if Item(first.client, first.clock + raw - start) != item:
        return raw
    units = raw - start + (1 if position.before else 0)
    return _skip(data, start, units) if data else start + units


def _item_at(document: EngineDoc, data: bytes, offset: int) -> Item:
    """The character at ``offset`` of a text, which is given unless it is all ASCII."""
    start, first = _block_at(document, data, offset)
    between = _units(data[start:offset]) if data else offset - start
    return Item(first.client, first.clock + between)


def _block_at(document: EngineDoc, data: bytes, offset: int) -> tuple[int, Item]:
    """Where the block begins that ``offset`` is in, and with which character.

    In a text that is all ASCII, which is not given, any character does as well as the first.
    """
    client, raw = document.raw_position(offset)
    if not data:
        return offset, Item(client, raw)

    def same_block(back: int) -> bool:
        if back > offset:
            return False
        at = _border(data, offset - back)
        return document.raw_position(at) == (client, raw - (offset - at))

    start = _border(data, offset - _last(same_block))
    return start, Item(client, raw - (offset - start))


def _last(holds: Callable[[int], bool]) -> int:
    """The last number up to which something holds that holds for 0."""
    step = 1
    while holds(step):
        step *= 2
    low, high = step // 2, step
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return low


def _border(data: bytes, at: int) -> int:
    """Where the character begins that the byte belongs to; the byte itself in an ASCII text."""
    while data and at > 0 and data[at] & 0xC0 == 0x80:
        at -= 1
    return at


def _units(data: bytes) -> int:
    """The length of UTF-8 bytes in UTF-16 code units."""
    return len(data.decode().encode("utf-16-le")) // 2 if data else 0


def _skip(data: bytes, start: int, units: int) -> int:
    """Where one is so many UTF-16 code units behind ``start``; never inside a character."""
    # No code unit takes more than three bytes.
    ahead = data[start : start + 3 * units + 3].decode(errors="ignore").encode("utf-16-le")
    return start + len(ahead[: 2 * units].decode("utf-16-le", "ignore").encode())


def _seen(state_vector: bytes, client: int) -> int:
    """How many clocks of a client a document with this state vector has."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = state_vector[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    for _ in range(number()):
        one, clock = number(), number()
        if one == client:
            return clock
    return 0


def _is_whole(value: object, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
