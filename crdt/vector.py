"""Vectors: exactly what a copy of a workspace has.

A vector maps each replica to the highest sequence number held from it. Because a replica numbers
its entries without gaps, that one number says everything, deletions included; a Yjs state vector
does not cover deletions and is never used to decide that two copies are equal.

Wire form: for each replica in ascending order its 16 bytes, then the number as an unsigned
LEB128 varint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crdt.errors import CrdtError, GapError

_MAX_SEQ = (1 << 63) - 1


class Vector(Mapping[str, int]):
    """An immutable map of replica (32 hexadecimal digits) to the highest sequence number held."""

    __slots__ = ("_seqs",)

    def __init__(self, seqs: Mapping[str, int] | None = None) -> None:
        self._seqs = {replica: seq for replica, seq in (seqs or {}).items() if seq > 0}

    def __getitem__(self, replica: str) -> int:
        """The highest number held from ``replica``; 0 where there is none."""
        return self._seqs.get(replica, 0)

    def __iter__(self) -> Iterator[str]:
        return iter(self._seqs)

    def __len__(self) -> int:
        return len(self._seqs)

    def __contains__(self, replica: object) -> bool:
        return replica in self._seqs

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vector) and self._seqs == other._seqs

    def __hash__(self) -> int:
        return hash(frozenset(self._seqs.items()))

    def __repr__(self) -> str:
        inside = ", ".join(f"{replica[:8]}: {seq}" for replica, seq in sorted(self._seqs.items()))
        return f"Vector({{{inside}}})"

    def covers(self, other: Mapping[str, int]) -> bool:
        """Whether this holds everything that ``other`` holds."""
        return all(self[replica] >= seq for replica, seq in other.items())

    def merged(self, other: Mapping[str, int]) -> Vector:
        """What two copies hold together."""
        seqs = dict(self._seqs)
        for replica, seq in other.items():
            seqs[replica] = max(seq, seqs.get(replica, 0))
        return Vector(seqs)

    def advanced(self, replica: str, seq: int) -> Vector:
        """This vector with the next entry of ``replica`` added.

        Raises:
            GapError: if ``seq`` is not the very next number; a hole is never accepted quietly.
        """
        if seq != self[replica] + 1:
            raise GapError(f"entry {seq} of replica {replica[:8]} does not follow {self[replica]}")
        return Vector({**self._seqs, replica: seq})

    def to_bytes(self) -> bytes:
        """The wire form described at the top of this file."""
        out = bytearray()
        for replica in sorted(self._seqs):
            out += bytes.fromhex(replica)
            seq = self._seqs[replica]
            while seq >= 0x80:
                out.append(seq & 0x7F | 0x80)
                seq >>= 7
            out.append(seq)
        return bytes(out)

    @classmethod
    def from_bytes(cls, data: bytes) -> Vector:
        """Read the wire form.

        Raises:
            CrdtError: if the bytes are not the one form of a vector whose numbers are below 2**63.
        """
        seqs: dict[str, int] = {}
        at, last = 0, ""
        while at < len(data):
            replica = data[at : at + 16].hex()
            at += 16
            if len(replica) != 32 or replica <= last:
                raise CrdtError("a vector is cut short or out of order")
            last, seq, shift = replica, 0, 0
            while True:
                if at >= len(data) or shift > 63:
                    raise CrdtError("a vector holds a broken number")
                byte = data[at]
                at += 1
                seq |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            # The last byte is 0 where a number is 0, or longer than it need be.
            if byte == 0 or seq > _MAX_SEQ:
                raise CrdtError("a vector holds a number out of range")
            seqs[replica] = seq
        return cls(seqs)
