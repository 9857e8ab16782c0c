"""Checks an answer against the JSON schema it was asked for.

Only what aimem's own schemas use is known here: types, ``properties``, ``required``,
``additionalProperties: false``, ``items``, ``enum``, and bounds of lengths and numbers. A keyword
that is not known is a mistake of ours and raises ``ValueError``, so that no bound is passed over
in silence. Adapters whose other side knows fewer keywords leave some out on the way there
(:func:`without`); what comes back is checked against all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aimem_tui.assist.port import Schema

BOUNDS = frozenset({"minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"})
_KNOWN = BOUNDS | {
    "type",
    "description",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def read(text: str) -> object:
    """The JSON value that a text holds. Line ends inside strings pass: models write them so.

    Raises:
        ValueError: if it holds none, or more.
    """
    try:
        return json.loads(text, strict=False, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def problem(value: object, schema: Schema, at: str = "") -> str:
    """What is wrong with a value, in a few words; empty if nothing is.

    Raises:
        ValueError: if the schema has a keyword that is not known.
    """
    unknown = set(schema) - _KNOWN
    if unknown:
        raise ValueError(f"unknown keywords in a schema: {', '.join(sorted(unknown))}")
    where = at or "the answer"
    expected = str(schema["type"])
    fits = isinstance(value, _TYPES[expected])
    if not fits or (expected != "boolean" and isinstance(value, bool)):
        return f"{where} is no {expected}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} is none of the choices"
    if isinstance(value, dict):
        return _object_problem(value, schema, at)
    if isinstance(value, list):
        inside = (problem(each, schema["items"], f"{at}[{i}]") for i, each in enumerate(value))
        return _out_of_bounds(len(value), schema, "Items", where) or next(filter(None, inside), "")
    if isinstance(value, str):
        return _out_of_bounds(len(value), schema, "Length", where)
    if isinstance(value, (int, float)) and expected != "boolean":
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        return "" if low <= value <= high else f"{where} is out of bounds"
    return ""


def without(schema: Schema, unwanted: Callable[[str, Any], bool]) -> dict[str, Any]:
    """The same schema without some keywords, all the way down.

    Args:
        unwanted: given a keyword and its value.
    """
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            kept[key] = {name: without(inner, unwanted) for name, inner in value.items()}
        elif isinstance(value, Mapping):
            kept[key] = without(value, unwanted)
        elif not unwanted(key, value):
            kept[key] = value
    return kept


def _object_problem(value: Mapping[str, object], schema: Schema, at: str) -> str:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        return f"{_join(at, missing[0])} is missing"
    for name, inner in value.items():
        if name in properties:
            found = problem(inner, properties[name], _join(at, name))
            if found:
                return found
        elif schema.get("additionalProperties") is False:
            return f"{at or 'the answer'} has a field that was not asked for"
    return ""


def _out_of_bounds(size: int, schema: Schema, unit: str, where: str) -> str:
    if size < schema.get(f"min{unit}", 0):
        return f"{where} is too short"
    return f"{where} is too long" if size > schema.get(f"max{unit}", size) else ""


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is no JSON")
