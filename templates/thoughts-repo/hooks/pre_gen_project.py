"""Refuses a name that cannot be a folder beside the others, before anything is written."""

from __future__ import annotations

import json
import re
import sys

USERNAME = str(json.loads({{cookiecutter.username | jsonify | jsonify}}))  # noqa: F821
TAKEN = {"shared", "global", "searchable"}
# What Windows keeps for its devices, or cannot have in a name.
DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}
USABLE = re.compile(
    r"[^-.\s\\/:*?\"<>|\x00-\x1f\x7f]([^\\/:*?\"<>|\x00-\x1f\x7f]*[^.\s\\/:*?\"<>|\x00-\x1f\x7f])?"
)


def main() -> None:
    name = USERNAME.lower()
    if name in TAKEN:
        sys.exit(f"username: thoughts/{USERNAME} is a folder for everybody. Choose another name.")
    if not USABLE.fullmatch(USERNAME) or name.partition(".")[0] in DEVICES:
        sys.exit(
            f"username: {USERNAME!r} cannot be the name of a folder on every system. "
            "Letters, digits and dashes are safe."
        )


if __name__ == "__main__":
    main()
