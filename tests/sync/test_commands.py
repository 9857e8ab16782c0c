"""``aimem connect``, ``sync``, ``disconnect`` and ``relay``, as people and scripts use them."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aimem_tui.sync.credentials import FILE_NAME
from crdt.wire.messages import Role
from tests.cli.running import Aimem, environment, process
from tests.cli.test_processes import at_a_terminal
from tests.sync.stations import TOKEN, Hub
from tests.sync.wires import WORKSPACE


def connect(aimem: Aimem, hub: Hub, *more: str, name: str = "team") -> None:
    url = f"{hub.url}/sync/{WORKSPACE}"
    aimem("connect", url, "-w", name, "--token-stdin", *more, stdin=TOKEN)


def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class _NotFound(BaseHTTPRequestHandler):
    """A web server that has nothing."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def web_server() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _NotFound) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            yield web.server_port
        finally:
            web.shutdown()
            thread.join()


def test_connecting_to_a_workspace_elsewhere_makes_it_here_and_sync_fills_it(aimem, hub):
    hub.station.workspace.create("plan.md", "# Plan\n")
    ran = aimem(
        "connect",
        f"{hub.url}/sync/{WORKSPACE}",
        "-w",
        "team",
        "--token-stdin",
        stdin=TOKEN,
    )
    assert "Made the workspace team." in ran.out
    assert "Connected team to relay. You may read and write there." in ran.out
    assert "From now on team is used." in ran.err
    assert aimem("sync").out == "Received 1 change. In step.\n"
    assert aimem("list").out == "plan.md\n"
    aimem("append", "plan", "more")
    assert aimem("sync").out == "Received nothing, sent 1. Durable on relay.\n"
    assert aimem("sync").out == "Nothing new. Durable on relay.\n"
    assert hub.station.texts() == {"plan.md": "# Plan\nmore\n"}


def test_who_has_thoughts_already_stays_with_them_when_another_workspace_comes(aimem, hub):
    aimem("new", "own", "# Own\n")
    ran = aimem(
        "connect", f"{hub.url}/sync/{WORKSPACE}", "-w", "team", "--token-stdin", stdin=TOKEN
    )
    assert "aimem sync -w team" in ran.err
    assert "To use it from now on: aimem workspace use team." in ran.err
    assert aimem("list").out == "own.md\n"


def test_the_token_is_in_a_file_that_only_its_owner_can_read_and_that_is_said(
    aimem, hub, home: Path
):
    ran = aimem("connect", f"{hub.url}/sync/{WORKSPACE}", "--token-stdin", stdin=TOKEN)
    file = home / "aimem" / FILE_NAME
    assert str(file) in ran.err and "only you can read" in ran.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert TOKEN in file.read_text()
    assert TOKEN not in ran.out + ran.err
    everything = [path.read_bytes() for path in (home / "aimem").rglob("*") if path.is_file()]
    assert sum(TOKEN.encode() in content for content in everything) == 1
    aimem("disconnect", "relay", "-w", "relay")
    assert TOKEN not in file.read_text()


def test_json_says_what_was_done(aimem, hub):
    url = f"{hub.url}/sync/{WORKSPACE}"
    made = aimem("connect", url, "--token-stdin", "--name", "office", "--json", stdin=TOKEN).json
    assert made == {
        "remote": {"name": "office", "url": url, "kind": "relay"},
        "workspace": "relay",
        "created": True,
        "role": "writer",
    }
    aimem("new", "plan", "-w", "relay")
    state = aimem("sync", "-w", "relay", "--json").json
    (remote,) = state["remotes"]
    assert (state["edits"], state["waiting"], state["oldest_waiting_at"]) == (1, 0, None)
    assert (remote["name"], remote["state"], remote["complete"]) == ("office", "in step", True)
    assert (remote["sent"], remote["received"], remote["problem"]) == (1, 0, "")
    gone = aimem("disconnect", "office", "-w", "relay", "--json").json
    assert gone["remote"]["name"] == "office"


def test_connecting_again_renews_the_token(aimem, hub):
    connect(aimem, hub)
    hub.token = "another"
    assert "does not accept the token" in aimem.fails("sync", "-w", "team", code=4)
    aimem("connect", f"{hub.url}/sync/{WORKSPACE}", "--token-stdin", stdin="another\n")
    assert aimem("sync", "-w", "team").out == "Nothing new. In step.\n"
    assert len(aimem("sync", "-w", "team", "--json").json["remotes"]) == 1


def test_what_a_relay_is_called_can_be_chosen_and_changed(aimem, hub):
    url = f"{hub.url}/sync/{WORKSPACE}"
    said = aimem.fails("connect", url, "--name", "../x", "--token-stdin", stdin=TOKEN, code=5)
    assert "cannot be a name" in said
    assert aimem("workspace", "list", "--json").json["workspaces"] == []
    connect(aimem, hub, "--name", "office")
    connect(aimem, hub, "--name", "home")
    (remote,) = aimem("sync", "-w", "team", "--json").json["remotes"]
    assert remote["name"] == "home"
    file = Path(aimem("workspace", "path", "team").out.strip()).parent / "remotes.toml"
    file.write_text(file.read_text() + '[[remote]]\nname = "other"\nurl = "ws://other"\n')
    said = aimem.fails("connect", url, "--name", "other", "--token-stdin", stdin=TOKEN, code=4)
    assert "connected already" in said


