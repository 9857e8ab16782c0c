"""The whole way, as people go it: a relay, its tokens, and machines of their own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

from tests.cli.running import COMMAND, Ran, environment, process
from tests.sync.places import RelayProcess


class Home:
    """One person's machine: the command line over a home of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self._env = {"AIMEM_HOME": str(folder / name), "AIMEM_AUTHOR": name}

    def __call__(self, *args: str, stdin: str = "", code: int = 0) -> Ran:
        ran = process(*args, stdin=stdin.encode(), env=self._env)
        assert ran.code == code, (args, ran)
        assert "Traceback" not in ran.err
        return ran

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*COMMAND, *args],
            env=environment(self._env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


def test_a_team_that_starts_from_nothing_ends_with_the_same_thoughts(tmp_path, relay: RelayProcess):
    ann, ben, cleo = (Home(tmp_path, name) for name in ("ann", "ben", "cleo"))
    ann("new", "plan", "# Plan\n\nWe replace the session cookie.\n")

    # What the commands say leads on.
    said = ann("connect", relay.url, code=4).err
    asked = re.search(r"aimem relay token --workspace ([0-9a-f]{32})\.", said)
    assert asked is not None
    token = relay.make_token(workspace=asked[1])
    said = ann("connect", relay.url, "--token-stdin", stdin=token).err
    address = re.search(r"aimem connect (ws://\S+)\.$", said, re.MULTILINE)
    assert address is not None
    assert "Durable on relay." in ann("sync").out
    for other in (ben, cleo):
        other(
            "connect",
            address[1],
            "-w",
            "team",
            "--token-stdin",
            stdin=relay.make_token(workspace=asked[1]),
        )
        other("sync", "-w", "team")

    # All three write into one paragraph while nobody is connected.
    ann("edit", "plan", "--text", "-", stdin="# Plan\n\nWe soon replace the session cookie.\n")
    ben("append", "plan", "By Ben.", "-w", "team")
    cleo("tag", "plan", "auth", "-w", "team")
    for _ in range(2):
        for home, workspace in ((ann, "default"), (ben, "team"), (cleo, "team")):
            home("sync", "-w", workspace)
    texts = {
        home("show", "plan", "-w", workspace).out
        for home, workspace in ((ann, "default"), (ben, "team"), (cleo, "team"))
    }
    (text,) = texts
    for part in ("We soon replace", "By Ben.", "auth"):
        assert part in text
    assert "plan.md" in ben("search", "soon", "-w", "team").out


def test_a_sync_that_is_stopped_ends_in_order(tmp_path, relay: RelayProcess):
    ann = Home(tmp_path, "ann")
    said = ann("connect", relay.url, code=4).err
    workspace = re.findall(r"--workspace ([0-9a-f]{32})", said)[0]
    token = relay.make_token(workspace=workspace)
    ann("connect", relay.url, "--token-stdin", stdin=token)
    with ann.start("sync", "--watch") as watching:
        assert watching.stdout is not None
        assert b"relay" in watching.stdout.readline()
        os.kill(watching.pid, signal.SIGINT)
        _, err = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert b"Traceback" not in err


def test_a_token_for_another_workspace_or_none_is_refused(tmp_path, relay: RelayProcess):
    ann = Home(tmp_path, "ann")
    said = ann("connect", relay.url, "--token-stdin", stdin=relay.token, code=4).err
    assert "Ask" in said
    said = ann("connect", relay.url, "--token-stdin", stdin="made up", code=4).err
    assert "does not accept this token" in said
