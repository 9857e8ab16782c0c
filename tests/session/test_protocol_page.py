"""The page about the protocol says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from crdt.session.replica import Limits
from crdt.wire import messages
from crdt.wire.messages import PERMANENT, CloseCode, Message
from tests.session.protocol_examples import conversation

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
TEXT = PAGE.read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading."""
    section = TEXT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_example_is_what_two_sessions_say() -> None:
    block = TEXT.split("```text\n", 1)[1].split("```", 1)[0]
    assert block.split() == "\n".join(conversation()).split()


def test_every_message_is_there_with_its_number_and_fields() -> None:
    told = {cells[1].strip("`"): cells for cells in rows("Messages")}
    assert set(told) == {kind.__name__ for kind in get_args(Message)}
    for kind in get_args(Message):
        cells = told[kind.__name__]
        assert int(cells[0]) == kind.__struct_config__.tag
        assert tuple(re.findall(r"`(\w+)`", cells[2])) == kind.__struct_fields__


@pytest.mark.parametrize("kind", [messages.Tip, messages.WireEntry, messages.WireCheckpoint])
def test_every_part_of_a_message_is_there_with_its_fields(kind: type[msgspec.Struct]) -> None:
    told = {cells[0].strip("`"): cells[1] for cells in rows("Parts of messages")}
    assert tuple(re.findall(r"`(\w+)`", told[kind.__name__])) == kind.__struct_fields__


def test_every_close_code_is_there() -> None:
    told = {int(cells[0]): cells for cells in rows("Close codes")}
    assert told.keys() == {code.value for code in CloseCode}
    for code in CloseCode:
        assert told[code.value][1].strip("`") == code.name
        assert (told[code.value][3] == "no") == (code in PERMANENT)


def test_the_limits_are_those_of_the_code() -> None:
    told = {cells[0].strip("`"): cells[1] for cells in rows("Limits")}
    ours = {name: getattr(Limits(), name) for name in Limits.__slots__}
    assert told.keys() == ours.keys()
    assert {name: int(value.replace(",", "")) for name, value in told.items()} == ours


def test_a_link_within_the_page_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in TEXT.splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings
