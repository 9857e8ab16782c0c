"""``aimem init`` without a template: what is changed so that agents find memory, and back again.

- A plan is made first, from the files as they are, and nothing is written while it is made. It
  holds each file before and after, which is what a person is shown.
- What was added is recorded. Taking out goes by the record: exactly that, in reverse; what people
  changed since stays, and they are told.
- Project files are written below the project's folder and never through a link. A person's own
  files may be links (many keep them elsewhere); what they lead to is written, and the link stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from aimem_tui.bridge.files import printable
from aimem_tui.errors import AimemError, BadInput
from aimem_tui.paths import Home
from aimem_tui.setup import plugin_copy, records
from aimem_tui.setup.backups import Backups
from aimem_tui.setup.edits import Added, Edited
from aimem_tui.setup.place import Place, Thing
from aimem_tui.setup.records import Entry, Record
from aimem_tui.setup.wishes import Wish, decoded, same_place, taken_out


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that should be there, and for whom."""

    client: str
    """Empty: for the project itself."""
    wish: Wish


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file as it is and as it will be."""

    file: Path
    before: str | None
    """None: it is not there."""
    after: str | None
    """None: it goes."""
    made_folders: tuple[str, ...] = ()
    """Folders that go with it if they are empty then."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done."""

    root: Path | None
    """The project; None: everywhere for a person."""
    changes: tuple[FileChange, ...]
    record: Record
    """What will be recorded afterwards."""
    remarks: tuple[str, ...]
    """Sentences about what will not be done."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something else is where something should be."""

    file: Path
    named: str
    was: str
    wanted: str


Decide = Callable[[Conflict], bool]
"""Whether to replace what is there."""


def plan(wanted: Sequence[Wanted], root: Path | None, home: Home, decide: Decide) -> Plan:
    """What has to change for all that is wanted to be there.

    Raises:
        StorageError: if the record or a file cannot be read.
    """
    elsewhere = [record for record in records.all_records(home) if record.root != _named_root(root)]
    shared = [entry for record in elsewhere for entry in record.entries]
    planner = _Planner(root, records.read(home, root), decide, shared)
    for file in dict.fromkeys(each.wish.file for each in wanted):
        planner.plan_file(file, [each for each in wanted if each.wish.file == file])
    return planner.done()


def plan_removal(root: Path | None, home: Home, clients: Iterable[str] = ()) -> Plan:
    """What has to change for nothing of what was added to be there.

    Args:
        clients: only what is for these agents; none: everything.

    Raises:
        StorageError: if the record or a file cannot be read.
    """
    record = records.read(home, root)
    leaving = set(clients)
    kept = []
    for entry in record.entries:
        staying = tuple(name for name in entry.clients if name not in leaving)
        if leaving and (staying or not entry.clients):
            kept.append(msgspec.structs.replace(entry, clients=staying))
    if not any(entry.clients for entry in kept):
        kept = []
    kept_things = {(entry.file, _key(entry.added)) for entry in kept}
    going = [
        entry for entry in record.entries if (entry.file, _key(entry.added)) not in kept_things
    ]
    elsewhere = [other for other in records.all_records(home) if other.root != record.root]
    shared = {(entry.file, _key(entry.added)) for other in elsewhere for entry in other.entries}
    going = [entry for entry in going if (entry.file, _key(entry.added)) not in shared]
    changes, remarks = [], []
    for file in dict.fromkeys(entry.file for entry in reversed(going)):
        entries = [entry for entry in reversed(going) if entry.file == file]
        change, told = _removal(Path(file), root, entries)
        remarks += told
        if change is not None:
            changes.append(change)
    left = Record(record.root, tuple(kept))
    return Plan(root, tuple(changes), left, tuple(remarks))


def apply(planned: Plan, home: Home, now: int) -> Path | None:
    """Do what was planned.

    Args:
        now: milliseconds since the Unix epoch.

    Returns: where copies of the files as they were are kept; None if there was none to keep.

    Raises:
        AimemError: if something cannot be written; what was done before stays, and is recorded.
    """
    backups = Backups(home, now)
    adding = [change for change in planned.changes if change.after is not None]
    if adding and planned.record.entries:
        records.write(home, planned.root, planned.record)
    for change in planned.changes:
        place, name = _place(change.file, planned.root)
        present = place.look(name)
        if present is not None and present.kind == "file":
            backups.keep(change.file, present)
        if change.after is not None:
            place.put(name, Thing("file", change.after.encode()))
        else:
            place.remove(name)
            for folder in reversed(change.made_folders):
                around, last = _place(Path(folder), planned.root)
                around.remove_folder(last)
    records.write(home, planned.root, planned.record)
    return backups.folder


def remove_unused_plugin(home: Home) -> bool:
    """Remove the copy of Claude Code's plugin if no record needs it; returns whether it went."""
    folder = str(plugin_copy.marketplace_folder(home.data).parent)
    used = any(
        folder in msgspec.json.encode(entry.added).decode()
        for record in records.all_records(home)
        for entry in record.entries
    )
    if used or not Path(folder).is_dir():
        return False
    plugin_copy.remove(home.data)
    return True


