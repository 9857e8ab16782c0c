"""Better proposals for keeping order: tags, titles, summaries, and whether two thoughts are one.

:class:`Improving` has the form that :mod:`aimem_tui.organize.ports` asks of whoever improves its
proposals. Each method gives something that can be proposed as it is, or raises
:class:`ModelFailed`, upon which what was found without a model is proposed. Texts are cut to what
the model has room for: a note's beginning says what it is about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aimem_tui.assist import prompts
from aimem_tui.assist.port import LanguageModel, Limits, ModelFailed, estimated_tokens

SHORT = Limits(answer_tokens=800)
"""For answers of a few words; thinking is counted in."""
_MOST_TAGS = 5
_MOST_TAGS_SHOWN = 150
_SPARE = 600
"""Tokens of a prompt that are not a note's text."""
_NOT_IN_A_TAG = re.compile(r"[^\w/-]+")


class Improving:
    """Proposals by a language model.

    Args:
        model: within its limits.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    def tags(self, text: str, known: Sequence[str], proposed: Sequence[str]) -> tuple[str, ...]:
        """Tags for a text, the best first.

        Args:
            known: the tags in use, the most used first; spelled as they are where they are given.
            proposed: what was found without a model.

        Raises:
            ModelFailed: if there are none that can be used.
        """
        shown = tuple(known)[:_MOST_TAGS_SHOWN]
        room = self._model.room - _SPARE - estimated_tokens("\n".join((*shown, *proposed)))
        prompt = prompts.tags(cut(text, room), shown, proposed)
        value = self._model.complete(prompt, prompts.TAGS, SHORT)
        spelled = {tag.casefold(): tag for tag in reversed(known)}
        found = filter(None, (_tag(str(tag)) for tag in value["tags"]))
        tags = tuple(dict.fromkeys(spelled.get(tag, tag) for tag in found))[:_MOST_TAGS]
        if not tags:
            raise ModelFailed("The language model gave no tags.")
        return tags

    def title(self, text: str, proposed: str) -> str:
        """A title for a text: one line.

        Raises:
            ModelFailed: if there is none that can be used.
        """
        prompt = prompts.title(cut(text, self._model.room - _SPARE), proposed)
        return _line(str(self._model.complete(prompt, prompts.TITLE, SHORT)["title"]).strip('#" '))

    def summary(self, text: str, proposed: str) -> str:
        """What a text says, in a few sentences on one line.

        Raises:
            ModelFailed: if there is none that can be used.
        """
        prompt = prompts.summary(cut(text, self._model.room - _SPARE), proposed)
        return _line(str(self._model.complete(prompt, prompts.SUMMARY, SHORT)["summary"]))

    def is_duplicate(self, kept: str, other: str) -> bool:
        """Whether two texts say the same and should be one.

        Raises:
            ModelFailed: if the model gives no judgement, or is not sure.
        """
        room = (self._model.room - _SPARE) // 2
        prompt = prompts.duplicate(cut(kept, room), cut(other, room))
        same = self._model.complete(prompt, prompts.DUPLICATE, SHORT)["same"]
        if same == "unsure":
            raise ModelFailed("The language model cannot tell whether the two are the same.")
        return bool(same == "yes")


def cut(text: str, room: int) -> str:
    """The beginning of a text that has about ``room`` tokens, up to the end of a line."""
    if estimated_tokens(text) <= room:
        return text
    kept = text.encode(errors="replace")[: max(room, 1) * 3].decode(errors="ignore")
    return kept[: kept.rfind("\n") + 1] or kept


def _tag(text: str) -> str:
    return _NOT_IN_A_TAG.sub("-", prompts.clean(text).strip().lstrip("#")).strip("-/").casefold()


def _line(text: str) -> str:
    line = " ".join(prompts.clean(text).split())
    if not line:
        raise ModelFailed("The language model gave an empty answer.")
    return line
