"""A thought is called stale for what it says of itself, never for being old."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.markdown.classify import lifecycle_of
from aimem_tui.model import Kind, Lifecycle, Thought
from aimem_tui.organize import stale

DAY = 86_400_000


def thought(status: str, done: int, total: int) -> Thought:
    return Thought(
        "0" * 32, "a.md", "a.md", "A", Kind.PLAN, status, lifecycle_of(status), (), 0, "", 0, "",
        None, 0, 0, done, total,
    )  # fmt: skip


statuses = st.sampled_from(["", "draft", "in progress", "done", "archived", "stale", "whatever"])


@given(statuses, st.integers(0, 3), st.integers(0, 3), st.integers(0, 4_000))
def test_what_is_proposed_settles_the_matter(status: str, done: int, left: int, days: int) -> None:
    about = thought(status, done, done + left)
    judged = stale.judge(about, days * DAY)
    if judged is None:
        return
    assert about.lifecycle in (Lifecycle.ACTIVE, Lifecycle.DRAFT, Lifecycle.NONE)
    assert 0 < judged.confidence <= 1
    settled = about._replace(status=judged.status, lifecycle=lifecycle_of(judged.status))
    assert stale.judge(settled, days * DAY) is None


@given(statuses, st.integers(0, 3), st.integers(0, 3), st.integers(0, 13))
def test_what_was_edited_lately_is_never_stale(
    status: str, done: int, left: int, days: int
) -> None:
    assert stale.judge(thought(status, done, done + left), days * DAY) is None


def test_a_note_that_says_nothing_of_where_it_stands_may_be_as_old_as_it_likes() -> None:
    assert stale.judge(thought("", 0, 0), 10_000 * DAY) is None


def test_a_plan_whose_tasks_are_all_done_is_done() -> None:
    judged = stale.judge(thought("in progress", 3, 3), 20 * DAY)
    assert judged is not None
    assert judged.status == "done"
