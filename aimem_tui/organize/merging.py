"""One text out of two that say much the same: what both say once, what only the other says added.

Two texts without a common ancestor cannot be merged line by line without guessing which line
replaced which. So nothing of the kept text is taken away, and nothing of the other is dropped but
what is there already:

- Both are cut into blocks: headings, paragraphs, list entries, rows of tables, code with its
  fences. Blocks are the same if they are once spaces, case and list marks count as equal; code must
  be the same line for line. What stands anywhere in the kept text is not added again.
- A block of several words that lies whole within one of the kept text's is there; one that holds
  whole a block of the kept text that stands in its place replaces it. Where both have a task, it is
  done if it is done in one.
- What is left goes where it belongs: behind the twin that it differs from, else behind what stands
  before it in the other text, and before the kept text's next heading.
- Tags are united and properties that only the other has are added. The other's title, and its
  values of properties that both have, are left out and named.

Merging the same text in again changes nothing.
"""

from __future__ import annotations

import re
from bisect import bisect, insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate
from typing import NamedTuple

from aimem_tui.errors import BadInput
from aimem_tui.markdown import frontmatter
from aimem_tui.markdown.lines import line_end
from aimem_tui.markdown.scan import MARK
from crdt.matching import Allowance, gaps
from crdt.textdiff import apply

_STEPS = 20_000_000
_TWINS = 0.5
"""Share of words from which on two blocks are two wordings of one thing."""

_COMPARED = 200
"""Blocks of a gap that are looked at for a twin."""

_COMPARISONS = 50_000
"""So many of them in all: what is left then is taken for new."""

