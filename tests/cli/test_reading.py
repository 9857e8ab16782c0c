"""``list``, ``show`` and ``search``."""

from __future__ import annotations

import re

import pytest

from tests.cli.running import Aimem

DAY = 86_400_000


@pytest.fixture
def three(aimem: Aimem) -> Aimem:
    aimem(
        "new",
        "plans/auth",
        "---\nstatus: in progress\ntags: [api]\n---\n\n# Auth flow\n\n- [x] a\n- [ ] b\n",
    )
    aimem.clock.now += 3 * DAY
    aimem("new", "research/tokens", "# Tokens\n\nWhat a token is.\n")
    aimem("new", "notes/été", "# Été\n\nA token in summer.\n")
    return aimem


def test_a_list_is_one_path_per_line(three: Aimem) -> None:
    assert three("list").out == "notes/été.md\nplans/auth.md\nresearch/tokens.md\n"


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        (["plans"], ["plans/auth.md"]),
        (["--path", "plans/"], ["plans/auth.md"]),
        (["*tok*"], ["research/tokens.md"]),
        (["--kind", "research"], ["research/tokens.md"]),
        (["--kind", "Research", "--kind", "plan"], ["plans/auth.md", "research/tokens.md"]),
        (["--tag", "api"], ["plans/auth.md"]),
        (["--tag", "#API"], ["plans/auth.md"]),
        (["--author", "ada"], ["notes/été.md", "plans/auth.md", "research/tokens.md"]),
        (["--author", "ben"], []),
        (["--status", "active"], ["plans/auth.md"]),
        (["--status", "In Progress"], ["plans/auth.md"]),
        (["--since", "2d"], ["notes/été.md", "research/tokens.md"]),
        (["--limit", "1"], ["notes/été.md"]),
        (["--sort", "title"], ["plans/auth.md", "research/tokens.md", "notes/été.md"]),
        (["--trash"], []),
    ],
)
def test_filters_narrow_a_list(three: Aimem, options: list[str], paths: list[str]) -> None:
    assert three("list", *options).out.splitlines() == paths


def test_a_long_list_says_what_each_thought_is(three: Aimem) -> None:
    title, first, *_ = three("list", "plans", "--long").out.splitlines()
    assert title.split() == ["PATH", "KIND", "STATUS", "TAGS", "TASKS", "SIZE", "EDITED", "BY"]
    assert re.split(r"  +", first)[:5] == ["plans/auth.md", "plan", "in progress", "api", "1/2"]
    assert not any(line.endswith(" ") for line in (title, first))


def test_times_are_relative_up_to_a_day_and_then_dates(aimem: Aimem) -> None:
    aimem("new", "notes/a")
    said = []
    for step in (0, 5 * 60_000, 3 * 3_600_000, DAY):
        aimem.clock.now += step
        said.append(re.split(r"  +", aimem("list", "-l").out.splitlines()[1])[3])
    assert said == ["just now", "5 min ago", "3 h ago", "2025-10-20"]


def test_an_empty_list_says_how_to_begin_beside_the_output(aimem: Aimem) -> None:
    ran = aimem("list")
    assert ran.out == ""
    assert "aimem new" in ran.err
    aimem("new", "notes/a")
    assert "No thought is like that" in aimem("list", "--kind", "plan").err
    assert "trash is empty" in aimem("list", "--trash").err


def test_json_of_a_list_holds_every_field(three: Aimem) -> None:
    (thought,) = three("list", "plans", "--json").json["thoughts"]
    assert thought.pop("id")
    assert thought == {
        "path": "plans/auth.md",
        "declared_path": "plans/auth.md",
        "title": "Auth flow",
        "kind": "plan",
        "status": "in progress",
        "lifecycle": "active",
        "tags": ["api"],
        "created_at": "2025-10-20T22:40:00.000Z",
        "created_by": "Ada",
        "updated_at": "2025-10-20T22:40:00.000Z",
        "updated_by": "Ada",
        "trashed_at": None,
        "size": 70,
        "words": 5,
        "tasks_done": 1,
        "tasks_total": 2,
    }
    assert three("list", "--kind", "pr", "--json").json == {"thoughts": []}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--kind", "poem"], "poem"),
        (["--sort", "size"], "size"),
        (["--limit", "0"], "--limit"),
        (["--limit", "few"], "few"),
        (["--since", "soonish"], "soonish is not a time. Write 3h, 7d"),
        (["--since", "9999999999y"], "is not a time"),
        (["plans", "--path", "notes"], "not both"),
        (["--nope"], "No such option '--nope'."),
        (["a", "b"], "unexpected extra argument"),
    ],
)
def test_a_wrong_list_is_explained(aimem: Aimem, options: list[str], said: str) -> None:
    error = aimem.fails("list", *options, code=2)
    assert said in error
    assert "aimem list --help" in error or "not both" in error


