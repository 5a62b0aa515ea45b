"""What of a picture a viewer sees: masks for what must never be seen, silhouette, blurred (pure).

A view is made so that what it hides is not in it, whatever the viewer does with it. *Blurred* has 40 x 30
points; *silhouette* is the outline of what moves, at 80 x 60 points, filled evenly, over a room of 24 x 18
points in six tones. Few points alone don't hide a face: eyes and mouth are dark for the points between them.
So in both what is smaller than 3 x 3 points is gone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from homenode.video.picture import BLACK, NO_COLOUR, Picture, planes

Polygon = Sequence[tuple[float, float]]
Levels = NDArray[Any]
"""Brightness with fractions (float32)."""
Shape = NDArray[np.uint8]
"""1 where it is, 0 elsewhere."""

BLURRED = (40, 30)
FIGURE, ROOM = (80, 60), (24, 18)
_ROOM_TONES, _ROOM_DARK, _ROOM_LIGHT = 6, 35, 125
_FEATURE = np.ones((3, 3), np.uint8)
"""What is smaller, in points, isn't shown; so are eyes and mouth, even if a head fills half the height."""
_FIGURE_TONE = 230
_NOW_S, _ROOM_S = 0.12, 20.0
"""Of the time over which points are averaged: what is seen, and what stands still for so long is the room."""
_STILL_S = 2.5
"""Of what lies still: long enough for tones that don't flicker."""
_MOVES, _MOVES_AT_ONCE, _MOVES_LEAST = 4.0, 7.0, 5.0
"""Times the noise, and levels at least, that somebody differs from the room, or from a moment ago."""
_EDGE = 0.18
"""Share of its difference from the room that a part's rim gains. Measured: a lamp's, 95 % below 0.16;
people's, 95 % above 0.18 to 0.3, but often less at a fifth of the scene's contrast: they are missed."""
_MOVED_S = 0.25
"""Longer than a network camera's whole picture differs from those before it."""
_BEGINNING_MS, _SETTLED_S = 700, 1.5
_MIDDLE = 90
"""Level of the first picture's median."""


def blurred(picture: Picture, at_ms: int = 0) -> Picture:
    """Shapes and colours, no features."""
    for plane in planes(picture):
        few = _without_features(cv2.resize(plane, BLURRED, interpolation=cv2.INTER_AREA))
        plane[:] = cv2.resize(few, plane.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return picture


def _without_features(few: Levels) -> Levels:
    """Nothing dark, then nothing light, that is smaller than `_FEATURE`."""
    closed = cv2.morphologyEx(few, cv2.MORPH_CLOSE, _FEATURE)
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, _FEATURE))


