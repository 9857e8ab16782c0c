"""The bus of a pod that hears of nobody: it is alone, or follows others by polling."""

from __future__ import annotations

from aimem_relay.bus.port import Heard, Message, Watching


class LocalBus:
    """A :class:`aimem_relay.bus.port.Bus` that carries nothing.

    Args:
        alone: whether there are no other pods.
    """

    connected = False

    def __init__(self, *, alone: bool) -> None:
        self.alone = alone

    async def start(self, heard: Heard, watching: Watching) -> None:
        """Nothing is to be begun."""

    async def close(self) -> None:
        """Nothing is to be ended."""

    def watch(self, workspace: str) -> None:
        """Nothing will be heard."""

    def unwatch(self, workspace: str) -> None:
        """Nothing was heard."""

    def tell(self, workspace: str, message: Message) -> None:
        """Nobody is told."""
