"""Whether an answer stands on the passages that were really sent.

- A citation holds if its passage was sent and its quote is in it; case, white space, markdown's
  signs and the shape of quotation marks do not count.
- An answer stands if it cites at all, and each number in its text has a citation that holds.
- An address that no passage has does not belong in an answer: a thought that talks a model into
  leading people somewhere must not get its way.
- What does not stand is not shown. The caller shows the passages instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aimem_tui.assist.prompts import Passage, clean

_NUMBERS = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_ADDRESS = re.compile(r"(?:\b[a-z][a-z0-9+.-]*://|\bwww\.)[^\s<>\"')\]]+", re.IGNORECASE)
_SIGNS = str.maketrans({"*": "", "_": "", "`": "", "“": '"', "”": '"', "’": "'", "‘": "'"})
_SHORTEST_QUOTE = 8
"""Characters. A shorter quote, such as a single word, is somewhere in any passage."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that an answer cites, with words of it."""

    passage: Passage
    line: int
    """Where the words stand in the thought, from 1."""
    quote: str


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer after the check."""

    known: bool
    text: str
    citations: tuple[Citation, ...]
    """One for each passage that its text cites, in its order."""
    problem: str
    """Why it must not be shown; empty if it may."""


def check(value: Mapping[str, Any], passages: Sequence[Passage]) -> Checked:
    """Check an answer that has the schema :data:`aimem_tui.assist.prompts.ANSWER`."""
    text = clean(str(value["answer"])).strip()
    if not value["known"]:
        return Checked(False, "", (), "")
    if not text:
        return Checked(False, "", (), "it is empty")
    held = _held(value["citations"], {passage.number: passage for passage in passages})
    named = numbers(text)
    missing = [number for number in named if number not in held]
    if missing:
        return Checked(True, "", (), f"what it says of [{missing[0]}] is not there")
    if not held:
        return Checked(True, "", (), "it cites nothing that is there")
    if _has_strange_address(text, passages):
        return Checked(True, "", (), "it holds an address that no passage has")
    if not named:
        named = list(held)
        text = f"{text} {''.join(f'[{number}]' for number in named)}"
    return Checked(True, text, tuple(held[number] for number in named), "")


def _held(
    citations: Sequence[Mapping[str, Any]], passages: Mapping[int, Passage]
) -> dict[int, Citation]:
    """The first citation that holds, for each passage that has one."""
    found: dict[int, Citation] = {}
    for citation in citations:
        number, quote = int(citation["passage"]), str(citation["quote"])
        passage = passages.get(number)
        if number not in found and passage is not None and holds(quote, passage.text):
            line = passage.line + _line_of(quote, passage.text)
            found[number] = Citation(passage, line, " ".join(clean(quote).split()))
    return found


def holds(quote: str, text: str) -> bool:
    """Whether a quote is in a text."""
    words = _plain(quote).strip(" .…")
    return len(words) >= _SHORTEST_QUOTE and words in _plain(text)


def numbers(text: str) -> list[int]:
    """The passages that a text names as [1] or [1, 2], each once, in order."""
    found = (int(number) for group in _NUMBERS.findall(text) for number in re.split("[,;]", group))
    return list(dict.fromkeys(found))


def _line_of(quote: str, text: str) -> int:
    """In which line of a text a quote that is there begins, from 0."""
    lines = text.splitlines(keepends=True)
    return next(i for i in reversed(range(len(lines))) if holds(quote, "".join(lines[i:])))


def _plain(text: str) -> str:
    return " ".join(clean(text).translate(_SIGNS).casefold().split())


def _has_strange_address(text: str, passages: Sequence[Passage]) -> bool:
    given = "\n".join(passage.text for passage in passages).casefold()
    return any(
        address.rstrip(".,;:!?").casefold() not in given for address in _ADDRESS.findall(text)
    )
