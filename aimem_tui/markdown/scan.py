"""Headings, tasks and links of a markdown text, found in one pass over its lines.

This is not a markdown parser. It knows which lines are code, comments or prose, and no more, and
takes time in proportion to the text whatever the text is: patterns either match from where they
start in one way only, or look at a bounded number of characters.

- Fenced code (CommonMark 0.31, section 4.5) is skipped: a fence ends with the same character, at
  least as often, with nothing after it and not indented further than the block could be. A fence
  in a block quote ends with the quote. A fence that is never closed reaches to the end.
- HTML comments are skipped. ``<!--`` that nobody closes is only text.
- Headings are those with ``#`` and those underlined with ``=`` or ``-``. What stands in a block
  quote is somebody else's outline and does not count.
- Tasks are list entries that begin with ``[ ]`` or ``[x]``, in any list, indented or quoted.
- Links are the targets of markdown links and reference definitions that are no URL, wiki links,
  ``@path.md``, and paths through a folder ``thoughts/`` that end in ``.md``. In inline code only
  a span that is nothing but such a path counts, because that is how people cite thoughts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from aimem_tui.model import Heading, Link, Task

MAX_HEADING = 500
"""Characters of a heading, and of a title, that are kept."""

_MAX_LABEL = 1_000
"""Characters of a link's label (CommonMark allows 999)."""

_FENCE = re.compile(r"(`{3,}+)[^`]*+\Z|(~{3,}+)")
_QUOTES = re.compile(r"(?:> {0,4}+(?=>))*+> ?")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?\Z", re.DOTALL)
_ENTRY = re.compile(r"(?:[-*+]|\d{1,9}[.)])(?:[ \t]+(.*))?\Z", re.DOTALL)
MARK = r"[ xX]{1,4}"
"""What stands between the brackets of a checkbox. Two who tick one at the same time leave two marks
there when their edits meet; it stays one task, done if any says so."""
_CHECKBOX = re.compile(rf"\[({MARK})\][ \t]+(?=\S)")
_CODE_RUN = re.compile(r"`++")
_INLINE = re.compile(r"\]\([ \t]*+(?:<([^<>]*+)>|((?:[^\s()\\]|\\.|\([^\s()]*+\))++))")
_DEFINITION = re.compile(
    r" {0,3}\[(?!\^)[^\[\]]++\]:[ \t]*+(?:<([^<>]*+)>|(\S++))[ \t]*+(?:[\"'(].*)?\Z", re.DOTALL
)
_WIKI = re.compile(r"\[\[([^\[\]|]++)(?:\|[^\[\]]*+)?\]\]")
_PATH_RUN = re.compile(r"(?<![\w./@:~-])@?[\w./~-]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:|//|#")


@dataclass(slots=True)
class Outline:
    """What a scan found, in the order of the text."""

    headings: list[Heading] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


def scan(lines: Sequence[str], first: int = 0) -> Outline:
    """Scans ``lines[first:]``; the line numbers it gives count from the start of ``lines``."""
    return _Scanner(lines).run(first)


@dataclass(frozen=True, slots=True)
class _Fence:
    char: str
    length: int
    reach: int
    """Columns by which the closing line may be indented."""
    quoted: bool

    def is_closed_by(self, line: str) -> bool:
        body = line.strip(" \t")
        return (
            len(body) >= self.length and not body.strip(self.char) and _indent(line) <= self.reach
        )


