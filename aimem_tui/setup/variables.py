"""A template's variables: their defaults, what was given for them, and asking for them.

The order of precedence is cookiecutter's: what was given, the ``default_context`` of a
configuration file, what this machine suggests for aimem's own templates, the template's defaults.
Without questions everything is worked out by cookiecutter itself; with questions the same way, one
variable after the other, so that a default can be made of earlier answers.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aimem_tui.bridge.files import printable
from aimem_tui.errors import BadInput, NotFound
from aimem_tui.setup.failures import explained
from aimem_tui.setup.questions import Ask, Question, choice, yes_no
from aimem_tui.setup.sources import CONTEXT_FILE

Context = dict[str, Any]
"""As cookiecutter has it: the variables are under ``cookiecutter``."""

_HELP = {
    "username": "Your folder among the thoughts; letters, digits, dots and dashes.",
    "project_name": "As people say it.",
    "project_slug": "The folder that is made.",
    "shared_repo_url": "Where the team's thoughts are pushed; empty for nowhere.",
}
_FOLDER_NAMES = ("username", "project_slug")
_NESTED = ("template", "templates")


def user_config(file: Path | None) -> dict[str, Any]:
    """Cookiecutter's configuration of a person: from a file, else where cookiecutter looks.

    Raises:
        NotFound: if the named file is not there.
        BadInput: if it makes no sense.
    """
    from cookiecutter.config import get_user_config

    if file is not None and not file.is_file():
        raise NotFound(f"There is no configuration file at {printable(str(file))}.")
    with explained():
        config: dict[str, Any] = get_user_config(config_file=str(file) if file else None)
    if not isinstance(config.get("default_context"), dict):
        raise BadInput(
            f"The configuration {printable(str(file or ''))} makes no sense.",
            why="Its default_context is not a list of names and values.",
        )
    return config


def read(
    folder: Path,
    defaults: Mapping[str, Any],
    given: Mapping[str, Any],
    *,
    strict: bool,
) -> tuple[Context, list[str]]:
    """The variables of a template before anything is asked.

    Args:
        folder: the template's.
        defaults: values that take the place of the template's, where it has such variables.
        given: values that a person gave.
        strict: a default that does not fit is an error.

    Returns: the context, and sentences about defaults that did not fit.

    Raises:
        BadInput: if the template is broken, or a value does not fit.
    """
    from cookiecutter.generate import generate_context

    file = folder / CONTEXT_FILE
    with explained(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        known = generate_context(context_file=str(file))["cookiecutter"]
        _refuse_unknown(known, given)
        context: Context = generate_context(
            context_file=str(file),
            default_context=dict(defaults) or None,
            extra_context=_typed(known, given) or None,
        )
    notices = [f"{warning.message}" for warning in caught]
    if notices and strict:
        raise BadInput("A value in the configuration file does not fit.", why=notices[0])
    return context, [notice if notice.endswith(".") else f"{notice}." for notice in notices]


def settle(context: Context, ask: Ask | None, *, checked: bool) -> None:
    """Work out all variables, in place; asked for where there is somebody to ask.

    Args:
        checked: the names of folders must be plain, as in aimem's own templates.

    Raises:
        BadInput: if a value cannot be worked out or does not fit.
    """
    from cookiecutter.prompt import prompt_for_config

    with explained():
        # Private variables stay away, as cookiecutter keeps the options as they were for hooks.
        context["_cookiecutter"] = {
            key: value for key, value in context["cookiecutter"].items() if not key.startswith("_")
        }
        if ask is not None:
            _answer(context, ask, checked=checked)
        else:
            context["cookiecutter"].update(prompt_for_config(context, no_input=True))
    if checked:
        for name in _FOLDER_NAMES:
            problem = folder_name_problem(str(context["cookiecutter"].get(name, "x")))
            if problem:
                raise BadInput(f"{name} cannot be used.", why=problem)


def nested_choice(context: Context, ask: Ask | None) -> str | None:
    """The sub-folder of the nested template that is wanted; None if the template has none."""
    variables = context["cookiecutter"]
    if not set(_NESTED) & set(variables):
        return None
    with explained():
        listed = variables.get("templates")
        if listed:
            names = list(listed)
            titles = [_title(name, listed[name]) for name in names]
            paths = [str(listed[name]["path"]) for name in names]
        else:
            titles = list(map(str, variables.get("template") or ()))
            matches = [re.search(r"\((.+)\)", title) for title in titles]
            paths = [match[1] if match else "" for match in matches]
        if not all(paths) or not paths:
            raise BadInput("The template's list of templates cannot be read.")
        at = 0
        if ask is not None:
            at = ask(choice("Which template", "This one holds several.", titles))
        return paths[at]


def folder_name_problem(name: str) -> str:
    """What is wrong with a name as that of one folder; empty if nothing."""
    if not name or name in (".", ".."):
        return "It must be the name of a folder."
    if re.search(r"[/\\\x00-\x1f:*?\"<>|]", name) or name.startswith(("-", " ")):
        return "A folder's name has no slashes, colons or signs of the shell."
    return ""


def _title(name: str, entry: Mapping[str, Any]) -> str:
    title, description = str(entry.get("title", name)), str(entry.get("description", name))
    return title if title == description else f"{title} ({description})"


def _refuse_unknown(known: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        names = [name for name in known if not name.startswith("_")]
        raise BadInput(
            f"The template has no variable called {printable(unknown[0])}.",
            hint=f"It has: {', '.join(map(printable, names))}.",
        )


def _typed(known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values as cookiecutter takes them: those of dictionaries are JSON."""
    typed: dict[str, Any] = {}
    for name, value in given.items():
        typed[name] = value
        if isinstance(known[name], dict) and isinstance(value, str):
            typed[name] = _json_object(name, value)
    return typed


