"""A question to the workspace, answered from its thoughts.

- The passages that fit best are found by search; that alone is an answer, and the one that is given
  where there is no language model.
- A language model, if one is set up and agreed to, gets the question and these passages and nothing
  else. What it says is shown only if its citations hold; see :mod:`aimem_tui.assist.answers`.
- Whatever goes wrong with the model is one sentence in ``said``, and the passages are there.
- Memory does not know if the model says so; without a model, if no passage comes near the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from aimem_tui.assist import answers, knowing, prompts
from aimem_tui.assist.answers import Citation
from aimem_tui.assist.budget import FILE_NAME, Ledger, Meter
from aimem_tui.assist.configured import Configured
from aimem_tui.assist.port import LanguageModel, ModelFailed
from aimem_tui.assist.prompts import Passage
from aimem_tui.errors import AimemError, BadInput
from aimem_tui.markdown import chunks
from aimem_tui.model import Filter, Kind

if TYPE_CHECKING:
    from aimem_tui.model import SearchResults
    from aimem_tui.paths import Home
    from aimem_tui.sync.credentials import Credentials
    from aimem_tui.workspace.workspace import Workspace

PASSAGES = 8
"""How many passages are looked at; no two of one thought."""

_PASSAGE_SIZE = 1_400
"""Characters that a passage has about."""
_WINDOW = 20_000
"""Characters on each side of a place that are looked at for where its passage begins and ends."""
_SIGNS = re.compile(r"[\":]|(?<!\S)-+")
_KEY = ("assist", "anthropic")
"""Under what the key lies among the credentials."""


class Answer(NamedTuple):
    """What memory has to say to a question."""

    question: str
    text: str
    """A model's answer with [1] for the passages it cites; empty without one."""
    citations: tuple[Citation, ...]
    """What the text cites, in its order."""
    passages: tuple[Passage, ...]
    """All that were found, best first."""
    known: bool
    """Whether memory knows, as far as can be told."""
    by: str
    """The model that answered; empty if none did."""
    said: str
    """What a person should know beside it: why no model answered, what search could not do."""


def ask(
    workspace: Workspace,
    question: str,
    model: LanguageModel | None = None,
    wanted: Filter | None = None,
    *,
    limit: int = PASSAGES,
    on_wait: Callable[[], object] | None = None,
) -> Answer:
    """Answer a question from the thoughts of a workspace.

    Args:
        model: None: the best passages are the answer.
        wanted: ask only these thoughts.
        limit: at most so many passages.
        on_wait: told when the model is asked, which may take long.

    Raises:
        BadInput: if there is no question.
    """
    asked = " ".join(question.split())
    if not asked:
        raise BadInput("There is no question.")
    found = _found(workspace, asked, wanted or Filter(), limit)
    passages = tuple(_passages(workspace, found))
    known = _comes_near(workspace, asked, found, passages)
    plain = Answer(asked, "", (), passages, known, "", found.said)
    if model is None or not passages:
        return plain
    try:
        return _answered(plain, model, on_wait)
    except ModelFailed as error:
        return plain._replace(said=" ".join(filter(None, (sentence(error), plain.said))))


def sentence(error: AimemError) -> str:
    """Why there is no answer by a model, and what can be done."""
    return " ".join(part for part in (error.what, error.hint) if part)


def language_model(get: Callable[[str], str], home: Home, clock: Callable[[], int]) -> Meter | None:
    """The language model that is set up, within its limits; None if there is none.

    Args:
        get: the value of a setting.
        clock: milliseconds since the Unix epoch.

    Raises:
        AimemError: if it cannot be used or was not agreed to, in words.
    """
    configured = Configured.read(get)
    if configured.use == "off":
        return None
    key = kept_key(home) if configured.use == "claude" else ""
    return configured.metered(key, ledger(home, clock))


def ledger(home: Home, clock: Callable[[], int]) -> Ledger:
    """What language models have cost on this machine."""
    return Ledger(home.data / FILE_NAME, clock)


