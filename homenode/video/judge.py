"""Whether what a camera sends is what it sees (pure)."""

from __future__ import annotations

import zlib
from collections import deque

import numpy as np

from homenode.video.picture import Picture, planes

BLACK_BELOW, BLACK_SPREAD = 22, 2.0
"""Of brightness; black is 16. A sensor in the dark has more noise than this at any useful gain."""
LASTS_MS = 2000
"""How long a picture has to be wrong before anybody is told."""
FROZEN_MS = 5000
"""Longer: what a camera encodes of a still room may be equal until its next whole picture, each 2 to 4 s."""
_BLOCK = 8
_NOISE_SPREAD, _NOISE_LIKE = 40.0, 0.25
"""Points that differ so much from their neighbours, in blocks that are so little like theirs: no room."""


class Judge:
    """Is shown the pictures as they came, before anything is done to them."""

    def __init__(self) -> None:
        self._same = (0, 0)  # checksum, since
        self._wrong: tuple[str, int] = ("", 0)
        self._read: deque[tuple[int, bool]] = deque()

    def unreadable(self, at_ms: int) -> str | None:
        """A picture came that no decoder can read."""
        return self._of(at_ms, "garbage" if self._mostly_unreadable(at_ms, read=False) else "")

    def seen(self, picture: Picture, at_ms: int) -> str | None:
        """What is wrong now, if it lasts; a code of `words`."""
        unreadable = self._mostly_unreadable(at_ms, read=True)
        luma = planes(picture)[0]
        checksum = zlib.crc32(luma[:, ::4].tobytes())
        if checksum != self._same[0]:
            self._same = (checksum, at_ms)
        if _black(luma):
            return self._of(at_ms, "black")
        if at_ms - self._same[1] >= FROZEN_MS:
            return "frozen"
        return self._of(at_ms, "garbage" if unreadable or _noise(luma) else "")

    def _mostly_unreadable(self, at_ms: int, *, read: bool) -> bool:
        self._read.append((at_ms, read))
        while self._read[0][0] < at_ms - LASTS_MS:
            self._read.popleft()
        return sum(read for _, read in self._read) * 2 < len(self._read)

    def _of(self, at_ms: int, code: str) -> str | None:
        if code != self._wrong[0]:
            self._wrong = (code, at_ms)
        return code if code and at_ms - self._wrong[1] >= LASTS_MS else None


def _black(luma: Picture) -> bool:
    points = luma[::8, ::8]
    return bool(points.mean() < BLACK_BELOW and points.std() < BLACK_SPREAD)


def _noise(luma: Picture) -> bool:
    """A dark room is noisy, too, but its blocks are like those beside them."""
    points = luma[: luma.shape[0] // _BLOCK * _BLOCK : 2, : luma.shape[1] // _BLOCK * _BLOCK]
    rows = points[::4].astype(np.float32)
    if np.abs(np.diff(rows, axis=1)).mean() < _NOISE_SPREAD:
        return False
    blocks = rows.reshape(rows.shape[0], -1, _BLOCK).mean(axis=2)
    left, right = blocks[:, :-1].ravel(), blocks[:, 1:].ravel()
    if left.std() < 1e-3 or right.std() < 1e-3:
        return True
    return bool(np.corrcoef(left, right)[0, 1] < _NOISE_LIKE)
