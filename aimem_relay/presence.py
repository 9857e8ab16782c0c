"""Who is where in one workspace, as one pod knows it. Never stored.

Each presence is owned by the connection that announced it, and goes with it. To others it bears a
key that no other connection can use: ``<number of the connection>/<key>``. Those of other pods come
over the bus and are owned by their pod: they go when nothing is heard of it any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

MAX_KEY = 128
"""Characters that the protocol allows a key."""


def public_key(connection: str, key: str) -> str:
    """The key under which others see a connection's presence.

    Args:
        connection: its number, the pod's part included.
        key: as the connection calls it; where both are too long together, a digest stands for it.
    """
    whole = f"{connection}/{key}"
    if len(whole) <= MAX_KEY:
        return whole
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{connection}/{digest}"


class Presence:
    """The presences of one workspace.

    Args:
        most: how many are kept; more are refused.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._local: dict[str, dict[str, bytes]] = {}
        self._remote: dict[str, dict[str, bytes]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """All of them, for a newcomer: their keys and states."""
        for owned in (*self._local.values(), *self._remote.values()):
            yield from owned.items()

    def local(self) -> dict[str, bytes]:
        """Those of this pod's own connections, for the other pods."""
        return {key: state for owned in self._local.values() for key, state in owned.items()}

    def announce(self, connection: str, key: str, state: bytes) -> str:
        """Note what a connection of this pod says; returns the key for the others.

        Returns:
            Nothing where there are too many already, or nothing to take back.
        """
        public = public_key(connection, key)
        return public if self._set(self._local, connection, public, state) else ""

    def leave(self, connection: str) -> list[str]:
        """A connection of this pod has ended; returns the keys that went with it."""
        return self._drop(self._local, connection)

    def pod_announces(self, pod: str, key: str, state: bytes) -> bool:
        """Note what another pod says; False where there are too many, or nothing to take back."""
        return self._set(self._remote, pod, key, state)

    def pod_lists(self, pod: str, all_of_it: dict[str, bytes]) -> dict[str, bytes]:
        """Another pod has said everything it knows; returns what changed by that."""
        changed = dict.fromkeys(self._remote.get(pod, {}).keys() - all_of_it.keys(), b"")
        known = self._remote.get(pod, {})
        changed.update({key: to for key, to in all_of_it.items() if known.get(key) != to})
        return {key: to for key, to in changed.items() if self._set(self._remote, pod, key, to)}

    def pod_leaves(self, pod: str) -> list[str]:
        """Nothing is heard of another pod; returns the keys that went with it."""
        return self._drop(self._remote, pod)

    @property
    def pods(self) -> list[str]:
        """The other pods of which something is known."""
        return list(self._remote)

    def _set(self, where: dict[str, dict[str, bytes]], owner: str, key: str, state: bytes) -> bool:
        owned = where.get(owner, {})
        if state:
            if key not in owned:
                if self._count >= self._most:
                    return False
                self._count += 1
            where.setdefault(owner, owned)[key] = state
            return True
        if key not in owned:
            return False
        del owned[key]
        self._count -= 1
        if not owned:
            del where[owner]
        return True

    def _drop(self, where: dict[str, dict[str, bytes]], owner: str) -> list[str]:
        gone = list(where.pop(owner, {}))
        self._count -= len(gone)
        return gone
