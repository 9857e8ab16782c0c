"""The project holds together: locks, pyproject, documents and the two commands say the same."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import aimem_tui
from tests.own_files import ROOT, own_files

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def project() -> dict[str, object]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


def runtime() -> list[Requirement]:
    return [Requirement(line) for line in project()["project"]["dependencies"]]


def group(name: str) -> list[Requirement]:
    return [Requirement(line) for line in project()["dependency-groups"][name]]


class Pin(NamedTuple):
    """A line of a lock: a version, and where it is installed."""

    version: Version
    marker: str


def pins(lock: str) -> dict[str, set[Pin]]:
    """What a lock has. Some packages have several lines, for different Pythons or platforms."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    found: dict[str, set[Pin]] = {}
    for name, number, marker in re.findall(
        r"^([a-z0-9-]+)==([^ ]+)(?: ; (.*?))? \\$", text, flags=re.MULTILINE
    ):
        found.setdefault(name, set()).add(Pin(Version(number), marker))
    return found


def code_blocks(document: str) -> str:
    text = (ROOT / document).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```[a-z]*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_pins_every_package_by_hash_and_holds_nothing_else(lock: Path) -> None:
    text = re.sub(r"\\\n\s*", "", lock.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    entry = re.compile(r"[a-z0-9-]+==[0-9a-z.]+( ; [^#]*?)? ?(--hash=sha256:[0-9a-f]{64} ?)+")
    assert lines
    assert [line for line in lines if not entry.fullmatch(line)] == []
    assert "://" not in text


@pytest.mark.parametrize(
    ("lock", "groups"),
    [
        ("run", []),
        ("build", ["build"]),
        ("dev", ["build", "dev"]),
        ("lock", ["lock"]),
        ("llm-build", ["llm-build"]),
    ],
)
def test_a_lock_satisfies_what_the_project_asks_for(lock: str, groups: list[str]) -> None:
    asked = list(chain.from_iterable(map(group, groups)))
    if lock in {"run", "dev"}:
        asked += runtime()
    locked = pins(lock)
    unmet = [
        str(requirement)
        for requirement in asked
        if not any(
            pin.version in requirement.specifier
            for pin in locked.get(canonicalize_name(requirement.name), ())
        )
    ]
    assert unmet == []


def test_the_locks_agree_so_that_they_can_be_installed_together() -> None:
    versions = {
        lock: {(name, pin.version) for name, found in pins(lock).items() for pin in found}
        for lock in ("run", "build", "dev")
    }
    assert versions["run"] | versions["build"] <= versions["dev"]


def test_the_backend_that_builds_is_the_one_that_is_locked() -> None:
    assert project()["build-system"]["requires"] == project()["dependency-groups"]["build"]


def test_what_the_editor_and_the_documents_rest_on_is_pinned_exactly() -> None:
    exact = {
        requirement.name
        for requirement in runtime()
        if [specifier.operator for specifier in requirement.specifier] == ["=="]
    }
    assert {"pycrdt", "textual"} <= exact


def test_the_version_is_one() -> None:
    stated = project()["project"]["version"]
    assert aimem_tui.__version__ == stated
    assert version("aimem") == stated


def test_every_runtime_dependency_is_explained_with_its_licence() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    tables = text.partition("\n## The SQLite")[0]
    head, *rows = re.findall(r"^\|(.*)\|$", tables, flags=re.MULTILINE)
    titles = [cell.strip() for cell in head.split("|")]
    explained = {}
    for row in rows:
        cells = dict(zip(titles, (cell.strip() for cell in row.split("|")), strict=True))
        explained[cells["Package"].strip("`")] = cells
    extras = project()["project"]["optional-dependencies"].values()
    extra = {Requirement(text).name for texts in extras for text in texts}
    asked_for = {requirement.name for requirement in runtime()} | extra
    assert asked_for == explained.keys() - {"---", "Package"}
    blank = [name for name, cells in explained.items() if not all(cells.values())]
    assert blank == []


def test_the_readme_names_only_commands_that_make_knows() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    named = set(re.findall(r"^make ([a-z-]+)", code_blocks("README.md"), flags=re.MULTILINE))
    assert {"run", "test"} <= named <= targets


def test_every_command_of_make_is_in_its_help_and_none_passes_for_a_file() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE)
    explained = re.findall(r"^([a-z-]+):.* ## \S", makefile, flags=re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    assert phony
    assert sorted(commands) == sorted(explained) == sorted(phony[1].split())


# Written in pieces, so that this file does not hold what it looks for.
FOREIGN = [
    first + rest
    for first, rest in [
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("registry.npm", "js.org"),
        ("deb.deb", "ian.org"),
        ("/work/", "main"),
        ("/work/", "shared"),
        ("/work/", ".library"),
        ("/tmp/", "venv"),
        ("/opt/", "wheels"),
        ("/opt/", "pypi"),
        ("/root", "/"),
    ]
]


def test_no_file_names_a_registry_or_a_place_on_somebodys_machine() -> None:
    foreign = re.compile("|".join(map(re.escape, FOREIGN)).encode())
    found = {
        str(path.relative_to(ROOT)): match[0].decode()
        for path in own_files()
        if path.is_file() and (match := foreign.search(path.read_bytes()))
    }
    assert found == {}
