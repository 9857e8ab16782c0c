"""``aimem peer`` with real processes: two people at two terminals, played by scripts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from aimem_tui.errors import ExitCode
from tests.cli.running import COMMAND, Aimem, Ran, environment, process
from tests.peer.machines import LOOPBACK
from tests.peer.multicast import needs_multicast

SECONDS = 60


class Program:
    """A command that runs, says what happens in JSON, and is told things."""

    def __init__(self, home: Path, author: str, *args: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment({"AIMEM_HOME": str(home), "AIMEM_AUTHOR": author}),
            text=True,
        )
        self._said: Queue[str] = Queue()
        self.err = ""
        self._readers = [
            threading.Thread(target=self._read_out),
            threading.Thread(target=self._read_err),
        ]
        for reader in self._readers:
            reader.start()

    def _read_out(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.put(line)

    def _read_err(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.err += line

    def until(self, event: str) -> Any:
        """The next event of a kind."""
        while True:
            told = json.loads(self._said.get(timeout=SECONDS))
            if told["event"] == event:
                return told

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> int:
        code = self.process.wait(SECONDS)
        self.close()
        return code

    def stop(self) -> int:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


class Person:
    """Somebody with a machine of her own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.home = folder / name
        self.name = name

    def aimem(self, *args: str, code: int = 0) -> Ran:
        ran = process(*args, env={"AIMEM_HOME": str(self.home), "AIMEM_AUTHOR": self.name})
        assert ran.code == code, (args, ran)
        assert "Traceback" not in ran.err
        return ran

    @contextmanager
    def listening(self, *args: str) -> Iterator[tuple[Program, str]]:
        """``aimem peer``, and where."""
        program = Program(
            self.home,
            self.name,
            *("peer", "--bind", LOOPBACK, "--port", "0", "--hidden", "--json", *args),
        )
        try:
            (where,) = program.until("listening")["addresses"]
            yield program, where
            if program.process.poll() is None:
                assert program.stop() == 0, program.err
            assert "Traceback" not in program.err
        finally:
            program.close()

    def pairing(self, where: str, *args: str) -> Program:
        return Program(self.home, self.name, "peer", "pair", where, "--json", *args)

    def paired(self, listener: Program, where: str, *args: str) -> Any:
        """Pair, with two people who look at the codes; returns what was said at the end."""
        dialler = self.pairing(where, *args)
        try:
            mine, theirs = dialler.until("compare")["code"], listener.until("compare")["code"]
            dialler.say(theirs)
            listener.say(mine)
            told = dialler.until("paired")
            assert dialler.end() == 0, dialler.err
            return told
        finally:
            dialler.close()


@pytest.fixture
def people(tmp_path: Path) -> tuple[Person, Person, Person]:
    return Person(tmp_path, "ann"), Person(tmp_path, "ben"), Person(tmp_path, "cyd")


