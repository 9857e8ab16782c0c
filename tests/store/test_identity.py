"""No two files give out the same names, however they came to be."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui.store import compaction, identity, log, whereabouts
from aimem_tui.store.identity import Identity, IdentityChanged
from aimem_tui.store.log import Draft
from aimem_tui.store.receiving import receive
from aimem_tui.store.replica import StoreReplica
from aimem_tui.workspace.creation import create_workspace
from aimem_tui.workspace.workspace import Workspace
from crdt.session.events import CaughtUp, CheckpointsReceived
from crdt.session.replica import Cursor
from crdt.vector import Vector
from tests.store.joined import Joined, join
from tests.store.test_two_stores import compact_all, same, shown, write_much
from tests.workspaces import START, open_workspace


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "one", author="ann") as opened:
        yield opened


@pytest.fixture
def other(one: Workspace, tmp_path: Path) -> Iterator[Workspace]:
    """An empty copy of the same workspace."""
    with another(one, tmp_path / "other") as opened:
        yield opened


def another(one: Workspace, folder: Path) -> Workspace:
    create_workspace(folder / "workspace.db", one.identity())
    return open_workspace(folder, author="ben")


def ids(workspace: Workspace) -> Identity:
    return identity.of(workspace.database.read())


def made_and_closed(folder: Path, *paths: str) -> Identity:
    """Write thoughts; returns the file's ids."""
    with open_workspace(folder) as workspace:
        for path in paths:
            workspace.create(path, path)
        return ids(workspace)


def opened(folder: Path) -> tuple[Identity, str]:
    with open_workspace(folder) as workspace:
        return ids(workspace), workspace.renewed


def test_a_file_keeps_its_ids(tmp_path: Path) -> None:
    before = made_and_closed(tmp_path, "a.md")
    assert len({before.workspace, before.replica, before.log}) == 3
    assert opened(tmp_path) == (before, "")


@pytest.mark.parametrize("command", [shutil.copytree, shutil.move])
def test_a_copied_file_takes_new_ids_and_a_moved_one_keeps_them(
    tmp_path: Path, command: object
) -> None:
    before = made_and_closed(tmp_path / "here", "a.md")
    command(tmp_path / "here", tmp_path / "there")
    after, renewed = opened(tmp_path / "there")
    if command is shutil.move:
        assert (after, renewed) == (before, "")
        return
    assert renewed == whereabouts.COPIED
    assert after.workspace == before.workspace
    assert len({before.replica, after.replica, before.log, after.log}) == 4
    assert opened(tmp_path / "there") == (after, "")
    assert opened(tmp_path / "here") == (before, "")


def test_a_file_that_is_copied_while_it_is_used_and_its_copy_agree(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "here", author="ann") as here:
        thought = here.create("a.md", "start\n")
        shutil.copytree(tmp_path / "here", tmp_path / "there")
        with open_workspace(tmp_path / "there", author="ben") as there:
            here.append(thought.id, "here")
            there.append(thought.id, "there")
            join(here, there)
            same(here, there)
            assert sorted(here.text(thought.id).split()) == ["here", "start", "there"]


def put_back(backup: Path, file: Path, way: str) -> None:
    for leftover in file.parent.glob(f"{file.name}-*"):
        leftover.unlink()
    match way:
        case "written over":
            file.write_bytes(backup.read_bytes())
        case "renamed over":
            shutil.copy(backup, backup.with_name("again"))
            backup.with_name("again").replace(file)


@pytest.mark.parametrize("way", ["written over", "renamed over"])
@pytest.mark.parametrize("compacted", [False, True])
def test_an_older_file_put_back_gives_out_no_name_again_that_has_left(
    tmp_path: Path, way: str, compacted: bool
) -> None:
    backup = tmp_path / "backup.db"
    with open_workspace(tmp_path / "here", author="ann") as here:
        first = here.create("first.md", "text\n")
        before = ids(here)
        here.database.truncate_wal()
        shutil.copy(here.database.path, backup)
        with another(here, tmp_path / "there") as there:
            late = here.create("late.md", "text\n")
            here.append(first.id, "late")
            if compacted:
                compact_all(here)
            join(here, there)
    put_back(backup, tmp_path / "here" / "workspace.db", way)
    with (
        open_workspace(tmp_path / "here", author="ann") as here,
        open_workspace(tmp_path / "there", author="ben") as there,
    ):
        assert here.renewed == (whereabouts.RESTORED if way == "written over" else "copied")
        after = ids(here)
        assert after.replica != before.replica
        assert after.log != before.log
        here.append(first.id, "after")
        here.create("after.md", "")
        there.append(late.id, "meanwhile")
        joined = join(here, there)
        assert not joined.one.forks and not joined.other.forks
        same(here, there)
        assert sorted(here.text(first.id).split()) == ["after", "late", "text"]
        assert here.text(late.id) == "text\nmeanwhile\n"


