"""Prompts that a person picks in a client: go on, plan, hand over. Facts first, then the wish."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from aimem_tui.errors import BadInput, NotFound
from aimem_tui.mcp.arguments import Given, Text
from aimem_tui.mcp.desk import Call
from aimem_tui.mcp.tools import TOOLS

_BUDGET = 5_000
_TOPIC_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt: what people are told of it, its one argument, and what it says."""

    name: str
    title: str
    said: str
    takes: Text
    makes: Callable[[Call, str], str]

    def text(self, call: Call, values: Mapping[str, str]) -> str:
        """What the agent is given.

        Raises:
            BadInput: if the argument is missing or too long.
        """
        unknown = set(values) - {self.takes.name}
        if unknown:
            raise BadInput(f"The prompt {self.name} takes {self.takes.name} and nothing else.")
        topic = self.takes.check(values.get(self.takes.name, "")).strip()
        return self.makes(call, topic)


def find(name: str) -> Prompt:
    """The prompt of a name.

    Raises:
        NotFound: if there is none.
    """
    if name not in PROMPTS:
        raise NotFound(
            f"There is no prompt {name[:50]!r}.", hint=f"There are: {', '.join(PROMPTS)}."
        )
    return PROMPTS[name]


def _continue(call: Call, topic: str) -> str:
    about = f' about "{topic}"' if topic else ""
    return _joined(
        _context(call),
        _matching(call, topic),
        f"Say in a few lines where the work{about} stands: what was decided, what is open, who is"
        " on it. Read the thoughts that matter first. Then say what you would do next.",
    )


def _plan(call: Call, goal: str) -> str:
    return _joined(
        _matching(call, goal),
        f'Write a plan for this goal: "{goal}". Read what is there about it first, and build on'
        " decisions that were made. Keep it as a thought below plans/ with create_thought: the"
        " goal, what is out of scope, steps as checkboxes, how to see that it works, open"
        " questions. If there is a plan for it already, edit that one.",
    )


def _hand_over(call: Call, topic: str) -> str:
    about = f' on "{topic}"' if topic else ""
    return _joined(
        _changes(call),
        f"Hand over the work{about} of this session to whoever goes on with it. Bring the plan up"
        " to date with edit_thought and tick_task, keep lasting facts with remember, and write what"
        " the next one has to know into one thought: what was done, what is open, what was tried"
        " and did not work, where to begin.",
    )


def _context(call: Call) -> str:
    from aimem_tui.workspace.agents import context

    has = call.access.has
    places = [call.into] if call.into else call.access.narrowed("")
    pages = []
    for place in places:
        found = context.gather(call.workspace, into=place)
        if call.access.is_bounded:
            found = replace(
                found,
                decisions=tuple(each for each in found.decisions if has(each.thought.path)),
                plans=tuple(each for each in found.plans if has(each.thought.path)),
                changes=tuple(each for each in found.changes if has(each.thought.path)),
                people=tuple(each for each in found.people if each.path and has(each.path)),
            )
        pages.append(context.in_words(found, _BUDGET // len(places)))
    return _joined(*pages)


def _matching(call: Call, topic: str) -> str:
    if not topic:
        return ""
    found = TOOLS["search_thoughts"]
    return "\n".join(found.does(call, Given({"query": topic, "limit": 6})).texts)


def _changes(call: Call) -> str:
    found = TOOLS["recent_changes"]
    return "\n".join(found.does(call, Given({"since": "12h", "limit": 10})).texts)


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


PROMPTS = {
    prompt.name: prompt
    for prompt in (
        Prompt(
            "continue",
            "Go on with the work",
            "Where the work stands: decisions, plans, who is on what.",
            Text("topic", "What it is about; all if left out.", most=_TOPIC_LIMIT),
            _continue,
        ),
        Prompt(
            "plan",
            "Plan something",
            "A plan that builds on what the team knows.",
            Text("goal", "What is to be reached.", required=True, most=_TOPIC_LIMIT),
            _plan,
        ),
        Prompt(
            "handoff",
            "Hand over",
            "Leave the work so that somebody else can go on.",
            Text("topic", "What it is about; this session if left out.", most=_TOPIC_LIMIT),
            _hand_over,
        ),
    )
}
