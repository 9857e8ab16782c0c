"""A bundle carries all that another copy lacks, whole or not at all."""

from __future__ import annotations

import os
import stat
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aimem_tui.errors import AimemError, BadInput, NotFound, Refused, StorageError
from aimem_tui.model import Progress
from aimem_tui.sync import bundle as bundles
from aimem_tui.sync import bundle_file
from aimem_tui.sync.bundle_file import Bundle
from aimem_tui.sync.empty_copy import EmptyCopy
from crdt.session.outgoing import Outgoing
from crdt.vector import Vector
from crdt.wire import codec, messages
from crdt.wire.messages import Message
from tests.peer.copies import Author, DiskCopy, History, contents, forge
from tests.session.pairs import Pair, disk, thought
from tests.simulation.disk import Disk

one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
histories = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 5), st.booleans()), min_size=1, max_size=8
)


def export(
    of: Disk, target: Path, *, lacking: tuple[Path, ...] = (), request: bool = False
) -> Bundle:
    bundles.export(
        DiskCopy(of), target, at=1, lacking=[Bundle(each) for each in lacking], request=request
    )
    return Bundle(target)


def take_in(path: Path, into: Disk) -> bundles.Imported:
    return bundles.take_in(Bundle(path), DiskCopy(into))


def written(history: History | None = None) -> Disk:
    made = disk(1)
    Author(made, 1).live(history or [(0, 3, False), (1, 2, True), (0, 2, False)])
    return made


@one_folder
@given(history=histories)
def test_a_whole_bundle_makes_an_empty_copy_equal(tmp_path: Path, history: History) -> None:
    sender, receiver = written(history), disk(2)
    export(sender, tmp_path / "a")
    taken = take_in(tmp_path / "a", receiver)
    assert contents(receiver) == contents(sender)
    assert receiver.thoughts() == sender.thoughts()
    assert not any(receiver.waits_for_something(each) for each in receiver.thoughts())
    assert taken.new == taken.entries + taken.checkpoints > 0


@one_folder
@given(history=histories)
def test_what_came_once_is_not_news_again(tmp_path: Path, history: History) -> None:
    sender, receiver = written(history), disk(2)
    export(sender, tmp_path / "a")
    take_in(tmp_path / "a", receiver)
    before = contents(receiver)
    assert take_in(tmp_path / "a", receiver).new == 0
    assert contents(receiver) == before
    assert take_in(tmp_path / "a", sender).new == 0


@one_folder
@given(ours=histories, theirs=histories, later=histories)
def test_two_people_hand_bundles_back_and_forth_with_only_what_the_other_lacks(
    tmp_path: Path, ours: History, theirs: History, later: History
) -> None:
    a, b = disk(1), disk(2)
    ann, ben = Author(a, 1), Author(b, 11)
    ann.live(ours)
    ben.live(theirs)
    export(a, tmp_path / "first")
    take_in(tmp_path / "first", b)
    answer = export(b, tmp_path / "answer", lacking=(tmp_path / "first",))
    assert take_in(tmp_path / "answer", a).new > 0
    assert a.vector() == b.vector()
    assert all(seen != a.replica for seen in replicas_in(answer))
    ann.live(later)
    third = export(a, tmp_path / "third", lacking=(tmp_path / "answer",))
    take_in(tmp_path / "third", b)
    assert a.vector() == b.vector()
    assert replicas_in(third) <= {a.replica}
    assert {t: sorted(a.latest[t].items()) for t in a.latest} == {
        t: sorted(b.latest[t].items()) for t in b.latest
    }


def replicas_in(bundle: Bundle) -> set[str]:
    """Whose changes a bundle carries."""
    found: set[str] = set()
    for frame in bundle.frames():
        message = codec.decode(frame)
        if isinstance(message, messages.Entries):
            found |= {entry.replica for entry in codec.unpack_entries(message)}
        elif isinstance(message, messages.Checkpoints):
            for checkpoint in codec.unpack_checkpoints(message):
                found |= set(checkpoint.vector)
    return found


def test_a_bundle_for_several_copies_leaves_out_only_what_all_of_them_have(tmp_path: Path) -> None:
    a, b, c = disk(1), disk(2), disk(3)
    ann = Author(a, 1)
    ann.write(3)
    export(a, tmp_path / "a1")
    take_in(tmp_path / "a1", b)
    ann.write(3)
    export(a, tmp_path / "a2")
    take_in(tmp_path / "a2", c)
    ann.write(2)
    for name, copy in (("b", b), ("c", c)):
        export(copy, tmp_path / name, request=True)
    both = export(a, tmp_path / "both", lacking=(tmp_path / "b", tmp_path / "c"))
    assert Vector.from_bytes(both.header.base) == b.vector()
    for copy in (b, c):
        take_in(tmp_path / "both", copy)
        assert copy.vector() == a.vector()


