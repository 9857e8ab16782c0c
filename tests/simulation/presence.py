"""Where people are just now: how pods pass it on, and who must know of whom in the end.

A pod forwards what its connections say under the number of the connection, to all of its other
connections and, as a whole, to the other pods. What it hears of another pod it forgets when that
falls silent or starts anew; messages between pods may get lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.bugs import Bug
from tests.simulation.world import Wire, World

SILENCE_MS = 3_500
"""After so long a pod that says nothing is taken to be gone."""


@dataclass
class _Elsewhere:
    """What another pod has said last."""

    life: int
    count: int
    heard: int
    states: dict[str, bytes]


class Bus:
    """Carries what pods tell each other, or loses it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.members: list[Crowd] = []

    def tell(self, teller: Crowd, *told: object) -> None:
        world = self._world
        for member in self.members:
            if member is not teller and (world.calm or not world.chance(0.1)):
                world.after(world.rng.randint(0, 10), lambda one=member: one.hear(*told))  # type: ignore[misc]


class Crowd:
    """All the presence that one pod knows of."""

    def __init__(self, world: World, name: str, bus: Bus, bug: Bug) -> None:
        self._world = world
        self._name = name
        self._bus = bus
        self._bug = bug
        self._wires: dict[Wire, int] = {}
        self._here: dict[str, bytes] = {}
        self._elsewhere: dict[str, _Elsewhere] = {}
        self._count = self._life = self._number = 0
        self._alive = True
        bus.members.append(self)

    def welcome(self, wire: Wire) -> None:
        """Somebody new is told of everybody."""
        self._number += 1
        self._wires[wire] = self._number
        if self._bug is not Bug.NEWCOMER_BLIND:
            for key, state in self._known().items():
                wire.session.set_presence(key, state)

    def changed(self, wire: Wire, key: str, state: bytes) -> None:
        """A connection says something of one of its keys, or has ended."""
        if wire not in self._wires or (self._bug is Bug.GHOST and not wire.open):
            return
        full = f"{self._name}.{self._life}.{self._wires[wire]}/{key}"
        _put(self._here, full, state)
        self._forward(full, state, but=wire)
        self.announce()

    def gone(self, wire: Wire) -> None:
        self._wires.pop(wire, None)

    def announce(self) -> None:
        """Tell the other pods who is here."""
        self._count += 1
        self._bus.tell(self, self._name, self._life, self._count, dict(self._here))

    def hear(self, pod: str, life: int, count: int, states: dict[str, bytes]) -> None:
        known = self._elsewhere.get(pod)
        if not self._alive or (known and (known.life, known.count) >= (life, count)):
            return
        self._elsewhere[pod] = _Elsewhere(life, count, self._world.now, states)
        before = known.states if known else {}
        self._replace(before, states)

    def tick(self) -> None:
        self.announce()
        for pod, known in [*self._elsewhere.items()]:
            if self._world.now - known.heard > SILENCE_MS:
                del self._elsewhere[pod]
                self._replace(known.states, {})

    def crash(self) -> None:
        self._alive = False
        self._wires.clear()
        self._here.clear()
        self._elsewhere.clear()

    def restart(self) -> None:
        if not self._alive:
            self._alive = True
            self._life += 1

    def _known(self) -> dict[str, bytes]:
        known = dict(self._here)
        for other in self._elsewhere.values():
            known |= other.states
        return known

    def _replace(self, before: dict[str, bytes], after: dict[str, bytes]) -> None:
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                self._forward(key, after.get(key, b""))

    def _forward(self, key: str, state: bytes, but: Wire | None = None) -> None:
        for wire in self._wires:
            if wire is not but:
                wire.session.set_presence(key, state)
                wire.pump_soon()


def _put(states: dict[str, bytes], key: str, state: bytes) -> None:
    if state:
        states[key] = state
    else:
        states.pop(key, None)


@dataclass
class View:
    """Whom one machine sees over one connection."""

    states: dict[str, bytes] = field(default_factory=dict)

    def changed(self, key: str, state: bytes) -> None:
        _put(self.states, key, state)

    def people(self, but: Callable[[bytes], bool]) -> set[bytes]:
        """The states of the others; one who is connected twice counts once."""
        return {state for state in self.states.values() if not but(state)}
