"""How often something failed lately, by who tried (pure)."""

from __future__ import annotations

MINUTES_MS = 5 * 60_000


class Tries:
    """How often something failed lately, by who tried."""

    def __init__(self, most: int, over_ms: int = MINUTES_MS) -> None:
        self._most, self._over_ms = most, over_ms
        self._failed: dict[str, list[int]] = {}

    def blocked(self, key: str, now: int) -> bool:
        """Whether one must wait."""
        recent = [at for at in self._failed.get(key, ()) if at > now - self._over_ms]
        if recent:
            self._failed[key] = recent
        else:
            self._failed.pop(key, None)
        return len(recent) >= self._most

    def failed(self, key: str, now: int) -> None:
        """Once more."""
        self._failed.setdefault(key, []).append(now)
        del self._failed[key][: -self._most]
        while len(self._failed) > 10_000:
            del self._failed[next(iter(self._failed))]

    def good(self, key: str) -> None:
        """It was them after all."""
        self._failed.pop(key, None)
