"""Checks before a template is rendered: nothing of it may lead out of the folder, or of itself."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from aimem_tui.bridge.files import printable
from aimem_tui.errors import Refused
from aimem_tui.setup.sources import Template
from aimem_tui.setup.variables import Context


def refuse_names_out(folder: Path, context: Context) -> None:
    """Refuse a template whose names, once rendered, would lead out of the folder.

    Raises:
        Refused: says which name.
    """
    from cookiecutter.find import find_template
    from cookiecutter.utils import create_env_with_context
    from jinja2.exceptions import UndefinedError

    environment = create_env_with_context(context)
    top = Path(find_template(folder, environment))
    for path in (top, *top.rglob("*")):
        name = path.relative_to(top.parent).as_posix()
        try:
            rendered = environment.from_string(name).render(**context)
        except UndefinedError:
            # Generating it fails in the same way and says more.
            return
        parts = rendered.replace("\\", "/").split("/")
        if rendered.startswith(("/", "\\")) or ".." in parts or "\0" in rendered:
            raise Refused(
                "The template is refused, because it would write outside of the folder.",
                why=f"{printable(name)} becomes {printable(rendered)}.",
                hint="Nothing was written.",
            )


def refuse_links_out(template: Template) -> None:
    """Refuse a template with a link out of it, or with what is no file: both could be read in.

    Raises:
        Refused: says which one.
    """
    root = template.root.resolve()
    for at, folders, names in os.walk(template.folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in (*folders, *names):
            path = Path(at) / name
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                if not path.resolve().is_relative_to(root):
                    raise Refused(
                        "The template is refused, because a link leads out of it.",
                        why=f"{printable(str(path.relative_to(template.folder)))} leads to"
                        f" {printable(str(path.readlink()))}.",
                    )
            elif not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise Refused(
                    "The template is refused.",
                    why=f"{printable(str(path.relative_to(template.folder)))} is not a file.",
                )
