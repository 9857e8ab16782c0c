"""The rows of the tree of thoughts, of which only a few are ever known.

Knows neither Textual nor SQL. Rules:

- The model never reads. Where it lacks something it hands a `Question` to ``ask`` and shows an
  empty row meanwhile. Whoever got the question lets `answer` read it, on any thread, and gives
  the `Answer` to `TreeModel.accept` on the thread of the model.
- A folder is read when it opens; its thoughts page by page, each page by the key of the last
  thought before it and never by an offset.
- Every folder carries a stamp that a change moves on. An answer to a question asked before the
  change is dropped and asked again, so a late answer never brings back what is gone.
- Order is by code points of the name (SQLite's ``BINARY``), folders before thoughts.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from aimem_tui.model import Kind, Lifecycle, Thought
from aimem_tui.widgets.icons import PLAIN, Icons
from aimem_tui.widgets.rows import Row, Span
from aimem_tui.widgets.tree_reading import Answer, Listing, Question, Wish
from aimem_tui.widgets.tree_shape import Branch, Leaf, TreeShape

PAGE = 256
"""Thoughts read at once when a folder opens."""

MOST_THOUGHTS = 5_000
"""Thoughts read at once when somebody jumps far into a folder."""


class RowSort(Enum):
    """What a row of the tree is."""

    PLACE = "place"
    FOLDER = "folder"
    THOUGHT = "thought"
    UNREAD = "unread"
    """A thought that is not read yet."""


class TreeKey(NamedTuple):
    """What stays the same about a row."""

    sort: RowSort
    value: str
    """A place's name, a folder's path or a thought's id."""


class Place(NamedTuple):
    """A row above the folders that leads to another list."""

    name: str
    label: str
    number: int | None = None


def _no_badges(of: str) -> tuple[Span, ...]:
    return ()


