"""A title and a summary out of a text's own words: nothing is made up.

- A title: the first heading that names more than a section, else the first sentence, cut at a
  clause where it is long.
- A summary: what the text says under ``Summary``, ``Overview``, ``TL;DR`` or the like; else the
  sentence or two that say most: that share the most telling words with the whole text, each word by
  its frequency, more where the title says it, and with a lead for what stands early (Luhn 1958;
  Nenkova and Vanderwende, "The impact of frequency on summarization", 2005).

Code, tables, lists of links and quoted figures are no sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from math import log
from typing import NamedTuple

from aimem_tui.markdown.describe import describe, title_from_name
from aimem_tui.markdown.frontmatter import properties, set_property, split
from aimem_tui.markdown.lines import line_end, split_lines
from aimem_tui.markdown.scan import plain_text
from aimem_tui.organize.tokens import body_of, is_telling, words_of
from crdt.textdiff import Splice

TITLE_LENGTH = 70
SUMMARY_LENGTH = 240
LONG = 200
"""Words from which on a text is worth a summary."""

_READ = 20_000
"""Characters of a text that are looked at."""

_SECTIONS = 60
"""Sentences that are weighed."""

_SENTENCE = 30
"""Characters of the shortest sentence that could sum a text up."""

_LEAD = 0.35
"""What standing first is worth beside the words; it wears off with the root of the place."""

_SUMMARY_HEADINGS = {
    "summary", "overview", "tl;dr", "tldr", "abstract", "executive summary", "in short",
    "conclusion", "description", "what", "purpose",
}  # fmt: skip
_SUMMARY_KEYS = ("summary", "description", "abstract")
_NOTHING_SAID = {
    "", "untitled", "new", "new note", "new thought", "new file", "note", "notes", "todo", "todos",
    "draft", "document", "title", "readme", "index", "plan", "research", "ideas", "misc", "stuff",
    "wip", "temp", "tmp", "scratch", "test",
}  # fmt: skip
_PREFIX = re.compile(
    r"(?:research|plan|implementation plan|note|notes|pr|ticket|decision|adr|rfc)\s*[:\-–]\s*", re.I
)
_FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_ATX = re.compile(r" {0,3}#[ \t]*([^\r\n]*)")
_ENTRY = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]{1,4}\][ \t]+)?")
_FIELD = re.compile(r"\*\*[^*]{1,30}\*\*:|\*\*[^*]{1,30}:\*\*|[A-Z][\w ]{1,20}: \S+$")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])[\"')\]]*(?:\s+(?=[\"'(\[`]*[^\sa-z])|(?<=[。！？]))")
_ABBREVIATED = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|Mr|Dr|No|approx)|\b[A-Z])\.$")
_CLAUSE = re.compile(r"(?:[,;:]| [-–—] | because | so that | which | where | when ).*", re.DOTALL)


class _Line(NamedTuple):
    text: str
    heading: str
    """The heading it stands under, folded."""
    is_entry: bool


def may_lack_title(path: str, title: str) -> bool:
    """Whether a thought that is called so is worth a look: see :func:`lacks_title`."""
    return title.rstrip(":. ").casefold() in _NOTHING_SAID or title == title_from_name(path)


def lacks_title(path: str, text: str) -> bool:
    """Whether nothing in a text says what it is called, or only says ``Notes`` or the like."""
    described = describe(path, text[:_READ])
    title = described.title.rstrip(":. ").casefold()
    if title in _NOTHING_SAID:
        return True
    if properties(text).get("title"):
        return False
    return (
        described.title == title_from_name(path)
        and not _says_much(described.title)
        and all(heading.text != described.title for heading in described.headings)
    )


def title_for(path: str, text: str) -> str:
    """A title for a text, at most :data:`TITLE_LENGTH` characters; empty if it says nothing."""
    described = describe(path, text[:_READ])
    for heading in described.headings:
        named = _PREFIX.sub("", heading.text).strip(" :.")
        if named.casefold() not in _NOTHING_SAID | _SUMMARY_HEADINGS and _says_much(named):
            return _cut(named, TITLE_LENGTH)
    for sentence in _sentences(body_of(text)[:_READ]):
        written = sentence.text.strip(" .:;!?")
        if len(written) > TITLE_LENGTH:
            written = _CLAUSE.sub("", written, count=1) or written
        if _says_much(written):
            return _cut(written[:1].upper() + written[1:], TITLE_LENGTH)
    return ""


def titled(path: str, text: str, title: str) -> list[Splice]:
    """The edit that gives a text a title, where it says it: property, heading, or a new heading."""
    if properties(text).get("title"):
        return set_property(text, "title", title)
    block = split(text)
    start = block.end if block else int(text.startswith("\ufeff"))
    present = describe(path, text)
    first = next(iter(present.headings), None)
    if first is not None and first.level == 1 and first.text == present.title:
        at = sum(len(line) for line in _LINES.findall(text)[: first.line])
        line = _ATX.match(text, at)
        if line is not None:
            return [Splice(line.start(1), line.end(1), title)]
    eol = line_end(text)
    gap = eol if text[start : start + 1] not in ("", "\r", "\n") else ""
    return [Splice(start, start, f"# {title}{eol}{gap}")]


def has_summary(text: str) -> bool:
    """Whether a text's properties hold a summary."""
    found = {key.casefold() for key in properties(text)}
    return not found.isdisjoint(_SUMMARY_KEYS)


