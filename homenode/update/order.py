"""What the operator ordered (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from homenode.contract.times import wall_ms
from homenode.update import versions

LARGEST_B = 1 << 30
"""No bundle is so large: an image is some 250 MB."""

_WINDOW = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$")


class Window(NamedTuple):
    """From and to in minutes of the local day; over midnight if the second is the lower one."""

    start: int
    end: int

    def is_open(self, minute: int) -> bool:
        """Whether `minute` of the day lies in it."""
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@dataclass(frozen=True, slots=True)
class Order:
    """One order; the newest takes the place of those before it.

    Attributes:
        id: Of the command that gave it.
        home: Which home it is for, and `timezone` of its day.
        clock_trusted: home.yaml says that the clock is right, whatever the kernel thinks.
        cancel: No order, but the end of the one before.
        size: Bytes; 0 if not told.
        not_before_ms: Wall time; 0: at once.
        exception: A JWS of the operator that allows an older version; "" if none.
    """

    id: str
    home: str
    at_ms: int
    by: str = ""
    timezone: str = "UTC"
    clock_trusted: bool = False
    cancel: bool = False
    version: str = ""
    url: str = ""
    sha256: str = ""
    size: int = 0
    window: Window | None = None
    not_before_ms: int = 0
    exception: str = ""

    def record(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self) | {"window": list(self.window) if self.window else None}


def order_of(record: Mapping[str, Any]) -> Order:
    """What `Order.record` gave, or a command's arguments with id, home and at_ms.

    Raises:
        ValueError: What is wrong with it, in words.
    """
    try:
        known = {name: record[name] for name in Order.__dataclass_fields__ if name in record}
        window = known.get("window")
        if isinstance(window, str):
            window = window_of(window)
        elif window is not None:
            window = Window(*map(int, window))
        if "not_before" in record:
            known["not_before_ms"] = _time_of(record["not_before"])
        order = Order(**{**known, "window": window})
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no order: {error}") from error
    if order.cancel:
        return order
    versions.key(order.version)
    if not re.fullmatch(r"https://[!-.0-~]+/[!-~]*", order.url):
        raise ValueError("url must begin with https://, a host and a path")
    _checked(order.url)
    if not re.fullmatch(r"[0-9a-f]{64}", order.sha256):
        raise ValueError("sha256 must be 64 hexadecimal digits in lower case")
    if not isinstance(order.size, int) or not 0 <= order.size <= LARGEST_B:
        raise ValueError(f"size must be bytes, at most {LARGEST_B}")
    return order


def _time_of(text: str) -> int:
    try:
        return wall_ms(text)
    except (ValueError, OverflowError) as error:
        raise ValueError("not_before must be a time such as 2026-12-01T01:00:00+01:00") from error


def _checked(url: str) -> None:
    """What no connection can be made to would end the process that loads, each time. Raises ValueError."""
    try:
        parts = urlsplit(url)
        if not (parts.hostname or "").encode("idna") or parts.port == 0:
            raise ValueError("it needs a host, and no port 0")
    except ValueError as error:
        raise ValueError(f"url {url[:80]}: {error}") from error


def window_of(text: str) -> Window:
    """``HH:MM-HH:MM``. Raises ValueError."""
    found = _WINDOW.match(text)
    if found is None:
        raise ValueError("window must be HH:MM-HH:MM, such as 02:00-04:30")
    first, second, third, fourth = map(int, found.groups())
    window = Window(first * 60 + second, third * 60 + fourth)
    if window.start == window.end:
        raise ValueError("window must have two different times")
    return window
