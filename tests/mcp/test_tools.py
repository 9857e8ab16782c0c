"""Every tool, called by the SDK's client over pipes."""

from __future__ import annotations

from aimem_tui.mcp.tools import TOOLS
from aimem_tui.workspace.workspace import Workspace
from tests.mcp.clients import Agent, agent
from tests.mcp.thoughts import PLAN


async def test_every_tool_can_be_listed_and_called(claude: Agent, workspace: Workspace) -> None:
    listed = (await claude.client.list_tools()).tools
    calls: dict[str, dict[str, object]] = {
        "search_thoughts": {"query": "signing key"},
        "read_thought": {"thought": "plans/auth.md"},
        "list_thoughts": {},
        "recent_changes": {},
        "related_thoughts": {"thought": "plans/auth.md"},
        "thought_history": {"thought": "plans/auth.md"},
        "list_tasks": {},
        "create_thought": {"path": "plans/new", "content": "# New"},
        "edit_thought": {"thought": "plans/new.md", "old_text": "New", "new_text": "Newer"},
        "append_to_thought": {"thought": "plans/new.md", "content": "A line."},
        "move_thought": {"thought": "plans/new.md", "to": "archive/"},
        "set_property": {"thought": "archive/new.md", "name": "status", "value": "done"},
        "tick_task": {"thought": "plans/auth.md", "task": "Rotate the signing key"},
        "remember": {"fact": "Releases are cut on Tuesdays.", "about": "releases"},
        "trash_thought": {"thought": "archive/new.md"},
    }
    assert set(calls) == {tool.name for tool in listed} == set(TOOLS)
    for name, arguments in calls.items():
        assert await claude.does(name, **arguments), name
    assert "- [x] Rotate the signing key" in workspace.text(workspace.get("plans/auth.md").id)


async def test_a_search_gives_paths_and_snippets_and_a_read_gives_the_text_as_it_is(
    claude: Agent,
) -> None:
    found = await claude.does("search_thoughts", query="signing key")
    assert "1. plans/auth.md" in found
    assert "Rotate the signing key" in found
    assert "lunch" not in found
    answer = await claude.call("read_thought", thought="auth")
    assert answer.blocks[1] == PLAN
    section = await claude.call("read_thought", thought="plans/auth.md", section="Steps")
    assert section.blocks[1].strip().startswith("## Steps")
    assert "Who may revoke" not in section.text
    lines = await claude.call("read_thought", thought="plans/auth.md", first_line=5, last_line=5)
    assert lines.blocks[1].strip() == "# Auth plan"


async def test_an_edit_bears_the_names_of_the_person_and_the_agent(
    claude: Agent, workspace: Workspace
) -> None:
    await claude.does(
        "edit_thought",
        thought="plans/auth.md",
        old_text="for a day",
        new_text="for an hour",
    )
    thought = workspace.get("plans/auth.md")
    assert workspace.text(thought.id) == PLAN.replace("for a day", "for an hour")
    assert thought.updated_by == "Ada via Claude Code"
    assert "Ada via Claude Code" in await claude.does("thought_history", thought="plans/auth.md")
    diff = await claude.does("thought_history", thought="plans/auth.md", revision=2)
    assert "+Tokens are kept for an hour." in diff


async def test_a_name_that_the_person_gives_counts_more_than_what_the_client_says(
    workspace: Workspace,
) -> None:
    async with agent("--agent", "Nightly") as nightly:
        await nightly.does("append_to_thought", thought="lunch", content="Bread, too.")
    assert workspace.get("notes/lunch.md").updated_by == "Ada via Nightly"


async def test_content_goes_into_a_section_and_beside_a_line(
    claude: Agent, workspace: Workspace
) -> None:
    plan = "plans/auth.md"
    await claude.does("append_to_thought", thought=plan, content="- [ ] Tell all", section="Steps")
    await claude.does("edit_thought", thought=plan, section="Open questions", content="None left.")
    await claude.does("edit_thought", thought=plan, after="Tokens are kept", content="Keys, too.")
    text = workspace.text(workspace.get(plan).id)
    assert "- [ ] Write the migration\n- [ ] Tell all\n" in text
    assert "## Open questions\n\nNone left.\n" in text
    assert "Tokens are kept for a day.\nKeys, too.\n" in text


async def test_what_is_done_twice_is_there_once(claude: Agent, workspace: Workspace) -> None:
    calls: list[tuple[str, dict[str, object]]] = [
        ("create_thought", {"path": "a.md", "content": "# A\n\nOne line that stays here.\n"}),
        ("append_to_thought", {"thought": "a.md", "content": "Another line."}),
        ("edit_thought", {"thought": "a.md", "old_text": "One", "new_text": "One long"}),
        ("edit_thought", {"thought": "a.md", "after": "# A", "content": "Below the title."}),
        ("edit_thought", {"thought": "a.md", "section": "A", "mode": "prepend", "content": "Up"}),
        ("set_property", {"thought": "a.md", "name": "status", "value": "draft"}),
        ("move_thought", {"thought": "a.md", "to": "b.md"}),
        ("remember", {"fact": "The build runs in eleven minutes.", "about": "build"}),
    ]
    for name, arguments in calls:
        await claude.does(name, **arguments)
        before = [(each, workspace.text(each.id)) for each in workspace.thoughts()]
        if name in ("append_to_thought", "edit_thought", "create_thought"):
            assert "already" in await claude.does(name, **arguments)
        else:
            await claude.does(name, **arguments)
        after = [(each, workspace.text(each.id)) for each in workspace.thoughts()]
        assert before == after, name


