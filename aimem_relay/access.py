"""Who may do what: the one place where the relay decides about access.

A :class:`Gate` is asked when a connection is to be let in, when it sends another credential, and
when its credential expires. Nothing else in the relay looks at a credential.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from aimem_relay import tokens
from crdt.wire.messages import CloseCode, Role


def wall_ms() -> int:
    """The time, ms since the Unix epoch."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Grant:
    """Let in."""

    role: Role
    """The most that it may do."""
    expires: int
    """Until when, ms since the Unix epoch; 0 for ever."""
    name: str = ""
    """Whose credential it is, for people."""

    def as_wished(self, role: Role) -> Role:
        """What somebody may do who would like to be ``role``."""
        return Role.WRITER if Role.READER not in (self.role, role) else Role.READER


@dataclass(frozen=True, slots=True)
class Denied:
    """Not let in."""

    code: CloseCode
    reason: str


Decision: TypeAlias = Grant | Denied


class Gate(Protocol):
    """Decides about access."""

    async def check(self, workspace: str, credential: bytes) -> Decision:
        """What the holder of a credential may do in a workspace.

        Args:
            workspace: its id, 32 hexadecimal digits.
            credential: as it was sent; for a token its text in ASCII.
        """
        ...


class TokenGate:
    """Lets in who has a token that this relay has signed.

    Args:
        accepted: the secrets of which one must have signed it.
        revoked: ids of tokens that are not good any more.
        now: the time, ms since the Unix epoch.
    """

    def __init__(
        self,
        accepted: Sequence[str],
        revoked: Collection[str] = (),
        now: Callable[[], int] = wall_ms,
    ) -> None:
        self._accepted = tuple(accepted)
        self._revoked = frozenset(revoked)
        self._now = now

    async def check(self, workspace: str, credential: bytes) -> Decision:
        """See :meth:`Gate.check`."""
        if not credential:
            return Denied(CloseCode.UNAUTHORIZED, "A token is needed.")
        try:
            token = tokens.read(credential.decode("ascii"), self._accepted)
        except (tokens.BadToken, UnicodeDecodeError):
            return Denied(CloseCode.UNAUTHORIZED, "This token is not known here.")
        if token.id in self._revoked:
            return Denied(CloseCode.UNAUTHORIZED, "This token was revoked.")
        if token.expires and token.expires <= self._now():
            return Denied(CloseCode.UNAUTHORIZED, "This token has expired.")
        if token.workspace != workspace:
            return Denied(CloseCode.FORBIDDEN, "This token is for another workspace.")
        return Grant(token.role, token.expires, token.name)
