"""The one place that touches pycrdt.

Rules of this room:

- Nothing else imports pycrdt. What the engine does differently from what one expects is dealt
  with here, and proved in ``tests/crdt/test_adapter_contract.py``.
- Offsets into text are UTF-8 bytes, as the engine counts. An offset inside a character makes the
  engine write elsewhere or panic, so every caller converts through :func:`byte_length` and friends
  or holds a line model that knows the boundaries.
- The engine's failures are Rust panics, which Python sees as a ``BaseException``. They leave this
  module as :class:`CrdtError`. A document that failed in the middle of a write refuses all further
  ones: what it did up to there was reported to nobody, and nothing may build on it.
- Watchers are called when the engine is done, never from inside it, so what they raise is theirs.
- Updates must be applied in an order in which each follows what it depends on; the engine loses
  data otherwise without a word. Keeping that order is the caller's duty (the log is such an order).
- The engine changes its units between versions; :func:`check_engine` runs at import and refuses
  any other version than the proved one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import pycrdt

from crdt.errors import CrdtError, EngineMismatch

ENGINE_VERSION = "0.14.13"
_FAN_IN = 64

EMPTY_STATE_VECTOR = b"\x00"

_Watcher = TypeVar("_Watcher", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a text change, in UTF-8 bytes of the text as it is when the step applies.

    ``deleted`` bytes at ``start`` give way to ``inserted``.
    """

    start: int
    deleted: int
    inserted: str


def byte_length(text: str) -> int:
    """The length of ``text`` in UTF-8 bytes.

    Raises:
        CrdtError: if it holds a lone surrogate, which no UTF-8 text can.
    """
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise CrdtError("the text holds half of a surrogate pair") from error


def check_engine() -> None:
    """Make sure that the engine is the proved one and counts text in UTF-8 bytes.

    Raises:
        EngineMismatch: if it is not.
    """
    if pycrdt.__version__ != ENGINE_VERSION:
        raise EngineMismatch(
            f"pycrdt {pycrdt.__version__} is installed; this version needs {ENGINE_VERSION}"
        )
    probe = pycrdt.Doc({"t": pycrdt.Text("👍")})
    if len(probe["t"]) != 4:
        raise EngineMismatch("pycrdt does not count text in UTF-8 bytes")


def _as_crdt_error(error: BaseException, action: str) -> BaseException:
    """The error to raise for what the engine threw while it was asked to do ``action``."""
    if type(error).__name__ == "PanicException":
        return CrdtError(f"the engine could not {action}")
    if isinstance(error, (ValueError, RuntimeError, TypeError, KeyError, ExceptionGroup)):
        return CrdtError(f"the engine refused to {action}: {error}")
    return error


@contextmanager
def _no_panic(action: str) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        told = _as_crdt_error(error, action)
        if told is error:
            raise
        raise told from error


def merge(updates: Sequence[bytes]) -> bytes:
    """One update that holds all of ``updates``, in any order.

    The engine's merge is quadratic in the number of its inputs, so it is fed as a tree.
    """
    level = list(updates)
    with _no_panic("merge updates"):
        while len(level) > 1:
            level = [
                pycrdt.merge_updates(*level[i : i + _FAN_IN]) for i in range(0, len(level), _FAN_IN)
            ]
    return level[0] if level else b"\x00\x00"


def diff(update: bytes, state_vector: bytes) -> bytes:
    """The part of ``update`` that a document with ``state_vector`` lacks."""
    with _no_panic("compare an update with a state"):
        return pycrdt.get_update(update, state_vector)


class _Refused(CrdtError):
    """The engine said no before it did anything."""


@dataclass(frozen=True, slots=True)
class _Delta:
    """A change of the content as the engine reported it."""

    steps: Sequence[Mapping[str, Any]]
    own_undo: bool