def test_an_older_file_of_which_nothing_newer_has_left_may_keep_its_ids(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "here") as here, another(here, tmp_path / "there") as there:
        here.create("first.md", "")
        join(here, there)
        before = ids(here)
    backup = tmp_path / "backup.db"
    shutil.copy(tmp_path / "here" / "workspace.db", backup)
    made_and_closed(tmp_path / "here", "second.md")
    put_back(backup, tmp_path / "here" / "workspace.db", "written over")
    assert opened(tmp_path / "here") == (before, "")


def test_positions_that_were_told_are_not_told_again_of_other_entries(tmp_path: Path) -> None:
    """An older file with no own entries at all: what it passed on is numbered, too."""
    backup = tmp_path / "backup.db"
    with open_workspace(tmp_path / "a") as a, another(a, tmp_path / "b") as b:
        b.database.truncate_wal()
        shutil.copy(b.database.path, backup)
        a.create("a.md", "")
        join(a, b)
        with another(a, tmp_path / "c") as c:
            join(b, c)
        before = ids(b)
    put_back(backup, tmp_path / "b" / "workspace.db", "written over")
    after, renewed = opened(tmp_path / "b")
    assert renewed == whereabouts.RESTORED
    assert after.log != before.log


@pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read and write everything"
)
def test_a_copy_that_may_only_be_read_is_read(tmp_path: Path) -> None:
    made_and_closed(tmp_path / "here", "a.md")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    (tmp_path / "there" / "workspace.db").chmod(stat.S_IRUSR)
    with open_workspace(tmp_path / "there") as there:
        assert there.count() == 1


@pytest.mark.parametrize(
    ("noted", "now", "same_file"),
    [
        ("m 5 1 9", "m 5 1 9", True),
        ("m 5 1 9", "m 5 2 9", True),
        ("m 5 1 9", "m 5 1 8", True),
        ("m 5 1 9", "m 5 2 8", False),
        ("m 5 1 0", "m 5 2 0", False),
        ("m 5 1 9", "m 6 1 9", False),
        ("m 5 1 9", "n 5 1 9", False),
    ],
)
def test_a_file_is_told_by_machine_and_number_and_by_device_or_file_system(
    noted: str, now: str, same_file: bool
) -> None:
    assert whereabouts.is_same(noted, now) == same_file


def test_without_a_place_for_the_witness_the_workspace_works(tmp_path: Path, home: Path) -> None:
    (home / "aimem").mkdir()
    (home / "aimem" / "state").write_text("in the way")
    with open_workspace(tmp_path / "one") as one, another(one, tmp_path / "two") as two:
        write_much(one, "x")
        join(one, two)
        same(one, two)
    assert opened(tmp_path / "one")[1] == ""


def test_a_session_ends_when_the_file_takes_other_ids(one: Workspace, other: Workspace) -> None:
    one.create("a.md", "")
    replica = StoreReplica(one.database)
    identity.renew(one.database)
    with pytest.raises(IdentityChanged):
        replica.read(Cursor(), Vector(), 10, 10_000)
    event = CaughtUp(1, b"token", Vector())
    with pytest.raises(IdentityChanged):
        receive(one.database, "f" * 32, [event], log_id=replica.log)
    assert StoreReplica(one.database).resume_token("f" * 32) == b""
    assert ids(one).log != replica.log
    assert ids(one).replica != replica.replica


def test_a_session_never_reads_what_is_not_committed(one: Workspace) -> None:
    replica = StoreReplica(one.database)
    with one.database.write() as connection:
        log.append(connection, [Draft("1" * 32, b"\0\0", START, "ann")])
        with pytest.raises(RuntimeError):
            replica.read(Cursor(), Vector(), 10, 10_000)


