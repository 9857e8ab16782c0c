"""Prints what importing each runtime dependency costs in a Python that has imported nothing else.

The time is the sum that ``-X importtime`` reports after start-up, the least of several runs: what
the package makes Python load, the standard library's part included.
"""

from __future__ import annotations

import os
import subprocess
import sys

RUNS = 9
MODULES = (
    "aiohttp",
    "apsw",
    "asyncpg",
    "click",
    "cookiecutter.main",
    "cryptography.x509",
    "ifaddr",
    "keyring",
    "markdown_it",
    "mcp.server.lowlevel",
    "msgspec",
    "numpy",
    "onnxruntime",
    "platformdirs",
    "prometheus_client",
    "pycrdt",
    "redis.asyncio",
    "regex",
    "rich.text",
    "sqlite_utils",
    "sqlite_vec",
    "textual.app",
    "tokenizers",
    "tomlkit",
    "uvloop",
    "websockets.server",
    "yaml",
    "zeroconf",
)


def import_cost(module: str) -> tuple[float, int]:
    """Milliseconds and number of modules that ``import module`` adds to a bare Python."""
    run = subprocess.run(
        [sys.executable, "-I", "-X", "importtime", "-c", f"import {module}"],
        stderr=subprocess.PIPE,
        text=True,
        check=True,
        # -I keeps Python from reading its variables, and not a library from reading its own.
        env=os.environ | {"ORT_DISABLE_TELEMETRY": "1"},
    )
    rows = [line.removeprefix("import time:").split("|") for line in run.stderr.splitlines()]
    names = [row[-1].strip() for row in rows]
    added = rows[names.index("site") + 1 :]
    return sum(int(row[0]) for row in added) / 1000, len(added)


if __name__ == "__main__":
    for module in MODULES:
        cost, modules = min(import_cost(module) for _ in range(RUNS))
        print(f"{module:14}{cost:6.0f} ms{modules:6} modules")
