"""Edited copies of notes at known distances, for ``bench.organize``: made from a fixed seed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from random import Random

Editor = Callable[[Random, str, Sequence[str]], str]


def noise(share: float) -> Editor:
    """An editor that replaces, drops or doubles so many of the words."""

    def edit(draw: Random, text: str, others: Sequence[str]) -> str:
        words = re.findall(r"\w+", draw.choice(others)) or ["word"]

        def changed(match: re.Match[str]) -> str:
            if draw.random() >= share:
                return match[0]
            return draw.choice((draw.choice(words), "", f"{match[0]} {draw.choice(words)}"))

        return re.sub(r"\w+", changed, text)

    return edit


def without_lines(share: float) -> Editor:
    """An editor that drops so many of the lines."""

    def edit(draw: Random, text: str, others: Sequence[str]) -> str:
        lines = text.splitlines(keepends=True)
        return "".join(line for line in lines if draw.random() >= share)

    return edit


def _new_beginning(draw: Random, text: str, others: Sequence[str]) -> str:
    other = draw.choice(others).split("\n\n")
    rest = text.partition("\n")[2]
    return f"# Notes on {other[0].lstrip('# ')}\n\n{other[1] if len(other) > 1 else ''}\n{rest}"


def _shuffled(draw: Random, text: str, others: Sequence[str]) -> str:
    title, _, rest = text.partition("\n")
    paragraphs = rest.strip().split("\n\n")
    draw.shuffle(paragraphs)
    return f"{title}\n\n" + "\n\n".join(paragraphs) + "\n"


def _appended(draw: Random, text: str, others: Sequence[str]) -> str:
    return f"{text}\n{draw.choice(others)}"


def _wrapped(draw: Random, text: str, others: Sequence[str]) -> str:
    parts = text.split("\n\n")
    return "\n\n".join(textwrap.fill(part, 100) if part[:1].isalpha() else part for part in parts)


EDITORS: dict[str, Editor] = {
    "wrapped anew": _wrapped,
    "5 % of the words": noise(0.05),
    "10 % of the words": noise(0.10),
    "20 % of the words": noise(0.20),
    "new title and beginning": _new_beginning,
    "20 % of the lines gone": without_lines(0.2),
    "half of the lines gone": without_lines(0.5),
    "paragraphs in another order": _shuffled,
    "another note appended": _appended,
}
"""How a copy was edited."""


def copies(texts: Sequence[str], chosen: Sequence[int]) -> dict[str, list[str]]:
    """For each way of editing, a copy of each chosen text."""
    return {
        name: [edit(Random(f"{name} {i}"), texts[i], texts) for i in chosen]
        for name, edit in EDITORS.items()
    }
