"""The process that keeps the index up to date beside the app."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aimem_tui import paths
from aimem_tui.embedding.choice import ModelChoice
from aimem_tui.index import status
from aimem_tui.index.check import check
from aimem_tui.index.file import IndexFile
from aimem_tui.index.reader import Coverage, IndexReader
from aimem_tui.index.spaces import whose
from aimem_tui.settings import Settings
from aimem_tui.workspace.indexing import Indexing
from aimem_tui.workspace.workspace import Workspace
from tests.workspaces import open_workspace

PATIENCE_S = 60.0


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path) as opened:
        yield opened


class Company:
    """An app's indexing, with what it was told."""

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        self.news = threading.Event()
        self.indexing = Indexing(workspace, paths.home(), settings, self.news.set)
        self.states = [self.indexing.state()]
        self._workspace = workspace

    def wait_until_indexed(self) -> None:
        """Wait for news until nothing is left."""
        self.wait_until(lambda: self.coverage().unindexed == 0)

    def wait_until(self, reached: Callable[[], bool]) -> None:
        """Wait for news until something is so."""
        while not reached():
            assert self.news.wait(PATIENCE_S), "no news"
            self.news.clear()
            self.states.append(self.indexing.take())

    def coverage(self) -> Coverage:
        """How much is indexed."""
        connection = self._workspace.database.read()
        with IndexFile(paths.home().index_file) as index:
            replica = whose(connection, self._workspace.database.path).replica
            return IndexReader(index, replica).coverage(connection)


@pytest.fixture
def settings() -> Settings:
    return Settings(paths.home().settings_file)


@pytest.fixture
def company(workspace: Workspace, settings: Settings) -> Iterator[Company]:
    made = Company(workspace, settings)
    yield made
    made.indexing.end()


def test_what_is_there_and_what_is_written_later_is_indexed(
    workspace: Workspace, company: Company
) -> None:
    thought = workspace.create("a.md", "# Alpha\n\nThe first words.")
    assert company.indexing.begin()
    company.wait_until_indexed()
    workspace.append(thought.id, "A paragraph about zebras.")
    company.indexing.wake()
    company.wait_until_indexed()
    with IndexFile(paths.home().index_file) as index:
        assert check(workspace.database, index) == []
    assert any(state.working for state in company.states)


def test_it_ends_with_the_app_and_is_begun_again_when_it_has_ended(
    workspace: Workspace, company: Company
) -> None:
    workspace.create("a.md", "The first words.")
    company.indexing.begin()
    process = company.indexing._process
    assert process is not None
    process.kill()
    process.wait()
    assert company.news.wait(PATIENCE_S)
    assert company.indexing.take().problem
    assert not company.indexing.begin(), "not at once after an error"
    company.indexing._failed_at = 0.0
    assert company.indexing.begin()
    company.wait_until_indexed()
    again = company.indexing._process
    assert again is not None
    company.indexing.end()
    assert again.poll() is not None
    assert not company.indexing.begin()


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="not on Windows")
def test_it_has_the_lowest_priority(workspace: Workspace, company: Company) -> None:
    workspace.create("a.md", "Words.")
    company.indexing.begin()
    company.wait_until_indexed()
    process = company.indexing._process
    assert process is not None
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19
    assert os.sched_getscheduler(process.pid) == os.SCHED_IDLE


def test_switched_off_it_does_not_begin(
    workspace: Workspace, company: Company, settings: Settings
) -> None:
    settings.set("index.background", "off")
    assert not company.indexing.begin()
    assert company.indexing._process is None


def test_another_model_in_the_settings_is_taken_up(
    workspace: Workspace, company: Company, settings: Settings, tmp_path: Path
) -> None:
    workspace.create("a.md", "Words.")
    company.indexing.begin()
    company.wait_until_indexed()
    bundle = ModelChoice.bundled()
    for file in (bundle.model, bundle.tokenizer):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    settings.set("index.model", str(tmp_path))
    before = company.indexing._process
    assert company.indexing.begin()
    connection = workspace.database.read()
    replica = whose(connection, workspace.database.path).replica
    with IndexFile(paths.home().index_file) as index:
        reader = IndexReader(index, replica)
        company.wait_until(
            lambda: reader.model is not None and reader.model.choice == str(tmp_path)
        )
    assert company.indexing._process is not before


def test_paused_and_resumed_it_goes_on(workspace: Workspace, company: Company) -> None:
    for name in ("a.md", "b.md"):
        workspace.create(name, f"Words of {name}.")
    with IndexFile(paths.home().index_file) as index:
        status.pause(index)
        company.indexing.begin()
        company.wait_until(lambda: company.coverage().changed == 0)
        assert company.coverage().waiting == 2
        status.resume(index)
        company.wait_until_indexed()


def test_a_model_that_cannot_be_used_is_said(
    workspace: Workspace, company: Company, tmp_path: Path
) -> None:
    settings_file = paths.home().settings_file
    settings_file.parent.mkdir(parents=True, exist_ok=True)
    settings_file.write_text('[index]\nmodel = "/nowhere/model.onnx"\n', encoding="utf-8")
    other = Company(workspace, Settings(settings_file))
    assert other.indexing.begin()
    assert other.news.wait(PATIENCE_S)
    assert "no model at" in other.indexing.take().problem
    assert not other.indexing.begin()
    other.indexing.end()