async def test_long_answers_are_cut_and_say_how_to_go_on(
    claude: Agent, workspace: Workspace
) -> None:
    lines = [f"Line {number} of a long text about nothing in particular." for number in range(2000)]
    workspace.create("long.md", "# Long\n\n" + "\n".join(lines) + "\n")
    for number in range(120):
        workspace.create(f"many/{number:03}.md", f"# Number {number}\n\nA text on gardening.\n")
    for name, arguments in (
        ("read_thought", {"thought": "long.md"}),
        ("search_thoughts", {"query": "gardening"}),
        ("list_thoughts", {"path": "many"}),
        ("recent_changes", {}),
    ):
        assert len(await claude.does(name, **arguments)) < 8_000, name
    seen = await claude.call("read_thought", thought="long.md")
    got, turns = seen.blocks[1], 0
    while len(seen.blocks) > 2:
        on = int(seen.blocks[2].partition("first_line=")[2].partition(")")[0])
        seen = await claude.call("read_thought", thought="long.md", first_line=on, max_chars=40000)
        got += seen.blocks[1]
        turns += 1
    assert got == workspace.text(workspace.get("long.md").id)
    assert turns < 10


async def test_turning_pages_shows_everything_once(claude: Agent, workspace: Workspace) -> None:
    for number in range(60):
        workspace.create(
            f"many/{number:03}.md", f"# Number {number}\n\nGardening, part {number}.\n"
        )
    for tool, arguments in (
        ("list_thoughts", {"path": "many"}),
        ("list_thoughts", {"path": "many", "order": "updated", "limit": 7}),
        ("search_thoughts", {"query": "gardening", "how": "words", "limit": 9}),
    ):
        seen: list[str] = []
        more: dict[str, object] = {}
        while True:
            answer = await claude.does(tool, **arguments, **more)
            seen += [word for word in answer.split() if word.startswith("many/0") and "." in word]
            if 'cursor="' not in answer:
                break
            more = {"cursor": answer.partition('cursor="')[2].partition('"')[0]}
        assert sorted(seen) == [f"many/{number:03}.md" for number in range(60)], tool


async def test_errors_say_what_to_do_next(claude: Agent) -> None:
    assert "Did you mean plans/auth.md" in await claude.fails("read_thought", thought="plan/auth")
    missing = await claude.fails("read_thought", thought="plans/auth.md", section="Stebs")
    assert "Steps" in missing
    near = await claude.fails(
        "edit_thought", thought="plans/auth.md", old_text="Tokens are kept a day", new_text="x"
    )
    assert "Tokens are kept for a day" in near
    unclear = await claude.fails("edit_thought", thought="plans/auth.md", content="x")
    assert "old_text" in unclear and "section" in unclear
    there = await claude.fails("create_thought", path="plans/auth.md", content="x")
    assert "edit_thought" in there
    assert "query" in await claude.fails("search_thoughts", querry="x")
    assert "is missing" in await claude.fails("search_thoughts")
    assert "2026" in await claude.fails("list_thoughts", since="whenever")


async def test_tasks_are_listed_and_ticked(claude: Agent) -> None:
    listed = await claude.does("list_tasks")
    assert "  11: [ ] Rotate the signing key (Steps)" in listed
    ticked = await claude.does("tick_task", thought="auth", task="signing key", line=11)
    assert "1 task left" in ticked
    assert "already" in await claude.does("tick_task", thought="auth", task="signing key")
    assert "signing key" not in await claude.does("list_tasks")
    assert "signing key" in await claude.does("list_tasks", thought="auth", done=True)
    await claude.does("tick_task", thought="auth", task="signing key", done=False)
    assert "signing key" in await claude.does("list_tasks", path="plans")


async def test_the_descriptions_are_short(claude: Agent) -> None:
    listed = (await claude.client.list_tools()).tools
    for tool in listed:
        assert tool.description and len(tool.description) < 500
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is not TOOLS[tool.name].writes
        assert tool.input_schema["additionalProperties"] is False
    assert (
        sum(len(tool.model_dump_json(by_alias=True, exclude_none=True)) for tool in listed) < 15e3
    )
    assert len(claude.client.instructions or "") < 2_000


async def test_resources_are_thoughts(claude: Agent, workspace: Workspace) -> None:
    listed = (await claude.client.list_resources()).resources
    assert {each.name for each in listed} == {each.path for each in workspace.thoughts()}
    for each in listed:
        (content,) = (await claude.client.read_resource(each.uri)).contents
        assert content.text == workspace.text(workspace.get(each.name).id)  # type: ignore[union-attr]
    (template,) = (await claude.client.list_resource_templates()).resource_templates
    encoded = template.uri_template.replace("{path}", "plans%2Fauth.md")
    (content,) = (await claude.client.read_resource(encoded)).contents
    assert content.text == PLAN  # type: ignore[union-attr]


async def test_prompts_bring_facts(claude: Agent) -> None:
    listed = (await claude.client.list_prompts()).prompts
    assert [each.name for each in listed] == ["continue", "plan", "handoff"]
    for name, arguments in (("continue", {}), ("plan", {"goal": "signing"}), ("handoff", {})):
        (message,) = (await claude.client.get_prompt(name, arguments)).messages
        assert "plans/auth.md" in message.content.text, name  # type: ignore[union-attr]