def kept_key(home: Home) -> str:
    """The key for Claude; empty if none is kept.

    Raises:
        StorageError: if it cannot be read.
    """
    return _credentials(home).get(*_KEY)


def keep_key(home: Home, key: str) -> str:
    """Keep the key for Claude in the system's keyring; returns the file it is in if there is none.

    Raises:
        StorageError: if it cannot be written.
    """
    from aimem_tui.sync.credentials import Place

    credentials = _credentials(home)
    place = credentials.keep(*_KEY, key)
    return str(credentials.file) if place is Place.FILE else ""


def forget_key(home: Home) -> None:
    """Remove the key for Claude, if there is one.

    Raises:
        StorageError: if it cannot be removed.
    """
    _credentials(home).forget(*_KEY)


def _credentials(home: Home) -> Credentials:
    from aimem_tui.sync.credentials import Credentials

    return Credentials(home.config)


def _found(workspace: Workspace, question: str, wanted: Filter, limit: int) -> SearchResults:
    # A question is no query: its dashes, colons and quotation marks have no meaning there.
    return workspace.search(_SIGNS.sub(" ", question), wanted, limit=limit)


def _passages(workspace: Workspace, found: SearchResults) -> list[Passage]:
    passages: list[Passage] = []
    for hit in found.hits:
        text = workspace.text(hit.thought.id)
        start, end = passage_at(text, hit.line, markdown=hit.thought.kind is not Kind.FILE)
        shown = text[start:end].strip("\r\n")
        first = text.count("\n", 0, start) + 1 + _blank_lines(text[start:end])
        if shown:
            passages.append(Passage(len(passages) + 1, hit.thought, first, shown))
    return passages


def passage_at(text: str, line: int, *, markdown: bool) -> tuple[int, int]:
    """Where the passage around a line begins and ends: whole chunks, from the one that has it on.

    Args:
        line: from 0.
    """
    place = _offset(text, line)
    first = max(0, place - _WINDOW)
    if first:
        first = text.find("\n", first, place) + 1 or first
    window = text[first : place + _WINDOW]
    cut = chunks.chunk("", window, markdown=markdown)
    at = next((i for i, each in enumerate(cut) if each.start <= place - first < each.end), -1)
    start, end = cut[at].start, cut[at].end
    for each in cut[at + 1 :] if at >= 0 else ():
        if each.end - start > _PASSAGE_SIZE:
            break
        end = each.end
    return first + start, first + end


def _comes_near(
    workspace: Workspace, question: str, found: SearchResults, passages: Sequence[Passage]
) -> bool:
    cosines = [hit.why.cosine for hit in found.hits if hit.why.cosine is not None]
    return knowing.comes_near(
        question,
        [f"{passage.thought.title}\n{passage.text}" for passage in passages],
        max(cosines, default=None),
        workspace.has_word,
    )


def _answered(plain: Answer, model: LanguageModel, on_wait: Callable[[], object] | None) -> Answer:
    if len(plain.question) > prompts.LONGEST_QUESTION:
        raise ModelFailed("The question is too long for a language model.")
    sent = prompts.fitting(plain.question, plain.passages, model.room)
    if not sent:
        raise ModelFailed(
            "No passage fits into what may be sent.",
            hint="To send more: aimem config set assist.prompt-tokens N.",
        )
    if on_wait is not None:
        on_wait()
    value = model.complete(prompts.question(plain.question, sent), prompts.ANSWER)
    checked = answers.check(value, sent)
    if checked.problem:
        raise ModelFailed(f"What {model.name} answered is not shown: {checked.problem}.")
    return plain._replace(
        text=checked.text, citations=checked.citations, known=checked.known, by=model.name
    )


def _offset(text: str, line: int) -> int:
    place = 0
    for _ in range(line):
        found = text.find("\n", place)
        if found < 0:
            break
        place = found + 1
    return place


def _blank_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip("\r\n"))].count("\n")