def test_a_request_carries_nothing_and_is_answered_with_what_lacks(tmp_path: Path) -> None:
    a, b = disk(1), disk(2)
    ann = Author(a, 1)
    ann.write(50)
    export(a, tmp_path / "whole")
    take_in(tmp_path / "whole", b)
    ann.write(1)
    request = export(b, tmp_path / "request", request=True)
    assert request.is_request
    assert not replicas_in(request)
    answer = export(a, tmp_path / "answer", lacking=(tmp_path / "request",))
    assert sum(len(codec.decode(f).entries) for f in [*answer.frames()][:1]) == 1  # type: ignore[union-attr]
    take_in(tmp_path / "answer", b)
    assert b.vector() == a.vector()


def test_importing_a_request_says_how_to_answer_it(tmp_path: Path) -> None:
    export(written(), tmp_path / "request", request=True)
    with pytest.raises(Refused, match="--for"):
        take_in(tmp_path / "request", disk(2))


def test_a_copy_with_nothing_exports_a_bundle_that_brings_nothing(tmp_path: Path) -> None:
    export(disk(1), tmp_path / "a")
    assert take_in(tmp_path / "a", disk(2)) == bundles.Imported("", 0, 0, 0)


def test_after_a_bundle_a_session_sends_only_what_is_newer(tmp_path: Path) -> None:
    a, b = disk(1), disk(2)
    ann = Author(a, 1)
    ann.live([(0, 40, False), (1, 5, True)])
    export(a, tmp_path / "a")
    take_in(tmp_path / "a", b)
    ann.write(1, about=2)
    pair = Pair(b, a).settle()
    assert pair.b.entries_sent() == 1
    assert not pair.b.session.has_more()
    assert [each for each in pair.b.sent if isinstance(each, messages.Checkpoints)] == []
    assert a.vector() == b.vector()


def test_a_bundle_without_news_does_not_make_a_session_begin_anew(tmp_path: Path) -> None:
    a, b = disk(1), disk(2)
    Author(a, 1).write(5)
    export(a, tmp_path / "a")
    take_in(tmp_path / "a", b)
    token = b.resume_token(a.log)
    assert token
    export(b, tmp_path / "b")
    nothing = export(a, tmp_path / "nothing", lacking=(tmp_path / "b",))
    assert len([*nothing.frames()]) == 1
    take_in(tmp_path / "nothing", b)
    assert b.resume_token(a.log) == token


@one_folder
@given(data=st.data())
def test_a_bundle_with_an_altered_byte_is_refused_and_nothing_is_stored(
    tmp_path: Path, data: st.DataObject
) -> None:
    whole = export(written(), tmp_path / "a").path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[at] ^ data.draw(st.integers(1, 255))
    refused(tmp_path, whole[:at] + bytes([flipped]) + whole[at + 1 :])


@one_folder
@given(data=st.data())
def test_a_bundle_that_is_cut_short_is_refused_and_nothing_is_stored(
    tmp_path: Path, data: st.DataObject
) -> None:
    whole = export(written(), tmp_path / "a").path.read_bytes()
    refused(tmp_path, whole[: data.draw(st.integers(0, len(whole) - 1))])


@one_folder
@given(junk=st.binary(max_size=300))
def test_what_is_no_bundle_is_refused(tmp_path: Path, junk: bytes) -> None:
    refused(tmp_path, junk)
    refused(tmp_path, bundle_file.MAGIC + b"\x01" + junk)


def test_a_bundle_with_something_behind_its_end_is_refused(tmp_path: Path) -> None:
    whole = export(written(), tmp_path / "a").path.read_bytes()
    refused(tmp_path, whole + b"x")


def refused(folder: Path, content: bytes) -> None:
    (folder / "bad").write_bytes(content)
    receiver = DiskCopy(disk(2))
    with pytest.raises(BadInput) as error:
        bundles.take_in(Bundle(folder / "bad"), receiver)
    assert error.value.why or "not a bundle" in error.value.what
    assert receiver.stores == 0
    with pytest.raises(AimemError):
        export(disk(2), folder / "c", lacking=(folder / "bad",))


def test_a_bundle_of_a_newer_version_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bundle_file.MAGIC + b"\x02whatever comes then")
    with pytest.raises(BadInput, match="newer version"):
        Bundle(tmp_path / "a")


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Bundle(tmp_path / "a")
    with pytest.raises(BadInput):
        Bundle(tmp_path)


