"""Histories of several peers, made by lot from a seed, and texts in mixed scripts.

A peer stores updates in an order in which each follows what it depends on, and passes them on in
that order, as the log of a workspace does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from hypothesis import strategies as st

from crdt.adapter import Change, EngineDoc, byte_length

PIECES = (
    *"abc XYZ 019.,-#*_[]()\t",
    "\n",
    "\r\n",
    "\r",
    "\u2028",
    "\x0b",
    "é",
    "e\u0301",
    "ß",
    "Привет",
    "שלום",
    "日本",
    "한글",
    "👍",
    "👍🏽",
    "👨‍👩‍👧",
    "🇩🇪",
    "\u200d",
    "\ufeff",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
)

texts = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


class Peer:
    """One copy of a document, with the updates it holds in the order in which it stored them."""

    def __init__(self, client_id: int) -> None:
        self.doc = EngineDoc(client_id)
        self.log: list[tuple[int, int, bytes]] = []
        self._held: set[tuple[int, int]] = set()
        self._made = 0
        self.doc.on_update(self._note)

    def _note(self, update: bytes) -> None:
        self._made += 1
        self._store((self.doc.client_id, self._made, update))

    def _store(self, entry: tuple[int, int, bytes]) -> None:
        self.log.append(entry)
        self._held.add(entry[:2])

    def pull(self, other: Peer, most: int | None = None) -> None:
        """Take in what is missing from another's log, in its order, at most so many updates."""
        missing = [entry for entry in other.log if entry[:2] not in self._held]
        for entry in missing[:most]:
            self.doc.apply(entry[2])
            self._store(entry)

    def updates(self) -> list[bytes]:
        return [update for _, _, update in self.log]

    def view(self) -> tuple[str, dict[str, object]]:
        return view(self.doc)


def view(doc: EngineDoc) -> tuple[str, dict[str, object]]:
    """All that a document shows."""
    return doc.text(), doc.meta()


def doc_with(text: str, client_id: int = 1) -> EngineDoc:
    doc = EngineDoc(client_id)
    doc.set_meta({}, content=text)
    return doc


def copy_of(doc: EngineDoc, client_id: int) -> EngineDoc:
    return EngineDoc(client_id, [doc.state()])


def insert(doc: EngineDoc, start: int, text: str) -> None:
    doc.splice([Change(start, 0, text)])


def loaded(updates: Iterable[bytes]) -> EngineDoc:
    return EngineDoc(1, updates)


def write_something(doc: EngineDoc, rng: Random) -> None:
    """One random edit of the text or the properties."""
    if rng.random() < 0.3:
        key = rng.choice("pqr")
        doc.set_meta({key: rng.choice([None, "v", "w", 7, [1, "x"]])})
        return
    text = doc.text()
    start = rng.randint(0, len(text))
    end = min(len(text), start + rng.choice([0, 0, 0, 1, 2, 8]))
    new = "".join(rng.choices(PIECES, k=rng.randint(0, 4)))
    doc.splice([Change(byte_length(text[:start]), byte_length(text[start:end]), new)])


def history(seed: int, *, steps: int = 40, peers: int = 3) -> list[Peer]:
    """Peers that wrote, undid nothing and pulled from each other; some are behind."""
    rng = Random(seed)
    network = [Peer(100 + i) for i in range(peers)]
    for _ in range(steps):
        peer = rng.choice(network)
        if rng.random() < 0.7:
            write_something(peer.doc, rng)
        else:
            peer.pull(rng.choice(network), rng.choice([1, 2, 5, None]))
    return network


def settled(seed: int, *, steps: int = 40, peers: int = 3) -> list[Peer]:
    """A history after which everybody has pulled everything."""
    network = history(seed, steps=steps, peers=peers)
    for _ in range(peers - 1):
        for peer in network:
            for other in network:
                peer.pull(other)
    return network


def spliced(text: str, changes: Sequence[Change]) -> str:
    """What changes in bytes make of a text, by plain Python."""
    data = text.encode()
    for change in changes:
        data = (
            data[: change.start] + change.inserted.encode() + data[change.start + change.deleted :]
        )
    return data.decode()
