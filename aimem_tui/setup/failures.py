"""What goes wrong inside cookiecutter, Jinja and a template's hooks, in words for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aimem_tui.bridge.files import printable
from aimem_tui.errors import AimemError, BadInput, Refused, StorageError, ToolFailed


@contextmanager
def explained() -> Iterator[None]:
    """Turn the errors of templates into :class:`AimemError`.

    Raises:
        BadInput: if the template or a value is wrong.
        Refused: if the template reaches further than it may.
        ToolFailed: if one of its hooks failed.
        StorageError: if nothing can be written.
    """
    try:
        yield
    except AimemError:
        raise
    except RecursionError as error:
        raise BadInput("The template cannot be rendered.", why="It never ends.") from error
    except Exception as error:
        found = _explained(error)
        if found is None:
            raise
        raise found from error


def _explained(error: Exception) -> AimemError | None:
    from cookiecutter import exceptions as known
    from jinja2 import exceptions as jinja

    if isinstance(error, known.FailedHookException):
        return ToolFailed(
            "A hook of the template failed.", why=_line(error), hint="Nothing was written."
        )
    if isinstance(error, known.UndefinedVariableInTemplate):
        return _broken(f"{error.message}: {error.error.message}")
    if isinstance(error, known.NonTemplatedInputDirException):
        return _broken("It has no folder to render: none is called {{ cookiecutter.… }}.")
    if isinstance(error, jinja.TemplateSyntaxError):
        where = f" See {error.filename or error.name or 'a name'}, line {error.lineno}."
        return _broken(f"{_line(error)}{where if error.filename or error.name else ''}")
    if isinstance(error, jinja.SecurityError):
        return Refused(
            "The template is refused, because it reaches into Python.",
            why=_line(error),
            hint="If you trust it, add --accept-hooks. Nothing was written.",
        )
    if isinstance(error, known.CookiecutterException | jinja.TemplateError):
        return _broken(_line(error))
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return _broken(f"{error.strerror}: {error.filename}.")
    if isinstance(error, OSError):
        return StorageError("The template cannot be rendered.", why=f"{error.strerror or error}.")
    if isinstance(error, ValueError):
        return BadInput("A value does not fit the template.", why=_line(error))
    if isinstance(error, TypeError | KeyError | AttributeError | ArithmeticError):
        return _broken(_line(error))
    return None


def _broken(why: str) -> BadInput:
    return BadInput("The template cannot be rendered.", why=why)


def _line(error: Exception) -> str:
    text = printable(" ".join(str(error).split())) or type(error).__name__
    return text if text.endswith((".", "?")) else f"{text}."