def summary_for(title: str, text: str) -> str:
    """A text in one or two of its sentences, at most :data:`SUMMARY_LENGTH` characters.

    Empty if it has none. A sentence that is too long is cut between words.
    """
    sentences = list(_sentences(body_of(text)[:_READ]))[:_SECTIONS]
    whole = [each for each in sentences if not each.text.endswith(":")]
    told = [each for each in whole if each.heading in _SUMMARY_HEADINGS and not each.is_entry]
    if told:
        return _joined([each.text for each in told])
    prose = [each for each in whole if not each.is_entry and len(each.text) >= _SENTENCE]
    if not prose:
        prose = [each for each in sentences if len(each.text) >= _SENTENCE]
    if not prose:
        return ""
    best = _ranked(title, [each.text for each in prose])
    chosen = [best[0]]
    # A second one only if it fits and says something else.
    for at in best[1:4]:
        together = len(prose[best[0]].text) + len(prose[at].text) + 1
        if together <= SUMMARY_LENGTH and abs(at - best[0]) <= 3:
            chosen.append(at)
            break
    return _joined([prose[at].text for at in sorted(chosen)])


def _ranked(title: str, sentences: Sequence[str]) -> list[int]:
    """The places of sentences, the one that says most first."""
    spoken = [[word for word in words_of(each) if is_telling(word)] for each in sentences]
    counts = Counter(word for words in spoken for word in words)
    named = set(words_of(title))
    weights = {
        word: log(1 + count) * (2.0 if word in named else 1.0) for word, count in counts.items()
    }
    top = max(weights.values(), default=1.0)
    scores = []
    for at, words in enumerate(spoken):
        # Long sentences hold more words; to divide by their number alone favours stumps.
        said = sum(weights[word] for word in set(words)) / (top * (len(set(words)) + 6))
        scores.append((-(said + _LEAD / (1 + at) ** 0.5), at))
    return [at for _, at in sorted(scores)]


def _sentences(body: str) -> Iterator[_Line]:
    """What a text says in sentences, with the heading each stands under."""
    heading = ""
    paragraph: list[str] = []
    entry = False
    for line in [*_prose_lines(body), ""]:
        opened = _HEADING.match(line)
        begins = _ENTRY.match(line)
        if not line.strip() or opened or begins:
            yield from _cut_up(paragraph, heading, entry)
            paragraph, entry = [], False
        if opened:
            heading = plain_text(opened[2]).strip("# :").casefold()
        elif begins:
            paragraph, entry = [line[begins.end() :]], True
        elif line.strip():
            paragraph.append(line)


def _prose_lines(body: str) -> Iterator[str]:
    """Lines outside of code, tables and fields."""
    inside = False
    for line in split_lines(body):
        if _FENCE.match(line):
            inside = not inside
            yield ""
        elif not inside:
            bare = line.strip()
            skipped = bare.startswith(("|", ">", "<", "![", "[")) or _FIELD.match(bare)
            yield "" if skipped else line


def _cut_up(paragraph: Sequence[str], heading: str, is_entry: bool) -> Iterator[_Line]:
    text = plain_text(" ".join(paragraph))
    begun = ""
    for piece in _SENTENCE_END.split(text):
        begun = f"{begun} {piece}".strip()
        if begun and not _ABBREVIATED.search(begun):
            yield _Line(begun, heading, is_entry)
            begun = ""
    if begun:
        yield _Line(begun, heading, is_entry)


def _joined(sentences: Sequence[str]) -> str:
    """As many whole sentences as fit; the first one cut if even that does not."""
    text = sentences[0]
    for sentence in sentences[1:]:
        if len(text) + len(sentence) + 1 > SUMMARY_LENGTH:
            break
        text = f"{text} {sentence}"
    return _cut(text, SUMMARY_LENGTH)


def _cut(text: str, length: int) -> str:
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    shorter = text[: length - 1].rpartition(" ")[0] or text[: length - 1]
    return shorter.rstrip(" ,;:-–—(") + "…"


def _says_much(text: str) -> bool:
    return sum(is_telling(word) for word in words_of(text)) >= 2
