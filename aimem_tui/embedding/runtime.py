"""Loading onnxruntime: silent, few threads, and nothing sent anywhere.

What lives here: the only import of onnxruntime in aimem, and what has to be said before it and
right after it. What never does: what a model's inputs and outputs mean.

- From 1.29 on onnxruntime reports its use to its maker over the network, unless the environment
  says otherwise when it is loaded; older ones do so on Windows through the system, until told not
  to. aimem asks for versions below 1.29 and says both all the same, for whoever has another one.
- It writes a warning to the standard error stream of the process when it meets a display adapter
  that it cannot read (virtual machines, WSL, Raspberry Pi), before it can be told not to. There,
  and only there, that stream is led away while it loads; a warning in the middle of a screen, or
  of a program's output, would look like a fault of aimem.
- Its threads sleep when they wait. By default they spin, which takes a processor from whoever
  types.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aimem_tui.errors import Refused

if TYPE_CHECKING:
    from typing import TypeAlias

    from onnxruntime import InferenceSession

    Session: TypeAlias = InferenceSession

_ADAPTERS = Path("/sys/class/drm")
_FATAL = 4


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def default_threads() -> int:
    """Half the processors that this process may use, one at least and two at most."""
    return max(1, min(2, processors() // 2))


def open_session(model: Path, *, threads: int, once: bool = False) -> Session:
    """A model ready to run on so many processors.

    Args:
        model: the file.
        threads: how many processors it may use.
        once: load it as it is stored. That takes a third of the time and less memory, and each
            run takes what was saved: right for a single text.

    Raises:
        Refused: if onnxruntime is not installed, as on systems for which it is not made.
        Exception: whatever onnxruntime raises when the file is no model that it can run.
    """
    onnxruntime = _load()
    options = onnxruntime.SessionOptions()
    if once:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def unavailable(library: str, error: ImportError) -> Refused:
    """What to say when a library that every model needs is not there."""
    return Refused(
        "Search by meaning is not available on this system.",
        why=f"{library} cannot be loaded: {error}.",
        hint="Search for words works all the same.",
    )


def _load() -> Any:  # noqa: ANN401  A module without types.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        with _without_warnings():
            import onnxruntime
    except ImportError as error:
        raise unavailable("onnxruntime", error) from error
    onnxruntime.disable_telemetry_events()
    # What matters comes as an exception.
    onnxruntime.set_default_logger_severity(_FATAL)
    return onnxruntime


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Lead the process's standard error away where loading would write to it."""
    if not _adapters_unreadable():
        yield
        return
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _adapters_unreadable() -> bool:
    try:
        adapters = [entry for entry in _ADAPTERS.iterdir() if entry.name.startswith("card")]
    except OSError:
        return False
    return any(not os.access(adapter / "device" / "vendor", os.R_OK) for adapter in adapters)
