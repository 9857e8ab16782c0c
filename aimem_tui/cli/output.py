"""Standard output. Nothing else in the command line writes there.

- Colour and shortening only where standard output is a terminal; a pipe gets plain, whole text.
- What cannot be written (a full disk) is a :class:`StorageError`; a reader that has gone away is
  a ``BrokenPipeError``, which :mod:`aimem_tui.cli.main` takes as a quiet end.
- JSON is UTF-8, one object per command, with the shapes of :mod:`aimem_tui.cli.shapes`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice
from typing import NamedTuple

from aimem_tui.cli import styling, terminal
from aimem_tui.cli.styling import Piece, Span
from aimem_tui.errors import StorageError

_MEASURED_ROWS = 1_000
_NARROWEST, _WIDEST = 12, 48
_GAP = "  "


class Column(NamedTuple):
    """A column of a table. ``flexible`` ones give way where the terminal is narrow."""

    title: str
    right: bool = False
    flexible: bool = False
    keep_end: bool = False
    style: str = ""


def prepare() -> None:
    """Let no character stop the output: what the encoding lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def is_terminal() -> bool:
    """Whether a person reads the output."""
    return terminal.is_terminal(sys.stdout)


def line(*pieces: Piece) -> None:
    """One line."""
    emit(styling.render(pieces, coloured=terminal.wants_colour(sys.stdout)) + "\n")


def fields(rows: Iterable[tuple[str, str]]) -> None:
    """Names and values, one pair per line, values aligned; pairs without a value are left out."""
    kept = [(name, value) for name, value in rows if value]
    width = max((styling.cells(name) for name, _ in kept), default=0)
    for name, value in kept:
        line(styling.dim(name.ljust(width)), _GAP, value)


def text(content: str) -> None:
    """A thought's text: byte for byte into a pipe, harmless and ended on a terminal."""
    if is_terminal():
        shown = styling.safe_text(content)
        emit(shown if shown.endswith("\n") or not shown else shown + "\n")
    else:
        exact(content)


def exact(content: str) -> None:
    """A text in UTF-8 as it is, whatever the terminal makes of it."""
    with _explained():
        if sys.stdout is None:
            return
        sys.stdout.flush()
        sys.stdout.buffer.write(content.encode())


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Rows under a line of titles. Columns are as wide as the first thousand rows need.

    On a terminal cells are shortened, and the last columns left out, until a row fits. Elsewhere
    nothing is cut, and one long cell does not push all others apart.
    """
    iterator = iter(rows)
    first = [[styling.safe(cell) for cell in row] for row in islice(iterator, _MEASURED_ROWS)]
    widths = [
        max([len(column.title), *(styling.cells(row[i]) for row in first)])
        for i, column in enumerate(columns)
    ]
    clipped = is_terminal()
    if clipped:
        widths = _fitting(columns, widths, terminal.columns(sys.stdout))
    else:
        widths = [
            min(width, _WIDEST) if column.flexible else width
            for column, width in zip(columns, widths, strict=True)
        ]
    columns = columns[: len(widths)]
    line(styling.dim(_GAP.join(_aligned(columns, [c.title for c in columns], widths)).rstrip()))
    for row in chain(first, ([styling.safe(cell) for cell in row] for row in iterator)):
        cells = row[: len(columns)]
        if clipped:
            cells = [
                styling.clip(cell, width, keep_end=column.keep_end)
                for cell, width, column in zip(cells, widths, columns, strict=True)
            ]
        used = max((i for i, cell in enumerate(cells, 1) if cell), default=0)
        pieces: list[Piece] = []
        for cell, column in zip(_aligned(columns, cells, widths)[:used], columns, strict=False):
            pieces += [_GAP if pieces else "", Span(cell, column.style) if column.style else cell]
        line(*pieces)


def json_object(value: Mapping[str, object]) -> None:
    """One JSON object, laid out for reading."""
    import json

    emit(json.dumps(value, indent=2, ensure_ascii=_escapes_json()) + "\n")


def json_list(key: str, items: Iterable[Mapping[str, object]]) -> None:
    """A JSON object with one list, an item per line, written as the items come."""
    import json

    ascii_only = _escapes_json()
    emit(f'{{"{key}": [')
    separator = "\n"
    for item in items:
        emit(separator + json.dumps(item, ensure_ascii=ascii_only))
        separator = ",\n"
    emit("\n]}\n")


def emit(content: str) -> None:
    """Write a string that is fit for a terminal already."""
    with _explained():
        if sys.stdout is not None:
            sys.stdout.write(content)


def flush() -> None:
    """Hand over what was written.

    Raises:
        BrokenPipeError: if nobody reads any more.
        StorageError: if it cannot be written.
    """
    with _explained():
        if sys.stdout is not None:
            sys.stdout.flush()


def abandon() -> None:
    """Throw away what waits to be written, so that the interpreter's end does not trip over it."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        abandon()
        raise StorageError(
            "The output cannot be written.", why=f"{error.strerror or error}."
        ) from error


def _escapes_json() -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    return encoding.lower().replace("-", "") != "utf8"


def _aligned(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> list[str]:
    aligned = []
    for cell, column, width in zip(row, columns, widths, strict=True):
        padding = " " * (width - styling.cells(cell))
        aligned.append(padding + cell if column.right else cell + padding)
    return aligned


def _fitting(columns: Sequence[Column], wanted: Sequence[int], available: int) -> list[int]:
    """Widths that fit: the widest flexible columns give way, then the last columns are left out."""
    for kept in range(len(wanted), 0, -1):
        widths = list(wanted[:kept])
        excess = sum(widths) + len(_GAP) * (kept - 1) - available
        flexible = [i for i, column in enumerate(columns[:kept]) if column.flexible]
        while excess > 0 and flexible:
            widest = max(flexible, key=lambda i: widths[i])
            if widths[widest] <= _NARROWEST:
                break
            widths[widest] -= 1
            excess -= 1
        if excess <= 0:
            return widths
    return [max(available, 1)]
