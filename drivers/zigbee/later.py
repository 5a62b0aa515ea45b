"""What is to happen in so many seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

Key = tuple[str, str]
"""Whose it is, and what."""


class Later:
    """One thing for each key: what was to happen before doesn't."""

    def __init__(self) -> None:
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._stopped = False

    def __call__(self, key: Key, after_s: float, call: Callable[[], Any]) -> None:
        """Call it then."""
        if key in self._timers:
            self._timers[key].cancel()
        if not self._stopped:
            self._timers[key] = asyncio.get_running_loop().call_later(after_s, call)

    def cancel(self, whose: str) -> None:
        """All that is of one."""
        for key in [key for key in self._timers if key[0] == whose]:
            self._timers.pop(key).cancel()

    def stop(self) -> None:
        """All of it, and begin nothing more."""
        self._stopped = True
        for timer in self._timers.values():
            timer.cancel()
