"""Putting a workspace in order: suggestions, and what accepting one does.

What lives here: the facade's part of organizing. Finding is ``organize``'s; here suggestions become
edits, and what was dismissed is remembered beside the workspace's file.

- Accepting is an edit like any other, with a note that says so, and therefore a revision of its
  own: restoring the one before undoes it.
- Merging a duplicate is one transaction. The kept thought gets what only the other says, and all
  its paths, so that links to them lead on; the other goes to the trash with its history untouched.
  The note of each says where the other is.
- Reading never loads the document engine. Vectors are used where the caller brings them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from aimem_tui.errors import BadInput, NotFound, Refused
from aimem_tui.model import Filter, Thought, never
from aimem_tui.organize.memory import FILE_NAME, Memory
from aimem_tui.organize.organizer import Listing, Organizer, Wanted
from aimem_tui.organize.ports import Improver, Nearness
from aimem_tui.organize.suggestion import Suggestion, SuggestionKind, id_of, tags_id

if TYPE_CHECKING:
    import apsw

    from aimem_tui.assist.port import LanguageModel
    from aimem_tui.organize.duplicates import Pair
    from aimem_tui.organize.merging import Merged
    from aimem_tui.paths import Home
    from aimem_tui.workspace.workspace import Workspace
    from crdt.document import ThoughtDocument
    from crdt.textdiff import Splice

NearnessOf = Callable[[Sequence[int]], Nearness | None]
"""How near thoughts are, given their numbers, the newest edit first; None without vectors."""


class TagCount(NamedTuple):
    """A tag in use."""

    tag: str
    thoughts: int
    """How many have it."""


class Accepted(NamedTuple):
    """What accepting a suggestion, or merging, did."""

    thought: Thought
    """As it is now."""
    changed: bool
    undo: int
    """The revision that was the newest before: restoring it undoes the edit. 0 if none was made."""
    other: Thought | None = None
    """The thought that was merged in and is in the trash now."""
    left_out: tuple[str, ...] = ()
    """What of it is only in its own text, each as a few words."""


class Ordering:
    """What can be put in order in a workspace.

    Args:
        workspace: open.
        nearness: asked for vectors when a listing needs them; see :data:`NearnessOf`.
        improver: who puts proposals better, such as a language model.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        nearness: NearnessOf | None = None,
        improver: Improver | None = None,
    ) -> None:
        self._workspace = workspace
        self._nearness_of = nearness
        self._improver = improver
        self._memory = Memory(workspace.database.path.parent / FILE_NAME)

    # Looking

    def suggestions(
        self,
        kinds: Sequence[SuggestionKind] = (),
        wanted: Filter | None = None,
        *,
        limit: int = 20,
        dismissed: bool = False,
        stop: Callable[[], bool] = never,
    ) -> Listing:
        """What could be put in order.

        Args:
            kinds: only these; all if none is given.
            wanted: only about thoughts that pass this filter.
            limit: of each kind at most so many.
            dismissed: those as well that were dismissed.
            stop: asked now and then; once it says so, what was found by then is returned.
        """
        looked_for = Wanted(tuple(kinds) or tuple(SuggestionKind), self._ids(wanted), limit)
        listing = self._organizer(dismissed=dismissed, stop=stop).listing(looked_for)
        self._remember(listing.suggestions)
        return listing

    def suggestion(self, beginning: str) -> Suggestion:
        """A suggestion that was listed, by its id or the first four digits of it.

        Raises:
            NotFound, Ambiguous: in words.
        """
        return self._memory.find(beginning)

    def tags(self, wanted: Filter | None = None) -> list[TagCount]:
        """The tags in use with how many thoughts have each, the most used first."""
        chosen = self._ids(wanted)
        table = self._organizer().tag_counts(chosen)
        return [
            TagCount(tag, count)
            for tag, count in sorted(table.items(), key=lambda each: (-each[1], each[0].casefold()))
        ]

    def suggest_tags(self, thought: str, *, limit: int = 3) -> Listing:
        """Tags for one thought, by its id, whether it has some or not: one suggestion, or none.

        Raises:
            NotFound: if the thought is not there.
        """
        listing = self._organizer().tags_for(self._shown(thought).id, limit)
        self._remember(listing.suggestions)
        return listing

    def duplicates(
        self, wanted: Filter | None = None, *, stop: Callable[[], bool] = never
    ) -> list[Pair]:
        """Pairs of thoughts that should be one, the surest first."""
        return self._organizer(stop=stop).pairs(self._ids(wanted))

    def compare(self, kept: str, other: str) -> Pair:
        """How alike two thoughts are, by their ids, whatever they are.

        Raises:
            NotFound: if one is not there.
        """
        return self._organizer().compared(self._shown(kept).id, self._shown(other).id)

    def preview(self, kept: str, other: str) -> Merged:
        """The text that a thought would have with another one merged in.

        Raises:
            NotFound: if one is not there.
            Refused: if they cannot be merged.
        """
        from aimem_tui.organize.merging import merge

        self._check_mergeable(self._shown(kept), self._shown(other))
        return merge(self._workspace.text(kept), self._workspace.text(other))

    # Deciding

    def accept(self, suggestion: Suggestion) -> Accepted:
        """Do what a suggestion proposes, as an edit that can be undone.

        Raises:
            Refused: if the thought has changed so that it no longer applies, or there is nothing
                proposed.
            NotFound: if the thought is not there any more.
            BadInput: if it cannot be written.
        """
        self._memory.recall(suggestion)
        if suggestion.kind is SuggestionKind.DUPLICATE:
            accepted = self.merge(suggestion.thought, suggestion.other)
        else:
            thought = self._shown(suggestion.thought)
            if not suggestion.proposal:
                raise Refused(
                    "Nothing is proposed here.",
                    hint=f"To say it yourself: aimem organize edit {suggestion.id} ...",
                )
            self._check_current(suggestion, thought)
            accepted = self._edited(
                suggestion.thought,
                f"accepted: {suggestion.kind.value}",
                lambda text: _edit_of(suggestion, thought, text),
            )
        self._memory.forget_one(suggestion.id)
        return accepted

    def edited(self, suggestion: Suggestion, values: Sequence[str]) -> Suggestion:
        """A suggestion with another proposal, for :meth:`accept`.

        Args:
            values: tags; a title; a summary; a status; a link's target; for a duplicate the path of
                the thought to keep.

        Raises:
            BadInput: if they cannot be proposed.
            NotFound, Ambiguous: if there is no such thought.
        """
        kind = suggestion.kind
        cleaned = tuple(" ".join(value.split()) for value in values)
        if not cleaned or not all(cleaned):
            raise BadInput("Say what it shall be instead.")
        if kind is SuggestionKind.TAGS:
            return suggestion._replace(
                id=tags_id(suggestion.thought, cleaned), proposal=tuple(dict.fromkeys(cleaned))
            )
        if len(cleaned) > 1:
            raise BadInput("Only one value can stand there.", hint="Put it in quotes.")
        if kind is SuggestionKind.DUPLICATE:
            kept = self._workspace.get(cleaned[0]).id
            pair = (suggestion.thought, suggestion.other)
            if kept not in pair:
                raise BadInput(f"{cleaned[0]} is neither of the two.")
            other = pair[1 - pair.index(kept)]
            return suggestion._replace(thought=kept, other=other)
        matter = (suggestion.thought, suggestion.subject, cleaned[0])
        return suggestion._replace(id=id_of(kind, *matter), proposal=cleaned)

    def dismiss(self, suggestion: Suggestion) -> None:
        """Never make this suggestion again, as long as the matter stays what it is."""
        self._memory.dismiss(suggestion, self._workspace.clock())

    def recall(self, suggestion: Suggestion) -> None:
        """Undo :meth:`dismiss`."""
        self._memory.recall(suggestion)

    def forget(self, thoughts: Sequence[str]) -> None:
        """Forget what was listed about thoughts, by their ids: for when they are purged."""
        self._memory.forget(thoughts)

    def merge(self, kept: str, other: str) -> Accepted:
        """Merge one thought into another, by their ids; the first stays.

        Raises:
            Refused: if they cannot be merged.
            NotFound: if one is not there.
        """
        from aimem_tui.organize.merging import merge
        from aimem_tui.workspace import writing
        from crdt.textdiff import splices

        workspace = self._workspace
        workspace.settle()
        with workspace.database.write() as connection:
            stays, goes = self._shown(kept), self._shown(other)
            self._check_mergeable(stays, goes)
            undo = _newest_revision(connection, kept)
            with writing.changing(workspace, other, note=f"merged into {stays.path}") as document:
                text = document.text
                paths = (goes.path, document.meta.path, *document.meta.aliases)
                document.put_into_trash(workspace.clock(), workspace.author)
            with writing.changing(
                workspace, kept, note=f"merged with {goes.path} ({goes.id})"
            ) as document:
                merged = merge(document.text, text)
                writing.check_text(merged.text)
                document.apply_splices(splices(document.text, merged.text))
                _take_over(document, paths)
        return Accepted(workspace.by_id(kept), True, undo, workspace.by_id(other), merged.left_out)

    # Inside

    def _organizer(self, *, dismissed: bool = False, stop: Callable[[], bool] = never) -> Organizer:
        from aimem_tui.organize.library import Library

        workspace = self._workspace
        connection = workspace.database.read()
        library = Library(connection)
        nearness = self._nearness_of(list(library.cards)) if self._nearness_of else None
        return Organizer(
            connection,
            workspace.clock(),
            library=library,
            nearness=nearness,
            dismissed=frozenset() if dismissed else self._memory.dismissed(),
            improver=self._improver,
            stop=stop,
        )

    def _remember(self, suggestions: Sequence[Suggestion]) -> None:
        gone = [each for each in self._memory.known() if not self._is_shown(each)]
        if gone:
            self._memory.forget(gone)
        self._memory.keep(suggestions, self._workspace.clock())

    def _ids(self, wanted: Filter | None) -> frozenset[str] | None:
        if wanted is None or wanted == Filter():
            return None
        return frozenset(thought.id for thought in self._workspace.thoughts(wanted))

    def _is_shown(self, thought: str) -> bool:
        try:
            self._shown(thought)
        except NotFound:
            return False
        return True

    def _shown(self, thought: str) -> Thought:
        """A thought that is not in the trash.

        Raises:
            NotFound: if it is, or is not there at all.
        """
        found = self._workspace.by_id(thought)
        if found.trashed_at is not None:
            raise NotFound(
                f"{found.path} is in the trash.", hint="To see what is left: aimem organize."
            )
        return found

    def _check_mergeable(self, kept: Thought, other: Thought) -> None:
        from aimem_tui.markdown.describe import is_markdown

        if kept.id == other.id:
            raise Refused("A thought cannot be merged with itself.")
        markdown = is_markdown(kept.path) and is_markdown(other.path)
        if not markdown and self._workspace.text(kept.id) != self._workspace.text(other.id):
            raise Refused(
                f"{kept.path} and {other.path} cannot be merged.", why="Only markdown can be."
            )

    def _check_current(self, suggestion: Suggestion, thought: Thought) -> None:
        """Make sure that what a suggestion is about is still so.

        Raises:
            Refused: if it is not.
        """
        kind = suggestion.kind
        changed = (kind is SuggestionKind.TITLE and thought.title != suggestion.subject) or (
            kind is SuggestionKind.STALE and thought.status != suggestion.subject
        )
        if not changed and kind is SuggestionKind.SUMMARY:
            from aimem_tui.organize.extracts import has_summary

            changed = has_summary(self._workspace.text(thought.id))
        if not changed and kind is SuggestionKind.LINK:
            changed = not _edit_of(suggestion, thought, self._workspace.text(thought.id))
        if changed:
            raise Refused(
                f"{thought.path} has changed since.", hint="To see what is left: aimem organize."
            )

    def _edited(self, thought: str, note: str, edit: Callable[[str], Sequence[Splice]]) -> Accepted:
        from aimem_tui.workspace import writing
        from crdt.textdiff import apply

        workspace = self._workspace
        workspace.settle()
        with workspace.database.write() as connection:
            undo = _newest_revision(connection, thought)
            changed = False
            with writing.changing(workspace, thought, note=note) as document:
                splices = edit(document.text)
                after = apply(document.text, splices)
                writing.check_text(after)
                changed = after != document.text
                document.apply_splices(splices)
        return Accepted(workspace.by_id(thought), changed, undo if changed else 0)


