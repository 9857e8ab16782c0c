"""The tool that makes the bundled model: its graph computes what the architecture says."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from aimem_tui.embedding.choice import ModelChoice
from aimem_tui.embedding.runtime import open_session
from tests.own_files import ROOT

WORDS, PLACES, WIDTH, WIDE, HEADS, LAYERS = 40, 16, 384, 1536, 12, 6


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_model", ROOT / "tools" / "build_model.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def weights() -> dict[str, np.ndarray]:
    """Random weights under the names of the published ones; already in steps of int8."""
    random = np.random.default_rng(11)

    def stepped(rows: int, columns: int, axis: int) -> np.ndarray:
        values = random.integers(-127, 128, (rows, columns)).astype(np.float32)
        # One value at the end of the range in each slice fixes its scale.
        values[(slice(None), 0) if axis == 0 else (0, slice(None))] = 127
        return values * np.float32(2.0**-11)

    def vector(size: int, around: float = 0) -> np.ndarray:
        return (around + 0.1 * random.standard_normal(size)).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": stepped(WORDS, WIDTH, 0),
        "embeddings.position_embeddings.weight": stepped(PLACES, WIDTH, 0),
        "embeddings.token_type_embeddings.weight": stepped(2, WIDTH, 0),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        shapes = {f"attention.self.{part}": (WIDTH, WIDTH) for part in ("query", "key", "value")}
        shapes["attention.output.dense"] = (WIDTH, WIDTH)
        shapes["intermediate.dense"] = (WIDE, WIDTH)
        shapes["output.dense"] = (WIDTH, WIDE)
        for name, (rows, columns) in shapes.items():
            found[f"{prefix}{name}.weight"] = stepped(rows, columns, 0)
            found[f"{prefix}{name}.bias"] = vector(rows)
        norms += [prefix + "attention.output.LayerNorm", prefix + "output.LayerNorm"]
    for name in norms:
        found[f"{name}.weight"], found[f"{name}.bias"] = vector(WIDTH, 1), vector(WIDTH)
    return found


def expected(found: dict[str, np.ndarray], ids: np.ndarray) -> np.ndarray:
    """The unit vector of one text, written as the papers have it."""
    from math import erf

    gelu = np.vectorize(lambda value: value * 0.5 * (1 + erf(value / 2**0.5)))

    def dense(name: str, states: np.ndarray) -> np.ndarray:
        return states @ found[f"{name}.weight"].T.astype(np.float64) + found[f"{name}.bias"]

    def norm(name: str, states: np.ndarray) -> np.ndarray:
        spread = np.sqrt(states.var(-1, keepdims=True) + 1e-12)
        scaled = (states - states.mean(-1, keepdims=True)) / spread
        return scaled * found[f"{name}.weight"] + found[f"{name}.bias"]

    states = (
        found["embeddings.word_embeddings.weight"][ids].astype(np.float64)
        + found["embeddings.position_embeddings.weight"][: len(ids)]
        + found["embeddings.token_type_embeddings.weight"][0]
    )
    states = norm("embeddings.LayerNorm", states)
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        query, key, value = (
            dense(f"{prefix}attention.self.{part}", states).reshape(len(ids), HEADS, -1)
            for part in ("query", "key", "value")
        )
        fit = np.einsum("ihd,jhd->hij", query, key) / np.sqrt(WIDTH // HEADS)
        fit = np.exp(fit - fit.max(-1, keepdims=True))
        fit /= fit.sum(-1, keepdims=True)
        seen = np.einsum("hij,jhd->ihd", fit, value).reshape(len(ids), WIDTH)
        output = dense(f"{prefix}attention.output.dense", seen)
        states = norm(f"{prefix}attention.output.LayerNorm", output + states)
        wide = gelu(dense(f"{prefix}intermediate.dense", states))
        states = norm(f"{prefix}output.LayerNorm", dense(f"{prefix}output.dense", wide) + states)
    mean = states.mean(0)
    return mean / np.linalg.norm(mean)


def test_the_graph_computes_the_architecture_and_ignores_padding(
    tool: ModuleType, tmp_path: Path
) -> None:
    found = weights()
    file = tmp_path / "model.onnx"
    file.write_bytes(tool._model(found).SerializeToString())
    session = open_session(file, threads=1)
    texts = [np.array([1, 7, 39, 2, 5]), np.array([3, 8])]
    ids = np.zeros((2, 5), np.int64)
    mask = np.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    (vectors,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
    for vector, text in zip(vectors, texts, strict=True):
        assert vector @ expected(found, text) > 0.9999


def test_a_package_that_is_not_the_known_one_is_not_opened(tool: ModuleType) -> None:
    with pytest.raises(SystemExit, match="is not the one that is known"):
        tool.built(b"PK\x03\x04 another package")


def test_the_tokenizer_is_the_published_one_without_its_cut_and_padding(tool: ModuleType) -> None:
    bundled = ModelChoice.bundled().tokenizer.read_bytes()
    published = json.loads(bundled) | {
        "truncation": {"max_length": 128},
        "padding": {"strategy": {"Fixed": 128}},
    }
    assert tool._uncut(json.dumps(published, indent=2).encode()) == bundled
