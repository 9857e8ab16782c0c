"""``init`` without a template: which agents, what changes, and what was changed."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aimem_tui import words
from aimem_tui.cli import output
from aimem_tui.cli.commands.init_terminal import Terminal, show_difference
from aimem_tui.cli.context import DEFAULT_WORKSPACE, Session
from aimem_tui.cli.diagnostics import note
from aimem_tui.cli.styling import bold, dim
from aimem_tui.errors import BadInput, NotFound, Refused
from aimem_tui.setup import agents, connecting, plugin_copy
from aimem_tui.setup.clients.client import Surroundings
from aimem_tui.setup.clients.names import CLIENTS, SCOPES
from aimem_tui.setup.clients.table import TABLE
from aimem_tui.setup.connecting import Conflict, FileChange, Plan
from aimem_tui.setup.questions import Question, choice, yes_no
from aimem_tui.workspace import project, registry

if TYPE_CHECKING:
    from aimem_tui.workspace.discovery import Source

_SHOWN_LINES = 40
_SHOWN_OF_NEW = 12
_SCOPE_TITLES = (
    "for you, in this project",
    "for you, everywhere",
    "for the whole team, as files to commit",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says."""

    clients: tuple[str, ...]
    scope: str | None
    into: str | None
    root: Path | None
    yes: bool
    """Do it without asking."""
    overwrite: bool
    """Replace what differs, too."""
    dry_run: bool


def connect(session: Session, wanted: Wanted, terminal: Terminal, *, as_json: bool) -> None:
    """Connect a project's agents."""
    from aimem_tui.claude.plugin import plugin_folder

    surroundings = _surroundings(session, wanted)
    clients = list(wanted.clients) or _asked_clients(surroundings, terminal)
    scope = wanted.scope or _asked_scope(terminal)
    made = _project(session, wanted, surroundings.root, scope, terminal)
    everything = agents.wanted(clients, scope, surroundings, made)
    root = None if scope == "user" else surroundings.root
    decide = _Decision(terminal, overwrite=wanted.overwrite, dry_run=wanted.dry_run)
    planned = connecting.plan(everything, root, session.home, decide)
    if not as_json:
        _show(planned)
    backup = None
    if not wanted.dry_run:
        if planned.changes:
            _agree(wanted, terminal, "Make these changes?")
        if "claude" in clients and scope != "project":
            plugin_copy.refresh(session.home.data, plugin_folder())
        backup = connecting.apply(planned, session.home, session.clock())
    sources = [] if scope == "user" else agents.thoughts_to_import(root or Path(), Path.home())
    hints = agents.hints(clients, scope, surroundings.root) if planned.changes else []
    if as_json:
        shape = _shape(planned, backup, dry_run=wanted.dry_run)
        output.json_object(
            {
                "clients": clients,
                "scope": scope,
                "workspace": made.workspace,
                "into": made.into,
                **shape,
                "hints": hints,
                "thoughts": [str(source.path) for source in sources],
            }
        )
        return
    _say_done(planned, backup, dry_run=wanted.dry_run, nothing="Everything is connected already.")
    for hint in hints:
        note(hint)
    if planned.changes and not wanted.dry_run:
        note("To take it out again: aimem init --remove.")
    if not wanted.dry_run:
        _offer_imports(session, made, sources, terminal)


def remove(session: Session, wanted: Wanted, terminal: Terminal, *, as_json: bool) -> None:
    """Take out what was connected."""
    if wanted.into is not None:
        raise BadInput("--into does not go with --remove.")
    surroundings = _surroundings(session, wanted)
    root = None if wanted.scope == "user" else surroundings.root
    planned = connecting.plan_removal(root, session.home, wanted.clients)
    if not as_json:
        _show(planned)
    backup = None
    if not wanted.dry_run:
        if planned.changes:
            _agree(wanted, terminal, "Take this out?")
        backup = connecting.apply(planned, session.home, session.clock())
        connecting.remove_unused_plugin(session.home)
    if as_json:
        output.json_object(_shape(planned, backup, dry_run=wanted.dry_run))
        return
    nothing = "There is nothing of aimem's to take out"
    where = "in your own settings" if root is None else f"in {root}"
    _say_done(planned, backup, dry_run=wanted.dry_run, nothing=f"{nothing} {where}.")
    if not planned.changes and root is not None:
        note("What was added for you everywhere: aimem init --remove --scope user.")


