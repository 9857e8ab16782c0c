"""Code in colours, for the fences on screen.

Pygments is imported when the first fence with a language comes into view, and one lexer for each
language. Colours are names of styles like everything else; the theme decides.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from aimem_tui.widgets.rows import Span

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

_STYLES = {
    "Comment": "comment",
    "Keyword": "keyword",
    "Keyword.Constant": "number",
    "Literal.String": "string",
    "Literal.Number": "number",
    "Literal.Date": "number",
    "Name.Attribute": "function",
    "Name.Builtin": "builtin",
    "Name.Class": "function",
    "Name.Decorator": "builtin",
    "Name.Exception": "builtin",
    "Name.Function": "function",
    "Name.Tag": "keyword",
    "Name.Variable": "builtin",
    "Generic.Deleted": "deleted",
    "Generic.Emph": "em",
    "Generic.Heading": "function",
    "Generic.Inserted": "inserted",
    "Generic.Prompt": "comment",
    "Generic.Strong": "strong",
    "Generic.Subheading": "keyword",
    "Operator.Word": "keyword",
}

_PLAIN = frozenset({"", "text", "txt", "plain", "plaintext", "none", "output", "log"})

_LONG_LINE = 300
"""Characters of a line above which code stays without colours: it is data, and some lexers take
the square of its length."""


def colored(code: str, language: str) -> list[list[Span]]:
    """The lines of printable code as spans; without styles where the language is not known."""
    lines = code.split("\n")
    lexer = None
    if language.lower() not in _PLAIN and max(map(len, lines)) <= _LONG_LINE:
        lexer = _lexer(language.lower())
    if lexer is None:
        return [[Span(line)] for line in lines]
    colored_lines: list[list[Span]] = [[]]
    for kind, text in lexer.get_tokens(code):
        style = _style(kind)
        first, *rest = text.split("\n")
        line = colored_lines[-1]
        if line and line[-1].style == style:
            line[-1] = Span(line[-1].text + first, style)
        elif first:
            line.append(Span(first, style))
        colored_lines += [[Span(text, style)] if text else [] for text in rest]
    return colored_lines[: len(lines)] + [[] for _ in range(len(lines) - len(colored_lines))]


@lru_cache(maxsize=256)
def _style(kind: tuple[str, ...]) -> str:
    """The style of a kind of token, or of the nearest kind above it that has one."""
    name = ".".join(kind)
    while name:
        if name in _STYLES:
            return _STYLES[name]
        name = name.rpartition(".")[0]
    return ""


@lru_cache(maxsize=32)
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None
