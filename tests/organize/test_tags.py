"""Tags come from the team's own: from thoughts that are alike, and from what a text names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.organize import tags
from aimem_tui.organize.lexical import WordNearness
from aimem_tui.organize.suggestion import SuggestionKind
from aimem_tui.organize.tags import TagTable
from aimem_tui.workspace.ordering import Ordering
from aimem_tui.workspace.workspace import Workspace
from tests.organize.notes import MATTERS, by_vectors, prose, tagged

TAGS = [SuggestionKind.TAGS]


def test_a_thought_gets_the_tags_of_those_that_speak_of_the_same(workspace: Workspace) -> None:
    tagged(workspace)
    expected = {}
    for matter in MATTERS:
        made = workspace.create(f"new/{matter}.md", f"# New\n\n{prose(matter, 99)}")
        expected[made.id] = (matter,)
    listing = Ordering(workspace).suggestions(TAGS)
    assert {each.thought: each.proposal for each in listing.suggestions} == expected
    assert any("by their words" in sentence for sentence in listing.said)


def test_meaning_finds_what_words_do_not(workspace: Workspace) -> None:
    tagged(workspace)
    made = workspace.create("new.md", "# Neu\n\nGanz andere Worte über dieselbe Sache.\n")
    vectors = {
        thought.path: [float(thought.path.startswith(matter)) + 0.1 for matter in MATTERS]
        for thought in workspace.thoughts()
    } | {made.path: [1.0, 0.1, 0.1]}
    assert Ordering(workspace).suggestions(TAGS).suggestions == ()
    listing = Ordering(workspace, nearness=by_vectors(workspace, vectors)).suggestions(TAGS)
    assert [each.proposal for each in listing.suggestions] == [("auth",)]
    assert listing.said == ()


def test_a_rare_tag_is_found_where_the_text_names_it(workspace: Workspace) -> None:
    tagged(workspace)
    workspace.create("one.md", "---\ntags: [raft]\n---\n# Consensus\n\nLeaders and terms.\n")
    made = workspace.create(
        "new.md", f"# Raft and storage\n\nRaft. {prose('storage', 7, 20)} Raft."
    )
    (found,) = Ordering(workspace).suggest_tags(made.id).suggestions
    assert "raft" in found.proposal


def test_a_thought_is_not_given_a_tag_it_has(workspace: Workspace) -> None:
    for thought in tagged(workspace)["auth"]:
        for each in Ordering(workspace).suggest_tags(thought.id).suggestions:
            assert "auth" not in each.proposal


def test_what_is_like_nothing_gets_no_tag_of_others(workspace: Workspace) -> None:
    tagged(workspace)
    workspace.create("new.md", "# Zugvögel\n\nIm Herbst ziehen Störche südwärts.\n")
    assert Ordering(workspace).suggestions(TAGS).suggestions == ()


def test_without_any_tags_key_phrases_are_proposed_that_others_share(workspace: Workspace) -> None:
    for at in range(4):
        workspace.create(f"a{at}.md", f"# Broth {at}\n\nBroth and broth, simmered: {at}.\n")
    for at in range(40):
        workspace.create(f"b{at}.md", f"# Note {at}\n\nNumber {at} and nothing else.\n")
    found = Ordering(workspace).suggestions(TAGS).suggestions
    assert {each.proposal for each in found} == {("broth",)}


def test_a_dismissed_tag_stays_away_and_others_come(workspace: Workspace) -> None:
    tagged(workspace)
    made = workspace.create("new.md", f"# New\n\n{prose('auth', 99)}")
    ordering = Ordering(workspace)
    (first,) = ordering.suggestions(TAGS).suggestions
    assert first.thought == made.id
    ordering.dismiss(first)
    assert ordering.suggestions(TAGS).suggestions == ()
    for each in ordering.suggest_tags(made.id).suggestions:
        assert "auth" not in each.proposal
    assert ordering.suggestions(TAGS, dismissed=True).suggestions == (first,)


def test_the_same_matter_has_the_same_id(workspace: Workspace) -> None:
    tagged(workspace)
    workspace.create("new.md", f"# New\n\n{prose('auth', 99)}")
    first = Ordering(workspace).suggestions(TAGS).suggestions
    workspace.create("other.md", f"# Other\n\n{prose('cooking', 98)}")
    again = Ordering(workspace).suggestions(TAGS).suggestions
    assert first[0].id in {each.id for each in again}


def test_tags_in_use_are_counted_by_their_usual_spelling(workspace: Workspace) -> None:
    for at, tag in enumerate(("API", "api", "api", "web")):
        workspace.create(f"{at}.md", f"---\ntags: [{tag}]\n---\n")
    assert Ordering(workspace).tags() == [("api", 3), ("web", 1)]


@given(
    st.dictionaries(
        st.integers(0, 30),
        st.lists(st.sampled_from(["a", "b", "c d", "É"]), min_size=1),
        min_size=1,
    ),
    st.lists(st.sampled_from(["alpha", "beta", "c", "d", "ds", "a", "as", "é"]), max_size=30),
)
def test_scores_are_in_bounds_and_ordered(tagged: dict[int, list[str]], words: list[str]) -> None:
    table = TagTable(tagged)
    texts = [*((n, " ".join(own * 3)) for n, own in tagged.items()), (99, " ".join(words))]
    nearness = WordNearness(lambda: texts)
    panel = tags.panel(nearness, tags.WORDS, 99, table)
    rated = tags.rate(table, [panel] if panel else [], words[:3], words)
    scores = [each.score for each in rated]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 + 2 * tags.NAMED + 1e-6 for score in scores)
    assert {each.tag for each in rated} <= table.counts.keys()
