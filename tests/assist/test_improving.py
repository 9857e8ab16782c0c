"""Proposals by a language model: what comes out can be proposed as it is, or nothing does."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from aimem_tui.assist.improving import Improving
from aimem_tui.assist.port import Limits, ModelFailed, Prompt, Schema
from aimem_tui.organize.ports import Improver

NOTE = "# Auth\n\nRefresh tokens live 30 days.\n"


class Says:
    """A model that says one thing."""

    name = "model-1"
    room = 2_000

    def __init__(self, **value: Any) -> None:
        self._value = value
        self.prompt = Prompt("", "")

    def complete(
        self, prompt: Prompt, schema: Schema, limits: Limits | None = None
    ) -> dict[str, Any]:
        self.prompt = prompt
        return self._value

    def close(self) -> None:
        pass


def test_it_has_the_form_that_organizing_asks_for() -> None:
    for name, asked in inspect.getmembers(Improver, inspect.isfunction):
        if not name.startswith("_"):
            given = inspect.signature(getattr(Improving, name))
            assert list(given.parameters) == list(inspect.signature(asked).parameters), name


def test_tags_in_use_are_preferred_and_spelled_as_they_are() -> None:
    model = Says(tags=["#AUTH", "Token rotation", "auth", "  ", "new/area"])
    tags = Improving(model).tags(NOTE, ["Auth", "database"], ["tokens"])
    assert tags == ("Auth", "token-rotation", "new/area")
    assert "Auth\ndatabase" in model.prompt.user
    assert "tokens" in model.prompt.user


def test_a_model_without_tags_gives_way() -> None:
    with pytest.raises(ModelFailed):
        Improving(Says(tags=["", "#", " - "])).tags(NOTE, [], [])


def test_a_title_is_one_plain_line() -> None:
    assert (
        Improving(Says(title='# "How tokens\nrotate"')).title(NOTE, "Auth") == "How tokens rotate"
    )
    with pytest.raises(ModelFailed):
        Improving(Says(title=' "" ')).title(NOTE, "Auth")


def test_a_summary_is_one_line() -> None:
    improving = Improving(Says(summary="Tokens live.\nThey rotate.\n"))
    assert improving.summary(NOTE, "Tokens.") == "Tokens live. They rotate."


def test_a_judgement_that_is_not_sure_gives_way() -> None:
    assert Improving(Says(same="yes", why="")).is_duplicate(NOTE, NOTE)
    assert not Improving(Says(same="no", why="")).is_duplicate(NOTE, "# Other\n")
    with pytest.raises(ModelFailed):
        Improving(Says(same="unsure", why="")).is_duplicate(NOTE, NOTE)


def test_a_long_text_is_cut_to_what_the_model_has_room_for() -> None:
    model = Says(title="A title", same="no", why="", summary="S.", tags=["a"])
    improving = Improving(model)
    text = "# A book\n\n" + "word and word again\n" * 10_000
    improving.title(text, "")
    titled = model.prompt
    improving.summary(text, "")
    improving.is_duplicate(text, text)
    compared = model.prompt
    improving.tags(text, ["tag"] * 5_000, [])
    for prompt in (titled, compared, model.prompt):
        assert len((prompt.system + prompt.user).encode()) / 3 < model.room
        assert "# A book" in prompt.user
