"""What the app remembers between starts: the open thought, open folders, the panes.

Kept per workspace in a small JSON file of this machine. Losing it loses nothing that matters, so a
broken file is passed over.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path

_MOST_FOLDERS = 500


@dataclass(slots=True)
class UiState:
    """The remembered state of one workspace's screen."""

    thought: str = ""
    """The id of the open thought."""
    line: int = 0
    """The line the caret was in, from 0."""
    opened: tuple[str, ...] = ()
    """The open folders."""
    view: str = "edit"
    tree: bool = True
    about: bool = True
    welcomed: bool = False


def load(file: Path) -> UiState:
    """What was remembered; the defaults where nothing sensible is there."""
    state = UiState()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return state
    import json

    try:
        stored = json.loads(text)
    except ValueError:
        return state
    if isinstance(stored, dict):
        for field in fields(UiState):
            value = stored.get(field.name)
            if isinstance(value, list):
                value = tuple(str(item) for item in value)
            if type(value) is type(getattr(state, field.name)):
                setattr(state, field.name, value)
    return state


def save(file: Path, state: UiState) -> None:
    """Remember; silently not, where the disk does not allow it."""
    import json

    state.opened = state.opened[:_MOST_FOLDERS]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(file.name + ".new")
        temporary.write_text(json.dumps(asdict(state)), encoding="utf-8")
        temporary.replace(file)
    except OSError:
        return
