"""The bus: what pods tell each other at once. The ledger stays the truth.

``port`` says what a bus does; ``local`` is the one of a pod that is alone, ``redis`` that of many.
"""
