"""Bundles between real workspaces, and on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui.errors import ExitCode
from aimem_tui.model import ImportOptions
from aimem_tui.store.identity import renew
from tests.cli.running import Aimem, Ran, process
from tests.peer.machines import Machine
from tests.shared_data import shared_data


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[tuple[Machine, Machine, Machine]]:
    made = Machine(tmp_path, "ann"), Machine(tmp_path, "ben"), Machine(tmp_path, "cyd")
    yield made
    for machine in made:
        machine.close()


def rewrite(machine: Machine, old: str, new: str) -> None:
    """Edit the plan on one machine."""
    machine.workspace.catch_up()
    handout = machine.workspace.hand_out(machine.workspace.get("plan.md").id)
    machine.workspace.take_back(handout, handout.text.replace(old, new))


def test_the_same_paragraph_edited_on_three_machines_keeps_every_word(
    machines: tuple[Machine, Machine, Machine], tmp_path: Path
) -> None:
    ann, ben, cyd = machines
    ann.write("plan.md", "One paragraph for all.\n")
    ann.export(tmp_path / "start")
    for machine in (ben, cyd):
        machine.take_in(tmp_path / "start")
    rewrite(ann, "One", "Just the one")
    rewrite(ben, "for", "written for")
    rewrite(cyd, "all", "all of us")
    # A stick goes round: Ann to Ben to Cyd, and back.
    ann.export(tmp_path / "a")
    ben.take_in(tmp_path / "a")
    ben.export(tmp_path / "b")
    cyd.take_in(tmp_path / "b")
    cyd.export(tmp_path / "c", tmp_path / "a", tmp_path / "b")
    for machine in (ann, ben):
        machine.take_in(tmp_path / "c")
    assert ann.texts() == ben.texts() == cyd.texts()
    assert ann.texts() == {"plan.md": "Just the one paragraph written for all of us.\n"}
    assert ann.vector == ben.vector == cyd.vector


def test_a_stick_that_goes_back_and_forth_carries_only_news(
    machines: tuple[Machine, Machine, Machine], tmp_path: Path
) -> None:
    ann, ben, _ = machines
    for n in range(50):
        ann.write(f"notes/{n}.md", f"Note {n}, which has some text.\n" * 40)
    whole = ann.export(tmp_path / "whole")
    ben.take_in(tmp_path / "whole")
    ben.write("answer.md", "Yes.\n")
    answer = ben.export(tmp_path / "answer", tmp_path / "whole")
    assert (answer.entries, answer.checkpoints) == (1, 0)
    assert answer.size < whole.size / 20
    assert ann.take_in(tmp_path / "answer").new == 1
    assert ann.texts() == ben.texts()


def test_compacted_thoughts_travel_with_what_was_written_since(
    machines: tuple[Machine, Machine, Machine], tmp_path: Path
) -> None:
    from aimem_tui.store import compaction, log

    ann, ben, _ = machines
    thought = ann.write("plan.md", "Old.\n")
    ann.append("plan.md", "Newer.")
    with ann.workspace.database.write() as connection:
        compaction.compact(connection, log.thought_number(connection, thought))
    ann.append("plan.md", "Newest.")
    exported = ann.export(tmp_path / "a")
    assert (exported.entries, exported.checkpoints) == (1, 1)
    ben.take_in(tmp_path / "a")
    assert ben.texts() == {"plan.md": "Old.\nNewer.\nNewest.\n"}
    assert ben.vector == ann.vector
    assert ben.take_in(tmp_path / "a").new == 0


def test_an_answer_tells_that_ones_own_work_is_on_disk_elsewhere(
    machines: tuple[Machine, Machine, Machine], tmp_path: Path
) -> None:
    ann, ben, _ = machines
    ann.write("plan.md", "Mine.\n")
    ann.export(tmp_path / "a")
    assert ann.workspace.standing().durable_seq == 0
    # What she hands herself is not anywhere else.
    ann.take_in(tmp_path / "a")
    ann.export(tmp_path / "again", tmp_path / "a")
    assert ann.workspace.standing().durable_seq == 0
    ben.take_in(tmp_path / "a")
    ben.export(tmp_path / "b")
    ann.take_in(tmp_path / "b")
    assert ann.workspace.standing().durable_seq == 1
    ann.append("plan.md", "More.")
    ann.export(tmp_path / "c", tmp_path / "b")
    assert ann.workspace.standing().durable_seq == 1


def test_a_machine_that_was_put_back_from_a_backup_and_a_bundle_lose_nothing(
    machines: tuple[Machine, Machine, Machine], tmp_path: Path
) -> None:
    """A whole machine was put back: nothing on it says that its file is an older one."""
    ann, ben, _ = machines
    ann.write("plan.md", "First.\n")
    ann.export(tmp_path / "backup")
    replica = ann.copy.replica.replica
    ann.append("plan.md", "Second.")
    ann.export(tmp_path / "a")
    ben.take_in(tmp_path / "a")
    ben.export(tmp_path / "b")

    restored = Machine(tmp_path, "restored")
    restored.take_in(tmp_path / "backup")
    renew(restored.workspace.database)
    with restored.workspace.database.write() as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'replica'", (replica,))
    restored.append("plan.md", "Written after.")
    taken = restored.take_in(tmp_path / "b")
    assert taken.forks == 1
    (text,) = restored.texts().values()
    assert "Second." in text
    assert "Written after." in text
    restored.export(tmp_path / "c", tmp_path / "b")
    ben.take_in(tmp_path / "c")
    assert ben.texts() == restored.texts()
    restored.close()


def test_real_thoughts_arrive_byte_for_byte(
    machines: tuple[Machine, Machine, Machine], tmp_path: Path
) -> None:
    ann, ben, _ = machines
    folder = shared_data("thoughts", "mem8", "latest")
    ann.workspace.import_folder(folder, ImportOptions("ann", everything=True))
    ann.export(tmp_path / "a")
    taken = ben.take_in(tmp_path / "a")
    assert taken.new == taken.entries + taken.checkpoints > 50
    assert ben.texts() == ann.texts()
    assert ben.vector == ann.vector


# The command line


def other(tmp_path: Path, *args: str, code: int = 0) -> Ran:
    """The command line on another machine."""
    ran = process(*args, env={"AIMEM_HOME": str(tmp_path / "other"), "AIMEM_AUTHOR": "Ben"})
    assert ran.code == code, ran
    assert "Traceback" not in ran.err
    return ran


def test_a_workspace_goes_to_another_machine_and_an_answer_comes_back(
    aimem: Aimem, tmp_path: Path
) -> None:
    one, two = str(tmp_path / "one.bundle"), str(tmp_path / "two.bundle")
    aimem("new", "plan", "From Ada.")
    written = aimem("bundle", "export", one, "--json").json
    assert written == {
        "file": one,
        "changes": 1,
        "size": Path(one).stat().st_size,
        "request": False,
    }
    taken = other(tmp_path, "bundle", "import", one, "--new", "team", "--json").json
    assert taken["new"] == taken["changes"] == 1
    assert taken["workspace"] == "team"
    assert taken["sender"].startswith("Ada on ")
    assert other(tmp_path, "show", "plan", "-w", "team").out == "From Ada."
    other(tmp_path, "append", "plan", "From Ben.", "-w", "team")
    said = other(tmp_path, "bundle", "export", two, "--for", one, "-w", "team").out
    assert said.startswith(f"Wrote 1 change to {two}, ")
    assert "Took in 1 change from Ben on" in aimem("bundle", two).out
    assert aimem("show", "plan").out == "From Ada.\nFrom Ben.\n"
    assert "Nothing new" in aimem("bundle", "import", two).out


def test_a_request_is_answered_with_what_is_lacking(aimem: Aimem, tmp_path: Path) -> None:
    first, request, answer = (str(tmp_path / name) for name in ("first", "request", "answer"))
    aimem("new", "plan", "One.")
    aimem("bundle", "export", first)
    other(tmp_path, "bundle", "import", first, "--new", "team")
    aimem("append", "plan", "Two.")
    other(tmp_path, "bundle", "export", request, "--request", "-w", "team")
    assert aimem("bundle", "export", answer, "--for", request, "--json").json["changes"] == 1
    other(tmp_path, "bundle", "import", answer, "-w", "team")
    assert other(tmp_path, "show", "plan", "-w", "team").out == "One.\nTwo.\n"


def test_a_bundle_of_a_workspace_that_is_here_under_another_name_is_not_taken_in_twice(
    aimem: Aimem, tmp_path: Path
) -> None:
    file = str(tmp_path / "team.bundle")
    aimem("workspace", "create", "team")
    aimem("new", "plan", "One.", "-w", "team")
    aimem("bundle", "export", file, "-w", "team")
    aimem("status")
    for args in ((), ("--new", "again")):
        said = aimem.fails("bundle", "import", file, *args, code=ExitCode.REFUSED)
        assert "--workspace team" in said
    assert [each["name"] for each in aimem("workspace", "--json").json["workspaces"]] == [
        "default",
        "team",
    ]


def test_mistakes_are_told_in_sentences_and_make_nothing(aimem: Aimem, tmp_path: Path) -> None:
    text, bundle = tmp_path / "text", tmp_path / "a.bundle"
    text.write_text("not a bundle")
    aimem.fails("bundle", "import", str(tmp_path / "nowhere"), code=ExitCode.NOT_FOUND)
    aimem.fails("bundle", "import", str(text), "--new", "team", code=ExitCode.BAD_INPUT)
    aimem("new", "plan", "One.")
    aimem.fails("bundle", "export", str(text), code=ExitCode.REFUSED)
    assert text.read_text() == "not a bundle"
    aimem.fails("bundle", "export", str(tmp_path / "no" / "where"), code=ExitCode.STORAGE)
    aimem("bundle", "export", str(bundle))
    aimem.fails("bundle", "export", str(bundle), code=ExitCode.REFUSED)
    aimem("bundle", "export", str(bundle), "--overwrite")
    whole = bundle.read_bytes()
    bundle.write_bytes(whole[:-1])
    ran = process(
        "bundle",
        "import",
        str(bundle),
        "--new",
        "team",
        env={"AIMEM_HOME": str(tmp_path / "other")},
    )
    assert ran.code == ExitCode.BAD_INPUT
    assert "cut short" in ran.err
    assert not (tmp_path / "other" / "workspaces").exists()
