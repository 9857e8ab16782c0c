"""The tasks of a text: its checkboxes, the one that somebody means, and ticking it.

- What counts as a task is :mod:`aimem_tui.markdown.scan`'s business: code and comments have none.
- Ticking replaces one character, so what others write in the same line stays.
- Somebody means a task by its words, whole or in part, or by its line. A line moves when others
  write above it; so whoever names one had better give the words, too: where the line does not have
  them, the words decide.
- Of tasks with the same words that one is meant which is not as it shall be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aimem_tui.errors import Ambiguous, BadInput, NotFound
from aimem_tui.markdown import frontmatter
from aimem_tui.markdown.lines import Line, lines_between
from aimem_tui.markdown.scan import MARK, plain_text, scan
from crdt.textdiff import Splice, apply

_LINE = re.compile(r"\s*(?:line\s+)?(\d{1,9})\s*(?::\s*(.*))?", re.DOTALL | re.IGNORECASE)
_BOX = re.compile(r"(?:[ \t>]|\ufeff)*(?:[-*+]|\d{1,9}[.)])[ \t]+\[(" + MARK + r")\](?=[ \t])")
_ANY_BOX = re.compile(r"(?:[-*+]|\d{1,9}[.)])[ \t]+\[(" + MARK + r")\](?=[ \t])")
_COMMENT = re.compile(r"<!--.*?-->|\A.*?-->(?!.*<!--)")
_SHOWN = 8
_SHOWN_WORDS = 80


@dataclass(frozen=True, slots=True)
class Checkbox:
    """A task and its place."""

    line: int
    """From 1."""
    text: str
    """As it is written."""
    done: bool
    section: str
    """The heading it stands below; empty if there is none."""
    at: int
    """The offset in code points of what ticking replaces."""
    end: int
    """The offset behind it: one character further, but where two have ticked at once."""


def tasks(text: str) -> list[Checkbox]:
    """The tasks of a text in its order."""
    lines = list(lines_between(text, 0, len(text)))
    block = frontmatter.split(text)
    first = 0 if block is None else sum(line.start < block.end for line in lines)
    plain = [line.text.removeprefix("\ufeff") if not line.start else line.text for line in lines]
    outline = scan(plain, first)
    found = []
    headings = iter([*outline.headings, None])
    heading, following = None, next(headings)
    for task in outline.tasks:
        while following is not None and following.line < task.line:
            heading, following = following, next(headings)
        section = "" if heading is None else heading.text
        at, end = _mark_of(lines[task.line])
        found.append(Checkbox(task.line + 1, task.text, task.done, section, at, end))
    return found


def pick(text: str, which: str, *, line: int | None = None, done: bool = True) -> Checkbox:
    """The task that somebody means.

    Args:
        which: its words; or its line, ``12``; or both, ``12: the words``.
        line: its line, where ``which`` is only the words; these may be empty.
        done: what it shall be, which tells equals apart.

    Raises:
        NotFound: with the tasks there are.
        Ambiguous: with those it could be.
        BadInput: if nothing is said.
    """
    return _picked(tasks(text), which, line, done)


def _picked(there: Sequence[Checkbox], which: str, line: int | None, done: bool) -> Checkbox:
    words = which
    if line is None:
        named = _LINE.fullmatch(which)
        if named is not None and not _matching(there, which):
            line, words = int(named[1]), named[2] or ""
    if line is None and not words.strip():
        raise BadInput("No task was named.", hint="Name one by its words, or by its line.")
    at_line = next((task for task in there if task.line == line), None)
    if not words.strip():
        if at_line is not None:
            return at_line
        raise NotFound(f"There is no task in line {line}.", hint=_others(there, done))
    found = _matching(there, words)
    if at_line is not None and at_line in found:
        return at_line
    waiting = [task for task in found if task.done is not done]
    if len(waiting) == 1 or (found and not waiting):
        return (waiting or found)[0]
    if waiting:
        raise Ambiguous(
            f"Several tasks fit {_short(words)}.",
            why=f"{_listed(waiting)}.",
            hint="Say the line as well, as in 12: the words.",
        )
    raise NotFound(f"No task fits {_short(words)}.", hint=_others(there, done))


def tick(text: str, which: str, *, line: int | None = None, done: bool = True) -> list[Splice]:
    """The edit after which the task is done, or open again; empty where it is so already.

    Args:
        which, line: see :func:`pick`.

    Raises:
        NotFound, Ambiguous, BadInput: as :func:`pick`.
    """
    there = tasks(text)
    task = _picked(there, which, line, done)
    if task.done is done:
        return []
    edit = [Splice(task.at, task.end, "x" if done else " ")]
    wanted = [each.done if each.line != task.line else done for each in there]
    if [each.done for each in tasks(apply(text, edit))] != wanted:
        raise BadInput(
            f"The task in line {task.line} cannot be ticked.",
            why="Its line is not regular.",
            hint="Edit the line instead.",
        )
    return edit


def _mark_of(line: Line) -> tuple[int, int]:
    """Where what stands between the brackets begins and ends, in a line that has a task."""
    shown = _COMMENT.sub(lambda match: " " * len(match[0]), line.text)
    box = _BOX.match(shown) or _ANY_BOX.search(shown) or _ANY_BOX.search(line.text)
    assert box is not None, "the scan has found a task here"
    return line.start + box.start(1), line.start + box.end(1)


def _matching(there: Sequence[Checkbox], words: str) -> list[Checkbox]:
    """The tasks with exactly these words, else those that hold them."""
    wanted = _folded(words)
    if not wanted:
        return []
    folded = [_folded(task.text) for task in there]
    whole = [task for task, each in zip(there, folded, strict=True) if each == wanted]
    return whole or [task for task, each in zip(there, folded, strict=True) if wanted in each]


def _folded(words: str) -> str:
    """Words as they read, without the box that may have been copied with them."""
    box = _BOX.match(words)
    return plain_text(words if box is None else words[box.end() :]).casefold()


def _others(there: Sequence[Checkbox], done: bool) -> str:
    waiting = [task for task in there if task.done is not done]
    kind = "open" if done else "done"
    return f"Those {kind}: {_listed(waiting)}." if waiting else f"None is {kind}."


def _listed(found: Sequence[Checkbox]) -> str:
    each = [f"{task.line}: {_short(task.text)}" for task in found[:_SHOWN]]
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return "; ".join(each) + more


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= _SHOWN_WORDS else f"{line[:_SHOWN_WORDS]}…"
