"""The ledger: every workspace's entries and checkpoints, and in which order they came.

``port`` says what a ledger does and is all that the rest of the relay needs to know; ``plan``
decides what a group of jobs changes; ``sqlite`` and ``postgres`` keep it.
"""

from aimem_relay.ledger.port import Ledger, LedgerDown, LedgerError

__all__ = ["Ledger", "LedgerDown", "LedgerError"]
