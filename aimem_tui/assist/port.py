"""What a language model is to aimem: one question of form, one answer of form.

- A call has a prompt, a JSON schema that the answer must have, and limits. It returns an object
  that has been checked against the schema, or raises :class:`ModelFailed`; nothing in between.
- Whoever calls has a way to do without: a failure is a sentence for the person, never the end.
- What a model says is text to be shown. Nothing here or above acts on it: no tool is offered to a
  model, no command, path or address in an answer is followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aimem_tui.errors import AimemError, ExitCode

Schema = Mapping[str, Any]
"""A JSON schema of the kind that :mod:`aimem_tui.assist.schema` checks."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call took."""

    tokens_in: int = 0
    tokens_out: int = 0


class ModelFailed(AimemError):
    """A language model did not give an answer that can be used.

    Args:
        spent: what the call took all the same; None if nobody can know.
    """

    exit_code = ExitCode.TOOL_FAILED

    def __init__(
        self, what: str, *, why: str = "", hint: str = "", spent: Usage | None = Usage()
    ) -> None:
        super().__init__(what, why=why, hint=hint)
        self.spent = spent


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is told: ``system`` is aimem's own words, ``user`` holds what people wrote."""

    system: str
    user: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one call may take."""

    answer_tokens: int = 2_000
    """At most so many tokens of answer, what the model thinks first included."""
    seconds: float = 90.0
    """At most so long, waiting and trying again included."""


@dataclass(frozen=True, slots=True)
class Completion:
    """An object as it came from a model, not checked yet."""

    value: object
    usage: Usage = Usage()


class Adapter(Protocol):
    """A way to one kind of model. Not to be called from two threads at once."""

    @property
    def name(self) -> str:
        """The model, as it is shown."""

    @property
    def room(self) -> int:
        """How many tokens a prompt should have at most."""

    def generate(self, prompt: Prompt, schema: Schema, limits: Limits) -> Completion:
        """One call.

        Raises:
            ModelFailed: in words, whatever went wrong.
        """

    def most(self, prompt: Prompt, limits: Limits) -> float:
        """What a call may cost at most, in US dollars."""

    def cost(self, usage: Usage) -> float:
        """What a call has cost, in US dollars."""

    def close(self) -> None:
        """End what was started."""


class LanguageModel(Protocol):
    """A language model within its limits, as the rest of aimem uses it."""

    @property
    def name(self) -> str:
        """The model, as it is shown."""

    @property
    def room(self) -> int:
        """How many tokens a prompt should have at most."""

    def complete(
        self, prompt: Prompt, schema: Schema, limits: Limits | None = None
    ) -> dict[str, Any]:
        """An object that has the schema.

        Args:
            limits: less than what the settings allow; None: just that.

        Raises:
            ModelFailed: in words, whatever went wrong.
        """

    def close(self) -> None:
        """End what was started."""


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has, rather too many than too few.

    Three bytes of UTF-8 a token: English has four and more, code and other scripts two to three.
    """
    return len(text.encode(errors="replace")) // 3 + 1
