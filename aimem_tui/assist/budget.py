"""What language models may cost, and what they have cost: a ledger for the machine, and a meter.

- Before a call its highest possible cost is written down, in one transaction with the look at the
  day's sum; so two programs at once do not spend the same dollar, and a program that is killed has
  spent too much rather than too little. After the call the true figure takes its place.
- A call that could cost more than one call may, or would take the day over its limit, is not made.
- The ledger holds times, names and numbers: nothing of what was asked or answered.
- A ledger that cannot be read or written stops calls that cost something; it never stops aimem.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aimem_tui.assist.port import Adapter, Limits, ModelFailed, Prompt, Schema, Usage
from aimem_tui.assist.schema import problem

if TYPE_CHECKING:
    import apsw

FILE_NAME = "assist.db"
_KEPT_DAYS = 90
_BUSY_MS = 5_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY,
    day TEXT NOT NULL,          -- local, ISO 8601
    model TEXT NOT NULL,
    tokens_in INTEGER NOT NULL DEFAULT 0,
    tokens_out INTEGER NOT NULL DEFAULT 0,
    cost REAL NOT NULL          -- US dollars; the most it can be while the call is under way
) STRICT;
CREATE INDEX IF NOT EXISTS calls_by_day ON calls (day);
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used on one day."""

    calls: int
    tokens_in: int
    tokens_out: int
    cost: float
    """US dollars."""


class Ledger:
    """The calls of this machine, in a small file of their own.

    Args:
        file: made when first needed.
        clock: milliseconds since the Unix epoch.
    """

    def __init__(self, file: Path, clock: Callable[[], int]) -> None:
        self.file = file
        self._clock = clock

    def today(self) -> Spent:
        """What was used today.

        Raises:
            ModelFailed: if the file cannot be read.
        """
        with self._open() as connection:
            row = connection.execute(
                "SELECT count(*), total(tokens_in), total(tokens_out), total(cost)"
                " FROM calls WHERE day = ?",
                (self._day(),),
            ).fetchone()
        assert row is not None
        calls, tokens_in, tokens_out, cost = row
        return Spent(int(calls), int(tokens_in), int(tokens_out), float(cost))

    def reserve(self, model: str, cost: float, day_limit: float) -> int:
        """Set money aside for a call; returns the call's number.

        Raises:
            ModelFailed: if that is more than is left for today.
        """
        with self._open() as connection, connection:
            day = self._day()
            spent = connection.execute("SELECT total(cost) FROM calls WHERE day = ?", (day,)).get
            if cost > 0 and spent + cost > day_limit:
                raise ModelFailed(
                    f"Today's limit of {dollars(day_limit)} for language models is reached.",
                    why=f"{dollars(spent)} are spent, and this may cost {dollars(cost)}.",
                    hint="To allow more: aimem config set assist.day-limit DOLLARS.",
                )
            connection.execute(
                "DELETE FROM calls WHERE day < date(?, ?)", (day, f"-{_KEPT_DAYS} days")
            )
            connection.execute(
                "INSERT INTO calls (day, model, cost) VALUES (?, ?, ?)", (day, model, cost)
            )
            call = connection.last_insert_rowid()
        return call

    def settle(self, call: int, usage: Usage, cost: float) -> None:
        """Write down what a call has taken."""
        with self._open() as connection:
            connection.execute(
                "UPDATE calls SET tokens_in = ?, tokens_out = ?, cost = ? WHERE id = ?",
                (usage.tokens_in, usage.tokens_out, cost, call),
            )

    def _day(self) -> str:
        return time.strftime("%Y-%m-%d", time.localtime(self._clock() / 1_000))

    @contextmanager
    def _open(self) -> Iterator[apsw.Connection]:
        import apsw

        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            connection = apsw.Connection(str(self.file))
            try:
                connection.set_busy_timeout(_BUSY_MS)
                connection.transaction_mode = "IMMEDIATE"
                connection.execute(_SCHEMA)
                yield connection
            finally:
                connection.close()
        except (apsw.Error, OSError) as error:
            raise ModelFailed(
                f"What language models may cost cannot be read in {self.file}.",
                why=f"{error}.",
                hint="If the file is damaged, remove it.",
            ) from error


class Meter:
    """A model that keeps to limits of cost and length, and whose answers have their schema.

    Args:
        adapter: the model itself.
        limits: of one call.
        call_limit: US dollars that one call may cost.
        day_limit: US dollars that a day's calls may cost, all programs of this machine together.
    """

    def __init__(
        self,
        adapter: Adapter,
        ledger: Ledger,
        *,
        limits: Limits,
        call_limit: float,
        day_limit: float,
    ) -> None:
        self.adapter = adapter
        self.ledger = ledger
        self.limits = limits
        self.call_limit = call_limit
        self.day_limit = day_limit
        self.last = Usage()
        """What the last call took."""

    @property
    def name(self) -> str:
        """The model, as it is shown."""
        return self.adapter.name

    @property
    def room(self) -> int:
        """How many tokens a prompt should have at most."""
        return self.adapter.room

    def complete(
        self, prompt: Prompt, schema: Schema, limits: Limits | None = None
    ) -> dict[str, Any]:
        """One call; see :meth:`aimem_tui.assist.port.LanguageModel.complete`."""
        allowed = self._allowed(limits)
        most = self.adapter.most(prompt, allowed)
        if most > self.call_limit:
            raise ModelFailed(
                f"This may cost {dollars(most)}, and a call may cost {dollars(self.call_limit)}.",
                hint="To allow more: aimem config set assist.call-limit DOLLARS.",
            )
        call = self.ledger.reserve(self.name, most, self.day_limit)
        try:
            completion = self.adapter.generate(prompt, schema, allowed)
        except ModelFailed as error:
            if error.spent is not None:
                self._settle(call, error.spent)
            raise
        self._settle(call, completion.usage)
        wrong = problem(completion.value, schema)
        if wrong or not isinstance(completion.value, dict):
            raise ModelFailed(
                "The language model's answer has not the form that was asked for.",
                why=f"{wrong[:1].upper()}{wrong[1:]}." if wrong else "",
                spent=completion.usage,
            )
        return completion.value

    def close(self) -> None:
        """End what the model has started."""
        self.adapter.close()

    def _allowed(self, asked: Limits | None) -> Limits:
        if asked is None:
            return self.limits
        return Limits(
            min(asked.answer_tokens, self.limits.answer_tokens),
            min(asked.seconds, self.limits.seconds),
        )

    def _settle(self, call: int, usage: Usage) -> None:
        self.last = usage
        # What was set aside stays written down then; an answer that was paid for is not lost.
        with suppress(ModelFailed):
            self.ledger.settle(call, usage, self.adapter.cost(usage))


def dollars(amount: float) -> str:
    """An amount of US dollars, small ones with the digits that matter."""
    if 0 < amount < 0.01:
        return f"${amount:.4f}"
    return f"${amount:.2f}"
