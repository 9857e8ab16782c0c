"""What a thought is and how two replicas agree on it.

Pure: no sockets, files, threads, clock or database of its own. Callers pass bytes, times and
random numbers in and carry bytes out.
"""
