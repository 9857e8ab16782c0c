"""Keeping copies of a workspace in step: with relays, and with other machines directly.

``connection`` drives one session over a websocket, ``inbox`` stores what comes, ``exchange`` is all
connections of a workspace in one event loop, ``engine`` keeps them up in the background,
``remotes`` and ``credentials`` say where to and with what, ``state`` how things stand.
"""
