"""Whatever the texts are, a listing comes, bounded and harmless, and a stop is heeded."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimem_tui.errors import AimemError
from aimem_tui.organize.organizer import Organizer, Wanted
from aimem_tui.organize.ports import Improver
from aimem_tui.organize.suggestion import SuggestionKind
from aimem_tui.workspace import doctor
from aimem_tui.workspace.ordering import Ordering
from aimem_tui.workspace.workspace import Workspace
from tests.organize.notes import prose, tagged
from tests.workspaces import open_workspace

ODD = (
    "", "\n", "\ufeff", "---\n---\n", "---\ntags: [a\n---\n", "# ", "#", "- [ ]\n" * 300,
    "日本語だけの文章です。" * 40, "👩‍👩‍👧‍👦" * 200, "a" * 300_000,
    "\u0001\u0002\ufffd" * 500, "word " * 60_000,
    "[a](b.md) " * 2_000, "[[" * 5_000, "|" * 5_000, "```\n" * 999,
    "---\ntags: [日本, é, 'a b']\n---\nx",
    "שלום עולם " * 50, "ٱلسَّلَامُ " * 50, "नमस्ते दुनिया " * 50, "Привет, мир. " * 50, "\r\n\r" * 100,
)  # fmt: skip


@settings(max_examples=10)
@given(st.lists(st.sampled_from(ODD), min_size=1, max_size=12))
def test_any_texts_can_be_put_in_order(
    tmp_path_factory: pytest.TempPathFactory, chosen: list[str]
) -> None:
    with open_workspace(tmp_path_factory.mktemp("w")) as workspace:
        for at, text in enumerate(chosen):
            workspace.create(f"n{at % 3}/{at}.md", text)
        ordering = Ordering(workspace)
        for suggestion in ordering.suggestions().suggestions:
            assert len(suggestion.id) == 10
            assert all("\n" not in each for each in suggestion.proposal)
            try:
                ordering.accept(suggestion)
            except AimemError as error:
                assert error.what
        assert [finding for finding in doctor.examine(workspace) if not finding.ok] == []


def test_a_thought_of_megabytes_holds_nothing_up(workspace: Workspace) -> None:
    tagged(workspace)
    large = workspace.create("large.md", "\n".join(prose("auth", at, 600) for at in range(1_000)))
    assert large.size > 3_000_000
    copy = workspace.create("copy.md", workspace.text(large.id) + "\nOne more line.\n")
    assert Ordering(workspace).suggestions().suggestions
    accepted = Ordering(workspace).merge(large.id, copy.id)
    assert workspace.text(large.id).endswith("One more line.\n")
    assert accepted.left_out == ()


def test_whoever_stops_a_listing_gets_what_was_found(workspace: Workspace) -> None:
    tagged(workspace)
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    assert Ordering(workspace).suggestions(stop=stop).suggestions == ()
    assert asked < 20


class Model:
    """An improver that says the same to everything, or fails."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails

    def _said(self, value: str) -> str:
        if self.fails:
            raise AimemError("The language model cannot be reached.")
        return value

    def tags(self, text: str, known: object, proposed: object) -> list[str]:
        return [self._said("Auth"), "new one", "", "a\nb"]

    def title(self, text: str, proposed: str) -> str:
        return self._said(" A better\ntitle ")

    def summary(self, text: str, proposed: str) -> str:
        return self._said("A better summary. " * 100)

    def is_duplicate(self, kept: str, other: str) -> bool:
        self._said("")
        return False


@pytest.fixture
def improvable(workspace: Workspace) -> Workspace:
    """A workspace with something for each part of an improver."""
    tagged(workspace)
    workspace.create("untagged.md", f"# Tokens\n\n{prose('auth', 60)}")
    workspace.create("b.md", "---\ntags: [x]\n---\nWe log in with tokens. Then more.\n")
    workspace.create("c.md", f"---\ntags: [x]\n---\n# C\n\n{prose('cooking', 3, 260)}")
    workspace.create("d.md", f"---\ntags: [x]\n---\n# D\n\n{prose('storage', 61)}")
    workspace.create("e.md", f"---\ntags: [x]\n---\n# E\n\n{prose('storage', 61)} And more.\n")
    return workspace


def test_an_improver_puts_proposals_better(improvable: Workspace) -> None:
    model: Improver = Model()
    listing = Ordering(improvable, improver=model).suggestions()
    found = {each.kind: each for each in listing.suggestions}
    assert found[SuggestionKind.TAGS].proposal == ("auth", "new one")
    assert found[SuggestionKind.TITLE].proposal == ("A better title",)
    assert len(found[SuggestionKind.SUMMARY].proposal[0]) <= 500
    assert SuggestionKind.DUPLICATE not in found
    accepted = Ordering(improvable).accept(Ordering(improvable).suggestion(
        found[SuggestionKind.TITLE].id
    ))  # fmt: skip
    assert accepted.thought.title == "A better title"


def test_where_the_improver_fails_the_proposal_stands_and_it_is_said(improvable: Workspace) -> None:
    plain = Ordering(improvable).suggestions()
    listing = Ordering(improvable, improver=Model(fails=True)).suggestions()
    assert listing.suggestions == plain.suggestions
    assert [each for each in listing.said if "cannot be reached" in each] != []


def test_more_thoughts_than_are_compared_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimem_tui.organize.organizer.MOST_COMPARED", 10)
    with open_workspace(tmp_path) as workspace:
        tagged(workspace)
        workspace.create("new.md", f"# New\n\n{prose('auth', 99)}")
        organizer = Organizer(workspace.database.read(), 0)
        listing = organizer.listing(Wanted((SuggestionKind.TAGS,)))
        assert "Words are compared among 10 of 25 thoughts." in listing.said
