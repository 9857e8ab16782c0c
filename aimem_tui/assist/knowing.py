"""Whether memory knows, judged without a language model: how near the best passage comes.

- By meaning, where passages have vectors: the cosine of question and best passage. From ``SURE`` on
  memory knows; below ``NEAR`` it does not; between, it knows if every telling word of the question
  is somewhere in memory: a question about Kafka comes near to notes on queues that never heard of
  it.
- By words alone, where there are no vectors: every telling word is somewhere in memory, and one
  passage has at least ``SHARE`` of them.

The bounds were set on one half of a list of questions over real notes and measured on the other;
``docs/assist.md`` has the figures. They are about *whether* to say "memory does not know": the
passages are shown either way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

NEAR = 0.43
SURE = 0.55
SHARE = 0.4

_COMMON = (
    "a all about an and any are as at be because been but by can could did do does done for from"
    " get had has have how i if in into is it its long made make many me much my no not of on one"
    " or our should so some than that the their them then there these they this those to us was"
    " way we were what when where which who whom whose why will with would you your"
)
_FILLERS = frozenset(_COMMON.split())
_WORD = re.compile(r"[^\W_]+")
_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_ENDINGS = ("ingly", "edly", "ing", "ies", "ed", "es", "ly", "s")
_SHORTEST_STEM = 3


def comes_near(
    question: str,
    passages: Sequence[str],
    cosine: float | None,
    is_known_word: Callable[[str], bool],
) -> bool:
    """Whether memory knows the answer to a question, as far as can be told.

    Args:
        passages: the texts that were found, with their titles.
        cosine: of the question and the nearest passage; None if there are no vectors.
        is_known_word: whether any thought has a word.
    """
    if not passages:
        return False
    if cosine is not None and not NEAR <= cosine < SURE:
        return cosine >= SURE
    words = telling_words(question)
    if cosine is None and share(words, passages) < SHARE:
        return False
    return all(is_known_word(word) for word in words)


def telling_words(question: str) -> tuple[str, ...]:
    """The words of a question that say what it is about, each once."""
    found: dict[str, None] = {}
    for word in _WORD.findall(question.casefold()):
        if _WITHOUT_SPACES.search(word):
            found.update((word[i : i + 2], None) for i in range(max(1, len(word) - 1)))
        elif word not in _FILLERS:
            found[word] = None
    return tuple(found)


def share(words: Sequence[str], passages: Sequence[str]) -> float:
    """The part of the words that the passage with most of them has, 0 to 1."""
    if not words:
        return 0.0
    return max(_held(words, passage.casefold()) for passage in passages) / len(words)


def _held(words: Sequence[str], passage: str) -> int:
    stems = {stem(word) for word in _WORD.findall(passage)}
    return sum(
        word in passage if _WITHOUT_SPACES.search(word) else stem(word) in stems for word in words
    )


def stem(word: str) -> str:
    """A word without its commonest endings."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word[: -len(ending)]
            break
    return word[:-1] if word.endswith("e") and len(word) > _SHORTEST_STEM else word
