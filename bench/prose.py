"""Markdown that nobody wrote, with the statistics of text that somebody did.

- Words follow Zipf's law (the word of rank r comes about 1/r as often as the first), which is what
  makes some searches match half of all thoughts and others few. The first ranks are English
  function words, then come words of software teams, then made-up ones. Names that occur once or
  twice in all (tickets, commits, identifiers) are strewn in.
- A text has a topic: some rarer words that come again and again in it, so that words of a topic are
  found together. Lengths are log-normal: mostly notes, some long documents.
- The same seed gives the same text on every machine and Python.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random

from bench.words import AUTHORS, FUNCTION_WORDS, TAGS, TEAM_WORDS

KINDS = ("plans", "research", "decisions", "prs", "tickets", "notes", "memory")
STATUSES = ("draft", "in progress", "in review", "done", "done", "implemented", "superseded")
START = datetime(2024, 1, 1, tzinfo=UTC)

_CONSONANTS = "b br c d dr f g gr h j k l m n p pr r s st t tr v w z"
_VOCABULARY = 60_000
_EXPONENT = 1.05
_ODD_NAMES = 0.015
_TOPICS = 600
_TOPIC_WORDS = 40
_TOPIC_SHARE = 0.12
_MEDIAN_BYTES = 1_600
_SPREAD = 1.1
_MOST_BYTES = 120_000
_MINUTES_APART = 9


@dataclass(frozen=True, slots=True)
class Text:
    """A made-up thought."""

    path: str
    body: str
    author: str
    at: int
    """When it was written, milliseconds since the Unix epoch."""


class Writer:
    """Makes texts; the n-th is the same for every writer of a seed.

    Args:
        seed: which of all possible corpora.
    """

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed
        draw = Random(f"words {seed}")
        self.words = _vocabulary(draw)
        """All words, the most frequent first."""
        self._weights = list(
            accumulate((rank + 2.7) ** -_EXPONENT for rank in range(len(self.words)))
        )
        rarer = range(len(FUNCTION_WORDS) + len(TEAM_WORDS) // 2, len(self.words))
        # Evenly over the logarithm of the rank: a topic has some known words and many odd ones.
        self.topics = [
            [self.words[_log_uniform(draw, rarer)] for _ in range(_TOPIC_WORDS)]
            for _ in range(_TOPICS)
        ]
        """For each topic its words."""

    def text(self, number: int) -> Text:
        """The text of a number, from 0."""
        draw = Random(f"text {self._seed} {number}")
        topic = self.topics[min(int(draw.expovariate(3 / _TOPICS)), _TOPICS - 1)]
        at = START + timedelta(minutes=number * _MINUTES_APART)
        title = " ".join(self._title_word(draw, topic) for _ in range(draw.randint(2, 5)))
        author = draw.choice(AUTHORS)
        size = min(int(draw.lognormvariate(math.log(_MEDIAN_BYTES), _SPREAD)) + 200, _MOST_BYTES)
        body = self._body(draw, topic, title.capitalize(), at, author, size)
        path = _path(draw, number, title, at)
        return Text(path, body, author, int(at.timestamp() * 1000))

    def sentence(self, draw: Random, topic: list[str]) -> str:
        """One sentence on a topic."""
        count = draw.randint(5, 22)
        words = draw.choices(self.words, cum_weights=self._weights, k=count)
        for at in range(count):
            kind = draw.random()
            if kind < _TOPIC_SHARE:
                words[at] = draw.choice(topic)
            elif kind > 1 - _ODD_NAMES:
                words[at] = self._odd_name(draw, topic)
        words[0] = words[0].capitalize()
        if count > 12:
            words[count // 2] += ","
        return " ".join(words) + draw.choice("......?:")

    def _title_word(self, draw: Random, topic: list[str]) -> str:
        if draw.random() < 0.6:
            return draw.choice(topic)
        return TEAM_WORDS[min(int(draw.paretovariate(0.4)), len(TEAM_WORDS)) - 1]

    def _odd_name(self, draw: Random, topic: list[str]) -> str:
        kind = draw.random()
        if kind < 0.3:
            return f"ENG-{draw.randrange(30_000)}"
        if kind < 0.5:
            return f"{draw.getrandbits(28):07x}"
        return f"`{draw.choice(topic)}_{draw.choice(self.words[:2_000])}_{draw.choice(topic)}`"

    def _body(
        self, draw: Random, topic: list[str], title: str, at: datetime, author: str, size: int
    ) -> str:
        parts = []
        if draw.random() < 0.6:
            tags = ", ".join(draw.sample(TAGS, draw.randint(1, 3)))
            parts.append(
                f"---\ndate: {at:%Y-%m-%d}\nauthor: {author}\nstatus: {draw.choice(STATUSES)}\n"
                f"tags: [{tags}]\n---"
            )
        parts.append(f"# {title}")
        length = sum(map(len, parts))
        while length < size:
            part = self._block(draw, topic)
            parts.append(part)
            length += len(part) + 2
        return "\n\n".join(parts) + "\n"

    def _block(self, draw: Random, topic: list[str]) -> str:
        kind = draw.random()
        if kind < 0.14:
            return "## " + self.sentence(draw, topic)[:60].rstrip(".,:? ")
        if kind < 0.30:
            marks = draw.choice(("- ", "- ", "- [ ] ", "- [x] "))
            return "\n".join(marks + self.sentence(draw, topic) for _ in range(draw.randint(2, 6)))
        if kind < 0.36:
            lines = (
                f"{draw.choice(topic)} = {draw.choice(topic)}({draw.choice(self.words[:400])!r})"
                for _ in range(draw.randint(2, 8))
            )
            return "```python\n" + "\n".join(lines) + "\n```"
        if kind < 0.42:
            return f"See [{draw.choice(topic)}](../{draw.choice(KINDS)}/{draw.choice(topic)}.md)."
        return " ".join(self.sentence(draw, topic) for _ in range(draw.randint(1, 6)))


def markdown(size: int, seed: int = 1) -> str:
    """One made-up document of about ``size`` bytes."""
    writer = Writer(seed)
    parts: list[str] = []
    number = length = 0
    while length < size:
        parts.append(writer.text(number).body)
        length += len(parts[-1])
        number += 1
    whole = "".join(parts)[:size]
    return whole[: whole.rfind("\n") + 1]


def _path(draw: Random, number: int, title: str, at: datetime) -> str:
    name = "-".join(title.lower().split()) + f"-{number}"
    place = draw.random()
    if place < 0.04:
        return f"inbox/{name}.md"
    if place < 0.0405:
        return f"{name}.md"
    kind = draw.choice(KINDS)
    project = TEAM_WORDS[int(draw.paretovariate(0.6)) % 40]
    if kind == "memory":
        return f"{project}/memory/{name}.md"
    return f"{project}/{kind}/{at:%Y-%m-%d}-{name}.md"


def _vocabulary(draw: Random) -> list[str]:
    known = dict.fromkeys((*FUNCTION_WORDS, *TEAM_WORDS))
    heads = [consonant + vowel for consonant in _CONSONANTS.split() for vowel in "aeiou"]
    tails = ("", "n", "r", "s", "l", "t", "x", "nd", "rk", "m")
    while len(known) < _VOCABULARY:
        syllables = "".join(draw.choice(heads) for _ in range(draw.choice((2, 2, 3, 3, 4))))
        known.setdefault(syllables + draw.choice(tails))
    return list(known)


def _log_uniform(draw: Random, among: range) -> int:
    return int(math.exp(draw.uniform(math.log(among.start), math.log(among.stop))))
