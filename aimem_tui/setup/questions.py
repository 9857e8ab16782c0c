"""Questions that a person is asked, apart from how they are put on a screen.

Whoever asks shows the text, one line of help and what Enter alone means, and asks again while
``parse`` says that an answer is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

YES = ("1", "true", "t", "yes", "y", "on")
NO = ("0", "false", "f", "no", "n", "off")


@dataclass(frozen=True, slots=True)
class Question:
    """One question."""

    text: str
    help: str
    """One line."""
    default: str
    """What Enter alone means, as it is shown; empty: nothing does."""
    parse: Callable[[str], Any]
    """The answer's meaning; raises ValueError with a sentence if it has none. It gets ``default``
    where nothing was typed."""
    choices: tuple[str, ...] = ()
    """Shown one a line with their numbers."""


Ask = Callable[[Question], Any]
"""Puts a question to a person and returns what ``parse`` made of the answer."""


def yes_no(text: str, help_line: str, *, default: bool) -> Question:
    """A question that yes or no answers."""
    return Question(text, help_line, "yes" if default else "no", parse_yes_no)


def choice(text: str, help_line: str, names: Sequence[str], default: int = 0) -> Question:
    """A question for one of several; the answer is its index."""

    def parse(answer: str) -> int:
        if answer.isdigit() and 1 <= int(answer) <= len(names):
            return int(answer) - 1
        if answer in names:
            return names.index(answer)
        raise ValueError(f"Type a number from 1 to {len(names)}.")

    return Question(text, help_line, str(default + 1), parse, tuple(names))


def letters(text: str, meanings: dict[str, str], default: str) -> Question:
    """A question whose answers are words of which the first letter is enough."""

    def parse(answer: str) -> str:
        found = [word for word in meanings if answer and word.startswith(answer.casefold())]
        if len(found) != 1:
            raise ValueError(f"Type one of: {', '.join(meanings)}.")
        return found[0]

    help_line = "; ".join(f"{word}: {meaning}" for word, meaning in meanings.items())
    return Question(text, f"{help_line}.", default, parse)


def parse_yes_no(answer: str) -> bool:
    """Yes or no, as cookiecutter reads it."""
    folded = answer.strip().casefold()
    if folded in YES:
        return True
    if folded in NO:
        return False
    raise ValueError("Type yes or no.")
