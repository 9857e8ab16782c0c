"""The types of values on the command line, and how each is completed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

import click

from aimem_tui.cli.context import Session
from aimem_tui.cli.times import parse_since

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

GUARD = "\0"
"""Put before text that must not be taken for an option; no argument of a program can hold it."""

TEXT_START = re.compile(r"-\s|---")


class Text(click.ParamType[str]):
    """Any text that is valid Unicode."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what came as bytes that are not UTF-8."""
        value = value.removeprefix(GUARD)
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail("It is not valid UTF-8.", param, ctx)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        """What the workspace has to offer, if this type knows how to ask it."""
        from click.shell_completion import CompletionItem

        session = ctx.find_object(Session)
        if session is None:
            return []
        return [CompletionItem(value) for value in self.candidates(session, incomplete)]

    def candidates(self, session: Session, beginning: str) -> Iterable[str]:
        """Values that begin so."""
        return ()


class ThoughtName(Text):
    """A thought as a person names it: path, earlier path, file name, or the start of its id."""

    name = "thought"

    def __init__(self, *, trashed: bool = False) -> None:
        self.trashed = trashed

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        """Paths, a folder at a time."""
        from click.shell_completion import CompletionItem

        session = ctx.find_object(Session)
        if session is None:
            return []
        return [
            CompletionItem(value, type="thought") for value in self.candidates(session, incomplete)
        ]

    def candidates(self, session: Session, beginning: str) -> Iterable[str]:
        """Paths of thoughts and folders."""
        from aimem_tui.cli import candidates

        return candidates.paths(session, beginning, trashed=self.trashed)


class FolderName(ThoughtName):
    """A folder of the workspace."""

    name = "folder"

    def candidates(self, session: Session, beginning: str) -> Iterable[str]:
        """Paths of folders."""
        return [path for path in super().candidates(session, beginning) if path.endswith("/")]


class TagName(Text):
    """A tag."""

    name = "tag"

    def candidates(self, session: Session, beginning: str) -> Iterable[str]:
        """Tags in use."""
        from aimem_tui.cli import candidates

        return candidates.tags(session, beginning)


class WorkspaceName(Text):
    """The name of a workspace."""

    name = "workspace"

    def candidates(self, session: Session, beginning: str) -> Iterable[str]:
        """Workspaces of this machine."""
        from aimem_tui.cli import candidates

        return candidates.workspaces(session, beginning)


class SettingKey(Text):
    """The key of a setting."""

    name = "key"

    def candidates(self, session: Session, beginning: str) -> Iterable[str]:
        """All keys."""
        from aimem_tui.settings import SETTINGS

        return [setting.key for setting in SETTINGS if setting.key.startswith(beginning)]


class Since(click.ParamType[int]):
    """A moment; see :func:`aimem_tui.cli.times.parse_since`."""

    name = "when"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The moment in milliseconds since the Unix epoch."""
        if isinstance(value, int):
            return value
        session = ctx.find_object(Session) if ctx is not None else None
        clock: Callable[[], int] = (session or Session()).clock
        try:
            return parse_since(value, clock())
        except ValueError:
            self.fail(
                f"{value} is not a time. Write 3h, 7d, 2w, yesterday, 2026-11-02 or"
                " 2026-11-02T09:30.",
                param,
                ctx,
            )


class Lines(NamedTuple):
    """Lines from ``first`` to ``last``, both counted from 1 and both meant; None: to the end."""

    first: int
    last: int | None


class LineRange(click.ParamType[Lines]):
    """``12``, ``12-20``, ``12-`` or ``-20``."""

    name = "lines"
    _FORM = re.compile(r"(\d{1,9})?(-)?(\d{1,9})?")

    def convert(
        self, value: str | Lines, param: click.Parameter | None, ctx: click.Context | None
    ) -> Lines:
        """The two ends."""
        if isinstance(value, Lines):
            return value
        match = self._FORM.fullmatch(value.strip())
        if match is None or not (match[1] or match[3]):
            self.fail(f"{value} is not a range of lines. Write 12, 12-20, 12- or -20.", param, ctx)
        first = int(match[1] or 1)
        last = int(match[3]) if match[3] else None if match[2] else first
        if first < 1 or (last is not None and last < first):
            self.fail(f"{value} holds no line. The first line is 1.", param, ctx)
        return Lines(first, last)
