"""Looking a workspace over: all suggestions there are, kind by kind.

What lives here: which thoughts each kind of suggestion is about, in which order, and what is said
of what could not be done. How a tag, a duplicate or a title is found stands in modules of its own.

A listing is bounded: of each kind at most ``limit`` suggestions are made, the surest or the newest
thoughts first, and it is told where there are more. Comparing by words reads every text once or
twice; what that costs is in ``docs/organize.md``. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import apsw

from aimem_tui.errors import AimemError
from aimem_tui.model import Kind, never
from aimem_tui.organize import duplicates, extracts, phrases, stale, tags
from aimem_tui.organize.duplicates import Likeness, Pair
from aimem_tui.organize.lexical import WordNearness
from aimem_tui.organize.library import Card, Library
from aimem_tui.organize.links import LinkTable
from aimem_tui.organize.ports import Improver, Nearness
from aimem_tui.organize.suggestion import (
    Suggestion,
    SuggestionKind,
    id_of,
    tag_key,
    tags_id,
)
from aimem_tui.organize.tags import Rated, TagTable
from aimem_tui.organize.tokens import body_of, words_of

MOST_COMPARED = 20_000
"""Thoughts whose words are weighed; of more, those that have tags first, then the newest."""

_FEW_TAGGED = 10
"""With fewer thoughts that have tags, a team has none of its own yet."""

_ASKED = 50
"""For each suggestion of tags that is wanted, as many thoughts are asked about at most."""

_NEW_TAG = 0.2
"""How sure a tag is that nobody uses yet."""

_LONGEST_TITLE = 200
_LONGEST_SUMMARY = 500


class Wanted(NamedTuple):
    """What to look for."""

    kinds: tuple[SuggestionKind, ...] = tuple(SuggestionKind)
    thoughts: frozenset[str] | None = None
    """Only about these, by their ids; None: about all."""
    limit: int = 20
    """Of each kind at most so many."""


class Listing(NamedTuple):
    """What was found."""

    suggestions: tuple[Suggestion, ...]
    more: tuple[SuggestionKind, ...]
    """Kinds of which there are more than the limit."""
    said: tuple[str, ...]
    """What a person should know of how they were found, in sentences."""


class Organizer:
    """Finds what could be put in order, as the workspace is at one moment.

    Args:
        connection: of the workspace's file, for reading.
        now: ms since the epoch.
        library: what was read of it already.
        nearness: how near thoughts are by meaning; None if there are no vectors.
        dismissed: keys of what shall not be suggested; see :mod:`.suggestion`.
        improver: who puts proposals better; asked only about what is given out.
        stop: asked now and then; once it says so, what was found by then is given out.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        now: int,
        *,
        library: Library | None = None,
        nearness: Nearness | None = None,
        dismissed: Set[str] = frozenset(),
        improver: Improver | None = None,
        stop: Callable[[], bool] = never,
    ) -> None:
        self.library = library or Library(connection)
        self._connection = connection
        self._now = now
        self._nearness = nearness if nearness is not None and nearness.by_meaning else None
        self._dismissed = dismissed
        self._improver = improver
        self._stop = stop
        self._said: dict[str, None] = {}

    def listing(self, wanted: Wanted) -> Listing:
        """All suggestions that are wanted, the surest kinds first."""
        found: list[Suggestion] = []
        more: list[SuggestionKind] = []
        finders: dict[SuggestionKind, Callable[[Wanted], Iterable[Suggestion]]] = {
            SuggestionKind.DUPLICATE: self._duplicates,
            SuggestionKind.LINK: self._links,
            SuggestionKind.STALE: self._stale,
            SuggestionKind.TAGS: self._tags,
            SuggestionKind.TITLE: self._titles,
            SuggestionKind.SUMMARY: self._summaries,
        }
        for kind, find in finders.items():
            if kind not in wanted.kinds:
                continue
            if kind in (SuggestionKind.DUPLICATE, SuggestionKind.TAGS):
                self._say_how()
            fresh = (each for each in find(wanted) if each.id not in self._dismissed)
            some = list(islice(fresh, wanted.limit + 1))
            if len(some) > wanted.limit:
                more.append(kind)
            improved = (self.improved(each) for each in some[: wanted.limit])
            found += [each for each in improved if each is not None]
        return Listing(tuple(found), tuple(more), tuple(self._said))

    def pairs(self, thoughts: Set[str] | None = None) -> list[Pair]:
        """Thoughts that should be one, but for pairs that were dismissed; the surest first."""
        found = duplicates.find(
            self.library, self._nearness, stop=self._stop, skip=self._was_dismissed
        )
        return [
            pair
            for pair in found
            if thoughts is None
            or pair.kept.thought.id in thoughts
            or pair.other.thought.id in thoughts
        ]

    def compared(self, kept: str, other: str) -> Pair:
        """The figures of two thoughts, by their ids, alike or not."""
        cards = self.library.by_id
        return duplicates.Comparison(self.library, self._nearness).figures(
            cards[kept], cards[other]
        )

    def rated_tags(self, thought: str) -> list[Rated]:
        """Tags of the workspace for a thought, by its id, the best first; none that it has."""
        return self._rated(self.library.by_id[thought])

    def tags_for(self, thought: str, limit: int = tags.PROPOSED) -> Listing:
        """The suggestion of tags for a thought, whether it has some or not, if any fits."""
        self._say_how()
        found = self._tags_of(self.library.by_id[thought], limit, asked=True)
        improved = None if found is None else self.improved(found)
        return Listing((improved,) if improved else (), (), tuple(self._said))

    def tag_counts(self, thoughts: Set[str] | None = None) -> dict[str, int]:
        """How many thoughts have each tag, of all or only of some, by their ids."""
        if thoughts is None:
            return self.tag_table.counts
        cards = self.library.cards.values()
        chosen = (card for card in cards if card.thought.tags and card.thought.id in thoughts)
        return TagTable({card.n: card.thought.tags for card in chosen}).counts

    # Tags

    def _tags(self, wanted: Wanted) -> Iterator[Suggestion]:
        cards = [
            card
            for card in self._chosen(wanted)
            if not card.thought.tags and card.is_markdown and card.thought.kind is not Kind.MEMORY
        ]
        for card in cards[: _ASKED * wanted.limit]:
            if self._stop():
                return
            # Where a team has tags of its own, new ones are proposed only to who asks for them.
            new = len(self.tag_table.tagged) < _FEW_TAGGED
            found = self._tags_of(card, tags.PROPOSED, new=new)
            if found is not None:
                yield found

    def _tags_of(
        self, card: Card, limit: int, *, asked: bool = False, new: bool = True
    ) -> Suggestion | None:
        thought = card.thought
        floor = tags.ASKED_FLOOR if asked else tags.FLOOR
        rated = [
            each
            for each in self._rated(card)
            if each.score >= floor and tag_key(thought.id, each.tag) not in self._dismissed
        ][:limit]
        if rated:
            chosen = tuple(each.tag for each in rated)
            return Suggestion(
                tags_id(thought.id, chosen),
                SuggestionKind.TAGS,
                thought.id,
                chosen,
                _why_tags(rated[0]),
                round(min(1.0, rated[0].score), 3),
            )
        fresh = [
            phrase
            for phrase in (self._phrases(card) if new else ())
            if tag_key(thought.id, phrase) not in self._dismissed
        ][:limit]
        if not fresh:
            return None
        return Suggestion(
            tags_id(thought.id, fresh),
            SuggestionKind.TAGS,
            thought.id,
            tuple(fresh),
            "No tag in use fits; this is what it speaks of most.",
            _NEW_TAG,
        )

    def _rated(self, card: Card) -> list[Rated]:
        asked = (
            tags.panel(nearness, weights, card.n, self.tag_table)
            for nearness, weights in (
                (self._nearness, tags.MEANING),
                (self._words, tags.WORDS),
            )
            if nearness is not None
        )
        panels = [panel for panel in asked if panel is not None]
        title = words_of(card.thought.title)
        text = words_of(body_of(self.library.text(card.n)))
        return tags.rate(self.tag_table, panels, title, text, card.thought.tags)

    def _phrases(self, card: Card) -> list[str]:
        words = self._words
        own = {tag.casefold() for tag in card.thought.tags}
        found = phrases.key_phrases(
            words_of(card.thought.title),
            words_of(body_of(self.library.text(card.n))),
            words.holders.__getitem__,
            words.total,
        )
        return [phrase for phrase in found if phrase not in own]

    @cached_property
    def tag_table(self) -> TagTable:
        """The tags in use."""
        cards = self.library.cards.values()
        return TagTable({card.n: card.thought.tags for card in cards if card.thought.tags})

    @cached_property
    def _words(self) -> WordNearness:
        """Weighed when first needed: this reads every text."""
        cards = [card for card in self.library.cards.values() if card.is_markdown]
        if len(cards) > MOST_COMPARED:
            cards.sort(key=lambda card: not card.thought.tags)
            self._say(f"Words are compared among {MOST_COMPARED:,} of {len(cards):,} thoughts.")
            cards = cards[:MOST_COMPARED]
        numbers = [card.n for card in cards]
        titles = {card.n: card.thought.title for card in cards}

        def read() -> Iterator[tuple[int, str]]:
            for n, text in self.library.texts(numbers):
                yield n, f"{titles[n]}\n{body_of(text)}"

        return WordNearness(read, self._stop)

    # Duplicates

    def _duplicates(self, wanted: Wanted) -> Iterator[Suggestion]:
        return (duplicate(pair) for pair in self.pairs(wanted.thoughts))

    def _was_dismissed(self, pair: Pair) -> bool:
        return duplicate(pair).id in self._dismissed

    # Links

    def _links(self, wanted: Wanted) -> Iterator[Suggestion]:
        table = LinkTable(self.library, self._connection)
        chosen = {card.n for card in self._chosen(wanted)}
        targets: dict[int, list[str]] = {}
        for n, target in self._connection.execute(
            "SELECT thought, target FROM links ORDER BY thought, line"
        ):
            if n in chosen:
                targets.setdefault(int(n), []).append(str(target))
        found: list[Suggestion] = []
        for n, written in targets.items():
            card = self.library.cards[n]
            for link in table.broken(card, written):
                thought = card.thought.id
                found.append(
                    Suggestion(
                        id_of(SuggestionKind.LINK, thought, link.target, link.likely),
                        SuggestionKind.LINK,
                        thought,
                        (link.likely,) if link.likely else (),
                        link.why,
                        link.confidence,
                        subject=link.target,
                    )
                )
        found.sort(key=lambda each: -each.confidence)
        return iter(found)

    # Stale thoughts

    def _stale(self, wanted: Wanted) -> Iterator[Suggestion]:
        found: list[Suggestion] = []
        for card in self._chosen(wanted):
            thought = card.thought
            judged = None
            if card.is_markdown and thought.kind is not Kind.MEMORY:
                judged = stale.judge(thought, self._now)
            if judged is not None:
                matter = (thought.id, thought.status, judged.status, str(thought.updated_at))
                found.append(
                    Suggestion(
                        id_of(SuggestionKind.STALE, *matter),
                        SuggestionKind.STALE,
                        thought.id,
                        (judged.status,),
                        judged.why,
                        judged.confidence,
                        subject=thought.status,
                    )
                )
        found.sort(key=lambda each: -each.confidence)
        return iter(found)

    # Titles and summaries

    def _titles(self, wanted: Wanted) -> Iterator[Suggestion]:
        for card in self._chosen(wanted):
            thought = card.thought
            if self._stop():
                return
            if (
                not card.is_markdown
                or thought.kind is Kind.MEMORY
                or not extracts.may_lack_title(thought.path, thought.title)
            ):
                continue
            text = self.library.text(card.n)
            if not extracts.lacks_title(thought.path, text):
                continue
            title = extracts.title_for(thought.path, text)
            if title and title != thought.title:
                yield Suggestion(
                    id_of(SuggestionKind.TITLE, thought.id, thought.title, title),
                    SuggestionKind.TITLE,
                    thought.id,
                    (title,),
                    "Nothing in the text says what it is called.",
                    0.6,
                    subject=thought.title,
                )

    def _summaries(self, wanted: Wanted) -> Iterator[Suggestion]:
        for card in self._chosen(wanted):
            thought = card.thought
            if self._stop():
                return
            if not card.is_markdown or thought.kind is Kind.MEMORY or thought.words < extracts.LONG:
                continue
            text = self.library.text(card.n)
            if extracts.has_summary(text):
                continue
            summary = extracts.summary_for(thought.title, text)
            if summary:
                yield Suggestion(
                    id_of(SuggestionKind.SUMMARY, thought.id, summary),
                    SuggestionKind.SUMMARY,
                    thought.id,
                    (summary,),
                    f"It has {thought.words:,} words and no summary.",
                    0.5,
                )

    # Improving

    def improved(self, suggestion: Suggestion) -> Suggestion | None:
        """A suggestion as the improver would have it; None if it says that there is nothing to do.

        Where it fails, or gives what cannot be accepted, the suggestion stays as it is.
        """
        if self._improver is None:
            return suggestion
        try:
            return self._asked(self._improver, suggestion)
        except AimemError as error:
            self._say(str(error))
            return suggestion

    def _asked(self, improver: Improver, suggestion: Suggestion) -> Suggestion | None:
        kind, thought = suggestion.kind, suggestion.thought
        text = self.library.text(self.library.by_id[thought].n)
        if kind is SuggestionKind.TAGS:
            used = self.tag_table.counts
            known = sorted(used, key=lambda tag: (-used[tag], tag))
            own = {tag.casefold() for tag in self.library.by_id[thought].thought.tags}
            given = improver.tags(text, known, suggestion.proposal)
            chosen = tuple(
                tag
                for tag in dict.fromkeys(self.tag_table.spelled(tag.strip()) for tag in given)
                if tag
                and "\n" not in tag
                and tag.casefold() not in own
                and tag_key(thought, tag) not in self._dismissed
            )[: tags.PROPOSED]
            if not chosen:
                return suggestion
            return suggestion._replace(id=tags_id(thought, chosen), proposal=chosen)
        if kind is SuggestionKind.TITLE:
            title = " ".join(improver.title(text, suggestion.proposal[0]).split())[:_LONGEST_TITLE]
            identity = id_of(kind, thought, suggestion.subject, title)
            return suggestion._replace(id=identity, proposal=(title,)) if title else suggestion
        if kind is SuggestionKind.SUMMARY:
            summary = " ".join(improver.summary(text, suggestion.proposal[0]).split())
            summary = summary[:_LONGEST_SUMMARY]
            identity = id_of(kind, thought, summary)
            return suggestion._replace(id=identity, proposal=(summary,)) if summary else suggestion
        if kind is SuggestionKind.DUPLICATE:
            other = self.library.text(self.library.by_id[suggestion.other].n)
            if body_of(other) == body_of(text):
                return suggestion
            return suggestion if improver.is_duplicate(text, other) else None
        return suggestion

    # Inside

    def _chosen(self, wanted: Wanted) -> Iterator[Card]:
        for card in self.library.cards.values():
            if wanted.thoughts is None or card.thought.id in wanted.thoughts:
                yield card

    def _say_how(self) -> None:
        nearness = self._nearness
        if nearness is None:
            self._say("Thoughts are compared by their words; by meaning once they are indexed.")
            return
        missing = sum(
            card.is_markdown and nearness.cosine(card.n, card.n) is None
            for card in self.library.cards.values()
        )
        if missing:
            some = "one thought" if missing == 1 else f"{missing:,} thoughts"
            self._say(f"Of {some} only the words are compared; the meaning once indexed.")

    def _say(self, sentence: str) -> None:
        self._said[sentence] = None


def duplicate(pair: Pair) -> Suggestion:
    """A pair as a suggestion. It is the same one while the two are alike in the same way."""
    kept, other = pair.kept.thought.id, pair.other.thought.id
    return Suggestion(
        id_of(SuggestionKind.DUPLICATE, *sorted((kept, other)), pair.likeness.value),
        SuggestionKind.DUPLICATE,
        kept,
        (),
        _why_duplicate(pair),
        round(pair.confidence, 3),
        other=other,
    )


def _why_duplicate(pair: Pair) -> str:
    if pair.likeness is Likeness.SAME:
        return "They are the same, word for word."
    if pair.likeness is Likeness.EDITED:
        return f"They have {pair.resemblance:.0%} of their wording in common."
    return f"{pair.containment:.0%} of the shorter one stands in the other."


def _why_tags(best: Rated) -> str:
    if best.votes and best.named:
        return f"{_like(best.votes)} {best.tag}, and its text names it."
    if best.votes:
        return f"{_like(best.votes)} {best.tag}."
    return f"Its text names {best.tag}."


def _like(count: int) -> str:
    return "A thought like it has" if count == 1 else f"{count} thoughts like it have"
