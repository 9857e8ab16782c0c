"""``full`` is the two templates with one set of answers, and nothing that could drift from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cookiecutter.exceptions import FailedHookException

from tests.templates.thoughts_repos import TEMPLATE, TEMPLATES, git, render, tree, variables

FULL = TEMPLATES / "full"
CLAUDE = TEMPLATES / "claude-config"


@pytest.fixture(autouse=True)
def known_to_git(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada Example")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")


def test_its_variables_are_those_of_both_in_their_order() -> None:
    theirs = list(dict.fromkeys([*variables(CLAUDE), *variables(TEMPLATE)]))
    assert list(variables(FULL)) == theirs


def test_its_defaults_are_theirs_but_for_the_three_that_cannot_be_both() -> None:
    known = variables(TEMPLATE) | variables(CLAUDE)
    own = {"project_slug": "thoughts"}
    own["repository_path"] = "{{ cookiecutter.project_slug }}/thoughts/shared/"
    assert variables(FULL) == known | own
    both = variables(TEMPLATE).keys() & variables(CLAUDE).keys()
    assert both == {"project_name", "project_slug"}


def test_every_variable_is_asked_for_in_words() -> None:
    for template in (FULL, CLAUDE, TEMPLATE):
        read = json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))
        assert list(read["__prompts__"]) == list(variables(template))


def test_it_holds_no_text_of_its_own() -> None:
    files = [path.relative_to(FULL).as_posix() for path in FULL.rglob("*") if path.is_file()]
    assert sorted(files) == [
        "README.md",
        "cookiecutter.json",
        "hooks/post_gen_project.py",
        "{{cookiecutter.project_slug}}/README.md",
    ]


def test_plain_cookiecutter_gives_both_with_the_same_answers(tmp_path: Path) -> None:
    answers = {"project_name": "Acme", "username": "ada", "include_web_search": False}
    made = render(tmp_path / "full", FULL, include_sync_scripts=False, **answers)
    assert made.name == "thoughts"
    assert sorted(path.name for path in made.parent.iterdir()) == [".claude", "thoughts"]

    thoughts = render(
        tmp_path / "a", project_name="Acme", username="ada", include_sync_scripts=False
    )
    claude = render(
        tmp_path / "b",
        CLAUDE,
        project_name="Acme",
        include_web_search=False,
        repository_path="thoughts/thoughts/shared/",
    )
    assert tree(made) == tree(thoughts)
    assert tree(made.parent / ".claude") == tree(claude)
    assert git(made, "log", "--format=%s") == "Start Acme"
    assert git(made, "status", "--porcelain") == ""


def test_the_agents_look_where_the_thoughts_are(tmp_path: Path) -> None:
    made = render(tmp_path, FULL, project_slug="knowledge")
    texts = "\n".join(tree(tmp_path / ".claude").values())
    assert "knowledge/thoughts/shared/" in texts
    assert (made / "thoughts" / "shared").is_dir()


def test_where_one_of_the_two_cannot_be_neither_is(tmp_path: Path) -> None:
    with pytest.raises(FailedHookException):
        render(tmp_path / "name", FULL, username="shared")
    assert list((tmp_path / "name").iterdir()) == []

    settings = tmp_path / "there" / ".claude" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text("{}\n", encoding="utf-8")
    with pytest.raises(FailedHookException):
        render(tmp_path / "there", FULL)
    assert tree(tmp_path / "there") == {".claude/settings.json": "{}\n"}
