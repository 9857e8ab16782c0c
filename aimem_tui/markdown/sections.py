"""The sections of a text: its outline, the one that somebody means, and lines by number.

- A section begins at its heading and reaches to the next one of its level or above, so it holds its
  subsections. What stands before the first heading, frontmatter included, is one of level 0.
- What counts as a heading is :mod:`aimem_tui.markdown.scan`'s business: code, comments and quotes
  have none.
- Lines count from 1, ends included, as people and agents name them. A text that ends with a line
  end has no empty line behind it.
- Somebody means a section by its heading, ``Tasks``, or by the ones above it as well,
  ``Plan > Tasks``. Case, emphasis and leading ``#`` do not count, unless they tell equals apart.
  Where nothing else does, ``Tasks (line 40)`` is the one whose heading is in that line.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from aimem_tui.errors import Ambiguous, BadInput, NotFound
from aimem_tui.markdown import frontmatter
from aimem_tui.markdown.lines import Line, lines_between
from aimem_tui.markdown.scan import MAX_HEADING, plain_text, scan
from aimem_tui.model import Heading

SEPARATOR = " > "
"""Between the headings of a path."""

_MARK = "\ufeff"
_MARKS = re.compile(r"\s*(#{1,6})(?:\s+|(?=\S))")
_PARTS = re.compile(r"\s+>\s+")
_AT_LINE = re.compile(r"(.*?)\s*\(line (\d{1,9})\)\s*", re.DOTALL)
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*")
_COMMENT = re.compile(r"<!--.*?-->")
_SHOWN = 12
_COMPARED = 2_000
"""Headings among which the nearest are looked for."""
_SHOWN_TITLE = 80


@dataclass(frozen=True, slots=True)
class Section:
    """A section and its place. Offsets count code points, lines count from 1.

    ``text[start:body]`` is its heading, ``text[body:own_end]`` what it says itself, and
    ``text[own_end:end]`` its subsections; all of them whole lines.
    """

    title: str
    """As it reads, without marks; empty for what stands before the first heading."""
    level: int
    """1 to 6; 0 before the first heading."""
    path: tuple[str, ...]
    """The titles of the sections it lies in, outermost first, and its own."""
    first_line: int
    last_line: int
    start: int
    body: int
    own_end: int
    end: int

    @property
    def name(self) -> str:
        """The path in words, as :func:`find` takes it."""
        return SEPARATOR.join(self.path)


def outline(text: str) -> list[Section]:
    """The sections of a text in its order.

    The spans ``[start:own_end]`` follow each other without gaps and make up the whole text.
    """
    lines = list(lines_between(text, 0, len(text)))
    if not lines:
        return []
    headings = scan(_plain_lines(lines), _first_line(text, lines)).headings
    firsts = [heading.line for heading in headings]
    ends = [*firsts[1:], len(lines)]
    found: list[Section] = []
    if not firsts or firsts[0] > 0:
        last = firsts[0] if firsts else len(lines)
        end = lines[last - 1].end
        found.append(Section("", 0, (), 1, last, 0, 0, end, end))
    last_lines = _last_lines(headings, len(lines))
    above: list[Heading] = []
    for index, heading in enumerate(headings):
        while above and above[-1].level >= heading.level:
            above.pop()
        above.append(heading)
        last = last_lines[index]
        found.append(
            Section(
                heading.text,
                heading.level,
                tuple(each.text for each in above),
                heading.line + 1,
                last,
                lines[heading.line].start,
                lines[_heading_end(lines, heading.line, ends[index])].end,
                lines[ends[index] - 1].end,
                lines[last - 1].end,
            )
        )
    return found


def find(text: str, wanted: str) -> Section:
    """The section that somebody means; see the module's rules.

    Raises:
        BadInput: if nothing is said.
        NotFound: with the headings that come nearest.
        Ambiguous: with those it could be.
    """
    if not wanted.strip():
        raise BadInput("No section was named.", hint="Name one by its heading.")
    sections = [section for section in outline(text) if section.level]
    found = _meant(sections, wanted)
    if not found and (at_line := _AT_LINE.fullmatch(wanted)):
        line = int(at_line[2])
        found = [each for each in _meant(sections, at_line[1]) if each.first_line == line]
    if len(found) == 1:
        return found[0]
    if found:
        raise Ambiguous(
            f"Several sections are called {_short(wanted)}.",
            why=f"{_listed(found)}.",
            hint="Say which, as it is written here.",
        )
    raise _not_found(sections, wanted)


def section_at(sections: Sequence[Section], line: int) -> Section | None:
    """The innermost section that holds a line; None where there is none."""
    at = bisect_right([section.first_line for section in sections], line)
    return sections[at - 1] if at else None


def lines(text: str, first: int, last: int | None = None) -> str:
    """Lines of a text with their line ends; to its end where ``last`` is None or behind it.

    Raises:
        BadInput: if there is no line ``first``, or ``last`` comes before it.
    """
    if last is not None and last < first:
        raise BadInput(f"Lines {first} to {last} are none.", hint="Say the first, then the last.")
    there = list(lines_between(text, 0, len(text)))
    if not 1 <= first <= len(there):
        raise BadInput(
            f"There is no line {first}.",
            why=f"The text has {len(there):,} line{'' if len(there) == 1 else 's'}.",
        )
    return text[there[first - 1].start : there[: last or None][-1].end]


def count_lines(text: str) -> int:
    """How many lines a text has."""
    return sum(1 for _ in lines_between(text, 0, len(text)))


def line_of(text: str, offset: int) -> int:
    """The line that holds an offset, or the last one where it is the end of the text."""
    before = text[:offset]
    ends = before.count("\n") + before.count("\r") - before.count("\r\n")
    # Between the halves of a CRLF the line has not ended.
    if before.endswith("\r") and text.startswith("\n", offset):
        ends -= 1
    return max(1, min(ends + 1, count_lines(text))) if offset == len(text) else ends + 1


def _plain_lines(there: Sequence[Line]) -> list[str]:
    plain = [line.text for line in there]
    plain[0] = plain[0].removeprefix(_MARK)
    return plain


def _first_line(text: str, there: Sequence[Line]) -> int:
    """The index of the first line behind the frontmatter."""
    block = frontmatter.split(text)
    if block is None:
        return 0
    return next((i for i, line in enumerate(there) if line.start >= block.end), len(there))


def _last_lines(headings: Sequence[Heading], count: int) -> list[int]:
    """How many lines there are up to the end of each heading's section."""
    found = [count] * len(headings)
    following: list[int] = []
    for index in range(len(headings) - 1, -1, -1):
        while following and headings[following[-1]].level > headings[index].level:
            following.pop()
        if following:
            found[index] = headings[following[-1]].line
        following.append(index)
    return found


