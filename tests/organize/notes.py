"""Notes for tests: about a few matters, each with words of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from aimem_tui.model import Thought
from aimem_tui.organize.meaning import VectorNearness
from aimem_tui.workspace.ordering import NearnessOf
from aimem_tui.workspace.workspace import Workspace

MATTERS: Mapping[str, Sequence[str]] = {
    "auth": ("token", "session", "login", "refresh", "expiry", "cookie", "issuer", "signature"),
    "storage": ("page", "cache", "fsync", "journal", "sector", "checkpoint", "vacuum", "latch"),
    "cooking": ("onion", "simmer", "garlic", "skillet", "broth", "thyme", "roast", "whisk"),
}
FILLER = ("we", "then", "found", "that", "this", "part", "works", "when", "every", "step", "runs")


def prose(matter: str, seed: int, words: int = 120) -> str:
    """Sentences about a matter; another seed gives other sentences."""
    draw = Random(f"{matter} {seed}")
    said = [draw.choice(MATTERS[matter] if draw.random() < 0.5 else FILLER) for _ in range(words)]
    lines = [" ".join(said[at : at + 10]).capitalize() + "." for at in range(0, words, 10)]
    return "\n".join(lines) + "\n"


def tagged(workspace: Workspace, each: int = 8) -> dict[str, list[Thought]]:
    """For each matter some thoughts that have it as their tag."""
    return {
        matter: [
            workspace.create(
                f"{matter}/{at}.md",
                f"---\ntags: [{matter}]\n---\n# Note {at}\n\n{prose(matter, at)}",
            )
            for at in range(each)
        ]
        for matter in MATTERS
    }


def numbers(workspace: Workspace) -> dict[str, int]:
    """The number of each thought inside the file, by path."""
    rows = workspace.database.read().execute("SELECT path, n FROM thoughts WHERE shown")
    return {str(path): int(n) for path, n in rows}


def by_vectors(workspace: Workspace, vectors: Mapping[str, Sequence[float]]) -> NearnessOf:
    """Nearness by given vectors, by path."""
    import numpy as np

    def nearness(_thoughts: Sequence[int]) -> VectorNearness:
        known = numbers(workspace)
        rows = np.array([*vectors.values()], dtype=np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return VectorNearness([known[path] for path in vectors], rows)

    return nearness