def _surroundings(session: Session, wanted: Wanted) -> Surroundings:
    if wanted.root is not None:
        if not wanted.root.is_dir():
            raise NotFound(f"There is no folder {wanted.root}.")
        root = wanted.root.resolve()
    else:
        root = agents.project_root(Path.cwd().resolve())
    return Surroundings(root, Path.home(), session.home.data)


def _asked_clients(surroundings: Surroundings, terminal: Terminal) -> list[str]:
    found = agents.suggested(surroundings)
    if not terminal.asks:
        return [CLIENTS[0]]

    def parse(answer: str) -> list[str]:
        chosen = []
        for word in answer.replace(",", " ").split():
            if word.isdigit() and 1 <= int(word) <= len(CLIENTS):
                chosen.append(CLIENTS[int(word) - 1])
            elif word.casefold() in CLIENTS:
                chosen.append(word.casefold())
            else:
                raise ValueError(f"{word} is none of them. Type names or numbers.")
        if not chosen:
            raise ValueError("Type at least one.")
        return list(dict.fromkeys(chosen))

    titles = tuple(f"{name:<10}{TABLE[name].title}" for name in CLIENTS)
    help_line = "Several with spaces between. Those that seem to be here are chosen already."
    question = Question("Which agents", help_line, " ".join(found), parse, titles)
    chosen: list[str] = terminal.put(question)
    return chosen


def _asked_scope(terminal: Terminal) -> str:
    if not terminal.asks:
        return SCOPES[0]
    titles = [f"{name:<9}{title}" for name, title in zip(SCOPES, _SCOPE_TITLES, strict=True)]
    return SCOPES[terminal.put(choice("For whom", "It can be taken out again.", titles))]


def _project(
    session: Session, wanted: Wanted, root: Path, scope: str, terminal: Terminal
) -> project.Project:
    """The workspace of the project, and the folder in it."""
    known = project.project_of(root)
    known = known if known is not None and known.root == root else None
    name = session.named_workspace or (known.workspace if known else "")
    if not name:
        name = _asked_workspace(session, scope, terminal)
    if name != DEFAULT_WORKSPACE:
        registry.require(session.home, name)
    into = wanted.into if wanted.into is not None else (known.into if known else None)
    if into is None:
        into = _asked_into(scope, terminal)
    return project.Project(root, name, _checked_into(into))


def _asked_workspace(session: Session, scope: str, terminal: Terminal) -> str:
    used = session.workspace_name
    names = [entry.name for entry in registry.entries(session.home)]
    if scope == "user" or not terminal.asks or len(names) < 2 or used not in names:
        return used
    question = choice(
        "Which workspace", "The one that this project's thoughts are in.", names, names.index(used)
    )
    at: int = terminal.put(question)
    return names[at]


def _asked_into(scope: str, terminal: Terminal) -> str:
    if scope == "user" or not terminal.asks:
        return ""

    def parse(answer: str) -> str:
        try:
            return _checked_into(answer)
        except BadInput as error:
            raise ValueError(str(error)) from None

    help_line = "The folder in the workspace for this project. Enter alone: no folder of its own."
    into: str = terminal.put(Question("Folder", help_line, "", parse))
    return into


def _checked_into(into: str) -> str:
    from aimem_tui.markdown import paths

    into = into.strip().strip("/")
    return paths.check_path(into) if into else ""


