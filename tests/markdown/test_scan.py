"""Headings, tasks and links of a markdown text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from aimem_tui.markdown.describe import describe
from aimem_tui.markdown.lines import split_lines
from aimem_tui.markdown.scan import plain_text, scan
from aimem_tui.model import Heading, Link, Task


def headings(text: str) -> list[tuple[int, str]]:
    return [(each.level, each.text) for each in scan(split_lines(text)).headings]


def tasks(text: str) -> list[tuple[str, bool]]:
    return [(each.text, each.done) for each in scan(split_lines(text)).tasks]


def targets(text: str) -> list[str]:
    return [each.target for each in scan(split_lines(text)).links]


class TestHeadings:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("# One\n## Two ##\n   ###### Six", [(1, "One"), (2, "Two"), (6, "Six")]),
            ("#\n# \n####### Seven\n#none\n    # code", [(1, ""), (1, "")]),
            ("# C#\n# A # B\n# \\#", [(1, "C#"), (1, "A # B"), (1, "#")]),
            ("One\n===\n\nTwo\n---\n", [(1, "One"), (2, "Two")]),
            ("two\nlines\n===\n", [(1, "two lines")]),
            ("- entry\n---\n\n> quote\n---\n\n---\n\ntext\n\n---\n", []),
            ("| a |\n|---|\n| b |\n---\n", []),
            ("> # Quoted\n", []),
            ("a\rb\r\n===\r# c", [(1, "a b"), (1, "c")]),
        ],
    )
    def test_both_styles_are_found(self, text: str, found: list[tuple[int, str]]) -> None:
        assert headings(text) == found

    def test_lines_count_from_0_through_the_frontmatter(self) -> None:
        text = "---\r\ntitle: x\r\n---\r\n\r\n# A\r\n\r\nB\r\n=\r\n- [ ] c\r\n[d](d.md)"
        described = describe("a.md", text)
        assert described.headings == (Heading(1, "A", 4), Heading(1, "B", 6))
        assert described.tasks == (Task(8, "c", False),)
        assert described.links == (Link("d.md", 9),)

    def test_form_feeds_and_other_separators_end_no_line(self) -> None:
        assert scan(split_lines("a\x0cb\u2028c\x85d\n# x")).headings == [Heading(1, "x", 1)]

    @pytest.mark.parametrize(
        ("written", "plain"),
        [
            ("**Bold** and `co*d*e`", "Bold and co*d*e"),
            ("snake_case _em_ __strong__", "snake_case em strong"),
            ("[label](a.md) ![alt](b.png) [[page|name]]", "label alt name"),
            ("*`code`* ~~gone~~", "code gone"),
            ("Title {#anchor}", "Title"),
            ("Vec<T> <br/> <https://x.org>", "Vec<T> https://x.org"),
            ("2 * 3 * 4 \\* &amp; &unknown;", "2 * 3 * 4 * & &unknown;"),
            ("``a`b`` `", "a`b `"),
            ("a\0b `c`", "a\ufffdb c"),
        ],
    )
    def test_marks_are_left_out_of_the_text(self, written: str, plain: str) -> None:
        assert plain_text(written) == plain


class TestCode:
    @pytest.mark.parametrize(
        "text",
        [
            "```\n# no\n- [ ] no\n[no](no.md)\n```\n# yes",
            "~~~ python `x`\n# no\n```\n# no\n~~~\n# yes",
            "````\n```\n# no\n````\n# yes",
            "```\n# no\n    ```\n# no\n```\n# yes",
            "```\n``` x\n# no\n```\t \n# yes",
            "- item\n\n  ```\n  # no\n  ```\n\n# yes",
            "1. ```\n   # no\n   ```\n\n# yes",
            "> ```\n> # no\n> ```\n\n# yes",
            "> ```\n> # no\n\n# yes",
            "``` not `a` fence\n\n# yes",
            "`# no`\n\n# yes",
            "<!--\n# no\n- [ ] no\n-->\n# yes",
            "text <!-- a\n# no\n--> more\n# yes",
            "<!-- a --> <!-- b -->\n# yes",
            "<!-- never closed\n# yes",
            "text <!-- not closed here\n\n# yes\n-->",
            "`<!--`\n# yes\n`-->`",
            "```\n<!--\n```\n# yes\n-->",
            "<!-- ```\n-->\n# yes",
        ],
    )
    def test_code_and_comments_are_not_read(self, text: str) -> None:
        assert headings(text) == [(1, "yes")]
        assert tasks(text) == []
        assert targets(text) == []

    def test_a_fence_that_is_never_closed_reaches_to_the_end(self) -> None:
        assert headings("# yes\n```\n# no\n\n# no") == [(1, "yes")]


class TestTasks:
    def test_every_kind_of_list_holds_tasks(self) -> None:
        text = (
            "- [ ] a\n* [x] b **c** \n+ [X]\td\n1. [ ] e\n2) [x] f\n        - [ ] deep\n"
            "> - [x] quoted\n> > 1. [ ] twice\n\t- [ ] tab\n"
        )
        assert tasks(text) == [
            ("a", False),
            ("b **c**", True),
            ("d", True),
            ("e", False),
            ("f", True),
            ("deep", False),
            ("quoted", True),
            ("twice", False),
            ("tab", False),
        ]

    @pytest.mark.parametrize(
        "text", ["- []", "- [ ]", "- [ ]x", "[ ] x", "-[ ] x", "- [y] x", "- [-] x", "a - [ ] x"]
    )
    def test_what_only_looks_like_a_task_is_none(self, text: str) -> None:
        assert tasks(text) == []


class TestLinks:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("[a](b.md) and [c](../d/e.md#f \"g\")", ["b.md", "../d/e.md#f"]),
            ("[a](<b c.md>) [d](e(1).md) [`f`](g.md)", ["b c.md", "e(1).md", "g.md"]),
            ("[a](https://b.md) [c](mailto:d@e.md) [f](#g) [h](//i.md)", []),
            ("![a](b.png) [![c](d.png)](e.md)", ["e.md"]),
            ("[[wiki]] [[a/b#c|shown]] ![[embedded]]", ["wiki", "a/b#c", "embedded"]),
            ("[a]: b.md\n[^1]: c.md\n[d]: <e f.md> 'title'\n[g]: http://h", ["b.md", "e f.md"]),
            ("see thoughts/shared/plans/a.md, or ../thoughts/b.md.", [
                "thoughts/shared/plans/a.md",
                "../thoughts/b.md",
            ]),
            ("see @docs/a.md and @b.md:12 not me@c.md", ["@docs/a.md", "@b.md"]),
            ("https://x.org/thoughts/a.md plain/b.md thoughts/c.txt", []),
            ("`thoughts/a.md` and `cat thoughts/b.md` and `x.md`", ["thoughts/a.md"]),
            ("`[a](b.md)` `[[c]]` [d](`e`.md)", []),
            ("- [ ] do [a](b.md)\n## [c](d.md)\n> [e](f.md)", ["b.md", "d.md", "f.md"]),
            ("[thoughts/a.md](thoughts/a.md) thoughts/a.md", ["thoughts/a.md"]),
        ],
    )  # fmt: skip
    def test_references_to_other_texts_are_found(self, text: str, found: list[str]) -> None:
        assert targets(text) == found


blocks = st.lists(
    st.sampled_from(
        [
            *(
                "# One",
                "## Two ##",
                "#none",
                "####### no",
                "text",
                "more text",
                "===",
                "---",
                "-----",
            ),
            *(
                "- entry",
                "* [ ] task",
                "1. [x] done",
                "- [ ]",
                "***",
                "",
                "",
                "```",
                "```py",
                "~~~",
            ),
            *("````", "    indented", "  - [ ] inner", "`code`", "    # four", "> quote", "> ```"),
            *("> # quoted", "    ```", "text <!-- c --> text"),
        ]
    ),
    max_size=12,
)


class TestAgainstCommonMark:
    @given(blocks)
    def test_a_parser_finds_the_same_headings_where_no_list_is_in_the_way(
        self, lines: list[str]
    ) -> None:
        """In lists only the whole nesting tells a heading, and a scan does not know it."""
        plain = [line for line in lines if not line.lstrip().startswith(("- ", "* ", "1."))]
        text = "\n".join(plain)
        expected = [
            (int(token.tag[1]), token.map[0])
            for token in MarkdownIt("commonmark").parse(text)
            if token.type == "heading_open" and token.map and token.level == 0
        ]
        found = [(each.level, each.line) for each in scan(split_lines(text)).headings]
        assert found == expected


class TestHostile:
    @pytest.mark.parametrize(
        "piece",
        [
            *("[", "](", "[[", "![", "](<", "](a(", '[](a "', "*", "**a ", "_", "~", "`", "`` ` "),
            *("\\", "<", "<!--", "<!---->", ">", "> ", "-", "- ", "- [ ] ", "#", "1. ", "|", "@"),
            *("@a", "thoughts/", "a.md ", ".md", "&a;", "\0", "\t", " ", "=\n", "a\n-\n", "```\n"),
            *("- ```\n", "<!--\n", "-->\n", "# [](a\n", "> ```\n", "[x]: "),
        ],
    )  # fmt: skip
    def test_hostile_texts_are_described_all_the_same(self, piece: str) -> None:
        for head in ("", "# ", "- [ ] "):
            text = head + piece * (100_000 // len(piece)) + "\n.md](\n"
            assert describe("a.md", text).title
