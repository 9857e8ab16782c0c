"""The pages about bundles and peers say what the code does."""

from __future__ import annotations

import re
from typing import get_args

from aimem_tui.cli.commands import peer
from aimem_tui.sync import bundle_file
from aimem_tui.sync.bundle_file import Header
from aimem_tui.sync.peer import listener, pairing
from tests.cli.running import ROOT

BUNDLE = (ROOT / "docs" / "bundle.md").read_text(encoding="utf-8")
PEERS = (ROOT / "docs" / "peers.md").read_text(encoding="utf-8")


def test_the_page_about_bundles_has_the_mark_the_version_and_the_limits() -> None:
    assert f"`{bundle_file.MAGIC.hex(' ')}`" in BUNDLE
    assert f"| version | 1 byte | {bundle_file.VERSION}." in BUNDLE
    assert f"at most {bundle_file._MAX_FRAME:,}" in BUNDLE
    assert f"At most {bundle_file._MAX_HEADER >> 20} MiB" in BUNDLE


def test_the_page_about_bundles_has_every_field_of_the_header_in_its_order() -> None:
    table = BUNDLE.partition("## The header")[2].partition("##")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(Header.__struct_fields__)


def test_the_page_about_peers_has_every_message_with_its_number_and_fields() -> None:
    rows = re.findall(r"^\| (\d) \| `(\w+)` \| (.*?) \|", PEERS, re.MULTILINE)
    described = [
        (int(number), name, re.findall(r"`(\w+)`", fields)) for number, name, fields in rows
    ]
    assert described == [
        (kind.__struct_config__.tag, kind.__name__, list(kind.__struct_fields__))
        for kind in get_args(pairing._Message)
    ]


def test_the_page_about_peers_has_the_figures() -> None:
    assert f"at most {pairing.MAX_FRAME:,} bytes" in PEERS
    assert f"port {listener.PORT} unless" in PEERS
    assert (pairing.HURRY_S, pairing.PATIENCE_S) == (10, 120)
    assert "have ten seconds until step 4, people two minutes" in PEERS


def test_the_command_offers_the_port_that_others_try() -> None:
    (port,) = [param for param in peer.listen_command.params if param.name == "port"]
    assert port.default == listener.PORT
