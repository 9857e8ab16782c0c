"""Which language model is set up, what it may do, and what was agreed to.

- Off unless a person chose a model. What is set up is used only after what is sent where was shown
  and agreed to; the agreement names the receiver, so another receiver, or more being sent, asks
  anew. It lies in the settings, and a settings file that was copied or edited by hand without it
  sends nothing.
- Values that are no numbers count as not given: a slip in the file must not stop anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aimem_tui.assist import prices
from aimem_tui.assist.budget import Ledger, Meter, dollars
from aimem_tui.assist.port import Adapter, Limits, ModelFailed

Use = Literal["off", "claude", "llama"]
HOST = "api.anthropic.com"
_SENT = 1
"""Raised when more is sent than was agreed to; everybody is asked anew then."""
_LOCAL_ROOM = 3_000
"""Tokens of prompt for a model on this machine: without a graphics card reading is slow."""


@dataclass(frozen=True, slots=True)
class Configured:
    """What the settings say of language models."""

    use: Use
    claude_model: str
    llama_file: str
    prompt_tokens: int
    limits: Limits
    call_limit: float
    """US dollars."""
    day_limit: float
    """US dollars."""
    agreed: str

    @classmethod
    def read(cls, get: Callable[[str], str]) -> Configured:
        """From settings, by their keys."""
        use = get("assist.use")
        return cls(
            use="claude" if use == "claude" else "llama" if use == "llama" else "off",
            claude_model=get("assist.claude-model") or prices.DEFAULT_MODEL,
            llama_file=get("assist.llama-file"),
            prompt_tokens=int(_number(get("assist.prompt-tokens"), 6_000)),
            limits=Limits(
                int(_number(get("assist.answer-tokens"), 2_000)),
                _number(get("assist.seconds"), 90.0),
            ),
            call_limit=_number(get("assist.call-limit"), 0.05),
            day_limit=_number(get("assist.day-limit"), 1.0),
            agreed=get("assist.agreed"),
        )

    @property
    def agreement(self) -> str:
        """What :attr:`agreed` must be for the model to be used."""
        return agreement(self.use)

    @property
    def model(self) -> str:
        """The model, as it is shown; empty if there is none."""
        if self.use == "claude":
            return self.claude_model
        return Path(self.llama_file).stem if self.use == "llama" else ""

    def adapter(self, key: str) -> Adapter:
        """The model that is set up, whether it was agreed to or not.

        Args:
            key: for Claude.

        Raises:
            ModelFailed: if it cannot be used, in words.
        """
        if self.use == "claude":
            from aimem_tui.assist import claude

            return claude.Claude(key, self.claude_model, self.prompt_tokens, claude.BASE_URL)
        if self.use == "llama" and self.llama_file:
            from aimem_tui.assist.llama import Llama

            return Llama(
                Path(self.llama_file).expanduser(),
                room=min(self.prompt_tokens, _LOCAL_ROOM),
                answer_tokens=self.limits.answer_tokens,
            )
        raise ModelFailed("No language model is set up.", hint="To set one up: aimem assist setup.")

    def metered(self, key: str, ledger: Ledger) -> Meter:
        """The model that is set up, within its limits.

        Raises:
            ModelFailed: if it cannot be used, or what is sent where was not agreed to.
        """
        if self.use != "off" and self.agreed != self.agreement:
            raise ModelFailed(
                "You have not agreed yet to what a language model is sent.",
                hint=f"To see it and agree: aimem assist setup {self.use}.",
            )
        return Meter(
            self.adapter(key),
            ledger,
            limits=self.limits,
            call_limit=self.call_limit,
            day_limit=self.day_limit,
        )


def agreement(use: Use) -> str:
    """What stands in the settings once it was agreed to this use."""
    return {"claude": f"claude {HOST} {_SENT}", "llama": f"llama here {_SENT}", "off": ""}[use]


def what_is_sent(configured: Configured) -> tuple[str, ...]:
    """What is sent where, when, and what it may cost: a sentence or two each."""
    what = (
        "With a question: the question, and the passages of your thoughts that fit it best, with"
        " their paths and titles. With a suggestion: the thought it is about."
    )
    when = (
        "Only when you ask for it: with aimem ask, or for suggestions. Never in the background."
        " It holds for all workspaces of this machine."
    )
    if configured.use == "llama":
        return (
            f"Everything stays on this machine: {configured.llama_file} is run here.",
            f"What the model reads. {what}",
            f"When. {when}",
            f"At most {configured.limits.seconds:g} seconds a call.",
        )
    return (
        f"What is sent. {what} At most about {configured.prompt_tokens} tokens a call.",
        f"Where. To {HOST}, encrypted on the way, with your key. What Anthropic may do with it is"
        " in your agreement with Anthropic.",
        f"When. {when}",
        f"What it costs. You pay Anthropic. A call may cost {dollars(configured.call_limit)}, a day"
        f" {dollars(configured.day_limit)}, as far as prices are known here.",
    )


def _number(text: str, default: float) -> float:
    try:
        value = float(text)
    except ValueError:
        return default
    return value if 0 < value < 1e9 else default
