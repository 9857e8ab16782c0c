"""``ask`` and ``assist`` from end to end, with a service on this machine in Anthropic's place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aimem_tui.assist import claude
from tests.assist.fake_anthropic import KEY, FakeAnthropic, Step, fails, page, says
from tests.assist.gguf import write_model
from tests.cli.running import Aimem

QUESTION = ("ask", "how", "long", "do", "refresh", "tokens", "live")
NOT_KNOWN = {"known": False, "answer": "", "citations": []}


def set_up(aimem: Aimem) -> None:
    aimem("assist", "setup", "claude", "--key-stdin", "--agree", stdin=KEY)


def test_without_a_model_a_question_brings_the_best_passages(written: Aimem) -> None:
    said = written(*QUESTION)
    assert "[1] plans/auth.md:" in said.out
    assert "Refresh tokens live 30 days" in said.out
    assert "aimem assist" not in said.err


def test_what_memory_does_not_know_it_says(written: Aimem) -> None:
    assert written("ask", "xyzzy", "plugh").out.startswith("Memory does not know.\n")


def test_no_model_is_used_before_one_is_set_up(written: Aimem, service: FakeAnthropic) -> None:
    written(*QUESTION)
    assert service.requests == []
    assert "No language model is used." in written("assist").out


def test_setting_up_shows_what_is_sent_where_and_tries_the_key(
    aimem: Aimem, service: FakeAnthropic
) -> None:
    said = aimem("assist", "setup", "claude", "--key-stdin", "--agree", stdin=KEY)
    assert "api.anthropic.com" in said.err
    assert "passages of your thoughts" in said.err
    assert "claude-haiku-5-5 is set up." in said.out
    assert [request["path"] for request in service.requests] == ["/v1/models/claude-haiku-5-5"]


def test_nothing_is_set_up_without_agreement(aimem: Aimem, service: FakeAnthropic) -> None:
    said = aimem.fails("assist", "setup", "claude", "--key-stdin", stdin=KEY, code=4)
    assert "Nothing was set up." in said
    assert service.requests == []
    assert aimem("assist", "--json").json["assist"]["use"] == "off"


def test_a_wrong_key_is_not_kept(aimem: Aimem, service: FakeAnthropic, aimem_home: Path) -> None:
    setup = ("assist", "setup", "claude", "--key-stdin", "--agree")
    said = aimem.fails(*setup, stdin="sk-ant-wrong", code=7)
    assert "Claude does not take the key." in said
    assert not (aimem_home / "credentials.json").exists()
    assert aimem("assist", "--json").json["assist"]["use"] == "off"


def test_the_key_lies_where_only_its_owner_can_read_it_and_nowhere_else(
    aimem: Aimem, service: FakeAnthropic, aimem_home: Path
) -> None:
    set_up(aimem)
    holding = [
        file
        for file in aimem_home.rglob("*")
        if file.is_file() and KEY.encode() in file.read_bytes()
    ]
    assert holding == [aimem_home / "credentials.json"]
    assert holding[0].stat().st_mode & 0o077 == 0
    for command in (("assist",), ("assist", "--json"), ("config", "list"), ("ask", "what")):
        ran = aimem(*command)
        assert KEY not in ran.out + ran.err


def test_an_answer_is_shown_with_what_it_cites_and_what_it_cost(
    written: Aimem, service: FakeAnthropic
) -> None:
    set_up(written)
    said = written(*QUESTION)
    assert said.out == (
        "Refresh tokens live 30 days [1].\n\n"
        "[1] plans/auth.md:11  Auth\n    “refresh tokens live 30 days”\n"
    )
    assert "claude-haiku-5-5: 412 tokens in, 61 out, about $0.0001." in said.err
    assert "of $1.00." in said.err
    assert written("assist", "--json").json["assist"]["calls_today"] == 1


def test_the_same_in_json(written: Aimem, service: FakeAnthropic) -> None:
    set_up(written)
    answer = written(*QUESTION, "--json").json
    assert answer["known"] is True
    assert answer["by"] == "claude-haiku-5-5"
    assert answer["citations"] == [
        {
            "number": 1,
            "path": "plans/auth.md",
            "line": 11,
            "quote": "refresh tokens live 30 days",
        }
    ]
    assert answer["passages"][0]["thought"]["path"] == "plans/auth.md"
    assert "Refresh tokens live" in answer["passages"][0]["text"]


def test_with_no_model_nothing_is_sent(written: Aimem, service: FakeAnthropic) -> None:
    set_up(written)
    service.requests.clear()
    assert "[1] plans/auth.md:" in written(*QUESTION, "--no-model").out
    assert service.requests == []


def test_if_the_model_finds_no_answer_memory_does_not_know(
    written: Aimem, service: FakeAnthropic
) -> None:
    set_up(written)
    service.plan = [says(NOT_KNOWN)]
    assert written(*QUESTION).out.startswith("Memory does not know.\nWhat comes nearest:\n")


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "Claude does not take the key."),
        (402, "The account with Anthropic cannot pay."),
        (429, "The limit of this key is reached."),
        (404, "There is no model claude-haiku-5-5 for this key."),
    ],
)
def test_every_failure_is_a_sentence_and_the_passages_are_there(
    written: Aimem, service: FakeAnthropic, status: int, sentence: str
) -> None:
    set_up(written)
    service.plan = [fails(status)]
    said = written(*QUESTION)
    assert sentence in said.err
    assert "Refresh tokens live 30 days" in said.out


def test_without_a_network_the_passages_are_there(
    written: Aimem, service: FakeAnthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(written)
    monkeypatch.setattr(claude, "BASE_URL", "https://127.0.0.1:9")
    said = written(*QUESTION)
    assert "127.0.0.1 cannot be reached." in said.err
    assert "Refresh tokens live 30 days" in said.out


@pytest.mark.parametrize("nonsense", [says("I think so."), says({"known": "maybe"}), page()])
def test_nonsense_is_not_shown_and_the_passages_are(
    written: Aimem, service: FakeAnthropic, nonsense: Step
) -> None:
    set_up(written)
    service.plan = [nonsense]
    said = written(*QUESTION)
    assert "think so" not in said.out
    assert "Refresh tokens live 30 days" in said.out
    assert len(said.err.strip().splitlines()) == 1


def test_a_settings_file_that_was_copied_without_agreement_sends_nothing(
    written: Aimem, service: FakeAnthropic
) -> None:
    set_up(written)
    written("config", "unset", "assist.agreed")
    service.requests.clear()
    said = written(*QUESTION)
    assert "You have not agreed yet" in said.err
    assert "api.anthropic.com" in said.err
    assert "Refresh tokens live 30 days" in said.out
    assert service.requests == []


def test_a_key_that_is_gone_is_told_with_the_way_back(
    written: Aimem, service: FakeAnthropic, aimem_home: Path
) -> None:
    set_up(written)
    (aimem_home / "credentials.json").unlink()
    said = written(*QUESTION)
    assert "There is no usable key for Claude. To give one: aimem assist setup claude." in said.err
    assert "Refresh tokens live 30 days" in said.out


def test_a_limit_holds_and_is_told(written: Aimem, service: FakeAnthropic) -> None:
    set_up(written)
    written("config", "set", "assist.day-limit", "0.0001")
    service.requests.clear()
    said = written(*QUESTION)
    assert "Today's limit of $0.0001 for language models is reached." in said.err
    assert service.requests == []


def test_off_is_off_and_the_key_is_gone(
    written: Aimem, service: FakeAnthropic, aimem_home: Path
) -> None:
    set_up(written)
    written("assist", "off")
    service.requests.clear()
    written(*QUESTION)
    assert service.requests == []
    assert json.loads((aimem_home / "credentials.json").read_text()) == {}


def test_a_local_model_is_refused_in_words_if_it_is_none(aimem: Aimem, tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_text("not a model", encoding="utf-8")
    said = aimem.fails("assist", "setup", "llama", str(file), "--agree", code=7)
    assert "is no GGUF file" in said
    assert "Everything stays on this machine" in said
    assert "No model was given" in aimem.fails("assist", "setup", "llama", code=5)


def test_a_local_model_is_set_up_and_asked(written: Aimem, tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp", reason="no llama-cpp-python")
    file = write_model(tmp_path / "tiny.gguf", context=8_192)
    written("config", "set", "assist.answer-tokens", "60")
    assert "tiny is set up." in written("assist", "setup", "llama", str(file), "--agree").out
    said = written(*QUESTION)
    # Its weights are noise, so what it says holds nowhere; that, and no more, is told.
    assert "tiny" in said.err
    assert "Refresh tokens live 30 days" in said.out


@pytest.mark.parametrize(
    "words",
    [
        ("claude", "file.gguf"),
        ("llama", "--model", "claude-haiku-5-5"),
        ("llama", "file.gguf", "--key-stdin"),
    ],
)
def test_what_does_not_go_together_is_told(aimem: Aimem, words: tuple[str, ...]) -> None:
    aimem.fails("assist", "setup", *words, "--agree", code=5)


@pytest.mark.parametrize("key", ["assist.seconds", "assist.day-limit", "assist.prompt-tokens"])
def test_a_limit_is_a_number_above_nothing(aimem: Aimem, key: str) -> None:
    for value in ("0", "-1", "much", "nan", "inf"):
        aimem.fails("config", "set", "--", key, value, code=5)
    aimem("config", "set", key, "7")
