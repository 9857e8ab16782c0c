"""The properties at the top of a text."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml
from hypothesis import assume, example, given, reject, settings
from hypothesis import strategies as st

from aimem_tui.errors import BadInput
from aimem_tui.markdown import block, scalars
from aimem_tui.markdown.block import Property, read_loose, read_plain
from aimem_tui.markdown.frontmatter import (
    Frontmatter,
    add_tags,
    properties,
    remove_property,
    remove_tags,
    set_property,
    split,
    tags_of,
)
from aimem_tui.markdown.yaml_block import read_yaml
from crdt.textdiff import Splice, apply

LOADERS = (yaml.BaseLoader, getattr(yaml, "CBaseLoader", yaml.BaseLoader))
ENDS = ("\n", "\r\n", "\r")

# Soup that is dense in everything the readers must tell apart.
yamlish = st.lists(
    st.sampled_from(
        [
            *("a", "bc", "key", "é", "1", ":", ": ", " #", "#", "-", "- ", "[", "]", ", ", ","),
            *("'", '"', "\\", "\\n", "{", "}", "&", "*", "!", "|", ">", "%", "@", "?", "? ", " "),
            *("  ", "\t", "\n", "\n", "\n", "\nb: ", "\nc: ", "\n- ", "\n  - ", "\r\n", "..."),
            *("~", "<<", "\u2028"),
        ]
    ),
    max_size=40,
).map("".join)
whole_lines = yamlish.map(lambda soup: f"k: {soup}\n")

keys = st.one_of(
    st.sampled_from(["status", "tags", "title", "last updated", "größe", "a: b", "#", "- x", "'"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=12),
).filter(lambda key: key.strip() != "")
scalar = st.one_of(
    st.sampled_from(
        [
            *("", "done", "true", "2025-09-01", "-1", "- a", "a: b", "a:", "a #b", "#a", "[x]"),
            *("x, y", "'", '"', "\\", "it's", '"a" b', " lead", "trail ", "two\nlines", "\t"),
            *("\x00", "\u2028", "\x85", "\ufeff", "~", "null", "|", ">", "%", "@me", "`x`"),
            *("a\\n", "&a", "*a", "!t"),
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
value = st.one_of(scalar, st.lists(scalar, max_size=5))


@st.composite
def regular_blocks(draw: st.DrawFn) -> str:
    """A frontmatter block as people and programs write them, with text after it."""
    eol = draw(st.sampled_from(ENDS))
    lines: list[str] = []
    for key in draw(st.lists(keys, max_size=5, unique=True)):
        comment = draw(st.sampled_from(["", "", " # why", "   # a: b"]))
        written = scalars.write_scalar(key) if not key[0].isalpha() else key
        written = (
            written
            if scalars.is_plain(written) and ":" not in written
            else (scalars.write_quoted(key))
        )
        form = draw(st.sampled_from(["scalar", "flow", "dashes", "folded", "nested"]))
        if form == "scalar":
            lines.append(f"{written}: {scalars.write_scalar(draw(scalar))}{comment}")
        elif form == "flow":
            items = ", ".join(
                scalars.write_scalar(item, flow=True) for item in draw(st.lists(scalar, max_size=4))
            )
            lines.append(f"{written}: [{items}]{comment}")
        elif form == "dashes":
            indent = draw(st.sampled_from(["", "  ", "    "]))
            lines.append(f"{written}:{comment}")
            lines += [
                f"{indent}- {scalars.write_scalar(item)}{comment}"
                for item in draw(st.lists(scalar, min_size=1, max_size=4))
            ]
        elif form == "folded":
            lines += [f"{written}: >-{comment}", "  some words", "", "  # and more"]
        else:
            lines += [f"{written}:", "  - date: 2025-01-01", "    who: me", "  - x"]
        if draw(st.booleans()):
            lines.append(draw(st.sampled_from(["", "# a remark", "  # another"])))
    block_text = eol.join(["---", *lines, "---"])
    bom = draw(st.sampled_from(["", "\ufeff"]))
    return bom + block_text + draw(st.sampled_from(["", eol, f"{eol}{eol}# Title{eol}"]))


def outside(text: str, splices: list[Splice]) -> list[str]:
    """What an edit leaves alone."""
    at = 0
    pieces = []
    for splice in splices:
        pieces.append(text[at : splice.start])
        at = splice.end
    return [*pieces, text[at:]]


class TestFinding:
    @pytest.mark.parametrize("eol", ENDS)
    def test_a_block_reaches_from_fence_to_fence(self, eol: str) -> None:
        text = eol.join(["---", "status: done", "---", "# Title"])
        block = split(text)
        assert block is not None
        assert text[block.inner_start : block.inner_end] == f"status: done{eol}"
        assert text[block.end :] == "# Title"

    def test_a_byte_order_mark_and_spaces_after_the_dashes_do_not_count(self) -> None:
        text = "\ufeff---  \nstatus: done\n---\t\nrest"
        assert split(text) == Frontmatter(1, 7, 20, 25)

    def test_an_empty_block_is_a_block(self) -> None:
        assert split("---\n---\n") == Frontmatter(0, 4, 4, 8)
        assert split("---\n---") == Frontmatter(0, 4, 4, 7)
        assert properties("---\n\n# nothing yet\n---\n") == {}

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "status: done",
            "---",
            "---\nstatus: done\n",
            "---\nstatus: done\n----\n",
            " ---\nstatus: done\n---\n",
            "\n---\nstatus: done\n---\n",
            "--- x\nstatus: done\n---\n",
            "---\nA sentence between two rules.\n\n---\n",
            "---\n- a list\n---\n",
            "---\nx: y\n" + "# much\n" * 10_000 + "---\n",
        ],
    )
    def test_what_only_looks_like_a_block_is_text(self, text: str) -> None:
        assert split(text) is None
        assert properties(text) == {}

    def test_dashes_inside_a_value_do_not_end_the_block(self) -> None:
        assert properties("---\na: x --- y\nb: --- z\n---\n")["a"] == "x --- y"


class TestReading:
    def test_every_scalar_is_what_was_written(self) -> None:
        assert properties(
            "---\nstatus: true\ndate: 2025-09-01T09:37:55-05:00\nversion: 1.10\nnone: ~\nempty:\n"
            "url: https://example.org/a#b\nquoted: \"a: 'b'\"\nsingle: 'it''s'\n---\n"
        ) == {
            "status": "true",
            "date": "2025-09-01T09:37:55-05:00",
            "version": "1.10",
            "none": "~",
            "empty": "",
            "url": "https://example.org/a#b",
            "quoted": "a: 'b'",
            "single": "it's",
        }

    def test_lists_are_read_in_either_style(self) -> None:
        text = "---\na: [x, 'y, z', \"w\"]\nb:\n- x # why\n\n- y\nc:\n  - 'x'\nd: []\n---\n"
        assert properties(text) == {"a": ["x", "y, z", "w"], "b": ["x", "y"], "c": ["x"], "d": []}

    def test_nested_values_are_given_as_their_text(self) -> None:
        text = "---\na:\n  b: 1\n  c: [2]\nd:\n  - e: 1\n    f: 2\n  - g\nh: x\n---\n"
        found = properties(text)
        assert found == {"a": "b: 1\n  c: [2]", "d": ["e: 1\n    f: 2", "g"], "h": "x"}

    def test_a_block_that_is_not_yaml_is_read_line_by_line(self) -> None:
        text = (
            "---\ntitle: Sync: the plan\ntags: [a, @b]\n\tbad tab\nowner: @me # hi\n"
            "list:\n  - @x\n  - 'y'\nnot a property\nstatus: done\n---\n"
        )
        assert read_yaml(text, 4, text.rindex("---")) is None
        found = properties(text)
        assert found["title"] == "Sync: the plan"
        assert found["owner"] == "@me"
        assert found["list"] == ["@x", "y"]
        assert found["status"] == "done"

    def test_where_a_key_stands_twice_the_later_one_counts(self) -> None:
        assert properties("---\nstatus: draft\nstatus: done\n---\n") == {"status": "done"}
        assert properties("---\nstatus: draft\nx: {}\nstatus: done\n---\n")["status"] == "done"

    def test_aliases_and_deep_nesting_are_not_followed(self) -> None:
        bomb = "---\na: &a [x, x]\n" + "".join(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
            for old, new in zip("abcdefghijk", "bcdefghijkl", strict=True)
        )
        found = properties(bomb + "status: done\n---\n")
        assert found["status"] == "done"
        assert sum(len(str(each)) for each in found.values()) < 1_000
        deep = "---\na: " + "[" * 20_000 + "\nstatus: done\n---\n"
        assert properties(deep)["status"] == "done"

    @given(whole_lines)
    @settings(max_examples=300)
    @example("k: \n- a\n-b\n")
    @example("a: b\n # c\n d\n")
    def test_the_plain_reader_says_what_yaml_says(self, body: str) -> None:
        found = read_plain(body, 0, len(body))
        if found is not None:
            assert found == read_yaml(body, 0, len(body))
            with pytest.MonkeyPatch.context() as without_libyaml:
                without_libyaml.delattr(yaml, "CBaseLoader", raising=False)
                assert found == read_yaml(body, 0, len(body))

    @given(regular_blocks())
    def test_the_plain_reader_and_yaml_agree_on_ordinary_blocks(self, text: str) -> None:
        where = split(text)
        assume(where is not None)
        assert where is not None
        expected = read_yaml(text, where.inner_start, where.inner_end)
        assume(expected is not None)
        found = read_plain(text, where.inner_start, where.inner_end)
        assert found is None or found == expected

    @given(whole_lines)
    def test_the_yaml_reader_says_what_yaml_constructs(self, body: str) -> None:
        found = read_yaml(body, 0, len(body))
        assume(found is not None)
        assert found is not None
        try:
            constructed = yaml.load(body, Loader=LOADERS[-1])  # noqa: S506
        except yaml.constructor.ConstructorError:
            reject()
        assert {each.key for each in found} == set(constructed)
        for each in {each.key: each for each in found}.values():
            expected = constructed[each.key]
            items = expected if isinstance(expected, list) else [expected]
            if all(isinstance(item, str) for item in items):
                assert each.value == expected

    @given(whole_lines)
    def test_properties_stand_in_order_on_lines_of_their_own(self, body: str) -> None:
        readings: list[list[Property] | None] = [
            read_plain(body, 0, len(body)),
            read_yaml(body, 0, len(body)),
            read_loose(body, 0, len(body)),
        ]
        for found in readings:
            at = 0
            for each in found or []:
                assert at <= each.start < each.end <= len(body)
                assert each.start == 0 or body[each.start - 1] in "\r\n"
                assert body[each.end - 1] in "\r\n"
                at = each.end
                inner = each.start
                for item in each.items:
                    assert inner <= item.start < item.end <= each.end
                    inner = item.end

    def test_an_ordinary_thought_is_read_without_importing_yaml(self) -> None:
        program = (
            "import sys; from aimem_tui.markdown.frontmatter import *;"
            "t = '---\\ndate: 2025-09-01\\ntags: [a, b]\\nlist:\\n  - x\\n---\\n';"
            "properties(t); set_property(t, 'status', 'a: b'); add_tags(t, ['c']);"
            "sys.exit('yaml' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


class TestScalars:
    @given(scalar)
    def test_a_written_scalar_reads_back_in_any_place(self, value: str) -> None:
        plain = scalars.write_scalar(value)
        flow = scalars.write_scalar(value, flow=True)
        text = f"a: {plain} # c\nb: [{flow}, {flow}]\nc:\n  - {plain}\n"
        for loader in LOADERS:
            assert yaml.load(text, Loader=loader) == {  # noqa: S506
                "a": value,
                "b": [value, value],
                "c": [value],
            }
        if plain[0] in "'\"":
            assert scalars.read_quoted(plain) == value

    def test_quotes_are_written_only_where_yaml_needs_them(self) -> None:
        for plain in ("done", "2025-09-01", "true", "1.0", "it's", "a:b", "c#", "http://x/y", "-1"):
            assert scalars.write_scalar(plain) == plain


class TestEditing:
    def test_only_the_line_of_the_property_changes(self) -> None:
        text = "---\r\ntitle: 'X'\r\nstatus:  draft   # since May\r\nz: [ 1 ]\r\n---\r\n# X\r\n"
        assert set_property(text, "status", "done") == [
            Splice(17, 47, "status: done   # since May\r\n")
        ]

    def test_a_missing_property_is_added_at_the_end_of_the_block(self) -> None:
        text = "---\ntitle: x\n\n---\nbody"
        changed = apply(text, set_property(text, "status", "done"))
        assert changed == "---\ntitle: x\n\nstatus: done\n---\nbody"

    @pytest.mark.parametrize(
        ("text", "changed"),
        [
            ("", "---\nstatus: done\n---\n"),
            ("# T\r\n", "---\r\nstatus: done\r\n---\r\n\r\n# T\r\n"),
            ("\ufeff# T", "\ufeff---\nstatus: done\n---\n\n# T"),
            ("\n# T", "---\nstatus: done\n---\n\n# T"),
            ("---\nrule", "---\nstatus: done\n---\n\n---\nrule"),
        ],
    )
    def test_a_missing_block_is_added_at_the_start(self, text: str, changed: str) -> None:
        assert apply(text, set_property(text, "status", "done")) == changed

    def test_a_list_keeps_its_style(self) -> None:
        flow = "---\ntags: [a]  # x\n---\n"
        assert (
            apply(flow, set_property(flow, "tags", ["b", "c"])) == "---\ntags: [b, c]  # x\n---\n"
        )
        dashes = "---\ntags: # x\n    - a # y\n    - b\nz: 1\n---\n"
        changed = "---\ntags: # x\n    - c\n    - d\nz: 1\n---\n"
        assert apply(dashes, set_property(dashes, "tags", ["c", "d"])) == changed

    def test_values_of_several_lines_are_replaced_whole(self) -> None:
        text = "---\na: |\n  one\n\n  # two\n\nb: 1\n---\n"
        assert apply(text, set_property(text, "a", "x")) == "---\na: x\n\nb: 1\n---\n"
        text = "---\na: [1,\n  2] # c\nb: 1\n---\n"
        assert apply(text, set_property(text, "a", "x")) == "---\na: x # c\nb: 1\n---\n"
        text = "---\nb: 1\na:\n  x:\n    y: 1\n# remark\n---\n"
        assert apply(text, remove_property(text, "a")) == "---\nb: 1\n# remark\n---\n"

    def test_a_key_that_stands_twice_is_left_once(self) -> None:
        text = "---\nstatus: a\nx: 1\nstatus: b\n---\n"
        assert apply(text, set_property(text, "status", "c")) == "---\nx: 1\nstatus: c\n---\n"
        assert apply(text, remove_property(text, "status")) == "---\nx: 1\n---\n"

    def test_properties_that_stand_indented_stay_so(self) -> None:
        text = "---\n  a: 1\n  b: 2\n---\n"
        assert apply(text, set_property(text, "a", "x")) == "---\n  a: x\n  b: 2\n---\n"
        assert apply(text, set_property(text, "c", "x")) == "---\n  a: 1\n  b: 2\n  c: x\n---\n"

    def test_a_block_that_is_not_yaml_can_be_edited(self) -> None:
        text = "---\ntitle: a: b\nowner: @me\n---\n"
        assert properties(apply(text, set_property(text, "status", "x")))["status"] == "x"
        changed = apply(text, set_property(text, "owner", "you"))
        assert changed == "---\ntitle: a: b\nowner: you\n---\n"

    def test_setting_what_is_already_there_changes_nothing(self) -> None:
        text = "---\nstatus: 'done'\ntags: [ a ]\n---\n"
        assert set_property(text, "status", "done") == []
        assert set_property(text, "tags", ["a"]) == []
        assert remove_property(text, "none") == []

    @given(regular_blocks(), keys, value)
    def test_after_an_edit_the_property_reads_as_asked(
        self, text: str, key: str, value: str | list[str]
    ) -> None:
        before = properties(text)
        splices = set_property(text, key, value)
        changed = apply(text, splices)
        assert properties(changed) == {**before, key: value}
        pieces = outside(text, splices)
        assert changed.startswith(pieces[0])
        assert changed.endswith(pieces[-1])
        removed = remove_property(changed, key)
        assert properties(apply(changed, removed)) == {
            each: before[each] for each in before if each != key
        }

    @given(regular_blocks(), st.data())
    def test_an_edit_touches_only_the_lines_of_its_property(
        self, text: str, data: st.DataObject
    ) -> None:
        before = properties(text)
        assume(before)
        key = data.draw(st.sampled_from(sorted(before)))
        where = split(text)
        assert where is not None
        places = {p.key: p for p in block.read_block(text, where.inner_start, where.inner_end)}
        for splice in set_property(text, key, data.draw(value)):
            assert (splice.start, splice.end) == (places[key].start, places[key].end)

    @given(yamlish, keys, value)
    def test_any_text_is_edited_rightly_or_refused(
        self, soup: str, key: str, value: str | list[str]
    ) -> None:
        for text in (soup, f"---\n{soup}", f"---\nx: {soup}\n---\n"):
            try:
                changed = apply(text, set_property(text, key, value))
            except BadInput:
                continue
            assert properties(changed)[key] == value
            try:
                changed = apply(changed, remove_property(changed, key))
            except BadInput:
                continue
            assert key not in properties(changed)

    @pytest.mark.parametrize("key", ["", "  ", "a\nb", "a\x00b", "k" * 201, "\ud800"])
    def test_keys_that_cannot_be_written_are_refused(self, key: str) -> None:
        with pytest.raises(BadInput):
            set_property("", key, "x")

    def test_half_a_character_is_refused(self) -> None:
        with pytest.raises(BadInput):
            set_property("", "a", "\udc80")
        with pytest.raises(BadInput):
            add_tags("", ["\udc80"])


class TestTags:
    def test_tags_are_read_from_lists_and_from_words_between_commas(self) -> None:
        text = "---\ntags: ['#a', b, a]\nkeywords: 'c, #d,'\ntag: e\n---\n"
        assert tags_of(properties(text)) == ["a", "b", "e", "c", "d"]

    def test_a_tag_is_added_in_the_style_that_is_there(self) -> None:
        for text, changed in (
            ("x", "---\ntags: [new]\n---\n\nx"),
            ("---\ntags: [a] # c\n---\n", "---\ntags: [a, new] # c\n---\n"),
            ("---\ntags:\n- a # c\n---\n", "---\ntags:\n- a # c\n- new\n---\n"),
            ("---\nkeywords: a, b\n---\n", "---\nkeywords: [a, b, new]\n---\n"),
            ("---\ntags:\n---\n", "---\ntags: [new]\n---\n"),
        ):
            assert apply(text, add_tags(text, ["#new", "new"])) == changed
            assert add_tags(changed, ["new"]) == []

    def test_in_a_list_of_dashes_only_its_line_is_taken_out(self) -> None:
        text = "---\ntags:\n  - a # keep\n  - b\n  - c\n---\n"
        assert remove_tags(text, ["b"]) == [Splice(23, 29, "")]

    def test_without_tags_left_the_property_goes(self) -> None:
        text = "---\ntags: [a]\ntag: b\nx: 1\n---\n"
        assert apply(text, remove_tags(text, ["a", "b"])) == "---\nx: 1\n---\n"
        assert remove_tags(text, ["z"]) == []

    def test_an_empty_tag_is_refused(self) -> None:
        for tag in ("", " ", "#"):
            with pytest.raises(BadInput):
                add_tags("", [tag])

    @given(regular_blocks(), st.lists(st.sampled_from(["a", "b", "x y", "c, d", "e: f"])))
    def test_tags_added_are_there_and_tags_removed_are_not(
        self, text: str, tags: list[str]
    ) -> None:
        before = tags_of(properties(text))
        added = apply(text, add_tags(text, tags))
        assert set(tags_of(properties(added))) == {*before, *tags}
        removed = apply(added, remove_tags(added, tags))
        assert set(tags_of(properties(removed))) == set(before) - set(tags)


class TestHostile:
    @pytest.mark.parametrize(
        "mark", ["-", "---\n", "--- ", "- ", "[", "{", "a: ", '"', "'", "# ", "&a ", "a:\n- b\n"]
    )
    def test_large_and_hostile_blocks_are_read_and_edited(self, mark: str) -> None:
        for head in ("---\n", "---\nx: ", "---\nx:\n"):
            text = head + mark * (20_000 // len(mark)) + "\nstatus: done\n---\n"
            changed = apply(text, set_property(text, "status", "draft"))
            assert properties(changed)["status"] == "draft"
