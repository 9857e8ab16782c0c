"""A thought as a document: edits from anywhere merge, nothing is lost by accident."""

from __future__ import annotations

import pycrdt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crdt.adapter import Change, byte_length
from crdt.document import UNDO_CAPTURE_MS, ThoughtDocument, as_changes, digest
from crdt.errors import CrdtError
from crdt.textdiff import Splice
from tests.crdt.histories import spliced, texts

AT = 1_761_234_567_890
LINES = [f"Paragraph {number} says 日本 👍🏽 something.\n" for number in range(6)]


def thought(text: str = "", path: str = "notes/a.md", client_id: int = 1) -> ThoughtDocument:
    return ThoughtDocument.create(client_id, path=path, text=text, at=AT, by="ann")[0]


def copy(document: ThoughtDocument, client_id: int) -> ThoughtDocument:
    return ThoughtDocument.load(client_id, [document.state()])


def sync(*documents: ThoughtDocument) -> None:
    """Everybody gets everything."""
    for _ in documents:
        for document in documents:
            for other in documents:
                document.apply(other.update_since(document.state_vector()))


# A new thought


@given(texts)
def test_a_thought_is_what_it_was_made_of(text: str) -> None:
    document, update = ThoughtDocument.create(1, path="a/ü.md", text=text, at=AT, by="ann")
    for it in (document, ThoughtDocument.load(2, [update])):
        meta = it.meta
        assert (it.text, it.text_bytes) == (text, byte_length(text))
        assert (meta.path, meta.aliases, meta.created_by) == ("a/ü.md", (), "ann")
        assert (meta.created_at, type(meta.created_at)) == (AT, int)
        assert (meta.trash, meta.purged_at, it.trashed) == (None, None, None)


def test_half_a_surrogate_pair_makes_no_thought() -> None:
    with pytest.raises(CrdtError, match="surrogate"):
        thought("a\ud83d")
    document = thought("abc")
    with pytest.raises(CrdtError, match="surrogate"):
        document.replace_text("ab\udc4dc")
    assert document.text == "abc"


def test_whatever_stands_in_the_properties_can_be_read() -> None:
    foreign: pycrdt.Doc[pycrdt.Map] = pycrdt.Doc(client_id=7)
    meta = foreign.get("meta", type=pycrdt.Map)
    for key, value in {
        "created_at": float("nan"),
        "purged_at": float("inf"),
        "aliases": "ab",
        "trashed": {"at": "soon", "by": True},
        "path": True,
    }.items():
        meta[key] = value
    read = ThoughtDocument.load(1, [foreign.get_update()]).meta
    assert (read.created_at, read.purged_at, read.aliases) == (0, None, ())
    assert read.trash is not None
    assert (read.trash.at, read.trash.by, read.trash.digest) == (0, "True", "")


def test_without_any_update_there_is_an_empty_thought() -> None:
    document = ThoughtDocument.load(1, [])
    assert (document.text, document.meta.path, document.trashed) == ("", "", None)


# Replacing text


@given(texts, texts)
def test_the_text_becomes_the_new_text(old: str, new: str) -> None:
    document = thought(old)
    updates: list[bytes] = []
    document.on_update(updates.append)
    assert document.replace_text(new) == (old != new)
    assert (document.text, document.text_bytes) == (new, byte_length(new))
    assert len(updates) == (old != new)


@given(texts, texts, texts)
def test_what_stands_around_an_edit_is_not_written_again(before: str, old: str, after: str) -> None:
    document = thought(before + old + after)
    state = document.state_vector()
    document.replace_text(before + "NEW" + after)
    written = document.update_since(state)
    assert len(written) < 120 + 4 * byte_length(old)


def test_one_changed_word_in_a_large_text_is_a_small_update() -> None:
    text = "".join(f"Line {number} of a long text.\n" for number in range(5_000))
    document = thought(text)
    updates: list[bytes] = []
    document.on_update(updates.append)
    document.replace_text(text.replace("Line 2500 of a long", "Line 2500 of one long"))
    assert len(b"".join(updates)) < 60


@given(st.permutations(range(6)), texts, texts)
def test_new_texts_of_different_paragraphs_are_both_kept(
    order: list[int], one: str, other: str
) -> None:
    first, second = order[:2]
    mine = thought("".join(LINES))
    theirs = copy(mine, 2)
    for document, index, text in ((mine, first, one), (theirs, second, other)):
        lines = [*LINES]
        lines[index] = f"<{text}>\n"
        document.replace_text("".join(lines))
    sync(mine, theirs)
    merged = [*LINES]
    merged[first], merged[second] = f"<{one}>\n", f"<{other}>\n"
    assert mine.text == theirs.text
    assert mine.text == "".join(merged)


