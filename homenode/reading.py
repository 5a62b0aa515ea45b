"""A reading: what a point said, when, and how it was heard."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

Value = bool | int | float | None
"""None means that the device says fault."""

Instant = int
"""Whole milliseconds since 1970-01-01T00:00Z on the node's steady clock (no NTP step moves it)."""


class How(Enum):
    """How a reading was heard."""

    LIVE = "live"
    RESTORED = "restored"
    HISTORICAL = "historical"


class Quality(Enum):
    """Whether a point's last value may be believed."""

    GOOD = "good"
    STALE = "stale"
    UNKNOWN = "unknown"


class Reading(NamedTuple):
    """A point's value with the time it was heard.

    Attributes:
        point: ``DEVICE.KIND``.
        value: In the unit of the kind (`homenode.kinds`); None if the device says fault.
        at: Instant it was heard.
        how: Live, restored after a restart, or historical (older than the newest known).
    """

    point: str
    value: Value
    at: Instant
    how: How = How.LIVE
