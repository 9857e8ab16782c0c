"""The tree of thoughts on screen, reading through its workers."""

from __future__ import annotations

import threading
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from aimem_tui.errors import StorageError
from aimem_tui.model import Folder
from aimem_tui.widgets.icons import GLYPHS
from aimem_tui.widgets.thought_tree import ThoughtTree
from aimem_tui.widgets.tree_model import Place, TreeModel
from aimem_tui.widgets.tree_reading import answer
from tests.widgets.terminal import dump
from tests.widgets.test_tree_model import Memory, thought


class Forest(App[None]):
    CSS = "ThoughtTree { width: 100%; height: 100%; scrollbar-gutter: auto; }"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, memory: Memory, **options: Any) -> None:
        super().__init__()
        places = (Place("recent", "Recent"), Place("trash", "Trash", 3))
        model = TreeModel(icons=GLYPHS, places=places, page=50)
        self.tree_of = ThoughtTree(memory, model, **options)
        self.heard: list[tuple[str, object]] = []

    def compose(self) -> ComposeResult:
        yield self.tree_of

    def on_thought_tree_thought_selected(self, message: ThoughtTree.ThoughtSelected) -> None:
        self.heard.append(("selected", message.id))

    def on_thought_tree_thought_highlighted(self, message: ThoughtTree.ThoughtHighlighted) -> None:
        self.heard.append(("highlighted", message.id))

    def on_thought_tree_folder_toggled(self, message: ThoughtTree.FolderToggled) -> None:
        self.heard.append(("opened" if message.opened else "closed", message.path))

    def on_thought_tree_place_selected(self, message: ThoughtTree.PlaceSelected) -> None:
        self.heard.append(("place", message.name))

    def on_thought_tree_read_failed(self, message: ThoughtTree.ReadFailed) -> None:
        self.heard.append(("failed", str(message.error)))


async def read(pilot: Pilot[Any]) -> None:
    """Wait until everything that was asked for is on screen."""
    for _ in range(3):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


def memory() -> Memory:
    return Memory("plans/auth.md", "plans/old/v1.md", "research/oidc.md", "readme.md")


async def test_the_tree_shows_places_folders_and_thoughts() -> None:
    app = Forest(memory())
    async with app.run_test(size=(24, 8)) as pilot:
        await read(pilot)
        assert dump(app.tree_of)[:6] == [
            "   Recent",
            "   Trash              3",
            " ▸ plans              2",
            " ▸ research           1",
            "   readme",
            "",
        ]


async def test_arrows_open_and_close_and_find_the_way_out() -> None:
    app = Forest(memory())
    async with app.run_test(size=(24, 10)) as pilot:
        await read(pilot)
        await pilot.press("down", "down", "right")
        await read(pilot)
        assert dump(app.tree_of)[2:6] == [
            " ▾ plans              2",
            "   ▸ old              1",
            "     auth",
            " ▸ research           1",
        ]
        await pilot.press("right", "right")
        await read(pilot)
        await pilot.press("right")
        assert app.tree_of.cursor_path == "plans/old/v1.md"
        await pilot.press("left")
        assert app.tree_of.cursor_path == "plans/old"
        await pilot.press("left", "left")
        assert app.tree_of.cursor_path == "plans"
        await pilot.press("left")
        assert dump(app.tree_of)[3] == " ▸ research           1"
        assert ("closed", "plans") in app.heard


async def test_enter_opens_what_is_under_the_cursor() -> None:
    app = Forest(memory())
    async with app.run_test(size=(24, 10)) as pilot:
        await read(pilot)
        await pilot.press("enter", "down", "enter", "end", "enter")
        assert app.heard == [
            ("place", "recent"),
            ("place", "trash"),
            ("highlighted", f"{3:032x}"),
            ("selected", f"{3:032x}"),
        ]
        await pilot.press("up", "enter")
        await read(pilot)
        assert app.heard[-1] == ("opened", "research")
        assert "     oidc" in dump(app.tree_of)


