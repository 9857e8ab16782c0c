"""Rendered trees of any shape arrive whole, disturb nothing beside them, and leave no folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.errors import AimemError, Refused
from aimem_tui.paths import Home
from aimem_tui.setup import applying
from aimem_tui.setup.backups import Backups
from aimem_tui.setup.comparing import compare, difference
from aimem_tui.setup.place import Place, Thing
from tests.setup.trees import snapshot

NAMES = st.sampled_from(["a", "b", "c.txt", "é", ".git", "d e"])
CONTENTS = st.sampled_from([b"", b"one\n", b"two\r\n", b"\x00\xff", b"one"])
NODES = st.one_of(
    st.tuples(st.just("file"), CONTENTS, st.sampled_from([0o644, 0o755, 0o600])),
    st.tuples(st.just("link"), st.sampled_from([b"a", b"../b", b"/nowhere", b"."]), st.just(0)),
)
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join), NODES, min_size=1, max_size=6
)


def build(folder: Path, tree: dict[str, tuple[str, bytes, int]]) -> None:
    """Write a tree; what would have to be in a file or link is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (kind, data, mode) in sorted(tree.items()):
        path = folder / name
        ways = [folder.joinpath(*path.relative_to(folder).parts[:i]) for i in range(1, 9)]
        if any(way.is_symlink() or way.is_file() for way in ways) or path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            path.symlink_to(os.fsdecode(data))
        else:
            path.write_bytes(data)
            path.chmod(mode)


@contextmanager
def scene() -> Iterator[tuple[Path, Path, Path]]:
    """Folders for what was rendered, for the target, and for all around them."""
    with tempfile.TemporaryDirectory() as name:
        around = Path(name).resolve()
        yield around / "rendered", around / "target", around


@given(TREES, TREES)
def test_what_was_rendered_is_there_and_what_was_there_besides_is_untouched(
    rendered: dict[str, tuple[str, bytes, int]], present: dict[str, tuple[str, bytes, int]]
) -> None:
    with scene() as (source, target, around):
        build(source, rendered)
        build(target, present)
        before = snapshot(around)
        home = Home(around / "home", around / "home", around / "home")
        backups = Backups(home, 0)
        place = Place(target)
        try:
            items = compare(source, place)
            if applying.in_the_way(items):
                return
            for item in items:
                if item.state == "differs":
                    assert difference(item)
            decided = applying.decide(items, lambda item: "theirs")
            applying.apply(decided, source, place, backups)
        except Refused:
            assert snapshot(around) == before
            return
        again = compare(source, place)
        assert {item.state for item in again} <= {"equal"}
        after = snapshot(around, without=("home",))
        written = {f"target/{item.path}" for item in items if item.state != "equal"}
        for path, what in before.items():
            if path not in written and not what[0].startswith("d"):
                assert after[path] == what
        for item in decided.replaced:
            assert backups.folder is not None
            kept = backups.folder / str(target / item.path).lstrip("/")
            assert os.path.lexists(kept)


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/x", "", "a//b", "./a", "a/.", "..", "a\0b", "a/"]
)
def test_no_path_leads_out(tmp_path: Path, path: str) -> None:
    place = Place(tmp_path / "in")
    for act in (
        lambda: place.put(path, Thing("file", b"x")),
        lambda: place.look(path),
        lambda: place.remove(path),
    ):
        with pytest.raises(AimemError):
            act()
    assert snapshot(tmp_path) in ({}, {"in": snapshot(tmp_path).get("in")})


def test_a_link_that_appears_meanwhile_is_not_followed(tmp_path: Path) -> None:
    place = Place(tmp_path / "in")
    place.put("a/b.txt", Thing("file", b"one"))
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "a" / "b.txt").unlink()
    (tmp_path / "in" / "a").rmdir()
    (tmp_path / "in" / "a").symlink_to(tmp_path / "out")
    with pytest.raises(Refused, match="is a link"):
        place.put("a/b.txt", Thing("file", b"two"))
    assert list((tmp_path / "out").iterdir()) == []
