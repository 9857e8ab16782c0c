"""The local store: one SQLite file per workspace.

The log, checkpoints, vectors and import sources are the truth; everything else is a projection
that can be dropped and built again. ``connection`` opens the file, ``migrate`` brings it up to
date, ``log`` appends and reads entries, ``documents`` loads thoughts, ``projector`` keeps the
projections, ``catalogue`` reads them, ``writer`` commits keystrokes in groups, ``watcher`` notices
what other processes do, ``revisions`` and ``compaction`` look after history.
"""
