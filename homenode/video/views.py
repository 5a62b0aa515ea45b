"""What of a picture a viewer sees: masks for what must never be seen, silhouette, blurred (pure).

A view is made so that what it hides is not in it, whatever the viewer does with it. *Blurred* has 64 x 48
points; *silhouette* is the outline of what moves, at 80 x 60 points, filled evenly, over a room of 40 x 30
points in four tones. In a picture 4 m wide, a face is then 3 points, 4, and 1 to 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from homenode.video.picture import BLACK, NO_COLOUR, Picture, planes

Polygon = Sequence[tuple[float, float]]

BLURRED = (64, 48)
FIGURE, ROOM = (80, 60), (40, 30)
_ROOM_TONES, _ROOM_DARK, _ROOM_LIGHT = 4, 35, 110
_FIGURE_TONE = 220
_ROOM_LEARNT = 1 / 300
"""Of each picture: what stands still for 20 s at 15 pictures a second belongs to the room."""
_MOVES, _MOVES_LEAST = 4.0, 5.0
"""Times the noise, and levels at least, that somebody differs from the room."""
_MIDDLE = 90
"""Brightness is counted from the picture's median, so that a lamp or an exposure is nobody."""


class View(Protocol):
    def __call__(self, picture: Picture) -> Picture: ...


def clear(picture: Picture) -> Picture:
    return picture


def blurred(picture: Picture) -> Picture:
    """Shapes and colours, no features."""
    for plane in planes(picture):
        few = cv2.resize(plane, BLURRED, interpolation=cv2.INTER_AREA)
        plane[:] = cv2.resize(few, plane.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return picture


class Silhouette:
    """Somebody's shape and place, from when they first move; who lies still is part of the room."""

    def __init__(self) -> None:
        self._room: NDArray[Any] | None = None
        self._noise, self._nth = 2.0, 0
        self._near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))

    def __call__(self, picture: Picture) -> Picture:
        luma, *colours = planes(picture)
        few = cv2.resize(luma, FIGURE, interpolation=cv2.INTER_AREA).astype(np.float32)
        few *= _MIDDLE / max(float(np.median(few)), 1)
        figure = self._figure(few)
        luma[:] = cv2.resize(_tones(few), luma.shape[::-1], interpolation=cv2.INTER_LINEAR)
        outline = cv2.resize(figure, luma.shape[::-1], interpolation=cv2.INTER_CUBIC)
        np.copyto(luma, np.uint8(_FIGURE_TONE), where=outline > 0.5)
        for colour in colours:
            colour[:] = NO_COLOUR
        return picture

    def _figure(self, few: NDArray[Any]) -> NDArray[Any]:
        """1 where somebody is."""
        if self._room is None:
            self._room = few.copy()
        self._nth += 1
        change = cv2.GaussianBlur(np.asarray(cv2.absdiff(few, self._room)), (3, 3), 0)
        self._noise += (max(float(np.median(change)), 0.5) - self._noise) * 0.1
        cv2.accumulateWeighted(few, self._room, max(_ROOM_LEARNT, 0.5 / self._nth))
        shape = (change > max(_MOVES * self._noise, _MOVES_LEAST)).astype(np.uint8)
        for kind, times in ((cv2.MORPH_OPEN, 1), (cv2.MORPH_CLOSE, 3)):  # no specks, no holes
            shape = np.asarray(cv2.morphologyEx(shape, kind, self._near, iterations=times), np.uint8)
        return shape.astype(np.float32)


def _tones(few: NDArray[Any]) -> Picture:
    room = cv2.resize(few, ROOM, interpolation=cv2.INTER_AREA)
    low, high = np.percentile(room, (2, 98))
    share = ((room - low) / max(high - low, 8)).clip(0, 0.999)
    tones = np.floor(share * _ROOM_TONES) / (_ROOM_TONES - 1) * (_ROOM_LIGHT - _ROOM_DARK) + _ROOM_DARK
    return np.asarray(tones, np.uint8)


class Masks:
    """Areas that nobody may see."""

    def __init__(self, polygons: Sequence[Polygon], width: int, height: int) -> None:
        self._hidden = tuple(
            _drawn(polygons, wide, high) for wide, high in ((width, height), *[(width // 2, height // 2)] * 2)
        )

    def __call__(self, picture: Picture) -> Picture:
        """Black there."""
        for plane, hidden, level in zip(
            planes(picture), self._hidden, (BLACK, NO_COLOUR, NO_COLOUR), strict=True
        ):
            np.copyto(plane, np.uint8(level), where=hidden)
        return picture


def _drawn(polygons: Sequence[Polygon], width: int, height: int) -> NDArray[np.bool_]:
    """A point that the polygon's edge touches is hidden, too."""
    hidden = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        points = (np.array(polygon, np.float64) * (width, height)).round().astype(np.int32)
        cv2.fillPoly(hidden, [points], 1)
        cv2.polylines(hidden, [points], True, 1, 2)
    return hidden.astype(np.bool_)
