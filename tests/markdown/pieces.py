"""Markdown texts for properties: made of the lines that are hard to tell apart."""

from __future__ import annotations

from hypothesis import strategies as st

LINES = [
    "",
    "  ",
    "words here",
    "é e\u0301 👩\u200d👩\u200d👧 wörds",
    "# One",
    "## Two",
    "## Two ##",
    "### *Three* [four](x.md)",
    "#",
    "===",
    "---",
    "--- <!-- x -->",
    "<!-- a --> # Hidden",
    "<!--",
    "-->",
    "```",
    "~~~",
    "> # quoted",
    "> - [ ] quoted task",
    "- [ ] open",
    "* [x] done",
    "1. [X] numbered",
    "  - [ ] open",
    "- [ ] open <!-- why -->",
    "<!-- why --> - [ ] late",
    "- [ ]",
    "| a | b |",
    "    code",
    "title: x",
    "a\x0cb\u2028c",
]
ENDS = ["\n", "\n", "\n", "\r\n", "\r"]


@st.composite
def markdown(draw: st.DrawFn, *, least: int = 0) -> str:
    """A text of lines with headings, fences, comments and tasks, with any line ends."""
    one_end = draw(st.sampled_from([*ENDS, ""]))
    text = draw(st.sampled_from(["", "", "", "\ufeff", "---\ntitle: x\n---\n"]))
    for line in draw(st.lists(st.sampled_from(LINES), min_size=least, max_size=14)):
        text += line + (one_end or draw(st.sampled_from(ENDS)))
    return text if draw(st.booleans()) else text.rstrip("\r\n")
