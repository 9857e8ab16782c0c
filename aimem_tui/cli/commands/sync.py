"""Keeping a workspace in step with its other copies: ``sync``."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from aimem_tui import words
from aimem_tui.cli import output, shapes
from aimem_tui.cli.command import command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import note
from aimem_tui.cli.remote_name import RemoteName
from aimem_tui.cli.styling import bold
from aimem_tui.errors import ExitCode, NotFound, Refused, Unreachable

if TYPE_CHECKING:
    from aimem_tui.cli.progress import LongWork
    from aimem_tui.sync.remotes import Remote
    from aimem_tui.sync.state import LinkState, SyncState

TIMEOUT_S = 10.0
"""So long a copy is tried that cannot be reached, unless ``--timeout`` says otherwise."""
PATIENCE_S = 60.0
"""So long nothing may come or go before what is not at its end is given up."""
_LOOK_S = 0.1


@command("sync", short_help="Exchange changes with the other copies.")
@click.option("--remote", type=RemoteName(), metavar="NAME", help="Only with this one.")
@click.option("--local", is_flag=True, help="Only with machines on this network.")
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C, and say what changes.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 86_400),
    default=TIMEOUT_S,
    show_default=True,
    metavar="SECONDS",
    help="How long to try a copy that cannot be reached.",
)
@json_option
@click.pass_obj
def sync_command(
    session: Session,
    remote: str | None,
    local: bool,
    watch: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Exchange changes with the other copies of the workspace, until each has everything.

    Afterwards all that was written here is on disk there. --watch stays connected until Ctrl-C and
    prints a line whenever something changes. The exit code is 8 if a copy could not be reached, and
    4 if one has refused.

    \b
    aimem sync
    aimem sync --remote office --json
    """
    from aimem_tui.cli.progress import LongWork

    workspace = session.open()
    chosen = _chosen(session, remote, local=local)
    run = _Run(session, chosen, timeout)
    with LongWork() as work:
        with run:
            state = run.watch(work, as_json=as_json) if watch else run.finish(work)
        # What is left of it the next command does.
        with suppress(KeyboardInterrupt):
            workspace.catch_up(work.progress_or_stop)
    if work.stop():
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    _report(state, as_json=as_json)


def _chosen(session: Session, name: str | None, *, local: bool) -> list[Remote]:
    from aimem_tui.sync.remotes import Kind, Remotes

    remotes = Remotes(session.open().database.path.parent)
    if name is not None:
        return [remotes.get(name)]
    found = [remote for remote in remotes.all() if not local or remote.kind is Kind.PEER]
    if not found:
        raise NotFound(
            "No machine on this network is paired with this one."
            if local
            else "This workspace has no other copy to sync with.",
            hint="To pair with one: aimem peer pair."
            if local
            else "To connect it to a relay: aimem connect URL.",
        )
    return found


class _Run:
    """An engine for one command, and what it says."""

    def __init__(self, session: Session, chosen: Sequence[Remote], timeout: float) -> None:
        from aimem_tui.sync.credentials import Credentials
        from aimem_tui.sync.engine import SyncEngine
        from aimem_tui.sync.remotes import Remotes
        from aimem_tui.sync.state import SyncState

        self._news = threading.Condition()
        self._state = SyncState()
        self._unseen = False
        self._notice = ""
        self._moved: object = None
        self._moved_at = time.monotonic()
        self._expected = len(chosen)
        self._patience = {remote.name: _Patience(timeout) for remote in chosen}
        self._clock = session.clock
        names = {remote.name for remote in chosen}
        database = session.open().database
        self._engine = SyncEngine(
            database,
            Remotes(database.path.parent),
            Credentials(session.home.config),
            clock=session.clock,
            on_state=self._take,
            background=False,
            wanted=lambda remote: remote.name in names,
        )

    def __enter__(self) -> _Run:
        self._engine.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.stop()
        if self._engine.failure is not None:
            raise self._engine.failure

    def finish(self, work: LongWork) -> SyncState:
        """Until every copy has everything, or is given up."""
        return self._follow(work, lambda state: None, self._is_over)

    def watch(self, work: LongWork, *, as_json: bool) -> SyncState:
        """Until Ctrl-C; a line for each change."""
        said: object = None

        def say(state: SyncState) -> None:
            nonlocal said
            from aimem_tui.sync.state import in_words

            if len(state.links) < self._expected:
                return
            summary = in_words(state)
            now = (summary, [(link.name, link.phase, link.problem) for link in state.links])
            if now == said:
                return
            said = now
            if as_json:
                output.emit(json.dumps(shapes.sync(state), ensure_ascii=True) + "\n")
            else:
                links = "  ".join(_link_words(link) for link in state.links)
                moment = words.clock_time(self._clock(), self._clock())
                output.line(f"{moment}  ", bold(summary), f"  {links}")
            output.flush()

        return self._follow(work, say, lambda state: False)

    def _follow(
        self,
        work: LongWork,
        say: Callable[[SyncState], None],
        over: Callable[[SyncState], bool],
    ) -> SyncState:
        while True:
            with self._news:
                if not self._unseen:
                    self._news.wait(_LOOK_S)
                self._unseen = False
                state = self._state
            moved = [
                (one.phase, one.received, one.sent, one.to_come, one.acknowledged, one.attempts)
                for one in state.links
            ]
            if moved != self._moved:
                self._moved, self._moved_at = moved, time.monotonic()
            for link in state.links:
                self._patience[link.name].look(link)
            self._tell(state, work)
            say(state)
            if work.stop() or over(state) or self._engine.failure is not None:
                return state

    def _is_over(self, state: SyncState) -> bool:
        if len(state.links) < self._expected:
            return False
        waits = [
            link
            for link in state.links
            if not link.complete and not self._patience[link.name].is_over(link)
        ]
        # A copy that cannot store says so and keeps the connection; nobody waits for it for ever.
        return not waits or time.monotonic() - self._moved_at > PATIENCE_S

    def _tell(self, state: SyncState, work: LongWork) -> None:
        from aimem_tui.model import Progress

        if state.notice and state.notice != self._notice:
            self._notice = state.notice
            note(state.notice)
        received = sum(link.received for link in state.links)
        to_come = sum(link.to_come for link in state.links)
        waiting = f"{state.waiting:,} to send" if state.waiting else ""
        tried = [link for link in state.links if self._patience[link.name].is_trying(link)]
        if tried and not to_come:
            work.say(f"{tried[0].name} cannot be reached. Trying again.")
            return
        work.progress(Progress("Received", received, received + to_come or None, waiting))

    def _take(self, state: SyncState) -> None:
        with self._news:
            self._state = state
            self._unseen = True
            self._news.notify()


