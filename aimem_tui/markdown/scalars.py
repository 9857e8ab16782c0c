"""YAML scalars on one line: written plain where YAML allows it, quoted where it does not.

Values are never typed: ``true``, ``2025-09-01`` and ``1.0`` are the characters that were written,
and are written back without quotes. The rules are those of YAML 1.1 and 1.2 taken together
(https://yaml.org/spec/1.2.2/, chapters 5 and 7), so any YAML reader gets the same string.
"""

from __future__ import annotations

import re

_INDICATORS = frozenset("-?:,[]{}#&*!|>'\"%@`")
_NEGATIVE = re.compile(r"-\w")
_MUST_ESCAPE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_NAMED = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    " ": " ",
    '"': '"',
    "/": "/",
    "\\": "\\",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def is_plain(value: str, *, flow: bool = False) -> bool:
    """Whether ``value`` can stand without quotes: after ``key: ``, or in ``[...]`` if ``flow``."""
    return (
        value != ""
        and (value[0] not in _INDICATORS or _NEGATIVE.match(value) is not None)
        and value == value.strip()
        and ": " not in value
        and " #" not in value
        and value[-1] != ":"
        and not (flow and any(mark in value for mark in ",[]{}:?"))
        and _MUST_ESCAPE.search(value) is None
    )


def write_scalar(value: str, *, flow: bool = False) -> str:
    """``value`` as a YAML scalar on one line; ``flow`` says that it stands inside ``[...]``."""
    return value if is_plain(value, flow=flow) else write_quoted(value)


def write_quoted(value: str) -> str:
    """``value`` as a quoted YAML scalar on one line."""
    if _MUST_ESCAPE.search(value):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + _MUST_ESCAPE.sub(_escape, quoted) + '"'
    if '"' in value or "\\" in value:
        return "'" + value.replace("'", "''") + "'"
    return f'"{value}"'


def read_quoted(raw: str) -> str | None:
    """The value of a quoted scalar on one line, quotes included; None where it is not one."""
    if len(raw) < 2 or raw[0] != raw[-1] or raw[0] not in "'\"":
        return None
    inner = raw[1:-1]
    if raw[0] == "'":
        return inner.replace("''", "'") if inner.count("'") == 2 * inner.count("''") else None
    if '"' not in inner and "\\" not in inner:
        return inner
    if '"' in _ESCAPE.sub("", inner) or "\\" in _ESCAPE.sub("", inner):
        return None
    try:
        return _ESCAPE.sub(_unescape, inner)
    except (KeyError, ValueError, OverflowError):
        return None


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char in _SHORT:
        return _SHORT[char]
    return f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"


def _unescape(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if not digits:
        return _NAMED[match[4]]
    char = chr(int(digits, 16))
    char.encode()  # half of a surrogate pair is no character
    return char
