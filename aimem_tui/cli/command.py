"""Commands and groups as aimem uses them: click's, with a few habits of their own.

- ``--workspace`` is understood before the command and after it.
- A group knows its commands by name, module and one line of help, and imports a module only when
  its command is called; listing and completing names imports nothing.
- Text that begins with a dash and a blank, or with three dashes, is text (``"- milk"``), never an
  option: most texts that a person appends to a list begin so.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from aimem_tui.cli.context import Session
from aimem_tui.cli.types import GUARD, TEXT_START, Text, WorkspaceName

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

HELP_NAMES = ("-h", "--help")
SETTINGS: dict[str, Any] = {"help_option_names": list(HELP_NAMES), "max_content_width": 100}

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Listed(NamedTuple):
    """A command that has not been imported: ``module`` holds it as ``<name>_command``."""

    name: str
    module: str
    help: str
    section: str = "Commands"

    def load(self) -> click.Command:
        """Import the command."""
        module = importlib.import_module(f"aimem_tui.cli.commands.{self.module}")
        command = getattr(module, f"{self.name}_command")
        assert isinstance(command, click.Command)
        return command


def workspace_option() -> click.Option:
    """``--workspace``, which the session remembers."""

    def remember(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
        session = ctx.find_object(Session)
        if value and session is not None:
            session.named_workspace = value

    return click.Option(
        ["-w", "--workspace"],
        type=WorkspaceName(),
        metavar="NAME",
        help="The workspace to use.",
        expose_value=False,
        callback=remember,
    )


class Command(click.Command):
    """A command of aimem's."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(**kwargs)
        self.params.append(workspace_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does, with text that begins with a dash kept apart from options."""
        if any(isinstance(param.type, Text) for param in self.params):
            args = [GUARD + arg if TEXT_START.match(arg) else arg for arg in args]
        return super().parse_args(ctx, args)


class LazyGroup(click.Group):
    """A group whose commands are listed in a table.

    Args:
        listed: its commands in the order in which they are shown.
        default: the command that is meant where there are no words, or only options; and where
            the first word is no command's name, if this command takes arguments.
    """

    def __init__(
        self,
        *,
        listed: Sequence[Listed] = (),
        default: str = "",
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(**kwargs)
        self.params.append(workspace_option())
        self.listed = {entry.name: entry for entry in listed}
        self._default = default

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names in the order of the table."""
        return [*self.listed, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name in self.listed:
            return self.listed[cmd_name].load()
        return super().get_command(ctx, cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command's name in front where none is given."""
        if self._default:
            own = _workspace_words(args)
            if self._means_default(ctx, args[own:]):
                args = [*args[:own], self._default, *args[own:]]
        return super().parse_args(ctx, args)

    def _means_default(self, ctx: click.Context, args: list[str]) -> bool:
        if not args:
            return not ctx.resilient_parsing
        if args[0] in (*self.list_commands(ctx), *HELP_NAMES):
            return False
        return args[0].startswith("-") or self._default_argument(ctx) is not None

    def _default_argument(self, ctx: click.Context) -> click.Argument | None:
        """The first argument of the default command, if it takes any."""
        command = self.get_command(ctx, self._default) if self._default else None
        params = command.params if command is not None else []
        return next((param for param in params if isinstance(param, click.Argument)), None)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names.

        Raises:
            click.UsageError: with the nearest names.
        """
        known = self.list_commands(ctx)
        if args[0] not in known and not ctx.resilient_parsing:
            import difflib

            near = difflib.get_close_matches(args[0], known, n=1)
            ask = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"There is no command called {args[0]}.{ask}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by section, from the table."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for entry in self.listed.values():
            sections.setdefault(entry.section, []).append((entry.name, entry.help))
        for name, command in self.commands.items():
            help_text = command.get_short_help_str(limit=100)
            sections.setdefault("Commands", []).append((name, help_text))
        width = max(len(name) for rows in sections.values() for name, _ in rows)
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), help_text) for name, help_text in rows])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        """Names of commands, without importing them; those of the default command's values, too."""
        from click.shell_completion import CompletionItem

        found: list[CompletionItem[Any]] = [
            CompletionItem(entry.name, help=entry.help)
            for entry in self.listed.values()
            if entry.name.startswith(incomplete)
        ]
        found += [
            CompletionItem(name, help=command.get_short_help_str())
            for name, command in self.commands.items()
            if name.startswith(incomplete)
        ]
        found += click.Command.shell_complete(self, ctx, incomplete)
        argument = self._default_argument(ctx)
        if argument is not None:
            found += argument.shell_complete(ctx, incomplete)
        return found


def _workspace_words(args: Sequence[str]) -> int:
    """How many words at the beginning are about the workspace."""
    at = 0
    while at < len(args) and args[at].startswith(("-w", "--workspace")):
        at += 2 if args[at] in ("-w", "--workspace") else 1
    return at


def command(
    name: str,
    **attributes: Any,  # noqa: ANN401
) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a command of aimem's."""
    return click.command(name, cls=Command, context_settings=SETTINGS, **attributes)
