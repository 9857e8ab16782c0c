"""What an agent without tools of its own does from a shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Aimem
from tests.cli.test_imports import HEAVY, modules_after

PLAN = (
    "# Auth\n\n30 minutes.\n\n## Tasks\n\n- [ ] write tests\n- [x] write code\n\n## Risks\n\nhigh\n"
)


@pytest.fixture
def plan(aimem: Aimem) -> str:
    """A plan in the workspace."""
    aimem("new", "plans/auth", PLAN)
    return "plans/auth.md"


class TestTasks:
    def test_open_tasks_are_listed_as_places(self, aimem: Aimem, plan: str) -> None:
        aimem("new", "notes/b", "- [ ] call Bob")
        assert aimem("tasks", plan).out == "plans/auth.md:7: [ ] write tests  (Tasks)\n"
        assert aimem("tasks", "--kind", "note").out == "notes/b.md:1: [ ] call Bob\n"
        assert aimem("tasks", "auth", "--all").out.splitlines()[1] == (
            "plans/auth.md:8: [x] write code  (Tasks)"
        )
        assert len(aimem("tasks").out.splitlines()) == 2
        assert "There are more: --limit." in aimem("tasks", "--limit", "1").err
        assert aimem("tasks", "--path", "elsewhere").err == "There are no open tasks.\n"

    def test_json_has_each_task_with_its_thought(self, aimem: Aimem, plan: str) -> None:
        told = aimem("tasks", "--json").json
        assert told["more"] is False
        (one,) = told["thoughts"]
        assert one["thought"]["path"] == plan
        assert one["tasks"] == [
            {"line": 7, "text": "write tests", "done": False, "section": "Tasks"}
        ]

    def test_a_task_is_ticked_by_words_or_line_and_opened_again(
        self, aimem: Aimem, plan: str
    ) -> None:
        assert aimem("tasks", "tick", plan, "tests").out == (
            "Ticked plans/auth.md:7: write tests\n"
        )
        assert "is done already" in aimem("tasks", "tick", plan, "7").out
        assert "- [x] write tests\n" in aimem("show", plan).out
        assert aimem("tasks", "tick", plan, "8: write code", "--undo").out.startswith("Opened")
        told = aimem("tasks", "tick", plan, "- [ ] write code", "--json").json
        assert (told["changed"], told["task"]["line"], told["task"]["done"]) == (True, 8, True)

    def test_what_cannot_be_ticked_is_explained(self, aimem: Aimem, plan: str) -> None:
        assert "Those open: 7: write tests." in aimem.fails("tasks", "tick", plan, "sing", code=3)
        aimem("append", plan, "- [ ] call Ann\n- [ ] call Bob")
        said = aimem.fails("tasks", "tick", plan, "call", code=3)
        assert "13: call Ann; 14: call Bob." in said
        said = aimem.fails("tasks", plan, "--path", "plans", code=2)
        assert "Thoughts were named, and chosen as well." in said


class TestReading:
    def test_a_section_is_shown_as_it_stands(self, aimem: Aimem, plan: str) -> None:
        assert aimem("show", plan, "--section", "risks").out == "## Risks\n\nhigh\n"
        assert aimem("show", plan, "--section", "Auth > Tasks", "--json").json["text"] == (
            "## Tasks\n\n- [ ] write tests\n- [x] write code\n\n"
        )
        assert "The nearest: Auth > Risks (line 10)." in aimem.fails(
            "show", plan, "--section", "Risk", code=3
        )

    def test_the_outline_has_headings_with_their_lines(self, aimem: Aimem, plan: str) -> None:
        assert aimem("show", plan, "--outline").out == (
            " 1-12  Auth\n 5-9     Tasks\n10-12    Risks\n"
        )
        (auth, tasks, _) = aimem("show", plan, "--outline", "--json").json["sections"]
        assert auth["path"] == ["Auth"]
        assert tasks == {
            "title": "Tasks",
            "level": 2,
            "path": ["Auth", "Tasks"],
            "first_line": 5,
            "last_line": 9,
        }
        aimem("new", "empty", "words")
        assert aimem("show", "empty", "--outline").err == "It has no headings.\n"

    def test_one_part_is_shown_at_a_time(self, aimem: Aimem, plan: str) -> None:
        said = aimem.fails("show", plan, "--section", "Risks", "--lines", "1", code=2)
        assert "Several parts were asked for." in said

    def test_recent_names_what_changed_and_by_whom(
        self, aimem: Aimem, plan: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        aimem.clock.now += 86_400_000
        monkeypatch.setenv("AIMEM_AUTHOR", "Bob")
        aimem("append", plan, "more")
        aimem("new", "notes/b", "# B")
        rows = aimem("recent", "--since", "3h").out.splitlines()
        assert rows[0].split() == ["EDITED", "PATH", "BY", "TITLE"]
        assert sorted(row.replace("just now", "").split() for row in rows[1:]) == [
            ["notes/b.md", "Bob", "(new)", "B"],
            ["plans/auth.md", "Bob", "Auth"],
        ]
        told = aimem("recent", "--path", "plans", "--json").json
        (change,) = told["changes"]
        assert (change["authors"], change["made"], told["more"]) == (["Bob", "Ada"], False, False)
        assert "There are more" in aimem("recent", "--limit", "1").err
        assert aimem("recent", "--path", "x").err == "Nothing was edited.\n"


class TestEditing:
    def test_exactly_these_words_become_others(self, aimem: Aimem, plan: str) -> None:
        done = aimem("edit", plan, "--replace", "30 minutes", "--with", "15 minutes")
        assert done.out == "Saved plans/auth.md.\n"
        assert aimem("show", plan).out == PLAN.replace("30", "15")
        again = aimem("edit", plan, "--replace", "15", "--with", "15", "--json").json
        assert again["changed"] is False

    def test_words_that_are_not_there_once_are_refused(self, aimem: Aimem, plan: str) -> None:
        said = aimem.fails("edit", plan, "--replace", "write", "--with", "do", code=5)
        assert said.startswith("The text stands in 2 places.\nIn the lines 7, 8.\n")
        said = aimem.fails("edit", plan, "--replace", "- [ ] wrote tests", "--with", "x", code=3)
        assert "The nearest stands in line 7:" in said
        assert "- [ ] write tests" in said
        assert aimem("show", plan).out == PLAN
        aimem("edit", plan, "--replace", "write", "--with", "do", "--every")
        assert aimem("show", plan).out == PLAN.replace("write", "do")

    def test_a_section_is_replaced_by_what_is_piped_in(
        self, aimem: Aimem, plan: str, tmp_path: Path
    ) -> None:
        shown = aimem("show", plan, "--section", "Risks").out
        aimem("edit", plan, "--section", "Risks", "--text", "-", stdin=shown.replace("high", "low"))
        assert aimem("show", plan).out == PLAN.replace("high", "low")
        file = tmp_path / "new.md"
        file.write_text("none\n")
        aimem("edit", plan, "--section", "risks", "--text", str(file))
        assert aimem("show", plan).out == PLAN.replace("high", "none")

    def test_lines_are_added_to_a_section(self, aimem: Aimem, plan: str) -> None:
        aimem("append", plan, "--section", "Tasks", "- [ ] deploy")
        assert "- [x] write code\n- [ ] deploy\n\n## Risks" in aimem("show", plan).out

    @pytest.mark.parametrize(
        "options",
        [
            ["--replace", "a"],
            ["--with", "a"],
            ["--every"],
            ["--replace", "a", "--with", "b", "--section", "c"],
            ["--replace", "a", "--with", "b", "--text", "-"],
            ["--section", "Risks"],
        ],
        ids=" ".join,
    )
    def test_options_that_do_not_go_together_are_refused(
        self, aimem: Aimem, plan: str, options: list[str]
    ) -> None:
        aimem.fails("edit", plan, *options, code=2)
        assert aimem("show", plan).out == PLAN


class TestRemember:
    def test_a_fact_is_kept_once(self, aimem: Aimem) -> None:
        fact = "Deploys run on Fridays."
        assert aimem("remember", fact, "--about", "deploys", "--type", "project").out == (
            "Remembered in memory/deploys.md:9, which is new.\n"
        )
        assert aimem("remember", "-", stdin=fact).out == "Known already: memory/deploys.md:9.\n"
        other = aimem("remember", "Deploys run on Mondays.")
        assert other.out == "Remembered in memory/deploys.md:10.\n"
        assert other.err == "memory/deploys.md:9 says something like it: Deploys run on Fridays.\n"

    def test_json_says_what_became_of_it(self, aimem: Aimem) -> None:
        told = aimem("remember", "Ada likes tea", "--to", "notes/ada", "--json").json
        assert (told["what"], told["line"], told["near"]) == ("made", 9, None)
        assert told["thought"]["path"] == "notes/ada.md"
        assert told["text"] == "Ada likes tea"

    def test_a_project_keeps_its_memory_in_its_folder(
        self, aimem: Aimem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".aimem.toml").write_text('into = "work/api"\n')
        monkeypatch.chdir(tmp_path)
        said = aimem("remember", "Ada likes tea", "--about", "tea").out
        assert said == "Remembered in work/api/memory/tea.md:9, which is new.\n"
        said = aimem("remember", "Ada likes tea", "--about", "tea", "--path", "/").out
        assert said == "Known already: work/api/memory/tea.md:9.\n"
        assert "## Edited in the last 7 days\n- work/api/memory/tea.md" in aimem("context").out
        aimem("new", "plans/home", "# Home")
        assert "plans/home.md" not in aimem("context").out
        assert "plans/home.md" in aimem("context", "--into", "/").out

    def test_a_fact_in_other_words_goes_to_the_memory_that_is_near_by_meaning(
        self, aimem: Aimem
    ) -> None:
        aimem("remember", "Deploys run on Fridays at noon", "--about", "deploys")
        aimem("remember", "Ada prefers short commit messages", "--about", "style")
        aimem("index", "run")
        for fact, path in (
            ("We ship a release to production every Friday", "memory/deploys.md"),
            ("Keep the subject of commits brief", "memory/style.md"),
            ("The coffee machine is on the second floor", "memory/coffee-machine-second-floor.md"),
        ):
            assert aimem("remember", fact, "--json").json["thought"]["path"] == path

    def test_there_must_be_something_to_remember(self, aimem: Aimem) -> None:
        assert "The fact is empty." in aimem.fails("remember", " ", code=5)
        aimem.fails("remember", "x", "--to", "a", "--path", "b", code=2)
        aimem.fails("remember", "x", "--type", "secret", code=2)


class TestContext:
    def test_the_page_is_within_its_limit(self, aimem: Aimem, plan: str) -> None:
        page = aimem("context").out
        assert "- plans/auth.md: Auth (edited just now by Ada, 1 of 2 tasks done)\n" in page
        assert len(aimem("context", "--limit", "500").out) <= 500
        told = aimem("context", "--into", "plans", "--json").json
        assert told["plans"][0]["open"] == 1
        assert [each["thought"]["path"] for each in told["changes"]] == [plan]

    def test_an_empty_workspace_has_nothing_to_say(self, aimem: Aimem) -> None:
        ran = aimem("context")
        assert (ran.out, ran.err) == ("", "There is nothing to say yet.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["tasks"],
        ["tasks", "plans/auth", "--json"],
        ["recent", "--since", "7d"],
        ["context"],
        ["show", "plans/auth", "--section", "Tasks"],
        ["show", "plans/auth", "--outline"],
    ],
    ids=" ".join,
)
def test_reading_loads_nothing_heavy(
    aimem: Aimem, plan: str, tmp_path: Path, arguments: list[str]
) -> None:
    # Who is at work has ids, and what makes these is loaded with it.
    assert modules_after(*arguments, folder=tmp_path) & HEAVY <= {"secrets"}


@pytest.mark.parametrize(
    ("environment", "author"),
    [
        ({}, "Ada"),
        ({"AIMEM_AGENT": "codex-mcp-client"}, "Ada via Codex"),
        ({"CLAUDECODE": "1"}, "Ada via Claude Code"),
        ({"CLAUDECODE": "1", "AIMEM_AGENT": "Reviewer"}, "Ada via Reviewer"),
        ({"CLAUDECODE": "0", "AIMEM_AGENT": "  "}, "Ada"),
    ],
)
def test_what_an_agent_writes_in_a_shell_bears_its_name_and_the_persons(
    aimem: Aimem, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], author: str
) -> None:
    for name in ("AIMEM_AGENT", "CLAUDECODE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    aimem("new", "a", "text\n")
    assert aimem("show", "a", "--info", "--json").json["thought"]["updated_by"] == author
