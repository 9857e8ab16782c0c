"""The exact text of a thought as the lines that a text area shows.

Rules of this model:

- A line ends at ``\\n`` or ``\\r\\n`` and nowhere else. A lone ``\\r``, a form feed, U+2028 and the
  like are characters within a line. So every text has one way into lines and back, byte for byte.
- A line's text and its line end are kept apart. Whoever shows lines never sees an end, and no
  location lies between ``\\r`` and ``\\n``.
- Places are locations (row, column in code points), as Textual counts, or offsets in UTF-8 bytes,
  as the document counts. A byte inside a line end or inside a character belongs to the location
  before it.
- The one way to change it is `replace_bytes`. It joins the raw text of the lines it touches and
  splits it again: a ``\\r`` and a ``\\n`` that come together become one line end, and a line end
  that is torn apart becomes what it then is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, overload

from textual.geometry import Size
from textual.widgets.text_area import DocumentBase, EditResult, Location

from aimem_tui.widgets.editor.cells import measure
from aimem_tui.widgets.editor.sums import Sums
from crdt.adapter import byte_length


@dataclass(frozen=True, slots=True)
class LineSplice:
    """Which lines an edit replaced: from ``first`` on, ``removed`` lines by ``added`` others."""

    first: int
    removed: int
    added: int


class LineDocument(DocumentBase):
    """A text as lines, for a text area to show."""

    def __init__(self, text: str) -> None:
        """The lines of ``text``.

        Raises:
            CrdtError: if it holds half of a surrogate pair.
        """
        self._lines, self._ends = split_lines(text)
        self._bytes = Sums(map(_size, self._lines, self._ends))
        self._crlf = self._ends.count("\r\n")
        self._text: str | None = text

    @property
    def text(self) -> str:
        """The whole text, exact. Costs the length of the text after each change."""
        if self._text is None:
            self._text = "".join(map(str.__add__, self._lines, self._ends))
        return self._text

    @property
    def byte_count(self) -> int:
        """The length of the text in UTF-8 bytes."""
        return self._bytes.total

    @property
    def newline(self) -> Literal["\n", "\r\n"]:
        """The line end that most lines have."""
        return "\r\n" if 2 * self._crlf > len(self._ends) - 1 else "\n"

    @property
    def lines(self) -> list[str]:
        """The texts of the lines, without their ends. Not to be changed."""
        return self._lines

    @property
    def line_count(self) -> int:
        """How many lines there are; an empty text has one."""
        return len(self._lines)

    @property
    def start(self) -> Location:
        """The first location."""
        return (0, 0)

    @property
    def end(self) -> Location:
        """The last location."""
        return (len(self._lines) - 1, len(self._lines[-1]))

    def get_line(self, index: int) -> str:
        """The text of a line, without its end."""
        return self._lines[index]

    def get_line_end(self, index: int) -> str:
        """How a line ends: ``"\\n"``, ``"\\r\\n"``, or for the last one ``""``."""
        return self._ends[index]

    @overload
    def __getitem__(self, line_index: int) -> str: ...

    @overload
    def __getitem__(self, line_index: slice) -> list[str]: ...

    def __getitem__(self, line_index: int | slice) -> str | list[str]:
        return self._lines[line_index]

    def get_text_range(self, start: Location, end: Location) -> str:
        """The exact text between two locations, given in either order."""
        (top, left), (bottom, right) = sorted((self.clamp(start), self.clamp(end)))
        if top == bottom:
            return self._lines[top][left:right]
        between = map(str.__add__, self._lines[top:bottom], self._ends[top:bottom])
        return ("".join(between) + self._lines[bottom][:right])[left:]

    def get_size(self, indent_width: int) -> Size:
        """Width of the longest line in cells, and the number of lines. Looks at every line."""
        return Size(max(measure(line, indent_width).width for line in self._lines), self.line_count)

    def clamp(self, location: Location) -> Location:
        """The location, moved into the text if it lies outside."""
        row, column = location
        if row < 0:
            return self.start
        if row >= len(self._lines):
            return self.end
        return row, min(max(column, 0), len(self._lines[row]))

    def byte_of(self, location: Location) -> int:
        """The offset of a location in UTF-8 bytes."""
        row, column = self.clamp(location)
        return self._bytes.before(row) + byte_length(self._lines[row][:column])

    def location_of(self, byte: int) -> Location:
        """The location of an offset in UTF-8 bytes, moved into the text if it lies outside."""
        row, rest = self._bytes.find(max(byte, 0))
        line = self._lines[row]
        if line.isascii():
            return row, min(rest, len(line))
        return row, len(line.encode()[:rest].decode(errors="ignore"))

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        """Put ``text`` between two locations, and tell where it ends and what it replaced."""
        start, end = sorted((self.clamp(start), self.clamp(end)))
        replaced = self.get_text_range(start, end)
        first = self.byte_of(start)
        self.replace_bytes(first, self.byte_of(end), text)
        return EditResult(self.location_of(first + byte_length(text)), replaced)

    def replace_bytes(self, start: int, end: int, text: str) -> LineSplice:
        """Put ``text`` in the place of the UTF-8 bytes from ``start`` up to ``end``.

        Raises:
            ValueError: if the range lies outside the text or cuts a character.
            CrdtError: if ``text`` holds half of a surrogate pair.
        """
        if not 0 <= start <= end <= self.byte_count:
            raise ValueError(f"bytes {start} to {end} lie outside {self.byte_count} bytes")
        first, head = self._bytes.find(start)
        last, tail = self._bytes.find(end)
        raw = _before(self._raw(first), head) + text + _after(self._raw(last), tail)
        lines, ends = split_lines(raw)
        if last < len(self._lines) - 1:
            # The raw text ends with a line end, behind which the next line begins.
            lines.pop()
            ends.pop()
        sizes = list(map(_size, lines, ends))
        stop = last + 1
        self._crlf += ends.count("\r\n") - self._ends[first:stop].count("\r\n")
        self._lines[first:stop] = lines
        self._ends[first:stop] = ends
        self._bytes.splice(first, stop, sizes)
        self._text = None
        return LineSplice(first, stop - first, len(lines))

    def _raw(self, row: int) -> str:
        return self._lines[row] + self._ends[row]


def split_lines(text: str) -> tuple[list[str], list[str]]:
    """The lines of a text and how each ends; joined pairwise they are the text again."""
    lines = text.split("\n")
    ends = ["\n"] * len(lines)
    ends[-1] = ""
    if "\r\n" in text:
        for row in range(len(lines) - 1):
            if lines[row].endswith("\r"):
                lines[row] = lines[row][:-1]
                ends[row] = "\r\n"
    return lines, ends


def _size(line: str, end: str) -> int:
    return byte_length(line) + len(end)


def _before(raw: str, byte: int) -> str:
    return raw[:byte] if raw.isascii() else raw.encode()[:byte].decode()


def _after(raw: str, byte: int) -> str:
    return raw[byte:] if raw.isascii() else raw.encode()[byte:].decode()
