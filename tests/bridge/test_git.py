"""Importing a git history: every version with its author and date, and HEAD's texts exactly."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimem_tui.bridge import git, intake, replay
from aimem_tui.bridge.files import SIZE_LIMIT
from aimem_tui.errors import BadInput, NotFound, ToolFailed
from aimem_tui.model import Filter, ImportOptions, ImportReport, Progress
from aimem_tui.workspace.workspace import PastText, Workspace
from tests.bridge.histories import Planned, Repo, rebuild
from tests.bridge.trees import put, reasons, take, texts, tree
from tests.shared_data import shared_data
from tests.workspaces import open_workspace

FEW = settings.default.max_examples // 4


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """An empty repository."""
    return Repo(tmp_path / "repo")


def take_git(workspace: Workspace, folder: Path, **options: object) -> ImportReport:
    """Import a repository."""
    return workspace.import_git(folder, ImportOptions(author="bob", **options))  # type: ignore[arg-type]


def head_texts(repo: Repo) -> dict[str, str]:
    """The texts of HEAD."""
    if not repo.git("ls-tree", "HEAD"):
        return {}
    with tarfile.open(fileobj=io.BytesIO(repo.git_bytes("archive", "HEAD"))) as archive:
        return {
            each.name: archive.extractfile(each).read().decode() for each in archive if each.isreg()
        }


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    """Created, updated, unchanged, revisions."""
    return report.created, report.updated, report.unchanged, report.revisions


def every_past(workspace: Workspace) -> dict[str, list[PastText]]:
    """The past of every thought, trash included, under each path that it has or had."""
    found: dict[str, list[PastText]] = {}
    for wanted in (Filter(), Filter(trashed=True)):
        for thought in workspace.thoughts(wanted):
            rows = workspace.database.read().execute(
                "SELECT aliases.path FROM aliases JOIN thoughts ON n = thought WHERE id = ?",
                (thought.id,),
            )
            past = workspace.past(thought.id)
            for path in {thought.declared_path, *(str(row[0]) for row in rows)}:
                found.setdefault(path, []).extend(past)
    return found


@pytest.mark.parametrize("corpus", ["mem8", "actingweb"])
def test_every_version_of_a_recorded_history_is_a_revision_with_its_author_and_date(
    workspace: Workspace, repo: Repo, corpus: str
) -> None:
    versions = rebuild(shared_data("thoughts", corpus), repo)
    assert len(versions) > 70
    dry = take_git(workspace, repo.folder, dry_run=True)
    assert texts(workspace) == {}
    report = take_git(workspace, repo.folder)
    assert dry == report
    assert texts(workspace) == head_texts(repo)
    past = every_past(workspace)
    for version in versions:
        at = int(datetime.fromisoformat(version.at).timestamp()) * 1000
        assert any(
            (each.text.encode(), each.revision.author) == (version.content, version.author)
            and each.revision.started_at == each.revision.ended_at == at
            and each.revision.note.startswith(version.subject[:150])
            for each in past[version.path]
        ), f"{version.path} of {version.at}"
    again = take_git(workspace, repo.folder)
    assert counts(again) == (0, 0, len(texts(workspace)), 0)


def test_a_revision_names_the_commit(workspace: Workspace, repo: Repo) -> None:
    repo.write("a.md", "one\n")
    name = repo.commit("Write a plan", author="J\u00f6rg", at="2025-03-01T10:00:00+02:00")
    take_git(workspace, repo.folder)
    [revision] = workspace.history(workspace.get("a.md").id)
    assert revision.note == f"Write a plan ({name[:7]})"
    assert revision.author == "J\u00f6rg"
    assert revision.ended_at == 1_740_816_000_000
    assert workspace.get("a.md").created_at == 1_740_816_000_000


def test_a_long_subject_is_cut_and_the_commit_still_named(workspace: Workspace, repo: Repo) -> None:
    repo.write("a.md", "one\n")
    name = repo.commit("word " * 100)
    take_git(workspace, repo.folder)
    [revision] = workspace.history(workspace.get("a.md").id)
    assert len(revision.note) <= replay.NOTE_LIMIT
    assert revision.note.endswith(f"\u2026 ({name[:7]})")


def test_a_subject_or_name_with_control_characters_cannot_disturb_a_screen(
    workspace: Workspace, repo: Repo
) -> None:
    repo.write("a.md", "one\n")
    repo.commit("red \x1b[31m", author="A\x07nn")
    take_git(workspace, repo.folder)
    [revision] = workspace.history(workspace.get("a.md").id)
    assert (revision.note + revision.author).isprintable()


def test_a_date_in_the_future_is_brought_to_now(workspace: Workspace, repo: Repo) -> None:
    import time

    repo.write("a.md", "one\n")
    repo.commit(at="2090-01-01T00:00:00+00:00")
    take_git(workspace, repo.folder)
    assert workspace.get("a.md").updated_at <= time.time() * 1000


def test_a_rename_moves_the_thought_and_the_old_path_still_leads_to_it(
    workspace: Workspace, repo: Repo
) -> None:
    repo.write("plans/a.md", "line\n" * 20)
    repo.commit()
    repo.git("mv", "plans/a.md", "done.md")
    repo.write("done.md", "line\n" * 20 + "end\n")
    repo.commit()
    assert counts(take_git(workspace, repo.folder)) == (1, 0, 0, 2)
    assert texts(workspace) == {"done.md": "line\n" * 20 + "end\n"}
    assert workspace.get("plans/a.md").path == "done.md"
    assert len(workspace.history(workspace.get("done.md").id)) == 2


def test_a_file_that_is_deleted_and_comes_back_is_the_same_thought(
    workspace: Workspace, repo: Repo
) -> None:
    repo.write("a.md", "one\n")
    repo.commit("first")
    take_git(workspace, repo.folder)
    thought = workspace.get("a.md").id
    (repo.folder / "a.md").unlink()
    repo.commit("deleted", at="2025-02-01T00:00:00+00:00")
    assert counts(take_git(workspace, repo.folder)) == (0, 1, 0, 0)
    assert texts(workspace) == {}
    assert workspace.by_id(thought).trashed_at == 1_738_368_000_000
    for text in ("one\n", "two\n"):
        repo.write("a.md", text)
        repo.commit("again")
        take_git(workspace, repo.folder)
        assert texts(workspace) == {"a.md": text}
        assert workspace.get("a.md").id == thought
        (repo.folder / "a.md").unlink()
        repo.commit("deleted")
        take_git(workspace, repo.folder)
        assert texts(workspace) == {}


def test_a_new_file_at_the_old_path_of_a_renamed_one_is_a_thought_of_its_own(
    workspace: Workspace, repo: Repo
) -> None:
    repo.write("a.md", "text\n" * 10)
    repo.commit()
    repo.git("mv", "a.md", "b.md")
    repo.commit()
    repo.write("a.md", "moved to b\n")
    repo.commit()
    take_git(workspace, repo.folder)
    assert texts(workspace) == {"a.md": "moved to b\n", "b.md": "text\n" * 10}
    assert len(workspace.history(workspace.get("b.md").id)) == 2


def test_new_commits_are_added_and_old_ones_not_again(workspace: Workspace, repo: Repo) -> None:
    repo.write("a.md", "one\n")
    repo.write("b.md", "b\n")
    repo.commit()
    assert counts(take_git(workspace, repo.folder)) == (2, 0, 0, 2)
    repo.write("a.md", "one\ntwo\n")
    repo.write("c.md", "c\n")
    repo.commit()
    assert counts(take_git(workspace, repo.folder)) == (1, 1, 1, 2)
    assert counts(take_git(workspace, repo.folder)) == (0, 0, 3, 0)
    assert len(workspace.history(workspace.get("a.md").id)) == 2


def test_edits_made_here_survive_new_commits(workspace: Workspace, repo: Repo) -> None:
    repo.write("a.md", "one\ntwo\n")
    repo.commit()
    take_git(workspace, repo.folder)
    thought = workspace.get("a.md").id
    workspace.append(thought, "from here")
    repo.write("a.md", "zero\none\ntwo\n")
    repo.commit()
    take_git(workspace, repo.folder)
    assert workspace.text(thought) == "zero\none\ntwo\nfrom here\n"
    repo.write("a.md", "zero\none\n2\n")
    repo.commit()
    take_git(workspace, repo.folder)
    assert workspace.text(thought) == "zero\none\n2\nfrom here\n"


def test_a_thought_that_was_edited_here_is_kept_when_git_deletes_its_file(
    workspace: Workspace, repo: Repo
) -> None:
    repo.write("a.md", "one\n")
    repo.commit()
    take_git(workspace, repo.folder)
    workspace.append(workspace.get("a.md").id, "from here")
    (repo.folder / "a.md").unlink()
    repo.commit()
    report = take_git(workspace, repo.folder)
    assert texts(workspace) == {"a.md": "one\nfrom here\n"}
    assert reasons(report.notices) == {"a.md": "It was deleted in git and edited here; it is kept."}


def test_a_thought_that_was_moved_here_stays_there_and_follows_its_file(
    workspace: Workspace, repo: Repo
) -> None:
    repo.write("a.md", "one\n" * 10)
    repo.commit()
    take_git(workspace, repo.folder)
    workspace.move(workspace.get("a.md").id, "mine.md")
    repo.git("mv", "a.md", "b.md")
    repo.commit()
    report = take_git(workspace, repo.folder)
    assert texts(workspace) == {"mine.md": "one\n" * 10}
    assert reasons(report.notices) == {"b.md": "It was moved here meanwhile and stays where it is."}
    repo.write("b.md", "one\n" * 10 + "two\n")
    repo.commit()
    take_git(workspace, repo.folder)
    assert texts(workspace) == {"mine.md": "one\n" * 10 + "two\n"}


def test_a_branch_that_edits_a_file_which_another_renames_meets_in_one_thought(
    workspace: Workspace, repo: Repo
) -> None:
    body = "".join(f"line {n}\n" for n in range(20))
    repo.build(
        [
            Planned((), {"a.md": body}, 1_000),
            Planned((0,), {"b.md": body}, 2_000),
            Planned((0,), {"a.md": body + "edited\n"}, 3_000),
            Planned((1, 2), {"b.md": body + "edited\n"}, 4_000),
        ]
    )
    report = take_git(workspace, repo.folder)
    assert report.created == 1
    assert texts(workspace) == {"b.md": body + "edited\n"}


def test_a_merge_that_changes_more_than_its_branches_ends_as_it_is(
    workspace: Workspace, repo: Repo
) -> None:
    repo.build(
        [
            Planned((), {"a.md": "a\n", "b.md": "b\n"}, 1_000),
            Planned((0,), {"a.md": "a1\n", "b.md": "b\n", "only-one.md": "x\n"}, 2_000),
            Planned((0,), {"a.md": "a2\n", "b.md": "b\n"}, 3_000),
            Planned((1, 2), {"a.md": "evil\n", "b.md": "evil, too\n", "new.md": "n\n"}, 4_000),
        ]
    )
    take_git(workspace, repo.folder)
    assert texts(workspace) == {"a.md": "evil\n", "b.md": "evil, too\n", "new.md": "n\n"}
    notes = [each.note for each in workspace.history(workspace.get("b.md").id)]
    assert [note.split(" (")[0] for note in notes] == ["commit 1", "commit 4"]


_trees = st.dictionaries(
    st.sampled_from(["a.md", "b.md", "c/a.md", "c/d.md", "e.txt"]),
    st.sampled_from(["shared line\n" * 8 + end for end in ("", "1\n", "2\n", "3\n")] + ["x\n"]),
    max_size=5,
)


@st.composite
def _histories(draw: st.DrawFn) -> list[Planned]:
    commits = [Planned((), draw(_trees), 1_000_000)]
    for number in range(1, draw(st.integers(2, 9))):
        recent = st.integers(max(0, number - 3), number - 1)
        parents = tuple(draw(st.lists(recent, min_size=1, max_size=2, unique=True)))
        # Clocks of different machines: dates do not always follow the order of commits.
        at = 1_000_000 + number * 1_000 + draw(st.integers(-3_000, 3_000))
        commits.append(Planned(parents, draw(_trees), at))
    return commits


@settings(max_examples=FEW)
@given(_histories(), st.data())
def test_any_history_ends_in_the_texts_of_head(
    tmp_path_factory: pytest.TempPathFactory, commits: list[Planned], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("history")
    repo = Repo(folder / "repo")
    names = repo.build(commits)
    stops = data.draw(st.lists(st.sampled_from(names), max_size=2))
    patience = data.draw(st.integers(0, 20))
    with open_workspace(folder) as workspace:
        for name in stops:
            repo.git("update-ref", "HEAD", name)
            take_git(workspace, repo.folder, stop=_after(patience))
            take_git(workspace, repo.folder)
            assert texts(workspace) == head_texts(repo)
        repo.git("update-ref", "HEAD", names[-1])
        dry = take_git(workspace, repo.folder, dry_run=True)
        real = take_git(workspace, repo.folder)
        assert counts(dry) == counts(real)
        assert texts(workspace) == head_texts(repo)
        again = take_git(workspace, repo.folder)
        assert counts(again) == (0, 0, len(head_texts(repo)), 0)


@settings(max_examples=FEW)
@given(_histories())
def test_any_history_has_the_content_of_each_commit_as_a_revision(
    tmp_path_factory: pytest.TempPathFactory, commits: list[Planned]
) -> None:
    # Two branches that make the same text make one revision; here every commit has its own.
    commits = [
        replace(commit, tree={path: f"{text}{n}\n" for path, text in commit.tree.items()})
        for n, commit in enumerate(commits, start=1)
    ]
    folder = tmp_path_factory.mktemp("history")
    repo = Repo(folder / "repo")
    names = repo.build(commits)
    reachable = set(repo.git("rev-list", "HEAD").split())
    with open_workspace(folder) as workspace:
        take_git(workspace, repo.folder)
        past = [each for every in every_past(workspace).values() for each in every]
    written = {(each.text, each.revision.note, each.revision.ended_at) for each in past}
    for n, (name, commit) in enumerate(zip(names, commits, strict=True), start=1):
        if name in reachable and len(commit.parents) < 2:
            for path, text in commit.tree.items():
                version = (text, f"commit {n} ({name[:7]})", commit.at * 1000)
                assert version in written, f"{path} of commit {n}"


def test_only_the_folder_that_was_named_is_imported(workspace: Workspace, repo: Repo) -> None:
    repo.write("docs/thoughts/a.md", "a\n")
    repo.write("docs/thoughts/deep/b.md", "b\n")
    repo.write("docs/other.md", "other\n")
    repo.write("elsewhere.md", "text that moves in\n" * 5)
    repo.commit()
    repo.git("mv", "elsewhere.md", "docs/thoughts/c.md")
    repo.commit()
    report = take_git(workspace, repo.folder / "docs" / "thoughts", into="team")
    assert texts(workspace) == {
        "team/a.md": "a\n",
        "team/deep/b.md": "b\n",
        "team/c.md": "text that moves in\n" * 5,
    }
    assert counts(report) == (3, 0, 0, 3)


def test_what_is_left_out_by_choice_is_reported_and_can_be_imported_later(
    workspace: Workspace, repo: Repo
) -> None:
    for path in ("a.md", "b.py", "drafts/c.md", "node_modules/d.md"):
        repo.write(path, f"{path}\n")
    repo.commit()
    report = take_git(workspace, repo.folder, only_markdown=True, exclude=("drafts",))
    assert set(texts(workspace)) == {"a.md"}
    assert reasons(report.skipped) == {
        "b.py": "It is not markdown.",
        "drafts/c.md": "It is left out by drafts.",
        "node_modules/d.md": "It holds installed packages.",
    }
    assert counts(take_git(workspace, repo.folder)) == (2, 0, 1, 2)
    take_git(workspace, repo.folder, only_markdown=True, exclude=("drafts",))
    assert set(texts(workspace)) == {"a.md", "b.py", "drafts/c.md"}, "nothing is trashed by choice"


def test_what_is_no_text_is_skipped_each_with_its_reason(workspace: Workspace, repo: Repo) -> None:
    repo.write("good.md", "good\n")
    repo.write("latin.md", b"\xe9")
    repo.write("nul.md", b"a\0b")
    repo.write("large.md", b"x" * (SIZE_LIMIT + 1))
    (repo.folder / "link.md").symlink_to("/etc/passwd")
    inner = Repo(repo.folder / "inner")
    inner.write("x.md", "x")
    inner.commit()
    repo.commit()
    report = take_git(workspace, repo.folder)
    assert texts(workspace) == {"good.md": "good\n"}
    assert reasons(report.skipped) == {
        "inner": "It is another repository.",
        "large.md": "It is too large: 8.0 MB of at most 8 MB.",
        "latin.md": "It is not UTF-8: see byte 0.",
        "link.md": "It is a link.",
        "nul.md": "It is not text: byte 1 is NUL.",
    }
    assert report.skipped == take_git(workspace, repo.folder).skipped


def test_a_file_that_becomes_binary_or_a_link_ends_as_a_thought(
    workspace: Workspace, repo: Repo
) -> None:
    repo.write("a.md", "text\n")
    repo.write("b.md", "text, too\n")
    repo.commit()
    repo.write("a.md", b"\0")
    (repo.folder / "b.md").unlink()
    (repo.folder / "b.md").symlink_to("a.md")
    repo.commit()
    take_git(workspace, repo.folder)
    assert texts(workspace) == {}
    assert workspace.count(Filter(trashed=True)) == 2
    assert counts(take_git(workspace, repo.folder)) == (0, 0, 0, 0)


def test_names_that_could_be_options_or_be_quoted_are_only_names(
    workspace: Workspace, repo: Repo
) -> None:
    files = {
        "-rf.md": "1\n",
        "--output=x": "2\n",
        'quo"te.md': "3\n",
        "tab\u00e9 \U0001f642.md": "4\n",
        ":(glob)*.md": "5\n",
        "a;touch pwned": "6\n",
    }
    put(repo.folder, files)
    repo.commit()
    take_git(workspace, repo.folder)
    assert texts(workspace) == files
    assert set(tree(repo.folder)) >= set(files)
    assert not (repo.folder / "x").exists() and not (repo.folder / "pwned").exists()


def test_names_that_no_thought_can_have_are_skipped(workspace: Workspace, repo: Repo) -> None:
    put(repo.folder, {"good.md": "x\n", "two\nlines.md": "x\n", "back\\slash.md": "x\n"})
    try:
        Path(os.fsdecode(os.fsencode(repo.folder) + b"/caf\xe9.md")).write_text("x\n")
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    repo.commit()
    report = take_git(workspace, repo.folder)
    assert set(texts(workspace)) == {"good.md"}
    assert set(reasons(report.skipped)) == {r"two\nlines.md", "back\\slash.md", r"caf\xe9.md"}


def test_a_repositorys_own_configuration_runs_nothing(
    workspace: Workspace, repo: Repo, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    run = f"touch {marker}"
    repo.write("a.md", "one\n")
    repo.write(".gitattributes", "*.md diff=bad filter=bad\n")
    repo.commit()
    repo.write("a.md", "two\n")
    repo.commit()
    for key in (
        "core.pager",
        "pager.rev-list",
        "pager.diff-tree",
        "core.fsmonitor",
        "core.sshCommand",
        "diff.external",
        "diff.bad.textconv",
        "diff.bad.command",
        "filter.bad.smudge",
        "filter.bad.clean",
        "gpg.program",
        "uploadpack.packObjectsHook",
    ):
        repo.git("config", key, run)
    repo.git("config", "log.showSignature", "true")
    repo.git("config", "alias.cat-file", f"!{run}")
    hook = repo.folder / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{run}\n")
    hook.chmod(0o755)
    assert not marker.exists()
    take_git(workspace, repo.folder)
    assert workspace.text(workspace.get("a.md").id) == "two\n"
    assert not marker.exists()


def test_missing_objects_are_never_fetched(
    workspace: Workspace, repo: Repo, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    repo.write("a.md", "one\n")
    repo.write("b.md", "two\n")
    repo.commit()
    blob = repo.git("rev-parse", "HEAD:b.md").strip()
    (repo.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "extensions.partialClone", "origin")
    repo.git("config", "remote.origin.url", f"ext::sh -c touch% {marker}")
    repo.git("config", "remote.origin.promisor", "true")
    repo.git("config", "protocol.ext.allow", "always")
    report = take_git(workspace, repo.folder)
    assert texts(workspace) == {"a.md": "one\n"}
    assert reasons(report.skipped) == {"b.md": "It is missing in this clone of the repository."}
    assert not marker.exists()


def test_the_callers_git_variables_do_not_lead_elsewhere(
    workspace: Workspace, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repo(tmp_path / "other")
    other.write("other.md", "other\n")
    other.commit()
    repo.write("a.md", "a\n")
    repo.commit()
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    take_git(workspace, repo.folder)
    assert set(texts(workspace)) == {"a.md"}


def test_a_bare_repository_can_be_imported(
    workspace: Workspace, repo: Repo, tmp_path: Path
) -> None:
    repo.write("docs/a.md", "a\n")
    repo.commit()
    repo.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    take_git(workspace, tmp_path / "bare.git")
    assert texts(workspace) == {"docs/a.md": "a\n"}


def test_what_cannot_be_imported_is_said_in_words(
    workspace: Workspace, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput, match="no commits"):
        take_git(workspace, repo.folder)
    with pytest.raises(NotFound):
        take_git(workspace, tmp_path / "missing")
    plain = put(tmp_path / "plain", {"a.md": "a"})
    with pytest.raises(BadInput, match="not in a git repository"):
        take_git(workspace, plain)
    with pytest.raises(BadInput, match="not a folder"):
        take_git(workspace, plain / "a.md")
    repo.write("a.md", "a\n")
    repo.commit()
    monkeypatch.setenv("PATH", str(tmp_path / "missing"))
    with pytest.raises(ToolFailed, match="not installed"):
        take_git(workspace, repo.folder)


def test_a_folder_that_was_imported_before_its_history_is_not_doubled(
    workspace: Workspace, repo: Repo
) -> None:
    repo.write("a.md", "one\n")
    repo.write("b.md", "b\n")
    repo.commit()
    repo.write("a.md", "one\ntwo\n")
    repo.commit()
    take(workspace, repo.folder)
    thought = workspace.get("a.md").id
    workspace.append(thought, "from here")
    report = take_git(workspace, repo.folder)
    assert counts(report) == (0, 0, 2, 0)
    assert set(reasons(report.notices)) == {"a.md", "b.md"}
    assert set(texts(workspace)) == {"a.md", "b.md"}
    repo.write("a.md", "zero\none\ntwo\n")
    repo.commit()
    assert counts(take_git(workspace, repo.folder)) == (0, 1, 1, 1)
    assert workspace.text(thought) == "zero\none\ntwo\nfrom here\n"


def test_a_folder_whose_history_was_imported_is_known_when_it_is_imported(
    workspace: Workspace, repo: Repo
) -> None:
    repo.write("a.md", "one\n")
    repo.write("b.md", "b\n")
    repo.commit()
    take_git(workspace, repo.folder)
    thought = workspace.get("a.md").id
    workspace.append(thought, "from here")
    repo.write("a.md", "zero\none\n")
    repo.write("new.md", "not committed\n")
    report = take(workspace, repo.folder)
    assert (report.created, report.updated, report.unchanged) == (1, 1, 1)
    assert workspace.text(thought) == "zero\none\nfrom here\n"


def test_an_import_that_is_stopped_goes_on_where_it_was(
    workspace: Workspace, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git, "BATCH_FILES", 7)
    commits = [
        Planned(
            (number - 1,) if number else (),
            {f"{n}.md": f"text {n} {number if n == number % 5 else 'x'}\n" for n in range(5)},
            1_000 + number,
        )
        for number in range(40)
    ]
    repo.build(commits)
    first = take_git(workspace, repo.folder, stop=_after(30))
    assert first.interrupted and 0 < first.revisions < 80
    assert workspace.status().waiting == 0
    second = take_git(workspace, repo.folder, stop=_keys_after(20))
    assert second.interrupted and second.revisions > 0
    third = take_git(workspace, repo.folder)
    assert not third.interrupted
    with open_workspace(repo.folder.parent / "other") as other:
        whole = take_git(other, repo.folder)
        assert first.revisions + second.revisions + third.revisions == whole.revisions
        assert texts(workspace) == texts(other) == head_texts(repo)
        for path in texts(other):
            assert _story(workspace, path) == _story(other, path)


def _after(calls: int) -> Callable[[], bool]:
    """A stop signal that is given when it was asked for often enough."""
    left = iter(range(calls))
    return lambda: next(left, None) is None


def _keys_after(calls: int) -> Callable[[], bool]:
    """The same, with Ctrl-C pressed in its place."""
    stop = _after(calls)

    def press() -> bool:
        if stop():
            raise KeyboardInterrupt
        return False

    return press


def _story(workspace: Workspace, path: str) -> list[tuple[str, str, int]]:
    past = workspace.past(workspace.get(path).id)
    return [(each.text, each.revision.note, each.revision.ended_at) for each in past]


def test_ctrl_c_inside_a_batch_rolls_that_batch_back(
    workspace: Workspace, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git, "BATCH_FILES", 5)
    for number in range(12):
        repo.write(f"{number}.md", f"{number}\n")
    repo.commit()
    real, calls = intake.birth, 0

    def press(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 8:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(intake, "birth", press)
        first = take_git(workspace, repo.folder)
    assert first.interrupted
    assert first.created == first.revisions == len(texts(workspace)) == 5
    second = take_git(workspace, repo.folder)
    assert counts(second) == (7, 0, 5, 7)
    assert texts(workspace) == head_texts(repo)


def test_a_source_tree_is_refused_unless_the_user_means_it(
    workspace: Workspace, repo: Repo
) -> None:
    put(repo.folder, {f"{n}.py": "pass\n" for n in range(201)} | {"readme.md": "# Read\n"})
    repo.commit()
    with pytest.raises(BadInput, match="looks like a source tree"):
        take_git(workspace, repo.folder)
    assert texts(workspace) == {}
    assert take_git(workspace, repo.folder, only_markdown=True).created == 1
    assert take_git(workspace, repo.folder, everything=True).created == 201


def test_a_history_that_was_rewritten_is_brought_to_its_new_head(
    workspace: Workspace, repo: Repo
) -> None:
    repo.write("a.md", "one\n")
    repo.commit("first")
    repo.write("a.md", "one\ntwo\n")
    repo.write("b.md", "b\n")
    repo.commit("second")
    take_git(workspace, repo.folder)
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    repo.write("a.md", "one\n2\n")
    repo.commit("second, rewritten")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "--quiet", "--prune=now")
    take_git(workspace, repo.folder)
    assert texts(workspace) == {"a.md": "one\n2\n"}


def test_progress_ends_at_the_last_commit(workspace: Workspace, repo: Repo) -> None:
    for number in range(3):
        repo.write("a.md", f"{number}\n")
        repo.commit()
    told: list[Progress] = []
    take_git(workspace, repo.folder, progress=told.append)
    last = [each for each in told if each.step == "Replaying"][-1]
    assert last.done == last.total == 3
