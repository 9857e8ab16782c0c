"""The plain values that pass between the rooms: what a thought looks like from outside.

Nothing here knows SQL, Yjs, click or Textual. All times are milliseconds since the Unix epoch,
UTC. All ids are 32 lower-case hexadecimal digits of a UUIDv7 unless said otherwise.

Values that commands and the app's first frame wait for are named tuples, because Python makes such
a class in a quarter of the time of a dataclass, which is most of a millisecond. Thoughts are here
at once; the rest is loaded when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from aimem_tui.model.thought import Filter, Folder, Kind, Lifecycle, Thought

if TYPE_CHECKING:
    from aimem_tui.model.description import Description, Heading, Link, Task
    from aimem_tui.model.found import (
        Activity,
        Boost,
        Related,
        Revision,
        SearchHit,
        SearchResults,
        Why,
    )
    from aimem_tui.model.transfer import (
        ExportOptions,
        ExportReport,
        ImportOptions,
        ImportReport,
        Progress,
        ReportLine,
        never,
        silent,
    )
    from aimem_tui.model.upkeep import Finding, WorkspaceStatus

__all__ = [
    "Activity",
    "Boost",
    "Description",
    "ExportOptions",
    "ExportReport",
    "Filter",
    "Finding",
    "Folder",
    "Heading",
    "ImportOptions",
    "ImportReport",
    "Kind",
    "Lifecycle",
    "Link",
    "Progress",
    "Related",
    "ReportLine",
    "Revision",
    "SearchHit",
    "SearchResults",
    "Task",
    "Thought",
    "Why",
    "WorkspaceStatus",
    "never",
    "silent",
]

_MODULES = {
    "description": ("Task", "Heading", "Link", "Description"),
    "found": ("SearchHit", "SearchResults", "Revision", "Activity", "Boost", "Why", "Related"),
    "transfer": (
        "Progress",
        "ReportLine",
        "silent",
        "never",
        "ImportOptions",
        "ExportOptions",
        "ImportReport",
        "ExportReport",
    ),
    "upkeep": ("WorkspaceStatus", "Finding"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """What is loaded when it is first asked for (PEP 562)."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = found
    return found
