"""Completion in the shell: ``completion``."""

from __future__ import annotations

import click

from aimem_tui.cli import output
from aimem_tui.cli.command import command


@command("completion", short_help="Print what makes your shell complete.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), help="Your shell.")
def completion_command(shell: str) -> None:
    """Print the script that makes your shell complete commands, thoughts, tags and workspaces.

    \b
    bash   echo 'source <(aimem completion bash)' >> ~/.bashrc
    zsh    echo 'source <(aimem completion zsh)' >> ~/.zshrc
    fish   aimem completion fish > ~/.config/fish/completions/aimem.fish
    """
    from aimem_tui.cli import shells

    output.emit(shells.script(shell))
