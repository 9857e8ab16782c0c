"""Renders thoughts-repo into the new folder and claude-config beside it, with the same answers.

The two templates lie beside this one, and nothing of theirs is repeated here. The page that this
template writes is there to make the folder; the one of thoughts-repo takes its place.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cookiecutter.main import cookiecutter

GIVEN: dict[str, Any] = json.loads({{cookiecutter | jsonify | jsonify}})  # noqa: F821
TEMPLATES = Path(GIVEN["_repo_dir"]).resolve().parent


def render(part: str, *, into_ours: bool = False, **fixed: str) -> None:
    answers = {name: value for name, value in GIVEN.items() if not name.startswith("_")}
    cookiecutter(
        str(TEMPLATES / part),
        no_input=True,
        extra_context=answers | fixed,
        output_dir=str(Path.cwd().parent),
        overwrite_if_exists=into_ours,
        default_config=True,
    )


def main() -> None:
    # In this order: when the second one fails, cookiecutter takes the first one's folder away.
    render("thoughts-repo", into_ours=True)
    # Claude Code looks in a folder of this name only.
    render("claude-config", project_slug=".claude")


if __name__ == "__main__":
    main()
