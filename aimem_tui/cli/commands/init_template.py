"""``init --template``: what is asked, and what is said in the end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aimem_tui import words
from aimem_tui.cli import output
from aimem_tui.cli.commands.init_terminal import Terminal, show_difference
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import note
from aimem_tui.cli.styling import bold, dim
from aimem_tui.errors import Refused
from aimem_tui.setup.comparing import Item, difference
from aimem_tui.setup.making import Made, Order, Person, make
from aimem_tui.setup.programs import Program
from aimem_tui.setup.questions import letters

if TYPE_CHECKING:
    from aimem_tui.setup.sources import Template


def run(
    session: Session,
    order: Order,
    terminal: Terminal,
    *,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Render a template, and say what came of it."""
    person = Person(
        terminal.ask,
        _Consent(terminal, order.trusted),
        _Decision(terminal, overwrite=overwrite, dry_run=order.dry_run),
    )
    name = session.settings.value("user.name")
    made = make(
        order,
        person,
        session.home,
        name=name.value if name.source != "default" else "",
        now=session.clock(),
    )
    if as_json:
        output.json_object(_shape(made, dry_run=order.dry_run))
    else:
        _print(made, dry_run=order.dry_run)


@dataclass(frozen=True, slots=True)
class _Consent:
    terminal: Terminal
    accepted: bool

    def __call__(self, template: Template, programs: list[Program]) -> bool:
        """Whether a template's programs may run; False: render without its hooks."""
        note(bold(f"The template {template.name} runs programs of its own:"))
        for program in programs:
            size = f"{words.count(program.lines, 'line')}, {words.size(program.size)}"
            note(f"  {program.path}", dim(f"  {size}"))
        note(dim(f"They are in {template.folder}."))
        if self.accepted:
            return True
        if not self.terminal.asks:
            raise Refused(
                "Nothing was written.",
                why="The template runs programs of its own, and nobody agreed to that.",
                hint="Read them. To let them run, add --accept-hooks.",
            )
        meanings = {
            "run": "they may do anything that you may",
            "without": "render without them",
            "stop": "write nothing",
        }
        answer = self.terminal.put(letters("Let them run?", meanings, "stop"))
        if answer == "stop":
            raise Refused("Stopped. Nothing was written.")
        return bool(answer == "run")


@dataclass(frozen=True, slots=True)
class _Decision:
    terminal: Terminal
    overwrite: bool
    dry_run: bool

    def __call__(self, item: Item) -> str:
        """What becomes of a file that differs."""
        if self.overwrite:
            return "theirs"
        if not self.terminal.asks:
            return "mine"
        note()
        note(bold(item.path), " is there already and differs:")
        show_difference(difference(item))
        if self.dry_run:
            return "mine"
        meanings = {
            "mine": "keep what is there",
            "theirs": "take the template's",
            "all": "take the template's for all that follow",
            "stop": "write nothing",
        }
        return str(self.terminal.put(letters("Which one?", meanings, "mine")))


def _print(made: Made, *, dry_run: bool) -> None:
    decided = made.decided
    count = len(decided.new) + len(decided.replaced)
    verb = "Would write" if dry_run else "Wrote"
    if not count:
        output.line("Nothing to write: all of ", bold(made.template), " is there.")
    else:
        output.line(f"{verb} {words.count(count, 'file')} to ", bold(str(made.folder)), ".")
    for title, items in (("new", decided.new), ("replaced", decided.replaced)):
        for item in items:
            output.line(f"  {title:<8}  ", item.path)
    for item in decided.kept:
        output.line("  kept      ", item.path, dim("  yours differs"))
    if decided.equal:
        output.line(dim(f"  {words.count(len(decided.equal), 'file')} the same already"))
    _print_backup(made.backup)
    for notice in made.notices:
        note(notice)
    if decided.kept:
        note("To see how they differ, run it in a terminal. To overwrite them: --yes.")


def _print_backup(backup: Path | None) -> None:
    if backup is not None:
        output.line("What was there is kept in ", bold(str(backup)), ".")


def _shape(made: Made, *, dry_run: bool) -> dict[str, object]:
    decided = made.decided
    states = {
        "new": decided.new,
        "equal": decided.equal,
        "kept": decided.kept,
        "replaced": decided.replaced,
    }
    return {
        "template": made.template,
        "folder": str(made.folder),
        "dry_run": dry_run,
        "files": [
            {"path": item.path, "state": state} for state, items in states.items() for item in items
        ],
        "variables": made.values,
        "backup": str(made.backup) if made.backup else None,
        "notices": list(made.notices),
    }
