"""The process in which llama.cpp runs: started by file, killed at will, and knowing no aimem.

A model file is somebody else's data read by a large C++ program, and an answer may take for ever;
neither is let into a process that holds thoughts. This file therefore imports nothing of aimem's.

- Started as ``llama_child.py FILE CONTEXT THREADS MEMORY``. Reads a JSON object a line, writes one
  a line: first ``{"context": tokens}`` once the model is loaded, then an answer to each request.
- A request is ``{"system", "user", "schema", "tokens"}``. An answer is ``{"text", "whole",
  "tokens_in", "tokens_out"}``, or ``{"failed": code, "detail": words}``.
- The end of its input is the end of the process, even in the middle of an answer: it does not
  outlive whoever started it.
- What is quoted in a prompt cannot speak as the model's own control tokens: they are broken up.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
from typing import IO, Any

_PLAIN_MARKS = ("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>")
"""What separates turns in models whose files do not say how."""
_SHORTEST_MARK = 3


def main(file: str, context: int, threads: int, memory: int) -> int:
    """Load the model, then answer until the input ends."""
    # What the library prints must not get among the answers.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _be_modest(memory)
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, requests), daemon=True).start()
    try:
        model = _Model(file, context, threads)
    except Exception as error:
        _write(out, {"failed": "load", "detail": str(error)})
        return 1
    _write(out, {"context": model.context})
    while True:
        request = requests.get()
        try:
            _write(out, model.answer(request))
        except Exception as error:
            _write(out, {"failed": "answer", "detail": str(error)})


class _Model:
    def __init__(self, file: str, context: int, threads: int) -> None:
        # By name, as it is an extra that few install, and has no types to check against.
        self._cpp: Any = importlib.import_module("llama_cpp")
        self._llama = self._cpp.Llama(
            model_path=file,
            n_ctx=context,
            n_threads=threads,
            n_threads_batch=threads,
            verbose=False,
        )
        trained = int(self._cpp.llama_model_n_ctx_train(self._llama.model))
        self.context = min(context, trained) if trained > 0 else context
        self._marks = self._control_marks()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request."""
        grammar = self._cpp.LlamaGrammar.from_json_schema(
            json.dumps(request["schema"]), verbose=False
        )
        system, user = (self._quoted(str(request[name])) for name in ("system", "user"))
        tokens = len(self._llama.tokenize(f"{system}\n{user}".encode(), special=True))
        if tokens + int(request["tokens"]) + 64 > self.context:
            return {"failed": "too long", "detail": str(tokens)}
        apart = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        together = [{"role": "user", "content": f"{system}\n\n{user}"}]
        try:
            reply = self._complete(apart, grammar, request)
        except ValueError:
            # Some models' templates know no system's turn, and say so with an error.
            reply = self._complete(together, grammar, request)
        choice, usage = reply["choices"][0], reply["usage"]
        return {
            "text": choice["message"]["content"],
            "whole": choice["finish_reason"] == "stop",
            "tokens_in": usage["prompt_tokens"],
            "tokens_out": usage["completion_tokens"],
        }

    def _complete(
        self, messages: list[dict[str, str]], grammar: object, request: dict[str, Any]
    ) -> dict[str, Any]:
        reply: dict[str, Any] = self._llama.create_chat_completion(
            messages=messages, grammar=grammar, max_tokens=int(request["tokens"]), temperature=0.0
        )
        return reply

    def _quoted(self, text: str) -> str:
        for mark in self._marks:
            if mark in text:
                text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        return text

    def _control_marks(self) -> list[str]:
        vocabulary = self._cpp.llama_model_get_vocab(self._llama.model)
        found = set(_PLAIN_MARKS)
        for token in range(self._llama.n_vocab()):
            if self._cpp.llama_vocab_is_control(vocabulary, token):
                text = self._cpp.llama_vocab_get_text(vocabulary, token).decode(errors="ignore")
                if len(text) >= _SHORTEST_MARK:
                    found.add(text)
        # The longest first: one may begin as another does.
        return sorted(found, key=len, reverse=True)


def _be_modest(memory: int) -> None:
    """Leave processor time to others, and no more memory than there is to a file that lies."""
    if hasattr(os, "nice"):
        os.nice(5)
    if memory and sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read(source: IO[bytes], requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    for line in source:
        requests.put(json.loads(line))
    os._exit(0)


def _write(out: IO[str], value: dict[str, Any]) -> None:
    out.write(json.dumps(value) + "\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:5])))
