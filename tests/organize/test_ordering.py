"""Accepting can be undone, merging keeps both histories, dismissing is remembered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.errors import Ambiguous, BadInput, NotFound, Refused, StorageError
from aimem_tui.model import Filter
from aimem_tui.organize.suggestion import Suggestion, SuggestionKind
from aimem_tui.workspace import doctor, writing
from aimem_tui.workspace.ordering import Ordering
from aimem_tui.workspace.workspace import Workspace
from tests.organize.notes import prose, tagged
from tests.workspaces import Clock, open_workspace

DAY = 86_400_000
LONG = prose("auth", 41, 260)
MESSY = {
    SuggestionKind.TAGS: ("a.md", f"# A\n\n{LONG}"),
    SuggestionKind.TITLE: ("b.md", "We log in with tokens. Then more.\n"),
    SuggestionKind.SUMMARY: ("c.md", f"---\ntags: [x]\n---\n# C\n\n{prose('cooking', 3, 260)}"),
    SuggestionKind.STALE: ("d.md", "---\nStatus: in progress\ntags: [x]\n---\n# D\n\n- [ ] do\n"),
    SuggestionKind.LINK: ("e.md", "---\ntags: [x]\n---\n# E\n\nSee [it](old/Auth_Plan.md#goal).\n"),
}


@pytest.fixture
def messy(workspace: Workspace, clock: Clock) -> Workspace:
    """A workspace with something of every kind to put in order."""
    tagged(workspace)
    workspace.create("plans/auth-plan.md", "---\ntags: [x]\n---\n# The plan\n")
    for path, text in MESSY.values():
        workspace.create(path, text)
    clock.now += 400 * DAY
    return workspace


def one(workspace: Workspace, kind: SuggestionKind) -> Suggestion:
    """The suggestion of a kind about its thought."""
    path = MESSY[kind][0]
    found = Ordering(workspace).suggestions([kind], Filter(path=path)).suggestions
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("kind", MESSY)
def test_what_is_accepted_is_done_and_can_be_undone(messy: Workspace, kind: SuggestionKind) -> None:
    suggestion = one(messy, kind)
    before = messy.text(suggestion.thought)
    accepted = Ordering(messy).accept(suggestion)
    after = messy.text(suggestion.thought)
    assert accepted.changed
    assert after != before
    assert suggestion.proposal[0] in after
    assert Ordering(messy).suggestions([kind], Filter(path=MESSY[kind][0])).suggestions == ()
    messy.restore_revision(suggestion.thought, accepted.undo)
    assert messy.text(suggestion.thought) == before
    assert [finding for finding in doctor.examine(messy) if not finding.ok] == []


@pytest.mark.parametrize("kind", MESSY)
def test_accepting_touches_only_what_it_is_about(messy: Workspace, kind: SuggestionKind) -> None:
    suggestion = one(messy, kind)
    before = {thought.id: messy.text(thought.id) for thought in messy.thoughts()}
    Ordering(messy).accept(suggestion)
    for thought, text in before.items():
        if thought != suggestion.thought:
            assert messy.text(thought) == text


@pytest.mark.parametrize("kind", MESSY)
def test_another_value_can_be_given(messy: Workspace, kind: SuggestionKind) -> None:
    ordering = Ordering(messy)
    edited = ordering.edited(one(messy, kind), ["something else"])
    ordering.accept(edited)
    assert "something else" in messy.text(edited.thought)


@pytest.mark.parametrize("kind", MESSY)
def test_a_dismissed_suggestion_stays_away(messy: Workspace, kind: SuggestionKind) -> None:
    suggestion = one(messy, kind)
    Ordering(messy).dismiss(suggestion)
    wanted = Filter(path=MESSY[kind][0])
    assert Ordering(messy).suggestions([kind], wanted).suggestions == ()
    again = Ordering(messy).suggestions([kind], wanted, dismissed=True).suggestions
    assert again == (suggestion,)
    Ordering(messy).recall(suggestion)
    assert Ordering(messy).suggestions([kind], wanted).suggestions == (suggestion,)


def test_a_thought_left_alone_once_more_is_another_matter(messy: Workspace, clock: Clock) -> None:
    suggestion = one(messy, SuggestionKind.STALE)
    Ordering(messy).dismiss(suggestion)
    messy.append(suggestion.thought, "Going on.")
    clock.now += 400 * DAY
    assert one(messy, SuggestionKind.STALE).id != suggestion.id


def test_what_does_not_apply_any_more_is_refused(messy: Workspace) -> None:
    ordering = Ordering(messy)
    for kind in (
        SuggestionKind.TITLE, SuggestionKind.SUMMARY, SuggestionKind.STALE, SuggestionKind.LINK
    ):  # fmt: skip
        suggestion = one(messy, kind)
        handout = messy.hand_out(suggestion.thought)
        messy.take_back(handout, "---\nsummary: mine\n---\n# Mine\n\nAnother text.\n")
        with pytest.raises(Refused, match="has changed since"):
            ordering.accept(suggestion)


def test_nothing_is_accepted_for_a_thought_in_the_trash(messy: Workspace) -> None:
    suggestion = one(messy, SuggestionKind.TAGS)
    messy.trash(suggestion.thought)
    with pytest.raises(NotFound, match="in the trash"):
        Ordering(messy).accept(suggestion)


def test_a_listed_suggestion_is_found_by_the_start_of_its_id(messy: Workspace) -> None:
    suggestion = one(messy, SuggestionKind.TAGS)
    ordering = Ordering(messy)
    assert ordering.suggestion(suggestion.id[:4]) == suggestion
    assert ordering.suggestion(suggestion.id) == suggestion
    for wrong in ("", "ab", "zzzz", "0000000000", suggestion.id + "0"):
        with pytest.raises(NotFound):
            ordering.suggestion(wrong)


def test_ids_that_begin_alike_are_told_apart(messy: Workspace) -> None:
    ordering = Ordering(messy)
    suggestion = one(messy, SuggestionKind.TAGS)
    ordering._memory.keep([suggestion._replace(id=f"{suggestion.id[:8]}ff")], 0)
    with pytest.raises(Ambiguous):
        ordering.suggestion(suggestion.id[:4])


def test_what_was_listed_about_a_purged_thought_is_forgotten(messy: Workspace) -> None:
    ordering = Ordering(messy)
    suggestion = one(messy, SuggestionKind.SUMMARY)
    file = messy.database.path.parent / "suggestions.db"
    secret = suggestion.proposal[0].encode()
    assert secret in file.read_bytes()
    messy.trash(suggestion.thought)
    messy.purge(suggestion.thought)
    ordering.forget([suggestion.thought])
    assert secret not in file.read_bytes()
    with pytest.raises(NotFound):
        ordering.suggestion(suggestion.id)


def test_a_damaged_memory_says_that_it_may_be_deleted(messy: Workspace) -> None:
    file = messy.database.path.parent / "suggestions.db"
    file.write_bytes(b"no database " * 1_000)
    with pytest.raises(StorageError, match="Delete it"):
        Ordering(messy).suggestions()
    file.unlink()
    assert Ordering(messy).suggestions().suggestions


def test_two_openings_of_the_memory_see_the_same(messy: Workspace) -> None:
    first, second = Ordering(messy), Ordering(messy)
    suggestion = one(messy, SuggestionKind.TAGS)
    first.dismiss(suggestion)
    assert suggestion.id not in {each.id for each in second.suggestions(limit=100).suggestions}


def test_looking_writes_nothing_to_the_workspace(messy: Workspace) -> None:
    count = "SELECT count(*) FROM log"
    before = messy.database.read().execute(count).get
    Ordering(messy).suggestions()
    Ordering(messy).duplicates()
    assert messy.database.read().execute(count).get == before


def test_a_listing_says_of_which_kinds_there_are_more(messy: Workspace) -> None:
    for at in range(5):
        messy.create(f"more/{at}.md", "We log in with tokens here. Then more.\n")
    listing = Ordering(messy).suggestions([SuggestionKind.TITLE], limit=3)
    assert len(listing.suggestions) == 3
    assert listing.more == (SuggestionKind.TITLE,)


# Merging

KEPT = "---\nstatus: draft\ntags: [a]\n---\n# Auth\n\nTokens expire.\n\n## Steps\n\n- [ ] rotate\n"
OTHER = "---\nowner: ben\ntags: [b]\n---\n# Auth\n\nTokens expire.\n\n## Steps\n\n- [ ] revoke\n"


def test_merging_keeps_what_both_say_and_both_histories(workspace: Workspace) -> None:
    kept, other = workspace.create("plans/auth.md", KEPT), workspace.create("notes/auth.md", OTHER)
    workspace.move(other.id, "notes/auth-copy.md")
    workspace.create("from.md", "See [it](notes/auth-copy.md) and [that](notes/auth.md).\n")
    histories = {each.id: workspace.past(each.id) for each in (kept, other)}
    accepted = Ordering(workspace).merge(kept.id, other.id)
    text = workspace.text(kept.id)
    assert text == (
        "---\nstatus: draft\ntags: [a, b]\nowner: ben\n---\n# Auth\n\nTokens expire.\n\n"
        "## Steps\n\n- [ ] rotate\n- [ ] revoke\n"
    )
    assert accepted.other is not None
    assert accepted.other.trashed_at is not None
    # All its paths lead to the one that was kept, and links with them.
    for path in ("notes/auth.md", "notes/auth-copy.md", "plans/auth.md"):
        assert workspace.get(path).id == kept.id
        assert workspace.follow(None, path) == workspace.by_id(kept.id)
    # Each history goes on from where it was, and says where the other is.
    for thought, before in histories.items():
        assert [(p.revision, p.text) for p in workspace.past(thought)[: len(before)]] == [
            (p.revision, p.text) for p in before
        ]
    assert other.id in workspace.history(kept.id)[-1].note
    assert "plans/auth.md" in workspace.history(other.id)[-1].note
    assert [finding for finding in doctor.examine(workspace) if not finding.ok] == []


def test_merging_is_undone_by_restoring_both(workspace: Workspace) -> None:
    kept, other = workspace.create("a.md", KEPT), workspace.create("b.md", OTHER)
    accepted = Ordering(workspace).merge(kept.id, other.id)
    workspace.restore_revision(kept.id, accepted.undo)
    workspace.restore(other.id)
    assert workspace.text(kept.id) == KEPT
    assert workspace.text(other.id) == OTHER
    assert workspace.get("b.md").id == other.id


def test_an_edit_of_the_merged_one_made_elsewhere_brings_it_back(workspace: Workspace) -> None:
    kept, other = workspace.create("a.md", KEPT), workspace.create("b.md", OTHER)
    handout = workspace.hand_out(other.id)
    Ordering(workspace).merge(kept.id, other.id)
    workspace.take_back(handout, OTHER + "\nWritten meanwhile.\n")
    assert workspace.by_id(other.id).trashed_at is None
    assert "Written meanwhile." in workspace.text(other.id)


def test_merging_thoughts_of_one_path_keeps_the_shown_one_reachable(workspace: Workspace) -> None:
    kept, other = workspace.create("a.md", KEPT), workspace.create("b.md", OTHER)
    with workspace.database.write(), writing.changing(workspace, other.id) as document:
        document.move("a.md")
    shown = workspace.by_id(other.id).path
    assert shown == "a (2).md"
    Ordering(workspace).merge(kept.id, other.id)
    for path in ("a.md", "a (2).md", "b.md"):
        assert workspace.get(path).id == kept.id


def test_what_cannot_be_merged_is_refused_and_nothing_changes(workspace: Workspace) -> None:
    kept, other = workspace.create("a.md", KEPT), workspace.create("b.sh", "echo\n")
    for pair in ((kept.id, kept.id), (kept.id, other.id)):
        with pytest.raises(Refused):
            Ordering(workspace).merge(*pair)
    workspace.trash(other.id)
    with pytest.raises(NotFound):
        Ordering(workspace).merge(kept.id, other.id)
    assert workspace.text(kept.id) == KEPT
    assert len(workspace.history(kept.id)) == 1


def test_the_other_of_two_duplicates_can_be_kept(workspace: Workspace) -> None:
    text = f"# A\n\n{prose('auth', 41)}"
    workspace.create("long/path/b.md", text)
    first = workspace.create("a.md", text)
    ordering = Ordering(workspace)
    (found,) = ordering.suggestions([SuggestionKind.DUPLICATE]).suggestions
    assert found.thought == first.id
    turned = ordering.edited(found, ["long/path/b.md"])
    accepted = ordering.accept(turned)
    assert accepted.thought.path == "long/path/b.md"
    assert workspace.get("a.md").path == "long/path/b.md"
    with pytest.raises(BadInput):
        ordering.edited(found, ["a.md", "b.md"])


@given(
    st.lists(st.sampled_from(["# A", "one", "two", "- x", "- y", "## B"]), max_size=6),
    st.lists(st.sampled_from(["# A", "one", "three", "- x", "- z", "## B"]), max_size=6),
)
def test_a_preview_is_what_merging_writes(
    tmp_path_factory: pytest.TempPathFactory, kept: list[str], other: list[str]
) -> None:
    with open_workspace(tmp_path_factory.mktemp("w")) as workspace:
        stays = workspace.create("a.md", "\n\n".join(kept))
        goes = workspace.create("b.md", "\n\n".join(other))
        preview = Ordering(workspace).preview(stays.id, goes.id)
        accepted = Ordering(workspace).merge(stays.id, goes.id)
        assert workspace.text(stays.id) == preview.text
        assert accepted.left_out == preview.left_out
        assert workspace.text(goes.id) == "\n\n".join(other)
