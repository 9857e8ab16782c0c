"""Log lines: one JSON object each, to standard error.

What is logged: what happened, a workspace's id, a connection's number, an address, a close code.
Never: a thought's text, its path, a person's name, a credential, a frame. So a line is made of a
fixed message and fields of known kinds, and no message is put together from what came in.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any, TextIO, TypeAlias

Field: TypeAlias = str | int | float | bool | None

_logger = logging.getLogger("aimem_relay")


def event(message: str, /, level: int = logging.INFO, **fields: Field) -> None:
    """Log what happened."""
    if _logger.isEnabledFor(level):
        _logger.log(level, message, extra={"fields": fields})


def failure(message: str, error: BaseException, /, **fields: Field) -> None:
    """Log a defect and where it happened. What the error says may hold content: it is left out."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    event(message, logging.ERROR, error=type(error).__name__, where=where, **fields)


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line. Of other libraries' errors only the type is shown."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{moment}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage() if record.name == _logger.name else record.name,
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        line.update(getattr(record, "fields", {}))
        return json.dumps(line, ensure_ascii=False)


def set_up(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send all logging of the process to ``stream``, standard error unless given."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    _logger.setLevel(level)