_CHARACTERS = 500_000_000
"""So many characters at most are looked through for blocks that hold others."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_FENCE = re.compile(r"[ \t]*(?:>[ \t]*)*(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}(?=[ \t]|$)")
_ENTRY = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?=[ \t]|$)")
_BOX = re.compile(r"([ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\[)(" + MARK + r")(?=\])")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*")


class Merged(NamedTuple):
    """One text out of two."""

    text: str
    added: int
    """Blocks and properties of the other that were not there."""
    left_out: tuple[str, ...]
    """What of the other is not in the text, each as a few words."""


class _Kind(Enum):
    HEADING = "heading"
    ENTRY = "entry"
    ROW = "row"
    CODE = "code"
    PROSE = "prose"


_CLOSE = (_Kind.ENTRY, _Kind.ROW)


class _Draft:
    """A block while its lines are read."""

    __slots__ = ("blank", "kind", "lines")

    def __init__(self, kind: _Kind, lines: list[str], blank: list[str]) -> None:
        self.kind, self.lines, self.blank = kind, lines, blank


@dataclass(slots=True)
class _Block:
    kind: _Kind
    text: str
    """Whole lines; only the last of a text may lack its end."""
    blank: str
    """The blank lines after it."""
    added: bool = False

    @property
    def key(self) -> str:
        """What makes two blocks the same."""
        if self.kind is _Kind.CODE:
            lines = [line.rstrip() for line in self.text.strip().splitlines()]
            return "\n".join(lines[:-1] if _is_closed(self.text) else lines).rstrip()
        text = self.text
        if self.kind is _Kind.HEADING:
            text = text.strip().strip("#")
        elif self.kind is _Kind.ENTRY:
            text = _BOX.sub(r"\1 ", text, count=1)
            text = _ENTRY.sub("", text, count=1)
        return f"{self.kind.value} {' '.join(text.split()).casefold()}"


def merge(kept: str, other: str) -> Merged:
    """The kept text with what only the other says. Takes time in proportion to both."""
    body, other_body = _body(kept), _body(other)
    eol = line_end(kept) if re.search(r"[\r\n]", kept) else line_end(other)
    start, blocks = _blocks(body)
    _, theirs = _blocks(re.sub(r"\r\n|\r|\n", eol, other_body))
    placed, added, left_out = _placed(blocks, theirs)
    text = kept[: len(kept) - len(body)] + start + _written(placed, eol)
    text, properties, conflicts = _with_properties(text, kept, other)
    return Merged(text, added + properties, (*left_out, *conflicts))


def _body(text: str) -> str:
    block = frontmatter.split(text)
    return text[block.end :] if block else text.removeprefix("\ufeff")


def _blocks(body: str) -> tuple[str, list[_Block]]:
    """The blank lines that a text begins with, and its blocks."""
    drafts: list[_Draft] = []
    start: list[str] = []
    fence = ""
    for line in _LINE.findall(body):
        last = drafts[-1] if drafts else None
        if fence and last is not None:
            last.lines += [*last.blank, line]
            last.blank.clear()
            closing = _FENCE.match(line)
            if closing and closing[1].startswith(fence) and not line[closing.end() :].strip():
                fence = ""
        elif not line.strip():
            (start if last is None else last.blank).append(line)
        else:
            open_one = last if last is not None and not last.blank else None
            kind = _kind(line, open_one)
            if kind is None:
                assert open_one is not None, "only an open block goes on"
                open_one.lines.append(line)
                if open_one.kind is _Kind.PROSE and _UNDERLINE.fullmatch(line.rstrip("\r\n")):
                    open_one.kind = _Kind.HEADING
                continue
            if kind is _Kind.CODE and (opening := _FENCE.match(line)):
                fence = opening[1]
            drafts.append(_Draft(kind, [line], []))
    blocks = [_Block(each.kind, "".join(each.lines), "".join(each.blank)) for each in drafts]
    return "".join(start), blocks


def _kind(line: str, open_one: _Draft | None) -> _Kind | None:
    """What a line begins; None if it goes on with the block before it."""
    if _FENCE.match(line):
        return _Kind.CODE
    if _HEADING.match(line):
        return _Kind.HEADING
    if line.lstrip().startswith("|"):
        return _Kind.ROW
    going_on = open_one is not None and open_one.kind in (_Kind.PROSE, _Kind.ENTRY)
    underlines = open_one is not None and open_one.kind is _Kind.PROSE
    if underlines and _UNDERLINE.fullmatch(line.rstrip("\r\n")):
        return None
    if _ENTRY.match(line):
        return _Kind.ENTRY
    return None if going_on else _Kind.PROSE


def _placed(kept: list[_Block], theirs: list[_Block]) -> tuple[list[_Block], int, tuple[str, ...]]:
    """All blocks in their order, how many were added or grew, and what was left out."""
    keys = [block.key for block in kept]
    their_keys = [block.key for block in theirs]
    twins = _aligned(keys, their_keys)
    where: defaultdict[str, list[int]] = defaultdict(list)
    for at, key in enumerate(keys):
        where[key].append(at)
    relations = _relations(kept, keys, theirs, their_keys, twins, where)
    title = next((at for at, block in enumerate(kept) if _is_title(block)), None)
    behind: defaultdict[int, list[_Block]] = defaultdict(list)
    added, left_out, titled = 0, list[str](), False
    grown: set[int] = set()
    done = {key for key, block in zip(keys, kept, strict=True) if _is_done(block)}
    # What comes before all that both have stands below the title nevertheless.
    anchor = 0 if title == 0 else -1
    new: dict[str, _Block] = {}
    for at, block in enumerate(theirs):
        key = their_keys[at]
        if not titled and _is_title(block):
            titled = True
            if title is not None and key not in where:
                left_out.append(f"the title {_heading_text(block)}")
                anchor = title
                continue
        same = twins[at].same
        if same is None and key in where:
            same = _closest(where[key], anchor)
        if same is not None:
            if key not in done and _tick(kept[same], block):
                done.add(key)
                added += 1
            anchor = same
            continue
        if key in new:
            _tick(new[key], block)
            continue
        related = relations[at]
        if related.how is _How.WITHIN:
            anchor = related.place
        elif related.how is _How.AROUND and related.place not in grown:
            was_done = _is_done(kept[related.place])
            kept[related.place].text = block.text
            if was_done:
                kept[related.place].text = _BOX.sub(r"\1x", block.text, count=1)
            if _is_done(kept[related.place]):
                done.add(key)
            grown.add(related.place)
            insort(where[key], related.place)
            added += 1
            anchor = related.place
        else:
            new[key] = _Block(block.kind, block.text, block.blank, added=True)
            added += 1
            if related.how is _How.NOT:
                anchor = _last_of_gap(kept, anchor, block, twins[at], related.place)
                behind[anchor].append(new[key])
            else:
                behind[related.place].append(new[key])
                anchor = related.place
    placed = list(behind[-1])
    for at, block in enumerate(kept):
        placed += [block, *behind[at]]
    return placed, added, tuple(left_out)


class _Twin(NamedTuple):
    """Where a block of the other text stands in the kept one."""

    same: int | None
    """The block that is the same, in the same order."""
    start: int
    """Else the stretch of the kept text that stands where it would."""
    end: int


def _aligned(keys: Sequence[str], theirs: Sequence[str]) -> list[_Twin]:
    found: list[_Twin] = []
    old = 0
    ranges = gaps(keys, theirs, Allowance(_STEPS))
    for gap in ranges:
        while len(found) < gap.new:
            found.append(_Twin(old, old, old))
            old += 1
        found += [_Twin(None, gap.old, gap.old_end)] * (gap.new_end - gap.new)
        old = gap.old_end
    while len(found) < len(theirs):
        found.append(_Twin(old, old, old))
        old += 1
    return found


def _closest(places: Sequence[int], anchor: int) -> int:
    """Of ascending places the one nearest to another."""
    at = bisect(places, anchor)
    return min(places[max(0, at - 1) : at + 1], key=lambda place: abs(place - anchor))


class _Texts:
    """Finds a block that another one lies within, wherever it is.

    Looks through all of them each time, and so only for a text or a number of blocks that people
    write: what that takes is counted.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._whole = "\n".join(f"{key} " for key in keys)
        self._starts = list(accumulate((len(key) + 2 for key in keys), initial=0))
        self._allowance = Allowance(_CHARACTERS)

    def holding(self, key: str) -> int:
        """The place of the first block of that kind with these words in this order; else -1."""
        kind, _, words = key.partition(" ")
        if kind in (_Kind.CODE.value, _Kind.HEADING.value) or not _says_something(key):
            return -1
        at = -1
        while self._allowance.take(len(self._whole)):
            at = self._whole.find(f" {words} ", at + 1)
            if at < 0:
                return -1
            place = bisect(self._starts, at) - 1
            if self._whole.startswith(f"{kind} ", self._starts[place]):
                return place
        return -1


