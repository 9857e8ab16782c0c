"""Edits by Claude in a file and by people in the workspace, in any order: each is kept."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.claude.event import Rewriting
from aimem_tui.claude.intake import What, take_in_file
from aimem_tui.claude.surroundings import Surroundings
from aimem_tui.model import ImportOptions
from aimem_tui.workspace.project import Project
from tests.workspaces import open_workspace

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["insert", "insert unseen", "delete", "person", "import", "hook", "pull", "forget"]
        ),
        st.integers(0, 1_000),
    ),
    max_size=15,
)


@given(STEPS)
def test_every_line_that_anybody_wrote_is_there_once(steps: list[tuple[str, int]]) -> None:
    """Lines are all different, so each can be followed.

    ``unseen`` edits are made without a hook, as by a shell command; a ``pull`` brings the file what
    the workspace has, as git does; ``forget`` is a hook that was not told what the file was before.
    What git has brought can be told from what was written only while the next hook is told what the
    file was; so an edit after a ``pull`` is one of which a hook knows all.
    """
    with tempfile.TemporaryDirectory() as folder, open_workspace(Path(folder)) as workspace:
        root = Path(folder) / "project"
        around = Surroundings(Project(root), (root,))
        file = root / "thoughts" / "a.md"
        file.parent.mkdir(parents=True)
        names = (f"line {number}" for number in itertools.count())
        in_file, gone = ["first"], set[str]()
        pulled = False
        everything = {"first"}

        def write(lines: list[str]) -> str | None:
            before = file.read_text() if file.exists() else None
            file.write_text("".join(line + "\n" for line in lines))
            return before

        def hook(before: str | None) -> None:
            seen = None if before is None else Rewriting(before, file.read_text())
            taken = take_in_file(workspace, around, file, "Ada via Claude Code", rewriting=seen)
            assert taken is not None
            assert taken.path == "a.md"

        hook(write(in_file))
        thought = workspace.get("a.md").id
        for step, where in steps:
            if pulled and step in ("insert unseen", "forget"):
                step = "insert"
            if pulled and step in ("import", "hook", "pull"):
                continue
            pulled &= step not in ("insert", "delete") or not in_file
            match step:
                case "insert" | "insert unseen" | "forget":
                    line = next(names)
                    everything.add(line)
                    in_file.insert(where % (len(in_file) + 1), line)
                    before = write(in_file)
                    if step != "insert unseen":
                        hook(before if step == "insert" else None)
                case "delete" if in_file:
                    gone.add(in_file.pop(where % len(in_file)))
                    hook(write(in_file))
                case "person":
                    line = next(names)
                    everything.add(line)
                    present = workspace.text(thought).splitlines()
                    present.insert(where % (len(present) + 1), line)
                    handout = workspace.hand_out(thought)
                    workspace.take_back(handout, "".join(each + "\n" for each in present))
                case "pull":
                    hook(None)
                    in_file = workspace.text(thought).splitlines()
                    write(in_file)
                    pulled = True
                case "import":
                    workspace.import_folder(file.parent, ImportOptions(author="Ada"))
                case "hook":
                    hook(None)
        if not pulled:
            hook(None)
        found = workspace.text(thought).splitlines()
        assert sorted(found) == sorted(everything - gone)
        assert [line for line in found if line in in_file] == in_file
        assert workspace.count() == 1
        seen = Rewriting(file.read_text(), file.read_text())
        taken = take_in_file(workspace, around, file, "Ada via Claude Code", rewriting=seen)
        assert taken is not None
        assert taken.what is What.UNCHANGED
