"""What agents do with a workspace, as commands, the MCP server and hooks call it.

- Functions over an open workspace; who writes is the workspace's author. Answers are values, to be
  put into words by whoever asked.
- An agent's attention is small: answers come in parts, and each says whether there is more.
- ``reading``: parts of thoughts, what changed last, open tasks.
- ``editing``: edits of a text, with where they are afterwards.
- ``remembering``: a fact, once, where it belongs.
- ``names``: what agents are called, and whose name their edits bear.
- ``context``: what is worth knowing at the beginning of a piece of work.
"""
