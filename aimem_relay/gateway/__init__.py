"""Stock Yjs clients: one thought, opened with npm ``y-websocket`` or pycrdt's provider.

The gateway turns what they write into entries, and entries into what they read. It is the only
part of the relay that reads updates, and only of thoughts that a stock client has open just now.

- ``protocol``: frames of y-websocket and y-protocols, and back.
- ``awareness``: where people are, between Yjs clients and sessions.
- ``thought``: the document of a thought that is open.
- ``connection``: one client.
- ``handler``: the websocket request, and which thoughts are open.
"""