class _Patience:
    """How long one copy is waited for that cannot be reached.

    Args:
        timeout: in seconds, from the start or from when it was last of use.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._moved: object = None
        self._since = time.monotonic()

    def look(self, link: LinkState) -> None:
        """Note whether it has been of use."""
        moved = (link.received, link.sent, link.acknowledged)
        if link.complete or moved != self._moved:
            self._moved, self._since = moved, time.monotonic()

    def is_trying(self, link: LinkState) -> bool:
        """Whether it was tried in vain, and is being tried again."""
        from aimem_tui.sync.state import Phase

        return link.attempts > 0 and link.phase in (Phase.OFFLINE, Phase.CONNECTING)

    def is_over(self, link: LinkState) -> bool:
        """Whether it is not waited for any longer."""
        from aimem_tui.sync.state import Phase

        if link.phase is Phase.REFUSED:
            return True
        is_away = link.phase in (Phase.OFFLINE, Phase.CONNECTING)
        # Without any time it is tried once.
        tried = link.attempts > 0 or self._timeout > 0
        return is_away and tried and time.monotonic() - self._since >= self._timeout


def _report(state: SyncState, *, as_json: bool) -> None:
    failed = [link for link in state.links if not link.complete]
    if failed and len(failed) == len(state.links):
        raise _failure(failed)
    if as_json:
        output.json_object(shapes.sync(state))
    elif len(state.links) == 1:
        output.line(_moved(state.links[0]), " ", _standing(state))
    else:
        for link in state.links:
            if link.complete:
                output.line(bold(link.name), f"  {_moved(link)}")
        output.line(_standing(state))
    for link in state.links:
        if link.complete and link.read_only and link.acknowledged < state.own_seq:
            own = words.count(state.own_seq - link.acknowledged, "change")
            note(f"{link.name} lets you read only. Not sent: {own} of yours.")
    if failed:
        for link in failed:
            note(bold(f"{link.name} is not in step."), f" {_why(link)}")
        raise click.exceptions.Exit(_failure(failed).exit_code)


def _failure(failed: Sequence[LinkState]) -> Unreachable | Refused:
    from aimem_tui.sync.state import Phase

    refused = all(link.phase is Phase.REFUSED for link in failed)
    names = ", ".join(link.name for link in failed)
    kind = Refused if refused else Unreachable
    return kind(f"{names} could not be synced with.", why=" ".join(map(_why, failed)))


def _why(link: LinkState) -> str:
    return link.problem or "It has not answered."


def _moved(link: LinkState) -> str:
    if not link.received and not link.sent:
        return "Nothing new."
    received = words.count(link.received, "change") if link.received else "nothing"
    return f"Received {received}, sent {link.sent:,}." if link.sent else f"Received {received}."


def _standing(state: SyncState) -> str:
    if not state.own_seq:
        return "In step."
    names = [link.name for link in state.links if link.acknowledged >= state.own_seq]
    return f"Durable on {', '.join(names)}." if names else "Saved here."


def _link_words(link: LinkState) -> str:
    problem = f" ({link.problem})" if link.problem else ""
    return f"{link.name}: {link.phase.value}{problem}"
