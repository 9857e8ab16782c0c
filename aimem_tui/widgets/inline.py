"""The words of a paragraph, heading or cell: from the parser's tokens to spans of text.

Knows neither Textual nor where the words stand. A span's style is the names of all that holds at
its place (``strong em``); its link is an index into the links of the block, which fill as spans
are made. Addresses and ``[[names]]`` in plain text become links as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aimem_tui.widgets.cells import printable
from aimem_tui.widgets.icons import Icons
from aimem_tui.widgets.rows import Span

if TYPE_CHECKING:
    from markdown_it.token import Token

_STYLES = {"strong": "strong", "em": "em", "s": "strike"}
_REFERENCE = re.compile(
    r"\[\[([^\[\]|\n]{1,300})(?:\|([^\[\]\n]{1,300}))?\]\]|(https?://[^\s<>\"'`\[\]{}]+)"
)
_AFTER_ADDRESS = ".,;:!?)*_"
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)

Paragraph = list[list[Span]]
"""Spans of one or more lines; a line ends where the author broke it for good."""


def spans(tokens: Sequence[Token], icons: Icons, links: list[str], style: str = "") -> Paragraph:
    """The tokens inside a paragraph as spans.

    Args:
        tokens: the children of an inline token.
        icons: signs to draw with.
        links: where links lead; targets are added to it.
        style: names of styles that hold for all of it.
    """
    tokens = [token for token in tokens if token.type != "text" or token.content]
    lines: Paragraph = [[]]
    styles = [style] if style else []
    link = -1
    for index, token in enumerate(tokens):
        kind = token.type
        if kind == "text":
            lines[-1] += _text(token.content, " ".join(styles), link, links)
        elif kind == "softbreak" and not _labels(tokens[index + 1 : index + 5]):
            lines[-1].append(Span(" ", " ".join(styles), link))
        elif kind in ("softbreak", "hardbreak") or (
            kind == "html_inline" and _BREAK.match(token.content)
        ):
            lines.append([])
        elif kind == "code_inline":
            lines[-1].append(Span(printable(token.content), " ".join([*styles, "code"]), link))
        elif kind == "link_open":
            link = len(links)
            links.append(str(token.attrs.get("href", "")))
            styles.append("link")
        elif kind == "link_close":
            link = -1
            styles.remove("link")
        elif kind == "image":
            described = printable(f"{icons.image} {token.content}".rstrip())
            if link < 0:
                links.append(str(token.attrs.get("src", "")))
            at = link if link >= 0 else len(links) - 1
            lines[-1].append(Span(described, " ".join([*styles, "image"]), at))
        elif kind.endswith("_open") and kind[:-5] in _STYLES:
            styles.append(_STYLES[kind[:-5]])
        elif kind.endswith("_close") and kind[:-6] in _STYLES:
            styles.remove(_STYLES[kind[:-6]])
        elif token.content:
            lines[-1].append(Span(printable(token.content), " ".join([*styles, "muted"]), link))
    return lines


def _labels(tokens: Sequence[Token]) -> bool:
    """Whether a line begins with a name in bold and a colon: a line of its own to its author."""
    if len(tokens) < 3 or tokens[0].type != "strong_open" or tokens[2].type != "strong_close":
        return False
    after = tokens[3].content if len(tokens) > 3 else ""
    return tokens[1].content.endswith(":") or after.startswith(":")


def plain(text: str, style: str = "") -> Paragraph:
    """Text with no markup in it, its lines kept."""
    return [[Span(printable(line), style)] for line in text.split("\n")]


def _text(text: str, style: str, link: int, links: list[str]) -> list[Span]:
    """Plain text, in which addresses and names of thoughts become links."""
    if link >= 0 or ("[[" not in text and "://" not in text):
        return [Span(printable(text), style, link)]
    found: list[Span] = []
    at = 0
    styled = f"{style} link".lstrip()
    for match in _REFERENCE.finditer(text):
        name, label, address = match.groups()
        end = match.end()
        if address:
            shown = target = _without_tail(address)
            end -= len(address) - len(shown)
        else:
            shown, target = label or name, name.strip()
        found.append(Span(printable(text[at : match.start()]), style))
        found.append(Span(printable(shown), styled, len(links)))
        links.append(target)
        at = end
    found.append(Span(printable(text[at:]), style))
    return [span for span in found if span.text]


def _without_tail(address: str) -> str:
    """An address without the punctuation of the sentence it ends."""
    while address[-1] in _AFTER_ADDRESS:
        if address[-1] == ")" and address.count("(") >= address.count(")"):
            break
        address = address[:-1]
    return address
