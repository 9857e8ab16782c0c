"""A repository for thoughts is what its switches say, with every combination of them."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cookiecutter.exceptions import FailedHookException

from tests.templates.thoughts_repos import (
    COMBINATIONS,
    PAYLOAD,
    SWITCHES,
    TEMPLATE,
    TEMPLATES,
    git,
    label,
    render,
    tree,
    variables,
)

EXAMPLES = TEMPLATES / "examples" / "shared-thoughts"
SCRIPTS = ["sync-thoughts.bat", "sync-thoughts.ps1", "sync-thoughts.sh"]
ABSOLUTE = re.compile(
    r"(?<![\w.~:/}*)<-])/(?:home|Users|tmp|var|srv|opt|private|mnt)\b|\b[A-Z]:[\\/]"
)
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")


@pytest.fixture(autouse=True)
def known_to_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git knows who commits, and nothing else of who runs the tests."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada Example")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def nameless(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    monkeypatch.delenv("EMAIL", raising=False)


def expected(combination: dict[str, Any], user: str) -> set[str]:
    folders = [f"shared/{name}" for name in ("decisions", "plans", "prs", "research", "tickets")]
    folders += ["searchable"]
    links = ["shared"]
    if combination["create_user_directory"]:
        folders += [f"{user}/{name}" for name in ("archive", "notes", "tickets")]
        links += [user]
    if combination["include_global_directory"]:
        folders += ["global/shared"]
        links += ["global"]
        if combination["create_user_directory"]:
            folders += [f"global/{user}"]
    files = {f"thoughts/{folder}/.gitkeep" for folder in folders}
    files |= {".gitattributes", ".gitignore", "README.md", "thoughts/shared/pr_description.md"}
    if combination["include_searchable_links"]:
        files |= {f"thoughts/searchable/{name}" for name in links}
    if combination["include_sync_scripts"]:
        files |= set(SCRIPTS)
    return files


def check_readme(made: Path, combination: dict[str, Any]) -> None:
    """The README names every folder that is there and nothing else."""
    text = (made / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(thoughts/[\w./-]+)`", text))
    folders = {f"{path.relative_to(made).as_posix()}/" for path in (made / "thoughts").rglob("*/")}
    leaves = {name for name in folders if (made / name / ".gitkeep").exists()}
    if not combination["include_searchable_links"]:
        leaves.remove("thoughts/searchable/")
    assert named - {"thoughts/", "thoughts/ada/"} == leaves | {"thoughts/shared/pr_description.md"}
    assert ("sync-thoughts" in text) == combination["include_sync_scripts"]
    assert ("thoughts/ada/" in text) == combination["create_user_directory"]
    assert ("git pull --no-rebase" in text) == (
        combination["sync_method"] == "git" and not combination["include_sync_scripts"]
    )
    assert ("git init" in text) == (combination["sync_method"] == "none")
    assert "\n\n\n" not in text
    assert text.endswith("```\n")


@POSIX
@pytest.mark.parametrize("combination", COMBINATIONS, ids=label)
def test_every_combination_of_switches_gives_what_they_say(
    combination: dict[str, Any], tmp_path: Path
) -> None:
    made = render(tmp_path, username="ada", **combination)
    files = tree(made)

    assert files.keys() == expected(combination, "ada")
    for name, text in files.items():
        assert not re.search(r"\{[{%#]|[}%#]\}|cookiecutter", text) or name in SCRIPTS, name
        assert not ABSOLUTE.search(text), name
        assert str(tmp_path) not in text, name
    links = {name: text for name, text in files.items() if text.startswith("-> ")}
    assert all(text == f"-> ../{Path(name).name}" for name, text in links.items())
    assert all((made / name).is_dir() for name in links)

    check_readme(made, combination)

    if combination["sync_method"] == "none":
        assert not (made / ".git").exists()
        return
    assert git(made, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert git(made, "log", "--format=%s") == "Start Shared Thoughts Repository"
    assert git(made, "status", "--porcelain") == ""
    assert git(made, "remote") == ""
    modes = {}
    for line in git(made, "ls-tree", "-r", "HEAD").splitlines():
        mode, _, _, name = line.replace("\t", " ").split(" ", 3)
        modes[name] = mode
    assert modes == {name: "120000" if name in links else "100644" for name in files} | (
        {"sync-thoughts.sh": "100755"} if combination["include_sync_scripts"] else {}
    )


def test_the_variables_are_those_that_are_known_in_their_order() -> None:
    assert list(variables(TEMPLATE)) == [
        "project_name",
        "project_slug",
        "username",
        "github_org",
        "github_repo",
        "shared_repo_url",
        "project_root",
        "include_searchable_links",
        "sync_method",
        "create_user_directory",
        "include_global_directory",
        "include_sync_scripts",
    ]


def test_what_keeps_an_empty_folder_says_what_the_folder_is_for() -> None:
    keepers = sorted(PAYLOAD.rglob(".gitkeep"))
    texts = [path.read_text(encoding="utf-8") for path in keepers]
    assert len(keepers) == len(set(texts)) == 11
    assert all(re.fullmatch(r"# .+\. This file keeps the folder in git\.\n", t) for t in texts)


@POSIX
def test_line_ends_are_the_same_everywhere_but_for_the_batch_file(tmp_path: Path) -> None:
    made = render(tmp_path)
    listed = git(made, "ls-files", "--eol").splitlines()
    ends = {line.split("\t")[1]: line.split()[:2] for line in listed}
    assert ends.pop("sync-thoughts.bat") == ["i/lf", "w/crlf"]
    links = {f"thoughts/searchable/{name}" for name in ("shared", "me", "global")}
    assert {tuple(end) for name, end in ends.items() if name not in links} == {("i/lf", "w/lf")}


@POSIX
def test_a_git_that_knows_nothing_of_first_branches_makes_main_too(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("git")
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = -c ] && [ "$3" = init ]; then shift 2; fi\n'
        'case " $* " in *" init "*" -b"* | *--initial-branch*) exit 129 ;; esac\n'
        f'exec "{real}" "$@"\n',
        encoding="utf-8",
    )
    old.chmod(0o755)
    (home / ".gitconfig").write_text("[init]\n\tdefaultBranch = trunk\n", encoding="utf-8")
    monkeypatch.setenv("PATH", str(old.parent), prepend=":")
    assert git(render(tmp_path), "branch") == "* main"


@pytest.mark.usefixtures("nameless")
def test_without_a_name_nothing_is_committed_and_it_says_how(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = render(tmp_path)
    git(made, "rev-parse", "--verify", "--quiet", "HEAD", status=1)
    staged = set(git(made, "diff", "--cached", "--name-only").splitlines())
    assert staged == tree(made).keys()
    told = capfd.readouterr().out
    commands = [
        line.split(maxsplit=1)[1] for line in told.splitlines() if line.startswith("  git ")
    ]
    assert [command.split('"')[0].strip() for command in commands] == [
        "config --global user.name",
        "config --global user.email",
        "commit -m",
    ]


@POSIX
def test_without_git_the_folder_is_made_and_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    made = render(tmp_path)
    assert not (made / ".git").exists()
    assert (made / "thoughts" / "searchable" / "me").is_symlink()
    assert "no git here" in capfd.readouterr().out


@POSIX
def test_without_symbolic_links_they_are_left_out_and_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os\n"
        "def refuse(*_: object, **__: object) -> None:\n"
        "    raise OSError('a privilege is missing')\n"
        "os.symlink = refuse\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made = render(tmp_path)
    assert [path.name for path in (made / "thoughts" / "searchable").iterdir()] == [".gitkeep"]
    assert capfd.readouterr().out.count("no symbolic links") == 1
    assert git(made, "status", "--porcelain") == ""


def test_where_the_first_commit_is_refused_the_rest_stands_and_it_says_why(
    tmp_path: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hook = home / "hooks" / "pre-commit"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\necho 'not on a Sunday' >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    (home / ".gitconfig").write_text(f"[core]\n\thooksPath = {hook.parent}\n", encoding="utf-8")
    made = render(tmp_path)
    git(made, "rev-parse", "--verify", "--quiet", "HEAD", status=1)
    assert "not on a Sunday" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("given", "remote", "cloned"),
    [
        ({}, "", False),
        ({"github_repo": "notes"}, "", False),
        ({"shared_repo_url": ""}, "", False),
        ({"shared_repo_url": "https://github.com/your-org/thoughts"}, "", False),
        ({"github_org": "acme"}, "https://github.com/acme/thoughts", True),
        ({"shared_repo_url": "git.acme.example/t"}, "https://git.acme.example/t", True),
        ({"shared_repo_url": "https://acme.example/t.git"}, "https://acme.example/t.git", True),
        ({"shared_repo_url": "git@acme.example:a/t.git"}, "git@acme.example:a/t.git", True),
        ({"shared_repo_url": "ssh://git@acme.example/t"}, "ssh://git@acme.example/t", True),
        ({"shared_repo_url": "../team/thoughts.git"}, "../team/thoughts.git", False),
        ({"shared_repo_url": "/srv/team/thoughts.git"}, "/srv/team/thoughts.git", False),
        ({"shared_repo_url": "C:/team/thoughts.git"}, "C:/team/thoughts.git", False),
        ({"shared_repo_url": "https://ada:s3cret@acme.example/t"}, None, False),
        ({"shared_repo_url": "--upload-pack=touch /tmp/x"}, "", False),
    ],
)
def test_the_remote_is_the_address_given_and_only_what_others_can_use_is_written_down(
    given: dict[str, str], remote: str | None, cloned: bool, tmp_path: Path
) -> None:
    made = render(tmp_path, **given)
    address = git(made, "config", "--get", "remote.origin.url", status=1 if remote == "" else 0)
    assert address == (given["shared_repo_url"] if remote is None else remote)
    readme = (made / "README.md").read_text(encoding="utf-8")
    assert ("git clone " in readme) == cloned
    assert not cloned or f"git clone {address} thoughts\n" in readme
    assert ("has no remote yet" in readme) == (
        not address and not given.get("shared_repo_url", "").startswith("--")
    )
    texts = "\n".join(tree(made).values())
    assert "s3cret" not in texts
    assert not ABSOLUTE.search(texts)


@pytest.mark.parametrize(
    ("root", "written"),
    [
        ("~/projects", True),
        ("projects/acme", True),
        ("/home/ada/projects", False),
        ("C:/Users/ada/projects", False),
        ("D:\\projects", False),
        ("", False),
    ],
)
def test_the_folder_of_projects_is_written_down_unless_it_is_of_one_machine(
    root: str, written: bool, tmp_path: Path
) -> None:
    text = (render(tmp_path, project_root=root) / "README.md").read_text(encoding="utf-8")
    assert (f"in `{root}`, beside the projects" in text) == written
    assert ("Keep this folder beside the projects" in text) != written
    assert not ABSOLUTE.search(text)


def test_inside_another_repository_it_is_one_of_its_own_and_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    git(tmp_path, "init", "--quiet")
    made = render(tmp_path)
    assert git(made, "rev-parse", "--show-toplevel") == str(made.resolve())
    assert "put thoughts/ into .gitignore" in capfd.readouterr().out
    assert git(tmp_path, "diff", "--cached", "--name-only") == ""


def test_what_is_around_it_is_told_where_it_goes_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    git(target, "init", "--quiet")
    monkeypatch.setenv("AIMEM_INIT_TARGET", str(target))
    render(tmp_path / "private")
    assert "put thoughts/ into .gitignore" in capfd.readouterr().out


def test_a_repository_that_git_is_busy_with_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    made = render(tmp_path)
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    git(other, "rev-parse", "--verify", "--quiet", "HEAD", status=1)
    assert git(made, "status", "--porcelain") == ""


def test_rendered_again_with_all_switches_off_it_takes_no_thought_away(tmp_path: Path) -> None:
    made = render(tmp_path, username="ada")
    kept = {
        f"thoughts/{place}/idea.md": "# Idea\n"
        for place in ("ada/notes", "ada", "global/ada", "global/shared", "shared/plans")
    }
    for name, text in kept.items():
        (made / name).write_text(text, encoding="utf-8")
    git(made, "add", "--all")
    git(made, "commit", "--quiet", "-m", "Ideas")
    off: dict[str, Any] = dict.fromkeys(SWITCHES, False)
    render(tmp_path, username="ada", overwrite_if_exists=True, **off)
    assert {name: text for name, text in tree(made).items() if name.endswith("idea.md")} == kept
    assert not (made / "thoughts" / "ada" / "tickets").exists()
    assert git(made, "log", "-1", "--format=%s") == "Ideas"


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", ".", "..", "../ada", "a/b", "a\\b", ".git", "-ada", "ada ", "ada.", "a:b"),
        *("a|b", "ada\nb", "shared", "Global", "searchable", "con", "NUL.txt", "lpt1"),
    ],
)
def test_a_name_that_cannot_be_a_folder_everywhere_is_refused_and_nothing_is_left(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FailedHookException):
        render(tmp_path / "out", username=name)
    assert "username: " in capfd.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["a", "Ada Lovelace", "ada.lovelace", "åda_1", "consul", "愛"])
def test_other_names_are_folders(name: str, tmp_path: Path) -> None:
    made = render(tmp_path, username=name)
    assert (made / "thoughts" / name / "notes" / ".gitkeep").is_file()
    assert git(made, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    "name",
    [
        'Ada\'s "notes"',
        "C:\\new\\table",
        "$(touch pwned) `touch pwned` ; touch pwned",
        "--amend",
        "thoughts 🧠 für alle",
        '"""',
        "'''",
        "#1 %s %PATH% $HOME",
    ],
)
def test_no_answer_becomes_code(name: str, tmp_path: Path) -> None:
    made = render(tmp_path, project_name=name)
    assert git(made, "log", "-1", "--format=%s") == f"Start {name}"
    assert (made / "README.md").read_text(encoding="utf-8").startswith(f"# {name}\n")
    assert not list(tmp_path.rglob("pwned"))
    assert {script: (made / script).read_bytes() for script in SCRIPTS} == {
        script: (PAYLOAD / script).read_bytes() for script in SCRIPTS
    }


