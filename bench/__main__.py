"""``python -m bench [NAME ...]``: run the programs and print what they found."""

from __future__ import annotations

import argparse
import importlib
import sys
from dataclasses import replace

from bench import measure
from bench.measure import Report, Size

PROGRAMS = {
    "startup": "the app to its first paint, and the commands",
    "keystroke": "a key to its output, in time and bytes",
    "search": "search by words, by meaning and by both; indexing",
    "asking": "whether memory knows when it knows",
    "embedding": "texts to vectors: quality, work and a cold start",
    "importing": "a folder of markdown into a workspace",
    "mcp": "agents' servers, beside two others",
    "naming": "parts of names: found, their size, a key",
    "organize": "suggestions: how good they are, and what they cost",
    "relay": "the relay beside other servers",
    "retrieval": "what search finds, on a published set",
    "vectors": "nearest vectors, beside sqlite-vec's own search",
    "traces": "real editing histories through the durable store",
}
"""What there is to run, and what each measures."""


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line names; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure aimem beside other programs.",
        epilog="\n".join(f"  {name:12}{what}" for name, what in PROGRAMS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="what to run; all if none is named"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes and one round, to see that all runs"
    )
    parser.add_argument(
        "--size",
        type=int,
        action="append",
        default=[],
        metavar="N",
        help="for search: how many passages; for mcp: how many thoughts; may be repeated",
    )
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in PROGRAMS]
    if unknown:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(PROGRAMS)}")
    size = Size(quick=chosen.quick, sizes=tuple(chosen.size))
    before = measure.load()
    reports: list[Report] = []
    for name in chosen.names or PROGRAMS:
        print(f"Measuring {name}", file=sys.stderr)
        report: Report = importlib.import_module(f"bench.{name}").run(size)
        if size.quick:
            report.contests = [replace(contest, goals=()) for contest in report.contests]
            report.notes.append("Quick: the figures mean nothing.")
        reports.append(report)
    write = measure.write_json if chosen.json else measure.write
    write(reports, measure.machine(), (before, measure.load()), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
