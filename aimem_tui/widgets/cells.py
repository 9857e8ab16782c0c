"""Text as cells of the terminal: made safe to draw, measured, cut and broken into lines.

Everything that is drawn passes through `printable` first. It takes out what would move the
terminal's cursor, reorder the line or make Rich's two ways of measuring disagree (which ends in
an exception deep inside the compositor): control characters, bidirectional overrides, lone
surrogates, joiners that join nothing. After that widths add up: the width of a text is the sum
of the widths of its pieces, if it is cut at graphemes as it is here.

Long input is cheap: text of one-cell characters is cut by slicing, never character by character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

from rich.cells import cell_len, split_graphemes

from aimem_tui.widgets.rows import Span

TAB = 4
"""Cells between tab stops, in lists and in the preview."""

_VISIBLE: dict[int, str] = (
    {code: chr(0x2400 + code) for code in range(0x20)}
    | {0x7F: "\u2421"}
    | dict.fromkeys(range(128, 160), "�")
    | {0x2028: "\u2424", 0x2029: "\u2424"}
    | dict.fromkeys((173, 8206, 8207, 1564, 8288, 65279), "")
    | dict.fromkeys((*range(8234, 8239), *range(8294, 8298)), "�")
    | dict.fromkeys(range(55296, 57344), "�")
)

_PICTURE = "\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_WIDE = "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60"

# These classes take milliseconds to compile, and text in ASCII needs none of them.


@cache
def _joins_nothing() -> re.Pattern[str]:
    return re.compile(
        rf"\u200d(?![{_PICTURE}])|(?<![{_PICTURE}\ufe0f])\u200d"
        rf"|(?<![{_PICTURE}0-9#*\u00a9\u00ae\u203c\u2049\u2122\u2139\u3030\u303d\u3297\u3299])\ufe0f"
    )


@cache
def _one_cell() -> re.Pattern[str]:
    return re.compile(
        "[\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0377\u037a-\u037f\u0400-\u0482"
        "\u2010-\u2027\u2030-\u203b\u2190-\u2193\u2500-\u25fc\u2800-\u28ff]*"
    )


@cache
def _word() -> re.Pattern[str]:
    return re.compile(rf" +|[{_WIDE}]|[^ {_WIDE}]+")


def one_cell(text: str) -> bool:
    """Whether every character is known to fill exactly one cell."""
    return text.isascii() or _one_cell().fullmatch(text) is not None


def printable(text: str) -> str:
    """The text without anything a terminal would obey instead of draw.

    Tabs become spaces up to the next stop, counted from the beginning of ``text``.
    """
    if text.isprintable():
        return text
    if "\t" in text:
        text = text.expandtabs(TAB)
    return _joins_nothing().sub("", text.translate(_VISIBLE))


def cut(text: str, width: int) -> str:
    """The longest beginning of a printable text that fits into ``width`` cells."""
    if width <= 0:
        return ""
    if one_cell(text):
        return text[:width]
    used = 0
    for start, _end, cells in split_graphemes(text)[0]:
        used += cells
        if used > width:
            return text[:start]
    return text


def fit(text: str, width: int, ellipsis: str = "…") -> str:
    """As much of a text as fits into ``width`` cells, printable; a cut ends in ``ellipsis``."""
    return "".join(span.text for span in fit_spans([Span(text)], width, ellipsis)[0])


def fit_spans(
    spans: Sequence[Span], width: int, ellipsis: str = "…"
) -> tuple[tuple[Span, ...], int]:
    """As much of the spans as fits into ``width`` cells, and how many cells that fills.

    What does not fit ends in ``ellipsis``. The spans come out printable, none of them empty.
    """
    # More code points than this cannot be seen, whatever they are; it bounds hostile names.
    most = 16 * (width + 1)
    fitted: list[Span] = []
    used = 0
    for span in spans:
        text = printable(span.text[:most])
        cells = cell_len(text)
        if not cells:
            continue
        if used + cells > width or len(span.text) > most:
            room = width - cell_len(ellipsis)
            while fitted and used > room:
                last = fitted.pop()
                used -= cell_len(last.text)
                text, span = last.text, last
            text = cut(text, room - used)
            marked = text + ellipsis if room >= 0 else cut(ellipsis, width)
            if cell_len(marked):
                fitted.append(span._replace(text=marked))
                used += cell_len(marked)
            break
        fitted.append(span if text == span.text else span._replace(text=text))
        used += cells
    return tuple(fitted), used


def line_ranges(text: str, width: int) -> list[tuple[int, int]]:
    """Where a printable text breaks into lines of at most ``width`` cells.

    Breaks at spaces, beside wide characters, and inside words only where a word is wider than a
    line. The spaces at a break belong to no line. At least one range, possibly empty.
    """
    width = max(1, width)
    if one_cell(text):
        return _plain_ranges(text, width)
    if cell_len(text) <= width:
        return [(0, len(text))]
    ranges: list[tuple[int, int]] = []
    start = end = 0
    used = pending = 0
    for match in _word().finditer(text):
        word = match.group()
        cells = cell_len(word)
        if word[0] == " ":
            if used:
                pending = cells
            else:
                start = end = match.end()
            continue
        if used and used + pending + cells > width:
            ranges.append((start, end))
            start, used, pending = match.start(), 0, 0
        if cells > width:
            used = 0
            for first, last, size in split_graphemes(word)[0]:
                if used and used + size > width:
                    ranges.append((start, match.start() + first))
                    start, used = match.start() + first, 0
                used += size
                end = match.start() + last
            pending = 0
            continue
        used += pending + cells
        pending = 0
        end = match.end()
    if used or not ranges:
        ranges.append((start, max(start, end)))
    return ranges


def _plain_ranges(text: str, width: int) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    start, length = 0, len(text)
    while length - start > width:
        end = text.rfind(" ", start, start + width + 1)
        if end <= start:
            end = start + width
            if text[start] == " ":
                start += 1
                continue
        ranges.append((start, start + len(text[start:end].rstrip(" "))))
        start = end
        while start < length and text[start] == " ":
            start += 1
    if start < length or not ranges:
        ranges.append((start, length))
    return ranges


def chop_ranges(text: str, width: int) -> list[tuple[int, int]]:
    """Where a printable text is chopped into pieces of at most ``width`` cells, spaces kept."""
    width = max(1, width)
    if one_cell(text):
        return [(at, min(at + width, len(text))) for at in range(0, len(text), width)] or [(0, 0)]
    ranges: list[tuple[int, int]] = []
    start = used = 0
    for first, _last, size in split_graphemes(text)[0]:
        if used and used + size > width:
            ranges.append((start, first))
            start, used = first, 0
        used += size
    ranges.append((start, len(text)))
    return ranges


def slices(spans: Iterable[Span], ranges: Sequence[tuple[int, int]]) -> list[tuple[Span, ...]]:
    """The spans of each range, where ranges count characters over the joined spans.

    The ranges ascend and do not overlap.
    """
    lines: list[list[Span]] = [[] for _ in ranges]
    at = index = 0
    for span in spans:
        end = at + len(span.text)
        while index < len(ranges):
            start, stop = ranges[index]
            low, high = max(start, at), min(stop, end)
            if low < high:
                whole = low == at and high == end
                lines[index].append(
                    span if whole else span._replace(text=span.text[low - at : high - at])
                )
            if stop > end or (stop == end and index == len(ranges) - 1):
                break
            index += 1
        at = end
    return [tuple(line) for line in lines]


def wrap(spans: Sequence[Span], width: int) -> list[tuple[Span, ...]]:
    """Printable spans broken into lines of at most ``width`` cells, see `line_ranges`."""
    return slices(spans, line_ranges("".join(span.text for span in spans), width))
