"""The running clock in a picture's corner: a picture whose clock stands still is no live one (pure)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from homenode.video.picture import BLACK, NO_COLOUR, Picture, planes

_LIGHT = 235
_LINE = 6
_DOTS = 8
"""The dot under the digits goes on by one place with each picture."""
_ROWS = {  # of each glyph, top down, three points as a digit
    "0": "75557", "1": "26227", "2": "71747", "3": "71317", "4": "55711",
    "5": "74717", "6": "74757", "7": "71122", "8": "75757", "9": "75717", ":": "02020",
    "^": "00250", "-": "00700",
}  # fmt: skip
_GLYPHS = {
    sign: np.array([[int(row) >> bit & 1 for bit in (2, 1, 0)] + [0] for row in rows], np.bool_)
    for sign, rows in _ROWS.items()
}


def stamp(picture: Picture, told: Sequence[str], nth: int) -> None:
    """Write into the corner, at the top left.

    Args:
        told: A line each, the first the longest: digits, colons, ``^`` and ``-``.
        nth: Of the picture.
    """
    luma, *colours = planes(picture)
    scale = max(2, luma.shape[0] // 160)
    lines = [np.hstack([_GLYPHS[sign] for sign in line]) for line in told]
    wide = lines[0].shape[1]
    field = np.zeros((_LINE * len(lines) + 3, wide + 3), np.bool_)
    for at, line in enumerate(lines):
        field[1 + _LINE * at : 6 + _LINE * at, 2 : 1 + line.shape[1]] = line[:, :-1]
    place = 2 + nth % _DOTS * (wide - 2) // (_DOTS - 1)
    field[-2, place : place + 2] = True
    big = field.repeat(scale, 0).repeat(scale, 1)
    rows, columns = big.shape
    luma[:rows, :columns] = np.where(big, _LIGHT, BLACK)
    for colour in colours:
        colour[: (rows + 1) // 2, : (columns + 1) // 2] = NO_COLOUR
