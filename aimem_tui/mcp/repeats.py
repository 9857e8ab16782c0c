"""Edits that were made already. A client whose answer got lost asks again; nothing is doubled then.

An agent that means to have the same lines twice can say so by replacing a passage with both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crdt.textdiff import Splice

_TELLING = 16
"""Characters that a passage must have at least to be known again by itself."""


def is_replaced(text: str, old: str, new: str) -> bool:
    """Whether a passage was replaced before: the new one is there, the old at most within it."""
    text, old, new = _plain(text), _plain(old), _plain(new)
    if not old or not new or old == new or new not in text:
        return False
    if old in new:
        return text.count(old) == text.count(new) * new.count(old)
    return old not in text and len(new.strip()) >= _TELLING


def is_added(
    text: str, content: str, edits: Sequence[Splice], wrote_lately: Callable[[], bool]
) -> bool:
    """Whether the lines that some edits would add were added before.

    They stand right there; or somewhere in the text, because others have added theirs since, and
    whoever asks was at work there lately.
    """
    lines = _plain(content).strip("\n")
    if len(edits) != 1 or edits[0].start != edits[0].end or not lines.strip():
        return False
    before = _plain(text[: edits[0].start]).rstrip("\n")
    after = _plain(text[edits[0].end :]).lstrip("\n")
    if f"\n{before}".endswith(f"\n{lines}") or f"{after}\n".startswith(f"{lines}\n"):
        return True
    is_there = f"\n{lines}\n" in f"\n{_plain(text)}\n"
    return is_there and len(lines.strip()) >= _TELLING and wrote_lately()


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
