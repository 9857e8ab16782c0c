"""What a person types into a search, taken apart.

Words, ``"exact words"`` and ``-not``. Every word is quoted before SQLite's full-text engine sees
it, so no character has a meaning of its own there.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_TERMS = 32
"""Words beyond this many are ignored: nobody types them, and each one costs."""

_COMMON = (
    "a about an and are as at be because but by can could did do does for from has have how i if in"
    " into is it its of on or our should so than that the their them then there these they this"
    " those to was we were what when where which who why will with would you your"
)
STOP_WORDS = frozenset(_COMMON.split())

_TOKEN = re.compile(r'(?P<no>-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


class Query(NamedTuple):
    """A search in parts. Phrases hold blanks, words do not."""

    terms: tuple[str, ...]
    excluded: tuple[str, ...]
    open_ended: bool
    """The last term is a word that may still grow: it also matches as a beginning."""

    def match(self, *, any_term: bool = False) -> str:
        """The query in the language of FTS5; empty if nothing is left to look for.

        Args:
            any_term: match thoughts that have any of the terms rather than all.
        """
        quoted = [_quoted(term) for term in self.terms]
        if not quoted:
            return ""
        if self.open_ended:
            quoted[-1] += "*"
        wanted = (" OR " if any_term else " AND ").join(quoted)
        unwanted = " OR ".join(_quoted(term) for term in self.excluded)
        return f"({wanted}) NOT ({unwanted})" if unwanted else wanted


def parse(text: str, *, as_you_type: bool = False) -> Query:
    """Take a search apart.

    Stop-words are left out where other words remain. With ``as_you_type`` the last word is open
    ended unless a blank or a quote follows it; behind other words it is not looked for while it is
    one letter or may become a stop-word, as nearly every text has a word that begins so.
    """
    # The engine's queries are UTF-8 and end at a NUL.
    text = text.replace("\0", " ").encode(errors="surrogatepass").decode(errors="replace")
    terms: list[str] = []
    excluded: list[str] = []
    for match in _TOKEN.finditer(text):
        term = match["phrase"] if match["phrase"] is not None else match["word"]
        if not any(char.isalnum() for char in term):
            continue
        (excluded if match["no"] else terms).append(term)
        if len(terms) + len(excluded) >= MAX_TERMS:
            break
    last_is_open = as_you_type and bool(terms) and text.endswith(terms[-1])
    if last_is_open and len(terms) > 1 and _says_nothing_yet(terms[-1].casefold()):
        terms.pop()
        last_is_open = False
    telling = [
        term
        for i, term in enumerate(terms)
        if term.casefold() not in STOP_WORDS or (last_is_open and i == len(terms) - 1)
    ]
    return Query(tuple(telling or terms), tuple(excluded), last_is_open)


def _says_nothing_yet(beginning: str) -> bool:
    """Whether nearly every text has a word that begins so. A Chinese character is a word."""
    is_letter = len(beginning) == 1 and beginning.isascii()
    return is_letter or any(word.startswith(beginning) for word in STOP_WORDS)


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""') + '"'
