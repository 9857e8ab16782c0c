"""An app with editors in it, documents that exchange what they write, and texts that hurt."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from aimem_tui.widgets.editor import Editor
from crdt.document import ThoughtDocument
from tests.widgets.terminal import dump

PIECES = (
    *"ab ",
    "é",
    "e\u0301",
    "\u0301",
    "日",
    "한",
    "\u1112\u1161\u11ab",
    "👍",
    "👍🏽",
    "👨\u200d👩\u200d👧",
    "🇩🇪",
    "🇩",
    "☑\ufe0f",
    "\u200d",
    "\u200b",
    "\ufeff",
    "\u202e",
    "क्ष",
    "𝒳",
    "\t",
    "\n",
    "\n",
    "\r\n",
    "\r",
    "\u2028",
    "\x0b",
    "\x0c",
    "\x85",
    "\x1b[2J",
    "\x7f",
    "- [ ] ",
    "- ",
    "> ",
    "```\n",
    "---\n",
    "**",
    "`",
    "[[x]]",
    "<!--",
    "-->",
    "word ",
    "a longer run of words that wraps somewhere in a narrow window ",
)
"""What editors get wrong: every kind of grapheme, line end and mark."""

nasty_text = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def nasty(rng: random.Random, most: int) -> str:
    """Up to ``most`` pieces, at random."""
    return "".join(rng.choices(PIECES, k=rng.randint(0, most)))


def thought(text: str, client_id: int = 1) -> ThoughtDocument:
    """A document with a text."""
    return ThoughtDocument.create(client_id, path="a.md", text=text, at=0, by="me")[0]


class EditorApp(App[None]):
    """Editors, one below the other."""

    CSS = "Editor { height: 1fr; }"

    def __init__(self, documents: Sequence[ThoughtDocument]) -> None:
        super().__init__()
        self.documents = documents

    def compose(self) -> ComposeResult:
        for _ in self.documents:
            yield Editor()

    def on_mount(self) -> None:
        for editor, document in zip(self.query(Editor), self.documents, strict=True):
            editor.bind(document)
        self.query(Editor).focus()


@asynccontextmanager
async def editing(
    text: str = "", *, size: tuple[int, int] = (80, 24)
) -> AsyncGenerator[tuple[Editor, Pilot[None]], None]:
    """An editor with a text, on a screen of a size in cells."""
    app = EditorApp([thought(text)])
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app.query_one(Editor), pilot


class Team:
    """Documents of one thought. What one writes, the others get when they ask for it, in order.

    Everything written goes into one log, behind what its writer had seen; so the log is a causal
    order, as a workspace's log is.
    """

    def __init__(self, text: str, size: int) -> None:
        state = thought(text).state()
        self.documents = [ThoughtDocument.load(10 + member, [state]) for member in range(size)]
        self._log: list[tuple[int, bytes]] = []
        self._seen = [0] * size
        for member, document in enumerate(self.documents):
            document.on_update(lambda update, writer=member: self._log.append((writer, update)))

    def deliver(self, member: int, most: int | None = None) -> None:
        """Let a member have the next ``most`` entries it has not seen, or all of them."""
        stop = len(self._log) if most is None else min(self._seen[member] + most, len(self._log))
        for writer, update in self._log[self._seen[member] : stop]:
            if writer != member:
                self.documents[member].apply(update)
        self._seen[member] = stop

    def deliver_all(self) -> None:
        """Let everybody have everything."""
        for member in range(len(self.documents)):
            self.deliver(member)


def screen_text(editor: Editor) -> list[str]:
    """What stands in the rows of the editor, without blank rows at the end."""
    rows = dump(editor)
    while rows and not rows[-1]:
        rows.pop()
    return rows
