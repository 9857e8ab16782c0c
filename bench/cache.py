"""The folder in which the programs keep what is costly to make: workspaces, texts, peers.

``$AIMEM_BENCH_CACHE`` says where; else it is ``~/.cache/aimem-bench``. It may be deleted at any
time.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""


def folder(*parts: str) -> Path:
    """A folder below the cache, made if it is not there."""
    root = os.environ.get("AIMEM_BENCH_CACHE") or "~/.cache/aimem-bench"
    path = Path(root).expanduser().absolute().joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def shared_data() -> Path:
    """Where real texts and editing histories are, if this machine has them."""
    return Path(os.environ.get("AIMEM_SHARED") or ROOT.parent / "shared" / "data")


@contextmanager
def made_whole(path: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name ``path`` only when all of it is there."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    yield unfinished
    shutil.rmtree(path, ignore_errors=True)
    unfinished.rename(path)
