"""Keeping order: ``move``, ``tag``, ``set``."""

from __future__ import annotations

import click

from aimem_tui.cli import output, shapes
from aimem_tui.cli.command import command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import UsageProblem
from aimem_tui.cli.options import thought_argument, thoughts_argument
from aimem_tui.cli.styling import bold
from aimem_tui.cli.types import TagName, Text, ThoughtName
from aimem_tui.errors import Refused
from aimem_tui.model import Thought
from aimem_tui.workspace import naming
from aimem_tui.workspace.workspace import Workspace


@command("move", short_help="Give thoughts another path.")
@thoughts_argument()
@click.argument(
    "path", type=ThoughtName(), metavar="PATH", help="The new path, or a folder: archive/."
)
@json_option
@click.pass_obj
def move_command(session: Session, thoughts: tuple[str, ...], path: str, as_json: bool) -> None:
    """Give thoughts another path.

    Into a folder that exists, or that is written with a slash at its end, a thought goes under
    its own name. The old path still leads to it.

    \b
    aimem move plans/auth plans/login
    aimem move notes/a notes/b archive/
    """
    found = [session.find(name) for name in thoughts]
    workspace = session.open()
    targets = _targets(workspace, found, path)
    twice = {target for target in targets if targets.count(target) > 1}
    if twice:
        raise Refused(f"Two thoughts would be at {sorted(twice)[0]}.", hint="Move them one by one.")
    moved = [
        workspace.move(thought.id, target) for thought, target in zip(found, targets, strict=True)
    ]
    if as_json:
        output.json_object(shapes.thoughts(moved))
        return
    for before, after in zip(found, moved, strict=True):
        output.line("Moved ", bold(before.path), " to ", bold(after.path), ".")


@command("tag", short_help="Add, remove and list tags.")
@thought_argument()
@click.argument("tags", type=TagName(), nargs=-1, metavar="[TAG]...", help="Tags to add.")
@click.option(
    "-r", "--remove", type=TagName(), multiple=True, metavar="TAG", help="A tag to remove."
)
@json_option
@click.pass_obj
def tag_command(
    session: Session, thought: str, tags: tuple[str, ...], remove: tuple[str, ...], as_json: bool
) -> None:
    """Add tags to a thought and remove them; without any, list those it has.

    \b
    aimem tag plans/auth api security
    aimem tag plans/auth --remove draft
    """
    found = session.find(thought)
    workspace = session.open()
    before = found.tags
    if tags:
        found = workspace.add_tags(found.id, tags)
    if remove:
        found = workspace.remove_tags(found.id, remove)
    if as_json:
        output.json_object(shapes.changed(found, found.tags != before))
    elif tags or remove:
        now = ", ".join(found.tags) or "no tags"
        output.line(bold(found.path), f": {now}.")
    else:
        for tag in found.tags:
            output.line(tag)


@command("set", short_help="Set a property of a thought.")
@thought_argument()
@click.argument("key", type=Text(), metavar="KEY", help="The property: status, owner.")
@click.argument(
    "values", type=Text(), nargs=-1, metavar="[VALUE]...", help="Its value; several make a list."
)
@click.option("--list", "as_list", is_flag=True, help="Write a list, even of one value or none.")
@click.option("--unset", is_flag=True, help="Remove the property.")
@json_option
@click.pass_obj
def set_command(
    session: Session,
    thought: str,
    key: str,
    values: tuple[str, ...],
    as_list: bool,
    unset: bool,
    as_json: bool,
) -> None:
    """Set a property in the lines at the top of a thought; nothing else there changes.

    \b
    aimem set plans/auth status "in progress"
    aimem set plans/auth reviewers Ada Ben
    aimem set plans/auth status --unset
    """
    if unset and (values or as_list):
        raise UsageProblem("--unset takes no value.", hint=f"Say the value, or --unset {key}.")
    if not values and not unset and not as_list:
        raise UsageProblem(
            f"The value of {key} is missing.",
            hint=f"Say it, or remove the property: aimem set {thought} {key} --unset.",
        )
    found = session.find(thought)
    workspace = session.open()
    before = workspace.text(found.id)
    if unset:
        found = workspace.remove_property(found.id, key)
    else:
        single = len(values) == 1 and not as_list
        found = workspace.set_property(found.id, key, values[0] if single else values)
    changed = workspace.text(found.id) != before
    if as_json:
        output.json_object(shapes.changed(found, changed))
    elif not changed:
        output.line("Nothing changed in ", bold(found.path), ".")
    elif unset:
        output.line(bold(found.path), f": {key} removed.")
    else:
        output.line(bold(found.path), f": {key} is {', '.join(values) or 'empty'}.")


def _targets(workspace: Workspace, thoughts: list[Thought], path: str) -> list[str]:
    folder = path.strip("/")
    into_folder = len(thoughts) > 1 or path.endswith("/") or _is_folder(workspace, folder)
    if into_folder:
        return [f"{folder}/{thought.name}".lstrip("/") for thought in thoughts]
    suffix = "." + thoughts[0].name.rpartition(".")[2] if "." in thoughts[0].name[1:] else ""
    return [naming.with_suffix(path, suffix)]


def _is_folder(workspace: Workspace, path: str) -> bool:
    siblings = workspace.folders(path.rpartition("/")[0])
    return any(folder.path == path for folder in siblings)
