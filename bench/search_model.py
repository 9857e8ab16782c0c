"""The model that aimem brings, laid out as other libraries want theirs; made once.

Chroma, fastembed and what uses them would download all-MiniLM-L6-v2. Here stands, where their own
would have been downloaded to, the one that aimem brings: the same weights, so that rates compare
what is done around them. They pool and normalise themselves, so the graph ends before its nodes
that do. Texts are cut at 256 tokens, as aimem's are.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from aimem_tui.embedding.model import ModelChoice
from bench import cache

_MOST_TOKENS = 256
_HUB = "models--Qdrant--all-MiniLM-L6-v2-onnx"
_REVISION = "0" * 40


def model() -> Path:
    """The folder: ``onnx`` for Chroma, ``hub`` for fastembed."""
    folder = cache.folder() / "peers-model"
    if not folder.is_dir():
        with cache.made_whole(folder) as unfinished:
            _lay_out_model(unfinished)
    return folder


def _lay_out_model(folder: Path) -> None:
    import onnx
    from onnx import TensorProto, helper
    from onnx.utils import Extractor

    choice = ModelChoice.bundled()
    whole = onnx.load(str(choice.model))
    # What is pooled is multiplied with the mask, last of all multiplications.
    states = [node for node in whole.graph.node if node.op_type == "Mul"][-1].input[0]
    part = Extractor(onnx.shape_inference.infer_shapes(whole)).extract_model(
        ["input_ids", "attention_mask"], [states]
    )
    # Declared because it is given, though there is one type only.
    part.graph.input.append(
        helper.make_tensor_value_info("token_type_ids", TensorProto.INT64, ["batch", "tokens"])
    )
    target = folder / "onnx"
    target.mkdir()
    onnx.save(part, str(target / "model.onnx"))
    tokenizer = json.loads(choice.tokenizer.read_text(encoding="utf-8"))
    marks = {f"{name.lower()}_token": f"[{name}]" for name in ("PAD", "UNK", "CLS", "SEP", "MASK")}
    for name, content in {
        "tokenizer.json": tokenizer,
        "config.json": {"pad_token_id": 0},
        "tokenizer_config.json": {"model_max_length": _MOST_TOKENS, "pad_token": "[PAD]"},
        "special_tokens_map.json": marks,
    }.items():
        (target / name).write_text(json.dumps(content), encoding="utf-8")
    words = "\n".join(tokenizer["model"]["vocab"])
    (target / "vocab.txt").write_text(words, encoding="utf-8")
    hub = folder / "hub" / _HUB
    (hub / "refs").mkdir(parents=True)
    (hub / "refs" / "main").write_text(_REVISION, encoding="utf-8")
    shutil.copytree(target, hub / "snapshots" / _REVISION)
