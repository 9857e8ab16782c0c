"""What an agent is told about memory in ``AGENTS.md``: short, because it is read every time."""

from __future__ import annotations

GUIDE = """\
## Shared memory (aimem)

The team's thoughts (research, plans, decisions, tickets, notes) and the agents' memory are kept
in aimem, the same on every machine. People and other agents edit them at the same time as you, and
edits merge.

Use the tools of the MCP server `aimem` if you have them: `search_thoughts` and `read_thought` to
look things up, `edit_thought`, `append_to_thought` and `tick_task` to change them, `remember` to
keep a fact. Without MCP, the same from the shell:

| To | Run |
|---|---|
| find by words and meaning | `aimem search "token rotation" --limit 5` |
| read a thought, or one section of it | `aimem show plans/auth-flow --section Phases` |
| see what changed, and who changed it | `aimem recent --since 3d` |
| see open tasks | `aimem tasks --path plans` |
| tick a task by its words | `aimem tasks tick plans/auth-flow "Rotate keys"` |
| know where the project stands | `aimem context` |
| keep a fact, once, where it belongs | `aimem remember "Staging runs on port 8443."` |
| add lines to a thought | `aimem append plans/auth-flow "- [ ] Rotate keys"` |
| change a passage | `aimem edit plans/auth-flow --replace "30 min" --with "15 min"` |
| make a thought | `aimem new decisions/tokens-not-cookies TEXT` |

- Look before you ask or decide: search for what is known already.
- Change the passage in question, not the whole thought.
- Write down what the next person would need: decisions with their reasons, surprises, dead ends.
- Every command explains itself with `--help` and prints JSON with `--json`.
"""
