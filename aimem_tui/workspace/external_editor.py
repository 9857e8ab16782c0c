"""A text in a person's own editor: which editor it is, and the file it is given.

- The text is written, byte for byte, to a file in a folder that only its owner can enter. The file
  has the thought's name, so that the editor knows how to colour it.
- The editor is started without a shell. While it runs Ctrl-C is its own.
- The file goes only when what was edited has been taken in. If anything fails before, a file that
  holds a change stays, and the error says where it is.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aimem_tui.errors import AimemError, StorageError, ToolFailed

_FALLBACKS = ("sensible-editor", "nano", "vim", "vi", "notepad")
_HINT = "Name another one: aimem config set editor COMMAND."
_NAME_BYTES = 120


@dataclass(frozen=True, slots=True)
class Edited:
    """What a person left in their editor."""

    text: str
    changed: bool
    seconds: float
    """How long the editor was open."""


def command(setting: str) -> list[str]:
    """The editor's command: the setting, ``$VISUAL``, ``$EDITOR``, else one that is installed.

    Raises:
        ToolFailed: if there is none.
    """
    for named in (setting, os.environ.get("VISUAL", ""), os.environ.get("EDITOR", "")):
        if named.strip():
            try:
                return shlex.split(named)
            except ValueError as error:
                raise ToolFailed(
                    f"The editor's command cannot be read: {named}.",
                    why=f"{error}.",
                    hint="Mend it: aimem config set editor COMMAND.",
                ) from error
    for name in _FALLBACKS:
        if shutil.which(name):
            return [name]
    raise ToolFailed(
        "There is no editor to open.", hint="Name one: aimem config set editor COMMAND."
    )


def edit(text: str, name: str, setting: str) -> str:
    """Let a person edit a text in their editor; returns the text as they left it.

    Raises:
        ToolFailed: if the editor cannot be started, ends with an error, or leaves no text.
        StorageError: if there is no place for the file.
    """
    with edited(text, name, setting) as result:
        return result.text


@contextmanager
def edited(text: str, name: str, setting: str, folder: Path | None = None) -> Iterator[Edited]:
    """Like :func:`edit`, for a block that takes the text in: the file stays if the block fails.

    Args:
        name: the thought's.
        folder: where to make the private folder; None: the system's for temporary files.

    Raises:
        ToolFailed: if the editor cannot be started, ends with an error, or leaves no text.
        StorageError: if there is no place for the file.
    """
    argv = command(setting)
    before = text.encode()
    file = _write(before, name, folder)
    try:
        started = time.monotonic()
        _run(argv, file)
        seconds = time.monotonic() - started
        after = _read(file)
        yield Edited(_decoded(after, argv[0]), after != before, seconds)
    except BaseException as error:
        if _is_changed(file, before):
            kept = f"What you wrote is in {file}."
            if isinstance(error, AimemError):
                error.hint = f"{error.hint} {kept}".strip()
            else:
                error.add_note(kept)
        else:
            shutil.rmtree(file.parent, ignore_errors=True)
        raise
    shutil.rmtree(file.parent, ignore_errors=True)


def _write(data: bytes, name: str, folder: Path | None) -> Path:
    try:
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        private = Path(tempfile.mkdtemp(prefix="aimem-", dir=folder))
        file = private / _file_name(name)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
    except OSError as error:
        raise StorageError(
            "There is no place for the editor's file.", why=f"{error.strerror or error}."
        ) from error
    return file


def _run(argv: list[str], file: Path) -> None:
    try:
        with _interrupts_left_to_child():
            code = subprocess.run([*argv, str(file)], check=False).returncode
    except OSError as error:
        raise ToolFailed(
            f"{argv[0]} cannot be started.", why=f"{error.strerror or error}.", hint=_HINT
        ) from error
    if code:
        how = f"with code {code}" if code > 0 else f"by signal {-code}"
        raise ToolFailed(f"{argv[0]} ended {how}.", hint="Nothing was taken in.")


@contextmanager
def _interrupts_left_to_child() -> Iterator[None]:
    # Only the main thread may set handlers, and only it is interrupted.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A handler ends with exec, so the editor starts with the default; SIG_IGN would be inherited.
    before = signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ToolFailed(
            "The editor left no file behind.", why=f"{error.strerror or error}: {file}."
        ) from error


def _decoded(data: bytes, editor: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ToolFailed(
            f"{editor} left a file that is not UTF-8.",
            why=f"The byte at {error.start:,} does not fit.",
        ) from error


def _is_changed(file: Path, before: bytes) -> bool:
    try:
        return file.read_bytes() != before
    except OSError:
        return False


def _file_name(name: str) -> str:
    """A thought's name as a file's: the same suffix, and nothing that a file system minds."""
    cleaned = re.sub(r"[\x00-\x1f\x7f/\\:]", "_", name).lstrip("-") or "thought.md"
    stem, dot, suffix = cleaned.rpartition(".")
    if len(cleaned.encode()) <= _NAME_BYTES or len(suffix) > 12:
        return cleaned.encode()[:_NAME_BYTES].decode(errors="ignore")
    return stem.encode()[:_NAME_BYTES].decode(errors="ignore") + dot + suffix
