"""Frames into messages and back.

- :func:`decode` is the only way in. It returns a message whose every value is within its limits, or
  raises :class:`WireError`; it never sets memory aside for a count that the frame cannot hold.
- Inside the program ids are 32 hexadecimal digits; on the wire they are 16 bytes.
- An entry that does not fit the limits of the wire would keep a copy from agreeing with any other
  for ever. :func:`check_entry` is for whoever makes entries, before they are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import DecodeError, ValidationError
from msgspec.msgpack import Decoder, Encoder

from crdt.entry import MAX_NAME, MAX_NOTE, Checkpoint, Entry
from crdt.errors import CrdtError, WireError
from crdt.vector import Vector
from crdt.wire.messages import (
    MAX_BLOB,
    MAX_SIGNATURE,
    Checkpoints,
    Entries,
    Message,
    WireCheckpoint,
    WireEntry,
)

_decoder: Decoder[Message] = Decoder(Message)
_encoder = Encoder()

FRAME_OVERHEAD = 128
"""Bytes that a frame of entries or checkpoints takes at most, beside these."""
_ITEM_OVERHEAD = 112


def cost_of_entry(entry: Entry) -> int:
    """How many bytes an entry adds to a frame at most."""
    texts = len(entry.author) + len(entry.note)
    return _ITEM_OVERHEAD + len(entry.update) + len(entry.signature) + 4 * texts


def cost_of_checkpoint(checkpoint: Checkpoint) -> int:
    """How many bytes a checkpoint adds to a frame at most."""
    size = len(checkpoint.state) + len(checkpoint.signature) + 4 * len(checkpoint.author)
    return _ITEM_OVERHEAD + size + 25 * len(checkpoint.vector)


def encode(message: Message) -> bytes:
    """The frame of a message."""
    return _encoder.encode(message)


def decode(frame: bytes) -> Message:
    """The message of a frame.

    Raises:
        WireError: if it is none, or one of its values is out of its limits.
    """
    try:
        return _decoder.decode(frame)
    except ValidationError as error:
        raise WireError(f"a value is out of its limits: {error}") from None
    except (DecodeError, RecursionError, UnicodeDecodeError, OverflowError):
        raise WireError("the frame is not a message") from None


def pack_entries(
    entries: Sequence[Entry], *, run: int, mark: int, left: int, token: bytes
) -> Entries:
    """A message that carries ``entries``, in the order given."""
    replicas: dict[str, int] = {}
    thoughts: dict[str, int] = {}
    authors: dict[str, int] = {}
    packed = [
        WireEntry(
            replicas.setdefault(entry.replica, len(replicas)),
            entry.seq,
            thoughts.setdefault(entry.thought, len(thoughts)),
            entry.at,
            authors.setdefault(entry.author, len(authors)),
            entry.update,
            entry.note,
            entry.sealed,
            entry.signature,
        )
        for entry in entries
    ]
    return Entries(run, mark, left, token, ids(replicas), ids(thoughts), list(authors), packed)


class Batch:
    """Entries that go to many connections, encoded once for all of them.

    A frame of entries differs from connection to connection in its head only, and in which of the
    entries the peer has already. The lists of names are those of the whole batch, so an entry's
    bytes are the same in every frame that carries it.

    Args:
        entries: in the order of the log.
    """

    __slots__ = ("_items", "_lists", "_whole", "entries", "first", "gapless", "last")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.first: dict[str, int] = {}
        """For each replica its first number in the batch."""
        self.last: dict[str, int] = {}
        """For each replica its last number in the batch."""
        self.gapless = True
        """Whether the numbers of each replica follow each other."""
        for entry in entries:
            replica, seq = entry.replica, entry.seq
            if replica not in self.first:
                self.first[replica] = seq
            elif seq != self.last[replica] + 1:
                self.gapless = False
            self.last[replica] = seq
        self._lists = b""
        self._items: list[bytes] = []
        self._whole = b""

    def encode(self, *, run: int, mark: int, left: int, token: bytes) -> bytes:
        """The frame that carries all of them."""
        if not self._whole:
            message = pack_entries(self.entries, run=0, mark=1, left=0, token=b"")
            self._whole = _encoder.encode(message)[len(_EMPTY_HEAD) :]
        return _head_of_entries(run, mark, left, token) + self._whole

    def encode_some(
        self, places: Sequence[int], *, run: int, mark: int, left: int, token: bytes
    ) -> bytes:
        """The frame that carries the entries at these places."""
        if not self._items:
            self._pack()
        items = b"".join([self._items[place] for place in places])
        head = _head_of_entries(run, mark, left, token)
        return head + self._lists + _array(len(places)) + items

    def _pack(self) -> None:
        packed = pack_entries(self.entries, run=0, mark=1, left=0, token=b"")
        encode_part = _encoder.encode
        lists = (packed.replicas, packed.thoughts, packed.authors)
        self._lists = b"".join([encode_part(one) for one in lists])
        self._items = [encode_part(one) for one in packed.entries]


def _head_of_entries(run: int, mark: int, left: int, token: bytes) -> bytes:
    """What stands before the lists: an array of nine, the message's number, four fields."""
    # The fields as an array of four; its head is one byte.
    return b"\x99\x04" + _encoder.encode((run, mark, left, token))[1:]


