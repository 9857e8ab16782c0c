"""Settings: what they are, what they may be, and the file they are kept in.

``config.toml`` holds only what differs from the defaults. It is read with the standard library and
written with tomlkit, which keeps a person's comments. The environment wins over the file:
``AIMEM_AUTHOR`` for ``user.name``, ``AIMEM_WORKSPACE`` for ``workspace``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from aimem_tui.errors import AimemError, BadInput, NotFound, StorageError


class Setting(NamedTuple):
    """One thing that can be set."""

    key: str
    default: str
    description: str
    environment: str = ""
    choices: tuple[str, ...] = ()
    check: Callable[[str], str] | None = None
    """Returns what is wrong with a value, or an empty string."""


def _check_workspace(value: str) -> str:
    from aimem_tui.workspace.registry import name_problem

    return name_problem(value)


def _check_amount(value: str) -> str:
    """A number above 0 that a person would set."""
    try:
        fits = 0 < float(value) <= 1_000_000
    except ValueError:
        fits = False
    return "" if fits else "It must be a number above 0."


def _check_model(value: str) -> str:
    if not value:
        return ""
    from aimem_tui.embedding.choice import ModelChoice

    try:
        ModelChoice.at(value)
    except AimemError as error:
        return str(error)
    return ""


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "user.name",
        "",
        "Your name as others see it. Empty: the name of your account.",
        environment="AIMEM_AUTHOR",
    ),
    Setting(
        "workspace",
        "default",
        "The workspace that is opened when none is named.",
        environment="AIMEM_WORKSPACE",
        check=_check_workspace,
    ),
    Setting(
        "theme",
        "aimem-dark",
        "Colours of the app.",
        choices=("aimem-dark", "aimem-light", "high-contrast"),
    ),
    Setting(
        "icons",
        "auto",
        "Signs in lists: plain letters, or glyphs where the terminal has them.",
        environment="AIMEM_ICONS",
        choices=("auto", "plain", "glyphs"),
    ),
    Setting("motion", "on", "Whether panes may move.", choices=("on", "off")),
    Setting("editor", "", "The program for `aimem edit`. Empty: $VISUAL, then $EDITOR."),
    Setting(
        "index.background",
        "on",
        "Whether the app keeps the index up to date while it is open.",
        environment="AIMEM_INDEX",
        choices=("on", "off"),
    ),
    Setting(
        "index.model",
        "",
        "The model that finds by meaning: an .onnx file or its folder. Empty: aimem's own.",
        check=_check_model,
    ),
    Setting(
        "assist.use",
        "off",
        "The language model to use. Set up with `aimem assist setup`.",
        choices=("off", "claude", "llama"),
    ),
    Setting("assist.claude-model", "", "Which of Anthropic's models. Empty: claude-haiku-5-5."),
    Setting("assist.llama-file", "", "The model on this machine: a GGUF file."),
    Setting(
        "assist.prompt-tokens",
        "6000",
        "At most about so many tokens are sent in a call.",
        check=_check_amount,
    ),
    Setting(
        "assist.answer-tokens",
        "2000",
        "At most so many tokens come back, thinking included.",
        check=_check_amount,
    ),
    Setting("assist.seconds", "90", "At most so long for a call.", check=_check_amount),
    Setting(
        "assist.call-limit",
        "0.05",
        "US dollars that one call may cost.",
        check=_check_amount,
    ),
    Setting(
        "assist.day-limit",
        "1.00",
        "US dollars that a day's calls may cost.",
        check=_check_amount,
    ),
    Setting("assist.agreed", "", "What you agreed to being sent where. Kept by `aimem assist`."),
)

_BY_KEY = {setting.key: setting for setting in SETTINGS}


class Value(NamedTuple):
    """A setting in force, and where it comes from: ``default``, ``file`` or ``environment``."""

    setting: Setting
    value: str
    source: str


class Settings:
    """The settings in force.

    Args:
        file: the settings file; it need not exist.
        environment: usually ``os.environ``.

    Raises:
        StorageError: if the file cannot be read.
        BadInput: if it is not TOML.
    """

    def __init__(self, file: Path, environment: Mapping[str, str] | None = None) -> None:
        self.file = file
        self._environment = os.environ if environment is None else environment
        self._stored = _read(file)

    def renewed(self) -> Self:
        """The settings as the file has them now.

        Raises:
            StorageError, BadInput: as when they were first read.
        """
        return type(self)(self.file, self._environment)

    def get(self, key: str) -> str:
        """The value in force.

        Raises:
            NotFound: if there is no such setting.
        """
        return self.value(key).value

    def value(self, key: str) -> Value:
        """The value in force and where it comes from.

        Raises:
            NotFound: if there is no such setting.
        """
        setting = _setting(key)
        given = {
            "environment": self._environment.get(setting.environment) or None,
            "file": self._stored.get(key),
        }
        for source, value in given.items():
            # What is none of the choices counts as not given: the app must start all the same.
            if value is not None and (not setting.choices or value in setting.choices):
                return Value(setting, value, source)
        return Value(setting, setting.default, "default")

    def all(self) -> list[Value]:
        """Every setting."""
        return [self.value(setting.key) for setting in SETTINGS]

    def set(self, key: str, value: str) -> None:
        """Keep a value in the file, comments there untouched.

        Raises:
            NotFound: if there is no such setting.
            BadInput: if it cannot have that value.
            StorageError: if the file cannot be written.
        """
        setting = _setting(key)
        if setting.choices and value not in setting.choices:
            raise BadInput(
                f"{key} cannot be {value}.", hint=f"Choose from: {', '.join(setting.choices)}."
            )
        problem = setting.check(value) if setting.check else ""
        if problem:
            raise BadInput(f"{key} cannot be {value}.", why=problem)
        self._write(key, value)
        self._stored[key] = value

    def unset(self, key: str) -> None:
        """Go back to the default.

        Raises:
            NotFound: if there is no such setting.
        """
        _setting(key)
        if key in self._stored:
            self._write(key, None)
            del self._stored[key]

    @property
    def author(self) -> str:
        """Who writes: the setting, else the account's name."""
        # A variable may hold bytes that are no text, and a name is one line.
        name = self.get("user.name").encode(errors="surrogatepass").decode(errors="replace")
        name = " ".join(name.split())
        if name:
            return name
        import getpass

        try:
            return getpass.getuser()
        except (OSError, KeyError, ImportError):
            return "you"

    def _write(self, key: str, value: str | None) -> None:
        import tomlkit

        try:
            text = self.file.read_text(encoding="utf-8") if self.file.exists() else ""
            document = tomlkit.parse(text)
            table: MutableMapping[str, Any] = document
            *groups, name = key.split(".")
            for group in groups:
                inner = table.setdefault(group, tomlkit.table())
                if not isinstance(inner, MutableMapping):
                    raise BadInput(
                        f"{key} cannot be kept in {self.file}.",
                        why=f"There {group} is a value of its own.",
                        hint="Mend the file, or remove it.",
                    )
                table = inner
            if value is None:
                table.pop(name, None)
            else:
                table[name] = value
            self.file.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.file.with_name(self.file.name + ".new")
            temporary.write_text(tomlkit.dumps(document), encoding="utf-8")
            temporary.replace(self.file)
        except OSError as error:
            raise StorageError(
                f"{self.file} cannot be written.", why=error.strerror or str(error)
            ) from error


def _setting(key: str) -> Setting:
    if key not in _BY_KEY:
        raise NotFound(
            f"There is no setting called {key}.", hint=f"There are: {', '.join(_BY_KEY)}."
        )
    return _BY_KEY[key]


def _read(file: Path) -> dict[str, str]:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StorageError(f"{file} cannot be read.", why=error.strerror or str(error)) from error
    import tomllib

    try:
        tree = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{file} is not valid TOML.", why=str(error), hint="Mend it, or remove it."
        ) from error
    found = {}
    for key in _BY_KEY:
        value: object = tree
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, (str, int, float)):
            found[key] = str(value)
    return found
