"""How ``init`` asks: on standard error, so that standard output stays what was asked for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from aimem_tui.cli import styling, terminal
from aimem_tui.cli.diagnostics import can_ask, note
from aimem_tui.cli.styling import Piece, bold, dim
from aimem_tui.errors import Refused
from aimem_tui.setup.questions import Ask, Question


@dataclass(frozen=True, slots=True)
class Terminal:
    """The person in front of this run, if there is one."""

    asks: bool
    """Whether questions are put at all."""

    @classmethod
    def here(cls, *, no_input: bool) -> Terminal:
        """A person is asked where standard input and error are a terminal, unless told not to."""
        return cls(not no_input and can_ask())

    @property
    def ask(self) -> Ask | None:
        """How to ask; None where nobody is asked."""
        return self.put if self.asks else None

    def put(self, question: Question) -> Any:  # noqa: ANN401
        """Put a question until the answer is one.

        Raises:
            Refused: if the input ends.
        """
        note()
        note(bold(question.text), dim(f"  {question.help}"))
        for number, name in enumerate(question.choices, 1):
            note(f"  {number}  {name}")
        while True:
            answer = self._line(f"[{question.default}] " if question.default else "> ")
            try:
                return question.parse(answer or question.default)
            except ValueError as error:
                note(f"{error}")

    def _line(self, before: str) -> str:
        sys.stderr.write(styling.safe(before))
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            note()
            raise Refused(
                "The input ended before everything was answered.", why="Nothing was done."
            )
        return line.strip()


def show_difference(lines: list[str]) -> None:
    """Print a unified diff on standard error."""
    coloured = terminal.wants_colour(sys.stderr)
    for line in lines:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1]) if coloured else None
        piece: Piece = styling.Span(line, style) if style else line
        note("  ", piece)