class _How(Enum):
    WITHIN = "within"
    AROUND = "around"
    TWIN = "twin"
    NOT = "not"


class _Relation(NamedTuple):
    """The kept block that a new one lies within, goes around or words differently.

    Where there is none, ``place`` is that of the next block of the gap that is some such block's.
    """

    how: _How
    place: int


def _relations(
    kept: Sequence[_Block],
    keys: Sequence[str],
    theirs: Sequence[_Block],
    their_keys: Sequence[str],
    twins: Sequence[_Twin],
    where: Mapping[str, Sequence[int]],
) -> list[_Relation]:
    """For each block of the other text its relation; within a gap none goes back."""
    allowance = Allowance(_COMPARISONS)
    kept_texts = _Texts(keys)
    found: list[_Relation] = []
    last = gap = -1
    for at, block in enumerate(theirs):
        twin = twins[at]
        if twin.start != gap:
            gap, last = twin.start, twin.start
        if twin.same is not None or their_keys[at] in where:
            found.append(_Relation(_How.NOT, twin.end))
            continue
        relation = _relation(kept, keys, their_keys[at], block, range(last, twin.end), allowance)
        if relation.how is not _How.WITHIN and (place := kept_texts.holding(their_keys[at])) >= 0:
            found.append(_Relation(_How.WITHIN, place))
            continue
        if relation.how is not _How.NOT:
            last = relation.place
        found.append(relation)
    upcoming, gap = -1, -1
    for at in range(len(theirs) - 1, -1, -1):
        twin = twins[at]
        if twin.start != gap:
            gap, upcoming = twin.start, twin.end
        if found[at].how is _How.NOT:
            found[at] = _Relation(_How.NOT, upcoming)
        else:
            upcoming = found[at].place
    return found


def _relation(
    kept: Sequence[_Block],
    keys: Sequence[str],
    key: str,
    block: _Block,
    places: range,
    allowance: Allowance,
) -> _Relation:
    if block.kind in (_Kind.CODE, _Kind.HEADING):
        return _Relation(_How.NOT, -1)
    words = set(key.split())
    best, twin = 0.0, -1
    for at in places[:_COMPARED]:
        if kept[at].kind is not block.kind or not allowance.take(1):
            continue
        one, other = f" {key.partition(' ')[2]} ", f" {keys[at].partition(' ')[2]} "
        if one in other and _says_something(key):
            return _Relation(_How.WITHIN, at)
        if other in one:
            return _Relation(_How.AROUND, at)
        present = set(keys[at].split())
        share = len(words & present) / len(words | present)
        if share > best:
            best, twin = share, at
    return _Relation(_How.TWIN, twin) if best >= _TWINS else _Relation(_How.NOT, -1)


