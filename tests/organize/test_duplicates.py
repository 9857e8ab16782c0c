"""Copies are found however they were edited, and thoughts that are two are left alone."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.organize.duplicates import Likeness, likeness_of
from aimem_tui.organize.shingles import RunTable, compare, runs_of
from aimem_tui.organize.suggestion import SuggestionKind
from aimem_tui.organize.tokens import words_of
from aimem_tui.workspace.ordering import Ordering
from aimem_tui.workspace.workspace import Workspace
from tests.organize.notes import by_vectors, prose, tagged
from tests.shared_data import shared_data

DUPLICATES = [SuggestionKind.DUPLICATE]
TEXT = f"# Tokens\n\n{prose('auth', 41)}"


def half(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(lines[: len(lines) // 2])


EDITS: dict[str, tuple[Callable[[str], str], Likeness]] = {
    "frontmatter": (lambda text: f"---\nstatus: done\n---\n{text}", Likeness.SAME),
    "line ends and case": (lambda text: text.replace("\n", "\r\n").upper(), Likeness.SAME),
    "other words": (lambda text: text.replace("token", "key"), Likeness.EDITED),
    "another title": (
        lambda text: text.replace("# Tokens", "# Keys of all kinds"),
        Likeness.EDITED,
    ),
    "half of it": (half, Likeness.WITHIN),
    "more after it": (lambda text: text + prose("storage", 77, 300), Likeness.WITHIN),
}


@pytest.mark.parametrize(("edit", "likeness"), EDITS.values(), ids=EDITS)
def test_an_edited_copy_is_found(
    workspace: Workspace, edit: Callable[[str], str], likeness: Likeness
) -> None:
    tagged(workspace)
    one = workspace.create("one.md", TEXT)
    other = workspace.create("two.md", edit(TEXT))
    (pair,) = Ordering(workspace).duplicates()
    assert {pair.kept.thought.id, pair.other.thought.id} == {one.id, other.id}
    assert pair.likeness is likeness


def test_thoughts_about_one_matter_are_two(workspace: Workspace) -> None:
    thoughts = tagged(workspace)["auth"]
    near = {thought.path: [1.0, 0.01 * at] for at, thought in enumerate(thoughts)}
    assert Ordering(workspace).duplicates() == []
    assert Ordering(workspace, nearness=by_vectors(workspace, near)).duplicates() == []


def test_a_form_that_is_filled_in_anew_is_no_copy(workspace: Workspace) -> None:
    form = "## What went well\n\n{}\n\n## What is open for the coming week and who does it\n\n{}\n"
    for at in range(40):
        filled = form.format(prose("auth", at, 50), prose("storage", at, 50))
        workspace.create(f"weekly/{at}.md", filled)
    assert Ordering(workspace).duplicates() == []


def test_of_many_copies_all_go_into_one(workspace: Workspace) -> None:
    for at in range(50):
        workspace.create(f"copies/{at:02}.md", TEXT)
    pairs = Ordering(workspace).duplicates()
    assert len(pairs) == 49
    assert len({pair.kept.thought.id for pair in pairs}) == 1


def test_the_one_that_others_link_to_is_kept(workspace: Workspace) -> None:
    workspace.create("long.md", TEXT + "And one more line to be longer.\n")
    linked = workspace.create("linked.md", TEXT)
    workspace.create("from.md", "See [it](linked.md).\n")
    (pair,) = Ordering(workspace).duplicates()
    assert pair.kept.thought.id == linked.id


def test_files_are_copies_only_word_for_word(workspace: Workspace) -> None:
    script = "\n".join(f"echo step {at} of the job that runs" for at in range(20))
    workspace.create("a.sh", script)
    workspace.create("b.sh", script.replace("job", "work"))
    workspace.create("c/.gitkeep", "keep\n")
    workspace.create("d/.gitkeep", "keep\n")
    assert Ordering(workspace).duplicates() == []
    workspace.create("e.sh", script)
    (pair,) = Ordering(workspace).duplicates()
    assert {pair.kept.thought.path, pair.other.thought.path} == {"a.sh", "e.sh"}


def test_what_was_dismissed_comes_again_only_when_it_is_another_matter(
    workspace: Workspace,
) -> None:
    workspace.create("one.md", TEXT)
    other = workspace.create("two.md", TEXT.replace("token", "key"))
    ordering = Ordering(workspace)
    (found,) = ordering.suggestions(DUPLICATES).suggestions
    ordering.dismiss(found)
    workspace.append(other.id, "A line that makes no difference.")
    assert ordering.suggestions(DUPLICATES).suggestions == ()
    handout = workspace.hand_out(other.id)
    workspace.take_back(handout, TEXT)
    (again,) = ordering.suggestions(DUPLICATES).suggestions
    assert again.id != found.id


words = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=60)


@given(words, words)
def test_figures_of_likeness_are_shares_and_the_same_both_ways(
    one: list[str], other: list[str]
) -> None:
    first, second = runs_of(one), runs_of(other)
    alike = compare(first, second)
    assert alike == compare(second, first)
    assert 0 <= alike.resemblance <= alike.containment <= 1
    assert (alike.resemblance == 1) == (first == second and bool(first))


@given(st.lists(st.lists(st.integers(0, 4000), min_size=30, max_size=300), max_size=6), st.data())
def test_whoever_is_mostly_within_another_is_worth_comparing(
    texts: list[list[int]], data: st.DataObject
) -> None:
    table = RunTable()
    for at, text in enumerate(texts):
        table.add(at, runs_of([str(number) for number in text]))
    whole = data.draw(st.lists(st.integers(5000, 90_000), min_size=200, max_size=900, unique=True))
    start = data.draw(st.integers(0, len(whole) // 3))
    table.add(90, runs_of([str(number) for number in whole]))
    table.add(91, runs_of([str(number) for number in whole[start : start + len(whole) // 2 + 30]]))
    assert (90, 91) in set(table.pairs(6))


def test_among_very_many_texts_nearly_all_copies_of_a_half_are_worth_comparing() -> None:
    table = RunTable(100_000)
    draw = Random("halves")
    for at in range(0, 400, 2):
        text = [str(draw.randrange(100_000)) for _ in range(draw.randrange(120, 900))]
        table.add(at, runs_of(text))
        table.add(at + 1, runs_of(text[: len(text) // 2]))
    found = set(table.pairs(6))
    assert sum((at, at + 1) in found for at in range(0, 400, 2)) >= 198


def test_real_notes_give_no_false_alarm() -> None:
    folder = shared_data("corpora", "til-jbranchaud")
    table = RunTable()
    runs = {}
    for at, file in enumerate(sorted(folder.rglob("*.md"))):
        runs[at] = runs_of(words_of(file.read_text(encoding="utf-8")))
        table.add(at, runs[at])
    reported = [
        pair for pair in table.pairs(6) if likeness_of(compare(*(runs[n] for n in pair)), None)
    ]
    assert len(reported) <= len(runs) / 1_000
