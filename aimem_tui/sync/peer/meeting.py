"""Pairing over a websocket: the machine of ``pairing`` between a socket and a person.

The person's answer is awaited beside the socket, so that who says no on one side ends it on both at
once. A machine that dawdles is not waited for, and people have ``pairing.PATIENCE_S``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias

import aiohttp

from aimem_tui.errors import AimemError, Refused, Unreachable
from aimem_tui.sync.connection import CLOSE_S, Socket
from aimem_tui.sync.peer import pairing, tls
from aimem_tui.sync.peer.discovery import join_address
from aimem_tui.sync.peer.pairing import (
    Answering,
    Asking,
    BothAgree,
    Compare,
    Failed,
    Granted,
    Paired,
)
from crdt.wire.messages import Role

PATH = "/pair"
_DIAL_S = 10.0
_NOT_THE_SAME = "The codes are not the same, or nobody has compared them."

Agree: TypeAlias = Callable[[Compare], Awaitable[bool]]
"""Shows a person the code and asks whether the other machine shows the same."""


async def ask(
    host: str,
    port: int,
    *,
    name: str,
    role: Role,
    agree: Agree,
    keep: Callable[[Granted, bytes], None],
) -> Granted:
    """Pair with a machine that listens.

    Args:
        name: what this machine calls itself.
        role: what it would like to be.
        keep: puts the token on disk; given the fingerprint of the other machine's certificate, too.

    Raises:
        Unreachable: if nobody is there.
        Refused: if one of the two sides does not agree, or time runs out.
    """
    where = join_address(host, port)
    granted: list[Granted] = []
    try:
        async with aiohttp.ClientSession() as http:
            async with asyncio.timeout(_DIAL_S):
                socket = await http.ws_connect(
                    f"wss://{where}{PATH}",
                    ssl=tls.client_context(),
                    max_msg_size=pairing.MAX_FRAME,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
                )
            shown = socket.get_extra_info("ssl_object")
            fingerprint = tls.fingerprint_of(shown.getpeercert(True))
            machine = Asking(fingerprint, name, role)

            def act(event: BothAgree | Granted) -> None:
                if isinstance(event, Granted):
                    keep(event, fingerprint)
                    machine.kept()
                    granted.append(event)

            try:
                await drive(socket, machine, agree, act)
            finally:
                with suppress(aiohttp.ClientError, OSError, TimeoutError):
                    await socket.close()
    except AimemError:
        raise
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise _not_there(where, error) from error
    return granted[0]


async def drive(
    socket: Socket,
    machine: Asking | Answering,
    agree: Agree,
    act: Callable[[BothAgree | Granted], None],
) -> None:
    """Carry one side of a pairing to its end.

    Args:
        act: does at once what the event asks for, on the machine.

    Raises:
        Refused: if it comes to nothing.
    """
    try:
        async with asyncio.timeout(pairing.HURRY_S) as limit:
            await _drive(socket, machine, agree, act, limit)
    except TimeoutError:
        machine.refuse("Nobody has answered in time.")
        await _send(socket, machine)
        raise Refused(
            "The machines were not paired.",
            why="Nobody has answered in time.",
            hint="Begin again: aimem peer pair.",
        ) from None


async def _drive(
    socket: Socket,
    machine: Asking | Answering,
    agree: Agree,
    act: Callable[[BothAgree | Granted], None],
    limit: asyncio.Timeout,
) -> None:
    reading = asyncio.create_task(socket.receive())
    decision: asyncio.Task[bool] | None = None
    try:
        await _send(socket, machine)
        while not machine.is_over:
            waits = {reading} if decision is None else {reading, decision}
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            events: list[pairing.Event] = []
            if reading in done:
                message = reading.result()
                if message.type is not aiohttp.WSMsgType.BINARY:
                    raise _gone(message)
                events += machine.receive(message.data)
                reading = asyncio.create_task(socket.receive())
            if decision is not None and decision in done and not machine.is_over:
                agreed = decision.result()
                decision = None
                events += machine.confirm() if agreed else machine.refuse(_NOT_THE_SAME)
            for event in events:
                match event:
                    case Compare():
                        # Until here two machines have talked, from here on it is people.
                        limit.reschedule(asyncio.get_running_loop().time() + pairing.PATIENCE_S)
                        decision = asyncio.create_task(_decide(agree, event))
                    case BothAgree() | Granted():
                        act(event)
                    case Failed():
                        await _send(socket, machine)
                        raise _failed(event)
                    case Paired():
                        pass
            await _send(socket, machine)
    finally:
        waits = {reading} if decision is None else {reading, decision}
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def _decide(agree: Agree, event: Compare) -> bool:
    return await agree(event)


async def _send(socket: Socket, machine: Asking | Answering) -> None:
    with suppress(aiohttp.ClientError, ConnectionError):
        for frame in machine.pull():
            await socket.send_bytes(frame)


def _gone(message: Any) -> Refused:  # noqa: ANN401
    said = str(message.extra or "") if message.type is aiohttp.WSMsgType.CLOSE else ""
    return Refused(
        "The machines were not paired.",
        why=said or "The other machine has gone away.",
        hint="Begin again: aimem peer pair.",
    )


def _failed(event: Failed) -> Refused:
    if event.by_other and event.reason == _NOT_THE_SAME:
        return Refused(
            "The machines were not paired.",
            why="On the other machine somebody said that the codes are not the same.",
            hint="If they were not, somebody stands in between: do not use this network.",
        )
    return Refused("The machines were not paired.", why=event.reason)


def _not_there(where: str, error: Exception) -> AimemError:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        if error.status == 503:
            return Refused(
                f"{where} is busy.", why="It is being paired with another machine just now."
            )
        return Refused(
            f"{where} cannot be paired with.",
            why="What listens there is not another machine's aimem, or does not pair just now.",
        )
    if isinstance(error, aiohttp.ClientSSLError | ValueError):
        return Refused(
            f"{where} cannot be paired with.",
            why="What listens there is not another machine's aimem.",
        )
    return Unreachable(
        f"Nobody answers at {where}.",
        why="Either nothing listens there, or something keeps this machine from reaching it.",
        hint="On the other machine, run: aimem peer.",
    )
