"""Which model turns texts into vectors, and how it is told from every other.

What lives here: where a model's files are, what may be used as one, and its identity. What never
does: anything that loads a model. So the identity costs a command nothing that it does not need,
and can be compared with the identity under which vectors were stored.

The model that comes with aimem is all-MiniLM-L6-v2 (see ``bundle/MODEL_CARD.txt``). Another one is
a folder or an ``.onnx`` file with its ``tokenizer.json`` beside it or one folder above, as the
usual exporters leave them. What lies beside them is read too, as far as it says how the model is
meant to be used: the longest text (``sentence_bert_config.json``, ``tokenizer_config.json``,
``config.json``) and the pooling (``1_Pooling/config.json``: the mean of all tokens, or the first).

The identity is a digest of everything that decides a vector: the model's and the tokenizer's
bytes, the longest text, the pooling, and the version of the code that calls the model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import Any

from aimem_tui.embedding import digests
from aimem_tui.errors import BadInput

CODE_VERSION = 1
"""Raised when the same model would give other vectors than before."""

TOKENS_MAX = 512
"""No text is looked at beyond this many tokens, whatever a model allows: time grows with the
square, and chunks are shorter."""

TOKENS_DEFAULT = 256
"""For a model that does not say how long its texts may be."""

MODEL_BYTES_MAX = 2_000_000_000
TOKENIZER_BYTES_MAX = 64_000_000
_CONFIGURATION_BYTES_MAX = 1_000_000

_BUNDLE = Path(__file__).parent / "bundle"
BUNDLED_SHA256 = {
    "minilm-l6-v2-w8.onnx": "5c27d3b35cd1c6998d97389002cf860c330118511970656d70201fe7fe6c1be5",
    "tokenizer.json": "5fd1c882abbd30517dced455a2c9768945ec726b96727927e4959348d9de550b",
}
"""What the files that come with aimem are. ``tools/build_model.py`` makes exactly these."""


class Pooling(StrEnum):
    """How the vectors of a text's tokens become one, where the model does not do it itself."""

    MEAN = "mean"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that may be loaded. Make one with ``bundled`` or ``at``."""

    model: Path
    tokenizer: Path
    max_tokens: int
    """Longer texts are cut there; the tokens that mark a text's two ends are counted."""
    pooling: Pooling = Pooling.MEAN

    @classmethod
    def bundled(cls) -> ModelChoice:
        """The model that comes with aimem.

        Raises:
            BadInput: if its files are missing.
        """
        model, tokenizer = (_BUNDLE / name for name in BUNDLED_SHA256)
        if not (model.is_file() and tokenizer.is_file()):
            raise BadInput(
                "The model that comes with aimem is missing.",
                why=f"It should be in {_BUNDLE}.",
                hint="Install aimem again.",
            )
        return cls(model, tokenizer, TOKENS_MAX)

    @classmethod
    def at(cls, path: Path | str) -> ModelChoice:
        """A model of the user's: a folder, or an ``.onnx`` file.

        Raises:
            BadInput: if no model, no tokenizer or several models are there, or if they are larger
                than ``MODEL_BYTES_MAX`` and ``TOKENIZER_BYTES_MAX``.
        """
        path = Path(path).expanduser().absolute()
        model = _model_file(path)
        folders = [model.parent]
        if model.parent.parent == path or model.parent.name == "onnx":
            folders.append(model.parent.parent)
        tokenizer = _first_file(folders, "tokenizer.json")
        if tokenizer is None:
            raise BadInput(
                f"{model} cannot be used without its tokenizer.",
                why=f"There is no tokenizer.json in {model.parent}.",
                hint="Copy it there from where the model comes from.",
            )
        _check_size(model, MODEL_BYTES_MAX)
        _check_size(tokenizer, TOKENIZER_BYTES_MAX)
        return cls(model, tokenizer, _max_tokens(folders), _pooling(folders))

    @classmethod
    def named(cls, setting: str) -> ModelChoice:
        """What the setting ``index.model`` means: a path, or nothing for the bundled model.

        Raises:
            BadInput: as ``at`` and ``bundled`` do.
        """
        return cls.at(setting) if setting else cls.bundled()

    @property
    def is_bundled(self) -> bool:
        """Whether this is the model that comes with aimem."""
        return self.model.parent == _BUNDLE

    @property
    def identity(self) -> str:
        """16 hexadecimal digits: two choices with the same identity give the same vectors.

        Raises:
            BadInput: if a file cannot be read.
        """
        parts = [f"code {CODE_VERSION}", f"tokens {self.max_tokens}", f"pooling {self.pooling}"]
        if self.is_bundled:
            parts += [f"{name} {digest}" for name, digest in BUNDLED_SHA256.items()]
        else:
            # Large models keep their weights in files of their own: model.onnx_data and the like.
            beside = sorted(self.model.parent.iterdir())
            weights = [file for file in beside if file.name.startswith(self.model.name)]
            parts += [digests.of(file) for file in (*weights, self.tokenizer)]
        return blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def _model_file(path: Path) -> Path:
    if path.is_file():
        if path.suffix != ".onnx":
            raise BadInput(
                f"{path} is not a model that aimem can use.",
                why="Models are files that end in .onnx.",
            )
        return path
    if not path.is_dir():
        raise BadInput(
            f"There is no model at {path}.",
            hint="Give a folder with model.onnx and tokenizer.json, or the .onnx file.",
        )
    usual = _first_file([path, path / "onnx"], "model.onnx")
    if usual is not None:
        return usual
    found = sorted(path.glob("*.onnx"))
    if not found:
        raise BadInput(f"There is no model in {path}.", why="No file there ends in .onnx.")
    if len(found) > 1:
        raise BadInput(
            f"There are {len(found)} models in {path}.", hint="Give the path of one of the files."
        )
    return found[0]


def _first_file(folders: list[Path], name: str) -> Path | None:
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def _check_size(file: Path, limit: int) -> None:
    size = file.stat().st_size
    if size > limit:
        raise BadInput(
            f"{file} is too large.",
            why=f"It has {size / 1e6:,.0f} MB; aimem reads up to {limit / 1e6:,.0f} MB.",
        )


def _max_tokens(folders: list[Path]) -> int:
    for name, key in (
        ("sentence_bert_config.json", "max_seq_length"),
        ("tokenizer_config.json", "model_max_length"),
        ("config.json", "max_position_embeddings"),
    ):
        value = _configuration(folders, name).get(key)
        # Exporters write absurdly large numbers where a tokenizer has no bound of its own.
        if isinstance(value, int) and 8 <= value <= 1_000_000:
            return min(value, TOKENS_MAX)
    return TOKENS_DEFAULT


def _pooling(folders: list[Path]) -> Pooling:
    first = _configuration(folders, "1_Pooling/config.json").get("pooling_mode_cls_token")
    return Pooling.FIRST if first is True else Pooling.MEAN


def _configuration(folders: list[Path], name: str) -> dict[str, Any]:
    file = _first_file(folders, name)
    if file is None or file.stat().st_size > _CONFIGURATION_BYTES_MAX:
        return {}
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
