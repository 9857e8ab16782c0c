"""How large things can be."""

TEXT_LIMIT = 8 << 20
"""The largest text of a thought, and file that becomes one, in bytes of UTF-8: half of what one
message between machines can carry, so that what editing adds to it fits as well."""
