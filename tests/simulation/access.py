"""Who may do what: tokens that last a while, and roles that change while people are connected.

Pods and machines ask the same gate. They ask it when somebody dials, when a token is renewed, and
again every second, so that who was let in by a role that it no longer has is told so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crdt.session import State
from crdt.session import events as ev
from crdt.wire.messages import CloseCode, Role
from tests.simulation.bugs import Bug

if TYPE_CHECKING:
    from tests.simulation.world import Wire, World

CHECK_MS = 1_000
"""How often everybody asks anew."""
FOR_EVER = 1 << 60


@dataclass
class Visa:
    """As what somebody was let in over a connection, and until when."""

    person: str
    role: Role
    expires: int = FOR_EVER


class Gate:
    """Knows everybody's role."""

    def __init__(self, world: World, bug: Bug) -> None:
        self._world = world
        self._bug = bug
        self._readers: dict[str, int] = {}
        """Who may only read, and since when."""

    def role(self, person: str) -> Role:
        return Role.READER if person in self._readers else Role.WRITER

    def demote(self, person: str) -> None:
        """From now on this person only reads."""
        self._readers.setdefault(person, self._world.now)

    def promote(self, person: str) -> None:
        self._readers.pop(person, None)

    @property
    def readers(self) -> set[str]:
        return set(self._readers)

    def keeps_out(self, person: str) -> bool:
        """Whether by now everybody must have learned that this person only reads."""
        return self._world.now > self._readers.get(person, FOR_EVER) + CHECK_MS

    def token(self, person: str) -> bytes:
        """A new token; some are soon worth nothing."""
        lasts = self._world.rng.choice((2_000, 6_000, FOR_EVER))
        return f"{person} {self._world.now + lasts}".encode()

    def check(self, credential: bytes) -> Visa | None:
        """As what the bearer may come in; None where the token has expired."""
        person, expires = credential.decode().split()
        if int(expires) <= self._world.now:
            return None
        role = Role.WRITER if self._bug is Bug.READER_WRITES else self.role(person)
        return Visa(person, role, int(expires))

    def admit(self, wire: Wire, hello: ev.HelloReceived) -> list[ev.Event]:
        """Let the dialler in, or not."""
        visa = self.check(hello.credential)
        if visa is None:
            return wire.session.close(CloseCode.UNAUTHORIZED, "The token has expired.")
        wire.visa = visa
        wire.session.admit(visa.role, expires=_told(visa.expires))
        return []

    def renew(self, wire: Wire, credential: bytes) -> list[ev.Event]:
        """Take another token over a connection that stands."""
        visa = self.check(credential)
        if visa is None:
            return wire.session.close(CloseCode.UNAUTHORIZED, "The token has expired.")
        wire.visa = visa
        wire.session.grant(visa.role, expires=_told(visa.expires))
        return []

    def recheck(self, wire: Wire) -> list[ev.Event]:
        """Look whether what was decided still holds."""
        visa = wire.visa
        if visa is None or wire.session.state is not State.OPEN:
            return []
        if visa.expires <= self._world.now and self._bug is not Bug.TOKENS_FOR_EVER:
            return wire.session.close(CloseCode.UNAUTHORIZED, "The token has expired.")
        role = self.role(visa.person)
        if role is not visa.role and self._bug is not Bug.READER_WRITES:
            visa.role = role
            wire.session.grant(role, expires=_told(visa.expires))
        return []


def _told(expires: int) -> int:
    return 0 if expires >= FOR_EVER else expires
