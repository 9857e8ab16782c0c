"""What agents may see and change: everything, or what lies below some folders; perhaps only read.

- A path that is out of bounds is for an agent as if it were not there: it is not found, not
  counted, not named in an error, not compared with in a search.
- What is asked for is narrowed to the folders before it is looked for, so that the best ten are the
  best ten of what may be seen.
- A filter of the workspace has one path, so several folders become several filters.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aimem_tui.errors import AimemError, Ambiguous, BadInput, NotFound, Refused
from aimem_tui.markdown import paths
from aimem_tui.model import Filter, Thought

if TYPE_CHECKING:
    from aimem_tui.workspace.workspace import Workspace

_COMPARED = 500
"""So many paths are compared with a name that nothing answers to."""


@dataclass(frozen=True, slots=True)
class Access:
    """The bounds of one server."""

    folders: tuple[str, ...] = ()
    """Folders, or paths of thoughts; none: everything."""
    read_only: bool = False

    @classmethod
    def to(cls, folders: Iterable[str], *, read_only: bool = False) -> Access:
        """Access to some folders.

        Raises:
            BadInput: if one cannot be a folder of a workspace.
        """
        checked = []
        for folder in folders:
            bare = folder.strip().removeprefix("./").strip("/")
            if paths.is_glob(bare):
                raise BadInput(
                    f"{folder} is a pattern.", hint="Give a folder, or the path of one thought."
                )
            checked.append(paths.check_path(bare))
        return cls(tuple(dict.fromkeys(checked)), read_only)

    @property
    def is_bounded(self) -> bool:
        """Whether anything is out of bounds."""
        return bool(self.folders)

    def has(self, path: str) -> bool:
        """Whether a path is in bounds."""
        return not self.folders or any(paths.matches(path, folder) for folder in self.folders)

    def narrowed(self, path: str) -> tuple[str, ...]:
        """What there is to look through where an agent asks for a folder or a pattern."""
        asked = path.strip().removeprefix("./").strip("/")
        if not self.folders:
            return (asked,)
        if not asked:
            return self.folders
        found = [one for folder in self.folders for one in _common(folder, asked)]
        return tuple(dict.fromkeys(found))

    def filters(self, wanted: Filter) -> tuple[Filter, ...]:
        """A filter, as one or several that hold only what is in bounds."""
        return tuple(wanted._replace(path=path) for path in self.narrowed(wanted.path))

    def check_writing(self) -> None:
        """Make sure that anything may be changed.

        Raises:
            Refused: if it may only be read.
        """
        if self.read_only:
            raise Refused(
                "This server only reads.",
                hint="Tell the person what you would have written, or have them start it without"
                " --read-only.",
            )

    def check_path(self, path: str) -> str:
        """A path to write to.

        Raises:
            BadInput: if no thought can have it.
            Refused: if it is out of bounds, or nothing may be written.
        """
        self.check_writing()
        checked = paths.check_path(path)
        if not self.has(checked):
            raise self._out_of_bounds(checked)
        return checked

    def check_new(self, workspace: Workspace, path: str) -> str:
        """A path to write to that leads to no thought yet.

        Raises:
            BadInput: if no thought can have it.
            Refused: if it, or what it leads to, is out of bounds, or nothing may be written.
        """
        checked = self.check_path(path)
        if self.folders:
            try:
                workspace.get(checked)
            except NotFound:
                pass
            except Ambiguous:
                raise self._out_of_bounds(checked) from None
            else:
                raise self._out_of_bounds(checked)
        return checked

    def kept(self, thoughts: Iterable[Thought]) -> list[Thought]:
        """Those of some thoughts that are in bounds."""
        return [each for each in thoughts if self.has(each.path)]

    def find(self, workspace: Workspace, name: str) -> Thought:
        """The thought that an agent means, by path, earlier path, id or file name.

        Raises:
            NotFound, Ambiguous: with the nearest of what may be seen.
        """
        if not self.folders:
            return _anywhere(workspace, name)
        try:
            found = workspace.get(name)
        except AimemError:
            pass
        else:
            if self.has(found.path):
                return found
        called_so = self._called(workspace, name)
        if len(called_so) == 1:
            return called_so[0]
        if called_so:
            listed = ", ".join(each.path for each in called_so[:5])
            raise Ambiguous(
                f"Several thoughts are called {name}.", why=f"{listed}.", hint="Say the path."
            )
        near = self._nearest(workspace, name)
        raise NotFound(
            f"There is no thought called {name} here.",
            why=f"Only what is below {self._said()} can be seen.",
            hint=f"Did you mean {near}?" if near else "To see what there is: list_thoughts.",
        )

    def _called(self, workspace: Workspace, name: str) -> list[Thought]:
        bare = name.strip().strip("/").removesuffix(".md")
        if not bare or paths.is_glob(bare):
            return []
        found: dict[str, Thought] = {}
        for folder in self.folders:
            pattern = Filter(path=f"{folder}/*{bare}.md")
            for each in workspace.thoughts(pattern, limit=_COMPARED):
                if each.path.endswith(f"/{bare}.md"):
                    found[each.id] = each
        return [*found.values()]

    def _nearest(self, workspace: Workspace, name: str) -> str:
        words = [word for word in name.replace("/", " ").replace("-", " ").split() if len(word) > 2]
        known: list[str] = []
        for folder in self.folders:
            for word in words[:4]:
                if not paths.is_glob(word):
                    near = Filter(path=f"{folder}/*{word[:5]}*")
                    known += (each.path for each in workspace.thoughts(near, limit=_COMPARED))
        matches = difflib.get_close_matches(name, dict.fromkeys(known), n=1, cutoff=0.4)
        return matches[0] if matches else ""

    def _out_of_bounds(self, path: str) -> Refused:
        return Refused(f"{path} is out of bounds here.", hint=f"Write below {self._said()}.")

    def _said(self) -> str:
        return " or ".join(self.folders)


def _anywhere(workspace: Workspace, name: str) -> Thought:
    try:
        return workspace.get(name)
    except NotFound as error:
        hint = error.hint.replace("aimem list", "list_thoughts")
        try:
            workspace.get(name, trashed=True)
        except AimemError:
            raise NotFound(error.what, why=error.why, hint=hint) from None
        raise NotFound(
            f"{name} is in the trash.", hint="The person can take it out: aimem restore."
        ) from None


def _common(folder: str, asked: str) -> Iterator[str]:
    """What a folder that may be seen and what is asked for have in common, as paths to look in.

    A filter also takes ``a`` for ``a.md``, so what it finds is to be checked all the same.
    """
    if not paths.is_glob(asked):
        if paths.matches(asked, folder):
            yield asked
        elif paths.matches(folder, asked):
            yield folder
        return
    literal = asked.replace("?", "*").partition("*")[0]
    if literal.startswith(f"{folder}/"):
        yield asked
    elif not literal:
        # A star stands for slashes, too: all that matches and lies below the folder.
        yield f"{folder}/{asked}"
