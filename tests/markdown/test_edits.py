"""Edits that are asked for in words do exactly what they say, and leave all else alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aimem_tui.errors import BadInput, NotFound
from aimem_tui.markdown import edits
from aimem_tui.markdown.lines import line_end, split_lines
from aimem_tui.markdown.sections import find, outline
from crdt.document import ThoughtDocument
from crdt.textdiff import Splice, apply
from tests.markdown.pieces import markdown

pieces = st.text(st.sampled_from("ab é\n#-👧"), max_size=8)


def plain(text: str) -> str:
    """A text with one kind of line end."""
    return "\n".join(split_lines(text))


def merged(text: str, first: list[Splice], second: list[Splice]) -> str:
    """What two machines have that made one edit each of the same text at once."""
    one, update = ThoughtDocument.create(1, path="a.md", text=text, at=0, by="ann")
    other = ThoughtDocument.load(2, [update])
    one.apply_splices(first)
    other.apply_splices(second)
    one.apply(other.state())
    other.apply(one.state())
    assert one.text == other.text
    return one.text


class TestReplaceExact:
    @given(pieces, pieces.filter(bool), pieces, pieces)
    def test_the_result_is_the_text_with_the_one_passage_replaced(
        self, before: str, old: str, behind: str, new: str
    ) -> None:
        text = before + old + behind
        assume(len(re.findall(f"(?={re.escape(old)})", text)) == 1)
        assert apply(text, edits.replace_exact(text, old, new)) == before + new + behind

    @given(st.lists(pieces), pieces.filter(bool), pieces)
    def test_every_one_is_replaced_where_that_is_asked_for(
        self, parts: list[str], old: str, new: str
    ) -> None:
        text = old.join(["", *parts, ""])
        assert apply(text, edits.replace_exact(text, old, new, every=True)) == text.replace(
            old, new
        )

    @given(markdown(least=2), st.sampled_from(["\n", "\r\n", "\r"]), st.data())
    def test_line_ends_do_not_count_and_the_text_keeps_its_own(
        self, text: str, end: str, data: st.DataObject
    ) -> None:
        lines = split_lines(text)
        first = data.draw(st.integers(0, len(lines) - 1))
        last = data.draw(st.integers(first, len(lines) - 1))
        old = end.join(lines[first : last + 1])
        assume(old and plain(text).count(plain(old)) == 1)
        replaced = apply(text, edits.replace_exact(text, old, f"new{end}words"))
        assert plain(replaced) == plain(text).replace(plain(old), "new\nwords")
        kinds = set(re.findall(r"\r\n|\r|\n", text)) or {"\n"}
        assert set(re.findall(r"\r\n|\r|\n", replaced)) <= kinds

    def test_a_line_end_of_two_characters_is_one(self) -> None:
        with pytest.raises(NotFound):
            edits.replace_exact("a\r\nb", "a\n\nb", "x")

    def test_only_what_differs_is_touched(self) -> None:
        text = "The token lives for 30 minutes, then it is renewed.\n"
        (edit,) = edits.replace_exact(text, text.strip(), text.strip().replace("30", "15"))
        assert text[edit.start : edit.end] in ("30", "3")
        assert edits.replace_exact(text, "30 minutes", "30 minutes") == []

    def test_a_passage_that_stands_in_several_places_is_refused_with_their_lines(self) -> None:
        with pytest.raises(BadInput) as caught:
            edits.replace_exact("a\nb\na\n", "a", "c")
        assert caught.value.what == "The text stands in 2 places."
        assert caught.value.why == "In the lines 1, 3."
        with pytest.raises(BadInput, match="The text to look for is empty"):
            edits.replace_exact("a", "", "c")

    def test_the_nearest_passage_is_shown_for_one_that_is_not_there(self) -> None:
        text = "# A\n\nOne line.\n- Deploys run on Fridays\n- at noon sharp\n\nThe end.\n"
        with pytest.raises(NotFound) as caught:
            edits.replace_exact(text, "- Deploys run on Friday\n- at noon", "x")
        assert caught.value.hint == (
            "The nearest stands in line 4:\n- Deploys run on Fridays\n- at noon sharp"
        )
        with pytest.raises(NotFound, match="Only blanks differ"):
            edits.replace_exact(text, "-  Deploys run on Fridays", "x")
        with pytest.raises(NotFound, match="Nothing is like it"):
            edits.replace_exact(text, "quite another matter", "x")


class TestSections:
    @given(markdown(least=1), st.sampled_from(["new", "two\nlines", "- [ ] a task"]), st.data())
    def test_a_replaced_section_says_the_new_text_and_no_other_section_changes(
        self, text: str, content: str, data: st.DataObject
    ) -> None:
        named = [each for each in outline(text) if each.title]
        assume(named)
        section = data.draw(st.sampled_from(named))
        name = f"{section.name} (line {section.first_line})"
        result = apply(text, edits.replace_section(text, name, content))
        before, behind = text[: section.body], text[section.end :]
        assert result.startswith(before) and result.endswith(behind)
        inner = result[len(before) : len(result) - len(behind)]
        assert plain(inner).strip() == content
        assert apply(result, edits.replace_section(result, name, content)) == result

    @given(markdown(least=1), st.sampled_from(["new", "- entry", "| row |"]), st.data())
    @pytest.mark.parametrize("add", [edits.append_to_section, edits.prepend_to_section])
    def test_what_is_added_stands_in_the_section_on_lines_of_its_own(
        self,
        add: Callable[[str, str, str], list[Splice]],
        text: str,
        content: str,
        data: st.DataObject,
    ) -> None:
        named = [each for each in outline(text) if each.title]
        assume(named)
        section = data.draw(st.sampled_from(named))
        (edit,) = add(text, f"{section.name} (line {section.first_line})", content)
        assert section.body <= edit.start == edit.end <= section.own_end
        assert edit.text.strip() == content
        result = apply(text, [edit])
        assert content in split_lines(result)
        assert set(re.findall(r"\r\n|\r|\n", edit.text)) <= {line_end(text)}

    def test_blank_lines_around_are_kept_and_added_where_prose_needs_them(self) -> None:
        text = "# A\n\nprose\n\n## Tasks\n\n- [ ] one\n  more of it\n\n## Empty\n## End\n| a |\n"
        for section, content, expected in (
            ("A", "more", "# A\n\nprose\n\nmore\n\n## Tasks"),
            ("Tasks", "- [ ] two", "- [ ] one\n  more of it\n- [ ] two\n\n## Empty"),
            ("Tasks", "words", "  more of it\n\nwords\n\n## Empty"),
            ("Empty", "words", "## Empty\n\nwords\n\n## End"),
            ("End", "| b |", "## End\n| a |\n| b |\n"),
        ):
            assert expected in apply(text, edits.append_to_section(text, section, content))
        for section, content, expected in (
            ("A", "first", "# A\n\nfirst\n\nprose\n"),
            ("Tasks", "- [ ] zero", "## Tasks\n\n- [ ] zero\n- [ ] one\n"),
            ("End", "words", "## End\n\nwords\n\n| a |\n"),
        ):
            assert expected in apply(text, edits.prepend_to_section(text, section, content))

    def test_a_content_that_brings_the_heading_along_replaces_it_too(self) -> None:
        text = "# A\n\n## old name\n\nwords\n\n## B\n"
        replaced = edits.replace_section(text, "Old name", "### Old Name\n\nothers\n")
        assert apply(text, replaced) == "# A\n\n### Old Name\n\nothers\n\n## B\n"

    def test_an_emptied_section_keeps_its_heading(self) -> None:
        text = "# A\n\nwords\n\n## C\n\nx\n\n# B\n"
        assert apply(text, edits.replace_section(text, "A", "")) == "# A\n\n# B\n"
        assert edits.replace_section("# A\n\n# B\n", "A", " ") == []

    def test_a_text_without_a_last_line_end_gets_one_before_what_is_added(self) -> None:
        assert apply("# A\nx", edits.append_to_section("# A\nx", "A", "y")) == "# A\nx\n\ny\n"
        assert apply("- x", edits.append("- x", "- y")) == "- x\n- y\n"
        assert apply("", edits.append("", "y")) == "y\n"
        only = "---\na: b\n---\n"
        assert apply(only, edits.append(only, "y")) == "---\na: b\n---\n\ny\n"


class TestInsert:
    @given(markdown(least=1), st.data())
    def test_lines_come_right_behind_or_before_the_one_with_the_passage(
        self, text: str, data: st.DataObject
    ) -> None:
        lines = split_lines(text)
        at = data.draw(st.integers(0, len(lines) - 1))
        assume(lines[at] and text.count(lines[at]) == 1)
        below = split_lines(apply(text, edits.insert_after(text, lines[at], "new")))
        assert below[: at + 2] == [*lines[: at + 1], "new"]
        above = split_lines(apply(text, edits.insert_before(text, lines[at], "new")))
        assert above == [*lines[:at], "new", *lines[at:]]

    def test_there_must_be_something_to_add(self) -> None:
        for add in (edits.insert_after, edits.append_to_section):
            with pytest.raises(BadInput, match="There is nothing to add"):
                add("# a\n", "a", "")


class TestTogether:
    @given(st.text("xyz", min_size=1, max_size=5), st.integers(0, 4))
    def test_what_others_write_in_a_section_that_is_replaced_at_the_same_time_stays(
        self, typed: str, line: int
    ) -> None:
        lines = [f"Sentence number {n} of the section." for n in range(5)]
        text = "# A\n\n" + "\n".join(lines) + "\n\n# B\n"
        changed = list(lines)
        changed[(line + 2) % 5] = "Quite another sentence now."
        at = text.index(lines[line]) + len("Sentence")
        both = merged(
            text,
            edits.replace_section(text, "A", "\n".join(changed)),
            [Splice(at, at, typed)],
        )
        expected = list(changed)
        expected[line] = expected[line].replace("Sentence", f"Sentence{typed}", 1)
        assert both == "# A\n\n" + "\n".join(expected) + "\n\n# B\n"

    def test_two_who_add_to_one_section_at_once_both_have_their_lines(self) -> None:
        text = "# Tasks\n\n- [ ] one\n\n# End\n"
        both = merged(
            text,
            edits.append_to_section(text, "Tasks", "- [ ] ann's"),
            edits.append_to_section(text, "Tasks", "- [ ] bob's"),
        )
        assert sorted(split_lines(both)) == sorted(
            [*split_lines(text), "- [ ] ann's", "- [ ] bob's"]
        )

    def test_a_replaced_section_keeps_the_place_of_what_did_not_change(self) -> None:
        text = "# A\n\nkept\nold\n"
        section = find(text, "A")
        for edit in edits.replace_section(text, "A", "kept\nnew"):
            assert edit.start >= text.index("old") > section.start
