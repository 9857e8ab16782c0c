"""The edits found between two texts: right, small, readable, and never through a grapheme."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import pairwise
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt import textdiff
from crdt.graphemes import boundaries
from crdt.textdiff import Splice, apply, splices
from tests.shared_data import shared_data

LINE_ENDS = ("\n", "\r\n", "\r", "\u2028")
PIECES = (
    *"ab ,_\t",
    *LINE_ENDS,
    "word",
    "größe",
    "e\u0301",
    "\u0301",
    "\u200d",
    "👩",
    "👨‍👩‍👧",
    "👍🏽",
    "Ⓜ",
    "🇩",
    "🇪",
    "🇫🇷",
    "\u1100\u1161",
    "\u11a8",
    "각",
    "क",
    "\u094d",
    "क्षि",
    "ក\u17d2",
    "ภาษา",
    "\u0d4e",
    "日本",
    "\udc80",
)
pieces = st.lists(st.sampled_from(PIECES), max_size=25)
texts = pieces.map("".join) | st.text(max_size=25)
few = st.text(alphabet="ab \n", max_size=25)


@st.composite
def related(draw: st.DrawFn) -> tuple[str, str]:
    """Two texts, the second made of the first by some edits, or from nothing."""
    old = draw(pieces)
    new = list(old)
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(new)))
        end = draw(st.integers(start, min(start + 5, len(new))))
        new[start:end] = draw(st.lists(st.sampled_from(PIECES), max_size=5))
    return "".join(old), "".join(new)


pairs = related() | st.tuples(texts, texts) | st.tuples(few, few)


def size(edits: list[Splice]) -> int:
    return sum(edit.end - edit.start + len(edit.text) for edit in edits)


def assert_sound(old: str, new: str) -> list[Splice]:
    """The edits between two texts, after checking all that holds for any edits."""
    edits = splices(old, new)
    assert apply(old, edits) == new
    assert all(before.end < after.start for before, after in pairwise(edits))
    assert all(old[edit.start : edit.end] != edit.text for edit in edits)
    old_boundaries, new_boundaries = set(boundaries(old)), set(boundaries(new))
    shift = 0
    for edit in edits:
        assert {edit.start, edit.end} <= old_boundaries
        assert {edit.start + shift, edit.start + shift + len(edit.text)} <= new_boundaries
        shift += len(edit.text) - (edit.end - edit.start)
    return edits


@given(pairs)
def test_edits_make_the_new_text_of_the_old_and_split_no_grapheme(pair: tuple[str, str]) -> None:
    assert_sound(*pair)


@pytest.mark.parametrize("joined", ["\u0301", "\u200d", "\u0903", "\u200d👩", "\u094dक", "\u17d2ក"])
@pytest.mark.parametrize(
    "start", ["a", " ", "\t", "日", "ภ", "ក", "क", "Ⓜ", "👩", "🇩", "🇩🇪", "\u0d4e"]
)
def test_what_joins_a_character_is_never_parted_from_it(start: str, joined: str) -> None:
    for before, after in (("", ""), ("x ", " y"), ("日", "本"), ("🇩🇪", "🇫🇷")):
        assert_sound(before + start + after, before + start + joined + after)
        assert_sound(before + start + joined + after, before + start + after)


@given(texts)
def test_the_same_text_needs_no_edit(text: str) -> None:
    assert splices(text, "".join(text)) == []


@given(pairs)
def test_without_time_to_search_the_edits_are_coarser_but_right(pair: tuple[str, str]) -> None:
    with patch.multiple(textdiff, _ALLOWANCE=0, _ALLOWANCE_PER_CHARACTER=0, _LONG_BLOCK=0):
        assert_sound(*pair)


@given(pairs, st.integers(0, 5000))
def test_time_may_run_out_at_any_moment(pair: tuple[str, str], allowance: int) -> None:
    with patch.multiple(textdiff, _ALLOWANCE=allowance, _ALLOWANCE_PER_CHARACTER=0):
        assert_sound(*pair)


words = st.text(alphabet="abcdeéß日", min_size=1, max_size=6)


@given(st.data(), st.lists(words | st.sampled_from((" ", "\n", "\r\n", ", "))))
def test_one_small_edit_is_found_as_a_small_edit(data: st.DataObject, parts: list[str]) -> None:
    old = "".join(parts)
    cuts = boundaries(old)
    start = data.draw(st.integers(0, len(cuts) - 1))
    end = data.draw(st.integers(start, min(start + 8, len(cuts) - 1)))
    inserted = data.draw(st.lists(words | st.sampled_from((" ", "\n")), max_size=3).map("".join))
    new = old[: cuts[start]] + inserted + old[cuts[end] :]
    longest = max(map(len, (old + " " + new).replace("\n", " ").split()), default=0)
    assert size(assert_sound(old, new)) <= cuts[end] - cuts[start] + len(inserted) + 4 * longest


@given(st.lists(st.sampled_from(("a", "b", "cd", "日", "👍🏽"))), st.data())
def test_an_edit_of_whole_words_is_found_no_larger_than_it_was(
    old_words: list[str], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(old_words)))
    end = data.draw(st.integers(start, len(old_words)))
    put = data.draw(st.lists(st.sampled_from(("a", "b", "x")), max_size=6))
    new_words = [*old_words[:start], *put, *old_words[end:]]
    old, new = ("".join(f"{word} " for word in each) for each in (old_words, new_words))
    edited = sum(len(word) + 1 for word in [*old_words[start:end], *put])
    assert size(assert_sound(old, new)) <= edited


distinct_lines = st.lists(pieces.map("".join), min_size=1, max_size=12).map(
    lambda lines: [f"{n} {' '.join(line.splitlines())}" for n, line in enumerate(lines)]
)


@given(distinct_lines, st.data())
def test_lines_that_were_not_edited_are_left_alone(lines: list[str], data: st.DataObject) -> None:
    end = data.draw(st.sampled_from(LINE_ENDS))
    old_lines = [line + end for line in lines]
    edited = data.draw(st.sets(st.sampled_from(range(len(lines)))))
    new_lines = list(old_lines)
    for n in edited:
        line = lines[n]
        new_lines[n] = data.draw(
            st.sampled_from(("", f"{line}!{end}", f"<{line}{end}", f"{n}*{end}{n}+{end}"))
        )
    starts = [0]
    for line in old_lines:
        starts.append(starts[-1] + len(line))
    untouched = [(starts[n], starts[n + 1]) for n in range(len(lines)) if n not in edited]
    for edit in assert_sound("".join(old_lines), "".join(new_lines)):
        assert not any(edit.start < stop and start < edit.end for start, stop in untouched)
        assert not any(start < edit.start < stop for start, stop in untouched)


@given(st.lists(st.sampled_from(("alpha", "beta", "größe", "日")), min_size=1), st.data())
def test_a_replaced_word_is_one_edit_of_that_word(
    old_words: list[str], data: st.DataObject
) -> None:
    n = data.draw(st.sampled_from(range(len(old_words))))
    new_words = [*old_words[:n], "omicron", *old_words[n + 1 :]]
    start = sum(len(word) + 1 for word in old_words[:n])
    assert splices(" ".join(old_words), " ".join(new_words)) == [
        Splice(start, start + len(old_words[n]), "omicron")
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "x", [("", "x")]),
        ("x", "", [("x", "")]),
        ("- [ ] tests\n", "- [x] tests\n", [(" ", "x")]),
        ("status: active\n", "status: done\n", [("active", "done")]),
        ("the colour of it\n", "the color of it\n", [("u", "")]),
        ("this is it\n", "these is it\n", [("this", "these")]),
        ("he said it\n", "she said it\n", [("", "s")]),
        ("foobar\n", "foo bar\n", [("", " ")]),
        ("one two\n", "one more two\n", [("", "more ")]),
        ("a cat sat on it\n", "a dog ran on it\n", [("cat sat", "dog ran")]),
        ("one\ntwo\n", "one\nhalf\ntwo\n", [("", "half\n")]),
        ("one", "one\ntwo", [("", "\ntwo")]),
        ("one\r\ntwo\r\n", "one\ntwo\n", [("\r\n", "\n"), ("\r\n", "\n")]),
        ("go 👩‍🚀 go", "go 👩🏽‍🚀 go", [("👩‍🚀", "👩🏽‍🚀")]),
        ("🇩🇪🇫🇷🇮🇹", "🇩🇪🇮🇹", [("🇫🇷", "")]),
        ("今日は雨です。", "今日は晴れです。", [("雨", "晴れ")]),
        ("| a | b |\n", "| x | y |\n", [("a", "x"), ("b", "y")]),
    ],
)
def test_edits_read_as_a_person_would_tell_them(
    old: str, new: str, expected: list[tuple[str, str]]
) -> None:
    assert [(old[edit.start : edit.end], edit.text) for edit in assert_sound(old, new)] == expected


def test_a_moved_line_is_taken_out_and_put_in_whole() -> None:
    lines = [f"line {n}\n" for n in range(100)]
    moved = [*lines[1:60], lines[0], *lines[60:]]
    edits = assert_sound("".join(lines), "".join(moved))
    assert [(edit.end - edit.start, edit.text) for edit in edits] == [(7, ""), (0, "line 0\n")]


def test_splices_that_do_not_fit_are_refused() -> None:
    for wrong in (
        [Splice(2, 1, "")],
        [Splice(0, 4, "")],
        [Splice(0, 2, ""), Splice(1, 3, "")],
        [Splice(2, 2, "x"), Splice(0, 0, "y")],
    ):
        with pytest.raises(ValueError, match="does not fit"):
            apply("abc", wrong)


def shapes(length: int) -> Iterator[tuple[str, str, str]]:
    """Pairs of long texts that are costly for one or another way of comparing."""
    lot = Random(7)
    vocabulary = ["".join(lot.choices("abcdefghij", k=lot.randint(2, 9))) for _ in range(500)]
    lines = [" ".join(lot.choices(vocabulary, k=9)) + "\n" for _ in range(length // 60)]
    prose, line = "".join(lines), " ".join(lines).replace("\n", "")
    other = " ".join(lot.choices(vocabulary, k=length // 6))
    digits = "".join(lot.choices("0123456789abcdef", k=length))
    flags = "".join(chr(lot.randrange(0x1F1E6, 0x1F200)) for _ in range(length // 4))
    ideographs = "".join(chr(lot.randrange(0x4E00, 0x5800)) for _ in range(length // 3))
    yield "unrelated", prose, other
    yield "one unrelated line", line, other
    yield "every line prefixed", prose, "".join("- " + each for each in lines)
    yield "every line end changed", prose, prose.replace("\n", "\r\n")
    yield "reversed lines", prose, "".join(reversed(lines))
    yield "shuffled lines", prose, "".join(lot.sample(lines, len(lines)))
    yield "equal lines", "same\n" * (length // 5), "same\n" * (length // 9) + "x\nsame\n" * 500
    yield "equal lines, all changed", "same\n" * (length // 5), "some\n" * (length // 5)
    yield "short lines", "\n".join(digits), "\n".join(reversed(digits))
    yield "one letter", "a" * length, "a" * (length // 2) + "b" + "a" * (length // 3)
    yield "one word, edited", digits, digits[9 : length // 2] + "zz" + digits[length // 2 + 5 :]
    yield "one word, unrelated", digits, digits[::-1]
    yield "flags out of step", flags, "🇩" + flags
    yield "accents on one letter", "a" + "\u0301" * length, "a" + "\u0301" * (length // 2)
    yield "ideographs", ideographs, ideographs[: length // 9] + "変" + ideographs[length // 8 :]
    numbers = [str(n) for n in range(length // 7)]
    odd = [str(n if n % 2 else length - n) for n in range(length // 7)]
    yield "every other line replaced", "\n".join(numbers), "\n".join(odd)


SHAPES = {name: (old, new) for name, old, new in shapes(60_000)}


@pytest.mark.parametrize("name", SHAPES)
def test_long_texts_of_any_shape_are_compared(name: str) -> None:
    old, new = SHAPES[name]
    assert_sound(old, new)
    assert_sound(new, old)


@pytest.mark.parametrize(
    "name",
    [
        "unrelated",
        "one unrelated line",
        "equal lines",
        "short lines",
        "one word, edited",
        "ideographs",
    ],
)
def test_a_few_edits_far_apart_in_a_long_text_are_all_found(name: str) -> None:
    old, _ = SHAPES[name]
    lot = Random(name)
    places = sorted(lot.sample(boundaries(old), 20))
    new = "".join(
        old[start:end] + inserted
        for (start, end), inserted in zip(
            pairwise([0, *places, len(old)]), [*["<new>"] * 20, ""], strict=True
        )
    )
    assert size(assert_sound(old, new)) <= 20 * (len("<new>") + 20)


def test_a_word_moved_far_in_a_long_line_does_not_tear_the_line_apart() -> None:
    lot = Random(3)
    line = lot.choices([f"w{n}" for n in range(100)], k=3000)
    moved = [*line[:2900], "needle", *line[2900:]]
    line.insert(100, "needle")
    assert size(assert_sound(" ".join(line), " ".join(moved))) == 2 * len("needle ")


@pytest.mark.parametrize("words_put_in", [1, 10, 20])
def test_phrases_put_into_a_line_without_rare_words_are_found(words_put_in: int) -> None:
    lot = Random(words_put_in)
    vocabulary = [f"w{n}" for n in range(100)]
    line = lot.choices(vocabulary, k=6000)
    new = list(line)
    put = 0
    for place in range(5900, 0, -300):
        phrase = lot.choices(vocabulary, k=words_put_in)
        new[place:place] = phrase
        put += len(" ".join(phrase)) + 1
    assert size(assert_sound(" ".join(line), " ".join(new))) <= 1.2 * put


def test_every_tenth_word_of_a_line_without_rare_words_is_replaced_alone() -> None:
    lot = Random(4)
    line = lot.choices([f"w{n:02}" for n in range(100)], k=6000)
    new = ["new" if n % 10 == 5 else word for n, word in enumerate(line)]
    edits = assert_sound(" ".join(line), " ".join(new))
    assert [edit.text for edit in edits] == ["new"] * 600


def test_real_revisions_are_told_in_fewer_characters_than_their_changed_lines() -> None:
    found = lines_changed = 0
    for history in sorted(shared_data("thoughts").rglob("*.versions")):
        versions = [path.read_bytes().decode() for path in sorted(history.iterdir())]
        for old, new in pairwise(versions):
            found += size(assert_sound(old, new))
            old_lines, new_lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
            matcher = SequenceMatcher(None, old_lines, new_lines, autojunk=False)
            for tag, start, end, new_start, new_end in matcher.get_opcodes():
                if tag != "equal":
                    changed = old_lines[start:end] + new_lines[new_start:new_end]
                    lines_changed += sum(map(len, changed))
    assert found < 0.9 * lines_changed
