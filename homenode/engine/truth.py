"""Three truth values after Kleene: `and` is the least, `or` the greatest, `not` mirrors."""

from __future__ import annotations

FALSE, UNKNOWN, TRUE = 0, 1, 2

WORDS = ("FALSE", "UNKNOWN", "TRUE")
"""How a verdict is written."""
