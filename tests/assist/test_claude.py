"""Claude's adapter against a server that behaves as the API is recorded to."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui.assist import prompts
from aimem_tui.assist.claude import Claude
from aimem_tui.assist.port import Limits, ModelFailed, Prompt, Usage
from aimem_tui.sync.peer.tls import device_certificate, server_context
from tests.assist.fake_anthropic import (
    KEY,
    FakeAnthropic,
    Step,
    breaks_off,
    fails,
    floods,
    page,
    recorded,
    redirects,
    says,
    sends,
    trickles,
)

PROMPT = Prompt("You answer.", "What is it?")
ANSWER = {"known": False, "answer": "", "citations": []}


@pytest.fixture
def server() -> Iterator[FakeAnthropic]:
    with FakeAnthropic() as fake:
        yield fake


def ask(server: FakeAnthropic, *plan: Step, seconds: float = 30.0, key: str = KEY) -> object:
    """One question to a server that answers so."""
    if plan:
        server.plan = list(plan)
    claude = Claude(key, base_url=server.url)
    return claude.generate(PROMPT, prompts.ANSWER, Limits(500, seconds)).value


def failure(
    server: FakeAnthropic, *plan: Step, seconds: float = 30.0, key: str = KEY
) -> ModelFailed:
    """How a question fails."""
    with pytest.raises(ModelFailed) as caught:
        ask(server, *plan, seconds=seconds, key=key)
    assert key not in str(caught.value)
    return caught.value


def test_the_recorded_answer_is_read_past_what_the_model_thought(server: FakeAnthropic) -> None:
    completion = Claude(KEY, base_url=server.url).generate(PROMPT, prompts.ANSWER, Limits())
    assert completion.value == {
        "known": True,
        "answer": "Refresh tokens live 30 days [1].",
        "citations": [{"passage": 1, "quote": "refresh tokens live 30 days"}],
    }
    assert completion.usage == Usage(412, 61)


def test_a_request_is_as_recorded_and_holds_the_key_in_one_header_alone(
    server: FakeAnthropic,
) -> None:
    ask(server)
    (request,) = server.requests
    assert request["path"] == "/v1/messages"
    assert request["headers"]["x-api-key"] == KEY
    assert [name for name, value in request["headers"].items() if KEY in value] == ["x-api-key"]
    assert KEY not in str(request["body"])
    body = request["body"]
    assert body["model"] == "claude-haiku-5-5"
    assert body["max_tokens"] == 500
    assert body["system"] == PROMPT.system
    assert body["messages"] == [{"role": "user", "content": PROMPT.user}]
    assert body["output_config"]["effort"] == "low"


def test_a_model_that_knows_no_effort_is_not_told_of_it(server: FakeAnthropic) -> None:
    claude = Claude(KEY, "claude-haiku-4-5", base_url=server.url)
    claude.generate(PROMPT, prompts.ANSWER, Limits())
    assert "effort" not in server.requests[0]["body"]["output_config"]


def test_neither_the_key_nor_the_prompt_is_logged_or_printed(
    server: FakeAnthropic, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    ask(server)
    failure(server, fails(500))
    written = caplog.text + "".join(capsys.readouterr()) + repr(Claude(KEY, base_url=server.url))
    assert KEY not in written
    assert PROMPT.user not in written


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (400, "Anthropic refuses the request."),
        (402, "The account with Anthropic cannot pay."),
        (403, "The key may not be used for claude-haiku-5-5."),
        (404, "There is no model claude-haiku-5-5 for this key."),
        (413, "It is too much text for Claude."),
        (429, "The limit of this key is reached."),
    ],
)
def test_an_error_that_will_not_pass_is_told_and_not_tried_again(
    server: FakeAnthropic, status: int, what: str
) -> None:
    error = failure(server, fails(status))
    assert error.what == what
    assert "Request req_1." in error.why
    assert error.spent == Usage()
    assert len(server.requests) == 1


def test_a_wrong_key_is_told_with_the_way_to_another(server: FakeAnthropic) -> None:
    error = failure(server, key="sk-ant-wrong")
    assert error.what == "Claude does not take the key."
    assert "aimem assist setup claude" in error.hint


def test_after_a_limit_it_waits_as_long_as_it_is_told_and_tries_again(
    server: FakeAnthropic,
) -> None:
    assert ask(server, fails(429, {"retry-after": "0"}), says(ANSWER)) == ANSWER
    assert len(server.requests) == 2


def test_a_limit_that_lasts_too_long_is_told_with_its_seconds(server: FakeAnthropic) -> None:
    error = failure(server, fails(429, {"retry-after": "3600"}))
    assert error.hint == "Try again in 3600 seconds."
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [500, 504, 529])
def test_trouble_that_passes_is_tried_again(server: FakeAnthropic, status: int) -> None:
    assert ask(server, fails(status, {"retry-after": "0"}), says(ANSWER)) == ANSWER


def test_trouble_that_does_not_pass_ends_after_three_tries(server: FakeAnthropic) -> None:
    error = failure(server, fails(529, {"retry-after": "0"}))
    assert error.what == "Claude is overloaded or out of order."
    assert len(server.requests) == 3


def test_a_refusal_is_told_and_paid(server: FakeAnthropic) -> None:
    error = failure(server, sends(recorded("refusal")))
    assert error.what == "claude-haiku-5-5 declines to answer."
    assert error.spent == Usage(412, 1)


def test_an_answer_that_was_cut_off_is_told_and_paid(server: FakeAnthropic) -> None:
    error = failure(server, sends(recorded("cut_off")))
    assert error.what == "The answer was longer than 500 tokens and was cut off."
    assert "assist.answer-tokens" in error.hint
    assert error.spent == Usage(412, 1500)


@pytest.mark.parametrize("text", ["I would say it is", "", "{}{}", '{"a": NaN}', "[" * 100_000])
def test_a_text_that_is_no_json_is_not_an_answer(server: FakeAnthropic, text: str) -> None:
    error = failure(server, says(text))
    assert error.what == "Claude's answer has not the form that was asked for."
    assert error.spent == Usage(412, 61)


@pytest.mark.parametrize(
    "step",
    [
        page(),
        sends({}),
        sends([]),
        sends({"stop_reason": 7}),
        sends({"stop_reason": "tool_use"}),
        redirects("http://127.0.0.1:9/elsewhere"),
        sends("no object", 418),
    ],
)
def test_what_is_no_answer_of_claudes_is_told_as_that(server: FakeAnthropic, step: Step) -> None:
    assert failure(server, step).what == "What came back is not an answer of Claude's."


def test_no_redirect_is_followed_as_it_would_take_the_key_along(server: FakeAnthropic) -> None:
    with FakeAnthropic() as elsewhere:
        failure(server, redirects(f"{elsewhere.url}/v1/messages"))
        assert elsewhere.requests == []


def test_an_answer_that_trickles_in_for_ever_ends_at_the_time_out(server: FakeAnthropic) -> None:
    error = failure(server, trickles(), seconds=0.5)
    assert error.what == "Claude did not answer within 0.5 seconds."
    assert error.spent is None


def test_an_answer_without_an_end_is_not_read_to_its_end(server: FakeAnthropic) -> None:
    assert failure(server, floods()).what == "What comes from Claude does not end."


def test_a_connection_that_breaks_off_is_told(server: FakeAnthropic) -> None:
    error = failure(server, breaks_off())
    assert error.what == "The connection to 127.0.0.1 broke off."
    assert error.spent is None


def test_without_a_network_it_says_so_and_nothing_is_spent() -> None:
    claude = Claude(KEY, base_url="https://127.0.0.1:9")
    with pytest.raises(ModelFailed, match="cannot be reached") as caught:
        claude.generate(PROMPT, prompts.ANSWER, Limits())
    assert caught.value.spent == Usage()


def test_a_key_goes_nowhere_without_tls() -> None:
    with pytest.raises(ModelFailed, match="only over TLS"):
        Claude(KEY, base_url="http://api.anthropic.com")


def test_a_server_that_cannot_prove_who_it_is_gets_nothing(tmp_path: Path) -> None:
    tls = server_context(device_certificate(tmp_path))
    with FakeAnthropic(tls=tls) as somebody:
        claude = Claude(KEY, base_url=somebody.url)
        with pytest.raises(ModelFailed, match="could not prove who it is") as caught:
            claude.generate(PROMPT, prompts.ANSWER, Limits())
        assert somebody.requests == []
    assert caught.value.spent == Usage()


def test_a_server_without_tls_gets_nothing_from_who_expects_it(server: FakeAnthropic) -> None:
    claude = Claude(KEY, base_url=f"https://127.0.0.1:{server.port}")
    with pytest.raises(ModelFailed):
        claude.generate(PROMPT, prompts.ANSWER, Limits())
    assert server.requests == []


@pytest.mark.parametrize("key", ["", "two words", "line\nend", "schlüssel", "x" * 2_000])
def test_what_cannot_be_a_key_is_refused_before_anything_is_sent(key: str) -> None:
    with pytest.raises(ModelFailed, match="no usable key"):
        Claude(key)


def test_words_of_the_service_are_shown_in_part_and_without_the_key(
    server: FakeAnthropic,
) -> None:
    body = {"type": "error", "error": {"type": "x", "message": f"bad {KEY}\x1b[2J\n" + "x" * 999}}
    error = failure(server, sends(body, 400))
    assert len(error.why) < 300
    assert "\n" not in error.why


def test_a_key_and_a_model_can_be_tried_out_at_no_cost(server: FakeAnthropic) -> None:
    assert Claude(KEY, base_url=server.url).check() == "Claude Haiku 5.5"
    with pytest.raises(ModelFailed, match="There is no model claude-haiku-0"):
        Claude(KEY, "claude-haiku-0", base_url=server.url).check()
    with pytest.raises(ModelFailed, match="does not take the key"):
        Claude("sk-ant-wrong", base_url=server.url).check()


def test_a_model_whose_price_is_not_known_counts_as_the_dearest() -> None:
    known = Claude(KEY).cost(Usage(1_000_000, 1_000_000))
    assert known == pytest.approx(0.60)
    assert Claude(KEY, "claude-next-9").cost(Usage(1_000_000, 1_000_000)) == pytest.approx(60.0)


def test_what_a_call_may_cost_is_never_less_than_what_it_costs() -> None:
    claude = Claude(KEY)
    prompt = Prompt("", "word " * 2_000)
    assert claude.most(prompt, Limits(100)) > claude.cost(Usage(2_600, 100))
