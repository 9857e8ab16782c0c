"""Settings are found, kept and explained; a person's file stays a person's file."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aimem_tui.errors import BadInput, NotFound, StorageError
from aimem_tui.paths import home
from aimem_tui.settings import SETTINGS, Settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "config.toml"


def opened(file: Path, **environment: str) -> Settings:
    return Settings(file, environment)


def written(file: Path, text: str) -> Settings:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return opened(file)


def test_without_a_file_everything_has_its_default(file: Path) -> None:
    values = opened(file).all()
    assert [value.setting for value in values] == [*SETTINGS]
    assert all((v.value, v.source) == (v.setting.default, "default") for v in values)
    assert all(setting.description.endswith(".") for setting in SETTINGS)
    assert not file.exists(), "asking makes no file"


def test_a_default_is_one_of_the_choices() -> None:
    for setting in SETTINGS:
        assert not setting.choices or setting.default in setting.choices
        assert not setting.check or setting.check(setting.default) == ""


def test_what_was_set_is_kept_and_can_be_taken_back(file: Path) -> None:
    opened(file).set("user.name", 'Zoë "Z"')
    opened(file).set("theme", "high-contrast")
    found = opened(file)
    assert found.value("user.name").value == 'Zoë "Z"'
    assert found.value("theme").source == "file"
    found.unset("theme")
    found.unset("theme")
    assert found.get("theme") == opened(file).get("theme") == "aimem-dark"
    assert found.get("user.name") == 'Zoë "Z"'


def test_taking_back_what_was_never_set_makes_no_file(file: Path) -> None:
    opened(file).unset("user.name")
    assert not file.exists()


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_as_it_was_set(file: Path, text: str) -> None:
    opened(file).set("editor", text)
    assert opened(file).get("editor") == text


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(file: Path) -> None:
    opened(file).set("user.name", "file")
    value = opened(file, AIMEM_AUTHOR="environment").value("user.name")
    assert (value.value, value.source) == ("environment", "environment")
    assert opened(file, AIMEM_AUTHOR="").get("user.name") == "file"
    assert opened(file).value("user.name").source == "file"


def test_what_is_no_choice_counts_as_not_given(file: Path) -> None:
    found = written(file, 'theme = "pink"\nicons = "plain"\n')
    assert (found.get("theme"), found.value("theme").source) == ("aimem-dark", "default")
    assert opened(file, AIMEM_ICONS="odd").get("icons") == "plain"


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("theme", "pink", "aimem-light"),
        ("workspace", "../up", "letter"),
        ("workspace", "", "letter"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(
    file: Path, key: str, value: str, why: str
) -> None:
    with pytest.raises(BadInput) as refusal:
        opened(file).set(key, value)
    assert why in str(refusal.value)
    assert not file.exists()


def test_an_unknown_setting_is_answered_with_the_known_ones(file: Path) -> None:
    for attempt in (
        lambda: opened(file).get("colour"),
        lambda: opened(file).set("colour", "red"),
        lambda: opened(file).unset("colour"),
    ):
        with pytest.raises(NotFound, match=r"user\.name, workspace"):
            attempt()


@pytest.mark.parametrize(
    "text",
    [
        '# mine\nother = 1  # kept\n\n[user]\nname = "x"\n# end\n',
        '# mine\nuser = { name = "x" }\nother = 1  # kept\n# end\n',
        '# mine\nuser.name = "x"\nother = 1  # kept\n# end\n',
        '# mine\nother = 1  # kept\n[user]\nname = "x"\n[b]\nc = 1\n[user.d]\ne = 1\n# end\n',
        "# mine\nother = 1  # kept\n# end\n",
    ],
    ids=["table", "inline", "dotted", "scattered", "absent"],
)
def test_a_persons_own_lines_and_comments_stay(file: Path, text: str) -> None:
    written(file, text).set("user.name", "new")
    assert opened(file).get("user.name") == "new"
    now = file.read_text(encoding="utf-8")
    for line in ("# mine", "other = 1  # kept", "# end"):
        assert line in now
    assert tomllib.loads(now)["other"] == 1


def test_a_value_in_the_place_of_a_table_is_explained(file: Path) -> None:
    found = written(file, 'user = "x"\n')
    assert found.get("user.name") == ""
    with pytest.raises(BadInput, match="value of its own"):
        found.set("user.name", "new")
    assert file.read_text() == 'user = "x"\n'


def test_values_of_other_types_are_read_as_text(file: Path) -> None:
    found = written(file, "workspace = 7\nmotion = true\neditor = [1]\n")
    assert found.get("workspace") == "7"
    assert found.get("motion") == "on"
    assert found.get("editor") == ""


def test_a_broken_file_is_explained(file: Path) -> None:
    for broken in (b"theme = \n", b"\xff\xfe"):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(broken)
        with pytest.raises(BadInput, match="not valid TOML"):
            opened(file)
        assert file.read_bytes() == broken


def test_a_file_that_cannot_be_read_or_written_is_explained(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot be read"):
        opened(file)
    file.rmdir()
    found = opened(file)
    file.parent.rmdir()
    file.parent.write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        found.set("editor", "vi")


def test_a_write_that_fails_leaves_the_old_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(file).set("editor", "vi")

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StorageError, match="No space"):
        opened(file).set("editor", "nano")
    assert opened(file).get("editor") == "vi"


def test_the_author_is_the_setting_else_the_account(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "account")
    assert opened(file).author == "account"
    assert opened(file, AIMEM_AUTHOR="  ").author == "account"
    assert opened(file, AIMEM_AUTHOR="ann ").author == "ann"
    assert opened(file, AIMEM_AUTHOR="ann\n lee").author == "ann lee"
    assert opened(file, AIMEM_AUTHOR="ann\udcff").author.encode().startswith(b"ann")

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert opened(file).author == "you"


# Where files are


def test_one_variable_moves_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIMEM_HOME", str(tmp_path / "home"))
    where = home()
    for path in (where.settings_file, where.workspaces, where.log_file):
        assert path.is_relative_to(tmp_path / "home")
    assert not (tmp_path / "home").exists(), "asking makes no folder"


def test_a_relative_or_short_home_is_made_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIMEM_HOME", "here")
    assert home().data == tmp_path / "here"
    monkeypatch.setenv("AIMEM_HOME", "~/there")
    assert home().data == Path(os.path.expanduser("~")) / "there"  # noqa: PTH111


def test_without_it_the_platform_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIMEM_HOME")
    where = home()
    assert all("aimem" in str(path) for path in (where.config, where.data, where.state))
    assert where.settings_file.name == "config.toml"
