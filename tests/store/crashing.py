"""A program that writes to a workspace and says what is confirmed, until somebody kills it.

``python -m tests.store.crashing FILE ROUND`` types numbered words into one open thought through the
group writer, does numbered operations through the facade, and prints ``typed N`` or ``done N`` as
soon as these are confirmed to be on disk.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

TYPED = "typed.md"


@dataclass(frozen=True)
class Operation:
    """One thing done through the facade to the thought numbered ``thought``."""

    action: str
    thought: int


def operations() -> Iterator[Operation]:
    """What is done in each round, in order."""
    for number in count():
        yield Operation("create", number)
        yield Operation("append", number)
        if number % 3 == 0:
            yield Operation("trash", number)
            yield Operation("purge", number)
        elif number % 3 == 1:
            yield Operation("move", number)


def after(steps: int, name: str) -> dict[str, str]:
    """The texts by path that so many operations of a round leave behind."""
    texts: dict[str, str] = {}
    for _, operation in zip(range(steps), operations(), strict=False):
        path = f"{name}/{operation.thought}.md"
        match operation.action:
            case "create":
                texts[path] = "# New\n"
            case "append":
                texts[path] += "more\n"
            case "trash":
                del texts[path]
            case "move":
                texts[f"{name}/moved/{operation.thought}.md"] = texts.pop(path)
    return texts


def main() -> None:
    from aimem_tui.errors import NotFound
    from aimem_tui.workspace.workspace import Workspace

    file, name = sys.argv[1:]
    rng = Random(name)
    workspace = Workspace(Path(file), name="crash", author=f"round {name}")
    try:
        typed = workspace.get(TYPED).id
    except NotFound:
        typed = workspace.create(TYPED, "").id
    live = workspace.open_live(typed)
    words = len(live.document.text.split())
    ids: dict[int, str] = {}
    print("ready", flush=True)
    for done, operation in enumerate(operations(), 1):
        for _ in range(rng.randint(0, 40)):
            words += 1
            live.document.replace_text(f"{live.document.text}w{words} ")
            if rng.random() < 0.1 and workspace.writer.flush():
                print(f"typed {words}", flush=True)
        thought = ids.get(operation.thought, "")
        match operation.action:
            case "create":
                path = f"{name}/{operation.thought}.md"
                ids[operation.thought] = workspace.create(path, "# New\n").id
            case "append":
                workspace.append(thought, "more")
            case "trash":
                workspace.trash(thought)
            case "purge":
                workspace.purge(thought)
            case "move":
                workspace.move(thought, f"{name}/moved/{operation.thought}.md")
        print(f"done {done}", flush=True)


if __name__ == "__main__":
    main()
