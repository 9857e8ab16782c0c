"""Every action of the app: its name, its keys, what it is called, where it matters.

Keys are data: the screens' bindings, the hints at the bottom, the help and the command palette are
all made from this table, so they cannot disagree.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from textual.binding import Binding


class Area(Enum):
    """Where an action matters, and how the help groups it."""

    ANYWHERE = "Anywhere"
    THOUGHT = "The open thought"
    TREE = "The list of thoughts"
    WRITING = "While writing"


class Action(NamedTuple):
    """Something a person can do."""

    name: str
    """Of the screen's ``action_...`` method."""
    title: str
    """As the palette and the help say it."""
    keys: str
    """As Textual writes them, separated by commas; the first one is shown."""
    shown: str
    """The first key as people read it."""
    hint: str
    """A word or two for the bottom line; empty: not shown there."""
    area: Area
    about: str = ""
    """One more sentence for the help."""


ACTIONS: tuple[Action, ...] = (
    Action("find", "Find", "ctrl+k", "^K", "find", Area.ANYWHERE, "Titles and texts, as you type."),
    Action("jump", "Jump to a place on screen", "ctrl+j", "^J", "jump", Area.ANYWHERE),
    Action("commands", "Commands", "ctrl+p", "^P", "commands", Area.ANYWHERE),
    Action("new", "New thought", "ctrl+n", "^N", "new", Area.ANYWHERE),
    Action("back", "Back to the thought before", "alt+left", "Alt+←", "", Area.ANYWHERE),
    Action("forward", "Forward again", "alt+right", "Alt+→", "", Area.ANYWHERE),
    Action("toggle_tree", "Show or hide the thoughts", "ctrl+b", "^B", "thoughts", Area.ANYWHERE),
    Action("toggle_about", "Show or hide what it is about", "ctrl+o", "^O", "about", Area.ANYWHERE),
    Action(
        "organize",
        "Put thoughts in order",
        "ctrl+g",
        "^G",
        "",
        Area.ANYWHERE,
        "Tags, duplicates, broken links, titles: proposals, nothing by itself.",
    ),
    Action("import", "Import a folder", "f6", "F6", "", Area.ANYWHERE),
    Action("export", "Export everything to a folder", "f7", "F7", "", Area.ANYWHERE),
    Action(
        "sync",
        "Sync with other machines",
        "f3",
        "F3",
        "",
        Area.ANYWHERE,
        "How each copy stands; connect and disconnect. A click on the top right, too.",
    ),
    Action("theme", "Next theme", "f9", "F9", "", Area.ANYWHERE),
    Action("help", "Help", "f1", "F1", "help", Area.ANYWHERE),
    Action("quit", "Quit", "ctrl+q", "^Q", "", Area.ANYWHERE),
    Action(
        "view",
        "Write, read, or both side by side",
        "ctrl+e",
        "^E",
        "preview",
        Area.THOUGHT,
        "Side by side needs 140 columns.",
    ),
    Action(
        "history",
        "History",
        "f4,ctrl+h",
        "F4",
        "history",
        Area.THOUGHT,
        "Ctrl+H too, in terminals that can tell it from Backspace.",
    ),
    Action("move", "Move or rename", "f2", "F2", "move", Area.THOUGHT),
    Action("trash", "Move to the trash", "f8", "F8", "trash", Area.THOUGHT),
    Action("external", "Open in your own editor", "f5", "F5", "", Area.THOUGHT),
    Action(
        "toggle_task", "Tick or untick the task, or make one", "ctrl+t", "^T", "task", Area.WRITING
    ),
)

BY_NAME = {action.name: action for action in ACTIONS}


def bindings() -> list[Binding]:
    """The table as bindings that come before those of the focused widget."""
    return [
        Binding(action.keys, action.name, action.title, show=False, priority=True, id=action.name)
        for action in ACTIONS
    ]
