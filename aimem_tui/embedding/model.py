"""Texts to unit vectors.

What lives here: cutting texts into a model's tokens and running it in batches. What never does:
files of aimem's own, the index, anything of the network.

A text's vector depends on the text alone. Every text is cut at ``max_tokens``; texts of similar
length share a batch, and batches are small, because what is padded is computed too and because a
small batch stays in the processor's cache. The model computes in float32 throughout: integer
arithmetic with scales taken from the batch would give a text other vectors in other company.

tokenizers brings a client for a hub of models. It is loaded only by functions that fetch, and
none of them is called here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aimem_tui.embedding.choice import ModelChoice, Pooling
from aimem_tui.embedding.runtime import default_threads, open_session, unavailable
from aimem_tui.errors import AimemError, BadInput
from aimem_tui.model.transfer import never

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from aimem_tui.embedding.runtime import Session

__all__ = ["Embedder", "ModelChoice", "Stopped"]

DIMENSIONS_MAX = 4096

_BATCH_TEXTS = 32
_BATCH_TOKENS = 256
"""Padding included. Texts of 11, 57 and 219 tokens take 5.6, 18 and 69 ms of processor time each
alone, 3.4, 17 and 69 in batches of this size, and 6, 33 and 110 in batches of 4,096 tokens."""

_CHARACTERS_PER_TOKEN_MAX = 32
"""Only this many characters for each token are looked at, so that one endless line costs no more
than a page."""

_PROBE = "aimem"


class Stopped(Exception):
    """The caller's stop signal was given before all texts had their vectors."""


