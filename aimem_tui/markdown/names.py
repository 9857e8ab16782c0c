"""Names in a text: words that code, versions, tickets and files are called by.

``parse_line_end``, ``session.resume``, ``mergeUpdate``, ``v2.14.3``, ``ENG-1234``, ``src/main.rs``,
``utf8``. Told by their form alone, inside code and outside: signs, digits or capitals in the middle
of a word. Quotation marks, brackets and commas end a name, and so does white space.
"""

from __future__ import annotations

import re

SHORTEST, LONGEST = 3, 120
"""Characters of a name. What is longer, as are addresses with parameters and encoded bytes, counts
by its beginning."""

_RUN = re.compile(r"\w+(?:[-.:/@#+~>\\$=&%]{1,3}\w+)*")
_SHAPE = re.compile(r"\w\W|_|[a-z][A-Z]|\d[^\W\d]|[^\W\d]\d")


def in_text(text: str, start: int = 0, end: int | None = None) -> list[str]:
    """The names in a text or a part of it, in small letters, each once, in a fixed order."""
    runs = set(_RUN.findall(text, start, len(text) if end is None else end))
    return sorted({run[:LONGEST].lower() for run in runs if is_name(run)})


def in_words(words: str) -> list[str]:
    """What may be a name or a part of one in words that were typed, in their order, each once."""
    found = (run[:LONGEST] for run in _RUN.findall(words))
    return list(dict.fromkeys(run for run in found if len(run) >= SHORTEST))


def is_name(word: str) -> bool:
    """Whether a word without white space has the form of a name."""
    return len(word) >= SHORTEST and _SHAPE.search(word) is not None
