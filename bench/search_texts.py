"""Thoughts made from real notes, as many as are wanted, and searches for them.

- A thought is a real note with a fifth of its words replaced by words of all the notes, drawn as
  often as they come there, with names that nothing else has strewn in, and with frontmatter, a
  date, an author and a path of its own. So no two passages are alike, how common each word is stays
  as it is in what people write, and who has a note's vector has one that suits what was made of it.
- The notes are those of ``shared/data``; where there are none, made-up ones (:mod:`bench.prose`).
- The same number gives the same thought on every machine that has the same notes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from random import Random

from aimem_tui.markdown import chunks
from bench.cache import shared_data
from bench.prose import KINDS, START, STATUSES, Text, Writer
from bench.words import AUTHORS, TAGS, TEAM_WORDS

_EVERY = 2
"""One of so many notes is used: a thousand are enough to vary."""
_MADE_UP = 300
_LONGEST = 60_000
_REPLACED = 0.2
_NAMES = 0.01
_MINUTES_APART = 9
_NUMBER = re.compile(r" \(ENG-(\d+)\)$")
_WORD = re.compile(r"\b[a-z]{4,}\b")


@dataclass(frozen=True, slots=True)
class Note:
    """What thoughts are made of."""

    title: str
    body: str


class Notes:
    """The real notes, and thoughts made of them.

    Args:
        most: use only so many notes.
    """

    def __init__(self, most: int | None = None) -> None:
        self.real = list(_real()) or list(_made_up())
        # Short notes and long documents mixed, so that any beginning of the list is like the whole.
        Random("notes").shuffle(self.real)
        self.real = self.real[:most]

    @cached_property
    def words(self) -> list[str]:
        """Every word of the notes, as often as it comes."""
        return [word for note in self.real for word in _WORD.findall(note.body.lower())]

    @cached_property
    def known(self) -> list[str]:
        """Every word of the notes once, the commonest first."""
        return [word for word, _ in Counter(self.words).most_common()]

    def number_of(self, title: str) -> int | None:
        """The number of the thought with this title; None if it was not made here."""
        found = _NUMBER.search(title)
        return None if found is None else int(found[1])

    def text(self, number: int) -> Text:
        """The thought of a number, from 0."""
        draw = Random(f"search {number}")
        note = self.real[number % len(self.real)]
        title = f"{note.title} (ENG-{number})"
        at = START + timedelta(minutes=number * _MINUTES_APART)
        author, kind = draw.choice(AUTHORS), draw.choice(KINDS)
        head = ""
        if draw.random() < 0.6:
            tags = ", ".join(draw.sample(TAGS, draw.randint(1, 3)))
            head = (
                f"---\ndate: {at:%Y-%m-%d}\nauthor: {author}\nstatus: {draw.choice(STATUSES)}\n"
                f"tags: [{tags}]\n---\n"
            )
        project = TEAM_WORDS[int(draw.paretovariate(0.6)) % 40]
        name = "-".join(re.findall(r"[a-z0-9]+", note.title.lower()))[:60]
        body = f"{head}# {title}\n\n{self._varied(draw, note.body)}\n"
        path = f"{project}/{kind}/{at:%Y-%m-%d}-{name}-{number}.md"
        return Text(path, body, author, int(at.timestamp() * 1000))

    def texts(self, passages: int) -> Iterator[Text]:
        """Thoughts that have about so many passages together."""
        sample = [self.text(number) for number in range(len(self.real))]
        each = sum(len(chunks.chunk("", text.body)) for text in sample) / len(sample)
        return (self.text(number) for number in range(max(1, round(passages / each))))

    def _varied(self, draw: Random, body: str) -> str:
        words = body.split(" ")
        for at in draw.sample(range(len(words)), int(len(words) * _REPLACED)):
            if words[at].isalpha():
                words[at] = draw.choice(self.words)
        for _ in range(int(len(words) * _NAMES)):
            words.insert(draw.randrange(len(words)), _odd_name(draw))
        return " ".join(words)


class Searches:
    """Searches as people make them. None comes twice, so that no answer is remembered."""

    def __init__(self, notes: Notes, seed: str) -> None:
        self._notes = notes
        self._draw = Random(f"searches {seed}")
        self._made: set[str] = set()

    def any(self) -> str:
        """Some words of a title, a question, or part of a sentence."""
        return self._new(self._some_words, self._question, self._part)

    def rare_word(self) -> str:
        """One that few notes have."""
        known = self._notes.known
        return self._new(lambda: self._draw.choice(known[len(known) // 2 :]))

    def common_word(self) -> str:
        """One that many have."""
        return self._new(lambda: self._draw.choice(self._notes.known[100:600]))

    def two_words(self) -> str:
        """Two words of one note."""
        return self._new(lambda: " ".join(self._draw.sample(self._of_a_note(), 2)))

    def _new(self, *ways: Callable[[], str]) -> str:
        while True:
            made = self._draw.choice(ways)()
            if made not in self._made:
                self._made.add(made)
                return made

    def _some_words(self) -> str:
        words = self._draw.choice(self._notes.real).title.lower().split()
        return " ".join([*words[:3], self._draw.choice(self._notes.words)])

    def _question(self) -> str:
        title = self._draw.choice(self._notes.real).title.lower()
        return f"how do I {title} with {self._draw.choice(self._notes.words)}"

    def _part(self) -> str:
        words = self._draw.choice(self._notes.real).body.split()
        at = self._draw.randrange(max(1, len(words) - 7))
        return " ".join(words[at : at + 7])

    def _of_a_note(self) -> list[str]:
        while True:
            words = sorted(set(_WORD.findall(self._draw.choice(self._notes.real).body.lower())))
            if len(words) > 1:
                return words


def _real() -> Iterator[Note]:
    corpora = shared_data() / "corpora"
    files = sorted((*corpora.glob("til-*/**/*.md"), *corpora.glob("rust-rfcs/**/*.md")))
    for file in files[::_EVERY]:
        text = file.read_text(encoding="utf-8", errors="replace")[:_LONGEST]
        found = re.search(r"^# +(.+)$", text, re.MULTILINE)
        title = found[1].strip() if found else file.stem.lstrip("0123456789-").replace("-", " ")
        body = text.replace(found[0], "", 1) if found else text
        if len(body.split()) > 20:
            yield Note(title, body.strip())


def _made_up() -> Iterator[Note]:
    writer = Writer()
    for number in range(_MADE_UP):
        title, _, body = writer.text(number).body.partition("# ")[2].partition("\n")
        yield Note(title, body.strip())


def _odd_name(draw: Random) -> str:
    kind = draw.random()
    if kind < 0.4:
        return f"ENG-{draw.randrange(1_000_000)}"
    if kind < 0.7:
        return f"{draw.getrandbits(28):07x}"
    return f"v{draw.randrange(20)}.{draw.randrange(40)}.{draw.randrange(200)}"
