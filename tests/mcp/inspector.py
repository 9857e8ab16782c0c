"""The inspector of the protocol's makers, in its mode for the command line.

It is installed once per machine, into the cache folder that the stock Yjs clients are in, in the
exact version and without running anything that it brings along.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import environment as of_aimem
from tests.gateway.npm import install

_PACKAGE = Path(__file__).parent / "package.json"


@functools.cache
def _installed() -> tuple[Path | None, str]:
    """The program, or why there is none."""
    folder, why_not = install("inspector", _PACKAGE.read_bytes())
    return folder and folder / "node_modules" / ".bin" / "mcp-inspector", why_not


def inspect(*words: str, to: list[str] | None = None) -> Any:
    """What the inspector says, as JSON.

    Args:
        words: its own options.
        to: how it reaches a server; None: by starting one.
    """
    program, why_not = _installed()
    if program is None:
        pytest.skip(why_not)
    target = [sys.executable, "-m", "aimem_tui", "mcp"] if to is None else to
    given = of_aimem({"AIMEM_AUTHOR": "Ada"})
    # Of its environment it passes on nothing but what it is told to.
    passed = [
        word
        for name in ("AIMEM_AUTHOR", "AIMEM_HOME", "PYTHONPATH")
        for word in ("-e", f"{name}={given[name]}")
    ]
    ran = subprocess.run(
        [str(program), "--cli", *(passed if to is None else ()), *target, *words],
        env=given,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout
    return json.loads(ran.stdout)
