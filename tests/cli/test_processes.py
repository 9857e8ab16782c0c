"""The command line as scripts and shells meet it: streams, signals, exit codes, terminals."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.running import COMMAND, Aimem, environment, process

LISTENING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""A shell that starts the tests in the background has them, and all they start, ignore Ctrl-C."""

STALLED_IMPORT = f"""
{LISTENING}
import sys
from aimem_tui.cli.main import main
from aimem_tui.cli.progress import LongWork

def announced(self, progress):
    if progress.step == "Importing":
        print("batch", flush=True)
        sys.stdin.readline()
LongWork.progress = announced
sys.exit(main())
"""

STALLED_REBUILD = STALLED_IMPORT.replace("Importing", "Rebuilding")

STALLED_APPEND = f"""
{LISTENING}
import sys
from aimem_tui.cli import texts
from aimem_tui.cli.main import main

read = texts.read_stdin
def announced():
    print("reading", flush=True)
    return read()
texts.read_stdin = announced
sys.exit(main())
"""


@contextmanager
def started(
    *args: str, command: list[str] = COMMAND, **streams: int
) -> Iterator[subprocess.Popen[bytes]]:
    """A command under way."""
    run = subprocess.Popen(
        [*command, *args],
        stdin=streams.get("stdin", subprocess.PIPE),
        stdout=streams.get("stdout", subprocess.PIPE),
        stderr=streams.get("stderr", subprocess.PIPE),
        env=environment(),
    )
    try:
        yield run
    finally:
        run.kill()
        run.communicate()


def at_a_terminal(
    *args: str, typed: bytes = b"", env: dict[str, str] | None = None
) -> tuple[int, str]:
    """Run a command at a terminal of 60 columns; its exit code and what is shown."""
    master, slave = pty.openpty()
    run = subprocess.Popen(
        [*COMMAND, *args],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment({"TERM": "xterm", "COLUMNS": "60", **(env or {})}),
    )
    os.close(slave)
    if typed:
        os.write(master, typed)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65_536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    return run.wait(timeout=60), shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["list"], 0),
        ([], 0),
        (["--help"], 0),
        (["list", "--nope"], 2),
        (["show", "nope"], 3),
        (["purge", "a"], 4),
        (["new", "../x"], 5),
        (["edit", "b"], 7),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_each_end_has_its_exit_code(aimem: Aimem, arguments: list[str], code: int) -> None:
    aimem("new", "a")
    aimem("trash", "a")
    aimem("new", "b")
    ran = process(*arguments, env={"EDITOR": "false"}, stdin=None)
    assert ran.code == code
    assert bool(ran.err.strip()) == bool(code)


def test_text_that_is_piped_or_redirected_in_is_taken(aimem: Aimem, tmp_path: Path) -> None:
    process("new", "a", stdin=b"piped\n")
    process("append", "a", stdin=b"more\n")
    file = tmp_path / "text"
    file.write_bytes(b"from a file\n")
    with file.open("rb") as stream:
        subprocess.run([*COMMAND, "new", "b"], stdin=stream, env=environment(), check=True)
    process("new", "c", stdin=None)
    shown = [aimem("show", name).out for name in "abc"]
    assert shown == ["piped\nmore\n", "from a file\n", "# C\n"]


def test_nobody_waits_for_an_idle_socket(aimem: Aimem) -> None:
    import socket

    ours, theirs = socket.socketpair()
    with ours, theirs:
        subprocess.run(
            [*COMMAND, "new", "a"], stdin=theirs.fileno(), env=environment(), check=True, timeout=60
        )
    assert aimem("show", "a").out == "# A\n"


def test_closed_streams_are_no_trouble(aimem: Aimem) -> None:
    quoted = f'exec "{sys.executable}" -c "$0" "$@"'
    shell = ["sh", "-c", f"{quoted} <&- >&- 2>&-", COMMAND[2]]
    assert process("new", "a", command=shell).code == 0
    assert process("show", "nope", command=shell).code == 3
    assert aimem("list").out == "a.md\n"


def test_a_reader_that_goes_away_ends_a_command_quietly(aimem: Aimem) -> None:
    for number in range(5):
        aimem("new", f"notes/{number}", "x" * 60_000)
    reader, writer = os.pipe()
    os.close(reader)
    for arguments in (["list"], ["list", "--json"], ["show", "0"], ["--help"]):
        with started(*arguments, stdout=writer) as run:
            _, error = run.communicate(timeout=60)
            assert (run.returncode, error) == (0, b"")
    os.close(writer)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_output_that_cannot_be_written_is_explained(aimem: Aimem) -> None:
    aimem("new", "a")
    with Path("/dev/full").open("wb") as full:
        for arguments in (["list"], ["show", "a"], ["status", "--json"]):
            with started(*arguments, stdout=full.fileno()) as run:
                _, error = run.communicate(timeout=60)
                assert run.returncode == 6
                assert b"The output cannot be written." in error
                assert b"Traceback" not in error
                assert b"Exception ignored" not in error


