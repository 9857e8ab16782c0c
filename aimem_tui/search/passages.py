"""The passage of a text that shows why it was found, with the words of the search marked.

Words are compared as the full-text engine compares them, by its own tokenizer, so what is marked is
what matched: any form of a word, with or without accents. Of the passages of some two dozen words
the one with the most different words of the search is taken, the rarer ones counting more; of
equals the first. Where a text has none, as with what was found by its meaning, its beginning is
shown, or that of the passage that was found.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from heapq import nsmallest
from itertools import islice
from typing import NamedTuple, TypeAlias, cast

import apsw

from aimem_tui.search import scripts
from aimem_tui.search.query import Query
from aimem_tui.store import tokenizer

MATCH_START, MATCH_END = "\x01", "\x02"
"""What stands before and after a match in a snippet."""

_WORDS = 24
_BEFORE, _AROUND = 60, 220
"""Characters before the first match and behind it that a passage is cut from."""
_WHOLE = 20_000
"""So much of a text is looked through word by word where its letters give no place to look at."""
_PLACES = 2_000
_TRIED = 5
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_TITLE = re.compile(r"\s*# [^\n]*\n")
_LETTER = re.compile(r"[^\W_]")
_CLOSING = re.compile(r"[.!?…)\]}'\"`»”’。！？]*")
_ACCENTS = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_HEADING_REACH = 40_000


class Passage(NamedTuple):
    """A part of a text, for people."""

    snippet: str
    """On one line, with the matches between U+0001 and U+0002."""
    line: int
    """The line of the first match, from 0."""
    heading: str
    """The heading it stands below; empty if there is none."""


Token: TypeAlias = tuple[int, int, str]
"""A word of a text: where it begins and ends, in characters, and what it is compared by."""


class Marker:
    """Finds and marks the words of one search in texts.

    Args:
        connection: any; it lends its tokenizer.
        parts: of names, marked wherever their letters stand.
    """

    def __init__(
        self, connection: apsw.Connection, query: Query, parts: Sequence[str] = ()
    ) -> None:
        self._tokenizer = connection.fts5_tokenizer(tokenizer.NAME, tokenizer.ARGUMENTS)
        self._wanted: dict[str, list[tuple[str, ...]]] = {}
        self._beginning = ""
        self._inside: list[str] = []
        beginnings: set[str] = set()
        for place, term in enumerate((*query.phrases, *query.terms)):
            if scripts.is_unspaced(term):
                self._inside.append(term.casefold())
                continue
            stems = tuple(stem for _, _, stem in self._tokens(term, 0, len(term)))
            if not stems:
                continue
            is_last = place == len(query.phrases) + len(query.terms) - 1
            if query.open_ended and is_last and len(stems) == 1:
                self._beginning = _plain(term)
                beginnings.add(self._beginning)
                continue
            self._wanted.setdefault(stems[0], []).append(stems)
            beginnings.add(stems[0][: max(2, len(stems[0]) - 1)])
        likely = "|".join(map(re.escape, sorted(beginnings, key=len, reverse=True)))
        ways = [rf"(?<![^\W_])(?:{likely})"] if likely else []
        ways += map(re.escape, self._inside)
        in_names = "|".join(map(re.escape, parts))
        self._in_names = re.compile(in_names, re.IGNORECASE) if parts else None
        ways += [in_names] if parts else []
        self._likely = re.compile("|".join(ways), re.IGNORECASE) if ways else None

    def words(self, text: str) -> list[str]:
        """The words of a text as they stand in it, in lower case."""
        return [text[first:last].casefold() for first, last, _ in self._tokens(text, 0, len(text))]

    def passage(self, body: str, start: int = 0, end: int | None = None) -> Passage:
        """The best passage of a text, or of the part from ``start`` to ``end``."""
        end = len(body) if end is None else min(end, len(body))
        start = min(start, end)
        marks, tokens = self._found(body, max(start, _behind_title(body)), end)
        if not marks:
            marks, tokens = self._found(body, start, end)
        if not marks:
            return _unmarked(body, start, end)
        at, until = _best(body, marks, tokens)
        return _cut(body, [mark for mark in marks if at <= mark.start < until], at, until)

    def _found(self, body: str, start: int, end: int) -> tuple[list[_Mark], list[Token]]:
        """The marks where most different words are together, and the words around them."""
        best: list[_Mark] = []
        chosen: list[Token] = []
        for first, last in self._regions(body, start, end):
            tokens = self._tokens(body, first, last)
            marks = self._marks(tokens, body, first, last)
            if _worth(marks) > _worth(best):
                best, chosen = marks, tokens
        return best, chosen

    def _regions(self, body: str, start: int, end: int) -> list[tuple[int, int]]:
        """Where to look word by word: around letters that the words looked for begin with."""
        if self._likely is None:
            return []
        places = [
            (match.start(), match[0].casefold())
            for match in islice(self._likely.finditer(body, start, end), _PLACES)
        ]
        if not places:
            # A word with accents begins with other letters than one without.
            part = body[start : min(end, start + _WHOLE)]
            if part.isascii() or not self._likely.search(_without_accents(part)):
                return []
            return [(start, start + len(part))]
        ranked = []
        last = 0
        for first, (at, _) in enumerate(places):
            while last < len(places) and places[last][0] < at + _AROUND - _BEFORE:
                last += 1
            different = len({word for _, word in places[first:last]})
            ranked.append((-different, first - last, at))
        return [
            _between_words(body, max(start, at - _BEFORE), min(end, at + _AROUND))
            for _, _, at in nsmallest(_TRIED, ranked)
        ]

    def _marks(self, tokens: Sequence[Token], body: str, first: int, last: int) -> list[_Mark]:
        marks = []
        for place, (start, end, stem) in enumerate(tokens):
            for stems in self._wanted.get(stem, ()):
                found = tokens[place : place + len(stems)]
                if len(stems) == 1 or tuple(each[2] for each in found) == stems:
                    marks.append(_Mark(start, found[-1][1], stems[0]))
                    break
            else:
                if self._beginning and _plain(body[start:end]).startswith(self._beginning):
                    marks.append(_Mark(start, end, self._beginning))
            if self._inside and not body[start:end].isascii():
                word = body[start:end].casefold()
                for inside in self._inside:
                    if (at := word.find(inside)) >= 0:
                        marks.append(_Mark(start + at, start + at + len(inside), inside))
        if self._in_names is not None:
            for match in self._in_names.finditer(body, first, last):
                marks.append(_Mark(match.start(), match.end(), match[0].casefold()))
        marks.sort()
        return _apart(marks)

    def _tokens(self, text: str, start: int, end: int) -> list[Token]:
        part = text[start:end]
        if part.isascii():
            rows = self._engine_tokens(part.encode())
            return [(start + first, start + last, stem) for first, last, stem in rows]
        raw = part.encode("utf-8", "replace")
        rows = self._engine_tokens(raw)
        tokens = []
        at = seen = 0
        for first, last, stem in rows:
            # Offsets come in bytes; they only grow, so each stretch is counted once.
            at += len(raw[seen:first].decode("utf-8", "ignore"))
            size = len(raw[first:last].decode("utf-8", "ignore"))
            tokens.append((start + at, start + at + size, stem))
            at, seen = at + size, last
        return tokens

    def _engine_tokens(self, utf8: bytes) -> list[Token]:
        """What the engine makes of a text, with places in bytes."""
        rows = self._tokenizer(utf8, apsw.FTS5_TOKENIZE_DOCUMENT, None, include_colocated=False)
        return cast("list[Token]", rows)


class _Mark(NamedTuple):
    start: int
    end: int
    term: str


def heading_at(body: str, at: int) -> str:
    """The last heading above a place of a text."""
    found = ""
    end = body.find("\n", at)
    for match in _HEADING.finditer(
        body, max(0, at - _HEADING_REACH), len(body) if end < 0 else end
    ):
        found = match[1]
    return found.strip()


def _apart(marks: list[_Mark]) -> list[_Mark]:
    kept: list[_Mark] = []
    for mark in marks:
        if not kept or mark.start >= kept[-1].end:
            kept.append(mark)
    return kept


def _behind_title(body: str) -> int:
    """Where the text begins behind its title, which is shown in any case."""
    match = _TITLE.match(body)
    return match.end() if match else 0


def _worth(marks: Sequence[_Mark]) -> tuple[int, int]:
    return len({mark.term for mark in marks}), len(marks)


def _between_words(body: str, start: int, end: int) -> tuple[int, int]:
    """A region that does not begin in the middle of a word, if there is a blank near."""
    if not start or not body[start - 1].isalnum():
        return start, end
    blank = body.find(" ", start, start + _BEFORE // 2)
    return (start if blank < 0 else blank), end


def _best(body: str, marks: Sequence[_Mark], tokens: Sequence[Token]) -> tuple[int, int]:
    """Where the passage with the most different terms begins and ends, in characters."""
    starts = [token[0] for token in tokens]
    at = [max(0, bisect_right(starts, mark.start) - 1) for mark in marks]
    chosen, most, last = 0, (0, 0), 0
    for first in range(len(marks)):
        while last < len(marks) and at[last] < at[first] + _WORDS - 4:
            last += 1
        worth = _worth(marks[first:last])
        if worth > most:
            most, chosen = worth, first
    # A few words before the first match, so that it stands in a sentence, of its paragraph.
    begin = max(0, at[chosen] - 4)
    end = min(len(tokens) - 1, begin + _WORDS - 1)
    paragraph = body.rfind("\n\n", tokens[begin][0], marks[chosen].start) + 2
    start = max(tokens[begin][0], paragraph if paragraph > 1 else 0)
    until = max(tokens[end][1], marks[chosen].end)
    return start, until + _closing(body, until)


def _closing(body: str, at: int) -> int:
    """How many signs that end a sentence stand at a place."""
    match = _CLOSING.match(body, at)
    return len(match[0]) if match else 0


def _cut(body: str, marks: Sequence[_Mark], at: int, until: int) -> Passage:
    parts = []
    done = at
    for mark in marks:
        last = min(mark.end, until)
        parts += [_harmless(body[done : mark.start]), MATCH_START]
        parts += [_harmless(body[mark.start : last]), MATCH_END]
        done = last
    parts.append(_harmless(body[done:until]))
    return Passage(
        _framed("".join(parts), body, at, until),
        body.count("\n", 0, marks[0].start),
        heading_at(body, marks[0].start),
    )


def _unmarked(body: str, start: int, end: int) -> Passage:
    """The beginning of a part of a text: its first line that is no heading, else its first."""
    place = start
    for match in re.compile(r"\S[^\n]*").finditer(body, start, end):
        place = match.start()
        if not match[0].startswith(("#", "---")) and any(map(str.isalnum, match[0])):
            break
    until = min(end, place + 200)
    if until < end and " " in body[place:until]:
        until = place + body[place:until].rindex(" ")
    line = body.count("\n", 0, start)
    return Passage(
        _framed(_harmless(body[place:until]), body, place, until), line, heading_at(body, place)
    )


def _framed(excerpt: str, body: str, at: int, until: int) -> str:
    before = "… " if _LETTER.search(body, 0, at) else ""
    after = " …" if _LETTER.search(body, until, until + _AROUND) else ""
    return before + re.sub(r"\s+", " ", excerpt).strip() + after


def _harmless(text: str) -> str:
    return text.replace(MATCH_START, "").replace(MATCH_END, "")


def _plain(word: str) -> str:
    """A word without accents and case."""
    return word.casefold() if word.isascii() else _without_accents(word.casefold())


def _without_accents(text: str) -> str:
    import unicodedata

    return _ACCENTS.sub("", unicodedata.normalize("NFD", text))
