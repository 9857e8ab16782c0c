"""Whatever is done through the facade, a workspace behaves as a plain table of texts would."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from aimem_tui.errors import AimemError, BadInput, NotFound, Refused, StorageError
from aimem_tui.markdown.paths import Declared, unique_names
from aimem_tui.model import Filter
from aimem_tui.model.limits import TEXT_LIMIT
from aimem_tui.store import log
from aimem_tui.store.log import Draft
from aimem_tui.workspace import doctor
from aimem_tui.workspace.workspace import Handout, Workspace
from crdt.positions import Position
from crdt.textdiff import Splice
from crdt.wire.codec import check_entry
from tests.crdt.histories import texts
from tests.workspaces import START, Clock, open_workspace

paths = st.sampled_from(["a.md", "b.md", "a (2).md", "x/a.md", "x/y/c.md", "x/script.sh"])


@dataclass
class Plain:
    """What a thought should be."""

    path: str
    text: str
    aliases: set[str] = field(default_factory=set)
    trashed: bool = False
    past: list[str] = field(default_factory=list)


class Facade(RuleBasedStateMachine):
    """Every action is done to the workspace and to a plain dict; nobody can tell them apart."""

    thoughts = Bundle("thoughts")
    handouts = Bundle("handouts")

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        # Each edit is far from the one before, and so a revision of its own.
        self.clock = Clock(step=10 * 60_000)
        self.workspace = open_workspace(Path(self.folder.name), clock=self.clock)
        self.model: dict[str, Plain] = {}

    def teardown(self) -> None:
        assert [f for f in doctor.examine(self.workspace) if not f.ok] == []
        self.workspace.close()
        self.folder.cleanup()

    def names(self) -> dict[str, str]:
        shown = [Declared(i, plain.path) for i, plain in self.model.items() if not plain.trashed]
        return unique_names(shown)

    def edited(self, thought: str, text: str, *, always: bool = False) -> None:
        plain = self.model[thought]
        if plain.text != text or always:
            plain.past.append(text)
        if plain.trashed and plain.text != text:
            plain.trashed = False
        plain.text = text

    @rule(target=thoughts, path=paths, text=texts)
    def create(self, path: str, text: str):
        if path in self.names().values():
            with pytest.raises(Refused):
                self.workspace.create(path, text)
            return multiple()
        thought = self.workspace.create(path, text).id
        self.model[thought] = Plain(path, text, past=[text])
        return thought

    @rule(thought=thoughts, text=texts, data=st.data())
    def edit(self, thought: str, text: str, data: st.DataObject) -> None:
        if thought not in self.model:
            return
        old = self.model[thought].text
        start = data.draw(st.integers(0, len(old)))
        end = data.draw(st.integers(start, len(old)))
        self.workspace.edit_text(thought, lambda present: [Splice(start, end, text)])
        self.edited(thought, old[:start] + text + old[end:], always=bool(end - start or text))

    @rule(thought=thoughts, text=texts)
    def append(self, thought: str, text: str) -> None:
        if thought not in self.model:
            return
        old = self.model[thought].text
        self.workspace.append(thought, text)
        now = self.workspace.text(thought)
        assert now.startswith(old)
        assert now.endswith(("\n", "\r"))
        added = now.removeprefix(old)
        assert re.sub("[\r\n]", "", added) == re.sub("[\r\n]", "", text)
        newline = "\r\n" if "\r\n" in old else "\n"
        assert not old or old.endswith(("\n", "\r")) or added.startswith(newline)
        self.edited(thought, now)

    @rule(thought=thoughts, path=paths)
    def move(self, thought: str, path: str) -> None:
        if thought not in self.model:
            return
        others = {name for other, name in self.names().items() if other != thought}
        plain = self.model[thought]
        if path in others:
            with pytest.raises(Refused):
                self.workspace.move(thought, path)
            return
        self.workspace.move(thought, path)
        if path != plain.path:
            plain.aliases |= {plain.path}
            plain.path = path
            plain.aliases -= {path}
            plain.past.append(plain.text)

    @rule(thought=thoughts)
    def trash(self, thought: str) -> None:
        if thought in self.model:
            plain = self.model[thought]
            self.workspace.trash(thought)
            if not plain.trashed:
                plain.past.append(plain.text)
            plain.trashed = True

    @rule(thought=thoughts)
    def restore(self, thought: str) -> None:
        if thought in self.model:
            plain = self.model[thought]
            before = len(self.workspace.history(thought))
            self.workspace.restore(thought)
            # A trash record is also taken away where an edit had brought the thought back.
            plain.past += [plain.text] * (len(self.workspace.history(thought)) - before)
            plain.trashed = False

    @rule(thought=thoughts)
    def purge(self, thought: str) -> None:
        if thought in self.model and not self.model[thought].trashed:
            with pytest.raises(Refused):
                self.workspace.purge(thought)
        elif thought in self.model:
            self.workspace.purge(thought)
            del self.model[thought]
        else:
            with pytest.raises(NotFound):
                self.workspace.purge(thought)

    @rule(thought=thoughts, number=st.integers(1, 6))
    def restore_revision(self, thought: str, number: int) -> None:
        if thought not in self.model:
            return
        past = self.model[thought].past
        if number > len(past):
            with pytest.raises(NotFound):
                self.workspace.restore_revision(thought, number)
            return
        self.workspace.restore_revision(thought, number)
        self.edited(thought, past[number - 1])

    @rule(target=handouts, thought=thoughts)
    def hand_out(self, thought: str):
        if thought not in self.model:
            with pytest.raises(NotFound):
                self.workspace.hand_out(thought)
            return multiple()
        handout = self.workspace.hand_out(thought)
        assert handout.text == self.model[thought].text
        return handout

    @rule(handout=handouts, text=texts)
    def take_back(self, handout: Handout, text: str) -> None:
        if handout.thought not in self.model:
            if text != handout.text:
                with pytest.raises(NotFound):
                    self.workspace.take_back(handout, text)
            return
        meanwhile = self.workspace.hand_out(handout.thought) != handout
        assert self.workspace.take_back(handout, text) == (text != handout.text)
        if text == handout.text:
            return
        now = self.workspace.text(handout.thought)
        assert meanwhile or now == text
        self.edited(handout.thought, now, always=True)
        # Merged with edits made meanwhile, the text may happen to be what was put into the trash.
        row = self.workspace.by_id(handout.thought)
        self.model[handout.thought].trashed |= meanwhile and row.trashed_at is not None

    @rule()
    def rebuild(self) -> None:
        doctor.rebuild(self.workspace, lambda progress: None)

    @rule()
    def reopen(self) -> None:
        assert self.workspace.close()
        self.workspace = open_workspace(Path(self.folder.name), clock=self.clock)

    @invariant()
    def lists_texts_and_names_agree(self) -> None:
        names = self.names()
        listed = {thought.id: thought.path for thought in self.workspace.thoughts()}
        assert listed == names
        trashed = {thought.id for thought in self.workspace.thoughts(Filter(trashed=True))}
        assert trashed == {i for i, plain in self.model.items() if plain.trashed}
        for thought, plain in self.model.items():
            row = self.workspace.by_id(thought)
            assert row.declared_path == plain.path
            assert self.workspace.text(thought) == plain.text
            assert row.size == len(plain.text.encode())
            assert row.created_at <= row.updated_at <= self.clock.now
        status = self.workspace.status()
        assert (status.thoughts, status.trashed, status.waiting) == (len(names), len(trashed), 0)

    @invariant()
    def history_holds_every_text(self) -> None:
        for thought, plain in self.model.items():
            past = self.workspace.past(thought)
            assert [each.text for each in past] == plain.past
            assert [each.before for each in past] == ["", *plain.past[:-1]]
            assert [each.revision.number for each in past] == [*range(1, len(past) + 1)]

    @invariant()
    def earlier_paths_lead_to_the_thought(self) -> None:
        now = set(self.names().values())
        for thought, name in self.names().items():
            assert self.workspace.get(name).id == thought
            for alias in self.model[thought].aliases - now:
                others = [i for i in self.names() if alias in self.model[i].aliases]
                if others == [thought]:
                    assert self.workspace.get(alias).id == thought


TestFacade = Facade.TestCase
TestFacade.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=20)


# One by one


@pytest.fixture
def workspace(tmp_path: Path):
    with open_workspace(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    "text",
    ["a\0b", "a\ud83d", "x" * (TEXT_LIMIT + 1), "é" * (TEXT_LIMIT // 2 + 1)],
    ids=["NUL", "surrogate", "long", "long in bytes"],
)
def test_a_text_that_no_thought_can_have_is_refused_everywhere(
    workspace: Workspace, text: str
) -> None:
    thought = workspace.create("a.md", "text")
    handout = workspace.hand_out(thought.id)
    position = log.last_position(workspace.database.read())
    for attempt in (
        lambda: workspace.create("b.md", text),
        lambda: workspace.append(thought.id, text),
        lambda: workspace.take_back(handout, text),
        lambda: workspace.edit_text(thought.id, lambda present: [Splice(0, 0, text)]),
    ):
        with pytest.raises(BadInput):
            attempt()
    assert workspace.text(thought.id) == "text"
    assert log.last_position(workspace.database.read()) == position


@pytest.mark.parametrize("path", ["", "/a.md", "../a.md", "a//b.md", "a\nb.md", "x" * 300])
def test_a_path_that_no_thought_can_have_is_refused(workspace: Workspace, path: str) -> None:
    thought = workspace.create("a.md", "text")
    with pytest.raises(BadInput):
        workspace.create(path, "")
    with pytest.raises(BadInput):
        workspace.move(thought.id, path)


def test_an_id_of_nothing_is_not_found_by_anything(workspace: Workspace) -> None:
    for attempt in (
        workspace.by_id,
        workspace.text,
        workspace.hand_out,
        workspace.history,
        workspace.activity,
        workspace.trash,
        workspace.restore,
        workspace.purge,
        workspace.open_live,
        lambda thought: workspace.move(thought, "b.md"),
        lambda thought: workspace.append(thought, "x"),
        lambda thought: workspace.revision(thought, 1),
    ):
        with pytest.raises(NotFound):
            attempt("0" * 32)


def test_a_document_whose_bytes_are_broken_is_told_of_in_words(workspace: Workspace) -> None:
    thought = workspace.create("a.md", "text")
    with workspace.database.write() as connection:
        log.append(connection, [Draft(thought.id, b"\x05broken", START, "mallory")])
    workspace.catch_up()
    assert workspace.text(thought.id) == "text", "it can still be read"
    for attempt in (
        workspace.hand_out,
        workspace.history,
        workspace.open_live,
        workspace.trash,
        lambda thought: workspace.append(thought, "x"),
    ):
        with pytest.raises(StorageError, match="cannot be used"):
            attempt(thought.id)
    assert not all(finding.ok for finding in doctor.examine(workspace))


def test_properties_and_tags_change_their_line_and_nothing_else(workspace: Workspace) -> None:
    text = "---\ntitle:   Old  # kept\nother: x\n---\r\nbody\u2028日本"
    thought = workspace.create("a.md", text)
    workspace.set_property(thought.id, "status", "done")
    workspace.set_property(thought.id, "other", ["y", "z"])
    workspace.add_tags(thought.id, ["one", "two"])
    workspace.remove_tags(thought.id, ["one"])
    workspace.remove_property(thought.id, "status")
    row = workspace.by_id(thought.id)
    assert (row.tags, row.status, row.title) == (("two",), "", "Old")
    now = workspace.text(thought.id)
    assert now.startswith("---\ntitle:   Old  # kept\n")
    assert now.endswith("---\r\nbody\u2028日本")


def test_every_error_says_what_to_do_or_why(workspace: Workspace) -> None:
    thought = workspace.create("a.md", "")
    for attempt in (
        lambda: workspace.get("nothing"),
        lambda: workspace.create("a.md", ""),
        lambda: workspace.create("../a.md", ""),
        lambda: workspace.purge(thought.id),
        lambda: workspace.revision(thought.id, 7),
    ):
        with pytest.raises(AimemError) as error:
            attempt()
        assert error.value.what.endswith(".")
        assert error.value.hint or error.value.why


def test_what_is_saved_here_is_what_other_machines_take(tmp_path: Path) -> None:
    author = "A\0da" + "x" * 300
    with Workspace(tmp_path / "w.db", name="w", author=author) as workspace:
        workspace.create("large.md", "é" * (TEXT_LIMIT // 2))
        (record,) = log.tail(workspace.database.read(), 0)
    check_entry(record.entry)
    assert record.entry.author == ("Ada" + "x" * 300)[:256]


def test_one_process_writes_for_several(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "w.db") as workspace:
        agent = workspace.written_by("Ada via Claude Code")
        thought = agent.create("a.md", "# A\n")
        workspace.append(thought.id, "by hand")
        agent.append(thought.id, "by the agent")
        authors = [one.revision.author for one in workspace.past(thought.id)]
        assert authors[0] == authors[-1] == "Ada via Claude Code"
        assert workspace.author in authors


def test_a_place_stays_with_its_characters(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "w.db") as workspace:
        thought = workspace.create("a.md", "# Ä\n\nThe end.\n").id
        anchor, head = workspace.place_in(thought, 9, 12)
        workspace.edit_text(thought, lambda _: [Splice(0, 0, "😀")])
        live = workspace.open_live(thought)
        places = [live.document.offset_of(Position.from_json(at)) for at in (anchor, head)]
        text = live.document.text.encode()
        assert text[places[0] : places[1]] == b"end"
        assert workspace.place_in(thought, 10**6, 10**6) is not None
        live.close()
