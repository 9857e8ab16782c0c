"""Blocks as lines of text: what they look like, and that any text can be drawn."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from aimem_tui.widgets.drawing import NARROW, Drawer, Drawing
from aimem_tui.widgets.icons import GLYPHS, PLAIN, Icons
from aimem_tui.widgets.outline import split
from tests.shared_data import shared_data

MARKUP = st.lists(
    st.sampled_from(
        [
            *"abc \n\n\n\n-*_`>#|[]()<>!~:.\\&\t1é日👍\u200d\ufe0f\x00",
            "\n\n",
            "\n- ",
            "\n  - [ ] ",
            "\n1. [x] ",
            "\n> ",
            "\n```py\n",
            "\n~~~\n",
            "\n| a | b |\n|--|:-:|\n",
            "\n| 1 |\n",
            "\n---\n",
            "[[link]]",
            "[a](b)",
            "![i](s)",
            "https://x.org/(y)",
            "<br>",
            "<!--",
            "[r]: /u\n",
            "[r]",
            "    ",
        ]
    ),
    max_size=60,
).map("".join)


def drawings(source: str, width: int, icons: Icons = GLYPHS) -> list[Drawing]:
    outline = split(source)
    drawer = Drawer(icons, outline.definitions)
    return [drawer.draw(placed.block, width) for placed in outline.blocks]


def text_of(drawing: Drawing) -> list[str]:
    return ["".join(span.text for span in line.spans).rstrip() for line in drawing.lines]


def drawn(source: str, width: int = 40, icons: Icons = GLYPHS) -> str:
    """The source as it is drawn, an empty line between blocks."""
    blocks = (text_of(drawing) for drawing in drawings(dedent(source).strip("\n"), width, icons))
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def expect(text: str) -> str:
    return dedent(text).strip("\n")


def sound(source: str, width: int) -> None:
    outline = split(source)
    drawer = Drawer(GLYPHS, outline.definitions)
    after = [*outline.blocks, None][1:]
    for placed, following in zip(outline.blocks, after, strict=True):
        drawing = drawer.draw(placed.block, width)
        # The next block may go on in a line that is too long for one.
        goes_on = following is not None and following.line < placed.line + placed.lines + 1
        most = placed.lines + (goes_on and following.block.continued)
        last = 0
        for line in drawing.lines:
            assert sum(cell_len(span.text) for span in line.spans) <= max(width, NARROW), line
            assert last <= line.source < max(1, most), placed
            last = line.source
            for span in line.spans:
                assert "\n" not in span.text
                assert span.link < len(drawing.links)


@given(MARKUP, st.integers(1, 100))
@example("- " * 100 + "a", 30)
@example("> " * 15 + "a", 30)
def test_any_markup_can_be_drawn_at_any_width(source: str, width: int) -> None:
    sound(source, width)


@given(st.text(max_size=300), st.integers(1, 100))
def test_any_text_can_be_drawn_at_any_width(source: str, width: int) -> None:
    sound(source, width)


@given(
    st.lists(
        st.sampled_from(
            ["- ", "1. ", "> ", "# ", "\n\n", "\n", "    ", "word", "日本", "**b**", " "]
        ),
        max_size=40,
    ).map("".join),
    st.integers(8, 80),
)
def test_no_word_is_lost(source: str, width: int) -> None:
    letters = re.compile("[a-z日本]")
    shown = "".join(line for drawing in drawings(source, width) for line in text_of(drawing))
    assert letters.findall(shown) == letters.findall(source)


def test_paragraphs_flow_and_keep_the_breaks_their_author_meant() -> None:
    source = """
        One *two* **three** `four` and a line
        that goes on. Hard\\
        break.<br>And another.
        """
    assert drawn(source, 30) == expect(
        """
        One two three four and a line
        that goes on. Hard
        break.
        And another.
        """
    )


def test_lines_that_begin_with_a_label_stay_lines() -> None:
    source = "**Date:** today\n**Status**: in\nprogress, **not** done\n**Owner**:\nAda"
    assert drawn(source) == "Date: today\nStatus: in progress, not done\nOwner: Ada"


def test_lists_hang_and_number_themselves() -> None:
    source = """
        - first item is long enough to wrap
          - inner
            - innermost
        - second

          with a paragraph
        9. nine
        9. ten
        """
    assert drawn(source, 26) == expect(
        """
        • first item is long
          enough to wrap
          ◦ inner
            ▪ innermost
        • second

          with a paragraph

         9. nine
        10. ten
        """
    )


def test_checkboxes_are_drawn_as_boxes() -> None:
    source = """
        - [x] done
        - [ ] open
          - [X] inner
        - [ ]
        1. [ ] step
        """
    assert drawn(source) == expect(
        """
        ☑ done
        ☐ open
          ☑ inner
        ☐

        1. ☐ step
        """
    )
    assert drawn(source, icons=PLAIN).startswith("[x] done\n[ ] open\n    [x] inner")


def test_a_table_stands_in_columns() -> None:
    source = """
        | Name | Size | Note |
        |:-----|-----:|:----:|
        | auth | 12 | a |
        | `x\\|y` | 1,204 | **both** |
        """
    assert drawn(source) == expect(
        """
        Name    Size   Note
        ────   ─────   ────
        auth      12    a
        x|y    1,204   both
        """
    )


def test_a_wide_table_gives_way_in_its_widest_columns() -> None:
    source = """
        | Key | What it says |
        |-----|--------------|
        | one | words that do not fit into one line of it |
        | two | short |
        """
    assert drawn(source, 30) == expect(
        """
        Key   What it says
        ───   ────────────────────────
        one   words that do not fit
              into one line of it

        two   short
        """
    )


def test_a_table_of_too_many_columns_becomes_records() -> None:
    names = [f"name{number}" for number in range(8)]
    source = "|".join(names) + "\n" + "|".join("-" for _ in names) + "\n" + "|".join("abcdefgh")
    shown = drawn(source, 30)
    assert shown.splitlines()[:2] == ["name0  a", "name1  b"]


def test_code_keeps_its_spaces_and_is_chopped_where_it_is_too_long() -> None:
    source = "```\n  if x:\n\treturn 'a long line of code'\n```"
    assert text_of(drawings(source, 20)[0]) == [
        "   if x:",
        "     return 'a long",
        "  line of code'",
    ]


def test_code_in_a_known_language_has_colours() -> None:
    (drawing,) = drawings("```python\ndef f(): return 'x'  # why\n```", 60)
    styles = {span.text: span.style for span in drawing.lines[0].spans}
    assert styles["def"] == "fence keyword"
    assert styles["'x'"] == "fence string"
    assert styles["# why"] == "fence comment"
    assert all(line.fill == "fence" for line in drawing.lines)


@pytest.mark.parametrize("language", ["", "nosuchlanguage", "text", "../../etc", "{.py #x}"])
def test_code_in_an_unknown_language_is_drawn_plainly(language: str) -> None:
    (drawing,) = drawings(f"```{language}\ndef f(): return\n```", 60)
    assert text_of(drawing)[0].startswith(" def f(): return")


def test_frontmatter_becomes_a_small_table() -> None:
    source = """
        ---
        title: "Auth flow"
        # a comment
        tags: [auth, 'api']
        people:
          - Ada
          - Ben
        about: >
          folded
        ---
        text
        """
    assert drawn(source) == expect(
        """
        title   Auth flow
        tags    auth, api
        people  Ada, Ben
        about   folded

        text
        """
    )


def test_quotes_have_a_bar_on_every_line() -> None:
    source = """
        > said once and long enough to wrap
        >
        > > again
        """
    assert drawn(source, 28) == expect(
        """
        ▎ said once and long enough
        ▎ to wrap
        ▎
        ▎ ▎ again
        """
    )


def test_links_say_where_they_lead() -> None:
    source = (
        "[one](a.md), [two][ref], [[plans/x]], [[plans/y|the plan]], <https://z.org>,"
        " (https://w.org/a_(b)). ![pic](p.png)\n\n[ref]: b.md\n"
    )
    drawing = drawings(source, 200)[0]
    assert drawing.links == (
        "a.md",
        "b.md",
        "plans/x",
        "plans/y",
        "https://z.org",
        "https://w.org/a_(b)",
        "p.png",
    )
    linked = [span.text for line in drawing.lines for span in line.spans if span.link >= 0]
    assert linked == [
        "one",
        "two",
        "plans/x",
        "the plan",
        "https://z.org",
        "https://w.org/a_(b)",
        "image: pic",
    ]


def test_html_and_footnotes_show_as_they_are_written() -> None:
    source = """
        Press <kbd>x</kbd> &amp; go.[^1]

        <details>
        <summary>More</summary>
        </details>

        [^1]: word
        """
    assert drawn(source) == expect(
        """
        Press <kbd>x</kbd> & go.[^1]

        <details>
        <summary>More</summary>
        </details>

        [^1]: word
        """
    )


def test_lines_know_where_they_come_from() -> None:
    source = "- a\n- b\n  - c\n\n- d\n\n  e"
    (drawing,) = drawings(source, 40)
    assert [line.source for line in drawing.lines] == [0, 1, 2, 3, 4, 5, 6]


def test_hostile_texts_are_drawn_in_bounded_pieces() -> None:
    for source in (
        ">" * 10_000,
        "> " * 10_000,
        "[" * 100_000,
        "![" * 50_000,
        "(" * 100_000,
        "*a " * 30_000,
        "`" * 100_000,
        "|" * 50_000 + "\n" + "|-" * 25_000,
        "<" * 100_000,
        "- " * 50_000,
        "\n".join(" " * depth + "- x" for depth in range(400)),
        "x" * 100_000,
        "日本 " * 30_000,
        "```python\n" + "(" * 100_000,
    ):
        sound(source, 80)


def test_what_would_take_the_parser_long_is_drawn_as_it_is_written() -> None:
    for source in ("[" * 40 + " *a*", ">" * 40 + " *a*"):
        assert drawn(source, 60) == source


def test_real_thoughts_can_be_drawn() -> None:
    for file in sorted(shared_data("thoughts").rglob("*.md"))[::40]:
        sound(file.read_text("utf-8", errors="replace"), 72)
