"""Folders and thoughts as far as they are known, and which row each one stands in.

Pure bookkeeping: nothing here asks, reads or draws. Rules:

- A row is not held anywhere. Each folder knows how many rows lie below it while it is open
  (`Branch.below`) and where its folders stand among them (`Branch.offsets`); a row is found by
  walking down those counts, so an open folder of 50,000 thoughts costs what was read of it.
- ``leaves`` are the *first* thoughts of a folder in order of name and id, up to and with
  ``last``. What comes behind is only counted, until it is read.
- Whoever changes a branch calls `Branch.recount`, from the deepest one changed up to the root.
- Paths may be deep without end, so nothing here calls itself.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from aimem_tui.model import Folder, Thought


class Leaf:
    """A thought as far as its row needs it."""

    __slots__ = ("branch", "id", "kind", "lifecycle", "name")

    def __init__(self, thought: Thought, branch: Branch) -> None:
        self.id = thought.id
        self.name = thought.name
        self.kind = thought.kind
        self.lifecycle = thought.lifecycle
        self.branch = branch

    @property
    def path(self) -> str:
        """Where it is shown."""
        return f"{self.branch.path}/{self.name}" if self.branch.path else self.name


class Branch:
    """A folder: the folders in it, the thoughts read so far, and how many rows it fills."""

    __slots__ = (
        "asked",
        "below",
        "branches",
        "direct",
        "known",
        "last",
        "leaves",
        "listed",
        "name",
        "offsets",
        "open",
        "parent",
        "path",
        "stamp",
        "thoughts",
    )

    def __init__(self, path: str, parent: Branch | None, thoughts: int) -> None:
        self.path = path
        self.name = path.rpartition("/")[2]
        self.parent = parent
        self.thoughts = thoughts
        """Below it at any depth."""
        self.direct = 0
        """Directly in it, read or not."""
        self.branches: list[Branch] = []
        self.leaves: list[Leaf] = []
        self.last: Thought | None = None
        """The last thought that was read, though it may be gone by now."""
        self.known = False
        """Whether ``leaves`` are all there are."""
        self.listed = False
        """Whether ``branches`` are known."""
        self.open = False
        self.asked = False
        """Whether a question about it is on its way."""
        self.stamp = 0
        """Moves on with every change in it or below."""
        self.offsets: list[int] = [0]
        self.below = 0

    def recount(self) -> None:
        """Count anew where its folders stand and how many rows there are below it."""
        sizes = (1 + (branch.below if branch.open else 0) for branch in self.branches)
        self.offsets = list(accumulate(sizes, initial=0))
        self.below = self.offsets[-1] + self.direct

    def recount_upwards(self) -> None:
        """Count anew here and in every folder above."""
        branch: Branch | None = self
        while branch is not None:
            branch.recount()
            branch = branch.parent

    def visible(self) -> bool:
        """Whether its rows can be seen: it and every folder above it is open."""
        branch: Branch | None = self
        while branch is not None:
            if not branch.open:
                return False
            branch = branch.parent
        return True

    def walk(self) -> Iterator[Branch]:
        """This folder and all known ones below it, parents first."""
        waiting = [self]
        while waiting:
            branch = waiting.pop()
            yield branch
            waiting.extend(branch.branches)

    def place_of(self, name: str) -> int:
        """Where a folder of that name stands or would stand among its folders."""
        return bisect_left(self.branches, name, key=lambda branch: branch.name)

    def branch(self, name: str) -> Branch | None:
        """The folder of that name in it."""
        place = self.place_of(name)
        if place < len(self.branches) and self.branches[place].name == name:
            return self.branches[place]
        return None

    def leaf_place(self, name: str, thought: str) -> int:
        """Where a thought stands or would stand among its leaves."""
        return bisect_left(self.leaves, (name, thought), key=lambda leaf: (leaf.name, leaf.id))

    def leaf(self, name: str) -> Leaf | None:
        """The thought of that name in it, if it is read."""
        place = self.leaf_place(name, "")
        if place < len(self.leaves) and self.leaves[place].name == name:
            return self.leaves[place]
        return None

    def within_read(self, thought: Thought) -> bool:
        """Whether a thought of it belongs among the leaves, not among those only counted."""
        if self.known:
            return True
        last = self.last
        return last is not None and (thought.name, thought.id) <= (last.name, last.id)


class Spot(NamedTuple):
    """What stands in a row."""

    branch: Branch
    leaf: int
    """Which thought of the folder, from 0; -1 for the row of the folder itself."""
    depth: int


class TreeShape:
    """The root and what is known below it. Rows count from 0 at the first folder's row."""

    def __init__(self) -> None:
        self.root = Branch("", None, 0)
        self.root.open = True
        self.leaves: dict[str, Leaf] = {}
        """All leaves by their thought's id."""

    def chain(self, folder: str) -> list[Branch]:
        """The folders from the root towards a path, as far as they are known."""
        chain = [self.root]
        for part in folder.split("/") if folder else ():
            child = chain[-1].branch(part)
            if child is None:
                break
            chain.append(child)
        return chain

    def branch(self, path: str) -> Branch | None:
        """The folder at a path, if it is known."""
        branch = self.chain(path)[-1]
        return branch if branch.path == path else None

    def spot(self, row: int) -> Spot:
        """What stands in a row; a row past the end is one of the root's thoughts."""
        branch, depth = self.root, 0
        while row < branch.offsets[-1]:
            place = bisect_right(branch.offsets, row) - 1
            row -= branch.offsets[place]
            branch = branch.branches[place]
            if row == 0:
                return Spot(branch, -1, depth)
            row -= 1
            depth += 1
        return Spot(branch, row - branch.offsets[-1], depth)

    def row_of_branch(self, branch: Branch) -> int | None:
        """The row of a folder; None when it cannot be seen. The root would stand at -1."""
        row = -1
        while branch.parent is not None:
            if not branch.parent.open:
                return None
            row += 1 + branch.parent.offsets[branch.parent.place_of(branch.name)]
            branch = branch.parent
        return row

    def row_of_leaf(self, leaf: Leaf) -> int | None:
        """The row of a thought; None when it cannot be seen."""
        branch = leaf.branch
        above = self.row_of_branch(branch) if branch.open else None
        if above is None:
            return None
        return above + 1 + branch.offsets[-1] + branch.leaf_place(leaf.name, leaf.id)

    def take_folders(self, branch: Branch, folders: Sequence[Folder]) -> list[Branch]:
        """Make these the folders in a folder; returns those that were not there before."""
        before = {child.path: child for child in branch.branches}
        fresh: list[Branch] = []
        branch.branches = []
        for folder in folders:
            child = before.pop(folder.path, None)
            if child is None:
                child = Branch(folder.path, branch, folder.thoughts)
                fresh.append(child)
            child.thoughts = folder.thoughts
            branch.branches.append(child)
        for gone in before.values():
            self._forget(gone)
        branch.listed = True
        if not branch.known:
            branch.direct = max(self._counted(branch), len(branch.leaves))
        return fresh

    def take_thoughts(self, branch: Branch, thoughts: Sequence[Thought], limit: int) -> None:
        """Append a page of thoughts that was read with that limit."""
        for thought in thoughts:
            leaf = self.leaves[thought.id] = Leaf(thought, branch)
            branch.leaves.append(leaf)
        branch.last = thoughts[-1] if thoughts else branch.last
        read, counted = len(branch.leaves), self._counted(branch)
        # A full page that is all there should be is taken for the end. Where the counts are older
        # than the page, one more row is promised; looking at it tells.
        branch.known = len(thoughts) < limit or counted == read
        branch.direct = read if branch.known else max(counted, read + 1)

    def drop_thoughts(self, branch: Branch) -> None:
        """Forget the thoughts in a folder, to begin anew with its first page."""
        for leaf in branch.leaves:
            self.leaves.pop(leaf.id, None)
        branch.leaves = []
        branch.last = None
        branch.known = False

    def remove(self, thought: str, path: str) -> None:
        """Take a thought away from its folder, and folders away that are empty then."""
        folder = path.rpartition("/")[0]
        chain = self.chain(folder)
        for branch in chain:
            branch.stamp += 1
            branch.thoughts = max(0, branch.thoughts - 1)
        home = chain[-1]
        leaf = self.leaves.pop(thought, None)
        if leaf is not None:
            del home.leaves[home.leaf_place(leaf.name, thought)]
            home.direct -= 1
        elif home.path == folder and home.listed and not home.known:
            home.direct = max(home.direct - 1, len(home.leaves))
        for branch in reversed(chain):
            left = branch.direct or branch.branches if branch.listed else branch.thoughts
            if branch.parent is not None and not left:
                self._forget(branch)
                branch.parent.branches.remove(branch)
            branch.recount()

    def insert(self, thought: Thought) -> Branch:
        """Put a thought into its folder; returns the deepest folder above it that is known.

        If the way there leaves what is known, the first folder on it is made.
        """
        folder = thought.path.rpartition("/")[0]
        chain = self.chain(folder)
        home = chain[-1]
        if home.path != folder and home.listed:
            part = folder[len(home.path) :].lstrip("/").split("/")[0]
            child = Branch(f"{home.path}/{part}" if home.path else part, home, 0)
            home.branches.insert(home.place_of(part), child)
            chain.append(child)
            home = child
        for branch in chain:
            branch.stamp += 1
            branch.thoughts += 1
        if home.path == folder and home.listed:
            if home.within_read(thought):
                leaf = self.leaves[thought.id] = Leaf(thought, home)
                home.leaves.insert(home.leaf_place(leaf.name, leaf.id), leaf)
            home.direct += 1
        for branch in reversed(chain):
            branch.recount()
        return home

    def _counted(self, branch: Branch) -> int:
        """How many thoughts are directly in a folder, as the counts say."""
        return branch.thoughts - sum(child.thoughts for child in branch.branches)

    def _forget(self, top: Branch) -> None:
        for branch in top.walk():
            self.drop_thoughts(branch)