class Embedder:
    """A loaded model. Not for two threads at once.

    Attributes:
        choice: the model.
        identity: the choice's identity, under which its vectors may be kept.
        max_tokens: where texts are cut.
        dimensions: the length of a vector.

    Args:
        choice: the model.
        threads: how many processors it may use; by default half of them, two at most.
        once: whether it is made for a single text, as for a search from the command line. Loading
            is quicker then, and every text slower; the vectors are the same.

    Raises:
        BadInput: if the files are not a model of sentences in ONNX form with a tokenizer.
        Refused: if there is no onnxruntime or no tokenizers for this system.
    """

    def __init__(
        self, choice: ModelChoice, *, threads: int | None = None, once: bool = False
    ) -> None:
        self.choice = choice
        self.identity = choice.identity
        self.max_tokens = choice.max_tokens
        self._tokenizer = _load_tokenizer(choice)
        self._session = _load_session(choice, threads or default_threads(), once)
        self._inputs = _inputs(self._session, choice)
        self._output = _output(self._session, choice)
        self.dimensions = self._find_dimensions()

    def embed(
        self, texts: Sequence[str], *, stop: Callable[[], bool] = never
    ) -> NDArray[np.float32]:
        """One unit vector for each text, in the order given: an array ``(n, dimensions)``.

        An empty text has a vector too: that of the marks at a text's two ends.

        Raises:
            Stopped: if ``stop`` said so before one of the batches.
        """
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        tokens = self._tokens(texts)
        for batch in _batches(tokens):
            if stop():
                raise Stopped
            vectors[batch] = self._run([tokens[place] for place in batch])
        return vectors

    def embed_one(self, text: str) -> NDArray[np.float32]:
        """The unit vector of one text, of shape ``(dimensions,)``."""
        vector: NDArray[np.float32] = self._run(self._tokens([text]))[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has, not cut, the marks at its two ends included."""
        self._tokenizer.no_truncation()
        try:
            return [len(self._tokenizer.encode(_encodable(text)).ids) for text in texts]
        finally:
            self._tokenizer.enable_truncation(self.max_tokens)

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        # One text at a time: for many at once the library starts a thread for every processor.
        limit = self.max_tokens * _CHARACTERS_PER_TOKEN_MAX
        return [self._tokenizer.encode(_encodable(text[:limit])).ids for text in texts]

    def _run(self, tokens: Sequence[list[int]]) -> NDArray[np.float32]:
        ids = np.zeros((len(tokens), max(1, *map(len, tokens))), np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(tokens):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        given = {"input_ids": ids, "attention_mask": mask}
        if "token_type_ids" in self._inputs:
            given["token_type_ids"] = np.zeros_like(ids)
        (result,) = self._session.run([self._output], given)
        return _unit(_pooled(np.asarray(result, np.float32), mask, self.choice.pooling))

    def _find_dimensions(self) -> int:
        """Known for aimem's own model; found by trying for any other, which is thereby checked."""
        if self.choice.is_bundled:
            return int(self._session.get_outputs()[0].shape[-1])
        try:
            vectors = self._run(self._tokens([_PROBE, f"{_PROBE} {_PROBE}"]))
        except Exception as error:
            raise _unusable(self.choice, f"It fails at its first texts: {error}") from error
        if vectors.ndim != 2 or len(vectors) != 2 or not 1 <= vectors.shape[1] <= DIMENSIONS_MAX:
            raise _unusable(self.choice, "It does not give one vector for each text.")
        if not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
            raise _unusable(self.choice, "Its vectors are not numbers that can be compared.")
        return int(vectors.shape[1])


def _load_tokenizer(choice: ModelChoice) -> Tokenizer:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise unavailable("tokenizers", error) from error
    try:
        tokenizer = Tokenizer.from_file(str(choice.tokenizer))
        # Files often bring padding and a cut of their own, which hold silently.
        tokenizer.no_padding()
        tokenizer.enable_truncation(choice.max_tokens)
        tokenizer.encode(_PROBE)
    except BaseException as error:
        # A panic of the library is no Exception, and its class can be told by its name only.
        if not (isinstance(error, Exception) or type(error).__name__ == "PanicException"):
            raise
        raise BadInput(
            f"{choice.tokenizer} is not a tokenizer that aimem can use.", why=str(error)
        ) from error
    return tokenizer


def _load_session(choice: ModelChoice, threads: int, once: bool) -> Session:
    try:
        return open_session(choice.model, threads=threads, once=once)
    except AimemError:
        raise
    except Exception as error:
        raise _unusable(choice, str(error)) from error


def _inputs(session: Session, choice: ModelChoice) -> frozenset[str]:
    names = frozenset(given.name for given in session.get_inputs())
    needed = {"input_ids", "attention_mask"}
    if not needed <= names or not names <= needed | {"token_type_ids"}:
        raise _unusable(
            choice,
            f"It asks for {', '.join(sorted(names)) or 'nothing'}; a model of sentences asks for "
            "input_ids, attention_mask and perhaps token_type_ids.",
        )
    return names


def _output(session: Session, choice: ModelChoice) -> str:
    """The output that is a vector for each text, or else one for each token."""
    ranks: dict[str, int] = {output.name: len(output.shape) for output in session.get_outputs()}
    for name in ("sentence_embedding", "last_hidden_state", "token_embeddings", *ranks):
        if ranks.get(name) in (2, 3):
            return name
    raise _unusable(choice, "It gives vectors neither for a text nor for its tokens.")


def _unusable(choice: ModelChoice, why: str) -> BadInput:
    if choice.is_bundled:
        what, hint = "The model that comes with aimem cannot be loaded.", "Install aimem again."
        return BadInput(what, why=why, hint=hint)
    return BadInput(f"{choice.model} is not a model that aimem can use.", why=why)


def _encodable(text: str) -> str:
    """The text without halves of surrogate pairs, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _batches(tokens: Sequence[list[int]]) -> Iterator[list[int]]:
    """Places of texts of similar length, the longest first."""
    batch: list[int] = []
    longest = 0
    for place in sorted(range(len(tokens)), key=lambda place: -len(tokens[place])):
        if batch and (len(batch) == _BATCH_TEXTS or longest * (len(batch) + 1) > _BATCH_TOKENS):
            yield batch
            batch = []
        if not batch:
            longest = len(tokens[place])
        batch.append(place)
    if batch:
        yield batch


def _pooled(
    vectors: NDArray[np.float32], mask: NDArray[np.int64], pooling: Pooling
) -> NDArray[np.float32]:
    if vectors.ndim != 3:
        return vectors
    if pooling is Pooling.FIRST:
        return vectors[:, 0]
    weights = mask[:, :, None].astype(np.float32)
    mean: NDArray[np.float32] = (vectors * weights).sum(1) / np.maximum(weights.sum(1), 1e-9)
    return mean


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.maximum(lengths, 1e-12)
    return unit
