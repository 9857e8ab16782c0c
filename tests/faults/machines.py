"""Data directories as machines, and what they meet at: real processes on the loopback interface.

A machine is a folder that ``AIMEM_HOME`` names; all is done there by ``python -m aimem_tui``. Every
machine has one workspace, and calls it ``team``.
"""

from __future__ import annotations

import difflib
import json
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from aimem_tui.store.durability import Standing
from aimem_tui.workspace.workspace import Workspace
from crdt.vector import Vector
from tests.cli.running import ROOT, Ran, process
from tests.faults.processes import Program
from tests.relay.pods import SECRET, token

LOOPBACK = "127.0.0.1"
TEAM = "team"
MARKERS = ("<<<<", ">>>>", "====", "||||")
"""What other tools leave in a text when they cannot merge."""
_EDITOR = """\
import sys
from pathlib import Path
old, new, file = sys.argv[1:]
text = Path(file).read_bytes().decode()
assert text.count(old) == 1, (old, text)
Path(file).write_bytes(text.replace(old, new).encode())
"""

State = Mapping[str, Any]
"""What ``aimem sync --json`` says."""


class Relay:
    """``python -m aimem_relay``, on one port for as long as the test lasts.

    Args:
        settings: of the relay, by their names.
    """

    def __init__(self, stage: Stage, name: str, **settings: object) -> None:
        self.name = name
        self.folder = stage.folder / name
        self.port = 0
        self._stage = stage
        self._settings = settings
        self.program: Program | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"ws://{LOOPBACK}:{self.port}"

    def start(self) -> Relay:
        """Run it, and wait until it listens."""
        settings = {
            "data_dir": self.folder,
            "port": self.port,
            "secrets": SECRET,
            "drain_s": 0,
            **self._settings,
        }
        env = {f"AIMEM_RELAY_{name.upper()}": str(value) for name, value in settings.items()}
        self.program = self._stage.run(self.name, "aimem_relay", env=env)

        def port(said: str) -> int | None:
            lines = [line for line in said.splitlines() if '"listening"' in line and "}" in line]
            return int(json.loads(lines[0])["port"]) if lines else None

        self.port = self.program.until_said(port, f"{self.name} to listen")
        return self

    def kill(self) -> None:
        """End it as a power failure does."""
        assert self.program is not None
        self.program.kill()

    def events(self, event: str) -> int:
        """How often it has logged an event since it was started."""
        assert self.program is not None
        lines = [line for line in self.program.err.splitlines() if line.endswith("}")]
        return sum(json.loads(line).get("event") == event for line in lines)


class Machine:
    """A data directory, and who uses it."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.name = name
        self.home = stage.folder / name
        self.file = self.home / "workspaces" / TEAM / "workspace.db"
        self._stage = stage

    @property
    def env(self) -> dict[str, str]:
        """What makes a process one of this machine's."""
        return {
            "AIMEM_HOME": str(self.home),
            "AIMEM_AUTHOR": self.name,
            "AIMEM_WORKSPACE": TEAM,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }

    # Commands

    def __call__(
        self, *args: str, stdin: str = "", code: int = 0, env: Mapping[str, str] | None = None
    ) -> Ran:
        """Run a command, and insist on its exit code."""
        ran = process(
            *args,
            stdin=stdin.encode(),
            env={**self.env, **(env or {})},
            command=[sys.executable, "-m", "aimem_tui"],
            cwd=ROOT,
        )
        assert ran.code == code, f"{self.name}: aimem {' '.join(args)}: {ran}"
        assert "Traceback" not in ran.err, ran.err
        return ran

    def started(self, *args: str, terminal: bool = False) -> Program:
        """A command that runs beside the test."""
        name = f"{self.name}: aimem {' '.join(args)}"
        return self._stage.run(name, "aimem_tui", *args, env=self.env, terminal=terminal)

    def edit(self, thought: str, old: str, new: str) -> None:
        """Replace some words in the person's editor."""
        editor = self._stage.folder / "editor.py"
        editor.write_text(_EDITOR)
        line = " ".join(f"'{part}'" for part in (sys.executable, str(editor), old, new))
        self("edit", thought, env={"EDITOR": line})

    def connect(self, url: str) -> None:
        """Connect to a relay; a workspace that is not here is made."""
        here = "" if self.file.exists() else f"/sync/{self._stage.workspace}"
        name = ["--name", "relay", "-w", TEAM]
        text = token(self._stage.workspace).decode()
        self("connect", f"{url}{here}", *name, "--token-stdin", stdin=text)

    def sync(self) -> State:
        """Exchange everything once."""
        state: State = self("sync", "--json").json
        assert all(remote["complete"] for remote in state["remotes"]), (self.name, state)
        return state

    def watching(self) -> Program:
        """``aimem sync --watch`` in the background."""
        return self.started("sync", "--watch", "--json")

    def typing(self, thought: str) -> Program:
        """Somebody who writes without a pause."""
        arguments = (str(self.file), self.name, thought)
        name = f"{self.name} types"
        return self._stage.run(name, "tests.faults.typist", *arguments, env=self.env)

    @contextmanager
    def listening(self, port: int = 0) -> Iterator[tuple[Program, str]]:
        """``aimem peer``, and where."""
        program = self.started(
            "peer", "--bind", LOOPBACK, "--port", str(port), "--hidden", "--json"
        )
        (where,) = program.next(event("listening"), "the address")["addresses"]
        yield program, where
        program.end()

    # What is here

    @contextmanager
    def opened(self) -> Iterator[Workspace]:
        """The workspace, within the test's own process."""
        with Workspace(self.file, name=TEAM, author=self.name) as workspace:
            yield workspace

    def texts(self) -> dict[str, str]:
        """Every thought's text by its path."""
        with self.opened() as workspace:
            workspace.catch_up()
            return {one.path: workspace.text(one.id) for one in workspace.thoughts()}

    def vector(self) -> Vector:
        """How much is here of each replica."""
        from aimem_tui.store import log

        with self.opened() as workspace:
            return log.vector(workspace.database.read())

    def standing(self) -> Standing:
        """What others have of what was written here, as far as this machine knows."""
        with self.opened() as workspace:
            return workspace.standing()

    def show(self, thought: str) -> str:
        """A thought's text as the command line prints it."""
        return self("show", thought).out

    def export(self) -> Path:
        """All thoughts as files, in a folder."""
        folder = self._stage.folder / f"export of {self.name}"
        self("export", str(folder))
        return folder


