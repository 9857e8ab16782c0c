"""Searches as people make them, for ``bench.search_words``: drawn from the texts themselves.

Each sort has its own searches, made from a fixed seed. How common a word is follows from its rank
in the made-up language (see :mod:`bench.prose`): of 100,000 thoughts a common one is in some ten
thousand, a middle one in hundreds, a rare one in a few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from aimem_tui.model import Filter
from bench.prose import KINDS, Writer
from bench.words import FUNCTION_WORDS, TAGS, TEAM_WORDS

_MIDDLE = range(3_000, 12_000)
_RARE = range(45_000, 60_000)


@dataclass(frozen=True, slots=True)
class Question:
    """A search."""

    words: str
    wanted: Filter = field(default_factory=Filter)
    as_you_type: bool = False


def questions(each: int, texts: int) -> dict[str, list[Question]]:
    """For each sort of search so many of them, about the first ``texts`` texts."""
    writer = Writer()
    draw = Random("questions")
    makers: dict[str, Callable[[Random, Writer, int], str]] = {
        "one rare word": _rare,
        "one middling word": _middle,
        "one common word": _common,
        "two words": lambda *given: _together(*given, count=2),
        "four words": lambda *given: _together(*given, count=4),
        "two common words": _two_common,
        "exact words": _phrase,
        "a question": _question,
    }
    found = {
        sort: [Question(make(draw, writer, texts)) for _ in range(each)]
        for sort, make in makers.items()
    }
    found["filtered"] = [Question(_common(draw, writer, texts), _filter(draw)) for _ in range(each)]
    found["as one types"] = [
        Question(part, as_you_type=True)
        for _ in range(max(1, each // 6))
        for part in _typed(_two_common(draw, writer, texts))
    ]
    return found


def _rare(draw: Random, writer: Writer, _texts: int) -> str:
    return writer.words[draw.choice(_RARE)]


def _middle(draw: Random, writer: Writer, _texts: int) -> str:
    return writer.words[draw.choice(_MIDDLE)]


def _common(draw: Random, _writer: Writer, _texts: int) -> str:
    return draw.choice(TEAM_WORDS)


def _two_common(draw: Random, _writer: Writer, _texts: int) -> str:
    return " ".join(draw.sample(TEAM_WORDS, 2))


def _together(draw: Random, writer: Writer, texts: int, *, count: int) -> str:
    """Words of one text, half of them common ones."""
    words = sorted({word for word in _words(writer, draw.randrange(texts)) if len(word) > 3})
    rank = {word: place for place, word in enumerate(writer.words)}
    words.sort(key=lambda word: rank.get(word, len(rank)))
    half = max(1, len(words) // 2)
    chosen = draw.sample(words[:half], count // 2) + draw.sample(words[half:], count - count // 2)
    return " ".join(chosen)


def _phrase(draw: Random, writer: Writer, texts: int) -> str:
    words = _words(writer, draw.randrange(texts))
    at = draw.randrange(len(words) - 2)
    return f'"{words[at]} {words[at + 1]}"'


def _question(draw: Random, _writer: Writer, _texts: int) -> str:
    first, second, third = draw.sample(TEAM_WORDS, 3)
    return f"how does the {first} of a {second} {draw.choice(FUNCTION_WORDS)} {third}"


def _words(writer: Writer, number: int) -> list[str]:
    """The words of a text's longest paragraph."""
    paragraph = max(writer.text(number).body.split("\n\n"), key=len)
    return [word.strip(".,:?#-[]x`").lower() for word in paragraph.split() if word.isascii()]


def _filter(draw: Random) -> Filter:
    made: tuple[Callable[[], Filter], ...] = (
        lambda: Filter(kinds=(draw.choice(KINDS).removesuffix("s"),)),
        lambda: Filter(path=draw.choice(TEAM_WORDS[:20])),
        lambda: Filter(tags=(draw.choice(TAGS),)),
        lambda: Filter(status="draft"),
        lambda: Filter(author="ann"),
        lambda: Filter(since=1_720_000_000_000),
    )
    return draw.choice(made)()


def _typed(words: str) -> Iterator[str]:
    """A search, letter by letter."""
    return (words[:length] for length in range(1, len(words) + 1))