@dataclass(slots=True)
class _Planner:
    root: Path | None
    record: Record
    decide: Decide
    shared: list[Entry]
    """What was added for other projects; some agents have one file for all of them."""
    changes: list[FileChange] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    entries: list[Entry] = field(init=False)

    def __post_init__(self) -> None:
        self.entries = list(self.record.entries)

    def done(self) -> Plan:
        record = Record(_named_root(self.root), tuple(self.entries))
        return Plan(self.root, tuple(self.changes), record, tuple(self.remarks))

    def plan_file(self, file: Path, wanted: Sequence[Wanted]) -> None:
        """Plan all that is wanted in one file."""
        try:
            before = _read(file, self.root)
        except AimemError as error:
            self._leave(file, error, wanted)
            return
        text = before or ""
        made = _missing_folders(file) if before is None else ()
        entries = list(self.entries)
        try:
            for each in wanted:
                at = self._recorded(file, each.wish)
                edited = self._fulfilled(each, text, at)
                text = edited.text
                self._note(each, edited, at, made_file=before is None, made_folders=made)
        except BadInput as error:
            # Half of what belongs together is worth nothing.
            self.entries = entries
            self._leave(file, error, wanted)
            return
        if text != (before or "") or (before is None and text):
            self.changes.append(FileChange(file, before, text))

    def _fulfilled(self, each: Wanted, text: str, at: int | None) -> Edited[Added]:
        earlier = self.entries[at].added if at is not None else None
        edited = each.wish.fulfilled(text, earlier, replace=False)
        if edited.state != "differs":
            return edited
        conflict = Conflict(each.wish.file, each.wish.named, edited.was, each.wish.shown())
        if self.decide(conflict):
            return each.wish.fulfilled(text, earlier, replace=True)
        self.remarks.append(
            f"{printable(str(each.wish.file))}: {each.wish.named} is there and differs; it stays."
        )
        return edited

    def _note(
        self,
        each: Wanted,
        edited: Edited[Added],
        at: int | None,
        *,
        made_file: bool,
        made_folders: tuple[str, ...],
    ) -> None:
        clients = (each.client,) if each.client else ()
        if at is not None:
            known = self.entries[at]
            joined = tuple(dict.fromkeys((*known.clients, *clients)))
            added = edited.added or known.added
            self.entries[at] = msgspec.structs.replace(known, clients=joined, added=added)
            return
        file = str(each.wish.file)
        if edited.added is None:
            same = (e for e in self.shared if e.file == file and same_place(e.added, each.wish))
            known_elsewhere = next(same, None)
            if edited.state == "there" and known_elsewhere is not None:
                self.entries.append(msgspec.structs.replace(known_elsewhere, clients=clients))
        else:
            self.entries.append(Entry(clients, file, edited.added, made_file, made_folders))

    def _recorded(self, file: Path, wish: Wish) -> int | None:
        for at, entry in enumerate(self.entries):
            if entry.file == str(file) and same_place(entry.added, wish):
                return at
        return None

    def _leave(self, file: Path, error: AimemError, wanted: Sequence[Wanted]) -> None:
        lines = "\n".join(each.wish.shown().rstrip() for each in wanted)
        self.remarks.append(
            f"{printable(str(file))} is left as it is. {error} To add it yourself:\n{lines}"
        )


def _removal(
    file: Path, root: Path | None, entries: Sequence[Entry]
) -> tuple[FileChange | None, list[str]]:
    """How a file changes when what was added goes; the entries come in reverse."""
    shown = printable(str(file))
    try:
        before = _read(file, root)
    except AimemError as error:
        return None, [f"{shown} is left as it is. {error}"]
    if before is None:
        return None, []
    text, remarks = before, []
    for entry in entries:
        try:
            edited = taken_out(text, entry.added)
        except BadInput as error:
            remarks.append(f"{shown} is left as it is. {error}")
            break
        text = edited.text
        if edited.state == "differs":
            what = _named(entry.added)
            remarks.append(f"{shown}: {what} was changed since it was added, and stays.")
    made = any(entry.made_file for entry in entries)
    if made and not text.strip("\ufeff \t\r\n"):
        folders = max((entry.made_folders for entry in entries), key=len)
        return FileChange(file, before, None, folders), remarks
    return (FileChange(file, before, text) if text != before else None), remarks


def _named_root(root: Path | None) -> str:
    return str(root) if root else ""


def _named(added: Added) -> str:
    path = getattr(added, "path", None)
    if path:
        return ".".join(path)
    return "it" if type(added).__name__ == "FileAdded" else "the section about aimem"


def _key(added: Added) -> bytes:
    return msgspec.json.encode(added)


def _read(file: Path, root: Path | None) -> str | None:
    place, name = _place(file, root)
    present = place.look(name)
    if present is None:
        return None
    if present.kind != "file":
        what = {"link": "a link, which nothing is written through", "folder": "a folder"}
        raise BadInput(f"It is {what.get(present.kind, 'no file')}.")
    return decoded(present.data)


def _place(file: Path, root: Path | None) -> tuple[Place, str]:
    """Where a file is: within the project by its path there, else where links lead."""
    if root is not None and file.is_relative_to(root):
        return Place(root), file.relative_to(root).as_posix()
    real = file.resolve()
    return Place(real.parent), real.name


def _missing_folders(file: Path) -> tuple[str, ...]:
    missing = [str(folder) for folder in file.parents if not folder.exists()]
    return tuple(reversed(missing))
