"""Where people are: stock clients and those who use aimem see each other, and nobody lingers."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aimem_relay.gateway import awareness
from aimem_relay.gateway.awareness import People, Told
from aimem_relay.gateway.protocol import Awareness, ClientState

THOUGHT = "7" * 32
OTHER = "8" * 32
CURSOR = {
    "anchor": {"tname": "content", "item": {"client": 7, "clock": 3}, "assoc": 0},
    "head": {"tname": "content", "assoc": 0},
}


def said(client: int, state: dict[str, Any], clock: int = 1) -> ClientState:
    return ClientState(client, clock, json.dumps(state))


def session(replica: str, thought: str = THOUGHT, **more: Any) -> bytes:
    user = {"name": "Ada", "color": "#0a0"}
    return json.dumps(
        {"replica": replica, "user": user, "agent": False, "thought": thought, **more}
    ).encode()


class YjsClient:
    """A stock client's awareness, by the rules of y-protocols: what it sees of others."""

    def __init__(self) -> None:
        self.states: dict[int, str] = {}
        self._clocks: dict[int, int] = {}

    def take(self, told: Awareness) -> None:
        for one in told.states:
            known = self._clocks.get(one.client, 0)
            gone = one.state == awareness.GONE
            if known < one.clock or (known == one.clock and gone and one.client in self.states):
                self._clocks[one.client] = one.clock
                if gone:
                    self.states.pop(one.client, None)
                else:
                    self.states[one.client] = one.state

    def disconnected(self) -> None:
        self.states.clear()


def test_what_a_stock_client_says_reaches_another_as_it_was() -> None:
    state = {"user": {"name": "Zoë", "color": "#123456", "x": 1}, "cursor": CURSOR, "own": [1]}
    presence = awareness.to_presence(THOUGHT, said(5, state, 9), "token")
    person = awareness.to_person(THOUGHT, presence)
    assert person is not None
    assert (person.client, person.clock, json.loads(person.state)) == (5, 9, state)


def test_what_a_stock_client_says_has_the_shape_of_a_presence() -> None:
    presence = json.loads(awareness.to_presence(THOUGHT, said(5, {"cursor": CURSOR}), "Wanda"))
    assert presence["user"] == {"name": "Wanda", "color": ""}
    assert presence["thought"] == THOUGHT
    assert presence["cursor"] == CURSOR
    assert presence["agent"] is False
    assert len(presence["replica"]) == 32


def test_a_stock_client_cannot_pass_for_another_replica_or_thought() -> None:
    lie = {"replica": "a" * 32, "thought": OTHER, "agent": True, "yjs": {"client": 1}}
    presence = json.loads(awareness.to_presence(THOUGHT, said(5, lie), ""))
    assert presence["replica"] != "a" * 32
    assert (presence["thought"], presence["agent"]) == (THOUGHT, False)
    assert presence["yjs"] == {"client": 5, "clock": 1}


def test_what_is_more_than_a_presence_holds_is_left_out() -> None:
    assert awareness.to_presence(THOUGHT, said(5, {"x": "y" * 4_000}), "") == b""


def test_half_of_a_surrogate_pair_does_no_harm() -> None:
    presence = awareness.to_presence(THOUGHT, ClientState(5, 1, '{"x":"\\ud800"}'), "")
    person = awareness.to_person(THOUGHT, presence)
    assert person is not None
    assert json.loads(person.state)["x"] == "\ud800"


def test_who_uses_aimem_is_a_client_with_one_id_everywhere() -> None:
    first = awareness.to_person(THOUGHT, session("a" * 32, cursor=CURSOR))
    again = awareness.to_person(OTHER, session("a" * 32, OTHER))
    assert first is not None
    assert again is not None
    assert first.client == again.client
    assert json.loads(first.state) == {
        "user": {"name": "Ada", "color": "#0a0"},
        "cursor": CURSOR,
        "agent": False,
    }


def test_who_has_another_thought_open_is_not_here() -> None:
    assert awareness.to_person(THOUGHT, session("a" * 32, OTHER)) is None


@given(
    st.one_of(
        st.binary(max_size=40),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
            lambda inner: st.dictionaries(
                st.sampled_from(["replica", "user", "thought", "yjs", "client", "clock", "cursor"]),
                inner,
            ),
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_a_presence_that_makes_no_sense_is_nobody(presence: bytes) -> None:
    people = People(THOUGHT)
    people.note("1/x", presence)
    Told().tell(people, people.clients(), 1)


def test_a_client_that_came_back_outlives_its_dead_connection() -> None:
    people = People(THOUGHT)
    state = awareness.to_presence(THOUGHT, said(5, {"n": 1}), "")
    people.note("1/yjs/x/5", state)
    people.note("2/yjs/x/5", state)
    assert people.note("1/yjs/x/5", b"") == {5}
    assert people.find(5) is not None
    people.note("2/yjs/x/5", b"")
    assert people.clients() == set()


def test_those_who_do_not_renew_what_they_say_are_kept_alive() -> None:
    people, told, client = People(THOUGHT), Told(), YjsClient()
    people.note("1/a", session("a" * 32))
    people.note("2/b", awareness.to_presence(THOUGHT, said(5, {}), ""))
    client.take(told.tell(people, people.clients(), 1_000))
    renewed = told.renew(people, 2_000)
    assert [one.client for one in renewed.states] == [one for one in people.clients() if one != 5]
    before = dict(client._clocks)
    client.take(renewed)
    assert [one for one in before if client._clocks[one] > before[one]] == [
        one.client for one in renewed.states
    ]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("says"), st.integers(0, 3), st.integers(0, 3)),
            st.tuples(st.just("goes"), st.integers(0, 3), st.just(0)),
            st.tuples(st.just("reconnects"), st.just(0), st.just(0)),
            st.tuples(st.just("renews"), st.just(0), st.just(0)),
        ),
        max_size=40,
    )
)
def test_a_client_always_sees_who_is_there(steps: list[tuple[str, int, int]]) -> None:
    people, told, client, clocks, now = People(THOUGHT), Told(), YjsClient(), [0] * 4, 1_000
    for what, who, value in steps:
        # Somebody changes less often than the clock of the connection ticks.
        now += 50
        changed: set[int] = set()
        if what == "says" and who == 0:
            changed = people.note("s", session("a" * 32, n=value, agent=bool(value)))
        elif what == "says":
            # A client that has come back may begin with the clock it had, or from 0.
            clocks[who] = clocks[who] + 1 if value else 0
            one = said(who, {"n": value}, clocks[who])
            changed = people.note(f"c{who}", awareness.to_presence(THOUGHT, one, ""))
        elif what == "goes":
            changed = people.note("s" if who == 0 else f"c{who}", b"")
        elif what == "renews":
            client.take(told.renew(people, now))
        else:
            client.disconnected()
            told = Told()
            changed = people.clients()
        client.take(told.tell(people, changed, now))
        there = {one: people.find(one) for one in people.clients()}
        assert client.states == {one: person.state for one, person in there.items() if person}
