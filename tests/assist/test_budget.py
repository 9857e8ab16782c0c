"""What language models may cost, and how the machine keeps count of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aimem_tui.assist import prompts
from aimem_tui.assist.budget import Ledger, Meter, dollars
from aimem_tui.assist.port import (
    Completion,
    Limits,
    ModelFailed,
    Prompt,
    Schema,
    Usage,
)

PROMPT = Prompt("", "What?")
DAY = 86_400_000
NOON = 1_761_048_000_000


class Costly:
    """A model that answers as it is told and costs as it is told."""

    name = "costly"
    room = 1_000

    def __init__(self, answer: Callable[[], Completion], most: float = 0.4) -> None:
        self._answer = answer
        self._most = most
        self.asked: list[Limits] = []

    def generate(self, prompt: Prompt, schema: Schema, limits: Limits) -> Completion:
        self.asked.append(limits)
        return self._answer()

    def most(self, prompt: Prompt, limits: Limits) -> float:
        return self._most

    def cost(self, usage: Usage) -> float:
        return usage.tokens_out / 1_000

    def close(self) -> None:
        pass


def fine() -> Completion:
    return Completion({"title": "A title"}, Usage(10, 100))


def meter(
    folder: Path, model: Costly, *, call: float = 0.5, day: float = 1.0, at: int = NOON
) -> Meter:
    return Meter(
        model,
        Ledger(folder / "assist.db", lambda: at),
        limits=Limits(500, 10.0),
        call_limit=call,
        day_limit=day,
    )


def test_a_call_is_written_down_with_what_it_really_took(tmp_path: Path) -> None:
    metered = meter(tmp_path, Costly(fine))
    assert metered.complete(PROMPT, prompts.TITLE) == {"title": "A title"}
    spent = metered.ledger.today()
    assert (spent.calls, spent.tokens_in, spent.tokens_out) == (1, 10, 100)
    assert spent.cost == pytest.approx(0.1)


def test_a_call_that_could_cost_too_much_is_not_made(tmp_path: Path) -> None:
    model = Costly(fine, most=0.6)
    with pytest.raises(ModelFailed, match=r"may cost \$0\.60, and a call may cost \$0\.50"):
        meter(tmp_path, model).complete(PROMPT, prompts.TITLE)
    assert model.asked == []


def test_a_day_has_its_limit_and_the_next_day_its_own(tmp_path: Path) -> None:
    model = Costly(lambda: Completion({"title": "A"}, Usage(0, 400)))
    today = meter(tmp_path, model)
    today.complete(PROMPT, prompts.TITLE)
    with pytest.raises(ModelFailed, match=r"Today's limit of \$0\.70"):
        meter(tmp_path, model, day=0.7).complete(PROMPT, prompts.TITLE)
    assert len(model.asked) == 1
    meter(tmp_path, model, day=0.7, at=NOON + DAY).complete(PROMPT, prompts.TITLE)
    assert len(model.asked) == 2


def test_a_model_that_costs_nothing_is_not_held_up_by_money(tmp_path: Path) -> None:
    model = Costly(lambda: Completion({"title": "A"}, Usage(0, 0)), most=0.0)
    for _ in range(3):
        meter(tmp_path, model, day=0.000001).complete(PROMPT, prompts.TITLE)


def test_a_call_that_fails_is_paid_as_far_as_is_known(tmp_path: Path) -> None:
    def refuses() -> Completion:
        raise ModelFailed("no", spent=Usage(5, 50))

    def unreachable() -> Completion:
        raise ModelFailed("no")

    def lost() -> Completion:
        raise ModelFailed("no", spent=None)

    costs = []
    for i, answer in enumerate((refuses, unreachable, lost)):
        (tmp_path / str(i)).mkdir()
        metered = meter(tmp_path / str(i), Costly(answer))
        with pytest.raises(ModelFailed):
            metered.complete(PROMPT, prompts.TITLE)
        costs.append(metered.ledger.today().cost)
    assert costs == pytest.approx([0.05, 0.0, 0.4])


def test_an_answer_without_its_form_is_no_answer_and_is_paid(tmp_path: Path) -> None:
    metered = meter(tmp_path, Costly(lambda: Completion({"titel": "A"}, Usage(0, 100))))
    with pytest.raises(ModelFailed, match="has not the form") as caught:
        metered.complete(PROMPT, prompts.TITLE)
    assert caught.value.why == "Title is missing."
    assert metered.ledger.today().cost == pytest.approx(0.1)


def test_a_caller_can_ask_for_less_and_never_for_more(tmp_path: Path) -> None:
    model = Costly(fine)
    metered = meter(tmp_path, model)
    metered.complete(PROMPT, prompts.TITLE, Limits(100, 99.0))
    metered.complete(PROMPT, prompts.TITLE, Limits(9_999, 5.0))
    assert model.asked == [Limits(100, 10.0), Limits(500, 5.0)]


def test_a_ledger_that_is_no_ledger_stops_calls_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "assist.db").write_bytes(b"no database at all" * 100)
    model = Costly(fine)
    with pytest.raises(ModelFailed, match="cannot be read"):
        meter(tmp_path, model).complete(PROMPT, prompts.TITLE)
    assert model.asked == []


def test_an_answer_that_was_paid_for_is_not_lost_with_the_ledger(tmp_path: Path) -> None:
    def breaks_the_ledger() -> Completion:
        (tmp_path / "assist.db").write_bytes(b"no database any more" * 100)
        return fine()

    metered = meter(tmp_path, Costly(breaks_the_ledger))
    assert metered.complete(PROMPT, prompts.TITLE) == {"title": "A title"}


def test_nothing_that_was_asked_or_answered_is_in_the_ledger(tmp_path: Path) -> None:
    asked = Prompt("xyzzy", "plugh")
    meter(tmp_path, Costly(fine)).complete(asked, prompts.TITLE)
    data = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not any(word in data for word in (b"xyzzy", b"plugh", b"A title"))


def test_two_programs_do_not_spend_the_same_dollar(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from aimem_tui.assist.budget import Ledger;"
        "from aimem_tui.assist.port import ModelFailed\n"
        f"ledger = Ledger(Path(sys.argv[1]), lambda: {NOON})\n"
        "made = 0\n"
        "for _ in range(20):\n"
        "    try: ledger.reserve('m', 0.1, 1.05)\n"
        "    except ModelFailed: pass\n"
        "    else: made += 1\n"
        "print(made)"
    )
    line = [sys.executable, "-c", program, str(tmp_path / "assist.db")]
    running = [subprocess.Popen(line, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sum(int(each.communicate()[0]) for each in running) == 10


def test_small_amounts_are_shown_with_the_digits_that_matter() -> None:
    assert [dollars(each) for each in (0, 0.00042, 0.5, 12)] == [
        "$0.00",
        "$0.0004",
        "$0.50",
        "$12.00",
    ]