class Stage:
    """All that a test has started, in one folder; at the end everything is ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = f"{Random(str(folder)).getrandbits(128):032x}"
        self.programs: list[Program] = []
        self.stack = ExitStack()

    def close(self) -> None:
        """End what still runs, and say what it has said, for whoever looks at a failure."""
        self.stack.close()
        for program in self.programs:
            print(program.tail())
            program.kill()

    def run(
        self, name: str, *arguments: str, env: Mapping[str, str], terminal: bool = False
    ) -> Program:
        """Start a module as a process."""
        program = Program(name, *arguments, env=env, terminal=terminal)
        self.programs.append(program)
        return program

    def relay(self, name: str = "relay", **settings: object) -> Relay:
        """A relay that runs."""
        return Relay(self, name, **settings).start()

    def machine(self, name: str) -> Machine:
        """A machine that has nothing yet."""
        return Machine(self, name)

    def first(self, name: str, thought: str, text: str) -> Machine:
        """A machine with the workspace and one thought in it."""
        machine = self.machine(name)
        machine("workspace", "create", TEAM)
        machine("new", thought, text)
        with machine.opened() as workspace:
            self.workspace = workspace.identity()
        return machine

    def at(self, url: str, thought: str, text: str, *names: str) -> Sequence[Machine]:
        """Machines that are connected to a relay and have one thought."""
        first, *others = names
        machines = [self.first(first, thought, text), *map(self.machine, others)]
        for machine in machines:
            machine.connect(url)
            machine.sync()
        return machines


def event(kind: str) -> Callable[[str], Any]:
    """Picks events of one kind from what a command says in JSON."""

    def pick(line: str) -> Any:
        told = json.loads(line)
        return told if told["event"] == kind else None

    return pick


def state(wanted: Callable[[Any], bool]) -> Callable[[str], State | None]:
    """Picks a state from what ``sync --watch --json`` says, by its only remote."""

    def pick(line: str) -> State | None:
        told: State = json.loads(line)
        return told if wanted(told["remotes"][0]) else None

    return pick


def in_step(remote: Any) -> bool:
    """Whether a machine and a remote are in step."""
    return bool(remote["state"] == "in step")


def is_durable(line: str) -> State | None:
    """A state in which all that was ever written on a machine is on disk elsewhere, too."""
    told: State = json.loads(line)
    return told if in_step(told["remotes"][0]) and not told["waiting"] else None


def is_complete(line: str) -> State | None:
    """A state in which a machine and its remote have all that the other has."""
    told: State = json.loads(line)
    return told if told["remotes"][0]["complete"] else None


def pair(listener: Program, where: str, machine: Machine) -> None:
    """Two people compare the codes."""
    dialler = machine.started("peer", "pair", where, "--as", TEAM, "--json")
    mine = dialler.next(event("compare"), "a code")["code"]
    theirs = listener.next(event("compare"), "a code")["code"]
    dialler.tell(theirs)
    listener.tell(mine)
    dialler.next(event("paired"), "the pairing")
    assert dialler.wait() == 0, dialler.tail()


def exchange_until_quiet(machines: Sequence[Machine]) -> None:
    """``aimem sync`` on one after the other until nothing moves any more."""
    for _ in range(5):
        states = [machine.sync() for machine in machines]
        remotes = [remote for one in states for remote in one["remotes"]]
        if not any(remote["received"] or remote["sent"] for remote in remotes):
            assert all(one["waiting"] == 0 for one in states), states
            return
    raise AssertionError(f"it never comes to rest: {remotes}")


def assert_same(machines: Sequence[Machine]) -> dict[str, str]:
    """All have the same texts, whichever way one looks; returns them."""
    texts = {machine.name: machine.texts() for machine in machines}
    for one, other in pairwise(machines):
        if texts[one.name] != texts[other.name]:
            raise AssertionError(_difference(texts, one.name, other.name))
        assert one.vector() == other.vector()
    common = texts[machines[0].name]
    for path in [*common][:3]:
        assert {machine.show(path) for machine in machines} == {common[path]}
    exported = [_files(machine.export()) for machine in machines]
    assert all(one == exported[0] for one in exported)
    assert not any(marker in text for text in common.values() for marker in MARKERS)
    return common


def assert_words(text: str, expected: Sequence[str]) -> None:
    """Every word is in a text, and once."""
    words = text.split()
    lost = [word for word in expected if word not in set(words)]
    twice = [word for word in expected if words.count(word) > 1]
    assert not lost and not twice, f"lost: {lost}\ntwice: {twice}\n{text}"


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def _difference(texts: Mapping[str, Mapping[str, str]], one: str, other: str) -> str:
    paths = sorted({*texts[one], *texts[other]})
    lines = [
        line
        for path in paths
        for line in difflib.unified_diff(
            texts[one].get(path, "(not there)").split(" "),
            texts[other].get(path, "(not there)").split(" "),
            f"{one}: {path}",
            f"{other}: {path}",
            lineterm="",
        )
    ]
    return "\n".join(["the texts differ", *lines[:200]])