def _says_something(key: str) -> bool:
    """Whether a block is more than a word, which may stand in any other by chance."""
    return " " in key.partition(" ")[2]


def _last_of_gap(
    kept: Sequence[_Block], anchor: int, block: _Block, twin: _Twin, before: int
) -> int:
    """Behind what a new block goes: what only the kept text has there, up to its next heading.

    A new heading does not part a heading of the kept text from those below it, and nothing goes
    behind the kept block that stands for a later one.
    """
    if anchor + 1 != twin.start or (anchor < 0 and _is_title(block)):
        return anchor
    level = _level(block) if block.kind is _Kind.HEADING else 7
    place = anchor
    while place + 1 < min(twin.end, before) and not 0 < _level(kept[place + 1]) <= level:
        place += 1
    return place


def _level(block: _Block) -> int:
    """Of a heading, 1 to 6; 0 for all else."""
    if block.kind is not _Kind.HEADING:
        return 0
    written = block.text.lstrip()
    if written.startswith("#"):
        return len(written) - len(written.lstrip("#"))
    return 1 if written.rstrip().endswith("=") else 2


def _is_done(block: _Block) -> bool:
    box = _BOX.match(block.text)
    return box is not None and bool(box[2].strip())


def _tick(kept: _Block, other: _Block) -> int:
    """Take over that a task is done; returns how many were."""
    done = _BOX.match(other.text)
    open_one = _BOX.match(kept.text)
    if done is None or open_one is None or not done[2].strip() or open_one[2].strip():
        return 0
    kept.text = _BOX.sub(r"\1x", kept.text, count=1)
    return 1


def _is_title(block: _Block) -> bool:
    return _level(block) == 1


def _heading_text(block: _Block) -> str:
    lines = block.text.strip().splitlines()
    return " ".join(" ".join(lines if len(lines) == 1 else lines[:-1]).strip("# ").split())


def _is_closed(code: str) -> bool:
    """Whether a block of code ends with a fence of its own."""
    lines = code.strip().splitlines()
    opening, closing = _FENCE.match(lines[0]), _FENCE.match(lines[-1])
    return (
        len(lines) > 1
        and opening is not None
        and closing is not None
        and closing[1].startswith(opening[1])
        and not lines[-1][closing.end() :].strip()
    )


def _written(blocks: Sequence[_Block], eol: str) -> str:
    parts: list[str] = []
    for at, block in enumerate(blocks):
        following = blocks[at + 1] if at + 1 < len(blocks) else None
        ended = block.text.endswith(("\n", "\r"))
        parts.append(block.text)
        if not ended and (following is not None or block.added):
            parts.append(eol)
        if following is None:
            parts.append("" if block.added else block.blank)
        elif not (block.added or following.added):
            parts.append(block.blank)
        else:
            if block.kind is _Kind.CODE and not _is_closed(block.text):
                opening = _FENCE.match(block.text)
                parts.append(f"{opening[0] if opening else ''}{eol}")
            close = block.kind is following.kind and block.kind in _CLOSE
            parts.append("" if close else eol)
    return "".join(parts)


def _with_properties(text: str, kept: str, other: str) -> tuple[str, int, tuple[str, ...]]:
    """The text with the other's tags and properties, how many came, and what was left out."""
    own, theirs = frontmatter.properties(kept), frontmatter.properties(other)
    own_keys = {key.casefold() for key in own}
    left_out: list[str] = []
    added = 0
    missing = [tag for tag in frontmatter.tags_of(theirs) if tag not in frontmatter.tags_of(own)]
    if missing:
        try:
            text = apply(text, frontmatter.add_tags(text, missing))
            added += len(missing)
        except BadInput:
            left_out.append(f"the tags {', '.join(missing)}")
    for key, value in theirs.items():
        if key in frontmatter.TAG_KEYS or own.get(key) == value:
            continue
        written = value if isinstance(value, str) else ", ".join(value)
        if key.casefold() in own_keys or "\n" in written or "\r" in written:
            left_out.append(f"{key}: {' '.join(written.split())[:80]}")
            continue
        try:
            text = apply(text, frontmatter.set_property(text, key, value))
            added += 1
        except BadInput:
            left_out.append(f"{key}: {' '.join(written.split())[:80]}")
    return text, added, tuple(left_out)
