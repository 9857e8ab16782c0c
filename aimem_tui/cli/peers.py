"""Listening and pairing at a terminal or in a script: what is said, and what is asked.

- With ``--json`` whatever happens is one object on a line of its own, written at once.
- At a terminal a person is asked whether the other machine shows the same code. A script must hand
  in the code that the other machine shows, on a line of standard input; no word stands for it.
- Standard input is read by a thread that nobody waits for, so that a question which is not answered
  keeps nothing from ending.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from aimem_tui import __version__
from aimem_tui.cli import output, terminal
from aimem_tui.cli.diagnostics import note
from aimem_tui.cli.styling import bold, safe
from aimem_tui.cli.times import iso
from aimem_tui.errors import AimemError
from aimem_tui.sync.exchange import Exchange
from aimem_tui.sync.peer import meeting, tls
from aimem_tui.sync.peer.admission import Admission, Admissions
from aimem_tui.sync.peer.discovery import join_address
from aimem_tui.sync.peer.listener import PeerListener, Place, Terms
from aimem_tui.sync.peer.naming import machine_name
from aimem_tui.sync.peer.pairing import Compare, Granted
from aimem_tui.sync.state import Phase, link_in_words
from aimem_tui.workspace import arrival, pairing
from crdt.wire.messages import Role

if TYPE_CHECKING:
    from aimem_tui.cli.context import Session

AGENT = f"aimem {__version__}"


def listen(session: Session, place: Place, terms: Terms, *, as_json: bool) -> None:
    """Let other machines connect until somebody stops it.

    Raises:
        AimemError: if nobody can listen there.
    """
    asyncio.run(_Listening(session, place, terms, _Teller(as_json)).run())


def pair(
    session: Session,
    host: str,
    port: int,
    *,
    workspace_name: str | None,
    read_only: bool,
    as_json: bool,
) -> None:
    """Pair with a machine that listens, and keep what it gives.

    Raises:
        AimemError: if nobody is there, or one of the two sides does not agree.
    """
    teller = _Teller(as_json)
    keeper = _Keeper(session, join_address(host, port), workspace_name)
    granted = asyncio.run(_ask(session, host, port, read_only, teller, keeper))
    teller.tell(
        {
            "event": "paired",
            "name": keeper.name,
            "workspace": keeper.workspace_name,
            "created": keeper.created,
            "role": granted.role.value,
            "expires_at": iso(granted.expires) if granted.expires else None,
            "fingerprint": keeper.fingerprint,
        },
        f"Paired with {granted.name}, called {keeper.name} here.",
    )
    if keeper.created:
        note("Its workspace is ", bold(keeper.workspace_name), " here; it is empty so far.")
        if session.move_in(keeper.workspace_name):
            note(f"From now on {keeper.workspace_name} is used.")
    if keeper.in_file:
        note("There is no keyring, so the token is in a file that only you can read.")
    note(f"To exchange: aimem sync --workspace {keeper.workspace_name}.")


async def _ask(
    session: Session, host: str, port: int, read_only: bool, teller: _Teller, keeper: _Keeper
) -> Granted:
    return await meeting.ask(
        host,
        port,
        name=machine_name(session.settings.author),
        role=Role.READER if read_only else Role.WRITER,
        agree=teller.agree,
        keep=keeper.keep,
    )


class _Keeper:
    """Puts on disk what pairing has given."""

    def __init__(self, session: Session, where: str, wanted_name: str | None) -> None:
        self._home = session.home
        self._where = where
        self._wanted_name = wanted_name
        self.name = ""
        self.workspace_name = ""
        self.fingerprint = ""
        self.created = False
        """Whether the workspace is new here."""
        self.in_file = False
        """Whether the token is in a file."""

    def keep(self, granted: Granted, fingerprint: bytes) -> None:
        """Keep remote and token, in a workspace that is made if it is not here.

        Raises:
            AimemError: if that cannot be done.
        """
        self.fingerprint = fingerprint.hex()
        entry = arrival.find(self._home, granted.workspace)
        if entry is None:
            name = self._wanted_name or arrival.free_name(self._home, granted.workspace_name)
            entry = arrival.make(self._home, name, granted.workspace)
            self.created = True
        self.workspace_name = entry.name
        kept = pairing.keep(
            entry.file.parent, self._home.config, self._where, granted, self.fingerprint
        )
        self.name, self.in_file = kept.name, kept.in_file


class _Listening:
    """One run of ``aimem peer``."""

    def __init__(self, session: Session, place: Place, terms: Terms, teller: _Teller) -> None:
        self._session = session
        self._place = place
        self._terms = terms
        self._teller = teller
        self._listener: PeerListener | None = None
        self._exchange: Exchange | None = None
        self._phases: dict[str, Phase] = {}
        self._notice = ""
        self._stop = asyncio.Event()
        self._unsaid: Exception | None = None
        """Why nothing can be said any more."""

    async def run(self) -> None:
        """Until Ctrl-C or SIGTERM."""
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM"):
            with suppress(NotImplementedError, AttributeError):
                loop.add_signal_handler(getattr(signal, name), self._stop.set)
        session = self._session
        workspace = session.open()
        assert session.file is not None
        async with Exchange(
            workspace.database, agent=AGENT, on_change=self._changed, clock=session.clock
        ) as exchange:
            listener = PeerListener(
                exchange,
                self._place,
                admissions=Admissions(session.file.parent),
                certificate=tls.device_certificate(session.home.data),
                clock=session.clock,
                terms=self._terms,
                agree=self._teller.agree,
                on_paired=self._paired,
                on_failed=self._failed,
            )
            await listener.start()
            self._exchange, self._listener = exchange, listener
            try:
                self._began(listener)
                await self._stop.wait()
            finally:
                self._listener = None
                await listener.stop()
        if self._unsaid is not None:
            raise self._unsaid

    def _began(self, listener: PeerListener) -> None:
        place = self._place
        where = [join_address(address, listener.port) for address in listener.addresses]
        self._teller.tell(
            {
                "event": "listening",
                "addresses": where,
                "name": place.name,
                "workspace": place.workspace_name,
                "workspace_id": place.workspace,
            },
            f"Listening at {' and '.join(where)} for the workspace {place.workspace_name},"
            f" as {place.name}.",
        )
        if where:
            note(f"To pair another machine, run there: aimem peer pair {where[0]}")
        if listener.not_told is not None:
            note("Others do not find this machine by name: ", listener.not_told.why)
        note("Ctrl-C stops.")

    def _changed(self) -> None:
        if self._listener is None or self._exchange is None:
            return
        guests = set(self._listener.guests)
        for name in [name for name in self._phases if name not in guests]:
            del self._phases[name]
            self._tell({"event": "left", "name": name}, f"{name} has left.")
        state = self._exchange.state()
        for link in state.links:
            if link.name not in guests or self._phases.get(link.name) is link.phase:
                continue
            if link.name not in self._phases:
                self._tell({"event": "connected", "name": link.name}, f"{link.name} has connected.")
            self._phases[link.name] = link.phase
            if link.phase is Phase.IN_STEP:
                said = link_in_words(link, self._session.clock())
                self._tell(
                    {
                        "event": "in step",
                        "name": link.name,
                        "received": link.received,
                        "sent": link.sent,
                    },
                    f"{link.name}: {said[:1].lower()}{said[1:]}",
                )
        if state.notice != self._notice:
            self._notice = state.notice
            note(state.notice)

    def _paired(self, admission: Admission) -> None:
        rights = "read and write" if admission.role is Role.WRITER else "read"
        self._tell(
            {"event": "paired", "name": admission.name, "role": admission.role.value},
            f"Paired with {admission.name}, who may {rights}.",
        )

    def _failed(self, error: AimemError) -> None:
        self._tell({"event": "not paired", "why": error.why}, str(error))

    def _tell(self, event: dict[str, object], said: str) -> None:
        try:
            self._teller.tell(event, said)
        except (AimemError, OSError) as error:
            # Whoever listened has gone, as in `aimem peer | head`.
            self._unsaid = error
            self._stop.set()


class _Teller:
    """Says what happens, and asks about codes."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._answers: _Answers | None = None

    def tell(self, event: dict[str, object], said: str) -> None:
        """Something has happened."""
        if self._as_json:
            output.emit(json.dumps(event) + "\n")
        else:
            output.line(said)
        output.flush()

    async def agree(self, compare: Compare) -> bool:
        """Whether the other machine shows the same code."""
        if self._as_json:
            self.tell({"event": "compare", "code": compare.code, "name": compare.name}, "")
        code = f"{compare.code[:3]} {compare.code[3:]}"
        note(bold(compare.name), " is to be paired with this machine. Code: ", bold(code))
        if self._answers is None:
            self._answers = _Answers()
        person = terminal.is_terminal(sys.stdin)
        if person and sys.stderr is not None:
            sys.stderr.write(safe("Does the other machine show the same code? [y/N]") + " ")
            sys.stderr.flush()
        said = await self._answers.next(fresh=person)
        if said.replace(" ", "") == compare.code:
            return True
        return person and said.casefold() in ("y", "yes")


class _Answers:
    """Lines of standard input."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        threading.Thread(target=self._read, name="aimem-answers", daemon=True).start()

    async def next(self, *, fresh: bool) -> str:
        """The next line; empty once there is none.

        Args:
            fresh: pass over what was typed before it was asked for.
        """
        while fresh and not self._lines.empty():
            line = self._lines.get_nowait()
            if line is None:
                self._lines.put_nowait(None)
                break
        line = await self._lines.get()
        if line is None:
            self._lines.put_nowait(None)
            return ""
        return line.strip()

    def _read(self) -> None:
        # Not through sys.stdin: a thread that waits inside of it keeps Python from ending.
        waiting = b""
        with suppress(OSError, ValueError, AttributeError, RuntimeError):
            descriptor = sys.stdin.fileno()
            while data := os.read(descriptor, 4_096):
                *lines, waiting = (waiting + data).split(b"\n")
                for line in lines:
                    self._put(line)
        with suppress(RuntimeError):
            if waiting:
                self._put(waiting)
            self._loop.call_soon_threadsafe(self._lines.put_nowait, None)

    def _put(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        self._loop.call_soon_threadsafe(self._lines.put_nowait, text)
