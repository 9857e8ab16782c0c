"""What is purged is gone from the disk, what is in the trash comes back by an edit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui.errors import NotFound, Refused
from aimem_tui.model import Filter
from aimem_tui.organize.memory import FILE_NAME
from aimem_tui.workspace.ordering import Ordering
from aimem_tui.workspace.workspace import Workspace
from crdt.textdiff import Splice
from tests.workspaces import open_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path) as opened:
        yield opened


def test_a_purge_leaves_nothing_of_the_text_in_the_files(tmp_path: Path) -> None:
    with open_workspace(tmp_path) as workspace:
        other = workspace.create("other.md", "OTHERS text")
        thought = workspace.create("a.md", "# SECRETtitle\n" + "SECRETword " * 3_000)
        workspace.append(thought.id, "SECRETlater")
        workspace.edit_text(thought.id, lambda text: [Splice(0, len(text), "harmless")])
        workspace.append(thought.id, "SECRETlast [SECRETlink](SECRETtarget.md)\n#SECRETtag")
        workspace.trash(thought.id)
        workspace.purge(thought.id)
        assert workspace.search("OTHERS").total == 1
        with pytest.raises(NotFound):
            workspace.history(thought.id)
        kept = workspace.database.read().execute("SELECT count(*) FROM kept_revisions").get
        assert kept == 0
        on_disk = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert workspace.text(other.id).encode() in on_disk
        # The index holds words folded and stemmed.
        assert b"secret" not in on_disk.lower()


def test_a_purge_takes_what_was_suggested_along(tmp_path: Path) -> None:
    with open_workspace(tmp_path) as workspace:
        thought = workspace.create("a.md", "# A\n\nIt leads to [x](SECRETtarget.md).\n")
        assert Ordering(workspace).suggestions().suggestions
        file = tmp_path / FILE_NAME
        assert b"SECRET" in file.read_bytes()
        workspace.trash(thought.id)
        workspace.purge(thought.id)
        assert b"SECRET" not in file.read_bytes()


def test_a_long_history_is_purged_too(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimem_tui.store.compaction.ENTRIES_BEFORE_COMPACTION", 3)
    thought = workspace.create("a.md", "SECRET")
    for turn in range(10):
        workspace.append(thought.id, str(turn))
    workspace.trash(thought.id)
    workspace.purge(thought.id)
    for table in ("kept_revisions", "log"):
        assert workspace.database.read().execute(f"SELECT count(*) FROM {table}").get == 0
    state = workspace.database.read().execute("SELECT state FROM checkpoints").get
    assert b"SECRET" not in state


def test_of_several_thoughts_all_are_purged_or_none(workspace: Workspace) -> None:
    first, second = (workspace.create(f"{name}.md", name) for name in "ab")
    workspace.trash(first.id)
    with pytest.raises(Refused):
        workspace.purge(first.id, second.id)
    assert workspace.text(first.id) == "a"
    workspace.trash(second.id)
    workspace.purge(first.id, second.id)
    assert workspace.count(Filter(trashed=True)) == 0


def test_an_edit_that_nobody_has_listed_yet_saves_a_thought_from_the_purge(
    workspace: Workspace,
) -> None:
    thought = workspace.create("a.md", "text")
    live = workspace.open_live(thought.id)
    workspace.trash(thought.id)
    live.document.replace_text("text, edited elsewhere")
    workspace.writer.flush()
    with pytest.raises(Refused):
        workspace.purge(thought.id)
    workspace.catch_up()
    assert workspace.by_id(thought.id).trashed_at is None
    live.close()


def test_a_thought_that_an_edit_has_brought_back_stays_whatever_it_says_later(
    workspace: Workspace,
) -> None:
    thought = workspace.create("a.md", "text\n")
    workspace.trash(thought.id)
    workspace.append(thought.id, "edited in the trash")
    assert workspace.by_id(thought.id).trashed_at is None
    workspace.edit_text(thought.id, lambda text: [Splice(5, len(text), "")])
    assert workspace.text(thought.id) == "text\n"
    assert workspace.by_id(thought.id).trashed_at is None
    workspace.trash(thought.id)
    workspace.append(thought.id, "again")
    handout = workspace.hand_out(thought.id)
    assert workspace.take_back(handout, "text\n")
    assert workspace.by_id(thought.id).trashed_at is None
