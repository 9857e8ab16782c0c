"""The small parts: waiting times, the list of remotes, secrets, presence, and the words."""

from __future__ import annotations

import asyncio
import json
import stat
from random import Random

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from aimem_tui import locks
from aimem_tui.errors import AimemError, BadInput, NotFound, Refused, StorageError
from aimem_tui.sync import lists, presence
from aimem_tui.sync.backoff import FIRST_S, MOST_S, Backoff
from aimem_tui.sync.credentials import Credentials, Place
from aimem_tui.sync.dialling import why_gone
from aimem_tui.sync.link import Link
from aimem_tui.sync.presence import PresenceState
from aimem_tui.sync.remotes import Kind, Remote, Remotes, read_address
from aimem_tui.sync.state import LinkState, Phase, SyncState, in_words, link_in_words
from crdt.session import events as ev
from crdt.wire.messages import PERMANENT, CloseCode

REPLICA = "3" * 32
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
URLS = st.builds(
    lambda scheme, host, port: f"{scheme}://{host}{port}/sync/{'a' * 32}",
    st.sampled_from(["ws", "wss"]),
    st.sampled_from(["relay.example.org", "10.0.0.7", "[::1]"]),
    st.sampled_from(["", ":1", ":65535"]),
)


# Waiting times


@given(st.integers(0, 2**32), st.lists(st.integers(0, 600_000), min_size=1, max_size=12))
def test_a_waiting_time_lies_within_a_bound_that_doubles_and_no_sooner_than_asked(seed, delays):
    backoff = Backoff(Random(seed))
    bound = FIRST_S
    for number, delay_ms in enumerate(delays, 1):
        wait = backoff.next(delay_ms)
        assert delay_ms / 1_000 <= wait <= delay_ms / 1_000 + bound
        assert backoff.failures == number
        bound = min(MOST_S, 2 * bound)


def test_waiting_times_spread_over_the_whole_bound_and_begin_anew_after_success():
    firsts = [Backoff(Random(seed)).next() for seed in range(2_000)]
    assert min(firsts) < FIRST_S * 0.01 and max(firsts) > FIRST_S * 0.99
    assert abs(sum(firsts) / len(firsts) - FIRST_S / 2) < FIRST_S * 0.05
    backoff = Backoff(Random(1))
    late = max(backoff.next() for _ in range(50))
    assert late > MOST_S / 2
    backoff.succeeded()
    assert backoff.failures == 0
    assert backoff.next() <= FIRST_S


# Addresses and the list of remotes


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_is_refused_in_words(text):
    try:
        address = read_address(text)
    except BadInput as error:
        assert error.why and error.hint
    else:
        assert read_address(address.of("a" * 32)).workspace == "a" * 32


@given(URLS)
def test_an_address_is_taken_apart_and_put_together_again(url):
    address = read_address(url)
    assert address.of(address.workspace) == url


@pytest.mark.parametrize(
    ("url", "is_open"),
    [
        ("ws://relay.example.org", True),
        ("ws://10.0.0.7:8787", True),
        ("wss://relay.example.org", False),
        ("ws://localhost:8787", False),
        ("ws://[::1]:8787", False),
    ],
)
def test_who_leaves_the_machine_without_encryption_is_known(url, is_open):
    assert read_address(url).is_open == is_open


@given(
    st.lists(
        st.builds(
            Remote,
            NAMES,
            URLS,
            st.sampled_from(Kind),
            st.sampled_from(["", "0f" * 32]),
        ),
        max_size=5,
        unique_by=lambda remote: remote.name,
    )
)
def test_remotes_are_kept_as_they_were_added(tmp_path_factory, remotes):
    kept = Remotes(tmp_path_factory.mktemp("remotes"))
    for remote in remotes:
        kept.add(remote)
    assert kept.all() == remotes
    for remote in remotes:
        assert kept.get(remote.name) == remote
        assert kept.free_name(remote.name) != remote.name
        assert kept.remove(remote.name) == remote
    assert kept.all() == []


