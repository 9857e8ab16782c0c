"""``python -m aimem_tui``: the command line."""

import sys

from aimem_tui.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
