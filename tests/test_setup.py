"""Two commands set everything up, with nothing on the machine but Python and make."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.own_files import ROOT, own_files

# The index may be configured in the home of who runs the tests; tests have another one.
_HOME = os.environ.get("HOME", "")
_COMMANDS = ["cat", "dirname", "rm", "sh", "touch"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")


def copy_of_the_tree(target: Path) -> Path:
    for path in own_files():
        copy = target / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    return target


def commands(folder: Path, **scripts: str) -> Path:
    """A folder for PATH that holds the few commands of a bare system, and the given scripts."""
    folder.mkdir()
    for name in _COMMANDS:
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def run(path: Path, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=_environment() | {"HOME": _HOME, "PATH": str(path), "PYTHON": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _environment() -> dict[str, str]:
    """This process's, without what a make that runs the tests hands down to the one in a test."""
    inherited = ("MAKE", "MFLAGS", "ARGS")
    return {key: value for key, value in os.environ.items() if not key.startswith(inherited)}


@pytest.mark.heavy
def test_run_sets_up_once_and_then_just_opens_aimem(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path / "a place with spaces")
    python = getattr(sys, "_base_executable", sys.executable)
    path = commands(
        tmp_path / "bin", python3=f'exec "{python}" "$@"', make=f'exec {shutil.which("make")} "$@"'
    )

    first = run(path, "make", "run", cwd=tree)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Installing" in first.stderr
    assert first.stdout

    second = run(path, "make", "run", cwd=tree)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "Installing" not in second.stderr
    assert second.stdout

    moved = tree.rename(tmp_path / "elsewhere")
    third = run(path, "make", "run", cwd=moved)
    assert third.returncode == 0, third.stdout + third.stderr
    assert "Setting up" in third.stderr


def test_a_machine_without_a_suitable_python_is_told_what_to_install(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path / "tree")
    bare = commands(tmp_path / "bare")
    assert "apt-get install python3 " in run(bare, "tools/setup", "run", cwd=tree).stderr

    old = commands(tmp_path / "old", python3='[ "$1" = --version ] && echo Python 3.9.2 || exit 1')
    told = run(old, "tools/setup", "run", cwd=tree)
    assert told.returncode == 1
    assert "needs Python 3.11 to 3.14" in told.stderr
    assert "Found: Python 3.9.2." in told.stderr
    assert not (tree / ".venv").exists()


def test_a_python_without_venv_is_told_which_package_brings_it(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path / "tree")
    split = commands(
        tmp_path / "split",
        python3=f'case "$2" in *ensurepip*) exit 1;; esac; exec "{sys.executable}" "$@"',
    )
    told = run(split, "tools/setup", "run", cwd=tree)
    assert told.returncode == 1
    number = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"apt-get install python{number}-venv" in told.stderr


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path / "tree")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel"],
        cwd=tree,
        check=True,
        capture_output=True,
    )
    with (tree / "pyproject.toml").open("rb") as file:
        wheel_of = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]
    places = {package: package for package in wheel_of["packages"]} | wheel_of["force-include"]
    expected = {
        f"{place}/{path.relative_to(tree / folder).as_posix()}"
        for folder, place in places.items()
        for path in own_files(tree / folder)
    }
    [wheel] = (tree / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert expected <= held
    assert {"aimem_tui/py.typed", "aimem_relay/py.typed", "crdt/py.typed"} <= held
    assert {name.partition("/")[0] for name in held - expected} == {"aimem-0.1.0.dist-info"}