def example(name: str) -> dict[str, Any]:
    read = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))
    assert list(read) == ["default_context"]
    settings: dict[str, Any] = read["default_context"]
    return settings


def test_there_are_four_examples_and_they_set_only_what_there_is() -> None:
    names = sorted(path.stem for path in EXAMPLES.iterdir())
    assert names == ["default", "personal-notes", "team-collaboration", "thoughts-config-default"]
    known = variables(TEMPLATE)
    for name in names:
        for variable, value in example(name).items():
            assert type(value) is type(known[variable]), (name, variable)


def test_the_default_example_says_every_default() -> None:
    said = example("default")
    defaults = variables(TEMPLATE)
    assert list(said) == list(defaults)
    assert said == defaults | {"shared_repo_url": "github.com/your-org/thoughts"}


@POSIX
def test_each_example_gives_what_it_is_known_for(tmp_path: Path) -> None:
    made = {
        path.stem: render(tmp_path / path.stem, config_file=str(path))
        for path in EXAMPLES.iterdir()
    }
    plain = tree(render(tmp_path / "plain"))
    assert tree(made["default"]) == tree(made["thoughts-config-default"]) == plain
    everything = dict.fromkeys(SWITCHES, True)
    assert plain.keys() == expected(everything, "me")

    notes = made["personal-notes"]
    assert notes.name == "notes"
    off = {"include_global_directory": False, "include_searchable_links": False}
    assert tree(notes).keys() == expected(everything | off, "developer")
    assert git(notes, "remote") == ""

    team = made["team-collaboration"]
    assert team.name == "knowledge"
    assert tree(team).keys() == expected(everything, "alice")
    assert git(team, "remote", "get-url", "origin") == "https://github.com/acme-corp/team-knowledge"
