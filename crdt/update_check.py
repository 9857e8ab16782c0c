"""A look at the bytes of a Yjs update before a document engine sees them.

The engine believes the counts in an update: seven bytes that announce 2**28 clients cost it half a
gigabyte and a second. This walks through an update (encoding version 1, as `yjs` and `y-crdt` write
it) without building anything, and refuses what is not well formed:

- every count is compared with the bytes that remain, given the least that one element takes;
- numbers are at most 53 bits (client ids) or 32 bits (clocks and lengths) and end within 8 bytes;
- a struct, content or value of a kind that is not known is refused;
- nothing may follow the delete set.

Most updates insert one run of text and delete at most one run: those are recognised by their shape,
which is several times as fast as the walk and lets pass nothing that the walk would not.

What passes may still mean nothing to a document (it can refer to what is not there); what is
refused would be refused by the engine as well, at any price. Weak links and values deeper than
:data:`MAX_DEPTH` are refused, too: no thought holds any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from crdt.errors import WireError

MAX_DEPTH = 32
_MAX_CLIENT = (1 << 53) - 1
_MAX_CLOCK = (1 << 32) - 1

_GC, _SKIP = 0, 10
_DELETED, _STRING = 1, 4
_NAMED_TYPES = (3, 5)
_LAST_TYPE = 6

_CLIENT = rb"[\x80-\xff]{0,6}[\x00-\x7f]"
_CLOCK = rb"[\x80-\xff]{0,3}[\x00-\x7f]"
_PLACE = _CLIENT + _CLOCK
# One struct of one client, a text behind its left neighbour, before its right one, or between both.
# At the end its length in bytes, up to 16 KiB.
_insertion = re.compile(
    rb"\x01\x01%b(?:[\x44\x84]|\xc4%b)%b([\x01-\x7f]|[\x80-\xff][\x01-\x7f])" % (3 * (_PLACE,))
).match
_deletion = re.compile(rb"\x01" + _CLIENT + rb"\x01" + _CLOCK + _CLOCK).fullmatch


def check_update(update: bytes) -> None:
    """Make sure that ``update`` is well formed.

    Raises:
        WireError: if it is not; says what is wrong and at which byte.
    """
    if is_simple(update):
        return
    walk = _Walk(update)
    try:
        walk.structs()
        walk.deletions()
    except IndexError:
        raise WireError("the update is cut short") from None
    if walk.at != len(update):
        raise walk.wrong("something follows the update")


def is_simple(update: bytes) -> bool:
    """Whether an update is well formed, inserts one short run of text and deletes at most one.

    False says nothing.
    """
    found = _insertion(update)
    if found is None:
        return False
    length, start = found[1], found.end()
    size = length[0] if len(length) == 1 else length[0] & 0x7F | length[1] << 7
    text, deletions = update[start : start + size], update[start + size :]
    if deletions != b"\0" and not _deletion(deletions):
        return False
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            return False
    return True


class _Walk:
    """A place in an update, moved on by each method past what the method is named after."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.end = len(data)
        self.at = 0

    def wrong(self, what: str) -> WireError:
        return WireError(f"{what} (byte {self.at} of the update)")

    def number(self, most: int = _MAX_CLOCK) -> int:
        """An unsigned LEB128 varint."""
        data, at = self.data, self.at
        byte = data[at]
        at += 1
        if byte < 0x80:
            self.at = at
            return byte
        value, shift = byte & 0x7F, 7
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 49:
                raise self.wrong("a number is too long")
        if value > most:
            raise self.wrong("a number is too large")
        self.at = at
        return value

    def count(self, least: int) -> int:
        """A count of elements that take at least ``least`` bytes each."""
        count = self.number()
        if count * least > self.end - self.at:
            raise self.wrong("a count is larger than what is left")
        return count

    def skip(self, length: int) -> None:
        if length > self.end - self.at:
            raise self.wrong("a length is larger than what is left")
        self.at += length

    def string(self) -> str:
        length = self.number()
        start = self.at
        self.skip(length)
        try:
            return self.data[start : self.at].decode()
        except UnicodeDecodeError:
            raise self.wrong("a text is not UTF-8") from None

    def structs(self) -> None:
        number, data = self.number, self.data
        for _ in range(self.count(3)):
            structs = self.count(2)
            number(_MAX_CLIENT)
            clock = number()
            for _ in range(structs):
                info = data[self.at]
                self.at += 1
                kind = info & 0x1F
                if kind in (_GC, _SKIP):
                    length = number()
                else:
                    self.place(info)
                    length = self.content(kind)
                if not length:
                    raise self.wrong("a struct is empty")
                clock += length
                if clock > _MAX_CLOCK:
                    raise self.wrong("a clock is too large")

    def place(self, info: int) -> None:
        """Where an item stands: its neighbours, or its parent where it has none."""
        number = self.number
        if info & 0x80:
            number(_MAX_CLIENT)
            number()
        if info & 0x40:
            number(_MAX_CLIENT)
            number()
        if not info & 0xC0:
            by_name = number()
            if by_name == 1:
                self.string()
            elif by_name == 0:
                number(_MAX_CLIENT)
                number()
            else:
                raise self.wrong("a parent is neither a name nor an item")
            if info & 0x20:
                self.string()

    def content(self, kind: int) -> int:
        """The content of an item; its length in the clock's units."""
        if kind == 1:
            return self.number()
        if kind == 2:
            count = self.count(1)
            for _ in range(count):
                self.string()
            return count
        if kind == 3:
            self.skip(self.number())
        elif kind == 4:
            text = self.string()
            return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
        elif kind == 5:
            self.string()
        elif kind == 6:
            self.string()
            self.string()
        elif kind == 7:
            type_ref = self.number()
            if type_ref > _LAST_TYPE:
                raise self.wrong("a type is not known")
            if type_ref in _NAMED_TYPES:
                self.string()
        elif kind == 8:
            count = self.count(1)
            for _ in range(count):
                self.value(0)
            return count
        elif kind == 9:
            self.string()
            self.value(0)
        else:
            raise self.wrong("a kind of content is not known")
        return 1

    def value(self, depth: int) -> None:
        """A plain value: a number, a text, a list and so on."""
        kind = self.data[self.at]
        self.at += 1
        if kind in (127, 126, 121, 120):
            return
        if kind == 125:
            self.integer()
        elif kind == 124:
            self.skip(4)
        elif kind in (123, 122):
            self.skip(8)
        elif kind == 119:
            self.string()
        elif kind == 116:
            self.skip(self.number())
        elif kind in (118, 117):
            if depth == MAX_DEPTH:
                raise self.wrong("a value is too deep")
            for _ in range(self.count(2 if kind == 118 else 1)):
                if kind == 118:
                    self.string()
                self.value(depth + 1)
        else:
            raise self.wrong("a kind of value is not known")

    def integer(self) -> None:
        """A signed varint: a sign and six bits, then seven bits a byte."""
        data = self.data
        for _ in range(10):
            byte = data[self.at]
            self.at += 1
            if byte < 0x80:
                return
        raise self.wrong("a number is too long")

    def deletions(self) -> None:
        number = self.number
        for _ in range(self.count(2)):
            number(_MAX_CLIENT)
            for _ in range(self.count(2)):
                clock = number()
                if clock + number() > _MAX_CLOCK:
                    raise self.wrong("a clock is too large")