def _json_object(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise BadInput(f"{name} needs a JSON object.", hint=f'Write {name}=\'{{"key": "value"}}\'.')
    return value


def _answer(context: Context, ask: Ask, *, checked: bool) -> None:
    """Ask for each public variable in the template's order; dictionaries come last."""
    from cookiecutter.prompt import render_variable
    from cookiecutter.utils import create_env_with_context

    variables = context["cookiecutter"]
    prompts = variables.pop("__prompts__", {})
    environment = create_env_with_context(context)
    done: dict[str, Any] = {}
    public = [name for name in variables if not name.startswith("_")]
    for name, raw in variables.items():
        if name.startswith("_") and not name.startswith("__"):
            done[name] = raw
        elif name.startswith("__"):
            done[name] = render_variable(environment, raw, done)
        elif not isinstance(raw, dict):
            value: Any = render_variable(environment, raw, done)
            question = _question(name, value, prompts.get(name), _place(public, name), checked)
            done[name] = value[ask(question)] if isinstance(raw, list) else ask(question)
    for name, raw in variables.items():
        if isinstance(raw, dict) and not (name.startswith("_") and not name.startswith("__")):
            value = render_variable(environment, raw, done)
            if not name.startswith("__"):
                question = _question(name, value, prompts.get(name), _place(public, name), checked)
                value = ask(question)
            done[name] = value
    variables.update(done)


def _place(public: Sequence[str], name: str) -> str:
    return f"{public.index(name) + 1} of {len(public)}"


def _question(name: str, value: Any, prompt: Any, place: str, checked: bool) -> Question:  # noqa: ANN401
    told = prompt if isinstance(prompt, str) else ""
    labels = prompt if isinstance(prompt, dict) else {}
    told = told or str(labels.get("__prompt__", "")) or _HELP.get(name, "")
    help_line = f"{told.rstrip('.')}. ({place})" if told else f"Variable {place}."
    if isinstance(value, bool):
        return yes_no(name, help_line, default=value)
    if isinstance(value, list):
        return choice(name, help_line, [f"{labels.get(str(each), each)}" for each in value])
    if isinstance(value, dict):
        return _dictionary(name, help_line, value)

    names_folder = name in _FOLDER_NAMES
    can_be_emptied = checked and not names_folder and bool(value)

    def parse(answer: str) -> str:
        if can_be_emptied and answer == "-":
            return ""
        problem = folder_name_problem(answer) if checked and names_folder else ""
        if problem:
            raise ValueError(problem)
        return answer

    if can_be_emptied:
        help_line = f"{help_line} Type - for nothing."
    shown = "" if value is None else str(value)
    return Question(name, help_line, shown, parse)


def _dictionary(name: str, help_line: str, value: dict[str, Any]) -> Question:
    default = json.dumps(value)

    def parse(answer: str) -> dict[str, Any]:
        try:
            return _json_object(name, answer)
        except BadInput as error:
            raise ValueError(error.what) from None

    return Question(name, f"{help_line} A JSON object.", default, parse)
