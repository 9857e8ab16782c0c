"""``organize``, ``tags`` and ``duplicates`` on the command line."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator

import pytest

from aimem_tui.cli import shapes
from aimem_tui.model import Kind, Lifecycle, Thought
from aimem_tui.organize.duplicates import Likeness, Pair
from aimem_tui.organize.library import Card
from aimem_tui.organize.suggestion import Suggestion, SuggestionKind
from aimem_tui.workspace.ordering import Accepted
from tests.cli.running import ROOT, Aimem, process
from tests.organize.notes import MATTERS, prose

THOUGHT = Thought(
    "0" * 32, "a", "a", "A", Kind.NOTE, "", Lifecycle.NONE, (), 0, "", 0, "", None, 0, 0, 0, 0
)
DOCS = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


@pytest.fixture
def aimem(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aimem]:
    """The command line over an empty home, with a clock that stands still."""
    monkeypatch.setenv("AIMEM_AUTHOR", "Ada")
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield Aimem()
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def noted(aimem: Aimem) -> Aimem:
    """Notes with tags, one without, and a copy."""
    for matter in MATTERS:
        for at in range(5):
            text = f"---\ntags: [{matter}]\n---\n# {matter} {at}\n\n{prose(matter, at)}"
            aimem("new", f"{matter}/{at}", "-", stdin=text)
    aimem("new", "fresh", "-", stdin=f"# Fresh\n\n{prose('auth', 50)}")
    aimem("new", "copies/auth", "-", stdin=f"# auth 1\n\n{prose('auth', 1)}")
    return aimem


def ids(aimem: Aimem, *arguments: str) -> dict[str, str]:
    """The ids of suggestions by the path they are about."""
    found = aimem("organize", *arguments, "--json").json["suggestions"]
    return {each["thought"]["path"]: each["id"] for each in found}


def test_suggestions_are_listed_accepted_and_undone_as_said(noted: Aimem) -> None:
    listed = noted("organize")
    assert "Duplicates" in listed.out
    assert "Tags" in listed.out
    assert "by their words" in listed.err
    before = noted("show", "fresh").out
    done = noted("organize", "accept", ids(noted, "--kind", "tags")["fresh.md"][:6])
    assert done.out == "fresh.md: tagged auth.\n"
    undo = re.search(r"To undo: aimem (.*)\.\n", done.err)
    assert undo is not None
    noted(*undo[1].split())
    assert noted("show", "fresh").out == before


def test_other_tags_can_be_given_and_a_suggestion_dismissed(noted: Aimem) -> None:
    found = ids(noted, "--kind", "tags")
    noted("organize", "edit", found["fresh.md"], "login", "web")
    assert noted("tag", "fresh").out == "login\nweb\n"
    noted("organize", "dismiss", found["copies/auth.md"])
    assert "copies/auth.md" not in ids(noted, "--kind", "tags")
    assert "copies/auth.md" in ids(noted, "--kind", "tags", "--dismissed")


def test_what_is_not_there_is_said(noted: Aimem) -> None:
    assert "no suggestion ffff" in noted.fails("organize", "accept", "ffff", code=3)
    assert "nothing to suggest" in noted("organize", "--path", "nowhere").err
    said = noted.fails("organize", "--model", code=4)
    assert "aimem assist setup" in said


def test_tags_in_use_with_their_numbers(noted: Aimem) -> None:
    found = noted("tags", "--json").json["tags"]
    assert found == [{"tag": matter, "thoughts": 5} for matter in sorted(MATTERS)]
    assert noted("tags").out.split() == [
        "THOUGHTS", "TAG", *(word for matter in sorted(MATTERS) for word in ("5", matter))
    ]  # fmt: skip


def test_tags_for_one_thought(noted: Aimem) -> None:
    (found,) = noted("tags", "suggest", "fresh", "--json").json["suggestions"]
    assert found["proposal"] == ["auth"]
    noted("organize", "accept", found["id"])
    assert noted("tag", "fresh").out == "auth\n"


def test_duplicates_are_shown_compared_and_merged(noted: Aimem) -> None:
    (pair,) = noted("duplicates", "--json").json["pairs"]
    assert pair["likeness"] == "same"
    kept, other = pair["kept"]["path"], pair["other"]["path"]
    assert kept in noted("duplicates").out
    noted("append", other, "One more line.")
    history = noted("history", other, "--json").json["revisions"]
    shown = noted("duplicates", kept, other)
    assert "+One more line." in shown.out
    merged = noted("duplicates", kept, other, "--merge")
    assert merged.out == f"Merged {other} into {kept}.\n"
    assert "One more line." in noted("show", kept).out
    assert noted("show", other).out == noted("show", kept).out
    said = re.search(r"Its history: aimem (.*)\.\n", merged.err)
    assert said is not None
    revisions = noted(*said[1].split(), "--json").json["revisions"]
    assert revisions[-1] == history[-1]
    assert revisions[0]["note"] == f"merged into {kept}"
    undo = re.search(r"To undo: aimem (.*), and aimem (.*)\.\n", merged.err)
    assert undo is not None
    for command in undo.groups():
        noted(*command.split())
    assert "One more line." not in noted("show", kept).out
    assert noted("duplicates", "--json").json["pairs"] != []


def test_all_that_are_the_same_are_merged_at_once_only_when_agreed(noted: Aimem) -> None:
    for at in range(3):
        noted("new", f"copies/more{at}", "-", stdin=noted("show", "auth/1").out)
    assert "add --yes" in noted.fails("duplicates", "--merge", code=4)
    done = noted("duplicates", "--merge", "--yes", "--json").json["accepted"]
    assert len(done) == 4
    assert noted("duplicates", "--json").json["pairs"] == []
    assert len({noted("show", each["other"]["path"]).out for each in done}) == 1


def test_once_indexed_thoughts_are_compared_by_meaning(noted: Aimem) -> None:
    noted("index", "run")
    listed = noted("organize", "--kind", "tags", "--kind", "duplicate")
    assert "by their words" not in listed.err
    assert "fresh.md" in listed.out
    (pair,) = noted("duplicates", "--json").json["pairs"]
    assert pair["cosine"] > 0.9
    noted("new", "later", "# Later")
    assert "Of one thought only the words" in noted("organize", "--kind", "tags").err


def test_one_thought_alone_is_no_pair(noted: Aimem) -> None:
    assert "other thought is missing" in noted.fails("duplicates", "fresh", code=2)


def test_a_suggestion_listed_by_one_process_is_accepted_by_another(noted: Aimem) -> None:
    ran = process("organize", "--kind", "tags", "--json")
    (found,) = [each for each in ran.json["suggestions"] if each["thought"]["path"] == "fresh.md"]
    assert process("organize", "accept", found["id"]).out == "fresh.md: tagged auth.\n"


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        (
            "suggestion",
            shapes.suggestion(
                Suggestion("", SuggestionKind.TAGS, "", (), "", 0.0), THOUGHT, THOUGHT
            ),
        ),
        ("accepted", shapes.accepted(Accepted(THOUGHT, True, 1))),
        (
            "pair",
            shapes.pair(Pair(Card(1, THOUGHT), Card(2, THOUGHT), Likeness.SAME, 1.0, 1.0, None)),
        ),
    ],
)
def test_every_field_is_documented(name: str, shape: shapes.Shape) -> None:
    described = re.search(rf"^\*\*{name}\*\*: (.*?)(?:\n\n|\Z)", DOCS, re.MULTILINE | re.DOTALL)
    assert described is not None
    plain = re.sub(r"\([^()]*\)", "", described[1])
    assert re.findall(r"`(\w+)`", plain) == list(shape)


def test_listing_loads_neither_the_document_engine_nor_numbers_without_an_index(
    noted: Aimem,
) -> None:
    code = (
        "import sys; from aimem_tui.cli.main import main; main(['organize']);"
        "print({'pycrdt', 'numpy', 'onnxruntime', 'aiohttp'} & set(sys.modules))"
    )
    ran = process(command=[sys.executable, "-c", code])
    assert ran.out.splitlines()[-1] == "set()"
