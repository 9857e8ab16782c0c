"""The tree's rows against the plainest tree there is: all paths, written out."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aimem_tui.model import Folder, Kind, Lifecycle, Thought
from aimem_tui.widgets.rows import Span
from aimem_tui.widgets.tree_model import Place, RowSort, TreeKey, TreeModel
from aimem_tui.widgets.tree_reading import Answer, Question, answer


def thought(number: int, path: str, **changes: object) -> Thought:
    plain = Thought(
        id=f"{number:032x}",
        path=path,
        declared_path=path,
        title=path,
        kind=Kind.NOTE,
        status="",
        lifecycle=Lifecycle.NONE,
        tags=(),
        created_at=0,
        created_by="Ada",
        updated_at=0,
        updated_by="Ada",
        trashed_at=None,
        size=0,
        words=0,
        tasks_done=0,
        tasks_total=0,
    )
    return plain._replace(**changes)  # type: ignore[arg-type]


class Memory:
    """A workspace as a dictionary; the source of the tree, and what it is compared with."""

    def __init__(self, *paths: str) -> None:
        self.thoughts = {f"{n:032x}": thought(n, path) for n, path in enumerate(paths)}
        self.reads = 0

    def put(self, one: Thought) -> None:
        self.thoughts[one.id] = one

    def paths_in(self, folder: str) -> list[str]:
        start = f"{folder}/" if folder else ""
        return [t.path[len(start) :] for t in self.thoughts.values() if t.path.startswith(start)]

    def folders(self, parent: str) -> Sequence[Folder]:
        self.reads += 1
        inside = [path.partition("/")[0] for path in self.paths_in(parent) if "/" in path]
        start = f"{parent}/" if parent else ""
        return [Folder(start + name, inside.count(name)) for name in sorted(set(inside))]

    def thoughts_in(
        self, folder: str, limit: int, after: Thought | None = None
    ) -> Sequence[Thought]:
        self.reads += 1
        here = [t for t in self.thoughts.values() if t.path.rpartition("/")[0] == folder]
        here.sort(key=lambda t: (t.name, t.id))
        if after is not None:
            here = [t for t in here if (t.name, t.id) > (after.name, after.id)]
        return here[:limit]

    def count(self) -> int:
        return len(self.thoughts)


def written_out(memory: Memory, opened: frozenset[str]) -> list[tuple[int, TreeKey, str]]:
    """Depth, key and name of every visible row, found by looking at everything."""
    rows: list[tuple[int, TreeKey, str]] = []

    def add(folder: str, depth: int) -> None:
        for child in memory.folders(folder):
            rows.append((depth, TreeKey(RowSort.FOLDER, child.path), child.name))
            if child.path in opened:
                add(child.path, depth + 1)
        for one in memory.thoughts_in(folder, 10_000):
            name = one.name.removesuffix(".md")
            rows.append((depth, TreeKey(RowSort.THOUGHT, one.id), name))

    add("", 0)
    return rows


def shown(model: TreeModel) -> list[tuple[int, TreeKey, str]]:
    """The same of the model, its places left out."""
    rows = []
    for index in range(len(model.places), model.count()):
        key, row = model.key(index), model.row(index)
        folder = key.sort is RowSort.FOLDER
        depth = row.indent // 2 - (0 if folder else 1)
        rows.append((depth, key, row.lines[0][-1].text))
    return rows


class Desk:
    """A model and the questions it has asked that nobody has answered yet."""

    def __init__(self, memory: Memory, page: int = 3, **options: object) -> None:
        self.memory = memory
        self.questions: list[Question] = []
        self.model = TreeModel(self.questions.append, page=page, **options)  # type: ignore[arg-type]

    def answer_all(self) -> None:
        """Answer until nothing on any row is unread."""
        for _ in range(1000):
            while self.questions:
                self.model.accept(answer(self.memory, self.questions.pop(0)))
            shown(self.model)
            if not self.questions:
                return
        raise AssertionError("the model never stops asking")


def desk(*paths: str, **options: object) -> Desk:
    made = Desk(Memory(*paths), **options)  # type: ignore[arg-type]
    made.model.reload()
    made.answer_all()
    return made


NAMES = st.sampled_from(["a", "b", "c", "É", "z z"])
PATHS = st.builds(
    lambda folders, name: "/".join([*folders, f"{name}.md"]),
    st.lists(NAMES, max_size=3),
    st.sampled_from([f"t{n}" for n in range(8)]),
)


class TreeFollowsTheWorkspace(RuleBasedStateMachine):
    """Whatever is opened, closed, changed and answered late, the rows come out right."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(Memory())
        self.model = self.desk.model
        self.memory = self.desk.memory
        self.late: list[Answer] = []
        self.number = 0
        self.model.reload()

    def existing(self, data: st.DataObject) -> Thought:
        return self.memory.thoughts[data.draw(st.sampled_from(sorted(self.memory.thoughts)))]

    def tell(self, thought: str, old_path: str) -> None:
        self.model.apply(thought, old_path, self.memory.thoughts.get(thought))

    @rule(path=PATHS)
    def add(self, path: str) -> None:
        if any(t.path == path for t in self.memory.thoughts.values()):
            return
        self.number += 1
        new = thought(self.number, path)
        self.memory.put(new)
        self.tell(new.id, "")

    @precondition(lambda self: self.memory.thoughts)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        gone = self.existing(data)
        del self.memory.thoughts[gone.id]
        self.tell(gone.id, gone.path)

    @precondition(lambda self: self.memory.thoughts)
    @rule(data=st.data(), path=PATHS)
    def move(self, data: st.DataObject, path: str) -> None:
        old = self.existing(data)
        if any(t.path == path for t in self.memory.thoughts.values()):
            return
        self.memory.put(old._replace(path=path))
        self.tell(old.id, old.path)

    @precondition(lambda self: self.memory.thoughts)
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        old = self.existing(data)
        self.memory.put(old._replace(lifecycle=Lifecycle.DONE))
        self.tell(old.id, old.path)

    @precondition(lambda self: self.memory.thoughts)
    @rule(data=st.data())
    def toggle(self, data: st.DataObject) -> None:
        path = self.existing(data).path
        folders = [path[:at] for at, letter in enumerate(path) if letter == "/"]
        if folders:
            folder = data.draw(st.sampled_from(folders))
            if self.model.is_open(folder):
                self.model.close(folder)
            else:
                self.model.open(folder)

    @rule()
    def expand_all(self) -> None:
        self.model.expand_all()

    @rule()
    def collapse_all(self) -> None:
        self.model.collapse_all()

    @rule()
    def reload(self) -> None:
        self.model.reload()

    @precondition(lambda self: self.desk.questions)
    @rule()
    def read_one(self) -> None:
        self.late.append(answer(self.memory, self.desk.questions.pop(0)))

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def take_one(self, data: st.DataObject) -> None:
        self.model.accept(self.late.pop(data.draw(st.integers(0, len(self.late) - 1))))

    @precondition(lambda self: self.memory.thoughts)
    @rule(data=st.data())
    def reveal(self, data: st.DataObject) -> None:
        wanted = self.existing(data)
        self.settle()
        self.model.reveal(wanted.path)
        self.desk.answer_all()
        key = self.model.key_of(wanted.path)
        assert key == TreeKey(RowSort.THOUGHT, wanted.id)
        assert self.model.row_of(key) is not None

    @rule()
    def settle(self) -> None:
        while self.late:
            self.model.accept(self.late.pop(0))
        self.desk.answer_all()
        assert shown(self.model) == written_out(self.memory, self.model.opened)

    @invariant()
    def every_row_can_be_found_again(self) -> None:
        for index in range(self.model.count()):
            key = self.model.key(index)
            if key.sort is not RowSort.UNREAD:
                assert self.model.row_of(key) == index


