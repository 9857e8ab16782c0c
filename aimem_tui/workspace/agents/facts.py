"""What facts say, compared: whether a text says one already, and what of it comes nearest.

- A text says a fact if a paragraph, entry or sentence of it has the same words in the same order;
  articles, plurals, case, emphasis and the signs around words do not count. Nothing less counts as
  the same, because what is dropped wrongly is lost: one word more may be the one that matters.
- Nearness by meaning is no help in this. Facts that contradict each other are nearer (a cosine of
  0.91 for two ports, 0.92 for *use* and *do not use*) than one fact in other words (0.76 to 0.92).
- A fact of several sentences is known if one thought says them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aimem_tui.markdown import frontmatter
from aimem_tui.markdown.lines import lines_between
from aimem_tui.markdown.scan import plain_text
from aimem_tui.organize.tokens import is_telling, words_of

_ARTICLES = frozenset(("a", "an", "the"))
_AROUND, _BEHIND = "\"'()[]“”‘’«»„", ".,;:!?…。！？，；："
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
_ITEM = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]{1,4}\][ \t]+)?|[ \t]*\|")
_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]|\Z)")
_MARKS = re.compile(r"^[ \t>]+")
_LIKE = 0.5


@dataclass(frozen=True, slots=True)
class Statement:
    """A paragraph or entry of a text, as it reads."""

    line: int
    """In which it begins, from 1."""
    text: str


def statements(text: str) -> Iterator[Statement]:
    """The paragraphs and entries of a text, without frontmatter and headings."""
    block = frontmatter.split(text)
    gathered: list[str] = []
    began = 0
    for number, line in enumerate(lines_between(text, 0, len(text)), 1):
        if block is not None and line.start < block.end:
            continue
        heading = _HEADING.match(line.text) is not None
        item = _ITEM.match(line.text)
        if gathered and (heading or item is not None or not line.text.strip()):
            yield Statement(began, plain_text(" ".join(gathered)))
            gathered = []
        words = line.text[item.end() :] if item is not None else _MARKS.sub("", line.text)
        if words.strip() and not heading:
            began = began if gathered else number
            gathered.append(words.strip())
    if gathered:
        yield Statement(began, plain_text(" ".join(gathered)))


def where_said(text: str, fact: str) -> Statement | None:
    """The statement of a text that says a fact, or its first sentence where all are said; or None.

    Takes time in proportion to the text.
    """
    wanted = [words for each in _SENTENCE.split(fact) if (words := _telling(each))]
    if not wanted:
        return None
    there = list(statements(text))
    first = None
    for words in wanted:
        saying = next((each for each in there if _says(each.text, words)), None)
        if saying is None:
            return None
        first = first or saying
    return first


def nearest(text: str, fact: str) -> tuple[float, Statement] | None:
    """The statement that shares most of its words with a fact, and what share; None if few do."""
    wanted = set(_telling(fact))
    best: tuple[float, Statement] | None = None
    for each in statements(text):
        words = set(_telling(each.text))
        together = len(wanted | words)
        share = len(wanted & words) / together if together else 0.0
        if share >= _LIKE and (best is None or share > best[0]):
            best = share, each
    return best


def topic_words(text: str) -> list[str]:
    """The words that say what a fact is about, in their order, each once, as they are written."""
    return list(dict.fromkeys(word for word in words_of(text) if is_telling(word)))


def shared_words(text: str, fact: str) -> float:
    """Which share of a fact's telling words stands in a text, from 0 to 1."""
    wanted = {_stem(word) for word in topic_words(fact)}
    there = {_stem(word) for word in words_of(text)}
    return len(wanted & there) / len(wanted) if wanted else 0.0


def _says(statement: str, wanted: Sequence[str]) -> bool:
    return any(_telling(text) == wanted for text in (statement, *_SENTENCE.split(statement)))


def _telling(text: str) -> list[str]:
    """The words of a text as they are compared; signs within words, or alone, are part of it."""
    words = [_bare(word) for word in plain_text(text).casefold().split()]
    return [_stem(word) for word in words if word not in _ARTICLES] or words


def _bare(word: str) -> str:
    return word.strip(_AROUND).rstrip(_BEHIND + _AROUND) or word


def _stem(word: str) -> str:
    """A word without the end of a plural."""
    if len(word) < 4 or not word.isalpha() or not word.endswith("s") or word.endswith("ss"):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") else word[:-1]