def test_a_bundle_of_another_workspace_is_refused(tmp_path: Path) -> None:
    export(written(), tmp_path / "a")
    other = disk(2, workspace="b" * 32)
    with pytest.raises(Refused, match="another workspace"):
        take_in(tmp_path / "a", other)
    with pytest.raises(Refused, match="another workspace"):
        export(other, tmp_path / "b", lacking=(tmp_path / "a",))


def test_a_bundle_that_goes_on_from_what_is_not_here_is_refused(tmp_path: Path) -> None:
    a = disk(1)
    ann = Author(a, 1)
    ann.write(3)
    export(a, tmp_path / "before", request=True)
    ann.write(2)
    export(a, tmp_path / "rest", lacking=(tmp_path / "before",))
    receiver = disk(2)
    with pytest.raises(Refused, match="not here"):
        take_in(tmp_path / "rest", receiver)
    assert contents(receiver) == contents(disk(2))


def frames_of(of: Disk) -> list[Message]:
    """What a whole bundle of a copy holds."""
    out = Outgoing(of, bundles.Limits())
    out.allowed = True
    out.start(messages.Want(1, []), Vector())
    found: list[Message] = []
    while out.ready:
        frame = out.next_frame(0)
        if frame is not None:
            found.append(codec.decode(frame))
    end = messages.CaughtUp(1, len(found) + 1, b"", of.vector().to_bytes())
    return [*found, end] if not isinstance(found[-1], messages.CaughtUp) else found


LIES: dict[str, Callable[[Disk, list[Message]], list[Message]]] = {
    "no end": lambda of, frames: frames[:-1],
    "nothing": lambda of, frames: [],
    "an end that says more": lambda of, frames: [
        *frames[:-1],
        messages.CaughtUp(1, 2, b"", of.vector().merged({"7" * 32: 3}).to_bytes()),
    ],
    "an end that says less": lambda of, frames: [*frames[:-1], messages.CaughtUp(1, 2, b"", b"")],
    "a frame that comes twice": lambda of, frames: [frames[0], *frames],
    "a frame behind the end": lambda of, frames: [*frames, messages.CaughtUp(1, 3, b"", b"")],
    "a message that is none of a stream": lambda of, frames: [messages.Pong(), *frames],
    "an answer to another want": lambda of, frames: [messages.CaughtUp(2, 1, b"", b"")],
    "an old answer": lambda of, frames: [messages.CaughtUp(0, 1, b"", b"")],
    "a hole": lambda of, frames: [
        codec.pack_entries(of.entries[1:], run=1, mark=1, left=0, token=b""),
        frames[-1],
    ],
    "disorder": lambda of, frames: [
        codec.pack_entries(of.entries[::-1], run=1, mark=1, left=0, token=b""),
        frames[-1],
    ],
    "an update that no document takes": lambda of, frames: [
        codec.pack_entries(
            [of.make(thought(1), b"\xff\xff\xff\xff\x0f\1\1", at=0)],
            run=1,
            mark=1,
            left=0,
            token=b"",
        ),
        frames[-1],
    ],
}


@pytest.mark.parametrize("lie", LIES)
def test_a_bundle_that_lies_is_refused_and_nothing_is_stored(tmp_path: Path, lie: str) -> None:
    sender = disk(1)
    Author(sender, 1).write(4)
    frames = LIES[lie](sender, frames_of(sender))
    forge(tmp_path / "a", frames, vector=sender.vector(), sender=sender)
    receiver = DiskCopy(disk(2))
    with pytest.raises(BadInput) as error:
        bundles.take_in(Bundle(tmp_path / "a"), receiver)
    assert error.value.why
    assert receiver.stores == 0


def test_the_honest_frames_of_these_lies_are_taken_in(tmp_path: Path) -> None:
    sender = disk(1)
    Author(sender, 1).write(4)
    forge(tmp_path / "a", frames_of(sender), vector=sender.vector(), sender=sender)
    assert take_in(tmp_path / "a", disk(2)).new == 4


def test_a_length_that_lies_costs_no_memory(tmp_path: Path) -> None:
    whole = export(written(), tmp_path / "a").path.read_bytes()
    header = len(bundle_file.MAGIC) + 1
    tracemalloc.start()
    try:
        refused(tmp_path, whole[:header] + b"\x00\x7f\xff\xff" + whole[header + 4 :])
        refused(tmp_path, whole[:header] + b"\xff\xff\xff\xff" + whole[header + 4 :])
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_an_import_that_was_killed_goes_on_when_it_is_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "_GROUP_BYTES", 1)
    sender, receiver = disk(1), disk(2)
    ann = Author(sender, 1)
    for about in range(5):
        ann.live([(about, 3, True)])
    for _ in range(3):
        # Entries in frames of their own.
        sender.append([sender.make(thought(9), bytes(300_000), at=0)])
    monkeypatch.setattr(bundles, "check_update", lambda update: None)
    export(sender, tmp_path / "a")
    kills = 0
    for after in range(10):
        copy = DiskCopy(receiver)
        copy.fails_after = after
        try:
            taken = bundles.take_in(Bundle(tmp_path / "a"), copy)
        except KeyboardInterrupt:
            kills += 1
            assert receiver.vector() == Vector() or receiver.vector() != sender.vector()
        else:
            assert taken.new >= 0
            break
    assert kills >= 3
    assert contents(receiver) == contents(sender)