TestTreeFollowsTheWorkspace = TreeFollowsTheWorkspace.TestCase
TestTreeFollowsTheWorkspace.settings = settings(stateful_step_count=40)


class ChangesComeInOrder(RuleBasedStateMachine):
    """Changes told one by one, with nothing on its way: no reload is needed to be right."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = desk("a/t1.md", "a/t2.md", "b/c/t3.md", "t4.md", page=2)
        self.model, self.memory = self.desk.model, self.desk.memory
        self.number = 100

    @rule(path=PATHS, look=st.booleans())
    def add(self, path: str, look: bool) -> None:
        if all(t.path != path for t in self.memory.thoughts.values()):
            self.number += 1
            new = thought(self.number, path)
            self.memory.put(new)
            self.model.apply(new.id, "", new)
        self.look(look)

    @precondition(lambda self: self.memory.thoughts)
    @rule(data=st.data(), look=st.booleans())
    def remove(self, data: st.DataObject, look: bool) -> None:
        gone = self.memory.thoughts.pop(data.draw(st.sampled_from(sorted(self.memory.thoughts))))
        self.model.apply(gone.id, gone.path, None)
        self.look(look)

    @precondition(lambda self: self.memory.thoughts)
    @rule(data=st.data(), look=st.booleans())
    def open(self, data: st.DataObject, look: bool) -> None:
        path = data.draw(st.sampled_from(sorted(t.path for t in self.memory.thoughts.values())))
        if "/" in path:
            self.model.open(path.rpartition("/")[0])
            while self.desk.questions:
                self.model.accept(answer(self.memory, self.desk.questions.pop(0)))
        self.look(look)

    def look(self, look: bool) -> None:
        if look:
            self.desk.answer_all()
            assert shown(self.model) == written_out(self.memory, self.model.opened)
            for index in range(len(self.model.places), self.model.count()):
                row = self.model.row(index)
                if row.meta:
                    folder = self.model.path_of(self.model.key(index))
                    assert folder is not None
                    assert row.meta[0].text == str(len(self.memory.paths_in(folder)))


TestChangesComeInOrder = ChangesComeInOrder.TestCase
TestChangesComeInOrder.settings = settings(stateful_step_count=40)


def test_an_answer_older_than_a_change_is_asked_for_again() -> None:
    tree = desk("a/t1.md", "gone.md")
    tree.model.reload()
    late = answer(tree.memory, tree.questions.pop())
    new = thought(50, "a/t2.md")
    tree.memory.put(new)
    tree.model.apply(new.id, "", new)
    gone = next(one for one in tree.memory.thoughts.values() if one.path == "gone.md")
    del tree.memory.thoughts[gone.id]
    tree.model.apply(gone.id, gone.path, None)
    tree.model.accept(late)
    tree.answer_all()
    assert [name for _, _, name in shown(tree.model)] == ["a"]
    assert tree.model.row(len(tree.model.places)).meta[0].text == "2"


def test_folders_stand_before_thoughts_and_closed_ones_hide_what_is_in_them() -> None:
    tree = desk("plans/auth.md", "plans/old/v1.md", "readme.md")
    assert [name for _, _, name in shown(tree.model)] == ["plans", "readme"]
    tree.model.open("plans")
    tree.answer_all()
    assert [(depth, name) for depth, _, name in shown(tree.model)] == [
        (0, "plans"),
        (1, "old"),
        (1, "auth"),
        (0, "readme"),
    ]


def test_a_big_folder_is_read_page_by_page_as_far_as_it_is_looked_at() -> None:
    tree = Desk(Memory(*(f"big/t{n:05}.md" for n in range(5_000))), page=100)
    tree.model.reload()
    tree.model.open("big")
    for _ in range(3):
        while tree.questions:
            tree.model.accept(answer(tree.memory, tree.questions.pop(0)))
    assert tree.model.count() == len(tree.model.places) + 1 + 5_000
    first = len(tree.model.places) + 1
    for index in range(first, first + 40):
        tree.model.row(index)
    assert not tree.questions
    assert tree.model.key(first + 100).sort is RowSort.UNREAD
    tree.model.row(first + 100)
    (question,) = tree.questions
    (wish,) = question.wishes
    assert wish.after is not None
    assert wish.after.name == "t00099.md"


def test_a_thought_is_found_far_down_in_a_folder_that_was_never_opened() -> None:
    tree = desk(*(f"deep/er/t{n:05}.md" for n in range(12_000)), page=100)
    tree.model.reveal("deep/er/t11999.md")
    while tree.questions:
        tree.model.accept(answer(tree.memory, tree.questions.pop(0)))
    key = tree.model.key_of("deep/er/t11999.md")
    assert key is not None
    assert tree.model.row_of(key) == len(tree.model.places) + 2 + 11_999


def test_opening_everything_reads_folders_only() -> None:
    paths = [f"f{n}/g{m}/t{k}.md" for n in range(20) for m in range(5) for k in range(10)]
    tree = desk(*paths)
    tree.memory.reads = 0
    tree.model.expand_all()
    tree.model.accept(answer(tree.memory, tree.questions.pop()))
    assert tree.model.count() == len(tree.model.places) + 20 + 100 + 1_000
    assert tree.memory.reads == 1 + 20 + 100


def test_a_path_a_thousand_folders_deep_can_be_opened_and_closed() -> None:
    path = "/".join("d" for _ in range(1_100))
    tree = desk(f"{path}/t.md")
    tree.model.expand_all()
    tree.answer_all()
    assert tree.model.count() == len(tree.model.places) + 1_101
    tree.model.close("d")
    assert tree.model.count() == len(tree.model.places) + 1


def test_what_was_open_last_time_opens_again_when_it_is_read() -> None:
    tree = Desk(Memory("a/b/t.md", "c/t.md"))
    tree.model.restore({"a", "a/b"})
    tree.model.reload()
    tree.answer_all()
    assert [name for _, _, name in shown(tree.model)] == ["a", "b", "t", "c"]


def test_a_failed_reading_is_tried_again_when_the_folder_is_opened_again() -> None:
    tree = desk("a/t.md")
    tree.model.open("a")
    tree.model.abandon(tree.questions.pop())
    tree.model.open("a")
    tree.answer_all()
    assert tree.model.is_open("a")


def test_finished_plans_are_marked_and_files_stand_back() -> None:
    tree = desk("run.sh", "plan.md", "note.md", badges=lambda _: (Span("B", "people"),))
    by_path = {one.path: one for one in tree.memory.thoughts.values()}
    tree.model.apply(by_path["run.sh"].id, "run.sh", by_path["run.sh"]._replace(kind=Kind.FILE))
    tree.model.apply(
        by_path["plan.md"].id, "plan.md", by_path["plan.md"]._replace(lifecycle=Lifecycle.DONE)
    )
    note, plan, script = (tree.model.row(index) for index in (2, 3, 4))
    assert note.lines == ((Span("note"),),)
    assert plan.lines == ((Span("plan", "muted"),),)
    assert plan.badges == (Span("x", "muted"), Span("B", "people"))
    assert script.lines == ((Span("run.sh", "muted"),),)


def test_a_closed_folder_shows_who_is_in_it() -> None:
    tree = desk("a/b/t.md", folder_badges=lambda folder: (Span(f"in {folder}", "people"),))
    closed = tree.model.row(2)
    tree.model.open("a")
    tree.answer_all()
    opened, inside = tree.model.row(2), tree.model.row(3)
    assert closed.badges == (Span("in a", "people"),)
    assert opened.badges == ()
    assert inside.badges == (Span("in a/b", "people"),)


def test_places_stand_above_the_folders_with_their_counts() -> None:
    tree = desk("a/t.md")
    tree.model.places = (Place("recent", "Recent"), Place("trash", "Trash", 1_204))
    rows = [tree.model.row(index) for index in range(tree.model.count())]
    assert [row.lines[0][-1].text for row in rows] == ["Recent", "Trash", "a"]
    assert rows[1].meta == (Span("1,204", "muted"),)
    assert tree.model.row_of(TreeKey(RowSort.PLACE, "trash")) == 1
