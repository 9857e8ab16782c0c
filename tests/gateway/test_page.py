"""The page about stock clients says what the code does."""

from __future__ import annotations

import re
from dataclasses import fields

from aimem_relay.gateway.handler import PATH, SUBPROTOCOL, TOKEN_PROTOCOL
from aimem_relay.gateway.ports import Limits
from crdt.wire.messages import CloseCode
from tests.own_files import ROOT

PAGE = (ROOT / "docs" / "stock-clients.md").read_text(encoding="utf-8")


def test_the_limits_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| ([0-9.,]+) \|", PAGE, flags=re.MULTILINE)
    said = {name: float(value.replace(",", "")) for name, value in rows}
    limits = Limits()
    assert said == {field.name: getattr(limits, field.name) for field in fields(limits)}


def test_the_close_codes_are_codes() -> None:
    codes = re.findall(r"^\| (\d{4}) \|.*\| (stops|comes back) \|$", PAGE, flags=re.MULTILINE)
    assert len(codes) == 10
    for code, then in codes:
        assert CloseCode(int(code))
        # What y-websocket takes for final.
        assert (then == "stops") == (4400 <= int(code) < 4500)


def test_the_address_and_the_names_of_sub_protocols_are_right() -> None:
    assert f"`{PATH}`" in PAGE
    assert f"'{SUBPROTOCOL}', `{TOKEN_PROTOCOL}$" in PAGE
