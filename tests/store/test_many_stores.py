"""Three files of one workspace live through whatever happens to files, and end up alike."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from aimem_tui.store import compaction, identity, log
from aimem_tui.workspace import doctor
from aimem_tui.workspace.creation import create_workspace
from aimem_tui.workspace.workspace import Workspace
from tests.store.joined import Joined
from tests.store.test_two_stores import shown
from tests.workspaces import open_workspace

STORES = st.integers(0, 2)
PATHS = st.sampled_from(["a.md", "b.md", "x/c.md"])
ROUNDS = 12
"""So often each meets each other at the end; forks may take a few."""


class StoresAgree(RuleBasedStateMachine):
    """Every word is written once and never deleted, so none that a file has may be missing."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.stores = [open_workspace(self.root / "0", author="0")]
        for number in (1, 2):
            folder = self.root / str(number)
            create_workspace(folder / "workspace.db", self.stores[0].identity())
            self.stores.append(open_workspace(folder, author=str(number)))
        self.words = 0

    def teardown(self) -> None:
        try:
            self.agree()
        finally:
            for store in self.stores:
                store.close()
            self.folder.cleanup()

    @rule(number=STORES, path=PATHS)
    def write(self, number: int, path: str) -> None:
        store = self.stores[number]
        store.catch_up()
        self.words += 1
        word = f"word{self.words}"
        thought = store.at(path)
        if thought is None:
            store.create(path, f"{word}\n")
        else:
            store.append(thought, word)

    @rule(number=STORES)
    def compact(self, number: int) -> None:
        with self.stores[number].database.write() as connection:
            for (thought,) in connection.execute("SELECT n FROM thought_ids").fetchall():
                compaction.compact(connection, thought)

    @rule(one=STORES, other=STORES, steps=st.integers(1, 40))
    def meet(self, one: int, other: int, steps: int) -> None:
        """A connection, which may break at any time."""
        if one != other:
            Joined(self.stores[one], self.stores[other]).settle(steps)

    @rule(number=STORES)
    def back_up(self, number: int) -> None:
        self.stores[number].database.truncate_wal()
        shutil.copy(self.stores[number].database.path, self.root / f"backup{number}")

    @rule(number=STORES, over=st.booleans())
    def put_back(self, number: int, over: bool) -> None:
        """An older file takes the place of the present one, or its content does."""
        backup = self.root / f"backup{number}"
        if not backup.exists():
            return
        self.stores[number].close()
        file = self.root / str(number) / "workspace.db"
        if not over:
            file.unlink()
        shutil.copy(backup, file)
        self.stores[number] = open_workspace(file.parent, author=str(number))

    @rule(number=STORES, onto=STORES)
    def copy(self, number: int, onto: int) -> None:
        """One machine's file is replaced by a copy of another's."""
        if number == onto:
            return
        self.stores[number].database.truncate_wal()
        self.stores[onto].close()
        file = self.root / str(onto) / "workspace.db"
        file.unlink()
        shutil.copy(self.stores[number].database.path, file)
        self.stores[onto] = open_workspace(file.parent, author=str(onto))
        ids = {identity.of(store.database.read()).replica for store in self.stores}
        assert len(ids) == 3

    def agree(self) -> None:
        pairs = [(0, 1), (1, 2), (0, 2)]
        said = {word for store in self.stores for word in words_of(store)}
        for _ in range(ROUNDS):
            gone = [Joined(self.stores[a], self.stores[b]).settle().one.gone for a, b in pairs]
            if not any(gone):
                break
        assert not any(gone), "no connection ends by itself"
        first, *others = self.stores
        for store in others:
            assert shown(store) == shown(first)
            assert log.vector(store.database.read()) == log.vector(first.database.read())
        assert set(words_of(first)) == said
        assert len(words_of(first)) == len(said), "none is there twice"
        for store in self.stores:
            assert [finding for finding in doctor.examine(store) if not finding.ok] == []


def words_of(store: Workspace) -> list[str]:
    store.catch_up()
    return [word for thought in store.thoughts() for word in store.text(thought.id).split()]


TestStoresAgree = StoresAgree.TestCase
TestStoresAgree.settings = settings(
    max_examples=settings().max_examples // 3, stateful_step_count=25
)