@given(texts, texts, texts)
def test_whatever_two_people_make_of_a_text_they_end_with_the_same(
    base: str, one: str, other: str
) -> None:
    mine = thought(base)
    theirs = copy(mine, 2)
    mine.replace_text(one)
    theirs.replace_text(other)
    sync(mine, theirs)
    assert mine.text == theirs.text
    if one == base:
        assert mine.text == other


@given(texts, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), texts), max_size=4))
def test_edits_in_code_points_become_the_same_edits_in_bytes(
    text: str, drawn: list[tuple[int, int, str]]
) -> None:
    cuts = sorted({min(cut, len(text)) for start, end, _ in drawn for cut in (start, end)})
    edits = [
        Splice(start, end, new)
        for (start, end), (_, _, new) in zip(
            zip(cuts[::2], cuts[1::2], strict=False), drawn, strict=False
        )
    ]
    expected = text
    for edit in reversed(edits):
        expected = expected[: edit.start] + edit.text + expected[edit.end :]
    assert spliced(text, as_changes(text, edits)) == expected
    document = thought(text)
    document.apply_splices(edits)
    assert document.text == expected


def test_edits_that_overlap_are_refused() -> None:
    document = thought("abcdef")
    with pytest.raises(CrdtError, match="overlap"):
        document.apply_splices([Splice(0, 4, "x"), Splice(3, 5, "y")])
    assert document.text == "abcdef"


def test_a_text_handed_out_comes_back_as_a_change_of_what_was_handed_out() -> None:
    stored = thought("".join(LINES))
    handed_out, text = stored.state(), stored.text
    stored.replace_text(text.replace("Paragraph 1", "Meanwhile 1"))
    elsewhere = ThoughtDocument.load(9, [handed_out])
    before = elsewhere.state_vector()
    elsewhere.replace_text(text.replace("Paragraph 4", "Edited 4") + "More.\n")
    stored.apply(elsewhere.update_since(before))
    expected = text.replace("Paragraph 1", "Meanwhile 1").replace("Paragraph 4", "Edited 4")
    assert stored.text == expected + "More.\n"


# Path


def test_a_moved_thought_keeps_its_other_paths_once_each() -> None:
    document = thought(path="a.md")
    for path in ("b.md", "a.md", "c.md", "c.md", "b.md"):
        document.move(path)
    assert document.meta.path == "b.md"
    assert document.meta.aliases == ("a.md", "c.md")
    assert document.state().count(b"a.md") == 1, "going back and forth adds nothing"


def test_moves_made_at_the_same_time_agree_and_forget_no_path() -> None:
    mine = thought(path="a.md")
    theirs = copy(mine, 2)
    mine.move("b.md")
    mine.move("mine.md")
    theirs.move("theirs.md")
    sync(mine, theirs)
    assert mine.meta == theirs.meta
    assert mine.meta.path in {"mine.md", "theirs.md"}
    everywhere = [mine.meta.path, *mine.meta.aliases]
    assert sorted(everywhere) == ["a.md", "b.md", "mine.md", "theirs.md"]


# Trash


def test_what_is_in_the_trash_says_who_put_it_there_and_comes_out_again() -> None:
    document = thought("text")
    document.put_into_trash(AT + 5, "ben")
    trash = copy(document, 2).trashed
    assert trash is not None
    assert (trash.at, trash.by, trash.digest) == (AT + 5, "ben", digest("text"))
    document.take_out_of_trash()
    assert document.trashed is None
    assert copy(document, 2).meta.trash is None


@given(texts, texts)
def test_an_edit_made_elsewhere_meanwhile_brings_a_thought_back(old: str, new: str) -> None:
    mine = thought(old)
    theirs = copy(mine, 2)
    mine.put_into_trash(AT, "ann")
    theirs.replace_text(new)
    sync(mine, theirs)
    assert mine.text == theirs.text == new
    assert (mine.trashed is None) == (theirs.trashed is None) == (old != new)


def test_text_that_is_put_back_as_it_was_is_trashed_as_it_was() -> None:
    document = thought("text")
    document.put_into_trash(AT, "ann")
    document.replace_text("other")
    assert document.trashed is None
    document.replace_text("text")
    assert document.trashed is not None


# Purge


