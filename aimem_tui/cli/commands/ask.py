"""Questions to memory: ``ask``."""

from __future__ import annotations

from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

import click

from aimem_tui.cli import output, shapes
from aimem_tui.cli.command import command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import can_ask, note
from aimem_tui.cli.options import filter_of, filter_options
from aimem_tui.cli.styling import Piece, bold, dim
from aimem_tui.cli.types import Text
from aimem_tui.errors import AimemError

if TYPE_CHECKING:
    from aimem_tui.assist.budget import Meter
    from aimem_tui.assist.prompts import Passage
    from aimem_tui.workspace.asking import Answer

_SHOWN_LINES = 12


@command("ask", short_help="Ask memory a question.")
@click.argument("question", type=Text(), nargs=-1, required=True, help="What to know.")
@click.option("--no-model", is_flag=True, help="Only the best passages; nothing is sent anywhere.")
@filter_options
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=50),
    default=8,
    show_default=True,
    metavar="N",
    help="At most this many passages.",
)
@json_option
@click.pass_obj
def ask_command(
    session: Session,
    question: tuple[str, ...],
    no_model: bool,
    path: str | None,
    kinds: tuple[str, ...],
    tags: tuple[str, ...],
    author: str | None,
    status: str | None,
    since: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """Ask memory a question.

    A language model, if one is set up, answers from the passages that fit best and cites them;
    what its citations do not hold is not shown. Without one, the passages are the answer. If
    memory does not know, that is said.

    \b
    aimem ask how long do refresh tokens live
    aimem ask "what did we decide about retries" --kind decision
    """
    from aimem_tui.workspace import asking

    wanted = filter_of(path=path, kinds=kinds, tags=tags, author=author, status=status, since=since)
    workspace = session.reading()
    workspace.search_once()
    model, said = (None, "") if no_model else _model(session)
    with closing(model) if model is not None else nullcontext():
        answer = asking.ask(
            workspace,
            " ".join(question),
            model,
            wanted,
            limit=limit,
            on_wait=lambda: _say_whom(model),
        )
    answer = answer._replace(said=" ".join(filter(None, (said, answer.said))))
    if as_json:
        output.json_object(shapes.answer(answer))
        return
    _print_answer(answer)
    if model is not None and answer.by:
        note(dim(_cost_line(model)))


def _model(session: Session) -> tuple[Meter | None, str]:
    """The model that is set up, or why there is none."""
    from aimem_tui.assist.configured import Configured, what_is_sent
    from aimem_tui.workspace import asking

    try:
        return asking.language_model(session.settings.get, session.home, session.clock), ""
    except AimemError as error:
        configured = Configured.read(session.settings.get)
        if configured.agreed != configured.agreement:
            for sentence in what_is_sent(configured):
                note(sentence)
        return None, asking.sentence(error)


def _say_whom(model: Meter | None) -> None:
    if model is not None and can_ask():
        note(dim(f"Asking {model.name}."))


def _print_answer(answer: Answer) -> None:
    if answer.by and answer.known:
        output.text(answer.text + "\n")
        output.line("")
        for citation in answer.citations:
            output.line(*_place(citation.passage, citation.line))
            output.line(dim(f"    “{citation.quote}”"))
        if answer.said:
            note(answer.said)
        return
    if not answer.known:
        output.line(bold("Memory does not know."))
        if answer.passages:
            output.line("What comes nearest:")
    elif answer.said:
        note(answer.said)
    for passage in answer.passages:
        output.line("")
        output.line(*_place(passage, passage.line))
        _print_passage(passage)
    if not answer.known and answer.said:
        note(answer.said)


def _place(passage: Passage, line: int) -> tuple[Piece, ...]:
    thought = passage.thought
    return dim(f"[{passage.number}] "), bold(thought.path), f":{line}  {thought.title}"


def _print_passage(passage: Passage) -> None:
    lines = passage.text.splitlines()
    shown = lines[:_SHOWN_LINES] if output.is_terminal() else lines
    for line in shown:
        output.line(f"    {line}" if line.strip() else "")
    if len(shown) < len(lines):
        output.line(dim(f"    … {len(lines) - len(shown)} more lines"))


def _cost_line(model: Meter) -> str:
    from aimem_tui.assist.budget import dollars

    used = f"{model.name}: {model.last.tokens_in} tokens in, {model.last.tokens_out} out"
    cost = model.adapter.cost(model.last)
    if not cost:
        return f"{used}."
    today = dollars(model.ledger.today().cost)
    return f"{used}, about {dollars(cost)}. Today {today} of {dollars(model.day_limit)}."
