"""Running the command line in a test: within this process, and as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from aimem_tui.cli.context import Session
from aimem_tui.cli.main import main
from tests.workspaces import Clock

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [
    sys.executable,
    "-c",
    "import sys; from aimem_tui.cli.main import main; sys.exit(main())",
]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error that a command with ``--json`` wrote."""
        return json.loads(self.err)["error"]


class _Entry:
    name = "aimem"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def main(self, args: list[str], prog_name: str) -> None:
        sys.exit(main(args, session=Session(self._clock)))


class Aimem:
    """Calls commands as ``aimem("list", "--json")`` and insists on their exit code."""

    def __init__(self) -> None:
        self.clock = Clock(step=0)

    def __call__(self, *args: str, stdin: str | bytes = "", code: int = 0) -> Ran:
        result = CliRunner().invoke(_Entry(self.clock), list(args), input=stdin)  # type: ignore[arg-type]
        ran = Ran(result.exit_code, result.stdout_bytes.decode(), result.stderr_bytes.decode())
        assert ran.code == code, (args, ran)
        assert "Traceback" not in ran.err, ran.err
        return ran

    def fails(self, *args: str, code: int, stdin: str | bytes = "") -> str:
        """What a command says when it fails, on standard error alone."""
        ran = self(*args, stdin=stdin, code=code)
        assert ran.out == ""
        assert ran.err.strip()
        return ran.err


def process(
    *args: str,
    stdin: bytes | None = b"",
    env: Mapping[str, str] | None = None,
    command: list[str] = COMMAND,
    cwd: Path | None = None,
) -> Ran:
    """Run the command line as a process of its own; ``stdin`` None is an empty device."""
    ran = subprocess.run(
        [*command, *args],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        env=environment(env),
        cwd=cwd,
        timeout=120,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a test with the packages of this tree on its path."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **(extra or {})}
