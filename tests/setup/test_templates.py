"""``aimem init --template``: nothing is lost, nothing runs unasked, nothing leaves the folder."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aimem_tui.setup import fetching, sources
from aimem_tui.setup.suggestions import folder_name
from tests.cli.running import ROOT, Aimem
from tests.setup.trees import commit_all, cookiecutter, git, make, snapshot

SLUG = "{{ cookiecutter.slug }}"
SIMPLE = {"cookiecutter.json": '{"slug": "thing", "word": "w"}', f"{SLUG}/a.txt": "one\n"}
EXAMPLES = sorted((ROOT / "templates" / "examples").rglob("*.yaml"))


@pytest.fixture
def simple(tmp_path: Path) -> Path:
    """A template with one file."""
    return make(tmp_path / "simple", SIMPLE)


@pytest.fixture
def somebody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git knows who commits."""
    (home / ".gitconfig").write_text("[user]\n\tname = Git Name\n\temail = a@example.org\n")


@pytest.mark.parametrize("name", ["claude-config", "thoughts-repo", "full"])
@pytest.mark.usefixtures("somebody")
def test_twice_changes_nothing_not_even_the_history(aimem: Aimem, project: Path, name: str) -> None:
    assert "Wrote" in aimem("init", "--template", name).out
    before = snapshot(project)
    assert before
    assert "Nothing to write" in aimem("init", "--template", name).out
    assert "Nothing to write" in aimem("init", "--template", name, "--yes", "--no-input").out
    assert snapshot(project) == before


@pytest.mark.parametrize("around", ["nothing", "a repository", "a filled folder"])
@pytest.mark.usefixtures("somebody")
def test_the_thoughts_repository_is_right_where_it_ends_up(
    aimem: Aimem, project: Path, around: str
) -> None:
    thoughts = project / "thoughts"
    if around == "a repository":
        make(project, {"code.py": "x = 1\n"})
        commit_all(project)
    if around == "a filled folder":
        make(thoughts, {"thoughts/ada-lovelace/notes/mine.md": "# Mine\n"})
    ran = aimem("init", "--template", "thoughts-repo", "--remote", "git@example.org:acme/t.git")
    assert git(thoughts, "rev-parse", "--show-toplevel").strip() == str(thoughts.resolve())
    assert git(thoughts, "log", "--format=%an", "main").split("\n")[0] == "Git Name"
    assert git(thoughts, "remote", "get-url", "origin").strip() == "git@example.org:acme/t.git"
    mine = "thoughts/ada-lovelace/notes/mine.md"
    untracked = f"?? {mine}\n" if around == "a filled folder" else ""
    assert git(thoughts, "status", "--porcelain") == untracked
    assert os.access(thoughts / "sync-thoughts.sh", os.X_OK)
    if around == "a repository":
        assert "Put thoughts/ into .gitignore" in ran.err
        assert git(project, "log", "--format=%s") == "all of it\n"


@pytest.mark.usefixtures("somebody")
def test_a_repository_that_is_there_keeps_its_history_and_remote(
    aimem: Aimem, project: Path
) -> None:
    aimem("init", "--template", "thoughts-repo")
    head = commit_all(make(project / "thoughts", {"thoughts/shared/plans/p.md": "# P\n"}))
    ran = aimem("init", "--template", "thoughts-repo", "--remote", "git@example.org:a/t.git")
    assert git(project / "thoughts", "rev-parse", "HEAD").strip() == head
    assert git(project / "thoughts", "remote") == ""
    assert "remote add origin" in ran.err


