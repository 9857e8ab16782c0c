"""Real thoughts and notes, described: what is found in them is known and stays so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from markdown_it import MarkdownIt

from aimem_tui.markdown.describe import describe, is_markdown
from aimem_tui.markdown.frontmatter import properties, remove_property, set_property, split
from aimem_tui.model import Description
from crdt.textdiff import apply
from tests.shared_data import shared_data


def texts(folder: str) -> dict[str, str]:
    """Path and text of every file below a folder of the shared data."""
    root = shared_data(*folder.split("/"))
    return {
        file.relative_to(root).as_posix(): file.read_bytes().decode()
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }


@dataclass(frozen=True)
class Figures:
    """What is counted over a folder."""

    kinds: dict[str, int]
    lifecycles: dict[str, int]
    dated: int
    authored: int
    tags: int
    headings: int
    tasks: int
    done: int
    links: int

    @classmethod
    def of(cls, described: list[Description]) -> Figures:
        return cls(
            kinds=dict(Counter(each.kind.value for each in described)),
            lifecycles=dict(Counter(each.lifecycle.value for each in described)),
            dated=sum(each.date is not None for each in described),
            authored=sum(each.author != "" for each in described),
            tags=sum(len(each.tags) for each in described),
            headings=sum(len(each.headings) for each in described),
            tasks=sum(len(each.tasks) for each in described),
            done=sum(task.done for each in described for task in each.tasks),
            links=sum(len(each.links) for each in described),
        )


KNOWN = {
    "thoughts/mem8/latest": Figures(
        kinds={"file": 19, "note": 4, "plan": 14, "pr": 6, "research": 19},
        lifecycles={"": 40, "done": 20, "draft": 2},
        dated=22,
        authored=21,
        tags=141,
        headings=1282,
        tasks=544,
        done=260,
        links=70,
    ),
    "thoughts/actingweb/latest": Figures(
        kinds={"note": 54, "plan": 48, "research": 21},
        lifecycles={"": 85, "done": 34, "active": 3, "draft": 1},
        dated=93,
        authored=9,
        tags=64,
        headings=3925,
        tasks=1376,
        done=597,
        links=301,
    ),
    "corpora/rust-rfcs": Figures(
        kinds={"note": 642},
        lifecycles={"": 642},
        dated=0,
        authored=0,
        tags=0,
        headings=9333,
        tasks=3,
        done=0,
        links=151,
    ),
    "corpora/til-jbranchaud": Figures(
        kinds={"note": 1869},
        lifecycles={"": 1869},
        dated=0,
        authored=0,
        tags=0,
        headings=1958,
        tasks=0,
        done=0,
        links=1952,
    ),
}


@pytest.mark.parametrize("folder", KNOWN)
def test_what_is_found_in_real_texts_stays_the_same(folder: str) -> None:
    described = [describe(path, text) for path, text in texts(folder).items()]
    assert Figures.of(described) == KNOWN[folder]
    assert all(each.title for each in described)


def test_some_thoughts_read_as_a_person_would_read_them() -> None:
    found = {path: describe(path, text) for path, text in texts("thoughts/mem8/latest").items()}
    plan = found["thoughts/shared/plans/humanlayer-to-mem8-migration.md"]
    assert plan.title == "Humanlayer → mem8 CLI Migration Implementation Plan"
    assert (plan.status, plan.lifecycle.value, plan.author) == ("draft", "draft", "claude-code")
    assert plan.tags == ("migration", "cli", "templates", "documentation", "breaking-change")
    assert (len(plan.tasks), sum(task.done for task in plan.tasks)) == (30, 24)
    research = found[
        "thoughts/shared/research/2025-09-01_21-04-50_dependency-footprint-analysis.md"
    ]
    assert research.date == 1_756_760_690_000
    assert found["thoughts/sync-thoughts.sh"].title == "sync-thoughts.sh"


@pytest.mark.parametrize("folder", ["thoughts/mem8/latest", "thoughts/actingweb/latest"])
def test_a_parser_finds_the_same_headings_and_tasks(folder: str) -> None:
    parser = MarkdownIt("commonmark").enable("table")
    for path, text in texts(folder).items():
        if not is_markdown(path):
            continue
        block = split(text)
        begin = block.end if block else 0
        before = text[:begin].count("\n")
        tokens = parser.parse(text[begin:])
        headings = [
            (int(token.tag[1]), token.map[0] + before)
            for token in tokens
            if token.type == "heading_open" and token.map
        ]
        tasks = [
            token.map[0] + before
            for opened, _, token in zip(tokens, tokens[1:], tokens[2:], strict=False)
            if opened.type == "list_item_open"
            and token.map
            and token.content.startswith(("[ ] ", "[x] ", "[X] "))
        ]
        described = describe(path, text)
        assert [(each.level, each.line) for each in described.headings] == headings, path
        assert [each.line for each in described.tasks] == tasks, path


def test_a_property_of_any_real_thought_is_set_and_taken_out_again() -> None:
    for folder in ("thoughts/mem8/latest", "thoughts/actingweb/latest"):
        for text in texts(folder).values():
            before = properties(text)
            changed = apply(text, set_property(text, "reviewed", ["by: me", "twice"]))
            assert properties(changed) == {**before, "reviewed": ["by: me", "twice"]}
            restored = apply(changed, remove_property(changed, "reviewed"))
            assert restored == text or not split(text)