def forked(tmp_path: Path) -> tuple[Workspace, Workspace]:
    """Two files that go by one name, each with entries that the other lacks."""
    with open_workspace(tmp_path / "a", author="ann") as a:
        a.create("both.md", "both\n")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    a, b = (open_workspace(tmp_path / name, author=name) for name in "ab")
    name = ids(a)
    with b.database.write() as connection:
        for key, value in (("replica", name.replica), ("log", name.log)):
            connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
    return a, b


@pytest.mark.parametrize("sealed", [False, True])
def test_a_fork_that_nobody_prevented_is_healed_and_nothing_is_lost(
    tmp_path: Path, sealed: bool
) -> None:
    a, b = forked(tmp_path)
    both = a.get("both.md").id
    with a, b, another(a, tmp_path / "c") as c:
        for workspace in (a, b):
            workspace.append(both, f"by {workspace.author}")
            workspace.create(f"{workspace.author}.md", workspace.author)
        if sealed:
            with a.database.write() as connection:
                log.append(connection, [Draft("9" * 32, b"cipher", START, "a", sealed=1)])
        join(a, c)
        shared, rounds = ids(a).replica, 10
        pairs = ((a, b), (a, c), (b, c))
        while any(Joined(*pair).settle().one.gone for pair in pairs):
            assert (rounds := rounds - 1), "it comes to an end"
        same_texts = shown(a)
        assert [text for _, text in same_texts]
        for workspace in (b, c):
            assert shown(workspace) == same_texts
        assert sorted(c.text(both).split("\n")) == ["", "both", "by a", "by b"]
        assert {t.path for t in c.thoughts()} == {"both.md", "a.md", "b.md"}
        assert ids(a).replica != shared != ids(b).replica
        assert ids(a).replica != ids(b).replica
        for workspace in (a, b, c):
            entries = log.tail(workspace.database.read(), 0)
            assert (b"cipher" in [record.entry.update for record in entries]) == sealed


def test_disowning_keeps_the_history(one: Workspace) -> None:
    write_much(one, "x")
    thought = one.get("x/a.md").id
    past = one.past(thought)
    before = ids(one)
    seen = shown(one)
    after = identity.disown(one.database, before.replica)
    assert after.replica != before.replica
    assert [(p.revision.author, p.text) for p in one.past(thought)][: len(past)] == [
        (p.revision.author, p.text) for p in past
    ]
    assert shown(one) == seen
    assert before.replica not in log.vector(one.database.read())
    assert before.replica not in log.reach(one.database.read())


def test_another_replica_is_disowned_under_the_own_name(one: Workspace, other: Workspace) -> None:
    write_much(one, "x")
    write_much(other, "y")
    join(one, other)
    mine, theirs = ids(one), ids(other)
    seen = shown(one)
    after = identity.disown(one.database, theirs.replica)
    assert (after.replica, after.workspace) == (mine.replica, mine.workspace)
    assert after.log != mine.log, "what was checked before does not fit any more"
    assert shown(one) == seen
    assert set(log.vector(one.database.read())) == {mine.replica}
    join(one, other)
    same(one, other)


def test_sealed_records_pass_through_a_copy_without_the_key(
    one: Workspace, other: Workspace
) -> None:
    with one.database.write() as connection:
        log.append(connection, [Draft("1" * 32, b"cipher", START, "ann", sealed=2)])
    (record,) = log.tail(one.database.read(), 0)
    join(one, other)
    (received,) = log.tail(other.database.read(), 0)
    assert received.entry == record.entry
    other.catch_up()
    reasons = other.database.read().execute("SELECT reason FROM set_aside").fetchall()
    assert reasons == [("it is encrypted, and the key is not here",)]
    identity.disown(other.database, ids(one).replica)
    (again,) = log.tail(other.database.read(), 0)
    assert (again.entry.update, again.entry.sealed) == (b"cipher", 2)
    assert again.entry.replica == ids(other).replica
    assert compaction.is_due(one.database.read(), 1) is False
    event = CheckpointsReceived(1, b"", ())
    assert receive(one.database, "f" * 32, [event]).events == 1
