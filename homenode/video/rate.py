"""What the viewer's link carries, by what the viewer says of it (pure).

A browser's estimate (REMB) is at most half as much again as what it receives, and a still room at night takes
a tenth of what the link carries: so an estimate binds only when it falls or packets are lost. While it is
hardly above what is sent, nobody knows that the link carries more.
"""

from __future__ import annotations

from collections import deque

HIGHEST_BPS, LOWEST_BPS = 1_500_000, 100_000
FIRST_BPS = 500_000
REPEATED = 0.2
"""Of what comes through: for packets that were lost."""
_LOSSY, _SMOOTHED = 0.12, 0.1
"""Lost of what is sent, over about ten reports; a poor radio link loses 5 % for reasons of its own."""
_LESS, _LESS_EVERY_MS = 0.7, 400
_FELL, _MORE, _MORE_EVERY_MS = 0.97, 1.05, 250
"""Times the estimate before; times the rate, not for each estimate: with losses come twenty a second."""
_NEAR, _SENT_MS = 1.35, 1000
"""Times what was sent in this time; the estimate of a link with nothing in its way is 1.5 times that."""


class Rate:
    """What to send, in bits a second, and what of that once more."""

    def __init__(self) -> None:
        self._bps = float(FIRST_BPS)
        self._estimate_bps = 0
        self._sent: deque[tuple[int, int]] = deque()
        self._sent_bytes = 0
        self._more_at_ms = 0
        self._lost, self._less_at_ms = 0.0, 0

    @property
    def bps(self) -> int:
        """For new pictures."""
        return int(self._bps * (1 - REPEATED))

    @property
    def again_bps(self) -> int:
        """For packets that were lost."""
        return int(self._bps * REPEATED)

    def sent(self, size: int, at_ms: int) -> None:
        """Bytes of a picture."""
        self._sent.append((at_ms, size))
        self._sent_bytes += size
        while self._sent[0][0] <= at_ms - _SENT_MS:
            self._sent_bytes -= self._sent.popleft()[1]

    def estimated(self, bps: int, at_ms: int) -> None:
        """The viewer's estimate."""
        near = bps < self._sent_bytes * 8000 / _SENT_MS * _NEAR
        if bps < self._estimate_bps * _FELL or self._lost > _LOSSY:
            self._set(min(self._bps, bps))
        elif at_ms >= self._more_at_ms and not near:
            self._more_at_ms = at_ms + _MORE_EVERY_MS
            self._set(self._bps * _MORE)
        self._estimate_bps = bps

    def reported(self, lost: float, at_ms: int) -> None:
        """The viewer's report: lost of what was sent since the last one, 0..1."""
        self._lost += (lost - self._lost) * _SMOOTHED
        if self._lost > _LOSSY and at_ms >= self._less_at_ms:
            self._less_at_ms = at_ms + _LESS_EVERY_MS
            self._set(self._bps * _LESS)

    def _set(self, bps: float) -> None:
        self._bps = max(LOWEST_BPS, min(bps, HIGHEST_BPS))
