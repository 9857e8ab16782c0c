"""The local store: one SQLite file per workspace.

The log, checkpoints, vectors and import sources are the truth; everything else is a projection
that can be dropped and built again. ``connection`` opens the file, ``migrate`` brings it up to
date, ``log`` appends and reads entries, ``documents`` loads thoughts, ``projector`` keeps the
projections, ``catalogue`` reads them, ``writer`` commits keystrokes in groups, ``watcher`` notices
what other processes do, ``revisions``, ``checkpoints`` and ``compaction`` look after history.

With other copies of the workspace: ``replica`` is what a session reads, ``receiving`` stores what
it brings, ``durability`` knows what has arrived there, ``identity`` and ``whereabouts`` see to it
that no two files go by one name.
"""
