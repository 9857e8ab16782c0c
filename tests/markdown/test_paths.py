"""Which paths thoughts may have, and how equal ones are told apart."""

from __future__ import annotations

import sqlite3
import unicodedata
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.errors import BadInput
from aimem_tui.markdown.paths import (
    Declared,
    check_path,
    fold,
    folders_above,
    glob_for_sqlite,
    is_glob,
    matches,
    numbered,
    portability,
    shown_path,
    unique_names,
    unnumbered,
)

# Names that are dense in numbers and suffixes, so that collisions are the rule.
names = st.lists(
    st.sampled_from(["a", "b", ".", " (2)", " (3)", " (10)", ".md", "/", " ", "(", ")", "é"]),
    min_size=1,
    max_size=6,
).map("".join)


class TestChecking:
    @pytest.mark.parametrize(
        "path",
        [
            "a.md",
            "plans/a.md",
            "thoughts/shared/plans/2025 Größe (2).md",
            ".gitkeep",
            "a b/ c .md",
            "...",
            "a..b/..c",
            "CON.md",
            "日本語/メモ.md",
            "x" * 255,
        ],
    )
    def test_what_a_file_system_may_hold_is_taken_as_it_is(self, path: str) -> None:
        assert check_path(path) == path
        assert check_path(f"./{path}") == path

    @pytest.mark.parametrize(
        "path",
        [
            *(
                "",
                ".",
                "..",
                "./",
                "/",
                "/etc/passwd",
                "//x",
                "a/",
                "/a",
                "a//b",
                "a/./b",
                "a/../b",
            ),
            *("../a", "a/..", "././a", "a\\b", "..\\a", "C:/a", "c:a", "C:\\a", "a\x00b", "a\nb"),
            *("a\x7f", "a\x85", "a\u2028b", "\ud800", "x" * 256, "é" * 128, "a/" * 512 + "a"),
        ],
    )
    def test_what_is_unsafe_is_refused_in_words(self, path: str) -> None:
        with pytest.raises(BadInput) as refused:
            check_path(path)
        assert refused.value.why.endswith(".")

    def test_unicode_is_not_normalised(self) -> None:
        composed, decomposed = "é.md", unicodedata.normalize("NFD", "é.md")
        assert check_path(composed) != check_path(decomposed)

    @given(st.text())
    def test_whatever_passes_stays_inside(self, path: str) -> None:
        try:
            checked = check_path(path)
        except BadInput:
            return
        assert check_path(checked) == checked
        assert not {"", ".", ".."}.intersection(checked.split("/"))


class TestPortability:
    @pytest.mark.parametrize(
        "path",
        [
            *("a:b.md", "a?.md", "con", "plans/NUL.md", "x/com1.tar.gz", "LPT².md", "aux .md"),
            *("a./b", "a /b", "end.", 'say "hi".md', "a|b", "<a>", "*"),
        ],
    )
    def test_what_windows_cannot_hold_is_said(self, path: str) -> None:
        assert portability(path).endswith((".", ".'"))

    @pytest.mark.parametrize("path", ["a.md", ".gitkeep", "console.md", "com10.md", "a b.md", "é"])
    def test_what_can_exist_everywhere_is_not(self, path: str) -> None:
        assert portability(path) == ""


class TestFolding:
    def test_case_and_normalisation_do_not_count(self) -> None:
        assert fold("Plans/É.md") == fold("plans/" + unicodedata.normalize("NFD", "é") + ".MD")
        assert fold("ﬁ") == fold("FI")
        assert fold("a.md") != fold("b.md")

    @given(st.text())
    def test_a_key_is_its_own_key(self, path: str) -> None:
        assert fold(fold(path)) == fold(path)
        assert fold(unicodedata.normalize("NFC", path)) == fold(path)


