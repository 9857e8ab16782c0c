"""Which models may be chosen, what is read beside them, and how they are told apart."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from aimem_tui.embedding import digests
from aimem_tui.embedding.choice import BUNDLED_SHA256, MODEL_BYTES_MAX, ModelChoice, Pooling
from aimem_tui.embedding.model import Embedder
from aimem_tui.errors import BadInput
from tests.embedding.models import TABLE, WIDTH, WORDS, sentence_model, token_model, with_tokenizer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small model and a tokenizer, as they were an hour ago."""
    for file in (token_model(tmp_path / "model.onnx"), with_tokenizer(tmp_path)):
        settle(file)
    return tmp_path


def settle(file: Path, seconds_ago: float = 3600) -> None:
    time = file.stat().st_mtime - seconds_ago
    os.utime(file, (time, time))


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def test_the_bundled_files_are_the_ones_whose_digests_are_known() -> None:
    bundled = ModelChoice.bundled()
    assert {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (bundled.model, bundled.tokenizer)
    } == BUNDLED_SHA256


def test_the_bundled_model_comes_with_its_licence_and_card() -> None:
    beside = ModelChoice.bundled().model.parent
    assert "Apache License" in (beside / "LICENSE").read_text(encoding="utf-8")
    card = (beside / "MODEL_CARD.txt").read_bytes()
    assert b"license: apache-2.0" in card
    # As it is published.
    digest = "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7"
    assert hashlib.sha256(card).hexdigest() == digest


def test_the_bundled_identity_changes_only_on_purpose() -> None:
    # Another identity makes every machine embed everything again.
    assert ModelChoice.bundled().identity == "58e05b2d0ea08fcc"


def test_no_setting_means_the_bundled_model_and_any_other_is_a_path(folder: Path) -> None:
    assert ModelChoice.named("") == ModelChoice.bundled()
    assert ModelChoice.named(str(folder)) == ModelChoice.at(folder)


def test_a_token_model_is_pooled_by_the_mean_of_what_the_text_has(folder: Path) -> None:
    embedder = Embedder(ModelChoice.at(folder))
    assert (embedder.dimensions, embedder.max_tokens) == (WIDTH, 256)
    hello = unit(TABLE[[101, 7592, 2088, 102]].mean(axis=0))
    vectors = embedder.embed(["hello world", "a longer text beside it, which is no padding"])
    assert vectors[0] == pytest.approx(hello, abs=1e-5)


def test_a_model_that_says_so_is_pooled_by_its_first_token(folder: Path) -> None:
    (folder / "1_Pooling").mkdir()
    said = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(said), encoding="utf-8")
    choice = ModelChoice.at(folder)
    assert choice.pooling is Pooling.FIRST
    assert Embedder(choice).embed_one("hello") == pytest.approx(unit(TABLE[101]), abs=1e-5)


def test_a_model_of_sentences_may_ask_for_token_types_and_lie_in_a_folder_of_its_own(
    tmp_path: Path,
) -> None:
    with_tokenizer(tmp_path)
    model = token_model(
        tmp_path / "onnx" / "model.onnx",
        inputs=("input_ids", "attention_mask", "token_type_ids"),
        output="token_embeddings",
    )
    assert ModelChoice.at(tmp_path) == ModelChoice.at(model)
    assert Embedder(ModelChoice.at(tmp_path)).dimensions == WIDTH


def test_a_vector_for_the_text_is_taken_as_it_is_and_made_a_unit(tmp_path: Path) -> None:
    with_tokenizer(tmp_path)
    embedder = Embedder(ModelChoice.at(sentence_model(tmp_path / "mine.onnx")))
    assert embedder.embed_one("hello") == pytest.approx(unit(TABLE[101]), abs=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "longest"),
    [
        ("sentence_bert_config.json", {"max_seq_length": 64}, 64),
        ("tokenizer_config.json", {"model_max_length": 10**30}, 256),
        ("tokenizer_config.json", {"model_max_length": 384}, 384),
        ("config.json", {"max_position_embeddings": 8192}, 512),
        ("config.json", ["not", "what", "is", "meant"], 256),
        ("config.json", {"max_position_embeddings": "many"}, 256),
    ],
)
def test_the_longest_text_is_what_the_model_says_within_bounds(
    folder: Path, name: str, content: object, longest: int
) -> None:
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    assert ModelChoice.at(folder).max_tokens == longest


def test_the_cut_and_the_padding_of_a_tokenizers_file_do_not_hold(folder: Path) -> None:
    file = folder / "tokenizer.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    settings["truncation"] = {
        "direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0
    }  # fmt: skip
    settings["padding"] = {
        "strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": None,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
    }  # fmt: skip
    plain = Embedder(ModelChoice.at(folder)).embed_one("word " * 40)
    file.write_text(json.dumps(settings), encoding="utf-8")
    assert Embedder(ModelChoice.at(folder)).embed_one("word " * 40) == pytest.approx(plain)
    assert Embedder(ModelChoice.at(folder)).count_tokens(["word " * 40]) == [42]