def _heading_end(there: Sequence[Line], first: int, before: int) -> int:
    """The index of the last line of a heading: of itself, or of what underlines it.

    A heading is underlined where no blank line comes before the underline. The scan has ruled out
    that an underline without a ``#`` above it belongs to anything else.
    """
    if there[first].text.lstrip(" " + _MARK).startswith("#"):
        return first
    for index in range(first + 1, before):
        line = there[index].text
        if _UNDERLINE.fullmatch(line) or _UNDERLINE.fullmatch(_COMMENT.sub("", line)):
            return index
        if not line.strip():
            break
    return first


def _meant(sections: Sequence[Section], wanted: str) -> list[Section]:
    """The sections that words can mean: those that fit best, in the order of the text."""
    marks = _MARKS.match(wanted)
    whole = [wanted] if marks is None else [wanted, wanted[marks.end() :]]
    readings = [[_plain(each)] for each in whole]
    readings += [[_plain(_without_marks(part)) for part in _PARTS.split(each)] for each in whole]
    for parts in readings:
        found = [section for section in sections if _fits(section, parts, str.casefold)]
        if len(found) > 1:
            found = [each for each in found if _fits(each, parts, str)] or found
        if len(found) > 1 and marks is not None:
            found = [each for each in found if each.level == len(marks[1])] or found
        if len(found) > 1:
            found = [each for each in found if len(each.path) == len(parts)] or found
        if found:
            return found
    return []


def _fits(section: Section, parts: Sequence[str], key: Callable[[str], str]) -> bool:
    """Whether a section has the last part as its title, and lies in those before in their order."""
    if key(section.title) != key(parts[-1]):
        return False
    above = iter([key(title) for title in section.path[:-1]])
    return all(key(part) in above for part in parts[:-1])


def _without_marks(part: str) -> str:
    marks = _MARKS.match(part)
    return part if marks is None else part[marks.end() :]


def _plain(written: str) -> str:
    return plain_text(written.strip()[:MAX_HEADING])


def _not_found(sections: Sequence[Section], wanted: str) -> NotFound:
    import difflib  # takes 5 ms, and only mistakes need it

    what = f"There is no section called {_short(wanted)}."
    if not sections:
        return NotFound(what, why="There are no headings.", hint="Name lines instead.")
    last = _PARTS.split(wanted)[-1]
    title = _plain(_without_marks(last)).casefold()
    titles = list(dict.fromkeys(section.title.casefold() for section in sections[:_COMPARED]))
    near = set(difflib.get_close_matches(title, titles, n=3, cutoff=0.5))
    near |= {each for each in titles if title and title in each}
    likely = [section for section in sections if section.title.casefold() in near]
    if likely:
        return NotFound(what, hint=f"The nearest: {_listed(likely)}.")
    top = [section for section in sections if section.level <= 2] or [*sections]
    return NotFound(what, hint=f"There are: {_listed(top)}.")


def _listed(sections: Iterable[Section]) -> str:
    each = [f"{_short(section.name)} (line {section.first_line})" for section in sections]
    more = f"; and {len(each) - _SHOWN} more" if len(each) > _SHOWN else ""
    return "; ".join(each[:_SHOWN]) + more


def _short(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= 2 * _SHOWN_TITLE else f"{line[:_SHOWN_TITLE]}…"