def test_a_reader_is_told_that_own_changes_stay(aimem, hub):
    hub.role = Role.READER
    ran = aimem("connect", f"{hub.url}/sync/{WORKSPACE}", "--token-stdin", stdin=TOKEN)
    assert "You may read there." in ran.out
    aimem("new", "mine", "-w", "relay")
    ran = aimem("sync", "-w", "relay")
    assert ran.out == "Nothing new. Saved here.\n"
    assert "relay lets you read only. Not sent: 1 change of yours." in ran.err
    assert hub.station.texts() == {}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("relay.example.org", "neither with ws:// nor with wss://"),
        ("https://relay.example.org", "wss:// is needed"),
        ("http://relay.example.org", "ws:// is needed"),
        ("wss://", "names no computer"),
        ("wss://relay.example.org:notaport", "Port"),
        ("wss://relay.example.org/other", "only /sync/WORKSPACE"),
        ("wss://relay.example.org/sync/short", "32 digits"),
        ("wss://ann:secret@relay.example.org", "does not belong into an address"),
        ("wss://relay.example.org?token=secret", "does not belong into an address"),
        ("wss://[::1", "not an address"),
        ("", "not an address"),
    ],
)
def test_an_address_that_is_none_is_refused_with_the_reason(aimem, url, why):
    said = aimem.fails("connect", url, code=5)
    assert why in said
    assert "wss://relay.example.org" in said


def test_a_relay_that_is_not_there_is_said_and_nothing_is_kept(aimem):
    url = f"ws://127.0.0.1:{unused_port()}"
    said = aimem.fails("connect", url, code=8)
    assert "cannot be reached: connection refused" in said and "Check the address" in said
    assert "no other copy to sync with" in aimem.fails("sync", code=3)
    said = aimem.fails("connect", "ws://no-such-computer.invalid", code=8)
    assert "no-such-computer.invalid" in said


def test_a_server_that_is_no_relay_is_said(aimem):
    with web_server() as port:
        said = aimem.fails("connect", f"ws://127.0.0.1:{port}", code=4)
        assert "not as a relay does (HTTP 404)" in said
        said = aimem.fails("connect", f"wss://127.0.0.1:{port}", code=4)
        assert "does not speak TLS" in said and "ws://" in said


def test_a_wrong_or_missing_token_is_said_with_what_to_do(aimem, hub):
    url = f"{hub.url}/sync/{WORKSPACE}"
    said = aimem.fails("connect", url, "--token-stdin", stdin="wrong", code=4)
    assert "does not accept this token" in said and "The token is not known here." in said
    assert "--token-stdin" in aimem.fails("connect", url, code=4)
    assert "No token came in." in aimem.fails("connect", url, "--token-stdin", code=5)
    said = aimem.fails("connect", url, "--token-stdin", stdin=b"\xff\xfe", code=5)
    assert "not UTF-8" in said
    assert "not a token" in aimem.fails("connect", url, "--token-stdin", stdin="a\nb", code=5)
    assert "not a token" in aimem.fails("connect", url, "--token-stdin", stdin="x" * 20_000, code=5)
    assert aimem("workspace", "list", "--json").json["workspaces"] == []


def test_another_workspace_at_the_address_is_said(aimem, hub):
    said = aimem.fails("connect", hub.url, "--token-stdin", stdin=TOKEN, code=4)
    assert "another workspace" in said


def test_a_workspace_that_is_here_is_not_made_twice_nor_mixed_with_another(aimem, hub):
    aimem("workspace", "create", "other")
    url = f"{hub.url}/sync/{WORKSPACE}"
    said = aimem.fails("connect", url, "-w", "other", "--token-stdin", stdin=TOKEN, code=4)
    assert "other is another workspace" in said
    connect(aimem, hub)
    said = aimem.fails("connect", url, "-w", "more", "--token-stdin", stdin=TOKEN, code=4)
    assert "already, as team" in said


def test_sync_names_what_it_does_not_know(aimem, hub):
    assert "no other copy to sync with" in aimem.fails("sync", code=3)
    assert "aimem connect URL" in aimem.fails("sync", code=3)
    assert "Nothing called office" in aimem.fails("sync", "--remote", "office", code=3)
    assert "aimem peer pair" in aimem.fails("sync", "--local", code=3)
    assert "Nothing called office" in aimem.fails("disconnect", "office", code=3)
    connect(aimem, hub)
    assert "There are: relay." in aimem.fails("sync", "--remote", "x", "-w", "team", code=3)
    assert "paired" in aimem.fails("sync", "--local", "-w", "team", code=3)
    assert "no workspace called gone" in aimem.fails("sync", "-w", "gone", code=3)


