"""The difference between two texts, for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

_LINES_COMPARED = 20_000


def unified(before: str, after: str, *, context: int = 3) -> Iterator[str]:
    """Lines of a unified difference: ``@@`` headers, then lines that begin with blank, - or +.

    Very long texts are shown as a whole replacement rather than compared for minutes.
    """
    old, new = before.splitlines(), after.splitlines()
    if len(old) + len(new) > _LINES_COMPARED:
        yield f"@@ -1,{len(old)} +1,{len(new)} @@"
        yield from (f"-{line}" for line in old)
        yield from (f"+{line}" for line in new)
        return
    for number, line in enumerate(difflib.unified_diff(old, new, n=context, lineterm="")):
        # The first two lines name files; there are none.
        if number > 1:
            yield line


def as_markdown(before: str, after: str) -> str:
    """The difference as a fenced block."""
    lines = "\n".join(unified(before, after))
    fence = "`" * 4
    return f"{fence}diff\n{lines}\n{fence}\n" if lines else "Nothing changed in the text."
