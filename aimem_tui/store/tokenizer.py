"""What is a word: how SQLite's full-text engine takes texts apart, the same in every table.

A word is letters and digits, compared without case and accents, in the forms of English. Marks
that are letters to who reads (the vowels of Devanagari, Thai, Khmer and their like) are part of it;
those that are written or left out (the vowels of Arabic and Hebrew) are not.
"""

from __future__ import annotations

_ARABIC = "".join(map(chr, (*range(0x64B, 0x653), 0x670)))
_HEBREW = "".join(map(chr, (*range(0x5B0, 0x5BD), 0x5C1, 0x5C2, 0x5C7)))
_OF_EMOJI = "\ufe0e\ufe0f"

NAME = "porter"
ARGUMENTS = [
    "unicode61",
    "remove_diacritics",
    "2",
    "categories",
    "L* N* Co Mn Mc",
    "separators",
    _ARABIC + _HEBREW + _OF_EMOJI,
]
TOKENIZE = " ".join([NAME, *(f"'{each}'" for each in ARGUMENTS)])
"""What stands behind ``tokenize =`` in quotation marks, where such a table is made."""