class EngineDoc:
    """A Yjs document with one root text, ``content``, and one root map, ``meta``.

    Belongs to one thread: the one that made it.
    """

    LOCAL = "local"

    def __init__(self, client_id: int, updates: Iterable[bytes] = ()) -> None:
        with _no_panic("load the document"):
            self._doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=client_id)
            # One transaction, as each costs as much as a small update.
            with self._doc.transaction():
                for update in updates:
                    self._doc.apply_update(update)
                self._content = self._doc.get("content", type=pycrdt.Text)
                self._meta = self._doc.get("meta", type=pycrdt.Map)
                self._length = len(self._content)
        self._broken = False
        self._updates: list[bytes] = []
        self._deltas: list[_Delta] = []
        self._update_watchers: list[Callable[[bytes], None]] = []
        self._text_watchers: list[Callable[[Sequence[Change], bool], None]] = []
        self._update_subscription: pycrdt.Subscription | None = None
        self._text_subscription: pycrdt.Subscription | None = None
        self._undo: pycrdt.UndoManager | None = None
        self._undo_origin: int | None = None

    @property
    def client_id(self) -> int:
        """The Yjs client id that this document writes under."""
        return self._doc.client_id

    # Reading

    def text(self) -> str:
        """The whole content.

        Raises:
            CrdtError: if it is not all text, and offsets into it would mean nothing.
        """
        with _no_panic("read the text"):
            text = str(self._content)
        if byte_length(text) != self._length:
            raise CrdtError("the content holds something that is not text")
        return text

    def text_bytes(self) -> int:
        """The length of the content in UTF-8 bytes."""
        return self._length

    def meta(self) -> dict[str, Any]:
        """The meta map as plain values; nested arrays become lists."""
        with _no_panic("read the document's properties"), self._doc.transaction():
            return dict(self._meta.to_py() or {})

    def state(self) -> bytes:
        """The whole document as one update. Only complete when nothing is pending."""
        with _no_panic("write out the document"):
            return self._doc.get_update()

    def state_vector(self) -> bytes:
        """The Yjs state vector: which insertions the document has, deletions not included."""
        with _no_panic("read the document's state"):
            return self._doc.get_state()

    def update_since(self, state_vector: bytes) -> bytes:
        """What a document with ``state_vector`` lacks, all deletions included."""
        with _no_panic("write out a change"):
            return self._doc.get_update(state_vector)

    # Positions that stay with a character; crdt.positions makes sense of these numbers

    def raw_position(self, offset: int) -> tuple[int, int]:
        """The client id of the character at a place in the content, and a number.

        The number is not the character's clock: it is the clock with which the engine's block
        begins, plus the *bytes* from there.

        Raises:
            CrdtError: if no character is there.
        """
        if not 0 <= offset < self._length:
            raise CrdtError(f"no character at byte {offset} of a text of {self._length} bytes")
        with _no_panic("make a position"):
            sticky = pycrdt.StickyIndex.new(self._content, offset, pycrdt.Assoc.AFTER)
            item = sticky.to_json()["item"]
        return item["client"], item["clock"]

    def raw_offset(self, client: int, clock: int) -> int | None:
        """Where a character is in the content; None where the engine does not know any more.

        The number is not the place: it is where the engine's block begins, in bytes, plus the
        *clocks* from there. Only where the character was deleted it is the place where it would be.

        The caller has made sure, by the state vector, that the document has seen the character.
        """
        position = {"item": {"client": client, "clock": clock}, "assoc": 0}
        try:
            with _no_panic("find a position"):
                return pycrdt.StickyIndex.from_json(position, self._content).get_index()
        except CrdtError:
            return None

    # Writing

    def splice(self, changes: Sequence[Change]) -> None:
        """Write to the content in one transaction; each change sees those before it.

        Raises:
            CrdtError: if an offset lies outside the text.
        """
        length = self._length
        for change in changes:
            if not 0 <= change.start <= change.start + change.deleted <= length:
                raise CrdtError(
                    f"bytes {change.start} to {change.start + change.deleted} "
                    f"lie outside a text of {length} bytes"
                )
            length += byte_length(change.inserted) - change.deleted
        content = self._content
        with self._writing("write to the text", measured=True):
            with self._doc.transaction(origin=self.LOCAL):
                for change in changes:
                    if change.deleted:
                        del content[change.start : change.start + change.deleted]
                    if change.inserted:
                        content.insert(change.start, change.inserted)
                # In here, because outside the question is a transaction of its own.
                self._length = len(content)
            if self._length != length:
                raise CrdtError("an offset lay inside a character")

    def set_meta(self, values: Mapping[str, Any], *, content: str = "") -> None:
        """Set properties (None removes one) and, for a new document, its first content."""
        with self._writing("write the properties"), self._doc.transaction(origin=self.LOCAL):
            if content:
                self._content.insert(0, content)
            for key, value in values.items():
                if value is None:
                    if key in self._meta:
                        del self._meta[key]
                elif isinstance(value, list):
                    self._meta[key] = pycrdt.Array(value)
                else:
                    self._meta[key] = value

    def append_meta(self, key: str, *values: str) -> None:
        """Append to a list among the properties, made by :meth:`set_meta`."""
        with self._writing("write the properties"), self._doc.transaction(origin=self.LOCAL):
            target = self._meta.get(key)
            if isinstance(target, pycrdt.Array):
                target.extend([*values])
            else:
                self._meta[key] = pycrdt.Array([*values])

    def apply(self, update: bytes) -> None:
        """Take in somebody else's update. Applying a known one changes nothing.

        Raises:
            CrdtError: if the bytes are no update (nothing has changed then), or the engine fails.
        """
        with self._writing("apply an update"):
            try:
                self._doc.apply_update(update)
            except ValueError as error:
                raise _Refused("the bytes are not an update") from error
            self._updates.clear()

    def take(self, update: bytes) -> bytes:
        """Like :meth:`apply`; returns the part that was new and has found its place.

        That part is an update that follows from what was there before, and empty bytes where there
        was nothing new. What the update holds beyond it waits for something that is not there.
        """
        news: list[bytes] = []
        with _no_panic("watch the document"):
            subscription = self._doc.observe(lambda event: news.append(event.update))
        try:
            self.apply(update)
        finally:
            with _no_panic("watch the document"):
                self._doc.unobserve(subscription)
        return merge(news) if news else b""

    @contextmanager
    def _writing(self, action: str, *, measured: bool = False) -> Iterator[None]:
        """Do one write, then tell the watchers what it did.

        Args:
            measured: the caller sees to the length of the text.
        """
        if self._broken:
            raise CrdtError("the document has failed and must be opened anew")
        try:
            with _no_panic(action):
                yield
                if not measured:
                    self._length = len(self._content)
        except _Refused:
            raise
        except BaseException:
            self._broken = True
            raise
        updates, self._updates = self._updates, []
        deltas, self._deltas = self._deltas, []
        for delta in deltas:
            changes = _changes(delta.steps)
            for watch_text in [*self._text_watchers]:
                watch_text(changes, delta.own_undo)
        for update in updates:
            for watch_update in [*self._update_watchers]:
                watch_update(update)

    # Watching

    def on_update(self, callback: Callable[[bytes], None]) -> Callable[[], None]:
        """Call back with the update of each transaction made here, undo included.

        Updates taken in by :meth:`apply` are not reported. Returns a function that stops it.
        The callback must not write to the document.
        """
        return self._watch(self._update_watchers, callback)

    def on_text(self, callback: Callable[[Sequence[Change], bool], None]) -> Callable[[], None]:
        """Call back with each change of the content that :meth:`splice` did not make.

        The callback is given the steps in order and whether they are this document's own undo or
        redo. It must not write to the document. Returns a function that stops it.
        """
        return self._watch(self._text_watchers, callback)

    def close(self) -> None:
        """Forget all watchers."""
        self._update_watchers.clear()
        self._text_watchers.clear()
        self._observe()

    def _watch(self, watchers: list[_Watcher], callback: _Watcher) -> Callable[[], None]:
        watchers.append(callback)
        self._observe()

        def stop() -> None:
            if callback in watchers:
                watchers.remove(callback)
                self._observe()

        return stop

    def _observe(self) -> None:
        """Observe of the engine what somebody watches, no longer: it never frees what is observed.

        A text that nobody watches is not observed: the engine computes a delta for each edit.
        """
        if bool(self._update_watchers) != (self._update_subscription is not None):
            if self._update_subscription is None:
                self._update_subscription = self._doc.observe(self._note_update)
            else:
                self._doc.unobserve(self._update_subscription)
                self._update_subscription = None
        if bool(self._text_watchers) != (self._text_subscription is not None):
            if self._text_subscription is None:
                self._text_subscription = self._content.observe(self._note_text)
            else:
                self._content.unobserve(self._text_subscription)
                self._text_subscription = None

    def _note_update(self, event: pycrdt.TransactionEvent) -> None:
        self._updates.append(event.update)

    def _note_text(self, event: pycrdt.TextEvent) -> None:
        origin = event.transaction.origin
        if origin != self.LOCAL:
            own_undo = origin is not None and origin == self._undo_origin
            # The engine's types leave out what its events carry.
            self._deltas.append(_Delta(cast(Any, event).delta, own_undo))

    # Undo

    def start_undo(self, clock: Callable[[], int], capture_ms: int) -> None:
        """Record this document's own edits, and only those, for undo.

        Edits closer together than ``capture_ms`` by ``clock`` (milliseconds) are undone together.
        """
        with _no_panic("start undo"):
            # Without an included origin the engine tracks "no origin", which is what applied
            # updates carry: it would undo other people's edits.
            self._undo = pycrdt.UndoManager(
                scopes=[self._content], capture_timeout_millis=capture_ms, timestamp=clock
            )
            self._undo.include_origin(self.LOCAL)
            # Read now: inside an observer the engine refuses ("already borrowed").
            self._undo_origin = self._undo.origin

    def undo(self) -> bool:
        """Undo the last own edit; False when there is none."""
        with self._writing("undo"):
            done = self._undo is not None and self._undo.undo()
        return done

    def redo(self) -> bool:
        """Redo the last undone edit; False when there is none."""
        with self._writing("redo"):
            done = self._undo is not None and self._undo.redo()
        return done

    def undo_depth(self) -> int:
        """How many steps can be undone."""
        with _no_panic("count undo steps"):
            return 0 if self._undo is None else len(self._undo.undo_stack)


def _changes(delta: Sequence[Mapping[str, Any]]) -> list[Change]:
    """A Yjs text delta as changes, each in offsets of the text as it has become by then."""
    changes: list[Change] = []
    at = 0
    for step in delta:
        if "retain" in step:
            at += int(step["retain"])
        elif "delete" in step:
            changes.append(Change(at, int(step["delete"]), ""))
        else:
            inserted = step["insert"]
            if not isinstance(inserted, str):
                raise CrdtError("the text holds something that is not text")
            changes.append(Change(at, 0, inserted))
            at += byte_length(inserted)
    return changes


check_engine()
