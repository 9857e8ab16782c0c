"""Small models in ONNX form, as other people's models come: written here, with known answers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from aimem_tui.embedding.choice import ModelChoice

WORDS = 30_522
"""As many as the bundled tokenizer knows, which these models use too."""
WIDTH = 4
TABLE = np.random.default_rng(4).standard_normal((WORDS, WIDTH)).astype(np.float32)


def token_model(
    file: Path,
    *,
    inputs: Sequence[str] = ("input_ids", "attention_mask"),
    output: str = "last_hidden_state",
    table: np.ndarray = TABLE,
) -> Path:
    """A model whose vector for a token is the token's row in a table."""
    nodes = [helper.make_node("Gather", ["table", "input_ids"], [output], axis=0)]
    return _write(file, nodes, inputs, output, [table], ["batch", "seq", table.shape[1]])


def sentence_model(file: Path, *, of_batch: bool = False) -> Path:
    """A model whose vector for a text is its first token's; or one for all texts of a batch."""
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["all"], axis=0),
        helper.make_node("Gather", ["all", "zero"], ["first"], axis=1),
    ]
    if of_batch:
        nodes.append(helper.make_node("ReduceSum", ["first", "zeros"], ["sentence_embedding"]))
    else:
        nodes.append(helper.make_node("Identity", ["first"], ["sentence_embedding"]))
    extra = [numpy_helper.from_array(np.int64(0), "zero")]
    extra.append(numpy_helper.from_array(np.array([0], np.int64), "zeros"))
    shape = ["batch", WIDTH]
    return _write(
        file, nodes, ["input_ids", "attention_mask"], "sentence_embedding", [TABLE], shape, extra
    )


def with_tokenizer(folder: Path) -> Path:
    """The bundled tokenizer's file, copied to a folder."""
    return Path(shutil.copy(ModelChoice.bundled().tokenizer, folder / "tokenizer.json"))


def _write(
    file: Path,
    nodes: list[onnx.NodeProto],
    inputs: Sequence[str],
    output: str,
    tables: Sequence[np.ndarray],
    shape: Sequence[str | int],
    extra: Sequence[onnx.TensorProto] = (),
) -> Path:
    constants = [numpy_helper.from_array(table, "table") for table in tables]
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["b", "s"]) for name in inputs],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        [*constants, *extra],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(model.SerializeToString())
    return file