def test_a_relay_that_is_down_ends_sync_with_its_own_code(aimem, hub):
    connect(aimem, hub)
    hub.__exit__()
    said = aimem.fails("sync", "-w", "team", "--timeout", "0", code=8)
    assert "relay could not be synced with." in said and "cannot be reached" in said
    ran = aimem("sync", "-w", "team", "--timeout", "0.5", "--json", code=8)
    assert ran.out == "" and ran.error["code"] == 8
    hub.__init__(hub.station)
    hub.__enter__()


def test_a_relay_that_is_busy_for_a_while_is_tried_again(aimem, hub):
    connect(aimem, hub)
    aimem("new", "plan", "-w", "team")
    hub.busy = hub.dialled + 4
    assert "sent 1" in aimem("sync", "-w", "team", "--timeout", "60").out
    assert hub.dialled == hub.busy + 1
    assert hub.station.texts() == {"plan.md": "# Plan\n"}


def test_a_person_is_told_that_it_is_tried_again(aimem, hub):
    connect(aimem, hub)
    hub.busy = 1 << 30
    code, shown = at_a_terminal("sync", "-w", "team", "--timeout", "2")
    assert code == 8
    assert "relay cannot be reached. Trying again." in shown
    assert "relay could not be synced with." in shown


def test_sync_tells_scripts_what_went_over_the_line(aimem, hub):
    hub.station.workspace.create("plan.md", "x" * 50_000)
    connect(aimem, hub)
    (first,) = json.loads(aimem("sync", "-w", "team", "--json").out)["remotes"]
    (second,) = json.loads(aimem("sync", "-w", "team", "--json").out)["remotes"]
    assert 50_000 < first["traffic"]["bytes_received"] < 52_000
    assert second["traffic"]["bytes_received"] < 1_000
    for traffic in (first["traffic"], second["traffic"]):
        assert 0 < traffic["bytes_sent"] < 1_000
        assert traffic["frames_received"] > 1 and traffic["frames_sent"] > 1


def test_what_one_relay_lacks_another_has_all_the_same(aimem, hub, make, tmp_path):
    connect(aimem, hub)
    file = Path(aimem("workspace", "path", "team").out.strip()).parent / "remotes.toml"
    url = f"ws://127.0.0.1:{unused_port()}/sync/{WORKSPACE}"
    file.write_text(
        file.read_text() + f'\n[[remote]]\nname = "down"\nurl = "{url}"\nkind = "relay"\n'
    )
    aimem("new", "plan", "-w", "team")
    ran = aimem("sync", "-w", "team", "--timeout", "0", code=8)
    assert "relay  Received nothing, sent 1." in ran.out
    assert "Durable on relay." in ran.out
    assert "down is not in step." in ran.err
    assert hub.station.texts() == {"plan.md": "# Plan\n"}
    assert (
        aimem("sync", "-w", "team", "--remote", "relay").out == "Nothing new. Durable on relay.\n"
    )


@pytest.mark.parametrize(
    "content",
    [
        "remote = 3",
        "[[remote]]\nname = 7",
        '[[remote]]\nname = "a"\nurl = "http://x"',
        '[[remote]]\nname = "a"\nurl = "ws://x"\nkind = "moon"',
        '[[remote]]\nname = "../a"\nurl = "ws://x"',
        '[[remote]]\nname = "a"\nurl = "ws://x"\nfingerprint = "12"',
        "not toml at all [",
    ],
)
def test_a_broken_list_of_remotes_is_said(aimem, content):
    aimem("list")
    file = Path(aimem("workspace", "path").out.strip()).parent / "remotes.toml"
    file.write_text(content)
    said = aimem.fails("sync", code=5)
    assert "remotes.toml cannot be used." in said and "Mend it" in said


def test_watching_says_what_changes_until_it_is_stopped(hub, aimem):
    connect(aimem, hub)
    with subprocess.Popen(
        [sys.executable, "-m", "aimem_tui", "sync", "-w", "team", "--watch", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
    ) as watching:
        assert watching.stdout is not None
        states = (json.loads(line) for line in watching.stdout)
        assert any(state["remotes"][0]["state"] == "in step" for state in states)
        aimem("new", "plan", "-w", "team")
        assert any(state["edits"] == 1 and not state["waiting"] for state in states)
        assert hub.station.texts() == {"plan.md": "# Plan\n"}
        os.kill(watching.pid, signal.SIGINT)
        _, said = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert "Traceback" not in said


def test_the_relays_own_program_is_run_with_all_that_follows(home: Path):
    ran = process("relay", "token", "--workspace", WORKSPACE, "--role", "reader")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.strip()
    ran = process("relay", "token", "--help")
    assert ran.code == 0 and "--workspace" in ran.out
    assert process("relay", "fly").code == 2
