"""A server that may see some folders says nothing of the others, however it is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.exceptions import MCPError

from aimem_tui.errors import AimemError
from aimem_tui.markdown import paths
from aimem_tui.mcp.access import Access
from aimem_tui.mcp.tools import TOOLS
from aimem_tui.model import Filter
from aimem_tui.workspace.workspace import Workspace
from tests.mcp.clients import Agent, agent, opened

SECRET = "zanzibar"
"""Stands in every path, title and text that must not be seen, and in nothing that may."""
MAY_SEE = ("plans", "research/open.md")


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with opened("Ada") as workspace:
        workspace.create("plans/auth.md", "# Auth plan\n\nTokens for a day.\n\n- [ ] Rotate keys\n")
        workspace.create("plans/deep/er.md", "# Deeper\n\nTokens, further down.\n")
        workspace.create("research/open.md", "# Open\n\nSee ../plans/auth.md on tokens.\n")
        other = opened(f"{SECRET} person")
        for path in (
            f"secret/{SECRET}.md",
            f"secret/{SECRET}/auth.md",
            f"plans-{SECRET}/auth.md",
            f"research/open.md.{SECRET}.md",
            f"research/{SECRET}-open.md",
            f"notes/{SECRET}-tokens.md",
        ):
            text = (
                f"# {SECRET} auth\n\n{SECRET} tokens, see plans/auth.md.\n\n- [ ] {SECRET} keys\n"
            )
            other.create(path, text)
        memory = f"---\nname: {SECRET}\n---\n\n- Tokens of {SECRET} are kept in a drawer.\n"
        other.create("memory/tokens.md", memory)
        moved = other.create("plans/was-here.md", f"# {SECRET}\n\nGone.\n")
        other.move(moved.id, f"secret/{SECRET}-moved.md")
        gone = other.create(f"secret/{SECRET}-gone.md", f"# {SECRET}\n")
        other.trash(gone.id)
        other.close()
        yield workspace


def bounds() -> list[str]:
    return [word for folder in MAY_SEE for word in ("--path", folder)]


GUESSES = (
    "",
    "secret",
    f"secret/{SECRET}.md",
    f"secret/{SECRET}",
    "secret/*",
    "*",
    "*.md",
    "plans*",
    "plans/../secret",
    "../secret",
    "/secret",
    "plans-*",
    "research",
    "research/*",
    "research/open.md*",
    "?ecret/*",
    "auth",
    "tokens",
    "was-here",
    "plans/was-here.md",
    "open.md",
    f"{SECRET}-gone",
    "memory/tokens.md",
    "notes/",
)


async def test_nothing_out_of_bounds_is_in_any_answer(workspace: Workspace) -> None:
    async with agent(*bounds()) as claude:
        answers = [text async for text in _answers(claude, workspace)]
    # What was asked for may be said back, nothing more.
    rests = [(asked, text, text.replace(asked or "-", "").casefold()) for asked, text in answers]
    assert not [(asked, text) for asked, text, rest in rests if SECRET in rest]
    seen = " ".join(text for _, text in answers)
    assert "plans/auth.md" in seen and "plans/deep/er.md" in seen and "research/open.md" in seen


async def _answers(claude: Agent, workspace: Workspace):  # type: ignore[no-untyped-def]
    ids = [each.id for each in workspace.thoughts() if SECRET in each.path]
    ids += [identifier[:13] for identifier in ids]
    for guess in (*GUESSES, *ids):
        for tool in ("search_thoughts", "list_thoughts", "recent_changes", "list_tasks"):
            query = {"query": "tokens auth"} if tool == "search_thoughts" else {}
            yield guess, (await claude.call(tool, path=guess, **query)).text
        for tool in ("read_thought", "related_thoughts", "thought_history"):
            if guess:
                yield guess, (await claude.call(tool, thought=guess)).text
        for tool, arguments in (
            ("edit_thought", {"thought": guess, "old_text": "tokens", "new_text": "x"}),
            ("append_to_thought", {"thought": guess, "content": "x"}),
            ("tick_task", {"thought": guess, "task": "keys"}),
            ("set_property", {"thought": guess, "name": "a", "value": "b"}),
            ("move_thought", {"thought": "plans/deep/er.md", "to": guess}),
            ("create_thought", {"path": guess, "content": "x"}),
            ("remember", {"fact": "Tokens are kept in a drawer.", "path": guess}),
        ):
            if guess and guess not in ("auth", "open.md", "tokens"):
                yield guess, (await claude.call(tool, **arguments)).text
        try:
            uri = f"aimem://thought/{guess.replace('/', '%2F')}"
            (content,) = (await claude.client.read_resource(uri)).contents
            yield guess, content.text  # type: ignore[union-attr]
        except MCPError as error:
            yield guess, error.message
    for query in ("tokens", SECRET, f'"{SECRET} auth" tokens', "tokens path:secret", "path:*"):
        for how in ("both", "words", "meaning"):
            yield query, (await claude.call("search_thoughts", query=query, how=how)).text
    for author in ("person", "Ada"):
        yield author, (await claude.call("list_thoughts", author=author)).text
    for order in ("path", "updated", "created", "title"):
        for limit in (1, 100):
            yield "", (await claude.call("list_thoughts", order=order, limit=limit)).text
    for resource in (await claude.client.list_resources()).resources:
        yield "", resource.model_dump_json()
    for name, arguments in (("continue", {}), ("plan", {"goal": "tokens"}), ("handoff", {})):
        (message,) = (await claude.client.get_prompt(name, arguments)).messages
        yield "", message.content.text  # type: ignore[union-attr]
    yield "", (await claude.call("remember", fact="Tokens are kept in a drawer.")).text


async def test_a_search_is_the_same_whatever_is_out_of_bounds(workspace: Workspace) -> None:
    """Whether exact words are elsewhere changes nothing."""
    async with agent(*bounds()) as claude:
        there = await claude.does("search_thoughts", query=f'"{SECRET} tokens" day', how="words")
        nowhere = await claude.does("search_thoughts", query='"quagga tokens" day', how="words")
    assert there == nowhere


async def test_nothing_is_written_out_of_bounds(workspace: Workspace) -> None:
    before = {each.path: each for each in workspace.thoughts() if SECRET in each.path}
    outside = {each.path for each in workspace.thoughts()}
    async with agent(*bounds()) as claude:
        for path in ("secret/new.md", "new.md", "plans-new.md", "plans/../new.md", "research/x.md"):
            await claude.fails("create_thought", path=path, content="x")
            await claude.fails("move_thought", thought="plans/auth.md", to=path)
            await claude.fails("remember", fact="A fact of some kind.", path=path)
        for thought in before.values():
            for name in (thought.path, thought.id):
                await claude.fails("append_to_thought", thought=name, content="x")
                await claude.fails("trash_thought", thought=name)
                await claude.fails("move_thought", thought=name, to="plans/mine.md")
        await claude.fails("remember", fact="A fact of some kind.", path="plans/was-here.md")
        await claude.does("create_thought", path="plans/mine.md", content="x")
        await claude.does("remember", fact="A fact of some kind.")
    assert {each.path: each for each in workspace.thoughts() if SECRET in each.path} == before
    new = {each.path for each in workspace.thoughts()} - outside
    assert "plans/mine.md" in new and len(new) == 2
    assert all(path.startswith("plans/") for path in new)


async def test_a_server_that_only_reads_offers_and_does_nothing_else(workspace: Workspace) -> None:
    before = [(each, workspace.text(each.id)) for each in workspace.thoughts()]
    async with agent("--read-only") as claude:
        listed = {tool.name for tool in (await claude.client.list_tools()).tools}
        assert listed == {name for name, tool in TOOLS.items() if not tool.writes}
        assert "not write" in (claude.client.instructions or "")
        for name in set(TOOLS) - listed:
            assert "only reads" in await claude.fails(name, thought="plans/auth.md")
        await claude.does("read_thought", thought="plans/auth.md")
    assert [(each, workspace.text(each.id)) for each in workspace.thoughts()] == before


PARTS = st.sampled_from(["a", "b", "a.md", "ab", "[x]", "a b"])
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
PATTERNS = st.lists(st.sampled_from(["a", "b", "*", "?", "/", ".md", "[x]"]), max_size=5).map(
    "".join
)


@given(st.lists(PATHS, min_size=1, max_size=2), PATTERNS, PATHS)
def test_what_is_looked_through_is_never_more_than_asked_for_and_allowed(
    folders: list[str], asked: str, path: str
) -> None:
    access = Access.to(folders)
    found = any(paths.matches(path, narrowed) for narrowed in access.narrowed(asked))
    if found and access.has(path):
        assert paths.matches(path, asked) or f"{asked.strip('/')}.md" == path
    is_plain = not paths.is_glob(asked) and not asked.startswith("/")
    if is_plain and access.has(path) and paths.matches(path, asked):
        assert found


@given(st.lists(PATHS, max_size=2))
def test_filters_keep_what_else_is_asked_for(folders: list[str]) -> None:
    wanted = Filter(kinds=("plan",), status="draft")
    for each in Access.to(folders).filters(wanted):
        assert each._replace(path="") == wanted


@pytest.mark.parametrize("folder", ["../x", "/etc", "a/../b", "*", "a?", "", "a\\b"])
def test_bounds_must_be_folders_of_a_workspace(folder: str) -> None:
    if folder == "/etc":
        assert Access.to([folder]).folders == ("etc",)
        return
    with pytest.raises(AimemError):
        Access.to([folder])
