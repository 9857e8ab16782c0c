"""Packages that take long to load, for the tests of what is loaded when."""

from __future__ import annotations

NETWORK = {"aiohttp", "cryptography", "keyring", "zeroconf"}
"""What exchanges with other machines: nothing that reads, and no first frame, waits for it."""
