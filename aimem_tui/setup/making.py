"""``aimem init --template``: from what a person asks for to files in a folder.

The template is found, rendered into a private folder and compared with what is there; every
question is asked before the first file is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aimem_tui.bridge.files import printable
from aimem_tui.errors import BadInput, NotFound, Refused
from aimem_tui.paths import Home
from aimem_tui.setup import applying, fetching, rendering, sources, suggestions, variables
from aimem_tui.setup.applying import Decide, Decided
from aimem_tui.setup.backups import Backups
from aimem_tui.setup.comparing import compare
from aimem_tui.setup.place import Place
from aimem_tui.setup.questions import Ask
from aimem_tui.setup.rendering import Consent, Wishes
from aimem_tui.setup.surroundings import private_folder

_REMOTE = "shared_repo_url"


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asked for."""

    template: str | None
    output: Path
    source: str | None = None
    config_file: Path | None = None
    remote: str | None = None
    """The address of the shared repository."""
    given: Mapping[str, str] = field(default_factory=dict)
    """Values for variables."""
    dry_run: bool = False
    trusted: bool = False
    """The template may do anything: its programs were accepted beforehand."""


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it."""

    template: str
    folder: Path
    decided: Decided
    values: dict[str, Any]
    notices: tuple[str, ...]
    backup: Path | None


@dataclass(frozen=True, slots=True)
class Person:
    """Who is asked; None where nobody is."""

    ask: Ask | None
    consent: Consent
    decide: Decide


def make(order: Order, person: Person, home: Home, *, name: str, now: int) -> Made:
    """Render a template into a folder.

    Args:
        name: the person's name in aimem's settings; empty if none is set.
        now: milliseconds since the Unix epoch.

    Raises:
        AimemError: in words; then nothing was written, unless it says so.
    """
    target = Place(order.output)
    config = variables.user_config(order.config_file)
    with private_folder() as private:
        template = sources.find(
            order.template,
            order.source,
            fetch=lambda repository: fetching.fetch(repository, private / "fetched"),
            abbreviations=config["abbreviations"],
        )
        if not (template.folder / sources.CONTEXT_FILE).is_file():
            raise NotFound(f"The template {printable(template.name)} is incomplete.")
        wishes = Wishes(
            template,
            target.folder,
            config,
            strict=order.config_file is not None,
            given=_given(order),
            suggested=_suggested(template, target.folder, name, asked=person.ask is not None),
            trusted=order.trusted,
        )
        rendered = rendering.render(wishes, private, person.ask, person.consent)
        items = compare(rendered.folder, target)
        for item in applying.in_the_way(items):
            raise Refused(
                f"{printable(item.path)} is in the way.",
                why="A file and a folder cannot have the same name.",
                hint="Move it, or choose another folder with --output.",
            )
        decided = applying.decide(items, person.decide)
        backups = Backups(home, now)
        if not order.dry_run:
            applying.apply(decided, rendered.folder, target, backups)
        notices = [*rendered.notices, *_about_repositories(decided, order, target.folder)]
        return Made(
            template.name,
            target.folder,
            decided,
            rendered.values,
            tuple(notices),
            backups.folder,
        )


def _given(order: Order) -> dict[str, str]:
    given = dict(order.given)
    if order.remote is not None:
        if given.get(_REMOTE, order.remote) != order.remote:
            raise BadInput(f"--remote and --set {_REMOTE} say different things.")
        given[_REMOTE] = _checked_remote(order.remote)
    return given


def _checked_remote(address: str) -> str:
    """An address that is written into files which others read.

    Raises:
        BadInput: if it is none, or holds a secret.
    """
    from urllib.parse import urlsplit

    if address.startswith("-") or any(char.isspace() or not char.isprintable() for char in address):
        raise BadInput(f"{printable(address)} is not the address of a repository.")
    try:
        parts = urlsplit(address)
        secret = bool(parts.password) or (parts.scheme in ("http", "https") and parts.username)
    except ValueError:
        raise BadInput(f"{printable(address)} is not the address of a repository.") from None
    if secret:
        raise BadInput(
            "The address of the shared repository holds a password or token.",
            why="It is written into files that others read.",
            hint="Leave it out; git asks its credential helper.",
        )
    return address


def _suggested(
    template: sources.Template, output: Path, name: str, *, asked: bool
) -> dict[str, Any]:
    if not template.own:
        return {}
    found: dict[str, Any] = {"username": suggestions.user_name(name, output)}
    project = suggestions.project_name(output)
    if asked and project:
        found["project_name"] = project
    return found


def _about_repositories(decided: Decided, order: Order, folder: Path) -> list[str]:
    """What to know about git repositories: kept as they were, or made within another one."""
    notices = []
    for item in decided.equal:
        if item.repository and order.remote is not None:
            inner = item.path.removesuffix(".git") or "./"
            notices.append(
                f"{inner} is a repository already and keeps its settings."
                f" To set its remote: git -C {inner} remote add origin {order.remote}"
            )
    for item in decided.new:
        path = folder / item.path
        around = [each for each in path.parent.parents if (each / ".git").exists()]
        if item.repository and around:
            inner = path.parent.relative_to(around[0]).as_posix()
            notices.append(
                f"{inner}/ is a repository within that of {around[0]}."
                f" Put {inner}/ into .gitignore there."
            )
    return notices
