"""A language model on this machine: a GGUF file of the user's, run by llama.cpp.

- The model lives in a process of its own (:mod:`aimem_tui.assist.llama_child`), which is started
  with the first call and kept for the next. It is killed when an answer takes too long, and when
  this object is closed; it ends by itself when this process does.
- The answer's form is held by a grammar made from the JSON schema, so that a small model keeps it,
  too. Its sense is the model's own.
- A file that is no GGUF, or needs more memory than the machine has, is refused before anything is
  started. What else can be wrong with a file shows in the other process.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from aimem_tui.assist.port import Completion, Limits, ModelFailed, Prompt, Schema, Usage
from aimem_tui.assist.schema import read, without

MAGIC = b"GGUF"
_CHILD = Path(__file__).with_name("llama_child.py")
_OVERHEAD = 200_000_000
"""Bytes that are needed beside the weights, context left out."""
_MARGIN = 256
"""Tokens for what the model's template puts around a prompt."""
_MOST_THREADS = 8
_COUNTED = 120
"""Characters up to which a grammar bounds a text; beyond, the tokens of an answer do."""


class Llama:
    """One model file.

    Args:
        file: in GGUF.
        room: how many tokens a prompt should have at most.
        answer_tokens: the longest answer that will be asked for.
        memory: bytes that there are; 0: as many as this machine has.
    """

    def __init__(
        self, file: Path, *, room: int = 3_000, answer_tokens: int = 2_000, memory: int = 0
    ) -> None:
        self.file = file
        self.room = room
        self._context = room + answer_tokens + _MARGIN
        self._memory = memory or installed_memory()
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.file.stem

    def generate(self, prompt: Prompt, schema: Schema, limits: Limits) -> Completion:
        """Ask once; see :class:`aimem_tui.assist.port.Adapter`."""
        deadline = time.monotonic() + limits.seconds
        self._start(deadline, limits.seconds)
        request = {
            "system": prompt.system,
            "user": prompt.user,
            "schema": without(schema, _is_too_much),
            "tokens": limits.answer_tokens,
        }
        self._send(request)
        reply = self._receive(deadline, limits.seconds)
        if reply.get("failed") == "too long":
            raise ModelFailed(
                f"It is too much text for {self.name}.",
                hint="To send less: aimem config set assist.prompt-tokens N.",
            )
        if "failed" in reply:
            raise ModelFailed(f"{self.name} failed.", why=_shown(reply))
        usage = Usage(int(reply["tokens_in"]), int(reply["tokens_out"]))
        if not reply["whole"]:
            raise ModelFailed(
                f"{self.name} came to no end within {limits.answer_tokens} tokens.", spent=usage
            )
        try:
            return Completion(read(str(reply["text"])), usage)
        except ValueError as error:
            raise ModelFailed(
                f"The answer of {self.name} has not the form that was asked for.", spent=usage
            ) from error

    def check(self, seconds: float = 120.0) -> int:
        """Load the model; returns how many tokens prompt and answer may have together.

        Raises:
            ModelFailed: if it cannot be used, in words.
        """
        return self._start(time.monotonic() + seconds, seconds)

    def most(self, prompt: Prompt, limits: Limits) -> float:
        """Nothing: it runs here."""
        return 0.0

    def cost(self, usage: Usage) -> float:
        """Nothing: it runs here."""
        return 0.0

    def close(self) -> None:
        """End the process, whatever it is doing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _start(self, deadline: float, seconds: float) -> int:
        if self._process is not None and self._process.poll() is None:
            return self._context
        self.close()
        self._refuse_what_cannot_be_used()
        threads = max(1, min(_MOST_THREADS, (os.cpu_count() or 2) * 3 // 4))
        numbers = map(str, (self._context, threads, self._memory))
        self._process = subprocess.Popen(
            # -P: nothing that lies in the current folder or beside the program is imported.
            [sys.executable, "-P", str(_CHILD), str(self.file), *numbers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Ctrl-C is for aimem, which then ends the process itself.
            start_new_session=True,
        )
        self._lines = queue.SimpleQueue()
        assert self._process.stdout is not None
        threading.Thread(
            target=_pump, args=(self._process.stdout, self._lines), daemon=True
        ).start()
        ready = self._receive(deadline, seconds)
        if "failed" in ready:
            self.close()
            raise ModelFailed(f"{self.file} cannot be loaded.", why=_shown(ready))
        self._context = int(ready["context"])
        return self._context

    def _refuse_what_cannot_be_used(self) -> None:
        try:
            with self.file.open("rb") as file:
                magic = file.read(len(MAGIC))
            size = self.file.stat().st_size
        except OSError as error:
            raise ModelFailed(
                f"{self.file} cannot be read.",
                why=f"{error.strerror or error}.",
                hint="To choose another: aimem assist setup llama FILE.",
            ) from error
        if magic != MAGIC:
            raise ModelFailed(
                f"{self.file} is no GGUF file.", hint="llama.cpp reads models in that format."
            )
        if self._memory and size + _OVERHEAD > self._memory:
            raise ModelFailed(
                f"{self.name} is too large for this machine.",
                why=f"It takes {_gigabytes(size + _OVERHEAD)}, and {_gigabytes(self._memory)}"
                " are built in.",
                hint="Choose a smaller model, or one with fewer bits a weight.",
            )
        if find_spec("llama_cpp") is None:
            raise ModelFailed(
                "llama-cpp-python is not installed.",
                hint="It comes with the extra llm: pip install 'aimem[llm]'.",
            )

    def _send(self, request: dict[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._died() from error

    def _receive(self, deadline: float, seconds: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.001))
        except queue.Empty:
            self.close()
            raise ModelFailed(
                f"{self.name} did not answer within {seconds:g} seconds and was ended.",
                hint="To wait longer: aimem config set assist.seconds N.",
            ) from None
        except BaseException:
            self.close()
            raise
        try:
            reply = json.loads(line)
        except ValueError:
            # The end of its output, or a line that it could not finish.
            raise self._died() from None
        assert isinstance(reply, dict)
        return reply

    def _died(self) -> ModelFailed:
        self.close()
        return ModelFailed(
            f"The process of {self.name} ended by itself.",
            why="The file is damaged, or the memory did not suffice.",
        )


def _is_too_much(keyword: str, value: object) -> bool:
    """A bound makes a grammar a rule for each character; hundreds of them end the library."""
    return keyword in ("minLength", "maxLength") and isinstance(value, int) and value > _COUNTED


def installed_memory() -> int:
    """Bytes of memory that this machine has; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def _pump(source: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    with suppress(OSError, ValueError):
        for line in source:
            lines.put(line)
    lines.put(b"")


def _shown(reply: dict[str, Any]) -> str:
    words = " ".join(str(reply.get("detail", "")).split())[:200].rstrip(".")
    return f"{words}." if words else ""


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
