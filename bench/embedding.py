"""Texts to vectors: whether the numbers are the published model's, and what they cost.

- Quality is the rank correlation of cosines with people's judgements of 1,379 pairs of sentences
  (STS-B, the test part), beside what is published for the float32 model.
- Work is processor time, since aimem leaves half of the machine to whoever types. The plain way
  beside it is the same model with the libraries' own settings: batches of 32 as they come, padded
  to the longest text, a thread for every processor.
- Cold is a fresh Python until it has the vector of one question, and the memory it then holds.
"""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from aimem_tui.embedding.model import Embedder, ModelChoice
from bench.cache import ROOT, shared_data
from bench.measure import Contest, Goal, Report, Series, Size, in_turns
from bench.prose import markdown

PUBLISHED_SPEARMAN = 82.03
_GOAL_SPEARMAN = PUBLISHED_SPEARMAN - 0.2
_GOAL_COLD_MS = 700.0
_PLAIN = "the libraries' own settings"
_PLAIN_BATCH = 32
_SIZES = {"a title": (3, 8), "a paragraph": (15, 40), "a chunk": (70, 140)}
"""The fewest and the most words of a text."""

_COLD = """
import sys
from aimem_tui.embedding.model import Embedder, ModelChoice
Embedder(ModelChoice.bundled(), once={once}).embed_one("where did we decide that")
from bench.memory import peak_mb
print(peak_mb())
"""


def run(size: Size) -> Report:
    """Measure quality, work and a cold start."""
    report = Report("embedding")
    pairs = _pairs(shared_data() / "retrieval" / "stsb" / "stsb-en-test.csv")
    if pairs:
        report.contests.append(_quality(pairs[:: size.pick(1, 100)]))
    else:
        report.notes.append("Quality: not measured, there are no judged sentences.")
    report.contests += _work(size)
    report.contests += _cold(size)
    return report


def _quality(pairs: Sequence[tuple[str, str, float]]) -> Contest:
    embedder = Embedder(ModelChoice.bundled())
    first = embedder.embed([pair[0] for pair in pairs])
    second = embedder.embed([pair[1] for pair in pairs])
    cosines = (first * second).sum(axis=1).tolist()
    found = 100 * spearman(cosines, [pair[2] for pair in pairs])
    return Contest(
        f"STS-B, {len(pairs):,} pairs, Spearman's correlation",
        "points",
        (Series("aimem", (found,)), Series("published, float32", (PUBLISHED_SPEARMAN,))),
        (Goal(_GOAL_SPEARMAN, "p50", at_least=True),),
    )


def spearman(some: Sequence[float], others: Sequence[float]) -> float:
    """The rank correlation: Pearson's, of ranks, where equals share the mean of theirs."""
    one, other = _ranks(some), _ranks(others)
    mean = (len(one) - 1) / 2
    together = sum((a - mean) * (b - mean) for a, b in zip(one, other, strict=True))
    apart = sum((a - mean) ** 2 for a in one) * sum((b - mean) ** 2 for b in other)
    return float(together / apart**0.5)


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + end - 1) / 2
        start = end
    return ranks


def _pairs(file: Path) -> list[tuple[str, str, float]]:
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        return [(first, second, float(score)) for first, second, score in csv.reader(stream)]


def _work(size: Size) -> list[Contest]:
    embedder = Embedder(ModelChoice.bundled())
    plain = _plain_way(ModelChoice.bundled())
    chance = random.Random(7)
    words = markdown(100_000).split()
    contests = []
    for name, (least, most) in _SIZES.items():
        texts = [_some(words, chance, least, most) for _ in range(size.pick(32, 2))]
        tokens = sum(embedder.count_tokens(texts)) / len(texts)
        found = in_turns(
            {
                "aimem": _processor_ms(embedder.embed, texts),
                _PLAIN: _processor_ms(plain, texts),
            },
            size.pick(5, 1),
        )
        what = f"{name} of {tokens:.0f} tokens, processor time"
        contests.append(Contest(what, "ms", tuple(found.values()), (Goal(1.0, "ratio", _PLAIN),)))
    return contests


def _some(words: Sequence[str], chance: random.Random, least: int, most: int) -> str:
    count = chance.randint(least, most)
    start = chance.randrange(len(words) - count)
    return " ".join(words[start : start + count])


def _processor_ms(
    embed: Callable[[Sequence[str]], object], texts: Sequence[str]
) -> Callable[[], float]:
    def measured() -> float:
        started = time.process_time()
        embed(texts)
        return (time.process_time() - started) * 1000 / len(texts)

    return measured


def _plain_way(choice: ModelChoice) -> Callable[[Sequence[str]], object]:
    # Loaded by aimem before, which told it to report nothing.
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    session = onnxruntime.InferenceSession(str(choice.model), providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(choice.tokenizer))
    tokenizer.enable_truncation(choice.max_tokens)
    tokenizer.enable_padding()

    def embed(texts: Sequence[str]) -> object:
        vectors = []
        for start in range(0, len(texts), _PLAIN_BATCH):
            found = tokenizer.encode_batch(list(texts[start : start + _PLAIN_BATCH]))
            ids = np.array([text.ids for text in found], np.int64)
            mask = np.array([text.attention_mask for text in found], np.int64)
            vectors += session.run(None, {"input_ids": ids, "attention_mask": mask})
        return vectors

    return embed


def _cold(size: Size) -> list[Contest]:
    memory: dict[str, list[float]] = {}

    def started(name: str, once: bool) -> Callable[[], float]:
        def measured() -> float:
            begun = time.perf_counter()
            ran = subprocess.run(
                [sys.executable, "-c", _COLD.format(once=once)],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            )
            memory.setdefault(name, []).append(float(json.loads(ran.stdout)))
            return (time.perf_counter() - begun) * 1000

        return measured

    ways = {"aimem, for one text": True, "aimem, for many": False}
    found = in_turns({name: started(name, once) for name, once in ways.items()}, size.pick(9, 1))
    return [
        Contest(
            "a cold process to its first vector",
            "ms",
            tuple(found.values()),
            (Goal(_GOAL_COLD_MS, "p50"),),
        ),
        Contest(
            "memory at most by then",
            "MB",
            tuple(Series(name, tuple(memory[name])) for name in ways),
        ),
    ]