def test_ctrl_c_ends_an_import_after_the_batch_in_hand_and_the_next_goes_on(
    aimem: Aimem, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(350):
        (folder / f"{number:03}.md").write_text(f"# {number}\n")
    command = [sys.executable, "-c", STALLED_IMPORT]
    with started("import", str(folder), command=command) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"batch\n"
        run.send_signal(signal.SIGINT)
        out, error = run.communicate(b"\n" * 9, timeout=60)
        assert run.returncode == 130
        assert b"Stopped early." in out
        assert b"100 new" in out
        assert error == b""
    assert aimem("status", "--json").json["thoughts"] == 100
    report = aimem("import", str(folder), "--json").json
    assert (report["created"], report["unchanged"]) == (250, 100)


def test_ctrl_c_ends_a_rebuild_that_the_next_command_completes(aimem: Aimem) -> None:
    for number in range(3):
        aimem("new", f"notes/{number}")
    command = [sys.executable, "-c", STALLED_REBUILD]
    with started("doctor", "--rebuild", command=command) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"batch\n"
        run.send_signal(signal.SIGINT)
        out, error = run.communicate(b"\n" * 9, timeout=60)
        assert (run.returncode, out, error) == (130, b"", b"")
    assert aimem("list").out == "notes/0.md\nnotes/1.md\nnotes/2.md\n"
    assert aimem("doctor", "--json").json["ok"] is True


def test_ctrl_c_at_any_other_time_ends_with_130_and_no_traceback(aimem: Aimem) -> None:
    aimem("new", "a")
    with started("append", "a", "-", command=[sys.executable, "-c", STALLED_APPEND]) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"reading\n"
        run.send_signal(signal.SIGINT)
        assert run.wait(timeout=60) == 130
        out, error = run.communicate()
        assert (out, error) == (b"", b"")
    assert aimem("show", "a").out == "# A\n"


def test_colour_is_for_terminals_and_no_color_is_heard(aimem: Aimem) -> None:
    aimem("new", "plans/a", "# A word\n")
    _, shown = at_a_terminal("search", "word")
    assert "\x1b[1mword\x1b[22m" in shown
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in at_a_terminal("search", "word", env=env)[1]
    assert "\x1b[1m" in at_a_terminal("search", "word", env={"NO_COLOR": ""})[1]
    assert "\x1b" not in process("search", "word").out


def test_a_terminal_is_not_overrun_and_not_tricked(aimem: Aimem) -> None:
    aimem("new", "plans/" + "long-" * 20 + "name", "# T\n\x1b]0;owned\x07\r\nend")
    _, shown = at_a_terminal("list", "--long", env={"NO_COLOR": "1"})
    assert all(len(line) <= 60 for line in shown.splitlines())
    assert "long-name.md" in shown
    _, shown = at_a_terminal("show", "plans/" + "long-" * 20 + "name")
    assert shown == "# T\n\\x1b]0;owned\\x07\nend\n"
    assert "\x1b]0;owned\x07" in at_a_terminal("show", "--raw", "plans/" + "long-" * 20 + "name")[1]


def test_purge_asks_at_a_terminal(aimem: Aimem) -> None:
    aimem("new", "a")
    aimem("trash", "a")
    code, shown = at_a_terminal("purge", "a", typed=b"n\n")
    assert (code, "[y/N]" in shown, "Nothing was purged." in shown) == (4, True, True)
    assert aimem("list", "--trash").out == "a.md\n"
    code, shown = at_a_terminal("purge", "a", typed=b"y\n")
    assert code == 0
    assert aimem("list", "--trash").out == ""


def test_progress_is_for_terminals(aimem: Aimem, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(250):
        (folder / f"{number:03}.md").write_text(f"# {number}\n")
    code, shown = at_a_terminal("import", str(folder))
    assert code == 0
    assert " of 250" in shown
    assert process("import", str(folder)).err == ""
    assert shown.splitlines()[-1].endswith("Imported: 250 new, 0 updated, 0 unchanged, 0 skipped.")


def test_a_defect_is_one_sentence_and_a_log(aimem: Aimem, aimem_home: Path) -> None:
    broken = (
        "import sys; from aimem_tui.cli.main import main;"
        " from aimem_tui.workspace.workspace import Workspace;"
        " Workspace.status = lambda self: 1 / 0; sys.exit(main())"
    )
    command = [sys.executable, "-c", broken]
    ran = process("status", command=command)
    log = aimem_home / "state" / "aimem.log"
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (f"Something went wrong inside aimem.\nWhat it was is written in {log}.\n")
    assert "ZeroDivisionError" in log.read_text()
    assert "Traceback" in process("status", command=command, env={"AIMEM_DEBUG": "1"}).err


def test_output_survives_an_encoding_that_lacks_its_characters(aimem: Aimem) -> None:
    aimem("new", "été", "# 設計\n")
    latin = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    ran = subprocess.run(
        [*COMMAND, "list", "--long"], capture_output=True, env=environment(latin), check=True
    )
    assert "été.md".encode("latin-1") in ran.stdout
    ran = subprocess.run(
        [*COMMAND, "list", "--json"], capture_output=True, env=environment(latin), check=True
    )
    assert b"\\u8a2d" in ran.stdout
    assert process("show", "été", env=latin).out == "# 設計\n"


def test_aimem_opens_the_app_at_a_terminal(aimem: Aimem, tmp_path: Path) -> None:
    aimem("workspace", "create", "team")
    fake = (
        "import sys, types; app = types.ModuleType('aimem_tui.app');"
        " app.run = lambda home, settings, workspace: print('app', workspace.name) or 0;"
        " sys.modules['aimem_tui.app'] = app;"
        " from aimem_tui.cli.main import main; sys.exit(main())"
    )
    master, slave = pty.openpty()
    ran = subprocess.run(
        [sys.executable, "-c", fake, "--workspace", "team"],
        stdin=slave,
        stdout=slave,
        env=environment(),
        check=True,
    )
    os.close(slave)
    assert os.read(master, 100) == b"app team\r\n"
    os.close(master)
    assert ran.returncode == 0
