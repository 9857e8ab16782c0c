"""All commands there are."""

from __future__ import annotations

import click

from aimem_tui.cli.root import root

WITHOUT_JSON = {("completion",), ("hook",), ("mcp",), ("relay",)}
"""What is printed there is for a shell, or comes from another program."""


def every_command(
    group: click.Group = root, path: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], click.Command]]:
    """All commands with the words that call them, groups included."""
    found: list[tuple[tuple[str, ...], click.Command]] = [(path, group)]
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found += every_command(command, (*path, name))
        else:
            found.append(((*path, name), command))
    return found
