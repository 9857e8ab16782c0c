"""Frames into messages and back.

- :func:`decode` is the only way in. It returns a message whose every value is within its limits, or
  raises :class:`WireError`; it never sets memory aside for a count that the frame cannot hold.
- Inside the program ids are 32 hexadecimal digits; on the wire they are 16 bytes.
- An :class:`Entry` that does not fit the limits of the wire cannot be encoded: :class:`WireError`
  again, so that a store can refuse it before it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import DecodeError, ValidationError
from msgspec.msgpack import Decoder, Encoder

from crdt.entry import Checkpoint, Entry
from crdt.errors import CrdtError, WireError
from crdt.vector import Vector
from crdt.wire.messages import Checkpoints, Entries, Message, WireCheckpoint, WireEntry

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


def unpack_entries(message: Entries) -> list[Entry]:
    """The entries of a message, in its order.

    Raises:
        WireError: if an entry points outside the lists at the head of the batch.
    """
    replicas = [replica.hex() for replica in message.replicas]
    thoughts = [thought.hex() for thought in message.thoughts]
    authors = message.authors
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
        WireError: if one of them has a broken vector, or covers nothing.
    """
    unpacked = []
    for checkpoint in message.checkpoints:
        vector = unpack_vector(checkpoint.vector)
        if not vector:
            raise WireError("a checkpoint covers nothing")
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
