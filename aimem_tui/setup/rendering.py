"""Rendering a template into a private temporary folder, exactly as cookiecutter renders it.

- Cookiecutter's own functions do the work; only what it keeps for itself outside of the target
  (answers for replay, clones) is left out.
- Before anything is rendered, every name that will be made is checked: none may lead out of the
  folder, and no link of the template's may lead out of the template.
- A template's programs run only if that was agreed to. What they print goes to standard error.
- Expressions in a template could reach into Python and run anything, too. Unless the template is
  trusted, they are evaluated in Jinja's sandbox, which gives the same for all that do not.
- The private folder ends with the name of the final one, and wherever its path was rendered or
  written by a hook, the final path takes its place: so files are as if made there at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aimem_tui.bridge.files import printable
from aimem_tui.errors import BadInput, Refused
from aimem_tui.setup import variables
from aimem_tui.setup.confining import refuse_links_out, refuse_names_out
from aimem_tui.setup.failures import explained
from aimem_tui.setup.programs import Program, programs
from aimem_tui.setup.questions import Ask
from aimem_tui.setup.sources import PARTS, PINNED, Template, own_template
from aimem_tui.setup.surroundings import importable, sandbox, swept
from aimem_tui.setup.variables import Context

_DEEPEST = 10
"""So many templates may name one another."""

Consent = Callable[[Template, list[Program]], bool]
"""Asks whether a template's programs may run; returns False to render without its hooks."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants of a template."""

    template: Template
    output: Path
    """The folder that the rendered folder goes into; a real path."""
    config: Mapping[str, Any]
    """Cookiecutter's configuration."""
    strict: bool = False
    """The configuration was named by the person, so that all of it has to fit."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """Values for variables."""
    suggested: Mapping[str, Any] = field(default_factory=dict)
    """Defaults that this machine suggests."""
    trusted: bool = False
    """The template may do anything."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a template gave."""

    folder: Path
    """The private folder that stands for the output folder."""
    values: dict[str, Any]
    """The public variables."""
    notices: list[str]


def render(wishes: Wishes, private: Path, ask: Ask | None, consent: Consent) -> Rendered:
    """Render a template, or each part of one that is made of several, with the same answers.

    Args:
        private: an empty private folder.
        ask: how to ask for variables; None: nobody is asked.

    Raises:
        AimemError: if it cannot be rendered; nothing is written outside of ``private`` then,
            whatever hooks may do that were agreed to.
    """
    folder = private / "out" / (wishes.output.name or "root")
    folder.mkdir(parents=True)
    scratch = private / "scratch"
    scratch.mkdir()
    parts = PARTS.get(wishes.template.name, ()) if wishes.template.own else ()
    notices: list[str] = []
    with swept(scratch):
        context, template = _settled(wishes, ask, consent, notices)
        if not parts:
            _generate(template, context, folder)
        for part in parts:
            _render_part(own_template(part), context.public, folder)
    _say_final_paths(folder, wishes.output)
    return Rendered(folder, context.public, notices)


@dataclass(frozen=True, slots=True)
class _Settled:
    context: Context
    hooks: bool
    trusted: bool

    @property
    def public(self) -> dict[str, Any]:
        """The variables that are not the template's own business."""
        variables: dict[str, Any] = self.context["cookiecutter"]
        return {name: value for name, value in variables.items() if not name.startswith("_")}


def _settled(
    wishes: Wishes, ask: Ask | None, consent: Consent, notices: list[str]
) -> tuple[_Settled, Template]:
    """The variables, and the template that is rendered in the end: nested ones lead to others."""
    from cookiecutter.hooks import run_pre_prompt_hook

    template = wishes.template
    for _ in range(_DEEPEST):
        refuse_links_out(template)
        found = programs(template.folder)
        hooks = True
        trusted = wishes.trusted or template.own
        if found and not template.own:
            hooks = consent(template, found)
            trusted = trusted or hooks
            if not hooks and any(program.needed for program in found):
                raise Refused(
                    "The template cannot be rendered without its own programs.",
                    hint="Nothing was written.",
                )
        folder = template.folder
        if hooks:
            with explained():
                folder = Path(run_pre_prompt_hook(template.folder))
        defaults = {**wishes.suggested, **wishes.config["default_context"]}
        nested_given = {} if _is_nested(folder) else wishes.given
        context, told = variables.read(folder, defaults, nested_given, strict=wishes.strict)
        notices += told
        path = variables.nested_choice(context, ask)
        if path is None:
            with importable(folder), sandbox(trusted):
                variables.settle(context, ask, checked=template.own)
            _describe(context, template, folder)
            return _Settled(context, hooks, trusted), replace(template, folder=folder)
        inner = (folder / path).resolve()
        if Path(path).is_absolute() or not inner.is_relative_to(folder.resolve()):
            raise Refused(f"The template names another outside of itself: {printable(path)}.")
        root = template.root if folder == template.folder else folder
        template = Template(inner.name, inner, root, str(inner), template.checkout)
    raise BadInput("The template cannot be rendered.", why="Its list of templates never ends.")


def _describe(context: Context, template: Template, folder: Path) -> None:
    """Tell a template of itself, in cookiecutter's order, which a template may print."""
    context["cookiecutter"] |= {
        "_template": template.given,
        "_output_dir": "",
        "_repo_dir": str(folder),
        "_checkout": template.checkout,
    }


def _is_nested(folder: Path) -> bool:
    import json

    try:
        context = json.loads((folder / "cookiecutter.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(context, dict) and bool({"template", "templates"} & set(context))


def _render_part(template: Template, values: Mapping[str, Any], folder: Path) -> None:
    own, _ = variables.read(template.folder, {}, {}, strict=True)
    wanted = {**values, **PINNED.get(template.name, {})}
    shared = {name: value for name, value in wanted.items() if name in own["cookiecutter"]}
    context, _ = variables.read(template.folder, {}, shared, strict=True)
    variables.settle(context, None, checked=True)
    _describe(context, template, template.folder)
    _generate(template, _Settled(context, True, True), folder)


def _generate(template: Template, settled: _Settled, folder: Path) -> None:
    from cookiecutter.generate import generate_files

    context = settled.context
    context["cookiecutter"]["_output_dir"] = str(folder)
    with explained(), importable(template.folder), sandbox(settled.trusted):
        refuse_names_out(template.folder, context)
        generate_files(
            repo_dir=str(template.folder),
            context=context,
            output_dir=str(folder),
            accept_hooks=settled.hooks,
        )


def _say_final_paths(folder: Path, output: Path) -> None:
    """Put the final path where the private one was rendered, in texts and links."""
    private, final = str(folder).encode(), str(output).encode()
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in (*folders, *names):
            path = Path(at) / name
            if path.is_symlink():
                target = os.fsencode(path.readlink())
                if private in target:
                    path.unlink()
                    path.symlink_to(os.fsdecode(target.replace(private, final)))
            elif path.is_file():
                data = path.read_bytes()
                if private in data and b"\0" not in data:
                    path.write_bytes(data.replace(private, final))
