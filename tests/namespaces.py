"""Network namespaces without interfaces, not even loopback: a machine that is cut off."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

CUT_OFF = ("unshare", "--user", "--map-root-user", "--net", "--")
"""Put before a command, it runs in such a namespace."""


@cache
def can_be_cut_off() -> bool:
    """Whether this system lets a program run in one."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*CUT_OFF, "true"], capture_output=True, check=False).returncode == 0
