"""Writes a model of llama.cpp's kind that is a few hundred kilobytes: random weights, tiny words.

What it says has no sense; that it can be loaded, asked, held to a form and stopped is real. The
format is GGUF version 3: a head, keys with typed values, the tensors' names and shapes, their data.
"""

from __future__ import annotations

import random
import struct
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path

MARK = "<|turn|>"
"""A control token of the tiny model's; a thought must not be able to say it."""
TEMPLATE = (
    "{% for message in messages %}<|turn|>{{ message.role }}\n{{ message.content }}\n{% endfor %}"
    "<|turn|>assistant\n"
)
ONLY_USERS = (
    "{% for message in messages %}{% if message.role == 'system' %}"
    "{{ raise_exception('no system turns') }}{% endif %}"
    "<|turn|>{{ message.content }}\n{% endfor %}<|turn|>"
)

_ALIGNMENT = 32
_UINT32, _INT32, _FLOAT32, _STRING, _ARRAY = 4, 5, 6, 8, 9
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
_WIDTH, _HIDDEN, _HEADS = 32, 64, 2

Value = int | float | str | Sequence[str] | Sequence[float]


def write_model(
    file: Path,
    *,
    context: int = 8_192,
    template: str = TEMPLATE,
    architecture: str = "llama",
    seed: int = 1,
) -> Path:
    """Write a model; returns the file."""
    words = ["<unk>", "<s>", "</s>", MARK]
    kinds = [_UNKNOWN, _CONTROL, _CONTROL, _CONTROL]
    for number in range(256):
        words.append(f"<0x{number:02X}>")
        kinds.append(_BYTE)
    for letter in ["▁", *map(chr, range(33, 127))]:
        words.append(letter)
        kinds.append(_NORMAL)
    keys: dict[str, Value] = {
        "general.architecture": architecture,
        "general.name": "tiny",
        "llama.context_length": context,
        "llama.embedding_length": _WIDTH,
        "llama.block_count": 1,
        "llama.feed_forward_length": _HIDDEN,
        "llama.attention.head_count": _HEADS,
        "llama.attention.head_count_kv": _HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": _WIDTH // _HEADS,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": words,
        "tokenizer.ggml.scores": [0.0] * len(words),
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.chat_template": template,
    }
    shapes = {
        "token_embd.weight": (_WIDTH, len(words)),
        "output_norm.weight": (_WIDTH,),
        "output.weight": (_WIDTH, len(words)),
        "blk.0.attn_norm.weight": (_WIDTH,),
        "blk.0.attn_q.weight": (_WIDTH, _WIDTH),
        "blk.0.attn_k.weight": (_WIDTH, _WIDTH),
        "blk.0.attn_v.weight": (_WIDTH, _WIDTH),
        "blk.0.attn_output.weight": (_WIDTH, _WIDTH),
        "blk.0.ffn_norm.weight": (_WIDTH,),
        "blk.0.ffn_gate.weight": (_WIDTH, _HIDDEN),
        "blk.0.ffn_up.weight": (_WIDTH, _HIDDEN),
        "blk.0.ffn_down.weight": (_HIDDEN, _WIDTH),
    }
    file.write_bytes(_model(keys, shapes, random.Random(seed)))
    return file


def _model(
    keys: Mapping[str, Value], shapes: Mapping[str, Sequence[int]], numbers: random.Random
) -> bytes:
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(keys)))
    for key, value in keys.items():
        head += _string(key) + _value(value)
    data = bytearray()
    for name, shape in shapes.items():
        head += _string(name) + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", 0, len(data))
        size = shape[0] * (shape[1] if len(shape) > 1 else 1)
        data += array("f", (numbers.gauss(0, 0.5) for _ in range(size))).tobytes()
        data += bytes(-len(data) % _ALIGNMENT)
    head += bytes(-len(head) % _ALIGNMENT)
    return bytes(head + data)


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _value(value: Value) -> bytes:
    match value:
        case int():
            return struct.pack("<II", _UINT32, value)
        case float():
            return struct.pack("<If", _FLOAT32, value)
        case str():
            return struct.pack("<I", _STRING) + _string(value)
    inner = {str: _STRING, float: _FLOAT32, int: _INT32}[type(value[0])]
    head = struct.pack("<IIQ", _ARRAY, inner, len(value))
    if inner == _STRING:
        return head + b"".join(_string(str(each)) for each in value)
    return head + struct.pack(f"<{len(value)}{'f' if inner == _FLOAT32 else 'i'}", *value)