class TreeModel:
    """The visible rows of the tree; a `RowModel` whose keys are `TreeKey`.

    Shows only the places until `reload` was called and its question answered.

    Args:
        ask: takes a question; the answer comes back through `accept`, at once or later.
        icons: signs to draw with.
        badges: what to show beside the thought with that id: who is there, what is new.
        folder_badges: the same beside the closed folder at that path, of all that is in it.
        places: the rows above the folders.
        page: how many thoughts to read at once.
    """

    def __init__(
        self,
        ask: Callable[[Question], None] | None = None,
        *,
        icons: Icons = PLAIN,
        badges: Callable[[str], tuple[Span, ...]] = _no_badges,
        folder_badges: Callable[[str], tuple[Span, ...]] = _no_badges,
        places: Sequence[Place] = (Place("recent", "Recent"), Place("trash", "Trash")),
        page: int = PAGE,
    ) -> None:
        self.ask = ask
        self.icons = icons
        self.badges = badges
        self.folder_badges = folder_badges
        self.places: Sequence[Place] = places
        self._page = page
        self._shape = TreeShape()
        self._open: set[str] = set()
        self._goal: str | None = None

    @property
    def opened(self) -> frozenset[str]:
        """The folders that are open, to be remembered until next time."""
        return frozenset(self._open)

    def count(self) -> int:
        """How many rows there are."""
        return len(self.places) + self._shape.root.below

    def key(self, index: int) -> TreeKey:
        """What stays the same about a row."""
        if index < len(self.places):
            return TreeKey(RowSort.PLACE, self.places[index].name)
        spot = self._shape.spot(index - len(self.places))
        if spot.leaf < 0:
            return TreeKey(RowSort.FOLDER, spot.branch.path)
        if spot.leaf < len(spot.branch.leaves):
            return TreeKey(RowSort.THOUGHT, spot.branch.leaves[spot.leaf].id)
        return TreeKey(RowSort.UNREAD, f"{spot.branch.path}/{spot.leaf}")

    def row(self, index: int) -> Row:
        """What to draw; asks for the thought in it if it is not read yet."""
        if index < len(self.places):
            place = self.places[index]
            count = "" if place.number is None else f"{place.number:,}"
            return Row.of(place.label, meta=count, indent=2)
        spot = self._shape.spot(index - len(self.places))
        branch, indent = spot.branch, 2 * spot.depth
        if spot.leaf < 0:
            sign = self.icons.opened if branch.open else self.icons.closed
            line = (Span(f"{sign} ", "muted"), Span(branch.name))
            badges = () if branch.open else self.folder_badges(branch.path)
            return Row((line,), (Span(f"{branch.thoughts:,}", "muted"),), badges, indent)
        if spot.leaf < len(branch.leaves):
            return self._thought_row(branch.leaves[spot.leaf], indent + 2)
        self._ask_more(branch, spot.leaf)
        return Row.of(self.icons.ellipsis, "muted", indent=indent + 2)

    def _thought_row(self, leaf: Leaf, indent: int) -> Row:
        badges = self.badges(leaf.id)
        if leaf.lifecycle is Lifecycle.DONE:
            badges = (Span(self.icons.done, "muted"), *badges)
        settled = leaf.lifecycle in (Lifecycle.DONE, Lifecycle.OBSOLETE)
        style = "muted" if settled or leaf.kind is Kind.FILE else ""
        name = leaf.name.removesuffix(".md") or leaf.name
        return Row(((Span(name, style),),), badges=badges, indent=indent)

    def row_of(self, key: Hashable) -> int | None:
        """Where the row with this key is; None when it is not visible or not read."""
        if not isinstance(key, TreeKey):
            return None
        if key.sort is RowSort.PLACE:
            names = [place.name for place in self.places]
            return names.index(key.value) if key.value in names else None
        row: int | None = None
        if key.sort is RowSort.FOLDER:
            branch = self._shape.branch(key.value)
            row = None if branch is None else self._shape.row_of_branch(branch)
        elif key.sort is RowSort.THOUGHT and key.value in self._shape.leaves:
            row = self._shape.row_of_leaf(self._shape.leaves[key.value])
        return None if row is None else len(self.places) + row

    def key_of(self, path: str) -> TreeKey | None:
        """The key of the folder or thought at ``path``, if it is visible and read."""
        folder, _, name = path.rpartition("/")
        home = self._shape.branch(folder)
        if home is None or not home.visible():
            return None
        if home.branch(name) is not None:
            return TreeKey(RowSort.FOLDER, path)
        leaf = home.leaf(name)
        return None if leaf is None else TreeKey(RowSort.THOUGHT, leaf.id)

    def parent_of(self, key: TreeKey) -> TreeKey | None:
        """The key of the folder a row is in; None for what is in no folder."""
        path = ""
        if key.sort is RowSort.THOUGHT and key.value in self._shape.leaves:
            path = self._shape.leaves[key.value].branch.path
        elif key.sort in (RowSort.FOLDER, RowSort.UNREAD):
            path = key.value.rpartition("/")[0]
        return TreeKey(RowSort.FOLDER, path) if path else None

    def path_of(self, key: TreeKey) -> str | None:
        """The path of the folder or thought in a row; None for a place or an unread thought."""
        if key.sort is RowSort.FOLDER:
            return key.value
        leaf = self._shape.leaves.get(key.value) if key.sort is RowSort.THOUGHT else None
        return None if leaf is None else leaf.path

    def is_open(self, folder: str) -> bool:
        """Whether what is in the folder is shown."""
        branch = self._shape.branch(folder)
        return branch is not None and branch.open

    def open(self, folder: str) -> None:
        """Open a folder; its rows come when it was read."""
        self._open.add(folder)
        branch = self._shape.branch(folder)
        if branch is not None and branch.listed:
            self._show(branch)
        elif branch is not None:
            self._ask_for([branch])

    def close(self, folder: str) -> None:
        """Close a folder. Folders in it stay open or closed for the next time."""
        self._open.discard(folder)
        branch = self._shape.branch(folder)
        if branch is not None:
            self._show(branch)

    def expand_all(self) -> None:
        """Open every folder, up to `tree_reading.MOST_FOLDERS`; only folders are read for it."""
        self._put(Question((Wish("", self._shape.root.stamp, 0),), deep=True))

    def collapse_all(self) -> None:
        """Close every folder."""
        self._open.clear()
        for branch in self._shape.root.walk():
            branch.open = branch is self._shape.root
        self._shape.root.recount()

    def restore(self, opened: Iterable[str]) -> None:
        """Open these folders as soon as they are seen, as they were last time."""
        self._open.update(opened)
        unlisted = [branch for branch in self._shape.root.walk() if not branch.listed]
        self._ask_for([branch for branch in unlisted if branch.path in self._open])

    def reveal(self, path: str) -> None:
        """Open the folders above a path and read as far as it, so that `key_of` knows it."""
        self._goal = path
        self._pursue_goal()

    def reload(self) -> None:
        """Read again what is visible: for the first time, or after changes too many to name."""
        root = self._shape.root
        for branch in root.walk():
            branch.stamp += 1
            branch.asked = False
            if not branch.visible():
                branch.listed = branch.open = False
                self._shape.drop_thoughts(branch)
        self._ask_for([branch for branch in root.walk() if branch.open])

    def apply(self, thought: str, old_path: str, now: Thought | None) -> None:
        """Take up one change of one thought; ``model_changed()`` afterwards.

        Args:
            thought: its id.
            old_path: the path it was shown under; empty if it was not shown.
            now: what it is; None, or in the trash, if it is shown no longer.
        """
        if now is not None and now.trashed_at is not None:
            now = None
        leaf = self._shape.leaves.get(thought)
        if leaf is not None:
            old_path = leaf.path
        if now is not None and old_path == now.path:
            if leaf is not None:
                leaf.kind, leaf.lifecycle = now.kind, now.lifecycle
            for branch in self._shape.chain(old_path.rpartition("/")[0]):
                branch.stamp += 1
            return
        if old_path:
            self._shape.remove(thought, old_path)
        if now is not None:
            home = self._shape.insert(now)
            if home.path in self._open and not home.listed:
                self._ask_for([home])

    def accept(self, answer: Answer) -> None:
        """Take up what was read; ``model_changed()`` afterwards."""
        fresh: list[Branch] = []
        for listing in answer.listings:
            branch = self._shape.branch(listing.wish.folder)
            if branch is None:
                continue
            branch.asked = False
            if listing.wish.stamp == branch.stamp:
                fresh += self._take(branch, listing)
                if answer.below:
                    self._take_below(answer)
                self._show(branch)
            elif answer.question.deep:
                self.expand_all()
            elif listing.wish.after is None:
                self._ask_for([branch])
        self._ask_for([branch for branch in fresh if branch.path in self._open])
        self._pursue_goal()

    def abandon(self, question: Question) -> None:
        """Expect no answer to a question: reading failed. It may be asked again."""
        for wish in question.wishes:
            branch = self._shape.branch(wish.folder)
            if branch is not None:
                branch.asked = False

    def _take(self, branch: Branch, listing: Listing) -> list[Branch]:
        wish = listing.wish
        fresh: list[Branch] = []
        if listing.total is not None:
            branch.thoughts = listing.total
        if wish.limit and wish.after is None:
            self._shape.drop_thoughts(branch)
        if wish.folders:
            fresh = self._shape.take_folders(branch, listing.folders)
        if wish.limit:
            self._shape.take_thoughts(branch, listing.thoughts, wish.limit)
        return fresh

    def _take_below(self, answer: Answer) -> None:
        opened: list[Branch] = []
        for inside in answer.below:
            branch = self._shape.branch(inside.path)
            if branch is not None:
                self._shape.take_folders(branch, inside.folders)
                self._open.add(inside.path)
                opened.append(branch)
        for branch in reversed(opened):
            branch.open = True
            branch.recount()

    def _show(self, branch: Branch) -> None:
        """Show a folder's rows, or not, as its being open says."""
        if branch is not self._shape.root:
            branch.open = branch.listed and branch.path in self._open
        branch.recount_upwards()

    def _put(self, question: Question) -> None:
        if self.ask is not None:
            self.ask(question)

    def _ask_for(self, branches: Sequence[Branch]) -> None:
        """Ask what is in these folders, as much of it as was known before."""
        wishes: list[Wish] = []
        for branch in branches:
            if not branch.asked:
                branch.asked = True
                limit = min(max(self._page, len(branch.leaves)), MOST_THOUGHTS)
                wishes.append(Wish(branch.path, branch.stamp, limit))
        if wishes:
            self._put(Question(tuple(wishes)))

    def _ask_more(self, branch: Branch, upto: int) -> None:
        """Ask for thoughts after the last one known, as far as that one if possible."""
        if branch.asked or branch.known:
            return
        branch.asked = True
        limit = min(upto + 1 - len(branch.leaves) + self._page, MOST_THOUGHTS)
        self._put(Question((Wish(branch.path, branch.stamp, limit, branch.last, folders=False),)))

    def _pursue_goal(self) -> None:
        """Do the next step towards the path that is to be revealed."""
        if self._goal is None:
            return
        folder, _, name = self._goal.rpartition("/")
        branch = self._shape.root
        for part in folder.split("/") if folder else ():
            child = branch.branch(part)
            if child is None:
                self._goal = None if branch.listed else self._goal
                return
            self._open.add(child.path)
            if not child.listed:
                self._ask_for([child])
                return
            if not child.open:
                self._show(child)
            branch = child
        if not branch.listed:
            return
        ahead = not branch.known and (branch.last is None or branch.last.name < name)
        if ahead and branch.branch(name) is None:
            self._ask_more(branch, len(branch.leaves) + MOST_THOUGHTS)
        else:
            self._goal = None