def test_a_copy_that_was_put_back_from_a_backup_loses_nothing_by_a_bundle(tmp_path: Path) -> None:
    mine, theirs = disk(1), disk(2)
    ann = Author(mine, 1)
    ann.write(3)
    backup = mine.clone()
    ann.write(2)
    export(mine, tmp_path / "a")
    take_in(tmp_path / "a", theirs)
    export(theirs, tmp_path / "b")

    Author(backup, 21).write(2)
    restored = DiskCopy(backup)
    taken = bundles.take_in(Bundle(tmp_path / "b"), restored)
    assert taken.forks == 1
    assert restored.disowned == ["1" * 32]
    assert backup.replica != "1" * 32
    export(backup, tmp_path / "c", lacking=(tmp_path / "b",))
    take_in(tmp_path / "c", theirs)
    assert thought(21) in theirs.thoughts()
    assert theirs.vector()[backup.replica] == backup.vector()[backup.replica]


def test_a_damaged_bundle_does_not_cost_a_copy_its_name(tmp_path: Path) -> None:
    mine = disk(1)
    ann = Author(mine, 1)
    ann.write(3)
    backup = DiskCopy(mine.clone())
    ann.write(2)
    whole = export(mine, tmp_path / "a").path.read_bytes()
    (tmp_path / "a").write_bytes(whole[:-1])
    with pytest.raises(BadInput):
        bundles.take_in(Bundle(tmp_path / "a"), backup)
    assert backup.disowned == []


def test_exporting_for_a_copy_that_has_more_of_us_than_we_have_takes_another_name(
    tmp_path: Path,
) -> None:
    mine, theirs = disk(1), disk(2)
    ann = Author(mine, 1)
    ann.write(3)
    backup = DiskCopy(mine.clone())
    ann.write(2)
    export(mine, tmp_path / "a")
    take_in(tmp_path / "a", theirs)
    export(theirs, tmp_path / "request", request=True)
    written = bundles.export(backup, tmp_path / "c", at=0, lacking=[Bundle(tmp_path / "request")])
    assert written.forks == 1
    assert backup.replica.replica != "1" * 32


def test_copies_that_fork_without_end_are_given_up_in_words(tmp_path: Path) -> None:
    class Stubborn(DiskCopy):
        def disown(self, replica: str) -> None:
            self.disowned.append(replica)

    mine = disk(1)
    ann = Author(mine, 1)
    ann.write(1)
    copy = Stubborn(mine.clone())
    ann.write(1)
    export(mine, tmp_path / "a")
    with pytest.raises(Refused, match="brought together"):
        bundles.take_in(Bundle(tmp_path / "a"), copy)
    assert copy.stores == 0


def test_a_bundle_is_checked_before_a_workspace_is_made_for_it(tmp_path: Path) -> None:
    sender = written()
    bundle = export(sender, tmp_path / "a")
    counted = bundles.check(bundle, EmptyCopy(sender.workspace))
    assert counted.entries == len(sender.entries)
    assert counted.checkpoints == len(sender.checkpoints)


def test_a_bundle_that_cannot_be_written_leaves_no_trace(tmp_path: Path) -> None:
    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    earlier = export(written(), tmp_path / "a").path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        bundles.export(DiskCopy(written()), tmp_path / "a", at=2, progress=stop)
    assert (tmp_path / "a").read_bytes() == earlier
    with pytest.raises(StorageError):
        export(written(), tmp_path / "nowhere" / "a")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError):
        export(written(), tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "folder"]


def test_a_bundle_is_for_its_owner_alone(tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("not on Windows")
    mode = export(written(), tmp_path / "a").path.stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_progress_comes_to_its_end(tmp_path: Path) -> None:
    told: list[Progress] = []
    bundles.export(DiskCopy(written()), tmp_path / "a", at=1, progress=told.append)
    bundles.take_in(Bundle(tmp_path / "a"), DiskCopy(disk(2)), told.append)
    for step in ("Writing", "Checking", "Taking in"):
        last = [each for each in told if each.step == step][-1]
        assert last.done == last.total == 6
