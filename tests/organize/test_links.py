"""A link that leads nowhere is found, and what is written instead leads there."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aimem_tui.markdown.describe import describe
from aimem_tui.organize.suggestion import Suggestion, SuggestionKind
from aimem_tui.workspace.ordering import Ordering
from aimem_tui.workspace.workspace import Workspace
from tests.workspaces import open_workspace

LINKS = [SuggestionKind.LINK]


def broken(workspace: Workspace) -> tuple[Suggestion, ...]:
    return Ordering(workspace).suggestions(LINKS, limit=1_000).suggestions


@pytest.mark.parametrize(
    ("written", "there", "instead"),
    [
        ("[a](old/auth_flow.md)", "plans/auth-flow.md", "auth-flow.md"),
        ("[a](../research/Auth-Flow.md#why)", "plans/auth-flow.md", "../plans/auth-flow.md#why"),
        ("[a](./auth-flows.md)", "plans/auth-flow.md", "../plans/auth-flow.md"),
        ("[[Auth Flow]]", "plans/2025-09-01_auth-flow.md", "2025-09-01_auth-flow"),
        ("@thoughts/plans/auth_flow.md", "thoughts/shared/auth-flow.md",
         "@thoughts/shared/auth-flow.md"),
        ("`thoughts/plans/auth_flow.md`", "thoughts/shared/auth-flow.md",
         "thoughts/shared/auth-flow.md"),
        ("[[How people log in]]", "plans/x.md", "x"),
    ],
)  # fmt: skip
def test_the_likely_target_is_written_as_the_link_was(
    workspace: Workspace, written: str, there: str, instead: str
) -> None:
    workspace.create(there, "# How people log in\n")
    source = workspace.create("notes/from.md", f"# From\n\nSee {written} and `code`.\n")
    (found,) = broken(workspace)
    assert found.proposal == (instead,) or found.proposal[0].endswith(instead)
    Ordering(workspace).accept(found)
    (link,) = describe("from.md", workspace.text(source.id)).links
    followed = workspace.follow(workspace.by_id(source.id), link.target.partition("#")[0])
    assert followed is not None
    assert followed.path == there
    assert broken(workspace) == ()


def test_of_several_of_that_name_the_nearest_is_likely(workspace: Workspace) -> None:
    workspace.create("a/one/x.md", "# X\n")
    workspace.create("b/two/x.md", "# X\n")
    workspace.create("b/from.md", "[x](two/old/x.md)\n")
    (found,) = broken(workspace)
    assert found.proposal == ("two/x.md",)


def test_links_that_lead_somewhere_and_links_elsewhere_are_left_alone(workspace: Workspace) -> None:
    moved = workspace.create("a.md", "# A\n")
    workspace.move(moved.id, "moved/a.md")
    workspace.create("my note.md", "# N\n")
    workspace.create(
        "from.md",
        "[a](a.md) [[a]] [m](moved/a.md#x) [code](src/main.py) [u](https://x.y/z.md) [p](#part)"
        " [n](my%20note.md) [img](images/a.png)\n",
    )
    assert broken(workspace) == ()


def test_what_is_in_the_trash_is_said_and_nothing_proposed(workspace: Workspace) -> None:
    gone = workspace.create("gone.md", "# Gone\n")
    workspace.create("from.md", "[a](gone.md) [b](never-was.md)\n")
    workspace.trash(gone.id)
    trashed, never = broken(workspace)
    assert (trashed.proposal, never.proposal) == ((), ())
    assert "trash" in trashed.why


def test_every_link_of_that_target_changes_and_nothing_else(workspace: Workspace) -> None:
    workspace.create("auth-flow.md", "# A\n")
    text = (
        "[a](Auth_Flow.md) and [b](Auth_Flow.md), Auth_Flow.md in words.\n\n"
        "```\n[c](Auth_Flow.md)\n```\n\n[d](XAuth_Flow.md)\n"
    )
    source = workspace.create("from.md", text)
    found = next(each for each in broken(workspace) if each.subject == "Auth_Flow.md")
    Ordering(workspace).accept(found)
    after = workspace.text(source.id)
    assert "[a](auth-flow.md) and [b](auth-flow.md)" in after
    assert "[c](Auth_Flow.md)" in after
    assert "[d](XAuth_Flow.md)" in after


names = st.sampled_from(
    ["a.md", "A.md", "b c.md", "x/a.md", "x/y/a.md", "x/d.md", "2025-01-02_d.md"]
)
targets = st.sampled_from(
    ["a", "a.md", "x/a.md", "../a.md", "y/a.md", "d", "d.md", "b c", "b%20c.md", "/x/d.md",
     "@x/y/a.md", "x/../a.md", "nowhere.md", "../../../a.md", "X/D.md"]
)  # fmt: skip


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(names, min_size=1), st.sampled_from(["from.md", "x/from.md"]), targets)
def test_what_can_be_followed_is_not_broken_and_the_other_way_round(
    tmp_path_factory: pytest.TempPathFactory, paths: set[str], source: str, target: str
) -> None:
    with open_workspace(tmp_path_factory.mktemp("w")) as workspace:
        for path in paths:
            workspace.create(path, "text\n")
        made = workspace.create(source, f"[link](<{target}>)\n")
        (link,) = describe(source, workspace.text(made.id)).links
        followed = workspace.follow(made, link.target.replace("%20", " "))
        assert (followed is None) == bool(broken(workspace))
