from __future__ import annotations

from tests.cli.conftest import aimem

__all__ = ["aimem"]
