"""The words of a text, as all comparing and weighing here counts them.

Words are runs of letters and digits, folded; underscores, dots and dashes divide them, so that
``retry_limit`` and "retry limit" meet. Chinese and Japanese have no blanks between words: there
every character is one. Frontmatter is left out: properties are not what a thought says.
"""

from __future__ import annotations

import re
from functools import cache

from aimem_tui.markdown.frontmatter import split

MAX_WORDS = 50_000
"""Words of a text that are looked at; more than this a text does not need to be told by."""

_COMMON = (
    "a about above after again all also am an and any are as at be because been before being below"
    " between both but by can could did do does doing done down during each either else ever every"
    " few for from further get gets got had has have having he her here hers him his how i if in"
    " into is it its itself just like may me might more most much must my need new no nor not now"
    " of off on once one only or other our out over own per same see set she should so some still"
    " such than that the their them then there these they this those through to too two under"
    " until up use used uses using very want was way we well were what when where which while who"
    " whom why will with within without would yes yet you your"
    " don doesn didn isn aren wasn won can couldn shouldn wouldn ll ve re http https www com md"
)
STOP_WORDS = frozenset(_COMMON.split())

_ASCII = re.compile(r"[a-z0-9]+")
_HAN_AND_KANA = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"


def body_of(text: str) -> str:
    """A text without its frontmatter."""
    block = split(text)
    return text if block is None else text[block.end :]


def words_of(text: str) -> list[str]:
    """The words of a text in their order, folded; at most :data:`MAX_WORDS`."""
    folded = text.casefold()
    pattern = _ASCII if folded.isascii() else _any_script()
    words: list[str] = pattern.findall(folded)
    return words[:MAX_WORDS]


def is_telling(word: str) -> bool:
    """Whether a word says something about what a text is about."""
    return word not in STOP_WORDS and not word.isdigit() and (len(word) > 1 or not word.isascii())


@cache
def _any_script() -> re.Pattern[str]:
    """Compiled when first needed: its large ranges take milliseconds."""
    return re.compile(rf"[{_HAN_AND_KANA}]|[^\W_{_HAN_AND_KANA}]+")
