"""A program that uses a workspace as commands do, each time opening and closing it.

``python -m tests.store.busy FILE NAME SECONDS`` prints how often it did each thing. Whatever goes
wrong ends it with an error.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

SHARED = "shared.md"


def main() -> None:
    from aimem_tui.workspace.workspace import Workspace

    file, name, seconds = sys.argv[1:]
    rng = Random(name)
    done: Counter[str] = Counter()
    print("ready", flush=True)
    sys.stdin.readline()
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        action = rng.choice(["append", "append", "create", "edit", "search", "list", "move"])
        with Workspace(Path(file), name="busy", author=name) as workspace:
            workspace.catch_up()
            shared = workspace.get(SHARED)
            match action:
                case "append":
                    workspace.append(shared.id, f"{name}-line-{done[action]}")
                case "create":
                    workspace.create(f"{name}/{done[action]}.md", f"# {name} {done[action]}\n")
                case "edit":
                    handout = workspace.hand_out(shared.id)
                    text = f"{name}-edit-{done[action]}\n"
                    workspace.take_back(handout, handout.text + text)
                case "move" if done["create"]:
                    thought = workspace.get(f"{name}/{rng.randrange(done['create'])}.md")
                    workspace.move(thought.id, f"{name}/moved/{done[action]}.md")
                case "search":
                    assert workspace.search(name, limit=3).query == name
                case "list":
                    with workspace.database.snapshot():
                        assert sum(1 for _ in workspace.thoughts()) == workspace.count()
                case _:
                    continue
        done[action] += 1
    print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main()
