"""A pycrdt-websocket server, for the comparison; runs in a virtual environment of its own."""

import asyncio
import sys

import uvicorn
from pycrdt.websocket import ASGIServer, WebsocketServer, exception_logger


async def main(port: int) -> None:
    async with WebsocketServer(exception_handler=exception_logger) as rooms:
        config = uvicorn.Config(
            ASGIServer(rooms), host="127.0.0.1", port=port, log_level="error", loop="uvloop"
        )
        await uvicorn.Server(config).serve()


asyncio.run(main(int(sys.argv[1])))
