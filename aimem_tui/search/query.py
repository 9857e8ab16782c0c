"""What a person types into a search, taken apart.

Words, ``"exact words"``, ``-not``, and fields: ``kind:plan status:draft tag:auth author:ada
since:30d path:plans/``, each also with a value in quotes or behind a dash. Every word is quoted
before SQLite's full-text engine sees it, so no character has a meaning of its own there.

- Words are looked for each by itself; a text need not have all. Exact words must be there.
- A word with signs in it (``sync-engine``) is looked for by its parts. One that is a name
  (``v1.2.3``, ``foo_bar``) is looked for as it stands, too, so that it finds itself first.
- Stop-words are left out where other words remain.
- A field that is repeated lets any of its values hold; every ``tag:`` must hold, and every ``-``.
- What looks like a field and is none is words, and :attr:`Query.said` says so.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from aimem_tui.markdown import names
from aimem_tui.model import Filter, Kind
from aimem_tui.search import scripts
from aimem_tui.search.moments import parse_since

MAX_TERMS = 64
"""Words beyond this many are not looked for: a page as a query has its topic in these."""
READ = 10_000
"""Characters of a search that are read."""
EXACT = 1_000
"""Characters that are looked for of what is to stand as it is (exact words and exclusions), and of
names: every word in them takes as long as one that stands alone."""
MAX_FIELDS = 32
"""Fields beyond this many are not looked at."""
_TOLD = 60

_COMMON = (
    "a about an and are as at be because but by can could did do does for from has have how i if in"
    " into is it its of on or our should so than that the their them then there these they this"
    " those to was we were what when where which who why will with would you your"
)
STOP_WORDS = frozenset(_COMMON.split())
FIELDS = ("kind", "status", "tag", "author", "since", "path")

_TOKEN = re.compile(
    r"(?P<no>-)?(?:"
    r'(?P<field>[A-Za-z]+):(?:"(?P<exact>[^"]*)"?|(?P<value>[^\s":/][^\s"]*))'
    r'|"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))'
)
_SIGNS = re.compile(r"[\x00-/:-@\[-`{-\x7f]+")
_NAME = re.compile(r"(?=.*[^\W_])(?:.*\w[_.]+\w.*|[A-Z]+-\d+)", re.DOTALL)
"""A word whose parts belong together: ``foo_bar``, ``v1.2.3``, ``ENG-123``."""


class Scope(NamedTuple):
    """Which thoughts a search is about."""

    groups: tuple[tuple[Filter, ...], ...] = ()
    """Of each group one filter must hold."""
    unwanted: tuple[Filter, ...] = ()
    """None of these may hold."""


class Query(NamedTuple):
    """A search in parts."""

    terms: tuple[str, ...] = ()
    """Words, and names of several words, each once. A text has some of them."""
    phrases: tuple[str, ...] = ()
    """Words that must be there as they stand."""
    excluded: tuple[str, ...] = ()
    open_ended: bool = False
    """The last term may still grow: it also matches as a beginning."""
    scope: Scope = Scope()
    said: tuple[str, ...] = ()
    """What was not taken as it may have been meant, in sentences."""
    text: str = ""
    """The words as they were typed, without fields and exclusions: what the search means."""
    parts: tuple[str, ...] = ()
    """What may be a part of a name, as it was typed."""
    part_grows: bool = False
    """The last of these may still grow."""

    @property
    def has_words(self) -> bool:
        """Whether any word is looked for."""
        return bool(self.terms or self.phrases)


def parse(text: str, *, as_you_type: bool = False, now: int = 0) -> Query:
    """Take a search apart.

    With ``as_you_type`` the last word is open ended unless a blank or a quote follows it; behind
    other words it is not looked for while it is one letter or may become a stop-word, as nearly
    every text has a word that begins so. A last field without a usable value is still being typed.

    Args:
        now: what ``since:7d`` counts from, in ms since the Unix epoch.
    """
    # The engine's queries are UTF-8 and end at a NUL; texts are found whether composed or not.
    said = [f"Of a long search the first {READ:,} characters count."] if len(text) > READ else []
    text = text[:READ].replace("\0", " ").encode(errors="surrogatepass").decode(errors="replace")
    text = unicodedata.normalize("NFC", text)
    words: list[str] = []
    phrases: list[str] = []
    excluded: list[str] = []
    fields = _Fields(now)
    room = EXACT
    for match in _TOKEN.finditer(text):
        is_last = as_you_type and match.end() == len(text)
        if match["field"] and fields.take(match, still_typed=is_last):
            continue
        term = match["phrase"] if match["phrase"] is not None else match[0].lstrip("-")
        if match["no"] or match["phrase"] is not None:
            term = _cut(term, room)
            room -= len(term)
        if not _has_letters(term):
            continue
        if match["no"]:
            excluded.append(term)
        elif match["phrase"] is not None:
            phrases.append(term)
        else:
            words.append(term)
        if len(words) + len(phrases) + len(excluded) >= MAX_TERMS:
            break
    last_is_open = as_you_type and bool(words) and text.endswith(words[-1])
    meant = " ".join(_TOKEN.sub(_plainly, text).split())
    if last_is_open and (phrases or len(words) > 1) and _says_nothing_yet(words[-1].casefold()):
        words.pop()
        last_is_open = False
    parts = _parts_of_names(words)
    return Query(
        tuple(_telling(words, last_is_open=last_is_open, alone=not phrases)),
        tuple(dict.fromkeys(phrases)),
        tuple(dict.fromkeys(excluded)),
        last_is_open,
        fields.scope(),
        tuple(dict.fromkeys([*said, *fields.said])),
        meant,
        tuple(parts),
        last_is_open and bool(parts) and text.endswith(parts[-1]),
    )


class _Fields:
    """The fields of a search, collected."""

    def __init__(self, now: int) -> None:
        self.said: list[str] = []
        self._now = now
        self._taken = 0
        self._groups: dict[str, list[Filter]] = {}
        self._unwanted: list[Filter] = []

    def scope(self) -> Scope:
        """What they stand for together."""
        return Scope(tuple(tuple(group) for group in self._groups.values()), tuple(self._unwanted))

    def take(self, match: re.Match[str], *, still_typed: bool) -> bool:
        """Take in one field; False if it is words."""
        name = match["field"].casefold()
        value = (match["exact"] if match["exact"] is not None else match["value"]).strip()
        if name not in FIELDS:
            if not still_typed:
                self.said.append(f"There is no field {told(name)}: these are words.")
            return False
        if self._taken == MAX_FIELDS:
            self.said.append(f"Of the fields the first {MAX_FIELDS} count.")
            return True
        self._taken += 1
        wanted, problem = self._filter(name, value)
        if problem:
            if not still_typed:
                self.said.append(problem)
            return still_typed
        if wanted is None:
            return True
        if match["no"]:
            self._unwanted.append(wanted)
        else:
            # Each tag is a group of its own: all of them must be there.
            group = f"tag:{value}" if name == "tag" else name
            self._groups.setdefault(group, []).append(wanted)
        return True

    def _filter(self, name: str, value: str) -> tuple[Filter | None, str]:
        """The filter a field stands for, or what is wrong with it."""
        if not value:
            return None, ""
        if name == "kind":
            kinds = [kind for kind in Kind if value.casefold() in (kind, f"{kind}s")]
            if not kinds:
                return None, f"There is no kind {told(value)}; there are {', '.join(Kind)}."
            return Filter(kinds=(kinds[0].value,)), ""
        if name == "since":
            try:
                return Filter(since=parse_since(value, self._now)), ""
            except ValueError:
                what = f"{told(value)} is not a time."
                return None, f"{what} Write 3h, 7d, 2w, yesterday or 2026-11-02."
        if name == "tag":
            return Filter(tags=(value,)), ""
        if name == "author":
            return Filter(author=value), ""
        if name == "status":
            return Filter(status=value), ""
        return Filter(path=value), ""


def _telling(words: list[str], *, last_is_open: bool, alone: bool) -> list[str]:
    """What to look for: the parts of words, names whole as well, without stop-words."""
    found: dict[str, None] = {}
    common: dict[str, None] = {}
    room = EXACT
    for place, word in enumerate(words):
        is_open = last_is_open and place == len(words) - 1
        parts = _parts(word)
        if len(parts) > 1 and len(word) <= room and _NAME.fullmatch(word.strip(".,;:!?")):
            found[word] = None
            room -= len(word)
        parts = [piece for part in parts for piece in scripts.pieces(part)]
        for number, part in enumerate(parts):
            folded = part.casefold()
            may_grow = is_open and number == len(parts) - 1
            if may_grow:
                # At the end, where its beginning is looked for, even if it came before.
                found.pop(folded, None)
            target = found if may_grow or folded not in STOP_WORDS else common
            target[folded] = None
    return [*(found or (common if alone else {}))][:MAX_TERMS]


def _parts_of_names(words: list[str]) -> list[str]:
    found: list[str] = []
    room = EXACT
    for part in (part for word in words for part in names.in_words(word)):
        if part.casefold() not in STOP_WORDS and len(part) <= room and len(found) < MAX_TERMS:
            found.append(part)
            room -= len(part)
    return found


def _parts(word: str) -> list[str]:
    """A word divided at its signs."""
    parts = _SIGNS.sub(" ", word)
    if not parts.isascii():
        parts = "".join(
            " " if unicodedata.category(char)[0] in "PSZC" and not char.isalnum() else char
            for char in parts
        )
    return [part for part in parts.split() if _has_letters(part)]


def told(text: str) -> str:
    """What was typed as a sentence repeats it: no more than tells it apart."""
    return text if len(text) <= _TOLD else f"{text[:_TOLD]}…"


def _cut(text: str, most: int) -> str:
    """The beginning of a text, as far as a whole word that fits."""
    if len(text) <= most:
        return text
    end = next((at for at in range(most, 0, -1) if not text[at].isalnum()), most)
    return text[:end]


def _has_letters(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _plainly(match: re.Match[str]) -> str:
    """A token as words for a reader; nothing if it restricts rather than means."""
    is_field = match["field"] and match["field"].casefold() in FIELDS
    if match["no"] or is_field:
        return ""
    return match["phrase"] if match["phrase"] is not None else match[0]


def _says_nothing_yet(beginning: str) -> bool:
    """Whether nearly every text has a word that begins so. A Chinese character is a word."""
    is_letter = len(beginning) == 1 and beginning.isascii()
    return is_letter or any(word.startswith(beginning) for word in STOP_WORDS)
