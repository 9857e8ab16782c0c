"""What Anthropic's models cost, as its pages said in November 2026, and what each understands.

Prices are there to keep limits, not to make out bills: cached and cheaper tokens are counted as
full ones, and a model that is not listed counts as the dearest that is.
"""

from __future__ import annotations

from dataclasses import dataclass

from aimem_tui.assist.port import Usage

DEFAULT_MODEL = "claude-haiku-5-5"


@dataclass(frozen=True, slots=True)
class Terms:
    """US dollars for a million tokens, and whether the model can be told how hard to try."""

    tokens_in: float
    tokens_out: float
    effort: bool = True

    def cost(self, usage: Usage) -> float:
        """US dollars for a call."""
        total = usage.tokens_in * self.tokens_in + usage.tokens_out * self.tokens_out
        return total / 1_000_000


MODELS = {
    "claude-haiku-5-5": Terms(0.10, 0.50),
    "claude-sonnet-5-5": Terms(2.00, 10.00),
    "claude-opus-5-5": Terms(4.00, 20.00),
    "claude-fable-5-1": Terms(10.00, 50.00),
    "claude-sonnet-5": Terms(2.00, 10.00),
    "claude-opus-5": Terms(5.00, 25.00),
    "claude-haiku-4-5": Terms(1.00, 5.00, effort=False),
    "claude-haiku-4-5-20251001": Terms(1.00, 5.00, effort=False),
}

_UNKNOWN = Terms(
    max(terms.tokens_in for terms in MODELS.values()),
    max(terms.tokens_out for terms in MODELS.values()),
    effort=False,
)


def terms(model: str) -> Terms:
    """The terms of a model; of the dearest one, if it is not known."""
    return MODELS.get(model, _UNKNOWN)
