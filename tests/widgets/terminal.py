"""What a test sees of a widget: its text on screen, and the bytes that go to the terminal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot
from textual.widget import Widget


def dump(widget: Widget) -> list[str]:
    """The lines a widget shows, without the spaces at their ends."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


class CountingDriver(HeadlessDriver):
    """A terminal that only counts what is written to it."""

    written = 0

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        type(self).written += len(data.encode())


async def count_bytes(
    app: App[None],
    size: tuple[int, int],
    play: Callable[[Pilot[Any], Callable[[], int]], Awaitable[None]],
) -> None:
    """Run an app on a terminal that counts.

    Args:
        app: made with ``driver_class=CountingDriver``.
        size: columns and rows.
        play: gets a pilot, and a function that tells the bytes written since it was called last.
    """

    def written() -> int:
        count, CountingDriver.written = CountingDriver.written, 0
        return count

    failure: list[BaseException] = []

    async def pilot(pilot: Pilot[Any]) -> None:
        try:
            await play(pilot, written)
        except BaseException as error:
            failure.append(error)
        finally:
            app.exit()

    await app.run_async(size=size, auto_pilot=pilot)
    if failure:
        raise failure[0]
