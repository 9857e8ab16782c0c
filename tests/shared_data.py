"""Where the tests find real thoughts, editing histories and corpora, if this machine has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def shared_data(*parts: str) -> Path:
    """The path of a file or folder of the shared data; skips the calling test where there is none.

    The data lies in a folder ``shared/data`` beside the checkout, or where ``AIMEM_SHARED`` says.
    """
    root = Path(os.environ.get("AIMEM_SHARED", _BESIDE))
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip("no shared data")
    return path
