"""The language model that may help: ``assist``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aimem_tui.cli import output, shapes
from aimem_tui.cli.command import SETTINGS, LazyGroup, command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import can_ask, confirm, note
from aimem_tui.cli.styling import bold
from aimem_tui.cli.types import Text
from aimem_tui.errors import BadInput, Refused

if TYPE_CHECKING:
    from aimem_tui.assist.budget import Spent
    from aimem_tui.assist.configured import Configured


@click.group(
    "assist",
    cls=LazyGroup,
    default="status",
    short_help="The language model that may help.",
    context_settings=SETTINGS,
)
def assist_command() -> None:
    """The language model that may help. Without a command, say which one and what it may do."""


@command("status", short_help="Which model, what it is sent, and what it has cost.")
@json_option
@click.pass_obj
def status_command(session: Session, as_json: bool) -> None:
    """Say which language model is set up, what it is sent where, and what it has cost today."""
    from aimem_tui.assist.configured import Configured, what_is_sent
    from aimem_tui.workspace import asking

    configured = Configured.read(session.settings.get)
    has_key = configured.use == "claude" and bool(asking.kept_key(session.home))
    spent = asking.ledger(session.home, session.clock).today()
    if as_json:
        output.json_object({"assist": shapes.assist(configured, spent, has_key=has_key)})
        return
    if configured.use == "off":
        output.line("No language model is used. Search and suggestions work without one.")
        note("To set one up: aimem assist setup claude, or aimem assist setup llama FILE.")
        return
    output.fields(_status_rows(configured, spent, has_key=has_key))
    output.line("")
    for sentence in what_is_sent(configured):
        output.line(sentence)


@command("setup", short_help="Set a language model up.")
@click.argument(
    "which",
    type=click.Choice(["claude", "llama"]),
    help="Anthropic's service, or a model on this machine.",
)
@click.argument(
    "file",
    type=click.Path(path_type=Path),
    required=False,
    metavar="[FILE]",
    help="For llama: the model, a GGUF file.",
)
@click.option("--model", type=Text(), metavar="NAME", help="Which of Anthropic's models.")
@click.option("--key-stdin", is_flag=True, help="Read the key from standard input.")
@click.option("--agree", is_flag=True, help="Agree to what is sent where without being asked.")
@json_option
@click.pass_obj
def setup_command(
    session: Session,
    which: str,
    file: Path | None,
    model: str | None,
    key_stdin: bool,
    agree: bool,
    as_json: bool,
) -> None:
    """Set a language model up, after showing what it will be sent.

    The key for Claude is asked for, or read from standard input, and kept in the system's keyring;
    it is never part of the command line. The model is tried out before it is kept.

    \b
    aimem assist setup claude
    aimem assist setup claude --model claude-sonnet-5-5
    aimem assist setup llama ~/models/qwen3-4b-q4.gguf
    """
    from aimem_tui.assist.configured import Configured

    changes = {"assist.use": which}
    if which == "claude":
        if file is not None:
            raise BadInput("A file is for llama, not for claude.")
        if model is not None:
            changes["assist.claude-model"] = model
    else:
        if model is not None or key_stdin:
            raise BadInput("A model's name and a key are for claude, not for llama.")
        known = session.settings.get("assist.llama-file")
        if file is None and not known:
            raise BadInput(
                "No model was given.", hint="Give its GGUF file: aimem assist setup llama FILE."
            )
        changes["assist.llama-file"] = str(file.expanduser().absolute()) if file else known
    configured = Configured.read(lambda key: changes.get(key) or session.settings.get(key))
    _agree(configured, agree=agree)
    where, tried = _try(session, configured, key_stdin=key_stdin)
    for key, value in changes.items():
        session.settings.set(key, value)
    session.settings.set("assist.agreed", configured.agreement)
    if as_json:
        spent = _spent(session)
        output.json_object({"assist": shapes.assist(configured, spent, has_key=which == "claude")})
    else:
        output.line(bold(configured.model), " is set up. To ask it: aimem ask QUESTION.")
    if tried:
        note(tried)
    if where:
        note(f"There is no keyring here. The key is in {where}, which only you can read.")


@command("off", short_help="Use no language model.")
@json_option
@click.pass_obj
def off_command(session: Session, as_json: bool) -> None:
    """Use no language model any more. The key is removed, and what was agreed to forgotten."""
    from aimem_tui.assist.configured import Configured
    from aimem_tui.workspace import asking

    had_key = bool(asking.kept_key(session.home))
    asking.forget_key(session.home)
    for key in ("assist.use", "assist.agreed"):
        session.settings.unset(key)
    if as_json:
        configured = Configured.read(session.settings.get)
        output.json_object({"assist": shapes.assist(configured, _spent(session), has_key=False)})
    else:
        removed = " The key is removed." if had_key else ""
        output.line(f"No language model is used any more.{removed}")


for _command in (status_command, setup_command, off_command):
    assist_command.add_command(_command)


def _agree(configured: Configured, *, agree: bool) -> None:
    """Show what is sent where, and have it agreed to.

    Raises:
        Refused: if it is not.
    """
    from aimem_tui.assist.configured import what_is_sent

    for sentence in what_is_sent(configured):
        note(sentence)
    if agree:
        return
    if not can_ask():
        raise Refused(
            "Nothing was set up.",
            why="What is sent where has to be agreed to, and nobody can be asked here.",
            hint="To agree to what stands above, add --agree.",
        )
    if not confirm("Do you agree?"):
        raise Refused("Nothing was set up, and nothing is sent.")


def _try(session: Session, configured: Configured, *, key_stdin: bool) -> tuple[str, str]:
    """Try the model out, and keep the key if there is one.

    Returns: the file that the key is in, if it is in one; and what a person should know.

    Raises:
        AimemError: if the model cannot be used.
    """
    from aimem_tui.assist.claude import Claude
    from aimem_tui.assist.llama import Llama
    from aimem_tui.workspace import asking

    key = _key(session, from_stdin=key_stdin) if configured.use == "claude" else ""
    adapter = configured.adapter(key)
    with closing(adapter):
        if isinstance(adapter, Llama):
            held = adapter.check()
            return "", f"It holds {held} tokens of question and answer."
        assert isinstance(adapter, Claude)
        known = adapter.check()
        return asking.keep_key(session.home, key), f"{known} takes the key."


def _key(session: Session, *, from_stdin: bool) -> str:
    """The key for Claude: given, asked for, or the one that is kept already."""
    from aimem_tui.cli.texts import read_stdin
    from aimem_tui.workspace import asking

    if from_stdin:
        key = read_stdin().strip()
        if not key:
            raise BadInput("No key came in.", hint="Give it on standard input.")
        return key
    kept = asking.kept_key(session.home)
    if can_ask():
        import getpass

        hint = " (empty: the one that is kept)" if kept else ""
        return getpass.getpass(f"Anthropic API key{hint}: ").strip() or kept
    return kept


def _spent(session: Session) -> Spent:
    from aimem_tui.workspace import asking

    return asking.ledger(session.home, session.clock).today()


def _status_rows(configured: Configured, spent: Spent, *, has_key: bool) -> list[tuple[str, str]]:
    from aimem_tui.assist.budget import dollars

    rows = [
        ("Model", configured.model),
        ("Agreed", "yes" if configured.agreed == configured.agreement else "no"),
    ]
    if configured.use == "claude":
        rows += [
            ("Key", "kept" if has_key else "missing"),
            ("Today", f"{dollars(spent.cost)} of {dollars(configured.day_limit)}"),
        ]
    return [
        *rows,
        ("Calls today", f"{spent.calls}, {spent.tokens_in} tokens in, {spent.tokens_out} out"),
    ]
