"""A suggestion: something that could be put in order, and what accepting it would write.

Its id follows from the matter alone, so that a suggestion is the same one whenever and wherever it
is made, and one that was dismissed stays away until the matter changes: other tags, another title,
another way of being alike, an edit of a thought that had been left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

ID_DIGITS = 10


class SuggestionKind(StrEnum):
    """What a suggestion is about."""

    TAGS = "tags"
    DUPLICATE = "duplicate"
    TITLE = "title"
    SUMMARY = "summary"
    STALE = "stale"
    LINK = "link"


class Suggestion(NamedTuple):
    """A proposal about one thought, or about two that are alike."""

    id: str
    """Ten hexadecimal digits, from the matter."""
    kind: SuggestionKind
    thought: str
    """The id of the thought that would be edited."""
    proposal: tuple[str, ...]
    """What would be written: tags; a title; a summary; a status; where a link shall lead, as it
    would be written. Empty for a duplicate, and where a broken link leads to nothing known."""
    why: str
    """One sentence."""
    confidence: float
    """From 0 to 1; only comparable within one kind."""
    other: str = ""
    """Of a duplicate: the id of the thought that would be merged in and go to the trash."""
    subject: str = ""
    """Of a link: its target as written. Of a title: the present one."""


def id_of(kind: SuggestionKind, *matter: str) -> str:
    """The id of a suggestion about a matter."""
    written = "\0".join((kind.value, *matter))
    digest = blake2b(written.encode(errors="surrogatepass"), digest_size=ID_DIGITS // 2)
    return digest.hexdigest()


def keys_of(suggestion: Suggestion) -> tuple[str, ...]:
    """What is remembered when a suggestion is dismissed: its id, or one key for each tag."""
    if suggestion.kind is SuggestionKind.TAGS:
        return tuple(tag_key(suggestion.thought, tag) for tag in suggestion.proposal)
    return (suggestion.id,)


def tag_key(thought: str, tag: str) -> str:
    """What stands for one tag of one thought in the memory of what was dismissed."""
    return id_of(SuggestionKind.TAGS, thought, tag.casefold())


def tags_id(thought: str, tags: Sequence[str]) -> str:
    """The id of the suggestion to give a thought some tags; their order does not count."""
    if len(tags) == 1:
        return tag_key(thought, tags[0])
    return id_of(SuggestionKind.TAGS, thought, *sorted(tag.casefold() for tag in tags))
