"""What a thought's path and text say about it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.markdown.classify import lifecycle_of
from aimem_tui.markdown.dates import date_of_name, parse_date, without_date
from aimem_tui.markdown.describe import count_words, describe, is_markdown, title_from_name
from aimem_tui.model import Description, Kind, Lifecycle


def moment(written: str) -> int:
    """Milliseconds of an ISO 8601 moment with zone, read by the standard library."""
    return round(datetime.fromisoformat(written).timestamp() * 1000)


class TestTitle:
    @pytest.mark.parametrize(
        ("text", "title"),
        [
            ("---\ntitle: From the top\n---\n# Heading\n", "From the top"),
            ("---\nTitle: 'Any case'\n---\n", "Any case"),
            ("---\ntitle:\n---\n# Heading\n", "Heading"),
            ("intro\n\n# The `real` **title** #\n\n# Second\n", "The real title"),
            ("## Before\n\n# First of level one\n", "First of level one"),
            ("Underlined\n==========\n", "Underlined"),
            ("text\n\n### Deep\n\n## Less deep\n", "Deep"),
            ("```\n# code\n```\n# Title\n", "Title"),
            ("\ufeff# After a byte order mark\n", "After a byte order mark"),
            ("# [A link](x.md) & <b>more</b> \\*\n", "A link & more *"),
        ],
    )
    def test_the_title_is_a_property_or_the_first_heading(self, text: str, title: str) -> None:
        assert describe("plans/x.md", text).title == title

    @pytest.mark.parametrize(
        ("path", "title"),
        [
            ("research/2025-09-01_09-37-55_humanlayer-to-mem8.md", "humanlayer to mem8"),
            ("2025-08-31-template_packaging.MD", "template packaging"),
            ("20250831-x.md", "x"),
            ("notes/2025-08-31.md", "2025 08 31"),
            ("notes/2025-13-45-no-date.md", "2025 13 45 no date"),
            ("a/b/README.md", "README"),
            ("a/.md", ".md"),
            ("a/---.md", "---"),
            ("bin/sync-thoughts.sh", "sync-thoughts.sh"),
            ("a/.gitkeep", ".gitkeep"),
        ],
    )
    def test_without_one_the_file_name_is_made_readable(self, path: str, title: str) -> None:
        assert describe(path, "only text").title == title
        assert title_from_name(path) == title

    def test_a_heading_that_only_names_a_section_is_no_title(self) -> None:
        assert describe("0401-coercions.md", "# Summary\n\n# Coercions\n").title == "0401 coercions"
        assert describe("a.md", "## Summary\n\n# Unresolved questions\n").title == "a"

    def test_a_title_is_one_line_of_bounded_length(self) -> None:
        assert describe("a.md", "---\ntitle: |\n  two\n  lines\n---\n").title == "two lines"
        assert len(describe("a.md", "# " + "long " * 10_000).title) <= 500


class TestKind:
    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("thoughts/shared/plans/a.md", Kind.PLAN),
            ("research/a.md", Kind.RESEARCH),
            ("shared/prs/1_description.md", Kind.PR),
            ("tickets/ENG-1.md", Kind.TICKET),
            ("docs/ADR/0001.md", Kind.DECISION),
            ("decisions/0001.md", Kind.DECISION),
            ("memory/plans/a.md", Kind.PLAN),
            ("plans/memory/a.md", Kind.MEMORY),
            ("plans/CLAUDE.md", Kind.MEMORY),
            ("AGENTS.md", Kind.MEMORY),
            ("plans", Kind.FILE),
            ("plans/run.sh", Kind.FILE),
            ("plans/a.Markdown", Kind.PLAN),
            ("a.mdx", Kind.NOTE),
            ("plans.md", Kind.NOTE),
        ],
    )
    def test_the_part_nearest_to_the_end_decides(self, path: str, kind: Kind) -> None:
        assert describe(path, "").kind is kind

    def test_then_the_type_then_the_first_tag_that_names_one(self) -> None:
        assert describe("a.md", "---\ntype: Implementation Plan\n---\n").kind is Kind.PLAN
        assert describe("a.md", "---\nkind: adr\ntags: [plan]\n---\n").kind is Kind.DECISION
        assert describe("a.md", "---\ntype: feature\ntags: [x, research, plan]\n---\n").kind is (
            Kind.RESEARCH
        )
        assert describe("research/a.md", "---\ntype: plan\n---\n").kind is Kind.RESEARCH

    def test_a_file_that_is_not_markdown_has_nothing_but_words(self) -> None:
        text = "---\ntitle: x\n---\n# a comment\n- [ ] not a task\n"
        assert describe("a.sh", text) == Description(title="a.sh", kind=Kind.FILE, words=7)
        assert not is_markdown("md")


class TestProperties:
    @pytest.mark.parametrize(
        ("status", "lifecycle"),
        [
            ("", Lifecycle.NONE),
            ("complete", Lifecycle.DONE),
            ("Completed", Lifecycle.DONE),
            ("complete (merged)", Lifecycle.DONE),
            ("✅ Done", Lifecycle.DONE),
            ("✅", Lifecycle.DONE),
            ("Implemented - 2025-09-01", Lifecycle.DONE),
            ("comprehensive", Lifecycle.DONE),
            ("draft", Lifecycle.DRAFT),
            ("WIP", Lifecycle.DRAFT),
            ("work-in-progress", Lifecycle.DRAFT),
            ("proposed", Lifecycle.DRAFT),
            ("planning", Lifecycle.DRAFT),
            ("pending", Lifecycle.DRAFT),
            ("not started", Lifecycle.DRAFT),
            ("in_progress", Lifecycle.ACTIVE),
            ("In-Progress", Lifecycle.ACTIVE),
            ("in progress: phase 2", Lifecycle.ACTIVE),
            ("ready", Lifecycle.ACTIVE),
            ("revised", Lifecycle.ACTIVE),
            ("needs-human-review", Lifecycle.ACTIVE),
            ("obsolete", Lifecycle.OBSOLETE),
            ("superseded by 0007", Lifecycle.OBSOLETE),
            ("no longer needed", Lifecycle.OBSOLETE),
            ("❌ abandoned", Lifecycle.OBSOLETE),
            ("partially complete", Lifecycle.ACTIVE),
            ("not done", Lifecycle.ACTIVE),
            ("phase 3", Lifecycle.ACTIVE),
            ("80%", Lifecycle.ACTIVE),
        ],
    )
    def test_a_status_is_free_text_that_is_understood(
        self, status: str, lifecycle: Lifecycle
    ) -> None:
        assert lifecycle_of(status) is lifecycle

    def test_the_status_is_kept_as_written(self) -> None:
        described = describe("a.md", "---\nstatus: 'Complete (merged)'\n---\n")
        assert (described.status, described.lifecycle) == ("Complete (merged)", Lifecycle.DONE)

    def test_tags_come_from_lists_and_commas(self) -> None:
        described = describe("a.md", "---\ntags: [b, '#a', b]\nkeywords: c, a\n---\n#body\n")
        assert described.tags == ("b", "a", "c")

    def test_the_author_is_named_before_the_researcher(self) -> None:
        assert describe("a.md", "---\nresearcher: R\nauthor: A\n---\n").author == "A"
        assert describe("a.md", "---\nresearcher: R\nlast_updated_by: U\n---\n").author == "R"
        assert describe("a.md", "---\nlast_updated_by: U\n---\n").author == ""
        assert describe("a.md", "---\nauthors: [A, B]\n---\n").author == "A, B"


class TestDates:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("2025-08-30T12:05:35-05:00", "2025-08-30T12:05:35-05:00"),
            ("2025-09-04T21:33:44+0000", "2025-09-04T21:33:44+00:00"),
            ("2025-12-18T08:03:16Z", "2025-12-18T08:03:16+00:00"),
            ("2025-09-01T21:04:50", "2025-09-01T21:04:50+00:00"),
            ("2025-09-01T21:04:50.1234567", "2025-09-01T21:04:50.123+00:00"),
            ("2025-09-01 21:04", "2025-09-01T21:04:00+00:00"),
            ("2025-09-01 21:04:50 PDT", "2025-09-01T21:04:50-07:00"),
            ("2025-09-01 21:04:50 +02", "2025-09-01T21:04:50+02:00"),
            ("2025-09-01 21:04:50 CEST", "2025-09-01T21:04:50+02:00"),
            ("2025-10-03", "2025-10-03T00:00:00+00:00"),
            ("2025-10-03 (first draft)", "2025-10-03T00:00:00+00:00"),
            ("2025/10/3", "2025-10-03T00:00:00+00:00"),
            ("20251003", "2025-10-03T00:00:00+00:00"),
            ("October 3, 2025", "2025-10-03T00:00:00+00:00"),
            ("Oct. 3rd 2025", "2025-10-03T00:00:00+00:00"),
            ("3 October 2025", "2025-10-03T00:00:00+00:00"),
            ("1969-12-31", "1969-12-31T00:00:00+00:00"),
        ],
    )
    def test_dates_are_read_as_people_and_programs_write_them(
        self, written: str, expected: str
    ) -> None:
        assert parse_date(written) == moment(expected)

    @pytest.mark.parametrize(
        "written",
        [
            "",
            "soon",
            "2025-02-30",
            "2025-13-01",
            "2025-1",
            "03/10/2025",
            "Mag 3, 2025",
            "2025-10/03",
            "0000-01-01",
            "0001-01-01T00:00:00+14:00",
            "123456789",
            "2025-09-01T25:00:00",
        ],
    )
    def test_what_is_no_date_is_none(self, written: str) -> None:
        assert parse_date(written) is None

    @given(st.datetimes(), st.sampled_from(["T", " "]))
    def test_every_iso_moment_is_read(self, when: datetime, divider: str) -> None:
        written = when.isoformat(divider)
        assert parse_date(written) == (when - datetime(1970, 1, 1)) // timedelta(milliseconds=1)

    @given(st.text(max_size=30))
    def test_any_text_is_a_date_or_none(self, written: str) -> None:
        assert isinstance(parse_date(written), int | None)
        assert isinstance(date_of_name(written), int | None)
        assert written.endswith(without_date(written))

    @pytest.mark.parametrize(
        ("name", "expected", "rest"),
        [
            ("2025-09-01_09-37-55_topic", "2025-09-01T09:37:55+00:00", "topic"),
            ("2025-08-31-topic", "2025-08-31T00:00:00+00:00", "topic"),
            ("2025-08-31-10-topics", "2025-08-31T00:00:00+00:00", "10-topics"),
            ("2025_08_31 topic", "2025-08-31T00:00:00+00:00", "topic"),
            ("20250831T0937-topic", "2025-08-31T09:37:00+00:00", "topic"),
            ("2025-08-31", "2025-08-31T00:00:00+00:00", "2025-08-31"),
        ],
    )
    def test_a_date_at_the_start_of_a_file_name_counts(
        self, name: str, expected: str, rest: str
    ) -> None:
        assert date_of_name(name) == moment(expected)
        assert without_date(name) == rest

    def test_a_date_elsewhere_in_a_name_does_not(self) -> None:
        assert date_of_name("mcp-2026-07-28-support") is None
        assert date_of_name("2025-08-311") is None

    def test_the_property_counts_before_the_name_if_it_can_be_read(self) -> None:
        path = "2025-01-01-x.md"
        named = moment("2025-01-01T00:00:00+00:00")
        assert describe(path, "---\ndate: 2025-06-01\n---\n").date == moment("2025-06-01T00:00:00Z")
        assert describe(path, "---\ncreated: 2025-06-01\n---\n").date == (
            moment("2025-06-01T00:00:00Z")
        )
        assert describe(path, "---\ndate: soon\n---\n").date == named
        assert describe(path, "").date == named
        assert describe("x.md", "---\nlast_updated: 2025-06-01\n---\n").date is None


class TestWords:
    def test_words_are_what_people_would_count(self) -> None:
        assert count_words("# One two\n\n- [ ] it's **three** `four-five` | --- |\n") == 5
        assert count_words("漢字かな and more") == 6

    def test_properties_are_not_counted(self) -> None:
        assert describe("a.md", "---\ntitle: one two three\n---\nfour five\n").words == 2


class TestAnyText:
    @given(st.text(), st.text())
    def test_anything_can_be_described(self, path: str, text: str) -> None:
        assert describe(path, text).words >= 0
        assert describe(f"{path}.md", f"---\n{text}\n---\n{text}").title

    @given(st.text(st.sampled_from("#-=>`~[x] \t\n\r*_1.)(<!:a\\|\ufeff")))
    def test_lines_and_levels_are_within_bounds(self, text: str) -> None:
        described = describe("a.md", text)
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for each in (*described.headings, *described.tasks, *described.links):
            assert 0 <= each.line < len(lines)
        for heading in described.headings:
            assert 1 <= heading.level <= 6
        for task in described.tasks:
            assert task.text in lines[task.line]
            assert task.text
