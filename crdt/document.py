"""The thought as a document: its markdown and its few own facts, mergeable without conflicts.

- ``content`` is the whole file, frontmatter included, byte for byte.
- ``meta`` holds what is not in the text: path, earlier paths, who made it and when, trash. Nothing
  that changes often goes there: alternating map keys never squash.
- Title, tags, status and the like are derived from the content elsewhere, never stored here.
- A document has one lineage for ever. Text that comes from outside enters by :meth:`replace_text`
  as a minimal edit; a document is never made anew for a thought that exists.
- Trash records a digest of the text at that moment. The thought counts as trashed only while its
  text still is that text: an edit made elsewhere at the same time brings it back by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import isfinite

from crdt import positions
from crdt.adapter import Change, EngineDoc, byte_length
from crdt.errors import CrdtError
from crdt.positions import Position
from crdt.textdiff import Splice, splices

__all__ = ["Change", "ThoughtDocument", "ThoughtMeta", "Trash", "digest"]

UNDO_CAPTURE_MS = 500


def digest(text: str) -> str:
    """A short fingerprint of a text: 16 hexadecimal digits of BLAKE2b over its UTF-8."""
    return blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Trash:
    """That a thought was put into the trash."""

    at: int
    """Milliseconds since the Unix epoch."""
    by: str
    digest: str
    """Of the text as it was then."""


@dataclass(frozen=True, slots=True)
class ThoughtMeta:
    """What a document knows of itself beside its text."""

    path: str
    aliases: tuple[str, ...]
    """The other paths it has had, oldest first."""
    created_at: int
    created_by: str
    trash: Trash | None
    """Set once put into the trash, even where a later edit has brought it back."""
    purged_at: int | None
    """When its text was removed for good."""


class ThoughtDocument:
    """One thought. Belongs to the thread that made it."""

    def __init__(self, engine: EngineDoc) -> None:
        self._engine = engine
        self._text: str | None = None

    @classmethod
    def create(
        cls, client_id: int, *, path: str, text: str, at: int, by: str
    ) -> tuple[ThoughtDocument, bytes]:
        """A new thought and the update that makes it.

        Raises:
            CrdtError: if the text holds a lone surrogate.
        """
        byte_length(text)
        engine = EngineDoc(client_id)
        engine.set_meta(
            {"path": path, "aliases": [], "created_at": at, "created_by": by}, content=text
        )
        return cls(engine), engine.state()

    @classmethod
    def load(cls, client_id: int, updates: Iterable[bytes]) -> ThoughtDocument:
        """The thought that ``updates`` make, given in the log's order.

        Raises:
            CrdtError: if one of them is broken.
        """
        return cls(EngineDoc(client_id, updates))

    # Reading

    @property
    def text(self) -> str:
        """The whole markdown."""
        if self._text is None:
            self._text = self._engine.text()
        return self._text

    @property
    def text_bytes(self) -> int:
        """The length of the markdown in UTF-8 bytes."""
        return self._engine.text_bytes()

    @property
    def meta(self) -> ThoughtMeta:
        """What the document knows of itself beside its text."""
        raw = self._engine.meta()
        path = str(raw.get("path", ""))
        aliases = raw.get("aliases")
        earlier = dict.fromkeys(map(str, aliases)) if isinstance(aliases, list) else {}
        earlier.pop(path, None)
        return ThoughtMeta(
            path=path,
            aliases=tuple(earlier),
            created_at=_whole(raw.get("created_at")) or 0,
            created_by=str(raw.get("created_by", "")),
            trash=_trash(raw.get("trashed")),
            purged_at=_whole(raw.get("purged_at")),
        )

    @property
    def trashed(self) -> Trash | None:
        """The trash record, if the thought is in the trash now."""
        trash = self.meta.trash
        return trash if trash is not None and trash.digest == digest(self.text) else None

    @property
    def outlived_trash(self) -> Trash | None:
        """The trash record, if an edit has brought the thought back since.

        Whoever edits the thought again takes it away, lest the thought vanish once more when its
        text happens to become what it was.
        """
        trash = self.meta.trash
        return trash if trash is not None and trash.digest != digest(self.text) else None

    def state(self) -> bytes:
        """The whole document as one update."""
        return self._engine.state()

    def state_vector(self) -> bytes:
        """The Yjs state vector, for :meth:`update_since`."""
        return self._engine.state_vector()

    def update_since(self, state_vector: bytes) -> bytes:
        """What a copy with ``state_vector`` lacks."""
        return self._engine.update_since(state_vector)

    def position_at(self, offset: int, *, before: bool = False) -> Position:
        """A place in the text, in UTF-8 bytes, that stays with the character after it.

        Or, with ``before``, with the one before it.

        Raises:
            CrdtError: if the offset lies outside the text.
        """
        return positions.position_at(self._engine, offset, before=before)

    def offset_of(self, position: Position) -> int | None:
        """Where such a place is now, in UTF-8 bytes; None where nothing is known of it here."""
        return positions.offset_of(self._engine, position)

    # Writing

    def splice(self, changes: Sequence[Change]) -> None:
        """Write in one transaction; offsets are UTF-8 bytes, each change sees those before it.

        The caller vouches that no offset lies inside a character.

        Raises:
            CrdtError: if an offset lies outside the text.
        """
        self._text = None
        self._engine.splice(changes)

    def apply_splices(self, edits: Sequence[Splice]) -> None:
        """Write edits given in code points of the present text, ascending, in one transaction."""
        if edits:
            self.splice(as_changes(self.text, edits))

    def replace_text(self, new: str) -> bool:
        """Make the text ``new`` by a minimal edit; False if it already is.

        Raises:
            CrdtError: if ``new`` holds a lone surrogate.
        """
        byte_length(new)
        edits = splices(self.text, new)
        self.apply_splices(edits)
        return bool(edits)

    def move(self, path: str) -> None:
        """Give the thought another path; the old one stays as an alias."""
        meta = self.meta
        if path == meta.path:
            return
        # The new path as well: where two people move a thought at once, both paths lead to it.
        if not meta.aliases:
            self._engine.append_meta("aliases", meta.path, path)
        elif path not in meta.aliases:
            self._engine.append_meta("aliases", path)
        self._engine.set_meta({"path": path})

    def put_into_trash(self, at: int, by: str) -> None:
        """Put the thought into the trash, recording the text as it is now."""
        self._engine.set_meta({"trashed": {"at": at, "by": by, "digest": digest(self.text)}})

    def take_out_of_trash(self) -> None:
        """Take the thought out of the trash."""
        self._engine.set_meta({"trashed": None})

    def purge(self, at: int) -> None:
        """Remove the text for good. What is left says only that there was a thought."""
        self._text = None
        self._engine.splice([Change(0, self._engine.text_bytes(), "")])
        self._engine.set_meta({"trashed": None, "purged_at": at, "aliases": []})

    def apply(self, update: bytes) -> None:
        """Take in somebody else's update; a known one changes nothing.

        Raises:
            CrdtError: if it is broken.
        """
        self._text = None
        self._engine.apply(update)

    # Watching and undo

    def on_update(self, callback: Callable[[bytes], None]) -> Callable[[], None]:
        """Call back with each update made here; returns a function that stops it."""
        return self._engine.on_update(callback)

    def on_text(self, callback: Callable[[Sequence[Change], bool], None]) -> Callable[[], None]:
        """Call back with changes of the text that :meth:`splice` did not make.

        The callback gets the steps (bytes, each in the text as it has become by then) and whether
        they are an undo or redo of one's own. It must not write. Returns a function that stops it.
        """
        return self._engine.on_text(callback)

    def start_undo(self, clock: Callable[[], int]) -> None:
        """Record own edits for undo; ``clock`` gives milliseconds and decides what goes together.

        Let the clock jump by more than :data:`UNDO_CAPTURE_MS` to begin a new step.
        """
        self._engine.start_undo(clock, UNDO_CAPTURE_MS)

    def undo(self) -> bool:
        """Undo the last own step; False when there is none."""
        self._text = None
        return self._engine.undo()

    def redo(self) -> bool:
        """Redo the last undone step; False when there is none."""
        self._text = None
        return self._engine.redo()

    def undo_depth(self) -> int:
        """How many steps can be undone."""
        return self._engine.undo_depth()

    def close(self) -> None:
        """Forget all watchers. A document that is watched is never freed."""
        self._engine.close()


def as_changes(text: str, edits: Sequence[Splice]) -> list[Change]:
    """Edits in code points of ``text`` (ascending, disjoint) as changes in bytes, last one first.

    Written from the end, no change moves the place of another.
    """
    changes: list[Change] = []
    at = seen = 0
    for edit in edits:
        if edit.start < seen:
            raise CrdtError("edits overlap")
        at += byte_length(text[seen : edit.start])
        deleted = byte_length(text[edit.start : edit.end])
        changes.append(Change(at, deleted, edit.text))
        at += deleted
        seen = edit.end
    changes.reverse()
    return changes


def _whole(value: object) -> int | None:
    """A number as the engine keeps it, a float, as the whole number that was given to it."""
    return int(value) if isinstance(value, (int, float)) and isfinite(value) else None


def _trash(raw: object) -> Trash | None:
    if not isinstance(raw, dict):
        return None
    return Trash(_whole(raw.get("at")) or 0, str(raw.get("by", "")), str(raw.get("digest", "")))
