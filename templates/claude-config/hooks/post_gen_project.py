"""Take out what the switches leave out.

Every file is rendered first; this hook then removes the files whose switch is off, by name, and the
folders that are empty after that. A file that the template did not write is never touched: the
folder may have been there before. Which values count as yes is said once, in cookiecutter.json.
"""

import sys
from pathlib import Path

AGENTS = (
    "codebase-analyzer",
    "codebase-locator",
    "codebase-pattern-finder",
    "thoughts-analyzer",
    "thoughts-locator",
    "web-search-researcher",
)
COMMANDS = (
    "commit",
    "create_handoff",
    "create_plan",
    "create_worktree",
    "debug",
    "describe_pr",
    "founder_mode",
    "implement_plan",
    "linear",
    "local_review",
    "ralph_impl",
    "ralph_plan",
    "ralph_research",
    "recall",
    "remember",
    "research_codebase",
    "resume_handoff",
    "validate_plan",
)
SWITCHES = (
    ("{{ cookiecutter.__agents }}", "agents", AGENTS),
    ("{{ cookiecutter.__web_agent }}", "agents", ("web-search-researcher",)),
    ("{{ cookiecutter.__commands }}", "commands", COMMANDS),
    ("{{ cookiecutter.__linear }}", "commands", ("linear",)),
    ("{{ cookiecutter.__ralph }}", "commands", ("ralph_impl", "ralph_plan", "ralph_research")),
)


def leave_out(root: Path) -> None:
    """Remove from the rendered folder what is switched off."""
    for on, kind, names in SWITCHES:
        if not on:
            for name in names:
                (root / kind / f"{name}.md").unlink(missing_ok=True)
    for folder in (root / "agents", root / "commands"):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


if __name__ == "__main__":
    try:
        leave_out(Path.cwd())
    except OSError as problem:
        sys.exit(f"A file that is switched off could not be removed: {problem}.")
