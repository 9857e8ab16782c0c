"""Changing thoughts: each change is made on the document, appended to the log and projected, all in
one write transaction. What is being typed elsewhere in this process is on disk before.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aimem_tui.errors import BadInput, NotFound, Refused, StorageError
from aimem_tui.markdown import paths
from aimem_tui.model.limits import TEXT_LIMIT
from aimem_tui.store import documents, log, projector
from aimem_tui.store.log import Draft
from crdt import adapter, ids
from crdt.document import ThoughtDocument
from crdt.errors import CrdtError
from crdt.textdiff import Splice, apply

if TYPE_CHECKING:
    import apsw

    from aimem_tui.workspace.workspace import Handout, Workspace


def create(workspace: Workspace, path: str, text: str, at: int, note: str) -> str:
    """Make a thought; returns its id.

    Raises:
        BadInput: if no thought can have that path or text.
        Refused: if there is one at that path.
    """
    checked = paths.check_path(path)
    check_text(text)
    thought = ids.uuid7(at, os.urandom(10))
    with workspace.database.write() as connection:
        taken = connection.execute(
            "SELECT 1 FROM thoughts WHERE path = ? AND shown", (checked,)
        ).fetchone()
        if taken is not None:
            raise Refused(
                f"There is a thought at {checked} already.",
                hint=f"To change it: aimem edit {checked}.",
            )
        _, update = ThoughtDocument.create(
            documents.new_client_id(), path=checked, text=text, at=at, by=workspace.author
        )
        _append(connection, [Draft(thought, update, at, workspace.author, note)])
    return thought


def hand_out(workspace: Workspace, thought: str) -> Handout:
    """A thought's text for editing elsewhere."""
    from aimem_tui.workspace.workspace import Handout

    workspace.settle()
    with workspace.database.snapshot() as connection, usable():
        document = documents.load(connection, known(connection, thought))
        return Handout(thought, document.text, document.state())


def take_back(workspace: Workspace, handout: Handout, text: str, note: str) -> bool:
    """Merge an edited text in, as a change of the text that was handed out.

    Returns: whether there was a change.

    Raises:
        BadInput: if no thought can have that text.
        NotFound: if the thought was purged meanwhile.
    """
    check_text(text)
    copy = ThoughtDocument.load(documents.new_client_id(), [handout.state])
    before = copy.state_vector()
    outlived = copy.outlived_trash
    if not copy.replace_text(text):
        return False
    if outlived is not None:
        copy.take_out_of_trash()
    update = copy.update_since(before)
    with workspace.database.write() as connection:
        known(connection, handout.thought)
        draft = Draft(handout.thought, update, workspace.clock(), workspace.author, note)
        _append(connection, [draft])
    return True


def edit_text(
    workspace: Workspace, thought: str, change: Callable[[str], Sequence[Splice]]
) -> None:
    """Change a thought's text by splices computed from its present text."""
    with changing(workspace, thought) as document:
        edits = change(document.text)
        check_text(apply(document.text, edits))
        document.apply_splices(edits)


def addition(present: str, text: str) -> list[Splice]:
    """The edit that adds lines at the end of a text, on a line of their own."""
    newline = "\r\n" if "\r\n" in present else "\n"
    added = text.replace("\r\n", "\n").replace("\n", newline)
    gap = newline if present and not present.endswith(("\n", "\r")) else ""
    end = "" if added.endswith(("\n", "\r")) else newline
    return [Splice(len(present), len(present), gap + added + end)]


def move(workspace: Workspace, thought: str, path: str) -> None:
    """Give a thought another path.

    Raises:
        BadInput: if no thought can have that path.
        Refused: if another thought is there.
    """
    checked = paths.check_path(path)
    with changing(workspace, thought) as document:
        taken = workspace.database.read().execute(
            "SELECT 1 FROM thoughts WHERE path = ? AND shown AND id != ?", (checked, thought)
        )
        if taken.fetchone() is not None:
            raise Refused(f"There is a thought at {checked} already.")
        document.move(checked)


def purge(workspace: Workspace, thoughts: Sequence[str]) -> None:
    """Remove the text and history of thoughts for good.

    Raises:
        NotFound: if there is no such thought.
        Refused: if one is not in the trash; none is purged then.
    """
    from aimem_tui.organize.memory import FILE_NAME, Memory
    from aimem_tui.workspace import indexing

    workspace.settle()
    with workspace.database.write() as connection:
        numbers = [known(connection, each) for each in thoughts]
        for each in thoughts:
            # Once its text is gone, the projector removes what the file held of it.
            with changing(workspace, each) as document:
                if document.trashed is None:
                    raise Refused(
                        "Only what is in the trash can be purged.",
                        hint="Put it there: aimem trash.",
                    )
                document.purge(workspace.clock())
        projector.forget_words(connection)
    # The old text must not live on in the write-ahead log.
    workspace.database.truncate_wal()
    # Only now: whoever indexes at this moment has read the text before, or does not find it.
    indexing.forget(workspace.database.read(), numbers)
    Memory(workspace.database.path.parent / FILE_NAME).forget(thoughts)


@contextmanager
def changing(workspace: Workspace, thought: str, *, note: str = "") -> Iterator[ThoughtDocument]:
    """A thought's document under the write lock; what is written to it is appended."""
    workspace.settle()
    with workspace.database.write() as connection, usable():
        document = documents.load(connection, known(connection, thought))
        updates: list[bytes] = []
        stop = document.on_update(updates.append)
        outlived = document.outlived_trash
        try:
            yield document
            if updates and outlived is not None and document.meta.trash == outlived:
                document.take_out_of_trash()
        finally:
            stop()
        if updates:
            update = adapter.merge(updates)
            _append(connection, [Draft(thought, update, workspace.clock(), workspace.author, note)])


def check_text(text: str) -> None:
    """Make sure that a thought can have a text.

    Raises:
        BadInput: if it is too large, or holds NUL or half of a surrogate pair.
    """
    if "\0" in text:
        raise BadInput("The text holds a NUL character.", why="Thoughts are text, not binary data.")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise BadInput("The text is not valid Unicode.") from error
    if size > TEXT_LIMIT:
        raise BadInput(
            f"The text has {size / 1e6:.1f} MB.",
            why=f"A thought holds at most {TEXT_LIMIT // 1_048_576} MB.",
        )


@contextmanager
def usable() -> Iterator[None]:
    """Say in words that a document's bytes are broken."""
    try:
        yield
    except CrdtError as error:
        raise StorageError(
            "The thought's document cannot be used.",
            why=f"{str(error).capitalize()}.",
            hint="Nothing was changed. Run: aimem doctor.",
        ) from error


def known(connection: apsw.Connection, thought: str) -> int:
    """The small number of a thought that exists and was not purged.

    Raises:
        NotFound: if there is none.
    """
    row = connection.execute(
        "SELECT thought_ids.n, thoughts.purged FROM thought_ids"
        " LEFT JOIN thoughts ON thoughts.n = thought_ids.n WHERE thought_ids.id = ?",
        (thought,),
    ).fetchone()
    if row is None or row[1]:
        raise NotFound(f"There is no thought with the id {thought}.")
    return int(row[0])


def _append(connection: apsw.Connection, drafts: Sequence[Draft]) -> None:
    records = log.append(connection, drafts)
    for thought in {record.entry.thought for record in records}:
        projector.refresh(connection, log.thought_number(connection, thought))
