"""Agents' way in: a server of the Model Context Protocol over a workspace.

- ``sdk`` loads the official SDK quickly; ``server`` says what there is; ``stdio`` and ``http``
  carry it. Nothing else here knows the SDK.
- ``desk`` is where calls are worked on: the workspace, opened when first needed, a few threads,
  and who is where. ``access`` is what may be seen and changed; every path goes by it.
- ``tools`` is what agents can do: each a declaration, from which come the schema and the checks,
  and a function that gives a short text. Finding and reading never start the document engine.
- A write is one transaction: committed or not there, whatever becomes of the call or its client.
- What agents read and write is never logged.
"""
