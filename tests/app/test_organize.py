"""The room where thoughts are put in order: proposals, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from aimem_tui.screens.compare import CompareScreen
from aimem_tui.screens.main import MainScreen
from aimem_tui.screens.organize import OrganizeScreen
from aimem_tui.screens.prompt import Ask
from aimem_tui.widgets.virtual_list import VirtualList
from tests.app.test_app import Desk, desk

BODY = "".join(
    f"Line {n} tells of the relay, its ledger, the bus between pods and a thing called t{n}.\n"
    for n in range(12)
)

OLD = f"# Relay\n\n{BODY}\nOnly the old one has it.\n"


async def organize(at: Desk) -> None:
    at.workspace.catch_up()
    await at.pilot.press("ctrl+g")
    await at.on(OrganizeScreen)
    await at.until(lambda: "Looking" not in at.screen_text(), "it has looked")


def listed(at: Desk) -> list[str]:
    model = at.app.screen.query_one("#proposals", VirtualList).model
    return [model.row(index).lines[0][0].text for index in range(model.count())]


async def go_to(at: Desk, beginning: str) -> None:
    """Put the cursor on the proposal that begins so."""
    await at.until(lambda: any(row.startswith(beginning) for row in listed(at)), beginning)
    index = next(n for n, row in enumerate(listed(at)) if row.startswith(beginning))
    at.app.screen.query_one("#proposals", VirtualList).cursor = index
    await at.pilot.pause()


async def test_a_broken_link_is_mended_and_taken_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        thought = at.workspace.create("index.md", "# Index\n\nSee [billing](plans/auth_flow.md).\n")
        await organize(at)
        await go_to(at, "plans/auth_flow.md leads to")
        await at.pilot.press("a")
        await at.until(lambda: "plans/auth-flow" in at.workspace.text(thought.id), "it is mended")
        assert not any(row.startswith("plans/auth_flow.md") for row in listed(at))
        await at.pilot.press("u")
        await at.until(lambda: "(plans/auth_flow.md)" in at.workspace.text(thought.id), "as it was")


async def test_a_proposal_can_be_said_differently(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        thought = at.workspace.create("index.md", "# Index\n\nSee [billing](plans/auth_flow.md).\n")
        await organize(at)
        await go_to(at, "plans/auth_flow.md leads to")
        await at.pilot.press("e")
        await at.on(Ask)
        at.app.screen.query_one(Input).value = "notes.md"
        await at.pilot.press("enter")
        await at.on(OrganizeScreen)
        await at.until(lambda: "[billing](notes.md)" in at.workspace.text(thought.id), "that")


async def test_what_is_dismissed_is_not_proposed_again(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.workspace.create("index.md", "# Index\n\nSee [billing](plans/auth_flow.md).\n")
        await organize(at)
        await go_to(at, "plans/auth_flow.md leads to")
        await at.pilot.press("d")
        await at.pilot.press("escape")
        await at.on(MainScreen)
        await organize(at)
        assert not any(row.startswith("plans/auth_flow.md") for row in listed(at))


async def test_two_that_are_alike_are_compared_and_made_one(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        first = at.workspace.create("relay.md", f"# Relay\n\n{BODY}")
        second = at.workspace.create(
            "old/relay.md", f"# Relay\n\n{BODY}\nOnly the old one has it.\n"
        )
        await organize(at)
        await go_to(at, "Much like")
        await at.pilot.press("enter")
        await at.on(CompareScreen)
        await at.until(lambda: "of the wording is in both" in at.screen_text(), "the figures")
        assert "Goes to the trash" in at.screen_text()
        await at.pilot.press("m")
        await at.on(OrganizeScreen)
        await at.until(
            lambda: {first.id, second.id} - {each.id for each in at.workspace.thoughts()} != set(),
            "one is in the trash",
        )
        (kept,) = (each for each in at.workspace.thoughts() if each.id in (first.id, second.id))
        assert "Only the old one has it." in at.workspace.text(kept.id)
        await at.pilot.press("u")
        await at.until(
            lambda: {first.id, second.id} <= {each.id for each in at.workspace.thoughts()},
            "both are back",
        )


async def test_at_80_columns_one_text_is_shown_at_a_time(tmp_path: Path) -> None:
    async with desk(tmp_path, size=(80, 24)) as at:
        at.workspace.create("relay.md", f"# Relay\n\n{BODY}")
        at.workspace.create("old/relay.md", OLD)
        await organize(at)
        await go_to(at, "Much like")
        await at.pilot.press("enter")
        await at.on(CompareScreen)
        await at.until(lambda: "Stays" in at.screen_text(), "the one that stays")
        assert "Goes to the trash" not in at.screen_text()
        await at.pilot.press("tab")
        await at.until(lambda: "Goes to the trash" in at.screen_text(), "the other")


async def test_only_what_concerns_the_open_thought_can_be_asked_for(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.workspace.create("index.md", "# Index\n\nSee [billing](plans/auth_flow.md).\n")
        at.workspace.create("other.md", "# Other\n\nSee [x](plan/nothing-like-it.md).\n")
        await at.open("index")
        await organize(at)
        await at.until(lambda: any(row.startswith("plan/nothing") for row in listed(at)), "all")
        await at.pilot.press("t")
        await at.until(
            lambda: listed(at) and not any(row.startswith("plan/nothing") for row in listed(at)),
            "only one",
        )


async def test_an_orderly_workspace_says_so(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await organize(at)
        await at.until(lambda: "Nothing to put in order here." in at.screen_text(), "it says so")
