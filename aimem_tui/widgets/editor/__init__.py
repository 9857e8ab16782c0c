"""The editor of a thought, and what it is made of.

From the outside: `Editor` edits a document, `Caret` is another person's caret in it, `ViewState`
is where a reader was. `docs/architecture.md` has the map; each module opens with its rules.
"""

from __future__ import annotations

from aimem_tui.widgets.editor.carets import Caret
from aimem_tui.widgets.editor.editor import Editor
from aimem_tui.widgets.editor.pane import ViewState
from aimem_tui.widgets.people import PERSON_COLORS

__all__ = ["PERSON_COLORS", "Caret", "Editor", "ViewState"]