@dataclass(frozen=True, slots=True)
class _Decision:
    terminal: Terminal
    overwrite: bool
    dry_run: bool

    def __call__(self, conflict: Conflict) -> bool:
        """Whether to replace what is there."""
        if self.overwrite:
            return True
        if not self.terminal.asks or self.dry_run:
            return False
        note()
        note(bold(str(conflict.file)), f" has another value for {conflict.named}:")
        show_difference(_unified(conflict.was, conflict.wanted))
        question = yes_no("Replace it?", "It comes back with --remove.", default=False)
        return bool(self.terminal.put(question))


def _agree(wanted: Wanted, terminal: Terminal, text: str) -> None:
    if wanted.yes:
        return
    if not terminal.asks:
        raise Refused(
            "Nothing was changed.",
            why="Nobody can be asked here.",
            hint="To do what stands above, add --no-input. To only see it: --dry-run.",
        )
    if not terminal.put(yes_no(text, "A copy of each file is kept.", default=True)):
        raise Refused("Nothing was changed.")


def _show(planned: Plan) -> None:
    for change in planned.changes:
        note()
        note(bold(str(change.file)), dim(f"  {_what(change)}"))
        lines = _unified(change.before or "", change.after or "")
        if change.before is None or change.after is None:
            lines = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        most = _SHOWN_OF_NEW if change.before is None else _SHOWN_LINES
        if len(lines) > most:
            rest = len(lines) - most
            lines = [*lines[:most], f"and {words.count(rest, 'more line', 'more lines')}"]
        show_difference(lines)
    for remark in planned.remarks:
        note()
        for line in remark.splitlines():
            note(line)


def _what(change: FileChange) -> str:
    if change.before is None:
        return "new file"
    return "removed" if change.after is None else "changed"


def _unified(before: str, after: str) -> list[str]:
    return list(
        difflib.unified_diff(
            before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=2
        )
    )


def _say_done(planned: Plan, backup: Path | None, *, dry_run: bool, nothing: str) -> None:
    if not planned.changes:
        output.line(nothing)
        return
    verb = "Would change" if dry_run else "Changed"
    output.line(f"{verb} {words.count(len(planned.changes), 'file')}.")
    if backup is not None:
        output.line("What was there is kept in ", bold(str(backup)), ".")


def _shape(planned: Plan, backup: Path | None, *, dry_run: bool) -> dict[str, object]:
    return {
        "project": str(planned.root) if planned.root else None,
        "dry_run": dry_run,
        "files": [
            {"path": str(change.file), "state": _what(change).removesuffix(" file")}
            for change in planned.changes
        ],
        "remarks": list(planned.remarks),
        "backup": str(backup) if backup else None,
    }


def _offer_imports(
    session: Session, made: project.Project, sources: list[Source], terminal: Terminal
) -> None:
    for source in sources:
        into = "/".join(part for part in (made.into, source.into) if part)
        where = f" --into {into}" if into else ""
        if not terminal.asks:
            note(
                f"Thoughts are in {source.path}."
                f" To take them in: aimem import {source.path}{where}."
            )
            continue
        count = words.count(source.files, "file")
        help_line = f"{count} of markdown; the folder itself stays as it is."
        if terminal.put(yes_no(f"Take in {source.path}?", help_line, default=True)):
            _import(session, made, source, into)


def _import(session: Session, made: project.Project, source: Source, into: str) -> None:
    from aimem_tui.cli.progress import LongWork
    from aimem_tui.model import ImportOptions

    session.named_workspace = made.workspace
    workspace = session.reading()
    with LongWork() as work:
        options = ImportOptions(
            author=workspace.author, into=into, progress=work.progress, stop=work.stop
        )
        report = workspace.import_folder(source.path, options)
    counted = f"{report.created:,} new, {report.updated:,} updated, {report.unchanged:,} unchanged"
    output.line(f"Imported: {counted}.")
