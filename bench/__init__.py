"""What aimem costs in time and bytes, beside other programs that do the same work.

- Every program is a module with ``run(size) -> Report``; ``python -m bench NAME`` runs it. The list
  is in ``__main__``.
- A figure stands beside a peer's, taken in the same run: the contestants take turns, so that a
  machine that slows down slows down for all. A peer that is not there is named as missing.
- Peers live in virtual environments of their own in the cache folder (``~/.cache/aimem-bench``, or
  ``$AIMEM_BENCH_CACHE``), made when first needed; workspaces and texts are made there once, from a
  fixed seed, by the product's own code.
- Nothing here passes or fails: a goal that is missed is printed as missed. What must hold on every
  machine is counted, not timed, and stands in the tests.
"""