class _Scanner:
    """The state between lines.

    ``_paragraph`` is the line where the paragraph begins that an underline would turn into a
    heading, or -1. ``_lazy`` says that the lines up to the next blank one still belong to a list
    entry or a quote, so that none of them begins such a paragraph. ``_in_list`` says that an
    indented line may belong to a list entry; elsewhere four spaces make it code.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._found = Outline()
        self._fence: _Fence | None = None
        self._in_comment = False
        self._comment_is_inline = False
        self._last_comment_end: int | None = None
        self._paragraph = -1
        self._lazy = False
        self._in_list = False

    def run(self, first: int) -> Outline:
        for number in range(first, len(self._lines)):
            line = self._lines[number]
            if self._fence is not None and self._stays_in_fence(line):
                continue
            if self._in_comment or "<!--" in line:
                line = self._without_comments(number, line)
            if not line or line.isspace():
                self._paragraph, self._lazy = -1, False
            elif self._block(number, line):
                self._links(number, line)
        return self._found

    def _stays_in_fence(self, line: str) -> bool:
        assert self._fence is not None, "asked only inside a fence"
        if self._fence.quoted:
            rest = line.lstrip(" \t")
            if not rest.startswith(">"):
                self._fence = None
                return False
            line = _without_quotes(rest)
        if self._fence.is_closed_by(line):
            self._fence = None
        return True

    def _block(self, number: int, line: str) -> bool:
        """Takes note of what a line is; says whether links are to be looked for in it."""
        body = line.lstrip(" \t")
        if line[0] not in " \t" and not self._lazy:
            self._in_list = False
        quoted = body[0] == ">"
        if quoted:
            body = _without_quotes(body).lstrip(" \t")
            self._paragraph, self._lazy = -1, True
            if not body:
                return False
        char = body[0]
        if char in "`~" and self._opens_fence(body, _indent(line), quoted):
            return False
        if char == "#" and (heading := _ATX.match(body if quoted else line)):
            if quoted:
                self._lazy = False
                return True
            self._heading(len(heading[1]), _without_closing(heading[2] or ""), number)
        elif char in "=-" and not quoted and self._underlines(number, line, body):
            pass
        elif char in "-*_" and _is_rule(body):
            self._paragraph, self._lazy = -1, False
        elif entry := _ENTRY.match(body):
            self._paragraph, self._lazy = -1, True
            self._in_list = self._in_list or not quoted
            return self._entry(number, entry[1] or "", _indent(line) + entry.start(1), quoted)
        elif self._paragraph < 0 and not self._lazy and char not in "|<" and _indent(line) < 4:
            self._paragraph = number
        return True

    def _opens_fence(self, body: str, indent: int, quoted: bool) -> bool:
        match = _FENCE.match(body)
        if match is None or (indent > 3 and not self._in_list):
            return False
        marks = match[1] or match[2]
        reach = indent + 3 if self._in_list and not quoted else 3
        self._fence = _Fence(marks[0], len(marks), reach, quoted)
        self._paragraph, self._lazy = -1, False
        return True

    def _heading(self, level: int, written: str, number: int) -> None:
        self._found.headings.append(Heading(level, plain_text(written[:MAX_HEADING]), number))
        self._paragraph, self._lazy = -1, False

    def _underlines(self, number: int, line: str, body: str) -> bool:
        if self._paragraph < 0 or body.rstrip(" \t").strip(body[0]) or _indent(line) > 3:
            return False
        above = self._lines[self._paragraph : number]
        self._heading(
            1 if body[0] == "=" else 2, " ".join(each.strip() for each in above), self._paragraph
        )
        return True

    def _entry(self, number: int, text: str, indent: int, quoted: bool) -> bool:
        box = _CHECKBOX.match(text)
        if box is not None:
            self._found.tasks.append(Task(number, text[box.end() :].rstrip(), bool(box[1].strip())))
        return not (text[:1] in ("`", "~") and self._opens_fence(text, indent, quoted))

    def _without_comments(self, number: int, line: str) -> str:
        """The line without the parts of it that are comments."""
        kept: list[str] = []
        masked = _mask_code(line)[0] if "`" in line else line
        at = 0
        while True:
            if self._in_comment:
                end = line.find("-->", at)
                if end < 0:
                    self._in_comment = not self._comment_is_inline or bool(line.strip())
                    break
                self._in_comment = False
                at = end + 3
            begin = masked.find("<!--", at)
            if begin < 0:
                kept.append(line[at:])
                break
            end = masked.find("-->", begin + 2)
            if end < 0 and number >= self._comment_end():
                kept.append(line[at:])
                break
            kept.append(line[at:begin])
            if end < 0:
                self._in_comment = True
                self._comment_is_inline = bool(line[:begin].strip())
                break
            at = end + 3
        return "".join(kept)

    def _comment_end(self) -> int:
        """The last line in which a comment ends."""
        if self._last_comment_end is None:
            ends = (n for n in reversed(range(len(self._lines))) if "-->" in self._lines[n])
            self._last_comment_end = next(ends, -1)
        return self._last_comment_end

    def _links(self, number: int, line: str) -> None:
        has_path = ".md" in line or ".markdown" in line
        if not (has_path or "](" in line or "[[" in line or "]:" in line):
            return
        targets: list[tuple[int, str]] = []
        prose = line
        if "`" in line:
            prose, spans = _mask_code(line)
            targets += [(at, code.strip()) for at, code in spans if _is_thought_path(code.strip())]
        for match in _INLINE.finditer(prose):
            if not _is_image(prose, match.start()):
                targets.append((match.start(), match[1] or match[2] or ""))
        if definition := _DEFINITION.match(prose):
            targets.append((0, definition[1] or definition[2] or ""))
        targets += [(match.start(), match[1].strip()) for match in _WIKI.finditer(prose)]
        if has_path:
            for match in _PATH_RUN.finditer(prose):
                path = match[0].rstrip(".")
                if _is_thought_path(path):
                    targets.append((match.start(), path))
        for target in dict.fromkeys(target for _, target in sorted(targets)):
            if target and "\0" not in target and not _SCHEME.match(target):
                self._found.links.append(Link(target, number))


def _indent(line: str) -> int:
    body = line.lstrip(" \t")
    return len(line[: len(line) - len(body)].expandtabs(4))


def _without_quotes(body: str) -> str:
    """A line of a block quote without its marks; ``body`` begins with one."""
    return _QUOTES.sub("", body, count=1)


def _is_rule(body: str) -> bool:
    marks = body.replace(" ", "").replace("\t", "")
    return len(marks) >= 3 and not marks.strip(body[0])


def _without_closing(written: str) -> str:
    """A heading's text without the ``#`` that may close it."""
    text = written.strip(" \t")
    opened = text.rstrip("#")
    return opened.rstrip(" \t") if not opened or opened[-1] in " \t" else text


