"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from aimem_tui.cli.types import FolderName, Since, TagName, Text, ThoughtName
from aimem_tui.model import Filter, Kind

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def thought_argument() -> Decorator:
    """One thought."""
    return click.argument(
        "thought",
        type=ThoughtName(),
        help="A thought: its path, file name, or the start of its id.",
    )


def thoughts_argument(*, trashed: bool = False) -> Decorator:
    """One or more thoughts; ``trashed``: of those in the trash."""
    return click.argument(
        "thoughts",
        type=ThoughtName(trashed=trashed),
        nargs=-1,
        required=True,
        metavar="THOUGHT...",
        help="Thoughts: paths, file names, or the starts of ids.",
    )


def filter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Which thoughts; see :func:`filter_of`."""
    for decorate in reversed(
        (
            click.option(
                "--path", type=FolderName(), metavar="PATH", help="A folder, a path, or a glob."
            ),
            click.option(
                "--kind",
                "kinds",
                type=click.Choice([kind.value for kind in Kind], case_sensitive=False),
                metavar="KIND",
                multiple=True,
                help=f"One of {', '.join(Kind)}. May be repeated.",
            ),
            click.option(
                "--tag",
                "tags",
                type=TagName(),
                metavar="TAG",
                multiple=True,
                help="Has this tag; repeated, all of them.",
            ),
            click.option(
                "--author", type=Text(), metavar="NAME", help="Written or edited by, or names."
            ),
            click.option(
                "--status",
                type=Text(),
                metavar="STATUS",
                help="As written, or one of draft, active, done, obsolete.",
            ),
            click.option(
                "--since", type=Since(), metavar="WHEN", help="Edited since: 3h, 7d, 2026-11-02."
            ),
        )
    ):
        function = decorate(function)
    return function


def filter_of(
    *,
    path: str | None,
    kinds: tuple[str, ...],
    tags: tuple[str, ...],
    author: str | None,
    status: str | None,
    since: int | None,
    trashed: bool = False,
) -> Filter:
    """What :func:`filter_options` say together."""
    return Filter(
        path=path or "",
        kinds=kinds,
        tags=tags,
        author=author or "",
        status=status or "",
        since=since,
        trashed=trashed,
    )
