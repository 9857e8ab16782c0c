"""Writing: ``create_thought``, ``edit_thought``, ``append_to_thought``, ``move_thought``,
``set_property``, ``trash_thought``.

What an edit is comes from the text as it is inside the transaction, so that what others write at
the same time stays. A call that is made a second time, because its answer got lost, changes
nothing; see :mod:`aimem_tui.mcp.repeats`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from aimem_tui import words
from aimem_tui.errors import BadInput, Refused
from aimem_tui.mcp import repeats, texts
from aimem_tui.mcp.arguments import CONTENT_LIMIT, Flag, Given, Text, Texts
from aimem_tui.mcp.desk import Call
from aimem_tui.mcp.texts import Answer
from aimem_tui.mcp.tools.tool import THOUGHT, Tool

if TYPE_CHECKING:
    from aimem_tui.model import Thought
    from crdt.textdiff import Splice

    Change = Callable[[str], Sequence[Splice]]

_SHOWN = 600
"""Characters of what an edit has made that are shown."""
_PASSAGE = 20_000
_LATELY_MS = 15 * 60_000
_LATEST = 200
"""Revisions that are looked through for one's own."""
_HOW = "Say one of: old_text with new_text; section with content; after or before with content."


def _create(call: Call, given: Given) -> Answer:
    path = call.access.check_path(_with_suffix(given.text("path").strip()))
    content = given.text("content")
    text = content if content.endswith("\n") or not content else f"{content}\n"
    try:
        thought = call.writing.create(path, text)
    except Refused as refusal:
        there = call.workspace.at(path)
        if there is not None and call.workspace.text(there) == text:
            return Answer((f"{path} is there already, with just this text.",), there)
        raise Refused(
            refusal.what,
            why=refusal.why,
            hint="Read it; then use edit_thought or append_to_thought, or choose another path.",
        ) from refusal
    return Answer((f"Made {path}: {words.count(thought.words, 'word')}.",), thought.id, 0, 0)


def _edit(call: Call, given: Given) -> Answer:
    from aimem_tui.markdown import edits

    ways = [name for name in ("old_text", "section", "after", "before") if given.has(name)]
    if len(ways) != 1:
        raise BadInput("It is not clear what to change.", hint=_HOW)
    way, place = ways[0], given.text(ways[0])
    if way == "old_text":
        if not given.has("new_text") or given.has("content"):
            raise BadInput("old_text needs new_text, and no content.", hint=_HOW)
        new = given.text("new_text")

        def replaced(text: str) -> Sequence[Splice]:
            if repeats.is_replaced(text, place, new):
                return ()
            return edits.replace_exact(text, place, new, every=given.flag("every"))

        return _changed(call, given, replaced)
    if not given.has("content") or given.has("new_text"):
        raise BadInput(f"{way} needs content, and no new_text.", hint=_HOW)
    content = given.text("content")
    if way == "section":
        mode = given.text("mode") or "replace"
        if mode == "replace":
            return _changed(call, given, lambda text: edits.replace_section(text, place, content))
        way = mode
    add = {
        "append": edits.append_to_section,
        "prepend": edits.prepend_to_section,
        "after": edits.insert_after,
        "before": edits.insert_before,
    }[way]
    return _changed(call, given, lambda text: add(text, place, content), adds=content)


def _append(call: Call, given: Given) -> Answer:
    from aimem_tui.markdown import edits

    content, section = given.text("content"), given.text("section")

    def added(text: str) -> Sequence[Splice]:
        if section:
            return edits.append_to_section(text, section, content)
        return edits.append(text, content)

    return _changed(call, given, added, adds=content)


def _changed(call: Call, given: Given, change: Change, *, adds: str = "") -> Answer:
    """Make an edit, unless the lines that it ``adds`` were added before."""
    from aimem_tui.markdown import sections
    from aimem_tui.workspace.agents import editing

    thought = _found(call, given)
    workspace = call.writing

    def wrote_lately() -> bool:
        since = workspace.clock() - _LATELY_MS
        latest = workspace.activity(thought.id, _LATEST)
        return any(each.author == call.author and each.ended_at >= since for each in latest)

    def changed(text: str) -> Sequence[Splice]:
        edits = change(text)
        return () if adds and repeats.is_added(text, adds, edits, wrote_lately) else edits

    done = editing.edit(workspace, thought.id, changed)
    if not done.changed:
        return Answer((f"{thought.path} says so already; nothing was changed.",), thought.id)
    text = call.workspace.text(thought.id)
    shown = sections.lines(text, done.first_line, done.last_line) if done.first_line else ""
    about = f"Changed {thought.path}, lines {done.first_line}-{done.last_line} now"
    start = text.find(shown) if shown else 0
    place = (done.thought.id, start, start + len(shown.rstrip()))
    if not shown.strip():
        return Answer((f"{about}.",), *place)
    cut = len(shown) > _SHOWN
    return Answer((f"{about}{', the beginning of which' if cut else ''}:", shown[:_SHOWN]), *place)