@pytest.mark.usefixtures("somebody")
def test_full_is_both_with_the_same_answers(aimem: Aimem, project: Path) -> None:
    aimem("init", "--template", "full", "--set", "project_slug=notes", "--output", "ours")
    assert (project / "ours" / ".claude" / "agents").is_dir()
    assert (project / "ours" / "notes" / "thoughts" / "ada-lovelace").is_dir()
    template = ROOT / "templates" / "full"
    arguments = ("project_slug=notes", "username=ada-lovelace")
    output = project / "theirs"
    output.mkdir()
    command = [sys.executable, "-m", "cookiecutter", str(template), *arguments]
    subprocess.run(
        [*command, "--no-input", "--output-dir", str(output)], check=True, capture_output=True
    )
    without = (".git",)
    assert snapshot(project / "ours", without=without) == snapshot(output, without=without)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_example_configurations_work(aimem: Aimem, project: Path, file: Path) -> None:
    template = "claude-config" if "claude" in file.parent.name else "thoughts-repo"
    ran = aimem("init", "--template", template, "--config-file", str(file), "--json").json
    assert ran["files"]
    assert ran["notices"] == []
    cookiecutter(
        str(sources.template_folder(template)), project / "plain", "--config-file", str(file)
    )
    theirs = set(snapshot(project / "plain", without=(".git",)))
    names = ran["variables"].get("username", "")
    ours = set(snapshot(project, without=(".git", "plain")))
    assert {path.replace(f"/{names}", "/me") if names else path for path in ours} == {
        path.replace(f"/{names}", "/me") if names else path for path in theirs
    }


def test_there_are_nine_example_configurations() -> None:
    assert len(EXAMPLES) == 9


def test_what_differs_stays_unless_told_and_then_a_backup_is_kept(
    aimem: Aimem, project: Path, simple: Path, aimem_home: Path
) -> None:
    mine = project / "thing" / "a.txt"
    make(project, {"thing/a.txt*": "mine\n"})
    ran = aimem("init", "--template", str(simple), "--no-input")
    assert "kept" in ran.out
    assert mine.read_text() == "mine\n"
    dry = aimem(
        "init", "--template", str(simple), "--no-input", "--yes", "--dry-run", "--json"
    ).json
    assert dry["files"] == [{"path": "thing/a.txt", "state": "replaced"}]
    assert mine.read_text() == "mine\n"
    ran = aimem("init", "--template", str(simple), "--no-input", "--yes")
    assert mine.read_text() == "one\n"
    backups = list((aimem_home / "backups" / "init").iterdir())
    assert [str(backup) in ran.out for backup in backups] == [True]
    kept = backups[0] / str(mine.resolve()).lstrip("/")
    assert kept.read_text() == "mine\n"
    assert stat.S_IMODE(backups[0].stat().st_mode) == 0o700


def test_links_and_programs_arrive_and_what_is_lost_is_seen(
    aimem: Aimem, project: Path, tmp_path: Path
) -> None:
    hook = "import os\nos.symlink('a.txt', 'link')\nos.chmod('a.txt', 0o755)\n"
    template = make(tmp_path / "linked", {**SIMPLE, "hooks/post_gen_project.py": hook})
    arguments = ("init", "--template", str(template), "--accept-hooks")
    aimem(*arguments)
    assert (project / "thing" / "link").readlink() == Path("a.txt")
    assert os.access(project / "thing" / "a.txt", os.X_OK)
    (project / "thing" / "a.txt").chmod(0o644)
    (project / "thing" / "link").unlink()
    (project / "thing" / "link").symlink_to("elsewhere")
    assert aimem(*arguments).out.count("kept  ") == 2
    aimem(*arguments, "--yes")
    assert (project / "thing" / "link").readlink() == Path("a.txt")
    assert os.access(project / "thing" / "a.txt", os.X_OK)


