"""The sections of a text: its outline, the one that is meant, lines by number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.errors import Ambiguous, BadInput, NotFound
from aimem_tui.markdown import sections
from aimem_tui.markdown.describe import describe
from aimem_tui.markdown.lines import lines_between
from aimem_tui.markdown.sections import find, outline
from tests.markdown.pieces import markdown

PLAN = """---
status: draft
---
Before.

# Plan

Why.

## Tasks

- [ ] one

### Later

- [ ] two

## Risks
Log
===

## Tasks

- done
"""


class TestOutline:
    @given(markdown())
    def test_the_own_parts_of_all_sections_are_the_text(self, text: str) -> None:
        found = outline(text)
        assert "".join(text[each.start : each.own_end] for each in found) == text
        for each in found:
            assert each.start <= each.body <= each.own_end <= each.end

    @given(markdown())
    def test_a_section_holds_its_subsections_and_ends_before_its_equals(self, text: str) -> None:
        found = outline(text)
        for index, each in enumerate(found):
            within = [other for other in found[index + 1 :] if other.start < each.end]
            assert all(other.level > each.level and other.end <= each.end for other in within)
            assert all(other.path[: len(each.path)] == each.path for other in within)
            following = found[index + 1 + len(within) :][:1]
            assert all(other.level <= each.level or not each.level for other in following)

    @given(markdown())
    def test_its_headings_are_those_of_the_thought(self, text: str) -> None:
        described = describe("a.md", text).headings
        found = [each for each in outline(text) if each.level]
        assert [(each.level, each.title, each.first_line - 1) for each in found] == [
            (each.level, each.text, each.line) for each in described
        ]

    @given(markdown())
    def test_lines_and_offsets_name_the_same_places(self, text: str) -> None:
        lines = list(lines_between(text, 0, len(text)))
        for each in outline(text):
            assert each.start == lines[each.first_line - 1].start
            assert each.end == lines[each.last_line - 1].end
            assert text[each.start : each.end] == sections.lines(
                text, each.first_line, each.last_line
            )

    def test_what_stands_before_the_first_heading_is_of_level_0(self) -> None:
        first, plan, *_ = outline(PLAN)
        assert (first.level, first.title, first.path) == (0, "", ())
        assert PLAN[first.start : first.end].endswith("Before.\n\n")
        assert PLAN[plan.body : plan.own_end] == "\nWhy.\n\n"

    def test_an_underlined_heading_has_its_underline_in_it(self) -> None:
        log = find(PLAN, "Log")
        assert PLAN[log.start : log.body] == "Log\n===\n"

    def test_a_text_of_nothing_has_no_sections(self) -> None:
        assert outline("") == []


class TestFind:
    @pytest.mark.parametrize(
        ("wanted", "line"),
        [
            ("Risks", 18),
            ("risks", 18),
            ("## Risks", 18),
            ("  *Risks*  ", 18),
            ("Plan > Tasks", 10),
            ("# plan > ## tasks", 10),
            ("Plan > Later", 14),
            ("Log > Tasks", 22),
            ("Tasks (line 10)", 10),
            ("Log > Tasks (line 22)", 22),
        ],
    )
    def test_a_section_is_meant_by_its_heading_and_those_above(
        self, wanted: str, line: int
    ) -> None:
        assert find(PLAN, wanted).first_line == line

    @given(markdown())
    def test_every_section_is_found_by_the_name_and_line_it_is_listed_with(self, text: str) -> None:
        for each in outline(text):
            if each.title.strip():
                assert find(text, f"{each.name} (line {each.first_line})") == each

    def test_several_of_a_name_are_listed_to_choose_from(self) -> None:
        with pytest.raises(Ambiguous) as caught:
            find(PLAN, "tasks")
        assert caught.value.why == "Plan > Tasks (line 10); Log > Tasks (line 22)."

    def test_one_that_fits_exactly_is_meant_before_one_that_nearly_does(self) -> None:
        assert find("# api\n# API\n", "API").first_line == 2
        assert find("# Notes\n## Notes\n", "## Notes").first_line == 2
        assert find("# Notes\n# Plan\n## Notes\n", "Notes").first_line == 1
        assert find("# A > B\n# A\n## B\n", "A > B").first_line == 1

    def test_what_is_not_there_is_answered_with_the_nearest(self) -> None:
        with pytest.raises(NotFound) as caught:
            find(PLAN, "Risk")
        assert caught.value.hint == "The nearest: Plan > Risks (line 18)."
        with pytest.raises(NotFound, match="There are: Plan"):
            find(PLAN, "Appendix")
        with pytest.raises(NotFound, match="There are no headings"):
            find("words", "Plan")
        with pytest.raises(BadInput):
            find(PLAN, " ")


class TestLines:
    @given(markdown(least=1), st.data())
    def test_lines_are_those_between_two_numbers(self, text: str, data: st.DataObject) -> None:
        count = sections.count_lines(text)
        if not count:
            return
        first = data.draw(st.integers(1, count))
        last = data.draw(st.integers(first, count + 3))
        before = sections.lines(text, 1, first - 1) if first > 1 else ""
        behind = sections.lines(text, last + 1) if last < count else ""
        assert before + sections.lines(text, first, last) + behind == text

    @given(markdown(), st.data())
    def test_every_offset_is_in_one_line(self, text: str, data: st.DataObject) -> None:
        offset = data.draw(st.integers(0, len(text)))
        lines = list(lines_between(text, 0, len(text)))
        holding = [n for n, line in enumerate(lines, 1) if line.start <= offset < line.end]
        assert sections.line_of(text, offset) == (holding or [max(1, len(lines))])[0]

    def test_a_line_that_is_not_there_is_explained(self) -> None:
        with pytest.raises(BadInput, match=r"There is no line 3\. The text has 2 lines\."):
            sections.lines("a\nb\n", 3)
        with pytest.raises(BadInput):
            sections.lines("a\nb\n", 2, 1)
