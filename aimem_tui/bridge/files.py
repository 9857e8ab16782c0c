"""What counts as a text file, and how files are named to people. No files are opened here."""

from __future__ import annotations

import re
from hashlib import blake2b

from aimem_tui.model.limits import TEXT_LIMIT

SIZE_LIMIT = TEXT_LIMIT
"""The largest file that is taken in, in bytes."""

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Control characters, line separators and the marks that turn the direction of writing.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class LeftOut(Exception):
    """A file that cannot be taken in or written out; the message is a sentence: why."""


def decode_text(data: bytes) -> str:
    """The text that a file's bytes are, every code point kept, a byte order mark included.

    Raises:
        LeftOut: if they are not UTF-8 text; the reason names the first bad byte, counted from 0.
    """
    if data.startswith(_UTF16_MARKS):
        raise LeftOut("It is UTF-16, not UTF-8.")
    nul = data.find(b"\0")
    if nul >= 0:
        raise LeftOut(f"It is not text: byte {nul} is NUL.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LeftOut(f"It is not UTF-8: see byte {error.start}.") from None


def too_large(size: int) -> LeftOut:
    """The reason for leaving out a file of ``size`` bytes."""
    return LeftOut(
        f"It is too large: {size / 1_048_576:.1f} MB of at most {SIZE_LIMIT // 1_048_576} MB."
    )


def fingerprint(data: bytes) -> str:
    """32 hexadecimal digits of BLAKE2b that stand for a file's content."""
    return blake2b(data, digest_size=16).hexdigest()


def printable(name: str | bytes) -> str:
    """A file's name as it can be shown: what is no text or would disturb a screen is escaped."""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    return _UNSEEN.sub(lambda match: ascii(match[0])[1:-1], text)
