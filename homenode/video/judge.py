"""Whether what a camera sends is what it sees (pure)."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


_EQUAL = 0.12
"""Levels by which the blocks of two pictures differ on average, both encoded of one frozen one: 0.08 to
0.10 at 300 kbit/s and more. Of a live still room with half a level of noise, 0.14. At 100 kbit/s
nobody can tell."""


class Judge:
    """Is shown the pictures as they came, before anything is done to them.

    Args:
        predicted: They come from an encoder that makes one of another, so equal ones differ a little.
    """

    def __init__(self, *, predicted: bool) -> None:
        self._predicted = predicted
        self._same: tuple[NDArray[Any] | None, int] = (None, 0)  # since when
        self._wrong: tuple[str, int] = ("", 0)
        self._read: deque[tuple[int, bool]] = deque()

    def unreadable(self, at_ms: int) -> str | None:
        """A picture came that no decoder can read."""
        return self._of(at_ms, "garbage" if self._mostly_unreadable(at_ms, read=False) else "")

    def seen(self, picture: Picture, at_ms: int) -> str | None:
        """What is wrong now, if it lasts; a code of `words`."""
        unreadable = self._mostly_unreadable(at_ms, read=True)
        luma = planes(picture)[0]
        before, shown = self._same[0], _blocks(luma) if self._predicted else luma[:, ::4].copy()
        if before is None or not self._equal(before, shown):
            self._same = (shown, at_ms)
        if _black(luma):
            return self._of(at_ms, "black")
        if at_ms - self._same[1] >= FROZEN_MS:
            return "frozen"
        return self._of(at_ms, "garbage" if unreadable or _noise(luma) else "")

    def _equal(self, one: NDArray[Any], other: NDArray[Any]) -> bool:
        if self._predicted:
            return bool(np.abs(one - other).mean() < _EQUAL)
        return np.array_equal(one, other)

    def _mostly_unreadable(self, at_ms: int, *, read: bool) -> bool:
        self._read.append((at_ms, read))
        while self._read[0][0] < at_ms - LASTS_MS:
            self._read.popleft()
        return sum(read for _, read in self._read) * 2 < len(self._read)

    def _of(self, at_ms: int, code: str) -> str | None:
        if code != self._wrong[0]:
            self._wrong = (code, at_ms)
        return code if code and at_ms - self._wrong[1] >= LASTS_MS else None


def _blocks(luma: Picture) -> NDArray[Any]:
    """Their means."""
    rows, columns = (side // _BLOCK for side in luma.shape)
    whole = luma[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return np.asarray(whole.mean(axis=(1, 3), dtype=np.float32))


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
