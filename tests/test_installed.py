"""What people install, not the source tree, does all that is promised of it, in an empty folder.

The wheel is built as it would be published, and installed as people install programs: with the
locked versions into an environment, with pipx and with uv. Then a person sets up a project with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.own_files import ROOT
from tests.test_setup import copy_of_the_tree

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(sys.platform == "win32", reason="not on Windows"),
]

# How pip and uv reach the index is in the home of who runs the tests; tests have another one.
_HOME = os.environ.get("HOME", "")
_PIP = ("-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check", "install")


def run(
    *command: str | Path, cwd: Path, env: Mapping[str, str] = {}, code: int = 0, stdin: str = ""
) -> str:
    ran = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | {"HOME": _HOME} | env,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == code, (command, ran.stdout, ran.stderr)
    assert "Traceback" not in ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = copy_of_the_tree(tmp_path_factory.mktemp("wheel") / "tree")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", cwd=tree)
    (built,) = (tree / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pipx and uv."""
    folder = tmp_path_factory.mktemp("installers")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    lock = ROOT / "requirements" / "installers.txt"
    install = (folder / "bin" / "python", *_PIP, "--require-hashes", "--requirement", lock)
    run(*install, cwd=folder)
    return folder / "bin"


def with_pip(wheel: Path, folder: Path, _installers: Path) -> Path:
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    lock = ROOT / "requirements" / "run.txt"
    run(python, *_PIP, "--require-hashes", "--requirement", lock, cwd=folder)
    run(python, *_PIP, "--no-deps", wheel, cwd=folder)
    return folder / "venv" / "bin" / "aimem"


def with_pipx(wheel: Path, folder: Path, installers: Path) -> Path:
    places = {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / "bin")}
    run(installers / "pipx", "install", "--python", sys.executable, wheel, cwd=folder, env=places)
    return folder / "bin" / "aimem"


def with_uv(wheel: Path, folder: Path, installers: Path) -> Path:
    places = {"UV_TOOL_DIR": str(folder / "uv"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    python = ("--no-python-downloads", "--python", sys.executable)
    run(installers / "uv", "tool", "install", *python, wheel, cwd=folder, env=places)
    return folder / "bin" / "aimem"


@pytest.mark.parametrize("install", [with_pip, with_pipx, with_uv])
def test_what_is_installed_sets_up_a_project_in_an_empty_folder(
    wheel: Path,
    installers: Path,
    tmp_path: Path,
    install: Callable[[Path, Path, Path], Path],
) -> None:
    program = install(wheel, tmp_path, installers)
    project, home = tmp_path / "project", tmp_path / "home"
    for folder in (project, home):
        folder.mkdir()
    surroundings = {
        "HOME": str(home),
        "AIMEM_HOME": str(home / "aimem"),
        "AIMEM_AUTHOR": "Ada",
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": "",
    }

    def aimem(*words: str, stdin: str = "", cwd: Path = project) -> str:
        return run(program, *words, cwd=cwd, env=surroundings, stdin=stdin)

    def done(*words: str) -> Any:
        return json.loads(aimem(*words, "--json"))

    assert "Usage: aimem" in aimem("--help")

    first = done("init", "--template", "claude-config", "--no-input")
    assert {each["state"] for each in first["files"]} == {"new"}
    assert len([*(project / ".claude" / "agents").glob("*.md")]) == 6
    second = done("init", "--template", "claude-config", "--no-input")
    assert {each["state"] for each in second["files"]} == {"equal"}

    for name in ("thoughts-repo", "full"):
        place = tmp_path / name
        place.mkdir()
        aimem("init", "--template", name, "--no-input", cwd=place)
        (script,) = place.glob("*/sync-thoughts.sh")
        assert os.access(script, os.X_OK)

    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    connected = done("init", "--client", "claude", "--scope", "project", "--no-input")
    assert connected["files"]
    assert json.loads((project / ".mcp.json").read_text())["mcpServers"]["aimem"]["command"]
    aimem("init", "--remove", "--no-input")
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before
    assert done("init", "--client", "claude", "--no-input")["files"]

    aimem("new", "plans/auth.md", stdin="# Auth\n\nThe implementation of the login form.\n")
    assert "plans/auth.md" in aimem("search", "implementation")
    aimem("index", "run")
    (hit,) = done("search", "signing in", "--type", "semantic", "--path", "plans")["hits"]
    assert hit["thought"]["path"] == "plans/auth.md"
    assert done("status")["thoughts"] == 1

    told = aimem("hook", "session-start", stdin=json.dumps(_event(project)))
    assert "plans/auth.md" in told

    said = _read_by_an_agent(program, "plans/auth.md", project, surroundings)
    assert "The implementation of the login form." in said


def _read_by_an_agent(
    program: Path, thought: str, folder: Path, surroundings: Mapping[str, str]
) -> str:
    greeting = _request(1, "initialize", protocolVersion="2025-06-18", capabilities={})
    greeting["params"]["clientInfo"] = {"name": "claude-code", "version": "1"}
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    asked = _request(2, "tools/call", name="read_thought", arguments={"thought": thought})
    with subprocess.Popen(
        [program, "mcp"],
        cwd=folder,
        env=os.environ | surroundings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        for each in (greeting, ready, asked):
            server.stdin.write(json.dumps(each) + "\n")
        server.stdin.flush()
        # Closing its input before it has answered would mean that nobody waits for the answer.
        answers = map(json.loads, server.stdout)
        answer = next(each for each in answers if each.get("id") == 2)
        server.stdin.close()
    assert server.returncode == 0
    return "\n".join(each["text"] for each in answer["result"]["content"])


def _event(project: Path) -> dict[str, str]:
    return {
        "session_id": "a1",
        "transcript_path": str(project / "none.jsonl"),
        "cwd": str(project),
        "hook_event_name": "SessionStart",
        "source": "startup",
    }


def _request(number: int, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
