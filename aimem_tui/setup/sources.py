"""Where templates are: those that come with aimem, a folder, or a git repository.

- aimem's own are beside the package in a source tree and within it in a wheel. Nothing depends on
  the current folder.
- ``SOURCE#REF`` names a branch, tag or commit of a repository.
- A repository may hold several templates in sub-folders; one is then chosen by name.
- Archives are not taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aimem_tui.bridge.files import printable
from aimem_tui.errors import BadInput, NotFound

OWN = ("claude-config", "thoughts-repo", "full")
"""The templates that come with aimem."""

PARTS = {"full": ("claude-config", "thoughts-repo")}
"""Templates that are made of others, rendered one after the other with the same answers."""

PINNED = {"claude-config": {"project_slug": ".claude"}}
"""Variables that a part has for itself, whatever the whole is given."""

CONTEXT_FILE = "cookiecutter.json"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_REMOTE = re.compile(r"[\w.-]+@[\w.-]+:")


@dataclass(frozen=True, slots=True)
class Template:
    """A template that is on this machine."""

    name: str
    """What it is called in words to people."""
    folder: Path
    """The folder with its ``cookiecutter.json``."""
    root: Path
    """What it came in, which its links may not leave: the folder itself, or a repository."""
    given: str
    """How it was named; a template may ask for this as ``_template``."""
    checkout: str | None = None
    own: bool = False
    """Whether it comes with aimem."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository to fetch templates from."""

    url: str
    ref: str
    """A branch, tag or full commit; empty: what the repository has checked out."""
    local: bool
    """Whether it is on this machine."""


Fetch = Callable[[Repository], Path]
"""Gets a repository and returns the folder that it is in now."""


def template_folder(name: str) -> Path:
    """The folder of something below ``templates/`` that comes with aimem.

    Raises:
        NotFound: if there is nothing of that name.
    """
    package = Path(__file__).resolve().parents[1]
    tree = package.parent
    places = [package / "_templates" / name]
    if (tree / "pyproject.toml").is_file():
        places.append(tree / "templates" / name)
    for place in places:
        if place.is_dir():
            return place
    raise NotFound(
        f"There is no template called {printable(name)}.", hint=f"aimem brings: {', '.join(OWN)}."
    )


def own_template(name: str) -> Template:
    """A template that comes with aimem."""
    folder = template_folder(name)
    return Template(name, folder, folder, str(folder), own=True)


def find(
    template: str | None,
    source: str | None,
    *,
    fetch: Fetch,
    abbreviations: Mapping[str, str] | None = None,
) -> Template:
    """The template that a person means.

    Args:
        template: one of aimem's, a folder, or a repository; with ``source``: which one in it.
        source: a folder or repository.
        abbreviations: as cookiecutter has them, ``gh:owner/name`` among them.

    Raises:
        NotFound: if there is none.
        BadInput: if it cannot be taken.
    """
    if source is None:
        if template in OWN:
            return own_template(template)
        source, template = template or "", None
    if not source:
        raise BadInput("No template is named.", hint=f"aimem brings: {', '.join(OWN)}.")
    place = located(source, abbreviations or {})
    if isinstance(place, Repository):
        root, checkout = fetch(place), place.ref or None
        given = source.removesuffix(f"#{place.ref}") if place.ref else source
    else:
        root, checkout, given = place, None, source
    folder = _within(root, template, source)
    return Template(template or root.name, folder, root, given, checkout)


def located(source: str, abbreviations: Mapping[str, str]) -> Path | Repository:
    """A folder on this machine, or a repository to fetch.

    Raises:
        NotFound, BadInput: if it is neither.
    """
    if source.lower().partition("#")[0].endswith((".zip", ".tar", ".tgz", ".tar.gz")):
        raise BadInput(
            "Archives are not taken as templates.", hint="Unpack it, and name the folder."
        )
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    address, _, ref = source.partition("#")
    prefix, colon, rest = address.partition(":")
    if colon and prefix in abbreviations and not rest.startswith("//"):
        address = abbreviations[prefix].format(rest)
    if address.lower().startswith("file://"):
        address = address[len("file://") :]
    elif _URL.match(address) or _REMOTE.match(address):
        return Repository(address, _checked_ref(ref), local=False)
    folder = Path(address).expanduser()
    if folder.is_dir():
        return Repository(str(folder.resolve()), _checked_ref(ref), local=True)
    raise NotFound(
        f"There is no template at {printable(source)}.",
        hint=f"Name a folder, a git repository, or one of: {', '.join(OWN)}.",
    )


def templates_in(root: Path) -> list[str]:
    """The names of the templates in a folder that may hold several."""
    found = {
        file.parent.relative_to(root).as_posix()
        for pattern in (f"*/{CONTEXT_FILE}", f"templates/*/{CONTEXT_FILE}")
        for file in root.glob(pattern)
    }
    return sorted(found)


def _within(root: Path, name: str | None, source: str) -> Path:
    if name is None:
        if (root / CONTEXT_FILE).is_file():
            return root
        several = templates_in(root)
        hint = (
            f"Choose one with --template: {', '.join(map(printable, several))}."
            if several
            else "A template is a folder with a cookiecutter.json."
        )
        raise NotFound(f"{printable(source)} is not a template.", hint=hint)
    for candidate in (name, f"templates/{name}", _listed(root).get(name, "")):
        folder = (root / candidate).resolve()
        inside = folder.is_relative_to(root.resolve()) and not Path(candidate).is_absolute()
        if candidate and inside and (folder / CONTEXT_FILE).is_file():
            return root / candidate
    several = templates_in(root)
    known = f"It has: {', '.join(map(printable, several))}." if several else ""
    alone = "Leave out --template to take the one that it is."
    raise NotFound(
        f"There is no template called {printable(name)} in {printable(source)}.",
        hint=known or (alone if (root / CONTEXT_FILE).is_file() else ""),
    )


def _listed(root: Path) -> dict[str, str]:
    """The nested templates that a repository lists by name."""
    try:
        context = json.loads((root / CONTEXT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    listed = context.get("templates") if isinstance(context, dict) else None
    if not isinstance(listed, dict):
        return {}
    return {
        name: str(entry.get("path", ""))
        for name, entry in listed.items()
        if isinstance(entry, dict)
    }


def _checked_ref(ref: str) -> str:
    if (ref and not re.fullmatch(r"[\w][\w./+@-]{0,199}", ref)) or ".." in ref:
        raise BadInput(
            f"{printable(ref)} is not a branch, tag or commit.", hint="Write SOURCE#BRANCH."
        )
    return ref
