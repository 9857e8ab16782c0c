"""From what a person types as a name to a thought's path and its first words."""

from __future__ import annotations

import re

from aimem_tui.markdown.describe import is_markdown, title_from_name

_SUFFIX = re.compile(r".\.[A-Za-z][A-Za-z0-9]{0,9}\Z")


def with_suffix(path: str, suffix: str = ".md") -> str:
    """A path whose last part ends like a file's: ``.md`` is added where there is nothing."""
    name = path.rpartition("/")[2]
    return path if not name or name.startswith(".") or _SUFFIX.search(name) else path + suffix


def first_text(path: str) -> str:
    """What a new thought begins with when nothing else is said: its name as a title."""
    if not is_markdown(path):
        return ""
    title = title_from_name(path)
    return f"# {title[:1].upper()}{title[1:]}\n"
