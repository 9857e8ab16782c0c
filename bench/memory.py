"""How much memory this process holds, and held at most. Exact on Linux, a bound elsewhere."""

from __future__ import annotations

import contextlib
import gc
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def peak_mb() -> float:
    """The most that was held since the start, or since :func:`forget_peak_mb`."""
    # Not getrusage where it can be helped: that begins with the figure of the parent process.
    return _field("VmHWM") or _of_all_time()


def forget_peak_mb() -> float:
    """Begin a new peak; returns what is held now, with what was freed given back."""
    gc.collect()
    _trim()
    try:
        # 5 sets the peak to what is held now: proc(5), clear_refs.
        _CLEAR.write_text("5")
    except OSError:
        return peak_mb()
    return _field("VmRSS") or peak_mb()


def _trim() -> None:
    """Give freed memory back to the system, where the C library can."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _field(name: str) -> float:
    try:
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    found = next((line for line in lines if line.startswith(f"{name}:")), "")
    return int(found.split()[1]) / 1024 if found else 0.0


def _of_all_time() -> float:
    import resource

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / (1 << 20 if sys.platform == "darwin" else 1 << 10)