class Silhouette:
    """Somebody's shape and place once they move; of who lies still, the outline in tones.

    It needs no other enhancement: a point is the mean of 64 of the camera's. Breath it can't show: what a
    camera's encoder, exposure or lamp does to a picture of an empty bed has the same size and pace.

    Attributes:
        stirred_ms: When anything last moved; None: not since it looks.
    """

    def __init__(self) -> None:
        self._at_ms: int | None = None
        self._near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
        self._moved_s = 0.0
        self.stirred_ms: int | None = None

    def __call__(self, picture: Picture, at_ms: int) -> Picture:
        """Of the camera's picture of that instant, in whose place it stands."""
        luma, *colours = planes(picture)
        few = cv2.resize(luma, FIGURE, interpolation=cv2.INTER_AREA).astype(np.float32)
        few = np.sqrt(np.maximum(few - BLACK, 0) + 1)  # as much noise where it is bright as where it is dark
        few *= _MIDDLE / float(np.median(few)) if self._at_ms is None else self._gain(few)
        tones, figure = self._seen(few, at_ms)
        luma[:] = cv2.resize(tones, luma.shape[::-1], interpolation=cv2.INTER_LINEAR)
        outline = cv2.resize(figure * 255, luma.shape[::-1], interpolation=cv2.INTER_LINEAR)
        np.copyto(luma, np.uint8(_FIGURE_TONE), where=np.asarray(outline) > 127)
        for colour in colours:
            colour[:] = NO_COLOUR
        return picture

    def _gain(self, few: Levels) -> float:
        """By the middle of how each point differs from the room: neither lamp nor exposure is somebody."""
        return 1 / float(np.median(few / self._room))

    def _seen(self, few: Levels, at_ms: int) -> tuple[Picture, Shape]:
        if self._at_ms is None:
            self._at_ms = at_ms
            self._now, self._room, self._was = (few.copy() for _ in range(3))
            self._begun_ms = at_ms
            self._gone_s = np.full_like(few, _SETTLED_S)
        passed_s = min((at_ms - self._at_ms) / 1000, 0.5)
        self._at_ms = at_ms

        def follow(what: Levels, new: Levels, over_s: float) -> None:
            """Soon at the beginning, when there is nothing yet to remember."""
            if at_ms - self._begun_ms < _BEGINNING_MS:
                over_s = min(over_s, (at_ms - self._begun_ms) / 1000 + 0.1)
            cv2.accumulateWeighted(new, what, 1 - math.exp(-passed_s / over_s))

        moves = self._found(few - self._now, _MOVES_AT_ONCE).any()
        self._moved_s = self._moved_s + passed_s if moves else 0.0
        if self._moved_s >= _MOVED_S:
            self.stirred_ms = at_ms
        follow(self._now, few, _NOW_S)
        figure = self._without_ghosts(self._found(self._now - self._room, _MOVES))
        follow(self._room, self._now, _ROOM_S)
        follow(self._was, self._now, _STILL_S)
        self._gone_s += passed_s
        self._gone_s[cv2.dilate(figure, self._near) > 0] = 0
        np.copyto(self._was, self._now, where=self._gone_s < _SETTLED_S)  # whoever moves away leaves no trace
        return _tones(self._was), figure

    def _found(self, change: Levels, times: float) -> Shape:
        """Where a change is so many times as strong as most of it: no specks."""
        size = np.abs(cv2.GaussianBlur(change, (3, 3), 0))
        shape = (size > max(times * float(np.median(size)), _MOVES_LEAST)).astype(np.uint8)
        return np.asarray(cv2.morphologyEx(shape, cv2.MORPH_OPEN, self._near), np.uint8)

    def _without_ghosts(self, figure: Shape) -> Shape:
        """Who was there from the beginning leaves a hole in the room: its edges are there, and not now.

        Light has none.
        """
        count, parts = cv2.connectedComponents(figure)
        size = np.abs(self._now - self._room)
        edges = [cv2.morphologyEx(one, cv2.MORPH_GRADIENT, self._near) for one in (self._now, self._room)]
        for part in range(1, count):
            shape = (parts == part).astype(np.uint8)
            rim = cv2.morphologyEx(shape, cv2.MORPH_GRADIENT, self._near).astype(np.bool_)
            now, before = (float(one[rim].mean()) for one in edges)
            if now < before:
                np.copyto(self._room, self._now, where=cv2.dilate(shape, self._near).astype(np.bool_))
            if now - before < _EDGE * size[shape > 0].mean():
                figure = figure - shape
        return np.asarray(cv2.morphologyEx(figure, cv2.MORPH_CLOSE, self._near, iterations=3), np.uint8)


def _tones(few: Levels) -> Picture:
    room = _without_features(cv2.resize(few, ROOM, interpolation=cv2.INTER_AREA))
    low, high = np.percentile(room, (2, 98))
    share = ((room - low) / max(high - low, 4)).clip(0, 0.999)
    tones = np.floor(share * _ROOM_TONES) / (_ROOM_TONES - 1) * (_ROOM_LIGHT - _ROOM_DARK) + _ROOM_DARK
    return np.asarray(cv2.resize(tones.astype(np.uint8), FIGURE, interpolation=cv2.INTER_LINEAR), np.uint8)


class Masks:
    """Areas that nobody may see."""

    def __init__(self, polygons: Sequence[Polygon], width: int, height: int) -> None:
        self._hidden = tuple(
            _drawn(polygons, wide, high) for wide, high in ((width, height), *[(width // 2, height // 2)] * 2)
        )

    def __call__(self, picture: Picture, at_ms: int = 0) -> Picture:
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