_EMPTY_HEAD = _head_of_entries(0, 1, 0, b"")


def _array(count: int) -> bytes:
    """The head of an array, in its shortest form."""
    return bytes((0x90 | count,)) if count < 16 else b"\xdc" + count.to_bytes(2, "big")


def unpack_entries(message: Entries) -> list[Entry]:
    """The entries of a message, in its order.

    Raises:
        WireError: if an entry points outside the lists at the head of the batch, or a text holds
            the NUL character, which not every ledger can keep.
    """
    replicas = [replica.hex() for replica in message.replicas]
    thoughts = [thought.hex() for thought in message.thoughts]
    authors = message.authors
    _no_nul(authors)
    _no_nul(entry.note for entry in message.entries if entry.note)
    try:
        return [
            Entry(
                replicas[entry.replica],
                entry.seq,
                thoughts[entry.thought],
                entry.update,
                entry.at,
                authors[entry.author],
                entry.note,
                entry.sealed,
                entry.signature,
            )
            for entry in message.entries
        ]
    except IndexError:
        raise WireError("an entry points outside the lists of its batch") from None


def check_entry(entry: Entry) -> None:
    """Make sure that others will take an entry.

    Raises:
        WireError: if a text or the update is too large for a message, or holds what none may.
    """
    for what, text, most in (("author", entry.author, MAX_NAME), ("note", entry.note, MAX_NOTE)):
        if len(text) > most:
            raise WireError(f"the {what} has {len(text)} characters, more than {most}")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise WireError(f"the {what} holds half of a surrogate pair") from None
    _no_nul((entry.author, entry.note))
    if len(entry.update) > MAX_BLOB:
        raise WireError(f"the update has {len(entry.update)} bytes, more than {MAX_BLOB}")
    if len(entry.signature) > MAX_SIGNATURE:
        raise WireError(f"the signature has more than {MAX_SIGNATURE} bytes")


def pack_checkpoints(
    checkpoints: Sequence[Checkpoint], *, run: int, mark: int, left: int, token: bytes
) -> Checkpoints:
    """A message that carries ``checkpoints``."""
    packed = [
        WireCheckpoint(
            bytes.fromhex(checkpoint.thought),
            checkpoint.vector.to_bytes(),
            checkpoint.state,
            checkpoint.at,
            checkpoint.author,
            checkpoint.sealed,
            checkpoint.signature,
        )
        for checkpoint in checkpoints
    ]
    return Checkpoints(run, mark, left, token, packed)


def unpack_checkpoints(message: Checkpoints) -> list[Checkpoint]:
    """The checkpoints of a message.

    Raises:
        WireError: if one of them has a broken vector, or covers nothing, or its author's name holds
            the NUL character.
    """
    unpacked = []
    for checkpoint in message.checkpoints:
        vector = unpack_vector(checkpoint.vector)
        if not vector:
            raise WireError("a checkpoint covers nothing")
        _no_nul((checkpoint.author,))
        unpacked.append(
            Checkpoint(
                checkpoint.thought.hex(),
                checkpoint.state,
                vector,
                checkpoint.at,
                checkpoint.author,
                checkpoint.sealed,
                checkpoint.signature,
            )
        )
    return unpacked


def _no_nul(texts: Iterable[str]) -> None:
    if any("\0" in text for text in texts):
        raise WireError("a text holds the character NUL")


def unpack_vector(data: bytes) -> Vector:
    """A vector from its wire form.

    Raises:
        WireError: if the bytes are no vector.
    """
    try:
        return Vector.from_bytes(data)
    except CrdtError as error:
        raise WireError(str(error)) from None


def ids(texts: Iterable[str]) -> list[bytes]:
    """Ids in hexadecimal digits as bytes."""
    return [bytes.fromhex(text) for text in texts]
