"""``python -m aimem_relay``: runs the relay, and makes what its clients need.

``serve`` (the default) runs it until SIGTERM or SIGINT; ``token`` prints a credential; ``renew`` is
for a ledger that was put back; ``config`` prints the settings in force. A relay without any
settings keeps everything in one SQLite file of this user and listens on this machine only.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import re
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from aimem_relay import logging as log
from aimem_relay import tokens
from aimem_relay.access import TokenGate, wall_ms
from aimem_relay.bus.port import Bus
from aimem_relay.config import CONFIG_VARIABLE, Config, load, shown
from aimem_relay.errors import RelayError
from aimem_relay.ledger.port import Ledger, LedgerDown, LedgerError
from crdt.ids import is_id
from crdt.wire.messages import Role

LEDGER_FILE = "ledger.db"
SWITCH_S = 0.0005
"""How long the thread of the ledger may keep the event loop waiting."""
GC_TURNS = (10_000, 20, 20)
_UNITS = {"m": 60, "h": 3_600, "d": 86_400}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 done, 1 failed, 2 asked for wrongly."""
    options = _parser().parse_args(arguments)
    try:
        config = load(options.config)
        if options.command == "token":
            return _token(config, options)
        if options.command == "renew":
            return _renew(config, options.workspace)
        if options.command == "config":
            print(json.dumps(shown(config), indent=2, ensure_ascii=False))
            return 0
        return _serve(config)
    except (RelayError, LedgerError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m aimem_relay", description="Stores and forwards between machines."
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"settings in TOML; otherwise the file that {CONFIG_VARIABLE} names, if any",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("serve", help="run the relay (the default)")
    commands.add_parser("config", help="print the settings in force, without credentials")
    renew = commands.add_parser(
        "renew", help="after an older ledger was put back: let machines send again what it lost"
    )
    renew.add_argument("--workspace", metavar="ID", help="only this one; otherwise all")
    token = commands.add_parser("token", help="print a new token for a workspace")
    token.add_argument("--workspace", required=True, metavar="ID", help="the workspace's id")
    token.add_argument(
        "--role",
        choices=[role.value for role in Role],
        default=Role.WRITER.value,
        help="default: writer",
    )
    token.add_argument(
        "--expires", default="30d", metavar="TIME", help="such as 12h, 30d or never; default: 30d"
    )
    token.add_argument("--name", default="", help="whose it is, for people")
    return parser


def _token(config: Config, options: argparse.Namespace) -> int:
    token = tokens.Token(
        _workspace(options.workspace),
        Role(options.role),
        _until(options.expires),
        tokens.new_id(),
        options.name[:256],
    )
    print(tokens.issue(token, tokens.secrets_of(config)[0]))
    return 0


def _workspace(text: str) -> str:
    workspace = text.replace("-", "").lower()
    if not is_id(workspace):
        raise RelayError("That is no workspace id: 32 hexadecimal digits are needed.")
    return workspace


def _renew(config: Config, only: str | None) -> int:
    async def renew() -> None:
        ledger = make_ledger(config)
        try:
            await ledger.start()
            found = [_workspace(only)] if only else await ledger.workspaces()
            for workspace in found:
                await ledger.renew(workspace)
        except LedgerDown as error:
            raise RelayError(f"The ledger cannot be reached: {error}") from None
        finally:
            await ledger.close()

    asyncio.run(renew())
    return 0


def _until(text: str) -> int:
    """When a token expires, ms since the Unix epoch; 0 for never."""
    if text == "never":
        return 0
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if match is None:
        raise RelayError(f"{text!r} is no time: write a number and m, h or d, or never.")
    return wall_ms() + int(match[1]) * _UNITS[match[2]] * 1_000


def _serve(config: Config) -> int:
    sys.setswitchinterval(SWITCH_S)
    # Almost all garbage goes without the collector, which looks at every live object at its turns.
    gc.set_threshold(*GC_TURNS)
    log.set_up()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(serve(config))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def make_ledger(config: Config) -> Ledger:
    """The ledger that the settings ask for; not yet started."""
    if config.database:
        from aimem_relay.ledger.postgres import PostgresLedger

        return PostgresLedger(config.database)
    from aimem_relay.ledger.sqlite import SqliteLedger

    config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    return SqliteLedger(config.data / LEDGER_FILE)


def make_bus(config: Config) -> Bus:
    """The bus that the settings ask for; not yet started."""
    if not config.redis:
        from aimem_relay.bus.local import LocalBus

        # Only a database can be shared with other pods.
        return LocalBus(alone=not config.database)
    try:
        from aimem_relay.bus.redis import RedisBus
    except ImportError:
        raise RelayError(
            "The package redis is not installed. Run: pip install 'aimem[cluster]'."
        ) from None
    try:
        return RedisBus(config.redis)
    except ValueError:
        raise RelayError("The setting redis is no URL of a Redis server.") from None


async def serve(config: Config, stopping: asyncio.Event | None = None) -> int:
    """Run a relay until it is told to stop, by ``stopping`` or by SIGTERM or SIGINT.

    Raises:
        RelayError: if it cannot begin.
    """
    from aimem_relay.relay import Relay
    from aimem_relay.server import Server

    loop = asyncio.get_running_loop()
    stopping = stopping or asyncio.Event()
    for name in ("SIGTERM", "SIGINT"):
        loop.add_signal_handler(getattr(signal, name), stopping.set)
    gate = TokenGate(tokens.secrets_of(config), config.revoked)
    async with AsyncExitStack() as stack:
        ledger = make_ledger(config)
        try:
            await ledger.start()
        except LedgerDown as error:
            raise RelayError(f"The ledger cannot be reached: {error}") from None
        stack.push_async_callback(ledger.close)
        relay = Relay(config, ledger, make_bus(config), gate)
        await relay.start()
        stack.push_async_callback(relay.stop)
        server = Server(relay)
        await server.start()
        stack.push_async_callback(server.stop)
        gc.collect()
        gc.freeze()
        await stopping.wait()
        await server.drain()
    log.event("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