def _is_image(prose: str, close: int) -> bool:
    opened = prose.rfind("[", max(0, close - _MAX_LABEL), close)
    return opened > 0 and prose[opened - 1] == "!" and "]" not in prose[opened:close]


def _is_thought_path(path: str) -> bool:
    if not path.endswith((".md", ".markdown")) or not _PATH_RUN.fullmatch(path):
        return False
    return path.startswith(("@", "thoughts/")) or "/thoughts/" in path


def _mask_code(line: str) -> tuple[str, list[tuple[int, str]]]:
    """The line with inline code blanked out at equal length, and the code with its offsets.

    A run of backticks opens code where a run of the same length follows (CommonMark, 6.1).
    """
    runs = [(match.start(), match.end()) for match in _CODE_RUN.finditer(line)]
    following: list[int] = [-1] * len(runs)
    nearest: dict[int, int] = {}
    for index in range(len(runs) - 1, -1, -1):
        length = runs[index][1] - runs[index][0]
        following[index] = nearest.get(length, -1)
        nearest[length] = index
    pieces: list[str] = []
    spans: list[tuple[int, str]] = []
    at = index = 0
    while index < len(runs):
        begin, end = runs[index]
        if following[index] < 0 or (begin > 0 and line[begin - 1] == "\\"):
            index += 1
            continue
        close, stop = runs[following[index]]
        pieces += line[at:begin], "\0" * (stop - begin)
        spans.append((begin, line[end:close]))
        at, index = stop, following[index] + 1
    pieces.append(line[at:])
    return "".join(pieces), spans


_LABELLED = re.compile(r"!?\[([^\[\]]*+)\]\([^()\s]*+(?:[ \t]+\"[^\"]*+\")?\)")
_ANCHOR = re.compile(r"\s*\{#[\w-]+\}\Z")
_HTML = re.compile(
    r"</?(?:a|b|i|em|strong|sub|sup|span|code|kbd|br|img|small|p|div|center)(?:\s[^<>\0]*+)?/?>",
    re.IGNORECASE,
)
_INLINE_MARKS = (
    ("[", re.compile(r"\[\[(?:[^\[\]|\0]*+\|)?([^\[\]|]*+)\]\]")),
    ("<", re.compile(r"<([A-Za-z][A-Za-z0-9+.-]*+:[^<>\s]*+)>")),
    ("*", re.compile(r"\*{1,3}(?=\S)(.+?)(?<=\S)\*{1,3}")),
    ("~", re.compile(r"~~(?=\S)(.+?)(?<=\S)~~")),
    ("_", re.compile(r"(?<!\w)_{1,3}(?=\S)(.+?)(?<=\S)_{1,3}(?!\w)")),
    ("\\", re.compile(r"\\([!-/:-@\[-`{-~])")),
)
_BLANKED = re.compile("\0+")
_MARKUP = frozenset("`*_~[]<>\\&{!")


def plain_text(written: str) -> str:
    """A short piece of markdown as it reads: without emphasis, link targets, code marks."""
    if _MARKUP.isdisjoint(written):
        return " ".join(written.split())
    text = _LABELLED.sub(r"\1", _ANCHOR.sub("", written.replace("\0", "\ufffd")))
    text, spans = _mask_code(text) if "`" in text else (text, [])
    for mark, pattern in _INLINE_MARKS:
        if mark in text:
            text = pattern.sub(r"\1", text)
    if "<" in text:
        text = _HTML.sub("", text)
    if "&" in text:
        from html import unescape

        text = unescape(text)
    if spans:
        code = iter(spans)
        text = _BLANKED.sub(lambda _: next(code)[1].strip(), text)
    return " ".join(text.split())