@pytest.mark.parametrize(
    ("tree", "values"),
    [
        ({"cookiecutter.json": '{"slug": "x"}', f"{SLUG}/a.txt": "a"}, ["slug=../out"]),
        ({"cookiecutter.json": '{"slug": "x"}', f"{SLUG}/a.txt": "a"}, ["slug=/tmp/aimem-out"]),
        (
            {
                "cookiecutter.json": '{"slug": "x", "name": "../../../out"}',
                f"{SLUG}/{{{{ cookiecutter.name }}}}.txt": "a",
            },
            [],
        ),
        (
            {
                "cookiecutter.json": '{"slug": "x", "name": "..", "_copy_without_render": ["*"]}',
                f"{SLUG}/{{{{ cookiecutter.name }}}}/{{{{ cookiecutter.name }}}}/b.txt": "a",
            },
            [],
        ),
        ({"cookiecutter.json": '{"slug": "x"}', f"{SLUG}/secret@": "/etc/passwd"}, []),
        ({"cookiecutter.json": '{"slug": "x"}', f"{SLUG}/up@": "../../outside.txt"}, []),
        ({"cookiecutter.json": '{"slug": "x"}', f"{SLUG}/a": "a", "templates@": "/etc"}, []),
        ({"cookiecutter.json": '{"templates": {"a": {"path": "../evil"}}}'}, []),
    ],
)
def test_a_template_that_would_leave_the_folder_is_refused(
    aimem: Aimem, project: Path, tmp_path: Path, tree: dict[str, str], values: list[str]
) -> None:
    make(tmp_path, {"outside.txt": "secret", "evil/cookiecutter.json": '{"slug": "e"}'})
    template = make(tmp_path / "bad", tree)
    before = snapshot(tmp_path)
    arguments = [part for value in values for part in ("--set", value)]
    said = aimem.fails("init", "--template", str(template), *arguments, code=4)
    assert "outside" in said or "leads" in said
    assert snapshot(tmp_path) == before
    assert not Path("/tmp/aimem-out").exists()


@pytest.mark.parametrize("where", ["thing", "thing/sub"])
def test_a_link_in_the_target_leads_nothing_astray(
    aimem: Aimem, project: Path, tmp_path: Path, where: str
) -> None:
    template = make(tmp_path / "deep", {**SIMPLE, f"{SLUG}/sub/b.txt": "b"})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = project / where
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    said = aimem.fails("init", "--template", str(template), "--yes", "--no-input", code=4)
    assert f"{where} is a link" in said
    assert list(elsewhere.iterdir()) == []


def test_the_output_itself_may_be_reached_by_a_link(
    aimem: Aimem, project: Path, simple: Path
) -> None:
    (project / "real").mkdir()
    (project / "link").symlink_to("real")
    aimem("init", "--template", str(simple), "--output", "link")
    assert (project / "real" / "thing" / "a.txt").read_text() == "one\n"


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_file_and_a_folder_of_one_name_are_explained(
    aimem: Aimem, project: Path, simple: Path, kind: str
) -> None:
    make(project, {"thing/a.txt/x": "x"} if kind == "folder" else {"thing": "a file"})
    said = aimem.fails("init", "--template", str(simple), "--yes", code=4)
    assert "in the way" in said


