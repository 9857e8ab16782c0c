"""What a command needs from its surroundings, each made when first asked for.

The workspace is the one named with ``--workspace``, else by ``AIMEM_WORKSPACE``, else by the file
of the project one is in, else by the settings, else ``default``. The workspace called ``default``
is made when it is first needed; any other must have been created, so that a slip of the pen never
makes a new one.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from aimem_tui import paths
from aimem_tui.cli import terminal
from aimem_tui.errors import NotFound

if TYPE_CHECKING:
    from aimem_tui.model import Thought
    from aimem_tui.paths import Home
    from aimem_tui.settings import Settings
    from aimem_tui.workspace.project import Project
    from aimem_tui.workspace.registry import WorkspaceEntry
    from aimem_tui.workspace.workspace import Workspace

DEFAULT_WORKSPACE = "default"


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


class Session:
    """One run of the command line.

    Args:
        clock: milliseconds since the Unix epoch.
    """

    def __init__(self, clock: Callable[[], int] = now_ms) -> None:
        self.clock = clock
        self.named_workspace = ""
        """What ``--workspace`` says."""
        self.file: Path | None = None
        """The workspace's file, once it was needed."""
        self.agent: str | None = None
        """The agent whose command this is, empty for none; None: as the environment says."""
        self._workspace: Workspace | None = None

    @cached_property
    def home(self) -> Home:
        """Where the files are."""
        return paths.home()

    @cached_property
    def settings(self) -> Settings:
        """The settings in force."""
        from aimem_tui.settings import Settings

        return Settings(self.home.settings_file)

    @property
    def author(self) -> str:
        """Who writes: the person, or an agent in the person's name."""
        from aimem_tui.workspace.agents import names

        agent = names.agent_of_shell(os.environ) if self.agent is None else self.agent
        person = self.settings.author
        return names.author(person, agent) if agent else person

    @cached_property
    def project(self) -> Project | None:
        """The project whose folder this is, if it is one.

        Raises:
            BadInput: if its file makes no sense.
        """
        from aimem_tui.workspace.project import project_of

        try:
            return project_of(Path.cwd())
        except FileNotFoundError:
            # The folder has been removed under the shell.
            return None

    @property
    def workspace_name(self) -> str:
        """The workspace in force."""
        return self.named_workspace or self._named_by_project() or self.settings.get("workspace")

    def _named_by_project(self) -> str:
        if self.settings.value("workspace").source == "environment" or self.project is None:
            return ""
        return self.project.workspace

    def move_in(self, name: str) -> bool:
        """Use a workspace that is new here from now on, if the one in use has nothing in it.

        Returns: whether it is what is used where no workspace is named.
        """
        from aimem_tui.workspace import arrival, registry

        used = self.settings.value("workspace")
        before = registry.file_of(self.home, str(used.value))
        if used.source == "environment" or not arrival.is_untouched(before):
            return False
        self.settings.set("workspace", name)
        return True

    def open(self) -> Workspace:
        """The workspace, opened once.

        Raises:
            NotFound: if there is none of that name.
            StorageError: if its file cannot be opened.
        """
        if self._workspace is None:
            from aimem_tui.workspace import registry
            from aimem_tui.workspace.workspace import Workspace

            name = self.workspace_name
            file = registry.file_of(self.home, name)
            if name != DEFAULT_WORKSPACE and not file.is_file():
                raise self._no_workspace(name)
            self.file = file
            self._workspace = Workspace(file, name=name, author=self.author, clock=self.clock)
        return self._workspace

    def reading(self) -> Workspace:
        """The workspace with its lists up to date."""
        workspace = self.open()
        workspace.catch_up()
        return workspace

    def find(self, name: str) -> Thought:
        """The thought that a person means; one in the trash is not found, and that is said.

        Raises:
            NotFound, Ambiguous: in words.
        """
        workspace = self.reading()
        try:
            return workspace.get(name)
        except NotFound as error:
            try:
                workspace.get(name, trashed=True)
            except NotFound:
                raise error from None
            raise NotFound(
                f"{name} is in the trash.", hint=f"To take it out: aimem restore {name}."
            ) from None

    def make(self, name: str) -> WorkspaceEntry:
        """Make a workspace that is not there yet.

        Raises:
            BadInput: if no workspace can have that name.
            StorageError: if its file cannot be written.
        """
        from aimem_tui.workspace import registry
        from aimem_tui.workspace.workspace import Workspace

        file = registry.file_of(self.home, name)
        Workspace(file, name=name, author=self.settings.author, clock=self.clock).close()
        return registry.WorkspaceEntry(name, file, file.stat().st_size)

    def open_app(self) -> int:
        """Open the terminal app; returns the exit code."""
        # By name, so that nothing here ever imports the terminal app before it is wanted.
        app = importlib.import_module("aimem_tui.app")
        return int(app.run(self.home, self.settings, self.open()))

    def has_terminal(self) -> bool:
        """Whether a person sits before standard input and output."""
        return terminal.is_terminal(sys.stdin) and terminal.is_terminal(sys.stdout)

    def close(self) -> None:
        """Close the workspace, if it was opened."""
        if self._workspace is not None:
            self._workspace.close()
            self._workspace = None

    def _no_workspace(self, name: str) -> NotFound:
        from aimem_tui.workspace import registry
        from aimem_tui.workspace.project import FILE_NAME

        why = ""
        if not self.named_workspace and self._named_by_project() and self.project is not None:
            why = f"{self.project.root / FILE_NAME} names it."
        elif not self.named_workspace:
            source = self.settings.value("workspace")
            why = {
                "environment": f"The environment variable {source.setting.environment} names it.",
                "file": "The settings name it.",
            }.get(source.source, "")
        names = ", ".join(entry.name for entry in registry.entries(self.home))
        known = f"There are: {names}. " if names else ""
        return NotFound(
            f"There is no workspace called {name}.",
            why=why,
            hint=f"{known}To make it: aimem workspace create {name}.",
        )
