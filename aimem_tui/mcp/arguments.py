"""What a tool takes: declared once, from which come its JSON schema and the check of a call.

A call is checked here and not by the SDK, so that an agent reads what is wrong in words that it can
act on. Schemas are flat, without ``oneOf`` and the like, which some models' interfaces refuse.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aimem_tui.errors import BadInput

Value = str | int | bool | list[str]

CONTENT_LIMIT = 400_000
"""Characters of a text that an agent writes at once."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a tool."""

    name: str
    said: str
    required: bool = False

    def schema(self) -> dict[str, Any]:
        """Its JSON schema."""
        return {**self._type(), "description": self.said} if self.said else self._type()

    def check(self, value: object) -> Value:
        """A value that was given.

        Raises:
            BadInput: if it cannot be used.
        """
        raise NotImplementedError

    def _type(self) -> dict[str, Any]:
        raise NotImplementedError

    def _wrong(self, why: str) -> BadInput:
        return BadInput(f"{self.name} {why}", hint="Call again with that put right.")


@dataclass(frozen=True, slots=True)
class Text(Argument):
    """A text; empty counts as not given, unless it may be."""

    most: int = 1_000
    choices: tuple[str, ...] = ()
    may_be_empty: bool = False

    def check(self, value: object) -> str:
        """See :meth:`Argument.check`."""
        if not isinstance(value, str):
            raise self._wrong("must be a text.")
        if len(value) > self.most:
            raise self._wrong(f"has {len(value):,} characters; {self.most:,} is the limit.")
        if self.choices and value not in self.choices:
            raise self._wrong(f"must be one of: {', '.join(self.choices)}.")
        if self.required and not self.may_be_empty and not value.strip():
            raise self._wrong("is empty.")
        return value

    def _type(self) -> dict[str, Any]:
        if self.choices:
            return {"type": "string", "enum": [*self.choices]}
        least = {"minLength": 1} if self.required and not self.may_be_empty else {}
        return {"type": "string", **least, "maxLength": self.most}


@dataclass(frozen=True, slots=True)
class Number(Argument):
    """A whole number."""

    least: int = 1
    most: int = 1_000_000
    default: int | None = None

    def check(self, value: object) -> int:
        """See :meth:`Argument.check`; a number without a fraction is whole, as in JSON."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong("must be a whole number.")
        if not self.least <= value <= self.most:
            raise self._wrong(f"must be from {self.least:,} to {self.most:,}; it is {value:,}.")
        return value

    def _type(self) -> dict[str, Any]:
        default = {} if self.default is None else {"default": self.default}
        return {"type": "integer", "minimum": self.least, "maximum": self.most, **default}


@dataclass(frozen=True, slots=True)
class Flag(Argument):
    """Yes or no."""

    default: bool = False

    def check(self, value: object) -> bool:
        """See :meth:`Argument.check`."""
        if not isinstance(value, bool):
            raise self._wrong("must be true or false.")
        return value

    def _type(self) -> dict[str, Any]:
        return {"type": "boolean", "default": self.default}


@dataclass(frozen=True, slots=True)
class Texts(Argument):
    """Several texts."""

    most: int = 20
    longest: int = 200

    def check(self, value: object) -> list[str]:
        """See :meth:`Argument.check`."""
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._wrong("must be a list of texts.")
        if len(value) > self.most:
            raise self._wrong(f"has {len(value):,} texts; {self.most} is the limit.")
        if any(len(each) > self.longest for each in value):
            raise self._wrong(f"holds a text of more than {self.longest} characters.")
        return [*value]

    def _type(self) -> dict[str, Any]:
        return {
            "type": "array",
            "items": {"type": "string", "maxLength": self.longest},
            "maxItems": self.most,
        }


class Given:
    """The arguments of a call, checked. What was not given is the default, else empty."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def has(self, name: str) -> bool:
        """Whether it was given."""
        return name in self._values

    def text(self, name: str) -> str:
        """A text."""
        value = self._values.get(name, "")
        assert isinstance(value, str)
        return value

    def number(self, name: str) -> int:
        """A number; 0 where it was not given and has no default."""
        value = self._values.get(name, 0)
        assert isinstance(value, int)
        return value

    def flag(self, name: str) -> bool:
        """Yes or no."""
        return bool(self._values.get(name, False))

    def texts(self, name: str) -> list[str]:
        """Several texts."""
        value = self._values.get(name, [])
        assert isinstance(value, list)
        return value


def schema(arguments: Sequence[Argument]) -> dict[str, Any]:
    """The JSON schema of a tool's arguments."""
    required = [argument.name for argument in arguments if argument.required]
    return {
        "type": "object",
        "properties": {argument.name: argument.schema() for argument in arguments},
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def check(arguments: Sequence[Argument], given: Mapping[str, object]) -> Given:
    """Check the arguments of a call.

    Raises:
        BadInput: if one is missing, unknown or cannot be used.
    """
    known = {argument.name: argument for argument in arguments}
    values: dict[str, Value] = {
        name: default
        for name, argument in known.items()
        if (default := getattr(argument, "default", None)) is not None
    }
    for name, value in given.items():
        argument = known.get(name)
        if argument is None:
            near = difflib.get_close_matches(name[:50], known, n=1)
            ask = f"Did you mean {near[0]}? " if near else ""
            raise BadInput(
                f"There is no argument {name[:50]!r}.", hint=f"{ask}There are: {', '.join(known)}."
            )
        # Clients fill in null where a model leaves something out.
        if value is not None:
            values[name] = argument.check(value)
    missing = [name for name, each in known.items() if each.required and name not in values]
    if missing:
        raise BadInput(f"{', '.join(missing)} is missing.", hint="Call again with it.")
    return Given(values)
