"""Loading the SDK in little more than half of its time, because clients wait for it.

- The packages ``mcp`` and ``mcp.server`` import all that the SDK can do, its client above all. Here
  they are put in place empty, and filled when somebody asks for a name that is not a module.
- Pydantic prepares the hundreds of messages of all versions of the protocol; told to wait, it
  prepares those that come.

Only ``aimem mcp`` does this, before anything else has loaded the SDK. Should a later SDK not bear
it, loading it the usual way is all that is left to do.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType

_PACKAGES = ("mcp", "mcp.server")


def hasten() -> None:
    """Make the SDK load quickly, unless it is loaded already."""
    if any(name in sys.modules for name in ("mcp", "mcp_types")):
        return
    from pydantic import BaseModel

    BaseModel.model_config["defer_build"] = True
    for name in _PACKAGES:
        _put_in_place(name)


def _put_in_place(name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    loader = spec.loader
    package = importlib.util.module_from_spec(spec)

    def fill(wanted: str) -> object:
        inner = f"{name}.{wanted}"
        if not wanted.startswith("__") and importlib.util.find_spec(inner) is not None:
            return importlib.import_module(inner)
        if "__getattr__" not in package.__dict__ or wanted.startswith("__"):
            raise AttributeError(f"module {name!r} has no attribute {wanted!r}")
        del package.__dict__["__getattr__"]
        loader.exec_module(package)
        return getattr(package, wanted)

    package.__dict__["__getattr__"] = fill
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    if parent:
        _set(sys.modules[parent], child, package)


def _set(parent: ModuleType, name: str, child: ModuleType) -> None:
    setattr(parent, name, child)
