"""A question without a model starts as fast as a search: nothing of models or the network loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Aimem
from tests.cli.test_imports import HEAVY, modules_after

MODELS = {"aimem_tui.assist.claude", "aimem_tui.assist.llama", "keyring", "llama_cpp"}


@pytest.mark.parametrize(
    "arguments", [["ask", "what", "is", "it"], ["ask", "--help"], ["assist"], ["assist", "--json"]]
)
def test_nothing_heavy_is_loaded(aimem: Aimem, tmp_path: Path, arguments: list[str]) -> None:
    aimem("new", "plans/a", "# A\n\nWhat it is.\n")
    assert modules_after(*arguments, folder=tmp_path) & (HEAVY | MODELS) == set()
