"""A picture is one array, as H.264 wants it (I420).

Its first `height` rows are brightness; the two colours, at half the resolution, follow in `height / 2` rows
of the same width. Enhancement, masks and views work on brightness mostly, so nothing is converted on the way
from camera to encoder.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]

BLACK, NO_COLOUR = 16, 128
"""Of brightness in video range (16..235); of either colour."""


def empty(width: int, height: int) -> Picture:
    """Black."""
    picture = np.full((height * 3 // 2, width), NO_COLOUR, np.uint8)
    picture[:height] = BLACK
    return picture


def planes(picture: Picture) -> tuple[Picture, Picture, Picture]:
    """Brightness and the two colours, as views."""
    rows, width = picture.shape
    height = rows * 2 // 3
    colours = picture[height:].reshape(2, height // 2, width // 2)
    return picture[:height], colours[0], colours[1]
