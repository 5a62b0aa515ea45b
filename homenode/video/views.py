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
_FORGOTTEN_S = 20
"""How long whoever lies down still is shown; breathing renews it if the picture lets it be seen."""
_ROOM_LEARNT = 1 / 300
"""Of each picture: what stands still for 20 s at 15 pictures a second belongs to the room."""
_MOVES = 4.0
"""Times the noise."""


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
    """Somebody's shape and place, as far as they move; the room in a few tones."""

    def __init__(self, rate: int = 15) -> None:
        self._room: NDArray[Any] | None = None
        self._moved = np.zeros(FIGURE[::-1], np.float32)
        self._noise = 2.0
        self._fades = 1 / (_FORGOTTEN_S * rate)
        self._near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))

    def __call__(self, picture: Picture) -> Picture:
        luma, *colours = planes(picture)
        few = cv2.resize(luma, FIGURE, interpolation=cv2.INTER_AREA).astype(np.float32)
        figure = self._figure(few)
        luma[:] = _tones(few, luma.shape)
        outline = cv2.resize(figure, luma.shape[::-1], interpolation=cv2.INTER_CUBIC)
        luma[outline > 0.5] = _FIGURE_TONE
        for colour in colours:
            colour[:] = NO_COLOUR
        return picture

    def _figure(self, few: NDArray[Any]) -> NDArray[Any]:
        """1 where somebody is."""
        if self._room is None:
            self._room = few.copy()
        change: NDArray[Any] = cv2.absdiff(few, self._room)
        self._noise += (max(float(np.median(change)) / 0.6745, 0.5) - self._noise) * 0.05
        cv2.accumulateWeighted(few, self._room, _ROOM_LEARNT)
        moves = cv2.GaussianBlur(change, (3, 3), 0) > _MOVES * self._noise
        self._moved = np.maximum(self._moved - self._fades, 0)
        self._moved[moves] = 1
        shape = (self._moved > 0).astype(np.uint8)
        for kind in (cv2.MORPH_OPEN, cv2.MORPH_CLOSE):  # no specks, no holes
            shape = np.asarray(cv2.morphologyEx(shape, kind, self._near), np.uint8)
        return shape.astype(np.float32)


def _tones(few: NDArray[Any], shape: tuple[int, ...]) -> Picture:
    room = cv2.resize(few, ROOM, interpolation=cv2.INTER_AREA)
    low, high = np.percentile(room, (2, 98))
    share = ((room - low) / max(high - low, 8)).clip(0, 0.999)
    tones = np.floor(share * _ROOM_TONES) / (_ROOM_TONES - 1) * (_ROOM_LIGHT - _ROOM_DARK) + _ROOM_DARK
    return np.asarray(
        cv2.resize(tones.astype(np.uint8), shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8
    )


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
        points = np.array(polygon, np.float64) * (width - 1, height - 1)
        cv2.fillPoly(hidden, [points.round().astype(np.int32)], 1)
        cv2.polylines(hidden, [points.round().astype(np.int32)], True, 1, 2)
    return hidden.astype(np.bool_)