@given(texts, texts)
def test_a_purged_thought_holds_nothing_of_its_text_or_paths(old: str, new: str) -> None:
    document = thought(f"SECRET1 {old}", path="SECRET2.md")
    document.replace_text(f"SECRET3 {new}")
    document.move("left.md")
    document.put_into_trash(AT, "ann")
    document.purge(AT + 9)
    assert (document.text, document.text_bytes) == ("", 0)
    assert (document.meta.purged_at, document.meta.aliases) == (AT + 9, ())
    assert (document.meta.trash, document.meta.path) == (None, "left.md")
    for it in (document, copy(document, 2)):
        assert b"SECRET" not in it.state()


def test_an_empty_thought_can_be_purged() -> None:
    document = thought("")
    document.purge(AT)
    assert document.meta.purged_at == AT


# Undo


def test_undo_and_redo_walk_own_steps_and_the_text_follows() -> None:
    clock = 0
    mine = thought("base\n")
    mine.start_undo(lambda: clock)
    seen = [mine.text]
    for word in ("one", "two", "three"):
        clock += UNDO_CAPTURE_MS * 2
        mine.replace_text(mine.text + word + "\n")
        seen.append(mine.text)
    theirs = copy(mine, 2)
    theirs.replace_text("theirs\n" + theirs.text)
    mine.apply(theirs.update_since(mine.state_vector()))
    for text in reversed(seen[:-1]):
        assert mine.undo()
        assert mine.text == "theirs\n" + text
    assert not mine.undo()
    for text in seen[1:]:
        assert mine.redo()
        assert mine.text == "theirs\n" + text
    assert mine.undo_depth() == 3


def test_undo_leaves_path_and_trash_alone() -> None:
    document = thought("text", path="a.md")
    document.start_undo(lambda: 0)
    document.move("b.md")
    document.put_into_trash(AT, "ann")
    assert not document.undo()
    assert document.meta.path == "b.md"
    assert document.trashed is not None


class Conversation(RuleBasedStateMachine):
    """Three people write, undo, move, trash and exchange; a plain string follows each of them."""

    @initialize(text=texts)
    def begin(self, text: str) -> None:
        first = thought(text)
        self.people = [first, copy(first, 2), copy(first, 3)]
        self.clock = 0
        self.followed = [text] * 3
        for number, document in enumerate(self.people):
            document.start_undo(lambda: self.clock)
            document.on_text(self._follower(number))

    def _follower(self, number: int):
        def follow(changes: list[Change], _own_undo: bool) -> None:
            self.followed[number] = spliced(self.followed[number], changes)

        return follow

    who = st.integers(0, 2)

    @rule(who=who, text=texts)
    def rewrite(self, who: int, text: str) -> None:
        self.clock += UNDO_CAPTURE_MS
        self.people[who].replace_text(text)
        self.followed[who] = text

    @rule(who=who, data=st.data(), new=texts)
    def type(self, who: int, data: st.DataObject, new: str) -> None:
        text = self.people[who].text
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, len(text)))
        self.people[who].apply_splices([Splice(start, end, new)])
        self.followed[who] = text[:start] + new + text[end:]

    @rule(who=who)
    def undo(self, who: int) -> None:
        self.people[who].undo()

    @rule(who=who)
    def redo(self, who: int) -> None:
        self.people[who].redo()

    @rule(who=who, to=who)
    def send(self, who: int, to: int) -> None:
        receiver = self.people[to]
        receiver.apply(self.people[who].update_since(receiver.state_vector()))

    @rule(who=who, path=st.sampled_from(["a.md", "b.md", "c/d.md"]))
    def move(self, who: int, path: str) -> None:
        self.people[who].move(path)

    @rule(who=who)
    def trash(self, who: int) -> None:
        self.people[who].put_into_trash(self.clock, str(who))
        assert self.people[who].trashed is not None

    @precondition(lambda self: self.people)
    @rule()
    def exchange(self) -> None:
        sync(*self.people)
        first, *others = self.people
        for other in others:
            assert (other.text, other.meta, other.trashed) == (
                first.text,
                first.meta,
                first.trashed,
            )
        assert copy(first, 9).text == first.text

    @invariant()
    def what_is_followed_is_what_is_there(self) -> None:
        for document, followed in zip(self.people, self.followed, strict=True):
            assert document.text == followed
            assert document.text_bytes == byte_length(followed)


TestConversation = Conversation.TestCase
TestConversation.settings = settings(
    max_examples=settings().max_examples // 2, stateful_step_count=30
)