async def test_a_click_opens_what_it_hits() -> None:
    app = Forest(memory())
    async with app.run_test(size=(24, 10)) as pilot:
        await read(pilot)
        await pilot.click(app.tree_of, offset=(8, 2))
        await read(pilot)
        await pilot.click(app.tree_of, offset=(8, 4))
        assert app.heard[0] == ("opened", "plans")
        assert app.heard[-1] == ("selected", f"{0:032x}")


async def test_a_path_is_revealed_however_deep_and_far_down_it_is() -> None:
    app = Forest(Memory(*(f"a/b/t{n:04}.md" for n in range(2_000)), "z.md"))
    async with app.run_test(size=(24, 10)) as pilot:
        await read(pilot)
        app.tree_of.reveal("a/b/t1500.md")
        await read(pilot)
        assert app.tree_of.cursor_path == "a/b/t1500.md"
        assert any("t1500" in line for line in dump(app.tree_of))


async def test_a_change_elsewhere_shows_and_the_cursor_stays_on_its_thought() -> None:
    source = memory()
    app = Forest(source)
    async with app.run_test(size=(24, 10)) as pilot:
        await read(pilot)
        await pilot.press("end")
        for number, path in ((90, "plans/new.md"), (91, "agents/run.md")):
            new = thought(number, path)
            source.put(new)
            app.tree_of.thoughts.apply(new.id, "", new)
        app.tree_of.model_changed()
        await pilot.pause()
        assert dump(app.tree_of)[2:6] == [
            " ▸ agents             1",
            " ▸ plans              3",
            " ▸ research           1",
            "   readme",
        ]
        assert app.tree_of.cursor_path == "readme.md"


async def test_opening_and_closing_everything() -> None:
    app = Forest(memory())
    async with app.run_test(size=(24, 12)) as pilot:
        await read(pilot)
        await pilot.press("asterisk")
        await read(pilot)
        assert [line.split()[-1] if line else "" for line in dump(app.tree_of)[2:10]] == [
            "2",
            "1",
            "v1",
            "auth",
            "1",
            "oidc",
            "readme",
            "",
        ]
        app.tree_of.reveal("plans/old/v1.md")
        await read(pilot)
        await pilot.press("underscore")
        assert app.tree_of.cursor_path == "plans"
        assert dump(app.tree_of)[3].startswith(" ▸ research")


async def test_a_model_that_was_read_before_shows_in_the_first_frame() -> None:
    source = memory()
    app = Forest(source)
    model = app.tree_of.thoughts
    model.ask = lambda question: model.accept(answer(source, question))
    model.reload()
    async with app.run_test(size=(24, 10)):
        assert dump(app.tree_of)[2].startswith(" ▸ plans")


async def test_a_slow_source_holds_up_no_key() -> None:
    source = memory()
    gate = threading.Event()
    slow_folders = source.folders

    def folders(parent: str) -> Any:
        if parent:
            gate.wait(10)
        return slow_folders(parent)

    source.folders = folders  # type: ignore[method-assign]
    app = Forest(source)
    async with app.run_test(size=(24, 10)) as pilot:
        await read(pilot)
        await pilot.press("down", "down", "enter", "down")
        assert app.tree_of.cursor_path == "research"
        gate.set()
        await read(pilot)
        assert app.tree_of.cursor_path == "research"
        assert "     auth" in dump(app.tree_of)


async def test_a_source_in_trouble_is_told_and_tried_again() -> None:
    source = memory()
    well = source.folders

    def broken(parent: str) -> list[Folder]:
        raise StorageError("The workspace cannot be read.")

    app = Forest(source)
    async with app.run_test(size=(24, 10)) as pilot:
        await read(pilot)
        source.folders = broken  # type: ignore[method-assign]
        await pilot.press("down", "down", "enter")
        await read(pilot)
        assert ("failed", "The workspace cannot be read.") in app.heard
        source.folders = well  # type: ignore[method-assign]
        await pilot.press("enter")
        await read(pilot)
        assert "     auth" in dump(app.tree_of)
