"""What the editor expects of Textual without being promised it; one test for each expectation.

If one fails with a new version of Textual, ``textual_private.py`` is the place to look.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.events import Key, Paste
from textual.geometry import Offset, Region, Size
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import TextArea
from textual.widgets.text_area import Selection, WrappedDocument

import aimem_tui.widgets.editor as package
from aimem_tui.widgets.editor.textual_private import BareTextArea


class Recorder(TextArea):
    """A stock text area that notes what Textual calls."""

    def __init__(self, text: str = "") -> None:
        self.calls: list[str] = []
        super().__init__(text)

    def _set_document(self, text: str, language: str | None) -> None:
        self.calls.append("_set_document")
        super()._set_document(text, language)

    def _watch_selection(self, previous_selection: Selection, selection: Selection) -> None:
        self.calls.append(f"_watch_selection {previous_selection.end} {selection.end}")
        super()._watch_selection(previous_selection, selection)

    def _rewrap_and_refresh_virtual_size(self) -> None:
        self.calls.append("_rewrap_and_refresh_virtual_size")
        super()._rewrap_and_refresh_virtual_size()

    def refresh(self, *regions: Region, **options: bool) -> Widget:
        self.calls.append("refresh")
        return super().refresh(*regions, **options)


class Stock(App[None]):
    def __init__(self, area: TextArea) -> None:
        super().__init__()
        self.area = area

    def compose(self) -> ComposeResult:
        yield self.area


LONG = "word " * 2000


async def test_documents_are_made_in_set_document_and_nowhere_else() -> None:
    area = Recorder("a")
    assert "_set_document" in area.calls
    async with Stock(area).run_test() as pilot:
        area.calls.clear()
        document = area.document
        area.insert("b")
        await pilot.pause()
        assert "_set_document" not in area.calls
        assert area.document is document


async def test_setting_the_selection_calls_watch_selection() -> None:
    area = Recorder("abc")
    async with Stock(area).run_test():
        area.calls.clear()
        area.selection = Selection.cursor((0, 2))
        assert area.calls[0] == "_watch_selection (0, 0) (0, 2)"


async def test_a_selection_without_repaint_repaints_nothing() -> None:
    class Quiet(Recorder):
        selection = BareTextArea.selection

        def _watch_selection(self, previous_selection: Selection, selection: Selection) -> None:
            """Nothing."""

    area = Quiet("abc")
    async with Stock(area).run_test():
        area.calls.clear()
        area.selection = Selection.cursor((0, 2))
        assert "refresh" not in area.calls


@pytest.mark.parametrize("change", ["resize", "numbers", "tabs"])
async def test_a_new_width_calls_rewrap(change: str) -> None:
    area = Recorder(LONG)
    async with Stock(area).run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        area.calls.clear()
        if change == "resize":
            await pilot.resize_terminal(50, 10)
        elif change == "numbers":
            area.show_line_numbers = True
        else:
            area.indent_width = 8
        await pilot.pause()
        assert "_rewrap_and_refresh_virtual_size" in area.calls


async def test_cursor_offset_is_what_scrolling_and_the_screen_offset_use() -> None:
    area = TextArea("a\nb\n" * 50)
    async with Stock(area).run_test(size=(60, 10)):
        area._cursor_offset = (3, 7)
        assert area.cursor_screen_offset == area.content_region.offset + Offset(3, 7)
        area.move_cursor((40, 1))
        assert tuple(area._cursor_offset) == (1, 40)


async def test_draw_cursor_says_whether_the_caret_is_seen() -> None:
    area = TextArea("a")
    async with Stock(area).run_test() as pilot:
        area.cursor_blink = False
        assert area._draw_cursor
        area.blur()
        await pilot.pause()
        assert not area._draw_cursor


async def test_virtual_size_can_be_set_without_a_layout() -> None:
    area = TextArea("a\n" * 50)
    async with Stock(area).run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        before = area.max_scroll_y
        area.set_reactive(Widget.virtual_size, Size(0, area.virtual_size.height + 20))
        area._scroll_update(area.virtual_size)
        assert area.max_scroll_y == before + 20
        assert area.vertical_scrollbar.window_virtual_size == area.virtual_size.height
        assert not area._layout_required


async def test_scroll_update_moves_a_view_past_the_end_back() -> None:
    area = TextArea("a\n" * 50)
    async with Stock(area).run_test(size=(60, 10)) as pilot:
        area.scroll_end(animate=False, immediate=True)
        await pilot.pause()
        area.set_reactive(Widget.virtual_size, Size(0, 20))
        area._scroll_update(area.virtual_size)
        assert area.scroll_offset.y == area.max_scroll_y < 20


async def test_a_prevented_key_or_paste_is_not_taken_by_the_text_area() -> None:
    class Deaf(TextArea):
        async def on_key(self, event: Key) -> None:
            event.prevent_default()

        async def on_paste(self, event: Paste) -> None:
            event.prevent_default()

    area = Deaf("")
    async with Stock(area).run_test() as pilot:
        await pilot.press("a", "enter")
        area.post_message(Paste("b"))
        await pilot.pause()
        assert area.text == ""


async def test_scrolling_focus_and_theme_refresh_the_widget() -> None:
    area = Recorder("a\n" * 50)
    async with Stock(area).run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        for change in (
            lambda: area.scroll_to(y=5, animate=False, immediate=True),
            area.blur,
            area.focus,
            lambda: setattr(area.app, "theme", "nord"),
        ):
            area.calls.clear()
            change()
            await pilot.pause()
            assert "refresh" in area.calls


async def test_a_refreshed_region_is_all_that_is_sent() -> None:
    class Rows(Widget):
        def render_line(self, y: int) -> Strip:
            return Strip.blank(self.size.width)

    rows = Rows()
    rows.styles.height = "1fr"
    async with Stock(rows).run_test(size=(60, 10)) as pilot:  # type: ignore[arg-type]
        await pilot.pause()
        compositor = rows.screen._compositor
        compositor._dirty_regions.clear()
        rows.refresh(Region(3, 4, 2, 1))
        compositor.update_widgets({rows})
        assert compositor._dirty_regions == {Region(3, 4, 2, 1)}


def test_every_method_of_wrapping_that_textual_calls_is_ours() -> None:
    from aimem_tui.widgets.editor.navigation import Navigator
    from aimem_tui.widgets.editor.wrapping import Wrapping

    for name, member in vars(WrappedDocument).items():
        if inspect.isfunction(member) or isinstance(member, property):
            assert name in vars(Wrapping), f"Wrapping.{name} would use state that it has not"
    reads_lines = re.compile(r"_wrapped_document\._|wrapped_document\._(?!_)")
    for member in vars(Navigator).values():
        if inspect.isfunction(member):
            assert not reads_lines.search(inspect.getsource(member))


def private(names: Iterable[str]) -> set[str]:
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def modules() -> dict[str, ast.Module]:
    folder = Path(package.__file__).parent
    return {path.name: ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")}


def own_names(tree: ast.Module) -> set[str]:
    """The private names that a module defines: functions, methods and attributes."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.attr if isinstance(node, ast.Attribute) else node.id)
    return private(found)


def test_private_names_of_textual_stand_in_one_module() -> None:
    trees = modules()
    trees.pop("textual_private.py")
    ours = set().union(*map(own_names, trees.values()))
    for name, tree in trees.items():
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not private(used) - ours, name
        imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert not [
            node.module for node in imported if re.match(r"textual.*\._", node.module or "")
        ]


def test_every_private_name_that_is_used_has_a_test_here() -> None:
    tree = modules()["textual_private.py"]
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = private(used) | own_names(tree)
    assert "_draw_cursor" in names
    tests = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in names if name not in tests] == []


def test_no_private_name_of_ours_hides_one_of_textuals() -> None:
    theirs = private(vars(TextArea(""))).union(*(private(vars(base)) for base in TextArea.__mro__))
    for name in ("pane.py", "binding.py", "editor.py"):
        assert not own_names(modules()[name]) & theirs
