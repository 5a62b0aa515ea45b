"""How fast a bundle is loaded: a token bucket (pure)."""

from __future__ import annotations

RATE_B_S = 512 * 1024
"""A bundle of 200 MB takes seven minutes, and a phone's link still carries video beside it."""


class Bucket:
    """Lets through `rate_b_s` bytes a second on average, and one second's worth at once."""

    def __init__(self, rate_b_s: int, now_s: float) -> None:
        self._rate, self._free, self._at_s = rate_b_s, float(rate_b_s), now_s

    def wait_s(self, taken_b: int, now_s: float) -> float:
        """So many bytes were taken now; how long to wait before the next."""
        passed_s, self._at_s = max(0.0, now_s - self._at_s), now_s
        self._free = min(self._free + passed_s * self._rate, float(self._rate)) - taken_b
        return max(0.0, -self._free / self._rate)
