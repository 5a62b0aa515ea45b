"""What of a picture a viewer sees: masks for what must never be seen, silhouette, blurred (pure).

A view is made so that what it hides is not in it, whatever the viewer does with it. *Blurred* has 40 x 30
points; *silhouette* is the outline of what moves, at 80 x 60 points, filled evenly, over a room of 24 x 18
points in six tones: a face of a quarter of the picture's height is then 4 points by 5.
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
_FIGURE_TONE, _STIR_TONE, _STIR_SWING = 230, 165, 25
_NOW_S, _ROOM_S = 0.12, 20.0
"""Of the time over which points are averaged: what is seen, and what stands still for so long is the room."""
_WAVE_S, _WAS_S, _POWER_S = 0.4, 2.5, 4.0
"""What comes and goes in 2 to 15 s is told from what is faster, and from the room. Breath: 3 to 5 s."""
_MOVES, _MOVES_AT_ONCE, _MOVES_LEAST = 4.0, 7.0, 5.0
"""Times the noise, and levels at least, that somebody differs from the room, or from a moment ago."""
_STIRS, _STIR_AROUND, _STIR_AFTER_MS = 1.7, (5, 5), 5000
_HISS_LEAST, _SHARE_OF_NOISE = 0.05, 0.045
"""White noise has this share of its power within 2 to 15 s: measured at 5 to 120 photons, 0.043 to 0.046."""
_BEGINNING_MS, _SETTLED_S = 700, 1.5
_MIDDLE = 90
"""Level of the first picture's median."""


def blurred(picture: Picture, at_ms: int = 0) -> Picture:
    """Shapes and colours, no features."""
    for plane in planes(picture):
        few = cv2.resize(plane, BLURRED, interpolation=cv2.INTER_AREA)
        plane[:] = cv2.resize(few, plane.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return picture


class Silhouette:
    """Somebody's shape and place once they move; of who lies still, the outline in tones, and each stir.

    It needs no other enhancement: a point is the mean of 64 of the camera's.

    Attributes:
        stirred_ms: When anything last moved; None: not since it looks.
    """

    def __init__(self) -> None:
        self._at_ms: int | None = None
        self._near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
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
            self._now, self._room, self._was, self._wave = (few.copy() for _ in range(4))
            self._power, self._hiss, self._begun_ms = np.zeros_like(few), np.ones_like(few), at_ms
            self._gone_s = np.full_like(few, _SETTLED_S)
        passed_s = min((at_ms - self._at_ms) / 1000, 0.5)
        self._at_ms = at_ms

        def follow(what: Levels, new: Levels, over_s: float) -> None:
            """Soon at the beginning, when there is nothing yet to remember."""
            if at_ms - self._begun_ms < _BEGINNING_MS:
                over_s = min(over_s, (at_ms - self._begun_ms) / 1000 + 0.1)
            cv2.accumulateWeighted(new, what, 1 - math.exp(-passed_s / over_s))

        hiss = np.asarray(cv2.subtract(few, self._now))
        moves = bool(self._found(hiss, _MOVES_AT_ONCE).any())
        follow(self._hiss, hiss * hiss, _POWER_S)
        follow(self._now, few, _NOW_S)
        figure = self._without_ghosts(self._found(self._now - self._room, _MOVES))
        follow(self._room, self._now, _ROOM_S)
        follow(self._wave, few, _WAVE_S)
        follow(self._was, self._now, _WAS_S)
        self._gone_s += passed_s
        self._gone_s[cv2.dilate(figure, self._near) > 0] = 0
        around = self._gone_s < _SETTLED_S
        for remembered in (self._was, self._wave):  # whoever moves away leaves no trace
            np.copyto(remembered, self._now, where=around)
        wave = np.asarray(cv2.subtract(self._wave, self._was))
        follow(self._power, wave * wave, _POWER_S)
        np.copyto(self._power, np.float32(0), where=around)
        tones = _tones(self._was)
        if at_ms - self._begun_ms >= _STIR_AFTER_MS:
            stirs, pulse = self._stirs(wave)
            np.copyto(tones, pulse, where=stirs.astype(np.bool_))
            moves = moves or bool(stirs.any())
        if moves:
            self.stirred_ms = at_ms
        return tones, figure

    def _found(self, change: Levels, times: float) -> Shape:
        """Where a change is so many times as strong as most of it: no specks."""
        size = np.abs(cv2.GaussianBlur(change, (3, 3), 0))
        shape = (size > max(times * float(np.median(size)), _MOVES_LEAST)).astype(np.uint8)
        return np.asarray(cv2.morphologyEx(shape, cv2.MORPH_OPEN, self._near), np.uint8)

    def _without_ghosts(self, figure: Shape) -> Shape:
        """Who was there from the beginning leaves a hole in the room: its edges are there, and not now."""
        count, parts = cv2.connectedComponents(figure)
        edges = [cv2.morphologyEx(one, cv2.MORPH_GRADIENT, self._near) for one in (self._now, self._room)]
        for part in range(1, count):
            shape = (parts == part).astype(np.uint8)
            rim = cv2.morphologyEx(shape, cv2.MORPH_GRADIENT, self._near).astype(np.bool_)
            now, before = (one[rim] for one in edges)
            more = now - before
            if -more[more < 0].sum() > more[more > 0].sum():
                np.copyto(self._room, self._now, where=cv2.dilate(shape, self._near).astype(np.bool_))
                figure = figure - shape
        return np.asarray(cv2.morphologyEx(figure, cv2.MORPH_CLOSE, self._near, iterations=3), np.uint8)

    def _stirs(self, wave: Levels) -> tuple[Shape, Picture]:
        """Where something moves to and fro for seconds, as a blanket over who breathes does; how it goes.

        Noise is as strong there, each tenth of a second, as anywhere; what stirs is stronger than its share.
        """
        power, hiss, wave = (
            np.asarray(cv2.blur(one, _STIR_AROUND)) for one in (self._power, self._hiss, wave)
        )
        share = power / (hiss + _HISS_LEAST)
        found = (share > _STIRS * max(float(np.median(share)), _SHARE_OF_NOISE)).astype(np.uint8)
        pulse = (wave / np.sqrt(power + 1e-3)).clip(-1.5, 1.5) * _STIR_SWING + _STIR_TONE
        return np.asarray(cv2.morphologyEx(found, cv2.MORPH_OPEN, self._near), np.uint8), pulse.astype(
            np.uint8
        )


def _tones(few: Levels) -> Picture:
    room = cv2.resize(few, ROOM, interpolation=cv2.INTER_AREA)
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
