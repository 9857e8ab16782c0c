"""The first words: what the two sides say of themselves, and whether they can talk at all."""

from __future__ import annotations

from crdt.errors import WireError
from crdt.session.events import HelloReceived, Welcomed
from crdt.session.incoming import Fork
from crdt.session.replica import Replica
from crdt.vector import Vector
from crdt.wire.messages import PROTOCOL_MAX, PROTOCOL_MIN, CloseCode, Hello, Role, Want, Welcome


class Refused(WireError):
    """The two sides cannot talk."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def hello(replica: Replica, role: Role, max_frame: int, credential: bytes, agent: str) -> Hello:
    """What the dialling side says."""
    return Hello(
        PROTOCOL_MIN,
        PROTOCOL_MAX,
        bytes.fromhex(replica.workspace),
        bytes.fromhex(replica.replica),
        bytes.fromhex(replica.log),
        role,
        max_frame,
        credential,
        agent,
    )


def welcome(
    replica: Replica, role: Role, expires: int, max_frame: int, credential: bytes, agent: str
) -> Welcome:
    """What the answering side says when it lets the other in."""
    return Welcome(
        PROTOCOL_MAX,
        bytes.fromhex(replica.replica),
        bytes.fromhex(replica.log),
        role,
        expires,
        max_frame,
        credential,
        agent,
    )


def read_hello(message: Hello, replica: Replica) -> HelloReceived:
    """What a hello says, once it is sure to be meant for this copy.

    Raises:
        Refused: if it is not.
    """
    if not message.protocol_min <= PROTOCOL_MAX <= message.protocol_max:
        raise Refused(
            CloseCode.BAD_VERSION,
            f"This side speaks protocol {PROTOCOL_MAX}, the other"
            f" {message.protocol_min} to {message.protocol_max}.",
        )
    if message.workspace.hex() != replica.workspace:
        raise Refused(CloseCode.NO_WORKSPACE, "This is another workspace.")
    return HelloReceived(message.replica.hex(), message.role, message.credential, message.agent)


def read_welcome(message: Welcome) -> Welcomed:
    """What a welcome says, once it is sure that the protocol chosen was offered.

    Raises:
        Refused: if it was not.
    """
    if message.protocol != PROTOCOL_MAX:
        raise Refused(CloseCode.BAD_VERSION, "The other side chose another protocol.")
    return Welcomed(
        message.replica.hex(), message.role, message.expires, message.credential, message.agent
    )


def read_want(message: Want, replica: Replica) -> Vector:
    """What the other side has, once compared with what this copy has under the same names.

    Raises:
        Fork: if the two differ, or the other side has more of this copy's own entries than it.
        WireError: if a replica is named twice.
    """
    has = Vector({tip.replica.hex(): tip.seq for tip in message.tips})
    if len(has) != len(message.tips):
        raise WireError("a replica is named twice")
    mine, own = replica.vector(), replica.replica
    if has[own] > mine[own]:
        raise Fork(own, has[own])
    for tip in message.tips:
        one = tip.replica.hex()
        if tip.digest and tip.seq <= mine[one]:
            held = replica.digest(one, tip.seq)
            if held and held != tip.digest:
                raise Fork(one, tip.seq)
    return has