def test_a_name_is_used_once_and_what_is_not_there_is_said(tmp_path):
    kept = Remotes(tmp_path)
    kept.add(Remote("office", "ws://a"))
    with pytest.raises(Refused, match="connected already"):
        kept.add(Remote("office", "ws://b"))
    kept.add(Remote("office", "ws://b"), replace=True)
    assert [one.url for one in kept.all()] == ["ws://b"]
    with pytest.raises(NotFound, match="There are: office"):
        kept.get("home")
    with pytest.raises(BadInput):
        kept.add(Remote("../office", "ws://a"))


# Secrets


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise PasswordDeleteError
        del self.kept[service, username]


class BrokenRing(Ring):
    """A keyring that is there and refuses everything, as a locked one does."""

    def get_password(self, service: str, username: str) -> str | None:
        raise OSError("locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise OSError("locked")


def test_without_a_keyring_secrets_are_in_a_file_of_the_owners(tmp_path):
    secrets = Credentials(tmp_path / "config")
    assert secrets.get("w", "relay") == ""
    assert secrets.keep("w", "relay", "s1") is Place.FILE
    secrets.file.chmod(0o644)
    secrets.keep("w", "other", "s2")
    assert stat.S_IMODE(secrets.file.stat().st_mode) == 0o600
    assert (secrets.get("w", "relay"), secrets.get("w", "other")) == ("s1", "s2")
    assert secrets.get("another workspace", "relay") == ""
    secrets.forget("w", "relay")
    secrets.forget("w", "relay")
    assert "s1" not in secrets.file.read_text()
    assert [path.name for path in secrets.file.parent.iterdir()] == [secrets.file.name]


def test_a_keyring_is_used_where_there_is_one_and_two_installations_do_not_mix(tmp_path):
    keyring.set_keyring(Ring())
    one, two = Credentials(tmp_path / "one"), Credentials(tmp_path / "two")
    assert one.keep("w", "relay", "s1") is Place.KEYRING
    assert two.keep("w", "relay", "s2") is Place.KEYRING
    assert (one.get("w", "relay"), two.get("w", "relay")) == ("s1", "s2")
    assert not one.file.exists()
    one.forget("w", "relay")
    assert (one.get("w", "relay"), two.get("w", "relay")) == ("", "s2")


def test_a_secret_leaves_the_file_when_it_goes_to_the_keyring(tmp_path):
    secrets = Credentials(tmp_path)
    secrets.keep("w", "relay", "s1")
    keyring.set_keyring(Ring())
    secrets.keep("w", "relay", "s2")
    assert "s1" not in secrets.file.read_text()
    assert secrets.get("w", "relay") == "s2"


def test_a_keyring_that_refuses_is_as_good_as_none(tmp_path):
    keyring.set_keyring(BrokenRing())
    secrets = Credentials(tmp_path)
    assert secrets.keep("w", "relay", "s1") is Place.FILE
    assert secrets.get("w", "relay") == "s1"


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', "\x00\x01", '{"a": '])
def test_a_damaged_file_of_secrets_is_said(tmp_path, content):
    secrets = Credentials(tmp_path)
    secrets.file.write_text(content)
    with pytest.raises(StorageError, match="is damaged"):
        secrets.get("w", "relay")
    with pytest.raises(AimemError):
        secrets.keep("w", "relay", "s")


# Presence


@given(
    st.builds(
        PresenceState,
        st.text(min_size=1, max_size=200),
        st.text(max_size=20),
        st.booleans(),
        st.sampled_from(["", "0a" * 16]),
        st.none() | st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
        st.none() | st.text(max_size=5_000),
    )
)
def test_presence_fits_and_is_read_as_it_was_meant(state):
    packed = state.to_bytes(REPLICA)
    assert len(packed) <= presence.LARGEST
    person = presence.read(packed)
    assert person is not None
    assert (person.replica, person.agent, person.thought) == (REPLICA, state.agent, state.thought)
    assert person.name.isprintable() and 0 < len(person.name) <= 64
    if person.head is not None:
        assert (person.anchor, person.head) == (state.anchor, state.head)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["replica", "user", "name", "color", "thought", "cursor", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_presence_from_elsewhere_makes_sense_or_is_left_out(data):
    person = presence.read(data)
    if person is not None:
        assert person.name.isprintable() and len(person.name) <= 64
        assert len(person.replica) == 32


def test_presence_nested_without_end_is_left_out():
    assert presence.read(b"[" * 4_000) is None


# The lock


def test_a_lock_is_held_by_one_and_is_free_when_given_back(tmp_path):
    one, two = locks.to_sync(tmp_path), locks.to_sync(tmp_path)
    assert one.take() and one.take()
    assert not two.take()
    one.release()
    assert two.take()
    two.release()
    assert not locks.to_sync(tmp_path / "gone").take()


# Words


def link(phase: Phase = Phase.IN_STEP, **more: object) -> LinkState:
    return LinkState("relay", "ws://relay", phase, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (SyncState(), "Saved here."),
        (SyncState((link(acknowledged=3),), 3, 3, 3), "Durable on relay."),
        (SyncState((link(),), 3, 3, 1), "Sent."),
        (SyncState((link(),), 3, 2, 1), "Sending, 2 edits waiting."),
        (SyncState((link(Phase.OFFLINE),), 3, 0, 0), "Offline, 3 edits waiting."),
        (SyncState((link(Phase.OFFLINE),), 3, 3, 3), "Offline, nothing waiting."),
        (SyncState((link(Phase.CONNECTING),), 1, 0, 0), "Connecting, 1 edit waiting."),
        (SyncState((link(Phase.REFUSED),), 1, 0, 0), "Refused by relay, 1 edit waiting."),
        (SyncState((link(),), 0, 0, 0), "In step."),
        (SyncState((), 3, 0, 1, elsewhere=True), "Saved here, 2 edits waiting."),
        (
            SyncState((link(read_only=True),), 2, 0, 0),
            "2 edits only here, you may read but not write there.",
        ),
        (
            SyncState((link(Phase.DEGRADED),), 2, 2, 0),
            "2 edits waiting, the other side cannot save just now.",
        ),
    ],
)
def test_the_state_in_words(state, said):
    assert in_words(state) == said


@pytest.mark.parametrize("phase", Phase)
def test_each_connection_in_words_is_a_sentence(phase):
    said = link_in_words(link(phase, received=1_204, sent=3, last_seen=0), 60_000)
    assert said.endswith(".") and "  " not in said


@pytest.mark.parametrize("code", CloseCode)
def test_why_it_ended_is_said_and_what_to_do_where_only_a_person_can_help(code):
    gone = ev.PeerGone(code, "Because.", 0, code in PERMANENT, by_peer=True)
    said = why_gone(gone, "relay")
    assert "relay" in said and said.endswith((".", "URL."))
    if gone.permanent and code is not CloseCode.TOO_BIG:
        assert any(word in said for word in ("Ask", "Update", "connect"))


class _Copy:
    """A copy with thoughts to bring up to date."""

    def __init__(self) -> None:
        self.behind = 0
        self.projected = asyncio.Event()

    async def project(self) -> bool:
        self.projected.set()
        self.behind = max(0, self.behind - 1)
        return not self.behind


@pytest.mark.parametrize("announced", [0, 5])
async def test_lists_are_brought_up_to_date_even_if_what_was_announced_never_comes(
    monkeypatch, announced
):
    monkeypatch.setattr(lists, "QUIET_S", 0.01)
    copy, done = _Copy(), asyncio.Event()
    copy.behind = 3
    following = lists.Lists(copy, [Link("relay", to_come=announced)], done.set)
    running = asyncio.create_task(following.run())
    assert following.up_to_date
    following.arrived()
    assert not following.up_to_date
    async with asyncio.timeout(30):
        await done.wait()
    assert following.up_to_date and not copy.behind
    running.cancel()


async def test_lists_wait_for_what_is_on_its_way(monkeypatch):
    monkeypatch.setattr(lists, "QUIET_S", 3_600)
    copy, link = _Copy(), Link("relay", to_come=2)
    following = lists.Lists(copy, [link], lambda: None)
    running = asyncio.create_task(following.run())
    for left in (1, 0):
        following.arrived()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not copy.projected.is_set()
        link.to_come = left
    following.arrived()
    async with asyncio.timeout(30):
        await copy.projected.wait()
    running.cancel()