@pytest.mark.skipif(os.name == "nt", reason="not on Windows")
class TestPeople:
    def test_two_people_pair_their_machines_and_then_sync(
        self, people: tuple[Person, Person, Person]
    ) -> None:
        ann, ben, _ = people
        ann.aimem("workspace", "create", "team", "--use")
        ann.aimem("new", "plan", "From Ann.")
        with ann.listening() as (listener, where):
            told = ben.paired(listener, where)
            assert told["created"]
            assert told["workspace"] == "team"
            assert told["role"] == "writer"
            assert told["name"].startswith("ann-on-")
            admitted = listener.until("paired")["name"]
            ben.aimem("sync", "-w", "team")
            assert ben.aimem("show", "plan", "-w", "team").out == "From Ann."
            ben.aimem("append", "plan", "From Ben.", "-w", "team")
            ben.aimem("sync", "-w", "team", "--local")
            assert listener.until("connected")["name"] == admitted
            assert listener.until("left")["name"] == admitted
            assert ann.aimem("show", "plan").out == "From Ann.\nFrom Ben.\n"
            listed = ann.aimem("peer", "list", "--json").json
            assert [one["name"] for one in listed["admitted"]] == [admitted]
            (remote,) = ben.aimem("peer", "list", "-w", "team", "--json").json["paired"]
            assert where in remote["url"]
            assert admitted in ann.aimem("peer", "list").out
            ann.aimem("peer", "forget", admitted)
            said = ben.aimem("sync", "-w", "team", code=ExitCode.REFUSED)
            assert "air again" in said.out + said.err

    def test_what_one_writes_reaches_a_third_who_never_meets_the_first(
        self, people: tuple[Person, Person, Person]
    ) -> None:
        ann, ben, cyd = people
        ben.aimem("new", "plan", "From Ben.")
        with ben.listening() as (listener, where):
            for person in (ann, cyd):
                person.paired(listener, where)
                person.aimem("sync")
                listener.until("left")
            ann.aimem("append", "plan", "From Ann.")
            ann.aimem("sync")
            cyd.aimem("sync")
        assert cyd.aimem("show", "plan").out == "From Ben.\nFrom Ann.\n"

    @pytest.mark.parametrize("answer", ["y", "the code", "n", ""])
    def test_a_person_at_a_terminal_is_asked_and_may_say_yes(
        self, people: tuple[Person, Person, Person], answer: str
    ) -> None:
        import pty

        ann, ben, _ = people
        agrees = answer in ("y", "the code")
        with ann.listening() as (listener, where):
            master, slave = pty.openpty()
            dialler = subprocess.Popen(
                [*COMMAND, "peer", "pair", where],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=environment({"AIMEM_HOME": str(ben.home), "NO_COLOR": "1"}),
            )
            os.close(slave)
            shown = ""
            while "[y/N]" not in shown:
                shown += os.read(master, 4_096).decode()
            code = listener.until("compare")["code"]
            assert f"Code: {code[:3]} {code[3:]}" in shown
            listener.say(code)
            said = f"{code[:3]} {code[3:]}" if answer == "the code" else answer
            os.write(master, said.encode() + b"\n")
            with suppress(OSError):
                while more := os.read(master, 4_096):
                    shown += more.decode()
            os.close(master)
            assert dialler.wait(SECONDS) == (0 if agrees else ExitCode.REFUSED)
            listener.until("paired" if agrees else "not paired")
        assert ("Paired with" in shown) is agrees
        assert "Traceback" not in shown

    @pytest.mark.parametrize("who", ["listener", "dialler"])
    def test_a_wrong_code_ends_it_on_both_sides(
        self, people: tuple[Person, Person, Person], who: str
    ) -> None:
        ann, ben, _ = people
        with ann.listening() as (listener, where):
            dialler = ben.pairing(where)
            code = dialler.until("compare")["code"]
            assert listener.until("compare")["code"] == code
            wrong = f"{(int(code) + 1) % 1_000_000:06d}"
            (listener if who == "listener" else dialler).say(wrong)
            (dialler if who == "listener" else listener).say(code)
            assert listener.until("not paired")["why"]
            assert dialler.end() == ExitCode.REFUSED
            assert json.loads(dialler.err.splitlines()[-1])["error"]["what"]
            assert ann.aimem("peer", "list", "--json").json["admitted"] == []
        assert not (ben.home / "workspaces").exists()

    def test_a_question_that_nobody_answers_keeps_nothing_from_ending(
        self, people: tuple[Person, Person, Person]
    ) -> None:
        ann, ben, _ = people
        with ann.listening() as (listener, where):
            dialler = ben.pairing(where)
            dialler.until("compare")
            listener.say("no")
            assert dialler.end() == ExitCode.REFUSED
            # And the other way round: the listener is asked, and stops all the same.
            dialler = ben.pairing(where)
            listener.until("compare")
            dialler.say("no")
            assert dialler.end() == ExitCode.REFUSED
            dialler = ben.pairing(where)
            listener.until("compare")
            assert listener.stop() == 0
            assert dialler.end() != 0

    def test_a_script_that_says_yes_without_looking_is_not_believed(
        self, people: tuple[Person, Person, Person]
    ) -> None:
        ann, ben, _ = people
        with ann.listening() as (listener, where):
            dialler = ben.pairing(where)
            dialler.until("compare")
            dialler.say("yes")
            listener.until("not paired")
            assert dialler.end() == ExitCode.REFUSED

    def test_nobody_at_standard_input_means_no(self, people: tuple[Person, Person, Person]) -> None:
        ann, ben, _ = people
        with ann.listening() as (listener, where):
            said = ben.aimem("peer", "pair", where, code=ExitCode.REFUSED)
            assert "not paired" in said.err
            listener.until("not paired")

    def test_who_is_paired_to_read_cannot_write(
        self, people: tuple[Person, Person, Person]
    ) -> None:
        ann, ben, _ = people
        ann.aimem("new", "plan", "From Ann.")
        with ann.listening("--read-only") as (listener, where):
            told = ben.paired(listener, where, "--as", "theirs")
            assert told["role"] == "reader"
            assert told["workspace"] == "theirs"
            ben.aimem("sync", "-w", "theirs")
            assert ben.aimem("show", "plan", "-w", "theirs").out == "From Ann."
            ben.aimem("new", "mine", "From Ben.", "-w", "theirs")
            process(
                "sync", "-w", "theirs", env={"AIMEM_HOME": str(ben.home), "AIMEM_AUTHOR": "ben"}
            )
        assert ann.aimem("list").out == "plan.md\n"

    def test_to_pair_again_renews_the_token_under_the_same_name(
        self, people: tuple[Person, Person, Person]
    ) -> None:
        ann, ben, _ = people
        ann.aimem("new", "plan", "From Ann.")
        with ann.listening() as (listener, where):
            first = ben.paired(listener, where)
            again = ben.paired(listener, where)
            assert again["name"] == first["name"]
            assert not again["created"]
            ben.aimem("sync", "-w", first["workspace"])
        assert len(ben.aimem("peer", "list", "--json").json["paired"]) == 1

    def test_a_second_listener_at_one_port_says_so(
        self, people: tuple[Person, Person, Person]
    ) -> None:
        ann, ben, _ = people
        with ann.listening() as (_, where):
            port = where.rpartition(":")[2]
            said = ben.aimem(
                *("peer", "--bind", LOOPBACK, "--port", port, "--hidden"), code=ExitCode.REFUSED
            )
            assert "already" in said.err

    @needs_multicast
    def test_a_machine_is_found_and_paired_by_its_name(
        self, people: tuple[Person, Person, Person]
    ) -> None:
        ann, ben, _ = people
        ann.aimem("workspace", "create", "team", "--use")
        listener = Program(ann.home, ann.name, "peer", "--bind", LOOPBACK, "--port", "0", "--json")
        try:
            told = listener.until("listening")
            found = ben.aimem("peer", "find", "--bind", LOOPBACK, "--json").json["machines"]
            (machine,) = [one for one in found if one["address"] in told["addresses"]]
            assert machine["name"] == told["name"]
            assert machine["workspace"] is None
            assert not machine["this_machine"]
            again = ann.aimem("peer", "find", "--bind", LOOPBACK, "--json").json["machines"]
            (itself,) = [one for one in again if one["this_machine"]]
            assert itself["workspace"] == "team"
            ben.paired(listener, told["name"], "--bind", LOOPBACK)
            said = ben.aimem(
                *("peer", "pair", "nobody at all", "--bind", LOOPBACK), code=ExitCode.NOT_FOUND
            )
            assert told["name"] in said.err
            assert listener.stop() == 0
        finally:
            listener.close()


def test_mistakes_are_told_in_sentences(aimem: Aimem) -> None:
    unreachable = aimem.fails("peer", "pair", f"{LOOPBACK}:1", code=ExitCode.UNREACHABLE)
    assert "aimem peer" in unreachable
    for wrong in ("1:2:3", "host:0", "host:99999", "me@host:1", "host:1/x"):
        said = aimem.fails("peer", "pair", wrong, code=ExitCode.BAD_INPUT)
        assert "not an address" in said
    said = aimem.fails("peer", "listen", "--bind", "laptop", code=ExitCode.BAD_INPUT)
    assert "digits" in said
    aimem.fails("peer", "pair", "--as", "a/b", f"{LOOPBACK}:1", code=ExitCode.BAD_INPUT)
    aimem.fails("peer", "forget", "nobody", code=ExitCode.NOT_FOUND)
    assert "No machine was paired yet" in aimem("peer", "list").err
