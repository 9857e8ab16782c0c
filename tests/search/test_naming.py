"""A part of a name is found: of a title and a path at once, of a name in a text once indexed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aimem_tui import paths
from aimem_tui.index.check import check
from aimem_tui.index.file import IndexFile
from aimem_tui.model import Filter
from aimem_tui.search.passages import MATCH_END, MATCH_START
from aimem_tui.store.migrate import load, migrate
from aimem_tui.workspace.workspace import Workspace
from crdt.textdiff import Splice
from tests.index.indexing import WordModel, indexer
from tests.workspaces import open_workspace

TEXTS = {
    "plans/workflows.md": "# Workflows over websockets\n\nPlain words.\n",
    "notes/parser.md": "# Parser\n\nIt calls `parse_line_end` and `session.resume()`.\n",
    "notes/release.md": "# Release\n\nENG-1234 is fixed in v2.14.3.\n",
    "notes/flow.md": "# Flow\n\nWater flows; a workflow does not.\n",
    "заметки/планы.md": "# Перенос Заметок\n\nВ модуле `поиск_слов`.\n",
    "notes/cafe.md": "# The café_menu\n\nSoup.\n",
    "notes/plan-b.md": "# 東京都の同期計画\n\n本文。\n",
}


def index_all(workspace: Workspace) -> None:
    with IndexFile(paths.home().index_file) as index:
        indexer(workspace, index, WordModel()).run()


@pytest.fixture
def workspace(tmp_path: Path, home: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path) as opened:
        for path, text in TEXTS.items():
            opened.create(path, text)
        yield opened


@pytest.fixture
def indexed(workspace: Workspace) -> Workspace:
    index_all(workspace)
    return workspace


def found(workspace: Workspace, text: str, **options) -> list[str]:
    options.setdefault("kind", "fulltext")
    return [hit.thought.path for hit in workspace.search(text, **options).hits]


@pytest.mark.parametrize("as_you_type", [True, False])
@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("rkflow", "plans/workflows.md"),
        ("EBSOCK", "plans/workflows.md"),
        ("ebsockets over", "plans/workflows.md"),
        ("s/workfl", "plans/workflows.md"),
        ("аметок", "заметки/планы.md"),
        ("аметки/пл", "заметки/планы.md"),
        ("afe_me", "notes/cafe.md"),
        ("AFÉ_me", "notes/cafe.md"),
        ("の同期", "notes/plan-b.md"),
        ("lan-b", "notes/plan-b.md"),
    ],
)
def test_a_part_of_a_title_or_path_is_found_at_once(
    workspace: Workspace, text: str, path: str, as_you_type: bool
) -> None:
    assert found(workspace, text, as_you_type=as_you_type)[0] == path


@pytest.mark.parametrize("as_you_type", [True, False])
@pytest.mark.parametrize(
    ("text", "path", "part"),
    [
        ("rse_line", "notes/parser.md", "rse_line"),
        ("ssion.res", "notes/parser.md", "ssion.res"),
        ("session.resume(", "notes/parser.md", ""),
        ("G-123", "notes/release.md", "G-123"),
        ("14.3", "notes/release.md", "14.3"),
        ("оиск_слов", "заметки/планы.md", "оиск_слов"),
    ],
)
def test_a_part_of_a_name_in_a_text_is_found_and_marked(
    indexed: Workspace, text: str, path: str, part: str, as_you_type: bool
) -> None:
    for kind in ("fulltext", "hybrid"):
        hit = indexed.search(text, kind=kind, as_you_type=as_you_type).hits[0]
        assert hit.thought.path == path
        assert MATCH_START in hit.snippet
        assert not part or f"{MATCH_START}{part}{MATCH_END}" in hit.snippet
        assert hit.line == 2


def test_each_letter_more_of_a_name_keeps_it_found(indexed: Workspace) -> None:
    for name, path in (
        ("parse_line_end", "notes/parser.md"),
        ("session.resume()", "notes/parser.md"),
        ("v2.14.3", "notes/release.md"),
        ("ENG-1234", "notes/release.md"),
        ("поиск_слов", "заметки/планы.md"),
    ):
        for start in (0, 1, 2):
            for length in range(3, len(name) - start + 1):
                typed = name[start : start + length]
                if len(typed.strip("_.-()")) >= 3:
                    assert path in found(indexed, typed, as_you_type=True), typed


def test_a_word_counts_more_than_a_part_of_a_name(indexed: Workspace) -> None:
    assert found(indexed, "flow") == ["notes/flow.md", "plans/workflows.md"]
    (_, part) = indexed.search("flow", kind="fulltext").hits
    assert (part.why.fulltext, part.why.name) == (2, 2)


def test_who_types_several_words_does_not_mean_parts_of_names(indexed: Workspace) -> None:
    assert found(indexed, "water flow") == ["notes/flow.md"]
    assert "plans/workflows.md" in found(indexed, "water flow", as_you_type=True)


def test_a_part_that_is_no_word_comes_before_what_only_means_something(indexed: Workspace) -> None:
    hit = indexed.search("ebsocket").hits[0]
    assert hit.thought.path == "plans/workflows.md"
    assert "name" in {boost.name for boost in hit.why.boosts}


def test_a_part_of_a_name_is_no_word(indexed: Workspace) -> None:
    assert indexed.has_word("flows")
    assert indexed.has_word("websocket")
    assert not indexed.has_word("ebsocket")
    assert not indexed.has_word("kflow")


def test_filters_exclusions_and_exact_words_hold_for_parts_of_names(indexed: Workspace) -> None:
    indexed.create("old/parser.md", "# Old\n\nIt had `parse_line_ends`.\n")
    index_all(indexed)
    assert set(found(indexed, "rse_line")) == {"notes/parser.md", "old/parser.md"}
    assert found(indexed, "rse_line path:old") == ["old/parser.md"]
    assert found(indexed, "rse_line", wanted=Filter(path="old")) == ["old/parser.md"]
    assert found(indexed, "rse_line -old") == ["notes/parser.md"]
    assert found(indexed, 'rse_line "it calls"') == ["notes/parser.md"]
    assert found(indexed, "arser path:notes") == ["notes/parser.md"]
    assert found(indexed, "-rse_line") == []


def test_titles_and_paths_are_right_after_every_write(workspace: Workspace) -> None:
    thought = workspace.get("plans/workflows.md")
    workspace.edit_text(thought.id, lambda text: [Splice(2, 9, "Timetables")])
    assert found(workspace, "imetab") == ["plans/workflows.md"]
    workspace.move(thought.id, "elsewhere/here.md")
    assert found(workspace, "lsewhe") == ["elsewhere/here.md"]
    assert found(workspace, "rkflow") == []
    workspace.trash(thought.id)
    assert found(workspace, "imetab") == []
    assert found(workspace, "imetab", wanted=Filter(trashed=True)) == ["elsewhere/here.md"]


def test_names_in_texts_follow_the_text_with_the_index(indexed: Workspace) -> None:
    thought = indexed.get("notes/parser.md")
    start = TEXTS["notes/parser.md"].index("parse_line_end")
    indexed.edit_text(thought.id, lambda _: [Splice(start, start + 14, "read_item")])
    index_all(indexed)
    assert found(indexed, "ead_ite") == ["notes/parser.md"]
    assert found(indexed, "rse_line") == []
    with IndexFile(paths.home().index_file) as index:
        assert check(indexed.database, index, WordModel()) == []
        with index.write() as connection:
            connection.execute("DELETE FROM names_1 WHERE rowid = 1")
            connection.execute("INSERT INTO names_1 (rowid, said) VALUES (1, 'something_else')")
        assert any("names of passages differ" in each for each in check(indexed.database, index))


def test_titles_are_found_without_an_index_and_with_a_damaged_one(workspace: Workspace) -> None:
    assert found(workspace, "ebsock") == ["plans/workflows.md"]
    assert found(workspace, "ssion.resu") == []
    index_all(workspace)
    assert found(workspace, "ssion.resu") == ["notes/parser.md"]
    workspace.searching.close()
    with IndexFile(paths.home().index_file) as index:
        index.truncate_wal()
    raw = bytearray(paths.home().index_file.read_bytes())
    raw[8_192:] = b"\xa5" * (len(raw) - 8_192)
    paths.home().index_file.write_bytes(raw)
    assert found(workspace, "ebsock") == ["plans/workflows.md"]


def test_typing_in_a_text_writes_nothing_into_the_names(workspace: Workspace) -> None:
    def written() -> list[tuple[object, ...]]:
        connection = workspace.database.read()
        return connection.execute("SELECT * FROM names_data ORDER BY id").fetchall()

    thought = workspace.get("notes/parser.md")
    before = written()
    workspace.append(thought.id, "And then `another_name` came.")
    assert written() == before
    workspace.edit_text(thought.id, lambda text: [Splice(2, 6, "Another title")])
    assert written() != before


def test_a_purge_leaves_no_part_of_a_name(tmp_path: Path, home: Path) -> None:
    with open_workspace(tmp_path) as workspace:
        workspace.create("other.md", "# Other\n")
        thought = workspace.create("a.md", "# Qzxvk\n\nIt calls `zzqjw_it`.\n")
        index_all(workspace)

        def on_disk() -> bytes:
            workspace.database.truncate_wal()
            with IndexFile(paths.home().index_file) as index:
                index.truncate_wal()
            folders = (tmp_path, paths.home().index_file.parent)
            return b"".join(
                each.read_bytes()
                for folder in folders
                for each in folder.iterdir()
                if each.is_file()
            )

        parts = (b"qzx", b"zzq")
        assert all(part in on_disk() for part in parts)
        workspace.trash(thought.id)
        workspace.purge(thought.id)
        assert not any(part in on_disk() for part in parts)
        assert found(workspace, "qzxvk", wanted=Filter(trashed=True)) == []


def test_a_file_of_the_first_version_knows_its_titles_after_the_migration(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "old.db"))
    everything = load()
    migrate(connection, tmp_path / "old.db", everything[:1])
    connection.execute("PRAGMA foreign_keys = OFF").fetchall()
    connection.execute("INSERT INTO texts VALUES (7, 'Workflows', 'plans/a.md', 'text')")
    migrate(connection, tmp_path / "old.db", everything)
    for part in ("rkflo", "lans/a"):
        rows = connection.execute(f"SELECT rowid FROM names WHERE names MATCH '\"{part}\"'")
        assert rows.fetchall() == [(7,)]


def test_a_long_word_of_many_signs_is_answered(indexed: Workspace) -> None:
    assert indexed.search("(abc)" * 2_000).hits == ()
    assert indexed.search("(abc_d)" * 2_000 + "rse_line", as_you_type=True).hits == ()


typed = st.text('abc_-./()"*:ENG123 éжあ', max_size=20)


@given(typed, st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_of_a_name_is_answered(
    indexed: Workspace, text: str, as_you_type: bool
) -> None:
    for hit in indexed.search(text, as_you_type=as_you_type).hits:
        assert hit.snippet.count(MATCH_START) == hit.snippet.count(MATCH_END)
