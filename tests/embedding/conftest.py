"""One loaded model for all tests here: loading it takes longer than most of them."""

from __future__ import annotations

import pytest

from aimem_tui.embedding.model import Embedder, ModelChoice


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return Embedder(ModelChoice.bundled(), threads=1)