def test_a_copy_has_the_same_identity_and_any_difference_another(folder: Path) -> None:
    first = ModelChoice.at(folder).identity
    copy = Path(shutil.copytree(folder, folder.parent / "copy"))
    assert ModelChoice.at(copy).identity == first

    seen = {first}
    (copy / "sentence_bert_config.json").write_text('{"max_seq_length": 64}', encoding="utf-8")
    seen.add(ModelChoice.at(copy).identity)
    (copy / "tokenizer.json").write_text(
        (copy / "tokenizer.json").read_text(encoding="utf-8") + "\n", encoding="utf-8"
    )
    seen.add(ModelChoice.at(copy).identity)
    token_model(copy / "model.onnx", table=TABLE + 1)
    seen.add(ModelChoice.at(copy).identity)
    (copy / "model.onnx_data").write_bytes(b"weights in a file of their own")
    seen.add(ModelChoice.at(copy).identity)
    assert len(seen) == 5
    assert all(len(identity) == 16 and int(identity, 16) >= 0 for identity in seen)


def test_a_file_is_read_through_once_and_again_when_it_has_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    digest = hashlib.file_digest

    def counted(stream: object, name: str) -> object:
        read.append(Path(stream.name).name)
        return digest(stream, name)

    monkeypatch.setattr(digests.hashlib, "file_digest", counted)
    choice = ModelChoice.at(folder)
    first = choice.identity
    assert (choice.identity, sorted(read)) == (first, ["model.onnx", "tokenizer.json"])

    read.clear()
    token_model(folder / "model.onnx", table=TABLE * 2)
    settle(folder / "model.onnx", 1800)
    assert choice.identity != first
    assert read == ["model.onnx"]


def test_what_has_just_changed_is_read_again_each_time(folder: Path) -> None:
    first = ModelChoice.at(folder).identity
    stat = (folder / "model.onnx").stat()
    token_model(folder / "model.onnx", table=TABLE[::-1].copy())
    second = ModelChoice.at(folder).identity
    assert (folder / "model.onnx").stat().st_size == stat.st_size
    token_model(folder / "model.onnx", table=-TABLE)
    assert len({first, second, ModelChoice.at(folder).identity}) == 3


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"a": 1}', '{"a": [1, 2]}', "\0"])
def test_damaged_notes_of_digests_cost_time_only(folder: Path, home: Path, damage: str) -> None:
    first = ModelChoice.at(folder).identity
    (kept,) = home.rglob("model-digests.json")
    kept.write_text(damage, encoding="utf-8")
    assert ModelChoice.at(folder).identity == first


def said_of(path: Path) -> str:
    with pytest.raises(BadInput) as raised:
        Embedder(ModelChoice.at(path))
    return str(raised.value)


def test_what_is_no_model_is_told_apart_in_words(tmp_path: Path, folder: Path) -> None:
    assert "There is no model at" in said_of(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "No file there ends in .onnx" in said_of(empty)
    lone = token_model(empty / "one.onnx")
    assert "without its tokenizer" in said_of(empty)
    with_tokenizer(empty)
    shutil.copy(lone, empty / "two.onnx")
    assert "There are 2 models in" in said_of(empty)
    assert "not a model" in said_of(folder / "tokenizer.json")


def test_a_file_beyond_the_limit_is_not_opened(folder: Path) -> None:
    with (folder / "model.onnx").open("r+b") as file:
        file.truncate(MODEL_BYTES_MAX + 1)
    assert "aimem reads up to 2,000 MB" in said_of(folder)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"no model", b"\x08\x09\x12\x00"])
def test_a_file_that_is_no_model_is_refused(folder: Path, content: bytes) -> None:
    (folder / "model.onnx").write_bytes(content)
    assert "is not a model that aimem can use" in said_of(folder)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"model": {"type": "Own"}}', "\0\0"])
def test_a_file_that_is_no_tokenizer_is_refused(folder: Path, content: str) -> None:
    (folder / "tokenizer.json").write_text(content, encoding="utf-8")
    assert "is not a tokenizer that aimem can use" in said_of(folder)


def test_a_tokenizer_that_makes_its_library_panic_is_refused(folder: Path) -> None:
    file = folder / "tokenizer.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    settings["post_processor"]["single"][0]["SpecialToken"]["id"] = "[NOT THERE]"
    file.write_text(json.dumps(settings), encoding="utf-8")
    assert "is not a tokenizer that aimem can use" in said_of(folder)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (["input_ids"], "It asks for input_ids;"),
        (["input_ids", "attention_mask", "pixels"], "attention_mask, input_ids, pixels"),
    ],
)
def test_a_model_of_something_else_is_refused_by_what_it_asks_for(
    folder: Path, inputs: list[str], said: str
) -> None:
    token_model(folder / "model.onnx", inputs=inputs)
    assert said in said_of(folder)


def test_a_model_that_gives_no_usable_vectors_is_refused(folder: Path) -> None:
    for table in (np.full_like(TABLE, np.nan), np.zeros_like(TABLE)):
        token_model(folder / "model.onnx", table=table)
        assert "not numbers that can be compared" in said_of(folder)
    sentence_model(folder / "model.onnx", of_batch=True)
    assert "one vector for each text" in said_of(folder)
    token_model(folder / "model.onnx", table=TABLE[: WORDS // 20].copy())
    assert "fails at its first texts" in said_of(folder)
