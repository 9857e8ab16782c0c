"""Writing: ``new``, ``edit``, ``append``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aimem_tui.cli import output, shapes, texts
from aimem_tui.cli.command import command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import UsageProblem, note
from aimem_tui.cli.options import thought_argument
from aimem_tui.cli.styling import bold
from aimem_tui.cli.types import Text, ThoughtName
from aimem_tui.model import Thought
from aimem_tui.workspace import naming

if TYPE_CHECKING:
    from crdt.textdiff import Splice

    Change = Callable[[str], Sequence[Splice]]

_AT_ONCE = 1.0
"""Seconds in which nobody has edited anything: the editor did not wait for its window."""


@command("new", short_help="Make a thought.")
@click.argument(
    "path", type=ThoughtName(), metavar="PATH", help="Where: plans/auth or plans/auth.md."
)
@click.argument("text", type=Text(), required=False, help="Its text; - reads standard input.")
@click.option("-e", "--edit", is_flag=True, help="Open it in your editor.")
@json_option
@click.pass_obj
def new_command(session: Session, path: str, text: str | None, edit: bool, as_json: bool) -> None:
    """Make a thought.

    Without a text, what is piped in is taken; without that, it begins with its name as a title.

    \b
    aimem new plans/auth --edit
    aimem new notes/standup "# Standup"
    git log -5 | aimem new notes/log -
    """
    if path.endswith("/"):
        raise UsageProblem(
            f"{path} is a folder.", hint="Say what the thought is called in it, as in plans/auth."
        )
    path = naming.with_suffix(path)
    given = texts.given_text(text)
    workspace = session.reading()
    made = workspace.create(path, given or naming.first_text(path))
    if edit:
        _edit(session, made)
        made = workspace.by_id(made.id)
    if as_json:
        output.json_object(shapes.changed(made, True))
    else:
        output.line("Made ", bold(made.path), ".")


@command("edit", short_help="Edit a thought in your editor.")
@thought_argument()
@click.option(
    "--text",
    "source",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Take the new text from a file, or with - from standard input.",
)
@click.option("--replace", "old", type=Text(), metavar="OLD", help="The words to replace.")
@click.option("--with", "new", type=Text(), metavar="NEW", help="What to put in their place.")
@click.option("--every", is_flag=True, help="Replace them wherever they stand.")
@click.option(
    "--section",
    type=Text(),
    metavar="HEADING",
    help="Replace what stands below this heading, by --text or what is piped in.",
)
@json_option
@click.pass_obj
def edit_command(
    session: Session,
    thought: str,
    source: Path | None,
    old: str | None,
    new: str | None,
    every: bool,
    section: str | None,
    as_json: bool,
) -> None:
    """Edit a thought in your editor, or by what is given.

    The editor is the setting `editor`, else $VISUAL, else $EDITOR. When it is closed, what you
    changed is merged in: what others wrote meanwhile stays.

    With --replace exactly these words become others; they must stand there once, unless --every is
    said. With --section what stands below a heading, its subsections included, becomes another
    text. Only what differs is touched.

    \b
    aimem edit plans/auth --replace "30 minutes" --with "15 minutes"
    aimem show plans/auth --section Risks | sed s/high/low/ | aimem edit plans/auth --section Risks
    """
    if (old is None) != (new is None) or (every and old is None):
        raise UsageProblem("--replace and --with go together.", hint="Give both.")
    if old is not None and (section is not None or source is not None):
        raise UsageProblem(
            "Several edits were asked for.", hint="Use --replace, or --section, or --text."
        )
    found = session.find(thought)
    workspace = session.open()
    if old is not None or section is not None:
        from aimem_tui.workspace.agents import editing

        if old is not None and new is not None:
            change = _replacement(old, new, every)
        else:
            change = _new_section(section or "", _section_text(thought, source))
        done = editing.edit(workspace, found.id, change)
        _say_saved(done.thought, done.changed, as_json=as_json)
        return
    if source is None:
        changed = _edit(session, found)
    else:
        changed = workspace.take_back(workspace.hand_out(found.id), _read(source))
    _say_saved(workspace.by_id(found.id), changed, as_json=as_json)


@command("append", short_help="Add lines to a thought.")
@thought_argument()
@click.argument("text", type=Text(), required=False, help="What to add; - reads standard input.")
@click.option(
    "--section", type=Text(), metavar="HEADING", help="Add to what stands below this heading."
)
@json_option
@click.pass_obj
def append_command(
    session: Session, thought: str, text: str | None, section: str | None, as_json: bool
) -> None:
    """Add lines at the end of a thought, or of one of its sections.

    \b
    aimem append notes/shopping "- milk"
    aimem append plans/auth --section Tasks "- [ ] rotate the keys"
    date | aimem append notes/log
    """
    given = texts.given_text(text)
    if given is None:
        raise UsageProblem(
            "There is nothing to add.", hint=f'Say it: aimem append {thought} "- a line".'
        )
    found = session.find(thought)
    workspace = session.open()
    if given and section is not None:
        from aimem_tui.markdown import edits

        found = workspace.edit_text(
            found.id, lambda present: edits.append_to_section(present, section, given)
        )
    elif given:
        found = workspace.append(found.id, given)
    _say_saved(found, bool(given), as_json=as_json)


def _replacement(old: str, new: str, every: bool) -> Change:
    from aimem_tui.markdown import edits

    return lambda text: edits.replace_exact(text, old, new, every=every)


def _new_section(section: str, content: str) -> Change:
    from aimem_tui.markdown import edits

    return lambda text: edits.replace_section(text, section, content)


def _section_text(thought: str, source: Path | None) -> str:
    given = texts.given_text(None) if source is None else _read(source)
    if given is None:
        raise UsageProblem(
            "The section's new text is missing.",
            hint=f"Pipe it in, or use --text FILE: aimem edit {thought} --section HEADING.",
        )
    return given


def _read(source: Path) -> str:
    return texts.read_stdin() if str(source) == "-" else texts.read_file(source)


def _edit(session: Session, thought: Thought) -> bool:
    """Hand a thought to the editor and merge it back; whether it was changed."""
    from aimem_tui.workspace import external_editor

    workspace = session.open()
    handout = workspace.hand_out(thought.id)
    output.flush()
    with external_editor.edited(
        handout.text, thought.name, session.settings.get("editor"), session.home.state / "edit"
    ) as result:
        if not result.changed and result.seconds < _AT_ONCE:
            note("The editor came back at once. If it has a window of its own, make it wait,")
            note("as in: aimem config set editor 'code --wait'.")
        return workspace.take_back(handout, result.text)


def _say_saved(thought: Thought, changed: bool, *, as_json: bool) -> None:
    if as_json:
        output.json_object(shapes.changed(thought, changed))
    elif changed:
        output.line("Saved ", bold(thought.path), ".")
    else:
        output.line("Nothing changed in ", bold(thought.path), ".")
