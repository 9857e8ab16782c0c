"""The list: what it shows, where the cursor stays, and how little it writes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from aimem_tui.widgets.icons import GLYPHS
from aimem_tui.widgets.rows import ItemModel, Row, Span
from aimem_tui.widgets.virtual_list import VirtualList
from tests.widgets.terminal import CountingDriver, count_bytes, dump


class Numbers:
    """Rows without end, none of them held anywhere."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.asked = 0

    def count(self) -> int:
        return self.size

    def key(self, index: int) -> Hashable:
        return index

    def row(self, index: int) -> Row:
        self.asked += 1
        return Row.of(f"row {index}", meta=str(index % 7))

    def row_of(self, key: Hashable) -> int | None:
        return key if isinstance(key, int) and 0 <= key < self.size else None


def words(*names: str) -> ItemModel[str]:
    return ItemModel(key=lambda name: name, row=lambda name: Row.of(name), items=names)


class Screen(App[None]):
    CSS = "VirtualList { width: 100%; height: 100%; scrollbar-gutter: auto; }"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, widget: VirtualList, **options: Any) -> None:
        super().__init__(**options)
        self.widget = widget
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_virtual_list_highlighted(self, message: VirtualList.Highlighted) -> None:
        self.heard.append(message)

    def on_virtual_list_selected(self, message: VirtualList.Selected) -> None:
        self.heard.append(message)

    @property
    def selected(self) -> list[Hashable]:
        return [m.key for m in self.heard if isinstance(m, VirtualList.Selected)]

    @property
    def highlighted(self) -> list[Hashable | None]:
        return [m.key for m in self.heard if isinstance(m, VirtualList.Highlighted)]


async def test_rows_show_their_parts_where_they_belong() -> None:
    rows = [
        Row(
            ((Span("▸ ", "muted"), Span("plans")),),
            meta=(Span("38", "muted"),),
        ),
        Row(((Span("auth-flow"),),), badges=(Span("●B", "people"),), indent=2),
        Row(((Span("a name that is too long for its place"),),), meta=(Span("7"),), indent=2),
        Row(((Span("日本語のとても長い名前です"),),), meta=(Span("7"),)),
        Row(((Span("bad\x1b[2Jname\n"),),)),
    ]
    model = ItemModel(key=id, row=lambda row: row, items=rows)
    app = Screen(VirtualList(model, icons=GLYPHS))
    async with app.run_test(size=(24, 7)):
        assert dump(app.widget) == [
            " ▸ plans             38",
            "   auth-flow         ●B",
            "   a name that is to… 7",
            " 日本語のとても長い…  7",
            " bad␛[2Jname␊",
            "",
            "",
        ]


async def test_keys_move_the_cursor_and_enter_chooses() -> None:
    app = Screen(VirtualList(Numbers(100)))
    async with app.run_test(size=(30, 10)) as pilot:
        await pilot.press("down", "down", "j", "up", "enter")
        assert app.selected == [2]
        await pilot.press("pagedown", "enter", "end", "enter", "k", "enter", "home", "enter")
        assert app.selected == [2, 11, 99, 98, 0]
        assert app.highlighted[:4] == [0, 1, 2, 3]
        await pilot.press("up")
        assert app.widget.cursor == 0


async def test_letters_are_left_to_others_where_they_are_typed() -> None:
    app = Screen(VirtualList(Numbers(100), letters=False))
    async with app.run_test(size=(30, 10)) as pilot:
        await pilot.press("j", "j", "down")
        assert app.widget.cursor == 1


async def test_a_click_brings_the_cursor_and_a_double_click_chooses() -> None:
    app = Screen(VirtualList(Numbers(100), row_height=2))
    async with app.run_test(size=(30, 10)) as pilot:
        await pilot.click(app.widget, offset=(3, 5))
        assert app.widget.cursor == 2
        assert app.selected == []
        await pilot.click(app.widget, offset=(3, 6), times=2)
        assert app.selected == [3]


async def test_the_wheel_moves_the_rows_and_not_the_cursor() -> None:
    app = Screen(VirtualList(Numbers(100)))
    async with app.run_test(size=(30, 10)) as pilot:
        app.widget.scroll_down()
        await pilot.pause()
        assert dump(app.widget)[0].startswith(" row 1 ")
        assert app.widget.cursor == 0
        await pilot.press("down")
        assert dump(app.widget)[0].startswith(" row 1 ")


async def test_rows_of_several_lines_are_seen_whole() -> None:
    def row(number: int) -> Row:
        lines = ((Span(f"path {number}", "strong"),), (Span("words"),), ())
        return Row(lines, meta=(Span("2 h"),))

    model = ItemModel(key=lambda n: n, row=row, items=list(range(10)))
    app = Screen(VirtualList(model, row_height=3))
    async with app.run_test(size=(20, 8)) as pilot:
        await pilot.press("down", "down")
        assert dump(app.widget)[-3:] == [" path 2        2 h", " words", ""]


