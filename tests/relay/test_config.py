"""Settings: where they come from, what is refused, and that their page is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest

from aimem_relay.config import Config, load
from aimem_relay.errors import RelayError
from tests.own_files import ROOT

PAGE = ROOT / "docs" / "relay.md"


def test_the_environment_is_above_the_file_and_the_file_above_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "relay.toml"
    file.write_text('host = "0.0.0.0"\nport = 1\nsecrets = ["one", "two"]\n')
    config = load(file, {"AIMEM_RELAY_PORT": "2", "AIMEM_RELAY_REVOKED": "a\nb,c\n"})
    assert (config.host, config.port, config.drain_s) == ("0.0.0.0", 2, 10.0)
    assert config.secrets == ("one", "two")
    assert config.revoked == ("a", "b,c")
    assert load(environment={"AIMEM_RELAY_CONFIG": str(file)}).port == 1
    assert load(environment={}) == Config()


@pytest.mark.parametrize(
    "environment",
    [
        {"AIMEM_RELAY_PROT": "1"},
        {"AIMEM_RELAY_PORT": "a lot"},
        {"AIMEM_RELAY_PORT": "70000"},
        {"AIMEM_RELAY_POLL_S": "0"},
        {"AIMEM_RELAY_TLS_KEY": "key.pem"},
        {"AIMEM_RELAY_CONFIG": "missing.toml"},
    ],
)
def test_what_cannot_be_is_refused_at_the_start(environment: dict[str, str]) -> None:
    with pytest.raises(RelayError):
        load(environment=environment)


def test_an_error_does_not_repeat_the_value() -> None:
    with pytest.raises(RelayError) as error:
        load(environment={"AIMEM_RELAY_PORT": "hush"})
    assert "hush" not in str(error.value)


def table() -> dict[str, tuple[str, str]]:
    """The settings as their page has them: for each its default and what it is about."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", PAGE.read_text(), flags=re.MULTILINE)
    return {name: (default, about) for name, default, about in rows}


def test_the_page_has_every_setting_with_its_default_and_what_it_is_about() -> None:
    hints = get_type_hints(Config, include_extras=True)
    settings = {}
    for field in msgspec.structs.fields(Config):
        metas = [part for part in get_args(hints[field.name]) if isinstance(part, msgspec.Meta)]
        about = next(meta.description for meta in metas if meta.description)
        default = field.default
        if isinstance(default, bool):
            shown = str(default).lower()
        elif isinstance(default, int | float):
            shown = f"{default:,}"
        else:
            shown = default or "none"
        settings[field.name] = (shown, about)
    documented = table()
    assert {name: documented.get(name) for name in settings} == settings


def test_the_page_names_the_metrics_that_there_are() -> None:
    from aimem_relay.metrics import Metrics

    known = set()
    for metric in Metrics().registry.collect():
        known.add(metric.name + ("_total" if metric.type == "counter" else ""))
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(aimem_relay_\w+)`", page, flags=re.MULTILINE))
    assert named == known