def test_show_prints_a_text_byte_for_byte(aimem: Aimem) -> None:
    text = "\ufeffone\r\ntwo \x1b[31mred\x1b[0m\r\nno end"
    aimem("new", "notes/a", "-", stdin=text.encode())
    assert aimem("show", "notes/a").out.encode() == text.encode()
    assert aimem("show", "a", "--raw").out.encode() == text.encode()


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ("2", "two\r\n"),
        ("2-3", "two\r\nthree\n"),
        ("3-", "three\nfour"),
        ("-2", "one\ntwo\r\n"),
        ("4-99", "four"),
    ],
)
def test_show_prints_a_range_of_lines(aimem: Aimem, lines: str, shown: str) -> None:
    aimem("new", "notes/a", "one\ntwo\r\nthree\nfour")
    assert aimem("show", "a", "--lines", lines).out == shown


@pytest.mark.parametrize("lines", ["", "-", "b", "0", "3-2", "1-2-3", "1.5"])
def test_a_range_that_is_none_is_explained(aimem: Aimem, lines: str) -> None:
    aimem("new", "notes/a")
    assert "--lines" in aimem.fails("show", "a", "--lines", lines, code=2)


def test_a_line_beyond_the_end_is_explained(aimem: Aimem) -> None:
    aimem("new", "notes/a", "one\n")
    error = aimem.fails("show", "a", "--lines", "7", code=5)
    assert "notes/a.md has no line 7." in error
    assert "It has 1 line." in error


def test_info_tells_what_is_known_of_a_thought(three: Aimem) -> None:
    said = three("show", "auth", "--info").out
    for part in ("Auth flow", "plans/auth.md", "plan", "in progress", "api", "1 of 2 done", "Ada"):
        assert part in said
    assert three("show", "auth", "--info", "--json").json["thought"]["title"] == "Auth flow"


def test_json_of_show_holds_thought_and_text(three: Aimem) -> None:
    shown = three("show", "été", "--json").json
    assert shown["text"] == "# Été\n\nA token in summer.\n"
    assert shown["thought"]["path"] == "notes/été.md"


def test_a_thought_is_found_by_path_name_old_path_and_id(three: Aimem) -> None:
    thought = three("show", "auth", "--json").json["thought"]["id"]
    three("move", "plans/auth", "plans/login")
    for name in ("plans/login.md", "plans/login", "login", "plans/auth", thought, thought[:12]):
        assert three("show", name, "--json").json["thought"]["id"] == thought


def test_a_thought_that_is_not_there_is_explained_with_the_nearest(three: Aimem) -> None:
    error = three.fails("show", "research/token", code=3)
    assert "There is no thought called research/token." in error
    assert "Did you mean research/tokens.md?" in error
    assert three("show", "nothing", "--json", code=3).error == {
        "what": "There is no thought called nothing.",
        "why": "",
        "hint": "To see all: aimem list.",
        "code": 3,
    }


def test_a_name_that_two_thoughts_have_is_explained(aimem: Aimem) -> None:
    aimem("new", "a/x")
    aimem("new", "b/x")
    error = aimem.fails("show", "x", code=3)
    assert "a/x.md" in error
    assert "b/x.md" in error


def test_a_thought_in_the_trash_can_still_be_read(aimem: Aimem) -> None:
    aimem("new", "notes/a", "old")
    aimem("trash", "a")
    assert aimem("show", "a").out == "old"
    assert "In the trash" in aimem("show", "a", "--info").out


