"""Seeing more in the dark, from one picture to the next (pure but for what it remembers of the last).

Brightened first: a root makes the noise of few photons equally strong at any brightness. Then averaged over
time where nothing moves; where something does, over its neighbours, so nobody leaves a ghost. What noise is
left goes where nothing else is (Wiener's filter). Contrast last, found in half the size, where noise is less.
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
_LEAST_NEW = 0.06
"""Of the new picture where nothing moves: averages over 1 / 0.06 pictures, a second."""
_MOVES_FROM, _MOVES_TO = 2.2, 4.5
"""Times the noise of a neighbourhood that a change must have to be one, and to be one for sure."""
_NEAR, _AROUND = (5, 5), (7, 7)
_TOUCHING = np.ones((3, 3), np.uint8)
_NOISE_MOST = 1.5
"""Times the median of how neighbourhoods differ: most of a room is smooth, and so most differ by noise."""
_CONTRAST, _TILES = 2.0, (8, 8)


class Enhancement:
    """Give it each picture of a camera in order.

    Args:
        contrast: Whether each part of the picture gets contrast of its own.
    """

    def __init__(self, *, contrast: bool = True) -> None:
        self._curve: tuple[float, float, float] | None = None  # black, white, gamma
        self._before: Levels | None = None
        self._noise, self._nth = 4.0, 0
        self._contrast = cv2.createCLAHE(_CONTRAST, _TILES) if contrast else None

    def of(self, picture: Picture, at_ms: int = 0) -> Picture:
        """As it is if there is light; else brighter, with less noise, and without colour, which is none."""
        luma, *colours = planes(picture)
        points = luma[::4, ::4]
        if points.mean() >= DARK_BELOW:
            self._before, self._nth = None, 0
            return picture
        self._settle(points)
        self._nth += 1
        clean = _cleaned(self._calmed(cv2.LUT(luma, self._table())))
        if self._contrast is not None:
            clean = self._contrasted(clean)
        luma[:] = cv2.convertScaleAbs(clean)
        for colour in colours:
            colour[:] = NO_COLOUR
        return picture

    def _settle(self, points: Picture) -> None:
        low, high = (float(level) for level in np.percentile(points, (1, 99.5)))
        low = max(low, BLACK)
        high = max(high, low + 10)
        middle = min(max((float(points.mean()) - low) / (high - low), 0.02), 0.9)
        gamma = min(max(math.log(middle) / math.log(_TARGET), 1.0), _GAMMA_MOST)
        was = self._curve or (low, high, gamma)
        low, high, gamma = (a + (b - a) * _SLOWLY for a, b in zip(was, (low, high, gamma), strict=True))
        self._curve = (low, high, gamma)

    def _table(self) -> Levels:
        assert self._curve is not None
        low, high, gamma = self._curve
        share = ((np.arange(256) - low) / (high - low)).clip(0, 1.15)
        return (16 + 200 * share ** (1 / gamma)).clip(0, 255).astype(np.float32)

    def _calmed(self, bright: Levels) -> Levels:
        """What moves is found in half the resolution, where there is half the noise."""
        before = self._before
        if before is None or before.shape != bright.shape:
            self._before = bright
            return bright
        rows, columns = bright.shape
        change = cv2.resize(bright - before, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
        change = np.abs(cv2.blur(change, _NEAR))
        spread = float(np.median(change[::4, ::4])) / 0.6745  # of a normal distribution
        self._noise += (max(spread, 0.2) - self._noise) * _SLOWLY
        scale = 1 / ((_MOVES_TO - _MOVES_FROM) * self._noise)
        moves = np.asarray(cv2.blur(cv2.dilate(change, _TOUCHING), _AROUND))
        moves = (moves * scale - _MOVES_FROM * self._noise * scale).clip(0, 1)
        moves = np.asarray(cv2.resize(moves, (columns, rows), interpolation=cv2.INTER_LINEAR))
        still = 1 - moves
        seen = cv2.blendLinear(bright, cv2.blur(bright, _NEAR), still, moves)
        old = still * (1 - max(_LEAST_NEW, 1 / self._nth))
        calm: Levels = np.asarray(cv2.blendLinear(before, seen, old, 1 - old))
        self._before = calm
        return calm

    def _contrasted(self, clean: Levels) -> Levels:
        rows, columns = clean.shape
        half = cv2.convertScaleAbs(cv2.resize(clean, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA))
        assert self._contrast is not None
        more = cv2.divide(self._contrast.apply(half), half, dtype=cv2.CV_32F)
        return np.asarray(cv2.multiply(clean, cv2.resize(more, (columns, rows))))


def _cleaned(calm: Levels) -> Levels:
    """Each point as near to the mean around it as its neighbourhood differs no more than noise does."""
    mean = np.asarray(cv2.blur(calm, _NEAR))
    spread = np.asarray(cv2.sqrBoxFilter(calm, cv2.CV_32F, _NEAR)) - mean * mean
    noise = _NOISE_MOST * float(np.median(spread[::8, ::8]))
    return np.asarray(calm - (calm - mean) * (noise / np.maximum(spread, max(noise, 0.1))))
