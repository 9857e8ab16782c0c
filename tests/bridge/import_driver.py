"""A program that imports a folder and says how far it is, for tests that interrupt it.

Arguments: the workspace's file, the folder. Prints a line for each batch and a last one: whether
it was interrupted and what was created.
"""

from __future__ import annotations

import sys
from pathlib import Path

from aimem_tui.model import ImportOptions, Progress
from aimem_tui.workspace.workspace import Workspace


def tell(progress: Progress) -> None:
    """Say how far the import is."""
    print(progress.step, progress.done, flush=True)


def main() -> None:
    """Import."""
    with Workspace(Path(sys.argv[1]), name="test", author="ann") as workspace:
        options = ImportOptions(author="ann", progress=tell)
        report = workspace.import_folder(Path(sys.argv[2]), options)
        print("interrupted" if report.interrupted else "complete", report.created, flush=True)


if __name__ == "__main__":
    main()
