"""What a viewer lacks: sent again while that may still help, else a whole picture is made (pure).

A browser asks for a lost packet ten times a second for as long as it lacks it, and for a whole picture only
when it has shown nothing for 3 s (libwebrtc). So it is the sender who gives a picture up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_GIVEN_UP_MS = 500
"""After this a picture that still lacks something is worth no repeat."""
_WHOLE_EVERY_MS = 700
"""One may fill the link for half a second (`encoder`); more at a time only make each other late."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A packet that the viewer lacks.

    Attributes:
        before_ms: How long before the newest picture sent its own was made.
        size: In bytes.
    """

    number: int
    before_ms: int
    size: int


class Repeats:
    """Of one look."""

    def __init__(self) -> None:
        self._bytes, self._at_ms = 0.0, 0
        self._not_before_ms: dict[int, int] = {}
        self._made_ms = self._whole_made_ms = self._whole_at_ms = 0

    def sent(self, made_ms: int, at_ms: int, *, whole: bool) -> None:
        """A picture is on its way; a whole one can be read without those before it."""
        self._made_ms = made_ms
        if whole:
            self._whole_made_ms, self._whole_at_ms = made_ms, at_ms
            self._not_before_ms.clear()

    def whole(self, at_ms: int) -> bool:
        """Whether to make a whole picture now that one is wanted: not while the last may be on its way."""
        if at_ms < self._whole_at_ms + _WHOLE_EVERY_MS:
            return False
        self._whole_at_ms = at_ms
        return True

    def of(self, lost: Iterable[Lost], at_ms: int, rtt_ms: float, bytes_s: float) -> tuple[list[int], bool]:
        """Those to be sent again now, and whether a whole picture is wanted instead of others.

        Args:
            rtt_ms: To the viewer and back: what was sent again less long ago may be on its way.
            bytes_s: What repeats may take: on a full link each costs a new one its place.
        """
        self._bytes = min(self._bytes + (at_ms - self._at_ms) / 1000 * bytes_s, bytes_s)
        self._at_ms = at_ms
        again, given_up = [], False
        for one in lost:
            made_ms = self._made_ms - one.before_ms
            if made_ms < self._whole_made_ms:
                continue
            if made_ms < at_ms - _GIVEN_UP_MS:
                given_up = True
            elif one.size <= self._bytes and at_ms >= self._not_before_ms.get(one.number, 0):
                self._bytes -= one.size
                self._not_before_ms[one.number] = at_ms + min(int(rtt_ms), _GIVEN_UP_MS)
                again.append(one.number)
        return again, given_up
