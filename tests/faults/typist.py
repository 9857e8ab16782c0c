"""Somebody who writes into one paragraph without a pause, while others do the same elsewhere.

``python -m tests.faults.typist FILE NAME THOUGHT`` puts one numbered word after another between any
two words of the thought's last line and prints each once it is on disk, until told ``stop``.
"""

from __future__ import annotations

import select
import sys
from itertools import count
from pathlib import Path
from random import Random

PAUSE_S = 0.05


def main() -> None:
    from aimem_tui.workspace.workspace import Workspace

    file, name, path = sys.argv[1:]
    rng = Random(name)
    with Workspace(Path(file), name="typist", author=name) as workspace:
        thought = workspace.get(path).id
        for number in count(1):
            word = f"{name}{number}"
            handout = workspace.hand_out(thought)
            before, _, line = handout.text.removesuffix("\n").rpartition("\n")
            words = line.split(" ")
            words.insert(rng.randint(1, len(words)), word)
            text = "\n".join([before, " ".join(words), ""]) if before else " ".join(words) + "\n"
            assert workspace.take_back(handout, text)
            print(word, flush=True)
            if select.select([sys.stdin], [], [], PAUSE_S)[0]:
                return


if __name__ == "__main__":
    main()
