"""The relay as a program: how it starts, what it prints, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aimem_relay import tokens
from aimem_relay.__main__ import main
from crdt.session import events as ev
from crdt.wire.messages import CloseCode, Role
from tests.relay.clients import client, copy, insert
from tests.relay.pods import SECRET, WORKSPACE


class Program:
    """``python -m aimem_relay serve``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, object]] = []
        self.url = ""

    async def line(self, event: str) -> dict[str, object]:
        """The next log line of that kind."""
        assert self.process.stderr is not None
        while True:
            text = await self.process.stderr.readline()
            assert text, f"it ended without {event!r}"
            self.lines.append(json.loads(text))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]

    async def end(self) -> int:
        """Wait for its end, reading the rest of its log; returns the exit code."""
        assert self.process.stderr is not None
        async for text in self.process.stderr:
            self.lines.append(json.loads(text))
        return await self.process.wait()


@asynccontextmanager
async def program(folder: Path, **settings: str) -> AsyncIterator[Program]:
    """The program, once it listens; with nothing set but where its data is."""
    environment = {
        **{name: value for name, value in os.environ.items() if "AIMEM" not in name},
        "AIMEM_RELAY_DATA_DIR": str(folder),
        "AIMEM_RELAY_PORT": "0",
        **{f"AIMEM_RELAY_{name.upper()}": value for name, value in settings.items()},
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "aimem_relay", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        started = Program(process)
        async with asyncio.timeout(60):
            listening = await started.line("listening")
        started.url = f"http://127.0.0.1:{listening['port']}"
        yield started
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def issued(capsys: pytest.CaptureFixture[str], *arguments: str) -> tokens.Token:
    """What ``token`` prints, read with the secret that it was signed with."""
    assert main(["token", "--workspace", WORKSPACE, *arguments]) == 0
    printed = capsys.readouterr()
    assert not printed.err
    return tokens.read(printed.out.strip(), [SECRET])


async def test_sigterm_sends_everybody_away_stores_what_has_come_and_ends_well(
    tmp_path: Path,
) -> None:
    disk = copy(1)
    async with program(tmp_path, secrets=SECRET, drain_s="0.3") as relay:
        async with client(relay.url, disk) as ann:
            await ann.write(*[insert(f"{n}") for n in range(200)])
            relay.process.send_signal(signal.SIGTERM)
            leaving = await ann.event(ev.PeerLeaving)
            assert leaving.delay_ms >= 0
            gone = await ann.event(ev.PeerGone)
            assert (gone.code, gone.permanent) == (CloseCode.GOING_AWAY, False)
            acknowledged = ann.acknowledged
        assert await relay.end() == 0
    async with program(tmp_path, secrets=SECRET) as relay, client(relay.url, copy(2)) as ben:
        await ben.until(lambda: ben.disk.vector()[disk.replica] >= acknowledged)


async def test_nothing_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    disk = copy(1)
    async with program(tmp_path, secrets=SECRET) as relay, client(relay.url, disk) as ann:
        await ann.write(*[insert(f"{n}") for n in range(50)])
        await ann.is_acknowledged()
        relay.process.kill()
        await ann.event(ev.PeerGone)
    async with program(tmp_path, secrets=SECRET) as relay, client(relay.url, copy(2)) as ben:
        await ben.has(disk)


async def test_a_log_holds_neither_content_nor_credentials(tmp_path: Path) -> None:
    async with program(tmp_path, secrets=SECRET, drain_s="0") as relay:
        async with client(relay.url, copy(1)) as ann:
            await ann.write(insert("a secret plan"))
            await ann.is_acknowledged()
            await ann.write(b"\xff\xff")
            await ann.event(ev.PeerGone)
        async with client(relay.url, copy(2), b"wrong credential", admitted=False) as ben:
            await ben.event(ev.PeerGone)
        relay.process.send_signal(signal.SIGTERM)
        assert await relay.end() == 0
        text = json.dumps(relay.lines)
        assert "BAD_UPDATE" in text and "UNAUTHORIZED" in text
        assert "plan" not in text
        assert "aimem1." not in text and SECRET not in text and "wrong" not in text


async def test_a_relay_of_ones_own_makes_its_secret_and_keeps_it_to_its_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIMEM_RELAY_DATA_DIR", str(tmp_path))
    assert main(["token", "--workspace", WORKSPACE]) == 0
    token = capsys.readouterr().out.strip().encode()
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o600
    async with program(tmp_path) as relay, client(relay.url, copy(1), token) as ann:
        await ann.write()
        await ann.is_acknowledged()


def test_a_token_says_what_it_was_made_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIMEM_RELAY_SECRETS", SECRET)
    token = issued(capsys, "--role", "reader", "--expires", "never", "--name", "Ann")
    assert (token.workspace, token.role, token.expires, token.name) == (
        WORKSPACE,
        Role.READER,
        0,
        "Ann",
    )
    day, month = (issued(capsys, "--expires", time).expires for time in ("1d", "30d"))
    assert abs(month - day - 29 * 86_400_000) < 60_000
    assert issued(capsys).id != issued(capsys).id


@pytest.mark.parametrize(
    "arguments",
    [
        ["token", "--workspace", "mine"],
        ["token", "--workspace", WORKSPACE, "--expires", "soon"],
        ["token", "--workspace", WORKSPACE, "--expires", "0d"],
        ["--config", "nowhere.toml", "config"],
    ],
)
def test_what_is_asked_for_wrongly_is_said_in_a_sentence(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIMEM_RELAY_SECRETS", SECRET)
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err.strip().endswith(".")


def test_the_settings_are_shown_without_credentials(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIMEM_RELAY_SECRETS", SECRET)
    monkeypatch.setenv("AIMEM_RELAY_DATABASE", "postgresql://ann:hush@db.example:5432/aimem")
    monkeypatch.setenv("AIMEM_RELAY_REDIS", "redis://:hush@cache.example")
    assert main(["config"]) == 0
    shown = capsys.readouterr().out
    assert "db.example:5432/aimem" in shown and "cache.example" in shown
    assert "hush" not in shown and SECRET not in shown


async def test_machines_send_again_what_a_ledger_that_was_put_back_has_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, reader = copy(1), copy(2)
    before, after = tmp_path / "before", tmp_path / "after"
    async with program(before, secrets=SECRET) as relay, client(relay.url, disk) as ann:
        await ann.write(insert("in the backup"))
        await ann.is_acknowledged()
    shutil.copytree(before, after)
    async with program(before, secrets=SECRET) as relay, client(relay.url, disk) as ann:
        await ann.write(insert("lost"))
        await ann.is_acknowledged()
    monkeypatch.setenv("AIMEM_RELAY_DATA_DIR", str(after))
    assert await asyncio.to_thread(main, ["renew"]) == 0
    async with (
        program(after, secrets=SECRET) as relay,
        client(relay.url, disk) as ann,
        client(relay.url, reader) as ben,
    ):
        await ann.is_acknowledged()
        await ben.has(disk)
        assert ben.texts == [insert("in the backup"), insert("lost")]