def _newest_revision(connection: apsw.Connection, thought: str) -> int:
    from aimem_tui.store import revisions
    from aimem_tui.workspace import writing

    return len(revisions.spans(connection, writing.known(connection, thought)))


def by_index(home: Home, workspace: Workspace) -> NearnessOf:
    """How near thoughts are by the vectors that the machine's index has of them."""

    def nearness(thoughts: Sequence[int]) -> Nearness | None:
        from aimem_tui.index.file import IndexFile

        index = IndexFile.existing(home.index_file)
        if index is None:
            return None
        from aimem_tui.index.reader import IndexReader
        from aimem_tui.organize.meaning import VectorNearness
        from aimem_tui.store import log

        with index:
            reader = IndexReader(index, log.own_replica(workspace.database.read()))
            return VectorNearness.of(reader, thoughts)

    return nearness


def improver(model: LanguageModel) -> Improver:
    """A language model as whoever puts proposals better."""
    from aimem_tui.assist.improving import Improving

    return Improving(model)


def _edit_of(suggestion: Suggestion, thought: Thought, text: str) -> Sequence[Splice]:
    """The edit that a suggestion proposes for a text."""
    from aimem_tui.markdown import frontmatter
    from aimem_tui.organize import extracts, links

    kind, proposal = suggestion.kind, suggestion.proposal
    if kind is SuggestionKind.TAGS:
        return frontmatter.add_tags(text, proposal)
    if kind is SuggestionKind.TITLE:
        return extracts.titled(thought.path, text, proposal[0])
    if kind is SuggestionKind.SUMMARY:
        return frontmatter.set_property(text, "summary", proposal[0])
    if kind is SuggestionKind.STALE:
        return frontmatter.set_property(text, _key(text, "status"), proposal[0])
    return links.replacement(thought.path, text, suggestion.subject, proposal[0])


def _key(text: str, key: str) -> str:
    """A property's key as a text writes it."""
    from aimem_tui.markdown import frontmatter

    found = (each for each in frontmatter.properties(text) if each.casefold() == key)
    return next(found, key)


def _take_over(document: ThoughtDocument, paths: Sequence[str]) -> None:
    """Have further paths lead to a thought, as if it had been there.

    A thought's earlier paths grow only when it is moved; so it is moved there and back again.
    """
    own = document.meta.path
    known = {own, *document.meta.aliases}
    for path in _new(paths, known):
        document.move(path)
    document.move(own)


def _new(paths: Sequence[str], known: set[str]) -> Iterator[str]:
    return (path for path in dict.fromkeys(paths) if path not in known)
