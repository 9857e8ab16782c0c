from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from aimem_tui.workspace.workspace import Workspace
from tests.mcp.clients import Agent, agent, opened
from tests.mcp.thoughts import fill


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    """The workspace of this test's servers, with a few thoughts."""
    with opened() as workspace:
        fill(workspace)
        yield workspace


@pytest.fixture
async def claude(workspace: Workspace) -> AsyncIterator[Agent]:
    """An agent at that workspace. Its client has to begin and end in one task."""
    there: asyncio.Future[Agent] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def live() -> None:
        try:
            async with agent() as claude:
                there.set_result(claude)
                await done.wait()
        except BaseException as error:
            if not there.done():
                there.set_exception(error)
            raise

    life = asyncio.create_task(live())
    yield await there
    done.set()
    await life
