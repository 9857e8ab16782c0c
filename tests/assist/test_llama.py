"""Models on this machine, run for real: tiny ones that the tests write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from aimem_tui.assist import prompts, schema
from aimem_tui.assist.llama import Llama
from aimem_tui.assist.port import Limits, ModelFailed, Prompt
from tests.assist.gguf import MARK, ONLY_USERS, write_model

runs = pytest.mark.skipif(find_spec("llama_cpp") is None, reason="no llama-cpp-python")

PROMPT = Prompt("You answer.", "What is it?")
SHORT = {
    "type": "object",
    "properties": {
        "same": {"type": "string", "enum": ["yes", "no", "unsure"]},
        "why": {"type": "string", "maxLength": 12},
        "sure": {"type": "boolean"},
        "tags": {"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 4}},
    },
    "required": ["same", "why", "sure", "tags"],
    "additionalProperties": False,
}
ANY_TEXT = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
ENDLESS = 2
"""A seed whose weights go on and on where they may."""
LIMITS = Limits(answer_tokens=400, seconds=120)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture
def model(tiny: Path) -> Iterator[Llama]:
    llama = Llama(tiny, room=1_000, answer_tokens=500)
    yield llama
    llama.close()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pid_of(llama: Llama) -> int:
    assert llama._process is not None
    return llama._process.pid


@runs
@pytest.mark.parametrize("seed", range(5))
def test_whatever_a_model_says_has_the_form_that_was_asked_for(tmp_path: Path, seed: int) -> None:
    llama = Llama(write_model(tmp_path / "any.gguf", seed=seed), room=500)
    try:
        completion = llama.generate(PROMPT, SHORT, LIMITS)
    finally:
        llama.close()
    assert schema.problem(completion.value, SHORT) == ""
    assert completion.usage.tokens_in > 0
    assert completion.usage.tokens_out > 0


@runs
@pytest.mark.parametrize(
    "answer", [prompts.ANSWER, prompts.TAGS, prompts.TITLE, prompts.SUMMARY, prompts.DUPLICATE]
)
def test_each_of_the_schemas_in_use_can_be_held(model: Llama, answer: dict[str, object]) -> None:
    try:
        completion = model.generate(PROMPT, answer, Limits(answer_tokens=150, seconds=120))
    except ModelFailed as error:
        assert error.what == "tiny came to no end within 150 tokens."
    else:
        assert schema.problem(completion.value, answer) == ""


@runs
def test_the_model_is_loaded_once_for_many_calls(model: Llama) -> None:
    model.generate(PROMPT, SHORT, LIMITS)
    first = pid_of(model)
    model.generate(PROMPT, SHORT, LIMITS)
    assert pid_of(model) == first


@runs
def test_a_model_that_never_stops_ends_at_its_tokens(tmp_path: Path) -> None:
    llama = Llama(write_model(tmp_path / "endless.gguf", seed=ENDLESS), room=500)
    try:
        with pytest.raises(ModelFailed, match="endless came to no end within 40 tokens") as caught:
            llama.generate(PROMPT, ANY_TEXT, Limits(answer_tokens=40, seconds=120))
    finally:
        llama.close()
    assert caught.value.spent is not None
    assert caught.value.spent.tokens_out >= 40


@runs
def test_a_model_that_takes_too_long_is_killed_and_can_be_asked_again(tmp_path: Path) -> None:
    file = write_model(tmp_path / "slow.gguf", context=100_000, seed=ENDLESS)
    llama = Llama(file, room=1_000, answer_tokens=60_000)
    try:
        llama.check()
        pid = pid_of(llama)
        with pytest.raises(ModelFailed, match=r"did not answer within 0\.5 seconds and was ended"):
            llama.generate(PROMPT, ANY_TEXT, Limits(answer_tokens=60_000, seconds=0.5))
        assert not is_running(pid)
        llama.generate(PROMPT, SHORT, LIMITS)
    finally:
        llama.close()


@runs
def test_a_model_whose_template_knows_no_system_is_told_all_in_one_turn(tmp_path: Path) -> None:
    llama = Llama(write_model(tmp_path / "users.gguf", template=ONLY_USERS), room=500)
    try:
        completion = llama.generate(PROMPT, SHORT, LIMITS)
    finally:
        llama.close()
    assert schema.problem(completion.value, SHORT) == ""


@runs
def test_a_thought_cannot_speak_as_the_models_control_tokens(model: Llama) -> None:
    # As a control token it is one token; broken up it is as many as any other text.
    plain = model.generate(Prompt("", "x" * len(MARK) * 20), SHORT, LIMITS).usage.tokens_in
    forged = model.generate(Prompt("", MARK * 20), SHORT, LIMITS).usage.tokens_in
    assert forged >= plain


@runs
def test_more_text_than_the_model_can_hold_is_refused(model: Llama) -> None:
    with pytest.raises(ModelFailed, match="too much text for tiny") as caught:
        model.generate(Prompt("", "word " * 5_000), SHORT, LIMITS)
    assert "assist.prompt-tokens" in caught.value.hint


@runs
def test_the_process_ends_when_its_model_is_closed(model: Llama) -> None:
    model.check()
    pid = pid_of(model)
    model.close()
    assert not is_running(pid)


@runs
@pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")
def test_a_process_that_dies_in_a_call_is_told_and_started_anew(
    model: Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.check()
    send = model._send

    def send_and_kill(request: dict[str, object]) -> None:
        os.kill(pid_of(model), signal.SIGSTOP)
        send(request)
        os.kill(pid_of(model), signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(model, "_send", send_and_kill)
        with pytest.raises(ModelFailed, match="The process of tiny ended by itself"):
            model.generate(PROMPT, SHORT, LIMITS)
    model.generate(PROMPT, SHORT, LIMITS)


@runs
@pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")
def test_the_process_does_not_outlive_the_program_that_started_it(tiny: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from aimem_tui.assist.llama import Llama\n"
        "llama = Llama(Path(sys.argv[1])); llama.check()\n"
        "print(llama._process.pid, flush=True); os._exit(1)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tiny)], capture_output=True, text=True, check=False
    )
    pid = int(ran.stdout)
    while is_running(pid):
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


@runs
@pytest.mark.parametrize("damage", ["cut", "other architecture", "lying count", "noise"])
def test_a_damaged_model_is_told_and_takes_nothing_down(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "damaged.gguf"
    data = bytearray(write_model(file).read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "lying count":
        data[8:16] = b"\xff" * 8
    elif damage == "noise":
        data[24:4_000] = bytes(range(256)) * 15 + bytes(136)
    else:
        data = bytearray(write_model(file, architecture="unheard-of").read_bytes())
    file.write_bytes(data)
    with pytest.raises(ModelFailed) as caught:
        Llama(file).check()
    assert caught.value.what in (
        f"{file} cannot be loaded.",
        "The process of damaged ended by itself.",
    )


def test_a_file_that_is_no_gguf_is_refused_by_its_first_bytes(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"PK\x03\x04 an archive")
    with pytest.raises(ModelFailed, match="is no GGUF file"):
        Llama(file).check()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match="cannot be read"):
        Llama(tmp_path / "none.gguf").check()
    with pytest.raises(ModelFailed, match="cannot be read"):
        Llama(tmp_path).check()


def test_a_model_that_is_larger_than_the_memory_is_refused_before_it_starts(
    tmp_path: Path,
) -> None:
    file = tmp_path / "huge.gguf"
    file.write_bytes(b"GGUF")
    os.truncate(file, 1 << 40)
    with pytest.raises(ModelFailed, match="huge is too large for this machine") as caught:
        Llama(file).check()
    assert "1099.7 GB" in caught.value.why


def test_without_llama_cpp_it_says_how_to_get_it(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimem_tui.assist.llama.find_spec", lambda _name: None)
    with pytest.raises(ModelFailed, match="llama-cpp-python is not installed") as caught:
        Llama(tiny).check()
    assert "aimem[llm]" in caught.value.hint
