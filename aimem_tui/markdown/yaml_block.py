"""The reader of frontmatter that is any YAML; only imported for blocks that are not plain.

Listens to PyYAML's events instead of loading values, because an edit needs to know where each
property stands, and because values stay the strings that were written.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from aimem_tui.markdown.block import COMMENT, DASHED, MAX_KEY, Item, Property
from aimem_tui.markdown.lines import line_after, line_start

_MAX_DEPTH = 32


def read_yaml(text: str, start: int, end: int) -> list[Property] | None:
    """Reads any block mapping of YAML; None where it is not one, or holds what is refused."""
    if "\ufeff" in text[start:end]:
        return None  # the parsers differ in whether they count it
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        return _Reader(text, start, end, yaml.parse(text[start:end], Loader=loader)).read()
    except (yaml.YAMLError, _NotRegularError, ValueError, OverflowError):
        return None


class _NotRegularError(Exception):
    """The block is not YAML, or is YAML that is not read as properties on lines of their own."""


class _Reader:
    """Turns parser events into properties. ``_last`` is where the last thing written ends."""

    def __init__(self, text: str, start: int, end: int, events: Iterator[Event]) -> None:
        self._text = text
        self._start = start
        self._end = end
        self._events = events
        self._last = start

    def read(self) -> list[Property]:
        _stream, _document, root = (self._next() for _ in range(3))
        if not isinstance(root, MappingStartEvent) or root.flow_style:
            raise _NotRegularError
        found: list[Property] = []
        indent: str | None = None
        while not isinstance(key := self._next(), MappingEndEvent):
            at = self._start_of(key)
            begin = line_start(self._text, at)
            indent = self._text[begin:at] if indent is None else indent
            if self._text[begin:at] != indent or indent.strip(" "):
                raise _NotRegularError
            found.append(self._property(key, begin))
        if len(list(islice(self._events, 3))) != 2:  # the ends of the document and the stream
            raise _NotRegularError
        return found

    def _property(self, key: Event, begin: int) -> Property:
        if not isinstance(key, ScalarEvent) or len(key.value) > MAX_KEY:
            raise _NotRegularError
        colon = self._text.find(":", self._end_of(key), self._end)
        self._last = colon + 1
        event = self._next()
        is_block = isinstance(event, CollectionStartEvent) and not event.flow_style
        items: list[Item] = []
        value = self._value(event, items)
        stop = self._written_end(colon)
        end = line_after(self._text, stop)
        tail = (
            self._text[colon + 1 : line_after(self._text, colon)]
            if is_block
            else (self._text[stop:end])
        )
        tail = tail.rstrip(" \t\r\n")
        return Property(
            key.value,
            value,
            begin,
            end,
            tail if COMMENT.fullmatch(tail) else "",
            tuple(items) if is_block and len(items) == len(value) else (),
        )

    def _value(self, event: Event, items: list[Item]) -> str | list[str]:
        """The value that begins with an event; its entries that stand on lines go to ``items``."""
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if not isinstance(event, SequenceStartEvent):
            return self._source(event)
        values: list[str] = []
        while not isinstance(entry := self._next(), SequenceEndEvent):
            if not isinstance(entry, ScalarEvent):
                values.append(self._source(entry))
                continue
            values.append(self._scalar(entry))
            at = self._start_of(entry)
            begin = line_start(self._text, at)
            if DASHED.fullmatch(self._text, begin, at):
                end = line_after(self._text, self._written_end(at))
                items.append(Item(entry.value, begin, end))
        self._close(event, entry)
        return values

    def _scalar(self, event: ScalarEvent) -> str:
        self._last = self._end_of(event)
        return event.value

    def _source(self, first: Event) -> str:
        """The text of a nested value, which is passed over."""
        if not isinstance(first, CollectionStartEvent):
            raise _NotRegularError
        opened = [first]
        while opened:
            event = self._next()
            if isinstance(event, CollectionStartEvent) and len(opened) < _MAX_DEPTH:
                opened.append(event)
            elif isinstance(event, CollectionEndEvent):
                self._close(opened.pop(), event)
            elif isinstance(event, ScalarEvent):
                self._scalar(event)
            else:
                raise _NotRegularError
        return self._text[self._start_of(first) : self._last].strip()

    def _close(self, opened: CollectionStartEvent, closed: Event) -> None:
        if opened.flow_style:  # the end of a block is only noticed at what follows it
            self._last = self._end_of(closed)

    def _written_end(self, at_least: int) -> int:
        end = self._last
        while end > at_least and self._text[end - 1] in " \t\r\n":
            end -= 1
        return max(end, at_least)

    def _next(self) -> Event:
        event = next(self._events, None)
        if event is None or isinstance(event, AliasEvent):
            raise _NotRegularError
        return event

    def _start_of(self, event: Event) -> int:
        assert event.start_mark is not None, "events that were parsed have marks"
        return self._start + event.start_mark.index

    def _end_of(self, event: Event) -> int:
        assert event.end_mark is not None, "events that were parsed have marks"
        return self._start + event.end_mark.index