def test_search_prints_path_line_title_and_snippet(three: Aimem) -> None:
    lines = three("search", "summer").out.splitlines()
    assert lines[0].startswith("notes/été.md:3  Été  note")
    assert "A token in summer." in lines[1]


def test_search_takes_words_phrases_exclusions_and_filters(three: Aimem) -> None:
    def found(*query: str) -> list[str]:
        hits = three("search", *query, "--json").json["hits"]
        return [hit["thought"]["path"] for hit in hits]

    assert found("token") == ["research/tokens.md", "notes/été.md"]
    assert found("token", "summer")[0] == "notes/été.md"
    assert found('"a token in"') == ["notes/été.md"]
    assert found("token -summer") == ["research/tokens.md"]
    assert found("token", "--path", "notes") == ["notes/été.md"]
    assert found("token", "--kind", "research") == ["research/tokens.md"]
    assert found("token", "--since", "1h", "--limit", "1") == ["research/tokens.md"]
    assert found("token", "--author", "ben") == []


def test_json_of_search_says_where_the_matches_are(three: Aimem) -> None:
    found = three("search", "token", "--path", "notes", "--json").json
    (hit,) = found.pop("hits")
    assert found == {
        "query": "token",
        "type": "fulltext",
        "total": 1,
        "unindexed": 0,
        "said": "Nothing is indexed by meaning yet: found by words.",
    }
    assert hit["why"] == {
        "fulltext": 1,
        "name": None,
        "chunk": None,
        "semantic": None,
        "cosine": None,
        "boosts": hit["why"]["boosts"],
    }
    assert (hit["heading"], hit["similar"]) == ("Été", [])
    assert hit["line"] == 3
    assert [hit["snippet"][start:end] for start, end in hit["matches"]] == ["token"]
    assert not re.search(r"[\x00-\x1f]", hit["snippet"])
    assert hit["score"] > 0


def test_search_says_how_many_more_there_are(aimem: Aimem) -> None:
    for name in "abc":
        aimem("new", f"notes/{name}", "# Word\n")
    ran = aimem("search", "word", "--limit", "2", "--type", "fulltext")
    assert len(ran.out.splitlines()) == 4
    assert ran.err == "2 of 3. To see more: --limit.\n"


def test_a_search_that_finds_nothing_says_so(three: Aimem) -> None:
    ran = three("search", "zebra", "--type", "fulltext")
    assert (ran.out, ran.err) == ("", "Nothing matches.\n")
    assert three("search", "...", "--json").json["hits"] == []


def test_a_search_is_kept_made_again_listed_and_forgotten(three: Aimem) -> None:
    kept = three("search", "--save", "tokens", "--type", "fulltext", "token", "kind:note")
    assert kept.out.startswith("notes/été.md")
    assert three("search", "--saved", "tokens").out == kept.out
    assert three("search", "--list-saved", "--json").json == {
        "searches": [{"name": "tokens", "query": "token kind:note", "type": "fulltext"}]
    }
    assert "token kind:note" in three("search", "--list-saved").out
    assert three("search", "--forget", "tokens").out == ""
    assert "No search is kept." in three("search", "--list-saved").err
    assert "no saved search called tokens" in three.fails("search", "--saved", "tokens", code=3)


def test_a_search_for_what_is_like_a_thought_leaves_itself_out(three: Aimem) -> None:
    found = three("search", "--like", "research/tokens", "--json").json
    assert found["thought"]["path"] == "research/tokens.md"
    assert "research/tokens.md" not in [each["thought"]["path"] for each in found["related"]]
    assert "notes/été.md" in three("search", "--like", "research/tokens").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Say what to look for."),
        (["x", "--like", "notes"], "more than one search"),
        (["x", "--type", "magic"], "magic"),
        (["-draft"], "If it is text, put -- before it."),
        (["x", "--limit", "5000"], "--limit"),
    ],
)
def test_a_wrong_search_is_explained(aimem: Aimem, arguments: list[str], said: str) -> None:
    assert said in aimem.fails("search", *arguments, code=2)