def waits_for_something(update: bytes, seen: Mapping[int, int]) -> bool:
    """Whether a well-formed update refers to what a document does not have.

    The engine takes in such an update all the same and keeps the hole; what fills it later may get
    lost. Whoever cannot trust the order in which updates come asks this first.

    Args:
        seen: how many clocks of each client the document has.

    Raises:
        WireError: if the update is not well formed.
    """
    walk = _References(update)
    try:
        walk.structs()
        walk.deletions()
    except IndexError:
        raise WireError("the update is cut short") from None
    ends = walk.ends
    if any(first > seen.get(client, 0) for client, first in walk.firsts):
        return True
    return any(
        clock >= seen.get(client, 0) and clock >= ends.get(client, 0)
        for client, clock in walk.references
    )


def holds_only_text(update: bytes) -> bool:
    """Whether a well-formed update inserts nothing but text: no pictures, objects or properties.

    Raises:
        WireError: if the update is not well formed.
    """
    walk = _References(update)
    try:
        walk.structs()
    except IndexError:
        raise WireError("the update is cut short") from None
    return walk.kinds <= {_DELETED, _STRING}


class _References(_Walk):
    """Notes on the way what an update holds and what it refers to."""

    __slots__ = ("ends", "firsts", "kinds", "references")

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.firsts: list[tuple[int, int]] = []
        """Where the update goes on, for each client."""
        self.ends: dict[int, int] = {}
        """Up to where it holds everything behind that."""
        self.references: list[tuple[int, int]] = []
        self.kinds: set[int] = set()

    def content(self, kind: int) -> int:
        """See :meth:`_Walk.content`."""
        self.kinds.add(kind)
        return super().content(kind)

    def structs(self) -> None:
        """See :meth:`_Walk.structs`."""
        number, data = self.number, self.data
        for _ in range(self.count(3)):
            structs = self.count(2)
            client, clock = number(_MAX_CLIENT), number()
            self.firsts.append((client, clock))
            for _ in range(structs):
                info = data[self.at]
                self.at += 1
                kind = info & 0x1F
                if kind in (_GC, _SKIP):
                    clock += number()
                    if kind == _SKIP:
                        # It leaves something out, and goes on behind that.
                        self.firsts.append((client, clock))
                else:
                    self.place(info)
                    clock += self.content(kind)
            self.ends[client] = max(clock, self.ends.get(client, 0))

    def place(self, info: int) -> None:
        """See :meth:`_Walk.place`."""
        number = self.number
        for bit in (0x80, 0x40):
            if info & bit:
                self.references.append((number(_MAX_CLIENT), number()))
        if not info & 0xC0:
            if number() == 1:
                self.string()
            else:
                self.references.append((number(_MAX_CLIENT), number()))
            if info & 0x20:
                self.string()

    def deletions(self) -> None:
        """See :meth:`_Walk.deletions`."""
        number = self.number
        for _ in range(self.count(2)):
            client = number(_MAX_CLIENT)
            for _ in range(self.count(2)):
                self.references.append((client, number() + number() - 1))
