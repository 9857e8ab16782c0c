"""What is around a template while it is rendered, and what is swept up behind it."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from aimem_tui.errors import StorageError


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that only its owner can enter, gone at the end.

    Raises:
        StorageError: if there is no place for it.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="aimem-init-")).resolve()
    except OSError as error:
        raise StorageError(
            "There is no place for temporary files.", why=f"{error.strerror or error}."
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def swept(scratch: Path) -> Iterator[None]:
    """What hooks and cookiecutter find around them, and what they leave is swept up."""
    logger = logging.getLogger("cookiecutter")
    with ExitStack() as stack:
        stack.callback(setattr, tempfile, "tempdir", tempfile.tempdir)
        tempfile.tempdir = str(scratch)
        stack.callback(setattr, logger, "propagate", logger.propagate)
        logger.propagate = False
        silent = logging.NullHandler()
        logger.addHandler(silent)
        stack.callback(logger.removeHandler, silent)
        stack.enter_context(_printing_to_stderr())
        yield


@contextmanager
def _printing_to_stderr() -> Iterator[None]:
    """Standard output is aimem's; what a hook prints goes beside it."""
    if sys.stdout is not None:
        sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:
        yield
        return
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def sandbox(trusted: bool) -> Iterator[None]:
    """Let a template's expressions reach no further than its variables, unless it is trusted."""
    if trusted:
        yield
        return
    from cookiecutter import utils
    from cookiecutter.environment import ExtensionLoaderMixin
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    class Sandboxed(ExtensionLoaderMixin, SandboxedEnvironment):  # type: ignore[misc]
        """Cookiecutter's environment, on Jinja's sandbox."""

        def __init__(self, **settings: Any) -> None:  # noqa: ANN401
            super().__init__(undefined=StrictUndefined, **settings)

    before = utils.StrictEnvironment
    utils.StrictEnvironment = Sandboxed
    try:
        yield
    finally:
        utils.StrictEnvironment = before


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Let a template's own extensions be imported, as cookiecutter does."""
    before = list(sys.path)
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path[:] = before