def _move(call: Call, given: Given) -> Answer:
    thought = _found(call, given)
    to = given.text("to").strip()
    suffix = thought.name.rpartition(".")[2] if "." in thought.name else ""
    wanted = f"{to}{thought.name}" if to.endswith("/") else _with_suffix(to, suffix)
    path = call.access.check_path(wanted)
    if path == thought.path:
        return Answer((f"{path} is there already.",), thought.id)
    moved = call.writing.move(thought.id, path)
    said = f"Moved {thought.path} to {moved.path}. The old path still leads to it."
    return Answer((said,), thought.id)


def _set(call: Call, given: Given) -> Answer:
    thought = _found(call, given)
    name = given.text("name").strip()
    ways = [way for way in ("value", "values") if given.has(way)]
    if len(ways) + given.flag("remove") != 1:
        raise BadInput(
            "It is not clear what to set.", hint="Say one of: value, values, remove=true."
        )
    workspace = call.writing
    before = call.workspace.text(thought.id)
    if given.flag("remove"):
        after = workspace.remove_property(thought.id, name)
    else:
        value = given.text("value") if given.has("value") else given.texts("values")
        after = workspace.set_property(thought.id, name, value)
    if call.workspace.text(thought.id) == before:
        return Answer((f"{thought.path} has it so already; nothing was changed.",), thought.id)
    return Answer((f"Set {name}: {texts.row(after)}",), thought.id, 0, 0)


def _trash(call: Call, given: Given) -> Answer:
    thought = _found(call, given)
    call.writing.trash(thought.id)
    return Answer(
        (f"{thought.path} is in the trash. The person can take it out: aimem restore.",),
        thought.id,
    )


def _found(call: Call, given: Given) -> Thought:
    call.access.check_writing()
    return call.access.find(call.workspace, given.text("thought"))


def _with_suffix(path: str, suffix: str = "md") -> str:
    """A path as a file's, where an agent has left out what kind of file."""
    name = path.rpartition("/")[2]
    return f"{path}.{suffix}" if name and "." not in name and suffix else path


_CONTENT = Text("content", "Markdown.", most=CONTENT_LIMIT, may_be_empty=True)

TOOLS = (
    Tool(
        "create_thought",
        "Make a thought",
        "Make a thought, such as plans/2026-11-02-name.md. Refused if there is one at that path;"
        " search first, it may be better to add to one.",
        (
            Text("path", "", required=True, most=1_100),
            Text("content", "Markdown.", required=True, most=CONTENT_LIMIT, may_be_empty=True),
        ),
        _create,
        writes=True,
    ),
    Tool(
        "edit_thought",
        "Edit a thought",
        "Change part of a thought; what others write at the same time stays. Replace old_text by"
        " new_text (old_text exactly as read, and only once there unless every), or put content"
        " into a section, or after or before a line that holds a text.",
        (
            THOUGHT,
            Text("old_text", "", most=_PASSAGE),
            Text("new_text", "", most=CONTENT_LIMIT, may_be_empty=True),
            Flag("every", "Every place of old_text."),
            Text("section", "A heading, or Outer > Inner.", most=1_000),
            Text("mode", "For section. Default replace.", choices=("replace", "append", "prepend")),
            Text("after", "", most=_PASSAGE),
            Text("before", "", most=_PASSAGE),
            _CONTENT,
        ),
        _edit,
        writes=True,
        destroys=True,
    ),
    Tool(
        "append_to_thought",
        "Add to a thought",
        "Add lines at the end of a thought, or of one of its sections.",
        (
            THOUGHT,
            Text("content", "Markdown.", required=True, most=CONTENT_LIMIT),
            Text("section", "A heading, or Outer > Inner.", most=1_000),
        ),
        _append,
        writes=True,
    ),
    Tool(
        "move_thought",
        "Move a thought",
        "Give a thought another path. The old one still leads to it.",
        (THOUGHT, Text("to", "A path, or a folder/.", required=True, most=1_100)),
        _move,
        writes=True,
        destroys=True,
    ),
    Tool(
        "set_property",
        "Set a property",
        "Set or remove one line of a thought's frontmatter, such as status or tags.",
        (
            THOUGHT,
            Text("name", "", required=True, most=100),
            Text("value", "", most=2_000, may_be_empty=True),
            Texts("values", "For a list."),
            Flag("remove", ""),
        ),
        _set,
        writes=True,
        destroys=True,
    ),
    Tool(
        "trash_thought",
        "Put a thought into the trash",
        "Put a thought into the trash. A person can take it out again.",
        (THOUGHT,),
        _trash,
        writes=True,
        destroys=True,
    ),
)
