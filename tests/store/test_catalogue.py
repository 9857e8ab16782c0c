"""Names lead to thoughts, filters select them, and lists come in order and in pieces."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aimem_tui.errors import Ambiguous, BadInput, NotFound, Refused
from aimem_tui.markdown import paths
from aimem_tui.model import Filter, Folder, Kind, Lifecycle
from aimem_tui.store import catalogue
from aimem_tui.workspace.workspace import Workspace
from tests.workspaces import Clock, open_workspace


def meta(**properties: str) -> str:
    lines = "".join(f"{key}: {value}\n" for key, value in properties.items())
    return f"---\n{lines}---\n# Title\n"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def filled(tmp_path, clock: Clock):
    with open_workspace(tmp_path, clock=clock) as workspace:
        for path, text in {
            "plans/alpha.md": meta(title="Zulu", tags="[red, blue]", status="done"),
            "plans/deep/beta.md": meta(title="yankee", tags="[Red]", status="In Progress"),
            "plans-other.md": meta(title="Xray", author="Zoë 100%_x"),
            "research/alpha.md": meta(title="whiskey", status="draft"),
            "tickets/ENG-1.md": "# Ticket\n",
            "script.sh": "echo hi\n",
        }.items():
            workspace.create(path, text)
        yield workspace


def listed(workspace: Workspace, order: str = "path", **wanted) -> list[str]:
    return [thought.path for thought in workspace.thoughts(Filter(**wanted), order=order)]


# Names


@pytest.mark.parametrize(
    "name",
    [
        "plans/deep/beta.md",
        "plans/deep/beta",
        "/plans/deep/beta.md",
        " plans/deep/beta ",
        "beta.md",
        "beta",
    ],
)
def test_a_thought_is_found_by_path_with_or_without_suffix_and_by_a_unique_name(
    filled: Workspace, name: str
) -> None:
    assert filled.get(name).path == "plans/deep/beta.md"


def test_a_thought_is_found_by_id_and_by_the_start_of_one(filled: Workspace) -> None:
    for thought in filled.thoughts():
        assert filled.get(thought.id) == thought
        # Ids made in the same instant begin alike; the random end tells them apart.
        assert filled.get(thought.id[:28]) == thought
    with pytest.raises(NotFound):
        filled.get(thought.id[:7])
    with pytest.raises(Ambiguous):
        filled.get(thought.id[:8])


def test_an_earlier_path_leads_to_where_the_thought_is_now(filled: Workspace) -> None:
    beta = filled.get("beta")
    filled.move(beta.id, "elsewhere/gamma.md")
    for name in ("plans/deep/beta.md", "plans/deep/beta"):
        assert filled.get(name).path == "elsewhere/gamma.md"
    filled.create("plans/deep/beta.md", "new")
    assert filled.get("plans/deep/beta").id != beta.id, "what is there now comes first"
    assert filled.get("elsewhere/gamma").id == beta.id


def test_a_name_that_several_have_is_answered_with_their_paths(filled: Workspace) -> None:
    with pytest.raises(Ambiguous) as answer:
        filled.get("alpha")
    assert "plans/alpha.md" in answer.value.why
    assert "research/alpha.md" in answer.value.why


def test_the_trash_is_only_searched_on_request_and_last(filled: Workspace) -> None:
    beta = filled.get("beta")
    filled.trash(beta.id)
    with pytest.raises(NotFound):
        filled.get("beta")
    with pytest.raises(NotFound):
        filled.get(beta.id)
    for name in ("beta", "plans/deep/beta", beta.id):
        assert filled.get(name, trashed=True).id == beta.id
    fresh = filled.create("plans/deep/beta.md", "new")
    assert filled.get("beta", trashed=True).id == fresh.id
    filled.trash(fresh.id)
    assert filled.get("beta", trashed=True).id == fresh.id, "the one trashed last"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("plans/alfa.md", "plans/alpha.md"),
        ("deep/beta2", "plans/deep/beta.md"),
        ("100%_", ""),
        ("", ""),
        ("'; DROP TABLE thoughts", ""),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    filled: Workspace, name: str, near: str
) -> None:
    with pytest.raises(NotFound) as answer:
        filled.get(name)
    assert near in answer.value.hint
    assert ("Did you mean" in answer.value.hint) == bool(near)


@pytest.mark.parametrize("odd", ["\ud83d", "a\udcff.md", "\0", "plans\0"])
def test_names_that_no_file_can_have_find_nothing_and_break_nothing(
    filled: Workspace, odd: str
) -> None:
    with pytest.raises(NotFound):
        filled.get(odd)
    for wanted in (
        Filter(path=odd),
        Filter(path=f"*{odd}"),
        Filter(kinds=(odd,)),
        Filter(tags=(odd,)),
        Filter(author=odd),
        Filter(status=odd),
    ):
        assert filled.count(wanted) == 0


def test_a_purged_thought_is_gone(filled: Workspace) -> None:
    beta = filled.trash(filled.get("beta").id)
    filled.purge(beta.id)
    for name in ("beta", beta.id, "plans/deep/beta.md"):
        with pytest.raises(NotFound):
            filled.get(name, trashed=True)
    with pytest.raises(NotFound):
        filled.by_id(beta.id)
    with pytest.raises(NotFound):
        filled.text(beta.id)
    assert listed(filled, trashed=True) == []


# Filters


def test_a_folder_a_path_and_a_glob_select(filled: Workspace) -> None:
    assert listed(filled, path="plans") == ["plans/alpha.md", "plans/deep/beta.md"]
    assert listed(filled, path="plans/") == ["plans/alpha.md", "plans/deep/beta.md"]
    assert listed(filled, path="plans/alpha") == ["plans/alpha.md"]
    assert listed(filled, path="*alpha*") == ["plans/alpha.md", "research/alpha.md"]
    assert listed(filled, path="?lans/*.md") == ["plans/alpha.md", "plans/deep/beta.md"]
    assert listed(filled, path="nothing") == []


LETTERS = st.sampled_from([*"ab/.*?[]-^ %_()"])


@given(
    st.lists(st.text(LETTERS, min_size=1, max_size=6), max_size=3),
    st.text(LETTERS, max_size=5),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_path_selects_in_lists_what_it_selects_elsewhere(
    workspace: Workspace, drawn: list[str], pattern: str
) -> None:
    for path in drawn:
        with suppress(BadInput, Refused):
            workspace.create(f"{path}.md" if len(path) % 2 else path, "")
    everything = [thought.path for thought in workspace.thoughts()]
    assert listed(workspace, path=pattern) == [p for p in everything if paths.matches(p, pattern)]


def test_kind_tag_status_and_lifecycle_select_whatever_their_case(filled: Workspace) -> None:
    assert listed(filled, kinds=("plan",)) == ["plans/alpha.md", "plans/deep/beta.md"]
    assert listed(filled, kinds=("Ticket", "file")) == ["script.sh", "tickets/ENG-1.md"]
    assert listed(filled, tags=("RED",)) == ["plans/alpha.md", "plans/deep/beta.md"]
    assert listed(filled, tags=("#red", "blue")) == ["plans/alpha.md"]
    assert listed(filled, status="done") == ["plans/alpha.md"]
    assert listed(filled, status="in progress") == ["plans/deep/beta.md"]
    assert listed(filled, status="active") == ["plans/deep/beta.md"]
    assert filled.get("beta").lifecycle is Lifecycle.ACTIVE
    assert filled.get("ENG-1").kind is Kind.TICKET


def test_an_author_is_who_made_edited_or_is_named_and_signs_are_just_signs(
    filled: Workspace,
) -> None:
    assert len(listed(filled, author="ANN")) == 6
    assert listed(filled, author="100%_X") == ["plans-other.md"]
    assert listed(filled, author="%") == ["plans-other.md"]
    assert listed(filled, author="_") == ["plans-other.md"]
    filled.author = "ben"
    filled.append(filled.get("beta").id, "more")
    assert listed(filled, author="ben") == ["plans/deep/beta.md"]


def test_since_means_touched_at_that_time_or_later(filled: Workspace, clock: Clock) -> None:
    clock.now += 10_000
    moment = clock.now
    filled.append(filled.get("beta").id, "more")
    touched = filled.get("beta").updated_at
    assert moment < touched
    assert listed(filled, since=moment) == ["plans/deep/beta.md"]
    assert listed(filled, since=touched) == ["plans/deep/beta.md"]
    assert listed(filled, since=touched + 1) == []


def test_filters_hold_together_and_counting_agrees(filled: Workspace) -> None:
    wanted = Filter(path="plans", tags=("red",), status="active", author="a", kinds=("plan",))
    assert [thought.path for thought in filled.thoughts(wanted)] == ["plans/deep/beta.md"]
    assert filled.count(wanted) == 1
    assert filled.count() == 6


def test_the_trash_is_a_list_of_its_own(filled: Workspace) -> None:
    filled.trash(filled.get("beta").id)
    assert listed(filled, trashed=True) == ["plans/deep/beta.md"]
    assert "plans/deep/beta.md" not in listed(filled)
    (thought,) = filled.thoughts(Filter(trashed=True))
    assert thought.trashed_at is not None


# Lists


def test_lists_come_in_the_order_asked_for(filled: Workspace) -> None:
    filled.append(filled.get("beta").id, "more")
    by_path = listed(filled)
    assert by_path == sorted(by_path)
    assert listed(filled, "updated")[0] == "plans/deep/beta.md"
    assert listed(filled, "created")[0] == "script.sh"
    titles = [thought.title for thought in filled.thoughts(order="title")]
    assert titles == ["script.sh", "Ticket", "whiskey", "Xray", "yankee", "Zulu"]


def test_pieces_of_a_list_make_the_list(filled: Workspace) -> None:
    found: list[str] = []
    while piece := [*filled.thoughts(limit=2, after=found[-1] if found else "")]:
        assert len(piece) <= 2
        found += [thought.path for thought in piece]
    assert found == listed(filled)


def test_the_tree_is_read_folder_by_folder_and_holds_every_thought(filled: Workspace) -> None:
    assert filled.folders() == [Folder("plans", 2), Folder("research", 1), Folder("tickets", 1)]
    assert filled.folders("plans") == [Folder("plans/deep", 1)]
    assert filled.folders("plans/deep") == []
    found: list[str] = []
    folders = [""]
    while folders:
        folder = folders.pop()
        folders += [below.path for below in filled.folders(folder)]
        last = None
        while piece := filled.thoughts_in(folder, 1, last):
            (last,) = piece
            found.append(last.path)
    assert sorted(found) == listed(filled)


def test_who_refers_to_a_thought_is_found_by_path_or_the_end_of_it(filled: Workspace) -> None:
    target = filled.get("plans/deep/beta.md")
    for path, text in {
        "l/wiki.md": "see [[beta]]",
        "l/path.md": "see [b](../plans/deep/beta.md#part)",
        "l/whole.md": "see [[plans/deep/beta]]",
        "l/case.md": "see [[Deep/Beta]]",
        "l/other.md": "see [[other/beta]] and [[alphabeta]]",
        "l/none.md": "see beta",
    }.items():
        filled.create(path, text)
    found = sorted(thought.path for thought in filled.linked_from(target))
    assert found == ["l/case.md", "l/path.md", "l/whole.md", "l/wiki.md"]
    assert filled.linked_from(filled.get("script.sh")) == []
    filled.trash(filled.get("l/wiki.md").id)
    assert len(filled.linked_from(target)) == 3


def test_the_columns_and_the_fields_of_a_thought_go_together(filled: Workspace) -> None:
    thought = filled.get("plans/alpha.md")
    assert (thought.title, thought.tags, thought.status) == ("Zulu", ("red", "blue"), "done")
    assert thought.size == len(filled.text(thought.id).encode())
    assert catalogue.by_id(filled.database.read(), thought.id) == thought
