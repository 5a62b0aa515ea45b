"""What the capture process reads of time: its own clock, for it knows nothing of the gateway's."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo


def now_ms() -> int:
    """CLOCK_BOOTTIME, in which the gateway says how long a session may last."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def on_the_wall(zone: ZoneInfo | None) -> str:
    """Such as ``03:12:45``; UTC without a zone."""
    return datetime.fromtimestamp(time.clock_gettime(time.CLOCK_REALTIME), zone or ZoneInfo("UTC")).strftime(
        "%H:%M:%S"
    )