def test_hooks_run_only_after_consent(aimem: Aimem, project: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    hook = f"from pathlib import Path\nPath({str(ran)!r}).touch()\n"
    names = ("pre_prompt", "pre_gen_project", "post_gen_project")
    template = make(tmp_path / "hooked", {**SIMPLE, **{f"hooks/{name}.py": hook for name in names}})
    said = aimem.fails("init", "--template", str(template), "--no-input", "--yes", code=4)
    for name in names:
        assert f"hooks/{name}.py  2 lines" in said
    assert "--accept-hooks" in said
    assert not ran.exists()
    assert list(project.iterdir()) == []
    aimem("init", "--template", str(template), "--accept-hooks")
    assert ran.exists()


@pytest.mark.parametrize(
    "expression",
    [
        "{{ cookiecutter.__class__.__mro__[-1].__subclasses__() }}",
        "{{ ''['__cl' ~ 'ass__'] }}",
        "{{ [].__class__.__base__ }}",
        "{{ cycler.__init__.__globals__.os.system('touch ran') }}",
    ],
)
@pytest.mark.parametrize("place", ["content", "name", "variable"])
def test_an_expression_cannot_reach_into_python_unless_trusted(
    aimem: Aimem, project: Path, tmp_path: Path, expression: str, place: str
) -> None:
    context = {"slug": "thing", "value": expression if place == "variable" else ""}
    extra = {f"{SLUG}/b.txt": expression} if place == "content" else {}
    if place == "name":
        extra = {f"{SLUG}/{expression}": "x"}
    tree = {**SIMPLE, "cookiecutter.json": json.dumps(context), **extra}
    template = make(tmp_path / "sly", tree)
    said = aimem.fails("init", "--template", str(template), code=4)
    assert "reaches into Python" in said
    assert list(project.iterdir()) == []


def test_what_a_hook_prints_does_not_disturb_json(
    aimem: Aimem, project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from tests.cli.running import process

    hook = {"hooks/post_gen_project.py": "print('from the hook')\n"}
    template = make(tmp_path / "loud", {**SIMPLE, **hook})
    ran = process("init", "--template", str(template), "--accept-hooks", "--json", cwd=project)
    assert ran.json["template"] == "loud"
    assert "from the hook" in ran.err


@pytest.mark.parametrize(
    ("extra", "code", "says"),
    [
        ({"hooks/post_gen_project.py": "import sys\nsys.exit(3)\n"}, 7, "hook of the template"),
        ({"hooks/pre_prompt.sh*": "#!/bin/sh\nexit 1\n"}, 7, "hook of the template"),
        ({f"{SLUG}/b.txt": "{{ cookiecutter.missing }}"}, 5, "missing"),
        ({f"{SLUG}/b.txt": "line\n{{ broken"}, 5, "line 2"),
        ({f"{SLUG}/{{{{ cookiecutter.missing }}}}": "x"}, 5, "missing"),
        ({"cookiecutter.json": "{"}, 5, "JSON"),
        ({"cookiecutter.json": '{"slug": "{{ cookiecutter.nope }}"}'}, 5, "nope"),
        ({"cookiecutter.json": '{"slug": "s", "_extensions": ["no.such.Thing"]}'}, 5, "extension"),
        ({"cookiecutter.json": '{"slug": "s", "choice": []}'}, 5, "choices is empty"),
        ({"cookiecutter.json": '{"templates": {"a": {"path": "."}}}'}, 5, "never ends"),
    ],
)
def test_a_broken_template_is_explained_and_nothing_is_written(
    aimem: Aimem, project: Path, tmp_path: Path, extra: dict[str, str], code: int, says: str
) -> None:
    template = make(tmp_path / "broken", {**SIMPLE, **extra})
    said = aimem.fails("init", "--template", str(template), "--accept-hooks", code=code)
    assert says in said
    assert list(project.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--template", "nonsense"], 3, "claude-config, thoughts-repo, full"),
        (["--template", ""], 5, "No template is named"),
        (["--template", "claude-config", "--set", "nope=1"], 5, "no variable called nope"),
        (["--template", "claude-config", "--set", "include_agents=perhaps"], 5, "boolean"),
        (["--template", "claude-config", "--set", "nope"], 2, "--set NAME=VALUE"),
        (["--template", "claude-config", "--set", "project_slug=a/b"], 5, "project_slug"),
        (["--template", "claude-config", "--remote", "x"], 5, "shared_repo_url"),
        (["--template", "thoughts-repo", "--set", "username=../me"], 5, "username"),
        (["--template", "thoughts-repo", "--remote", "https://u:p@h/r"], 5, "password or token"),
        (["--template", "thoughts-repo", "--remote", "-oProxyCommand=x"], 5, "not the address"),
        (["--template", "claude-config", "--config-file", "none.yaml"], 3, "none.yaml"),
        (["--template", "claude-config", "--client", "claude"], 2, "--client goes without"),
        (["--template", "claude-config", "--remove"], 2, "--remove goes without"),
        (["--remote", "x"], 2, "--remote goes with --template"),
        (["--template", "claude-config", "--output", "file"], 5, "not a folder"),
        (["--template-source", "file"], 3, "no template at file"),
        (["--template", "x.zip"], 5, "Archives are not taken"),
        (["--template-source", "http://example.org/t.git"], 5, "not fetched over http"),
        (["--template-source", "ext::sh -c true"], 3, "no template at"),
        (["--template-source", "git://example.org/t"], 5, "not fetched over git"),
        (["--template-source", "https://tok@example.org/t.git"], 5, "password or token"),
        (["--template-source", "https://u:tok@example.org/t.git"], 5, "password or token"),
        (["--template-source", ".#--upload-pack=x"], 5, "not a branch"),
    ],
)
def test_a_wrong_word_is_explained(
    aimem: Aimem, project: Path, arguments: list[str], code: int, says: str
) -> None:
    make(project, {"file": "a file"})
    said = aimem.fails("init", *arguments, code=code)
    assert says in said
    assert "tok@" not in said
    assert [path.name for path in project.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "text",
    ["- a list", "default_context: 3", "default_context: {include_agents: perhaps}", ": : :"],
)
def test_a_wrong_configuration_is_explained(aimem: Aimem, project: Path, text: str) -> None:
    make(project, {"c.yaml": text})
    said = aimem.fails("init", "--template", "claude-config", "--config-file", "c.yaml", code=5)
    assert "onfiguration" in said or "c.yaml" in said


def test_a_repository_is_fetched_without_its_surprises(
    aimem: Aimem, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = make(tmp_path / "repository", SIMPLE)
    commit_all(repository)
    for ref in ("nope", "0" * 40):
        source = f"file://{repository}#{ref}"
        assert "no such branch" in aimem.fails("init", "--template-source", source, code=3)
    bad = f"{repository}#--upload-pack=touch"
    assert "not a branch" in aimem.fails("init", "--template-source", bad, code=5)
    make(repository, {"large.bin": os.urandom(300_000)})
    commit_all(repository)
    place = sources.Repository(str(repository), "", local=True)
    with pytest.raises(fetching.BadInput, match="too large"):
        fetching.fetch(place, tmp_path / "one", size_limit=100_000)
    make(repository, {"large.bin": b"\0" * 3_000_000})
    commit_all(repository)
    with pytest.raises(fetching.BadInput, match="too large"):
        fetching.fetch(place, tmp_path / "two", size_limit=1_000_000)
    assert not (tmp_path / "two" / "repository" / "large.bin").exists()


def test_git_gets_no_secret_and_starts_no_program_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = make(tmp_path / "repository", SIMPLE)
    commit_all(repository)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    place = sources.Repository(str(repository), "", local=True)
    folder = fetching.fetch(place, tmp_path / "into")
    assert (folder / "cookiecutter.json").is_file()
    remote = sources.Repository(str(repository), "", local=False)
    with pytest.raises(fetching.Unreachable):
        fetching.fetch(remote, tmp_path / "again")


def test_an_abbreviation_is_spelled_out() -> None:
    known = {"gh": "https://github.com/{0}.git"}
    place = sources.located("gh:acme/template#v1", known)
    assert place == sources.Repository("https://github.com/acme/template.git", "v1", local=False)


def test_a_name_becomes_a_folder() -> None:
    assert folder_name("Ada Lovelace") == "ada-lovelace"
    assert folder_name("Zoë O'Brien") == "zoe-o-brien"
    assert folder_name("../..") == ""
    assert folder_name("山田") == ""


def test_the_persons_folder_comes_from_git_where_no_name_is_set(
    aimem: Aimem, project: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIMEM_AUTHOR")
    arguments = ("init", "--template", "thoughts-repo", "--dry-run", "--json")
    assert aimem(*arguments).json["variables"]["username"] == "me"
    (home / ".gitconfig").write_text("[user]\n\tname = Grace Hopper\n")
    assert aimem(*arguments).json["variables"]["username"] == "grace-hopper"
    assert list(project.iterdir()) == []


def test_templates_are_found_from_any_folder(aimem: Aimem, project: Path) -> None:
    make(project, {"templates/claude-config/cookiecutter.json": json.dumps({"a": "trap"})})
    assert "agents" in aimem("init", "--template", "claude-config").out
