"""Seeing more in the dark, from one picture to the next (pure but for what it remembers of the last).

Brightened first: a root makes the noise of few photons equally strong at any brightness. Then averaged over
time where nothing moves; where something does, over its neighbours, so nobody leaves a ghost. Contrast last.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from homenode.video.picture import BLACK, NO_COLOUR, Picture, planes

Levels = NDArray[Any]
"""Brightness with fractions (float32)."""

DARK_BELOW = 80
"""Mean brightness; a room with its lights on has 90 to 140."""
_TARGET = 0.36
"""Where the middle of the brightness goes, of 0..1."""
_GAMMA_MOST = 3.0
_SLOWLY = 0.1
"""Of a change of brightness at each picture: no flicker when a lamp is lit."""
_LEAST_NEW = 0.12
"""Of the new picture where nothing moves: averages over 1 / 0.12 pictures, half a second."""
_MOVES_FROM, _MOVES_TO = 2.2, 4.5
"""Times the noise of a neighbourhood that a change must have to be one, and to be one for sure."""
_NEAR = (5, 5)
_CONTRAST, _TILES = 2.0, (8, 8)


class Enhancement:
    """Give it each picture of a camera in order."""

    def __init__(self) -> None:
        self._curve: tuple[float, float, float] | None = None  # black, white, gamma
        self._before: Levels | None = None
        self._before_near: Levels | None = None
        self._noise = 4.0
        self._contrast = cv2.createCLAHE(_CONTRAST, _TILES)

    def of(self, picture: Picture) -> Picture:
        """As it is if there is light; else brighter, with less noise, and without colour, which is none."""
        luma, *colours = planes(picture)
        points = luma[::4, ::4]
        if points.mean() >= DARK_BELOW:
            self._before = None
            return picture
        self._settle(points)
        bright = cv2.LUT(luma, self._table())
        calm = self._calmed(bright)
        luma[:] = self._contrast.apply(cv2.convertScaleAbs(calm))
        for colour in colours:
            colour[:] = NO_COLOUR
        return picture

    def _settle(self, points: Picture) -> None:
        low, high = np.percentile(points, (1, 99.5))
        low, high = max(float(low), BLACK), max(float(high), BLACK + 12.0, float(low) + 8.0)
        middle = min(max((float(points.mean()) - low) / (high - low), 0.02), 0.9)
        gamma = min(max(math.log(middle) / math.log(_TARGET), 1.0), _GAMMA_MOST)
        if self._curve is None:
            self._curve = (low, high, gamma)
        was = self._curve
        self._curve = (
            was[0] + (low - was[0]) * _SLOWLY,
            was[1] + (high - was[1]) * _SLOWLY,
            was[2] + (gamma - was[2]) * _SLOWLY,
        )

    def _table(self) -> Levels:
        assert self._curve is not None
        low, high, gamma = self._curve
        share = ((np.arange(256) - low) / (high - low)).clip(0, 1.15)
        return (16 + 200 * share ** (1 / gamma)).clip(0, 255).astype(np.float32)

    def _calmed(self, bright: Levels) -> Levels:
        near = cv2.blur(bright, _NEAR)
        if self._before is None or self._before_near is None or self._before.shape != bright.shape:
            self._before, self._before_near = bright, near
            return bright
        change = cv2.absdiff(near, self._before_near)
        middle = float(np.median(change[::8, ::8])) / 0.6745  # of a normal distribution: its spread
        self._noise += (max(middle, 0.3) - self._noise) * _SLOWLY
        moves = ((change - _MOVES_FROM * self._noise) * (1 / ((_MOVES_TO - _MOVES_FROM) * self._noise))).clip(
            0, 1
        )
        new = _LEAST_NEW + (1 - _LEAST_NEW) * moves
        seen = cv2.blendLinear(bright, near, 1 - moves, moves)
        calm: Levels = cv2.blendLinear(self._before, seen, 1 - new, new)
        self._before, self._before_near = calm, cv2.blur(calm, _NEAR)
        return calm
