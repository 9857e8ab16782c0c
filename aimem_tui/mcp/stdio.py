"""Serving one client over standard input and output, until it closes them or a signal comes.

The SDK reads standard input in a thread that nothing can wake, so a signal ends the process from a
thread of its own: what has begun is finished, then the process goes, without waiting for the other.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from mcp.server.stdio import stdio_server

from aimem_tui.mcp.server import make

if TYPE_CHECKING:
    from aimem_tui.mcp.desk import Desk


def serve(desk: Desk, close: Callable[[], object]) -> None:
    """Serve the client at the other end of standard input and output.

    Args:
        close: closes the workspace, after a signal.
    """

    def end() -> None:
        desk.close()
        close()
        sys.stderr.flush()
        os._exit(0)

    def leave(*_: object) -> None:
        for each in ends:
            signal.signal(each, signal.SIG_DFL)
        threading.Thread(target=end, daemon=True).start()

    ends = [signal.SIGINT, signal.SIGTERM]
    for each in ends:
        signal.signal(each, leave)
    try:
        asyncio.run(_serve(desk))
    finally:
        desk.close()


async def _serve(desk: Desk) -> None:
    server = make(desk)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())
