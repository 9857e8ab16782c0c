"""Where the command line begins and ends.

Whatever happens, a person gets words and a script gets an exit code that stays the same; see
:class:`aimem_tui.errors.ExitCode`. Nothing is imported before it is needed, neither for the app,
which starts slowly enough, nor for what explains an error.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aimem_tui.errors import AimemError, ExitCode

_COMPLETE = "_AIMEM_COMPLETE"
"""The environment variable by which a shell asks for completions."""

_GARBAGE_THRESHOLD = 100_000
"""New objects between two looks for garbage. What a start makes stays; with Python's usual 700 a
tenth of the time until the app is there goes into looking through it."""

if TYPE_CHECKING:
    from aimem_tui.cli.context import Session


def main(argv: Sequence[str] | None = None, *, session: Session | None = None) -> int:
    """Run one command.

    Args:
        argv: the words behind the program's name; those of this process if None.
        session: the surroundings, if they are not this machine's own.

    Returns: the exit code.
    """
    if argv is None:
        gc.set_threshold(_GARBAGE_THRESHOLD)
    try:
        return _run(list(sys.argv[1:] if argv is None else argv), session)
    except KeyboardInterrupt as interrupt:
        from aimem_tui.cli import diagnostics

        diagnostics.say_notes(interrupt)
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever reads has read enough, as in `aimem list | head`.
        from aimem_tui.cli import output

        output.abandon()
        return int(ExitCode.OK)
    finally:
        if argv is None:
            # All there is ends with the process; looking for garbage in it once more takes Python
            # a tenth of the time of a command.
            gc.freeze()


def _run(args: list[str], session: Session | None) -> int:
    from aimem_tui.cli.context import Session

    session = session or Session()
    as_json = "--json" in args[: args.index("--")] if "--" in args else "--json" in args
    try:
        try:
            opens_app = not args and _COMPLETE not in os.environ and session.has_terminal()
            return session.open_app() if opens_app else _command(args, session)
        finally:
            session.close()
    except BrokenPipeError:
        raise
    except AimemError as error:
        from aimem_tui.cli import diagnostics

        return diagnostics.report(error, as_json=as_json)
    except Exception as error:
        from aimem_tui.cli import diagnostics

        explained = diagnostics.explain(error, session)
        if explained is not None:
            return diagnostics.report(explained, as_json=as_json)
        return diagnostics.defect(error, session.home)


def _command(args: list[str], session: Session) -> int:
    from aimem_tui.cli import output

    output.prepare()
    try:
        return _call(args, session)
    finally:
        output.flush()


def _call(args: list[str], session: Session) -> int:
    import click

    from aimem_tui.cli.root import root

    if _COMPLETE in os.environ:
        from aimem_tui.cli import shells

        shells.answer(root, session, os.environ[_COMPLETE])
        return 0
    try:
        with root.make_context("aimem", args, obj=session) as context:
            result = root.invoke(context)
    except click.exceptions.Exit as end:
        return int(end.exit_code)
    except click.ClickException as error:
        from aimem_tui.cli.diagnostics import usage_problem

        raise usage_problem(error) from error
    return result if isinstance(result, int) else 0