async def test_an_empty_list_says_what_it_is_for() -> None:
    app = Screen(VirtualList(words(), empty="Nothing here yet.\nPress n for a new thought."))
    async with app.run_test(size=(40, 5)) as pilot:
        assert dump(app.widget)[1:3] == ["  Nothing here yet.", "  Press n for a new thought."]
        await pilot.press("down", "enter")
        assert app.selected == []
        assert app.widget.cursor_key is None


async def test_the_cursor_stays_on_its_row_and_the_row_in_its_place() -> None:
    model = words(*(f"w{n:03}" for n in range(100)))
    app = Screen(VirtualList(model))
    async with app.run_test(size=(20, 10)) as pilot:
        app.widget.go_to("w050")
        await pilot.pause()
        before = dump(app.widget)
        model.replace(["new", "newer", *model.items[:20], *model.items[30:]])
        app.widget.model_changed()
        await pilot.pause()
        assert app.widget.cursor_key == "w050"
        assert dump(app.widget) == before
        assert app.highlighted == ["w000", "w050"]


async def test_rows_stay_in_place_when_the_cursor_is_out_of_view() -> None:
    model = words(*(f"w{n:03}" for n in range(100)))
    app = Screen(VirtualList(model))
    async with app.run_test(size=(20, 10)) as pilot:
        app.widget.scroll_to(y=40)
        await pilot.pause()
        model.replace([name for name in model.items if name not in ("w003", "w040", "w045")])
        app.widget.model_changed()
        await pilot.pause()
        shown = dump(app.widget)
        assert shown[1:5] == [" w041", " w042", " w043", " w044"]
        assert app.widget.cursor_key == "w000"


async def test_when_the_row_under_the_cursor_goes_the_next_one_takes_its_place() -> None:
    model = words("a", "b", "c")
    app = Screen(VirtualList(model))
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.press("down")
        for names in (["a", "c"], ["a"], []):
            model.replace(names)
            app.widget.model_changed()
        await pilot.pause()
        assert app.highlighted == ["a", "b", "c", "a", None]


async def test_only_rows_on_screen_are_asked_for() -> None:
    model = Numbers(10_000_000)
    app = Screen(VirtualList(model))
    async with app.run_test(size=(30, 10)) as pilot:
        await pilot.press("end", "pageup", "home")
        assert model.asked < 100


async def test_a_key_repaints_two_rows_and_costs_few_bytes() -> None:
    app = Screen(VirtualList(Numbers(100_000)), driver_class=CountingDriver)
    costs: dict[str, list[int]] = {"down": [], "up": []}

    async def play(pilot: Pilot[Any], written: Callable[[], int]) -> None:
        await pilot.pause()
        for key in costs:
            for _ in range(5):
                written()
                await pilot.press(key)
                costs[key].append(written())

    await count_bytes(app, (120, 36), play)
    assert 0 < max(costs["down"] + costs["up"]) < 700, costs


async def test_the_pointer_passing_over_costs_nothing() -> None:
    app = Screen(VirtualList(Numbers(100_000)), driver_class=CountingDriver)
    cost = -1

    async def play(pilot: Pilot[Any], written: Callable[[], int]) -> None:
        nonlocal cost
        await pilot.hover(app.widget, offset=(2, 2))
        await pilot.pause()
        written()
        for y in range(3, 12):
            await pilot.hover(app.widget, offset=(2, y))
        cost = written()

    await count_bytes(app, (80, 24), play)
    assert cost == 0


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark", "nord"])
async def test_the_row_under_the_cursor_looks_different_in_every_theme(theme: str) -> None:
    app = Screen(VirtualList(words("a", "b")))
    async with app.run_test(size=(20, 4)) as pilot:
        app.theme = theme
        await pilot.pause()
        first, second = (next(iter(app.widget.render_line(y))).style for y in (0, 1))
        assert first is not None
        assert second is not None
        assert (first.bgcolor, first.reverse) != (second.bgcolor, second.reverse)


async def test_without_colours_the_row_under_the_cursor_is_reversed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Screen(VirtualList(words("a", "b")))
    async with app.run_test(size=(20, 4)) as pilot:
        await pilot.pause()
        style = next(iter(app.widget.render_line(0))).style
        assert style is not None
        assert style.reverse


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(max_size=40), max_size=3),
    st.text(max_size=12),
    st.text(max_size=6),
    st.integers(1, 40),
    st.integers(0, 50),
)
def test_any_text_fills_exactly_the_width(
    texts: list[str], meta: str, badge: str, width: int, indent: int
) -> None:
    row = Row(
        (tuple(Span(text) for text in texts),), (Span(meta),), (Span(badge, "people"),), indent
    )

    async def check() -> None:
        model = ItemModel(key=id, row=lambda row: row, items=[row])
        app = Screen(VirtualList(model))
        async with app.run_test(size=(width, 2)):
            strip = app.widget.render_line(0)
            assert strip.cell_length == width
            assert sum(cell_len(segment.text) for segment in strip) == width
            for at in range(width):
                assert strip.crop(at, width).cell_length == width - at

    import asyncio

    asyncio.run(check())