class TestNumbering:
    @pytest.mark.parametrize(
        ("path", "second"),
        [
            ("a.md", "a (2).md"),
            ("x/a.tar.gz", "x/a.tar (2).gz"),
            (".gitkeep", ".gitkeep (2)"),
            ("x.d/.gitkeep", "x.d/.gitkeep (2)"),
            (".hidden.md", ".hidden (2).md"),
            ("name", "name (2)"),
            ("x.d/name", "x.d/name (2)"),
            ("a (2).md", "a (2) (2).md"),
            ("v1.2 draft", "v1.2 draft (2)"),
            ("end.", "end. (2)"),
        ],
    )
    def test_the_number_stands_before_the_suffix(self, path: str, second: str) -> None:
        assert numbered(path, 2) == second
        assert unnumbered(second) == path

    @pytest.mark.parametrize("path", ["a.md", "a (1).md", "a (02).md", "(2).md", "a (2) .md"])
    def test_other_names_are_not_numbered_ones(self, path: str) -> None:
        assert unnumbered(path) is None

    @given(names, st.integers(2, 12), names, st.integers(2, 12))
    def test_no_two_paths_share_a_numbered_name(self, one: str, n: int, other: str, m: int) -> None:
        assert (numbered(one, n) == numbered(other, m)) == ((one, n) == (other, m))

    @given(names, st.integers(2, 12))
    def test_a_number_can_be_taken_off_again(self, path: str, number: int) -> None:
        if not path.endswith("/"):
            assert unnumbered(numbered(path, number)) == path
        base = unnumbered(path)
        assert base is None or any(numbered(base, n) == path for n in range(2, 11))


class TestUniqueNames:
    def test_the_smallest_id_keeps_the_path(self) -> None:
        declared = [Declared("3", "a.md"), Declared("1", "a.md"), Declared("2", "a.md")]
        assert unique_names(declared) == {"1": "a.md", "2": "a (2).md", "3": "a (3).md"}

    def test_a_name_that_a_thought_declares_is_skipped(self) -> None:
        declared = [
            Declared("1", "a.md"),
            Declared("2", "a.md"),
            Declared("3", "a.md"),
            Declared("9", "a (2).md"),
        ]
        assert unique_names(declared) == {
            "1": "a.md",
            "2": "a (3).md",
            "3": "a (4).md",
            "9": "a (2).md",
        }

    @given(st.lists(names, max_size=12), st.randoms())
    def test_every_thought_is_shown_under_a_name_of_its_own(
        self, paths: list[str], random: Random
    ) -> None:
        declared = [Declared(f"{n:04}", path) for n, path in enumerate(paths)]
        shown = unique_names(declared)
        assert len(set(shown.values())) == len(shown) == len(declared)
        random.shuffle(declared)
        assert unique_names(declared) == shown

    @given(st.lists(names, max_size=12))
    def test_one_name_at_a_time_gives_the_same(self, paths: list[str]) -> None:
        declared = [Declared(f"{n:04}", path) for n, path in enumerate(paths)]
        for thought, name in unique_names(declared).items():
            path = paths[int(thought)]
            rank = paths[: int(thought)].count(path)
            assert shown_path(path, rank, lambda candidate: candidate in paths) == name


class TestMatching:
    @pytest.mark.parametrize(
        ("path", "pattern"),
        [
            ("plans/a.md", ""),
            ("plans/a.md", "plans"),
            ("plans/a.md", "plans/"),
            ("plans/a.md", "./plans"),
            ("plans/a.md", "plans/a.md"),
            ("plans/a.md", "plans/a"),
            ("x/plans/a.md", "*/plans/*"),
            ("x/y/a.md", "*.md"),
            ("x/y/a.md", "x/?/a.md"),
            ("x/[y]/a.md", "x/[y]/*"),
            ("plans2/a.md", "plans?/"),
        ],
    )
    def test_a_pattern_selects(self, path: str, pattern: str) -> None:
        assert matches(path, pattern)

    @pytest.mark.parametrize(
        ("path", "pattern"),
        [
            ("plans2/a.md", "plans"),
            ("x/plans/a.md", "plans"),
            ("Plans/a.md", "plans"),
            ("x/y/a.md", "?.md"),
            ("x/a.md", "x/[ab].*"),
            ("plans/a.markdown", "*.md"),
        ],
    )
    def test_a_pattern_leaves_out(self, path: str, pattern: str) -> None:
        assert not matches(path, pattern)

    @given(
        st.text("ab/.[]-^!é", max_size=8),
        st.text("ab/.[]-^!é*?", max_size=6).filter(is_glob),
    )
    def test_sqlite_selects_the_same(self, path: str, pattern: str) -> None:
        with sqlite3.connect(":memory:") as connection:
            (selected,) = connection.execute(
                "SELECT ? GLOB ?", (path, glob_for_sqlite(pattern))
            ).fetchone()
        connection.close()
        assert bool(selected) == matches(path, pattern)

    def test_a_hostile_glob_ends(self) -> None:
        assert not matches("a" * 1_000, "*a" * 40 + "b")


def test_the_folders_above_a_path_begin_with_the_outermost() -> None:
    assert folders_above("a/b/c.md") == ["a", "a/b"]
    assert folders_above("c.md") == []
