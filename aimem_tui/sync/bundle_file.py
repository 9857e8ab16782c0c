"""The file that a bundle is: writing it whole or not at all, and reading it with suspicion.

- A bundle begins with a mark, the version and a header, goes on with frames, each behind its
  length, and ends with a digest of all that; the header has one of its own. ``docs/bundle.md``
  describes every byte; what the frames mean is ``aimem_tui.sync.bundle``'s.
- Writing goes to a file beside the target, which is synced and renamed at the end.
- Reading believes no length before it was compared with what the file has left, and holds one frame
  at a time.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import IO, Annotated

import msgspec

from aimem_tui.errors import AimemError, BadInput, NotFound, StorageError
from crdt.errors import CrdtError
from crdt.session.replica import Limits
from crdt.vector import Vector
from crdt.wire import messages

MAGIC = b"\x89aimem\r\n\x1a\n"
"""The line ends are there to be ruined by a transfer that takes the file for text."""
VERSION = 1

_LENGTH = struct.Struct(">I")
_DIGEST_BYTES = 32
_MAX_HEADER = 8 << 20
_MAX_FRAME = Limits().max_frame


class Header(msgspec.Struct, array_like=True, frozen=True):
    """What stands at the beginning of a bundle; fields are only ever appended."""

    workspace: messages.Id
    replica: messages.Id
    """The sender's."""
    log: messages.Id
    """The sender's."""
    made_at: messages.Time
    base: messages.VectorBytes
    """What the receiver must have for the bundle to continue from."""
    tips: Annotated[list[messages.Tip], msgspec.Meta(max_length=messages.MAX_REPLICAS)]
    """What the sender has, and with the bundle the receiver."""
    sender: messages.Name = ""
    """Who made it, for people."""

    @property
    def vector(self) -> Vector:
        """What the sender has."""
        return Vector({tip.replica.hex(): tip.seq for tip in self.tips})


_header_decoder: msgspec.msgpack.Decoder[Header] = msgspec.msgpack.Decoder(Header)


class Bundle:
    """A bundle on disk.

    Args:
        path: its file, which is read from the start each time something is asked for.

    Raises:
        NotFound: if it is not there.
        BadInput: if it is no bundle, or one of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._open() as file:
            self.header = self._read_header(_Checked(file, path))

    @property
    def is_request(self) -> bool:
        """Whether it only says what its sender has."""
        return Vector.from_bytes(self.header.base) == self.header.vector

    def frames(self) -> Iterator[bytes]:
        """All frames; the digest is compared at the end.

        Raises:
            BadInput: if the file is cut short or was altered.
        """
        with self._open() as file:
            checked = _Checked(file, self.path)
            if self._read_header(checked) != self.header:
                raise altered(self.path)
            while True:
                (length,) = _LENGTH.unpack(checked.read(_LENGTH.size))
                if not length:
                    break
                if length > _MAX_FRAME:
                    raise altered(self.path)
                yield checked.read(length)
            wanted = checked.digest()
            if checked.read(_DIGEST_BYTES) != wanted or file.read(1):
                raise altered(self.path)

    def verify(self) -> None:
        """Read all of it.

        Raises:
            BadInput: if the file is cut short or was altered.
        """
        for _ in self.frames():
            pass

    def _read_header(self, checked: _Checked) -> Header:
        if checked.peek(len(MAGIC)) != MAGIC:
            raise BadInput(f"{self.path} is not a bundle.")
        checked.read(len(MAGIC))
        (version,) = checked.read(1)
        if version > VERSION:
            raise BadInput(
                f"{self.path} cannot be read.",
                why="A newer version of aimem made it.",
                hint="Update aimem, then try again.",
            )
        (length,) = _LENGTH.unpack(checked.read(_LENGTH.size))
        if length > _MAX_HEADER:
            raise altered(self.path)
        try:
            encoded = checked.read(length)
            wanted = checked.digest()
            if checked.read(_DIGEST_BYTES) != wanted:
                raise altered(self.path)
            header = _header_decoder.decode(encoded)
            vector, base = header.vector, Vector.from_bytes(header.base)
        except (msgspec.DecodeError, CrdtError, UnicodeDecodeError, OverflowError):
            raise altered(self.path) from None
        if not version or len(vector) != len(header.tips) or not vector.covers(base):
            raise altered(self.path)
        return header

    def _open(self) -> IO[bytes]:
        try:
            return self.path.open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"There is no file {self.path}.") from error
        except OSError as error:
            raise _unreadable(self.path, error) from error


def write(target: Path, header: Header, frames: Iterable[bytes]) -> int:
    """Write a bundle; a file at ``target`` is replaced once all is on disk.

    Args:
        frames: what they raise ends the work without a trace.

    Returns: its size in bytes.

    Raises:
        StorageError: if it cannot be written.
    """
    encoded = msgspec.msgpack.encode(header)
    temporary: Path | None = None
    size = 0
    try:
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            summary = blake2b(digest_size=_DIGEST_BYTES)

            def put(data: bytes) -> None:
                nonlocal size
                file.write(data)
                summary.update(data)
                size += len(data)

            put(MAGIC + bytes([VERSION]) + _LENGTH.pack(len(encoded)) + encoded)
            put(summary.digest())
            for frame in frames:
                put(_LENGTH.pack(len(frame)) + frame)
            put(_LENGTH.pack(0))
            put(summary.digest())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        temporary = None
        _sync_folder(target.parent)
    except OSError as error:
        raise StorageError(
            f"{target} cannot be written.",
            why=f"{error.strerror or error}.",
            hint="Nothing was left behind. Choose another place.",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return size


class _Checked:
    """Reads a file, and sums up what was read."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path
        self._summary = blake2b(digest_size=_DIGEST_BYTES)
        self._left = os.fstat(file.fileno()).st_size

    def peek(self, length: int) -> bytes:
        """What comes next, or less if the file ends."""
        at = self._file.tell()
        found = self._file.read(length)
        self._file.seek(at)
        return found

    def read(self, length: int) -> bytes:
        """Exactly so many bytes; never more memory than the file has bytes."""
        try:
            data = self._file.read(length) if length <= self._left else b""
        except OSError as error:
            raise _unreadable(self._path, error) from error
        if len(data) != length:
            raise BadInput(
                f"{self._path} is not whole.",
                why="The file is cut short.",
                hint="Nothing was taken from it. Copy it again.",
            )
        self._left -= length
        self._summary.update(data)
        return data

    def digest(self) -> bytes:
        """Of everything read so far."""
        return self._summary.digest()


def _sync_folder(folder: Path) -> None:
    """Make a rename last; some systems cannot, and do not need it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def altered(path: Path) -> AimemError:
    """What to say of a bundle whose bytes are not what they were."""
    return BadInput(
        f"{path} is damaged.",
        why="It is not as it was when it was made.",
        hint="Nothing was taken from it. Copy it again, or have it made again.",
    )


def _unreadable(path: Path, error: OSError) -> AimemError:
    return BadInput(f"{path} cannot be read.", why=f"{error.strerror or error}.")
