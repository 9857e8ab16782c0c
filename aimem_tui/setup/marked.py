"""A section between two marks in a text of people's, such as ``AGENTS.md``."""

from __future__ import annotations

from aimem_tui.setup.edits import Edited, SectionAdded

BEGIN = "<!-- aimem: begin -->"
END = "<!-- aimem: end -->"


def add(
    text: str, content: str, *, earlier: SectionAdded | None = None, replace: bool = False
) -> Edited[SectionAdded]:
    """Put a section behind a text, or bring it up to date where it is.

    Args:
        earlier: what was added before; a section that is still as it was is renewed unasked.
        replace: renew one that was changed, too.
    """
    ends = "\r\n" if "\r\n" in text else "\n"
    block = f"{BEGIN}\n{content.strip()}\n{END}".replace("\n", ends)
    span = _span(text)
    if span is None:
        body = text.strip("\ufeff \t\r\n")
        gap = "" if not body else ends if text.endswith("\n") else ends * 2
        added = f"{gap}{block}{ends}"
        return Edited(text + added, "added", SectionAdded(added))
    start, end = span
    present = text[start:end]
    if present == block:
        return Edited(text, "there")
    if not replace and (earlier is None or present != earlier.text.strip()):
        return Edited(text, "differs", was=present)
    if earlier is not None:
        gap = earlier.text[: len(earlier.text) - len(earlier.text.lstrip())]
        kept = SectionAdded(f"{gap}{block}{ends}")
    else:
        kept = SectionAdded(block)
    return Edited(text[:start] + block + text[end:], "added", kept, was=present)


def take_out(text: str, added: SectionAdded) -> Edited[SectionAdded]:
    """Take the section out, unless it was changed since."""
    if added.text in text:
        before, _, behind = text.rpartition(added.text)
        return Edited(before + behind, "removed")
    span = _span(text)
    if span is None:
        return Edited(text, "gone")
    start, end = span
    if text[start:end] != added.text.strip():
        return Edited(text, "differs", was=text[start:end])
    return Edited(text[:start] + text[end:], "removed")


def _span(text: str) -> tuple[int, int] | None:
    start = text.find(BEGIN)
    end = text.find(END, start)
    return None if start < 0 or end < 0 else (start, end + len(END))
