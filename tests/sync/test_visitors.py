"""Agents of one machine, as the screens here and on other machines see them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

from aimem_tui.sync import visitors
from aimem_tui.sync.visitors import FADES_S, FOLDER_NAME, MOST, Visitor, Visitors
from tests.sync.places import Cable

THOUGHT = "ab" * 16


def names(folder: Path) -> list[str]:
    return [person.name for person in Visitors(folder).seen()]


def files(folder: Path) -> list[Path]:
    return sorted((folder / FOLDER_NAME).iterdir())


def test_an_agent_is_seen_where_it_is_until_it_goes(tmp_path: Path) -> None:
    looking = Visitors(tmp_path)
    assert looking.seen() == ()
    agent = Visitor(tmp_path, "Ada via Claude Code")
    agent.at(THOUGHT)
    (person,) = looking.seen()
    assert (person.name, person.agent, person.thought) == ("Ada via Claude Code", True, THOUGHT)
    agent.at("cd" * 16, {"item": [1, 2]}, {"item": [1, 3]})
    (person,) = looking.seen()
    assert (person.thought, person.head) == ("cd" * 16, {"item": [1, 3]})
    agent.close()
    assert looking.seen() == ()
    agent.close()


def test_two_agents_of_one_process_stay_apart(tmp_path: Path) -> None:
    both = [Visitor(tmp_path, name) for name in ("Ben via Codex", "Ada via Claude Code")]
    for agent in both:
        agent.at(THOUGHT)
    seen = Visitors(tmp_path).seen()
    assert [person.name for person in seen] == ["Ada via Claude Code", "Ben via Codex"]
    assert len({person.replica for person in seen}) == 2


def test_who_has_not_moved_for_a_while_fades_and_comes_back(tmp_path: Path) -> None:
    agent = Visitor(tmp_path, "Ada via Claude Code")
    agent.at(THOUGHT)
    (file,) = files(tmp_path)
    at = file.stat().st_mtime
    assert len(Visitors(tmp_path, lambda: at + FADES_S - 1).seen()) == 1
    later = Visitors(tmp_path, lambda: at + FADES_S)
    assert later.seen() == ()
    os.utime(file, (at + FADES_S, at + FADES_S))
    assert len(later.seen()) == 1


def test_an_agent_that_ends_without_a_word_is_gone_and_swept_away_later(tmp_path: Path) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\n"
        "from aimem_tui.sync.visitors import Visitor\n"
        f"Visitor(Path(sys.argv[1]), 'Lost').at('{THOUGHT}')\nos._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    (left,) = files(tmp_path)
    assert names(tmp_path) == []
    os.utime(left, (1, 1))
    Visitor(tmp_path, "Ada via Codex").at(THOUGHT)
    assert left not in files(tmp_path)
    assert names(tmp_path) == ["Ada via Codex"]


def test_only_their_owner_can_read_what_agents_say(tmp_path: Path) -> None:
    Visitor(tmp_path, "Ada via Claude Code").at(THOUGHT)
    (file,) = files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_what_makes_no_sense_is_left_out(tmp_path: Path) -> None:
    Visitor(tmp_path, "Ada via Claude Code").at(THOUGHT)
    folder = tmp_path / FOLDER_NAME
    pid = os.getpid()
    (folder / f"{pid}-x.json").write_text("{")
    (folder / f"{pid}-y.json").write_text(json.dumps({"replica": "no", "user": {}}))
    (folder / "nobody.json").write_text((files(tmp_path)[0]).read_text())
    (folder / "99999999999999999999999-z.json").write_text("{}")
    (folder / f"{pid}-folder.json").mkdir()
    (folder / f"{pid}-long.json").write_bytes(b" " * 100_000)
    assert names(tmp_path) == ["Ada via Claude Code"]


def test_of_a_crowd_only_the_first_count(tmp_path: Path) -> None:
    for n in range(MOST + 5):
        Visitor(tmp_path, f"Agent {n}").at(THOUGHT)
    assert len(names(tmp_path)) == MOST


def test_a_file_that_has_not_changed_is_read_once(tmp_path: Path, monkeypatch) -> None:
    read = []
    person = visitors._person
    monkeypatch.setattr(visitors, "_person", lambda file: read.append(file) or person(file))
    agent = Visitor(tmp_path, "Ada via Claude Code")
    looking = Visitors(tmp_path)
    agent.at(THOUGHT)
    for _ in range(3):
        assert len(looking.seen()) == 1
    assert len(read) == 1


def test_where_nothing_can_be_written_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / FOLDER_NAME).write_text("in the way")
    agent = Visitor(tmp_path, "Ada via Claude Code")
    agent.at(THOUGHT)
    agent.close()
    assert names(tmp_path) == []


def test_agents_of_a_machine_are_seen_on_the_others(make, place: Cable) -> None:
    ann, ben = make("ann"), make("ben")
    for machine in (ann, ben):
        machine.connect(place.url, token=place.token)
    ann.workspace.create("plan.md", "# Plan\n")
    ann.sync()
    ben.sync()
    thought = ann.workspace.get("plan.md").id
    agent = Visitor(ann.workspace.database.path.parent, "Ann via Claude Code")
    agent.at(thought)
    with ann.syncing(), ben.syncing():
        state = ben.wait(lambda state: any(one.agent for one in state.people))
        (seen,) = (one for one in state.people if one.agent)
        assert (seen.name, seen.thought) == ("Ann via Claude Code", thought)
        agent.close()
        ben.wait(lambda state: not any(one.agent for one in state.people))
