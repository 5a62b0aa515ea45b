"""What to try, in which order, when a stick was lost; and whether one that answers also hears (pure).

A lost stick is first reset, which opening its port does. If that was not enough its USB socket is switched
off and on, and then the other usual speeds of the line are tried. All of it is over within a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from drivers.zigbee.usb import Socket

POWER_AFTER = 2
"""Losses in a row, or starts that failed, before the power of the stick is switched off and on."""
POWER_AGAIN_S, POWER_AGAIN_MOST_S = 60.0, 3600.0
"""Then not again for so long, twice as long each time: it helps at once or not at all."""
STEADY_S = 60.0
"""A network that ran for so long was well: what comes after is another loss."""
SPEEDS = (115200, 460800, 57600, 38400)
"""Usual speeds of sticks: EFR32 and CC2652; newer ones; older and soldered ones; ConBee."""

QUIET_S = 10.0
"""Routers tell their links every 15 s and sleepers poll more often: after so long without a frame on the air
a device that is awake is asked."""
ASK_AGAIN_S = 20.0
LEARNT_FROM = 10
"""Signs of life before their longest distance is believed, where no device can be asked."""
LEARNT_LEAST_S, LEARNT_TIMES = 20.0, 3.0
RESTED_S = 3600.0
"""A stick that hears nothing though all was tried is left alone for so long: perhaps the fuse is out."""


@dataclass(slots=True)
class Ladder:
    """What happened to one stick lately, over all tries to open it.

    Attributes:
        failures: Losses and failed starts in a row.
        deaf: The last one was a stick that answers and hears nothing.
        socket: Where on the USB it was last seen, as `drivers.zigbee.usb` knows it.
        speed: Of the line, where the one in home.yaml did not answer and another did.
    """

    failures: int = 0
    deaf: bool = False
    socket: Socket | None = None
    speed: int | None = None
    _cycles: int = 0
    _cycled_s: float | None = None
    _rested_s: float = -RESTED_S
    _tried: int = 0

    def lost(self, ran_for_s: float, now_s: float, *, deaf: bool = False) -> None:
        """It was lost after so long with its network up; 0 for a start that failed."""
        if ran_for_s >= STEADY_S:
            self.well()
        self.failures, self.deaf = self.failures + 1, deaf
        if deaf and self._cycles and self.failures > POWER_AFTER + 1:
            self._rested_s = now_s

    def well(self) -> None:
        """It hears."""
        self.failures, self.deaf, self._cycles, self._cycled_s = 0, False, 0, None

    def wants_power_cycle(self, now_s: float) -> bool:
        """Whether to switch its power off and on before it is opened; counted as done."""
        wait_s = min(POWER_AGAIN_S * 2 ** max(0, self._cycles - 1), POWER_AGAIN_MOST_S)
        if self.failures < POWER_AFTER or (self._cycled_s is not None and now_s - self._cycled_s < wait_s):
            return False
        self._cycles, self._cycled_s = self._cycles + 1, now_s
        return True

    def next_speed(self, configured: int) -> int:
        """The speed to open the line with: after three failures the usual ones take turns."""
        if self.deaf or self.failures <= POWER_AFTER:
            return self.speed or configured
        choices = [configured, *(speed for speed in SPEEDS if speed != configured)]
        self._tried += 1
        return choices[self._tried % len(choices)]

    def may_doubt(self, now_s: float) -> bool:
        """Whether silence on the air is a reason to begin anew; not for an hour after that didn't help."""
        return now_s - self._rested_s >= RESTED_S


_LADDERS: dict[str, Ladder] = {}


def ladder(key: str) -> Ladder:
    """That of a radio; it outlives the driver, which is made anew after each loss."""
    return _LADDERS.setdefault(key, Ladder())


class Verdict(Enum):
    """Whether the radio of a stick hears."""

    HEARS = "hears"
    ASK = "ask a device"
    DEAF = "hears nothing"


MAC_RECEIVED, APS_RECEIVED = (0, 2), (6, 8)
"""Counters of the stick (UG100, EmberCounterType): frames received on the air, and those for its host."""


class Ears:
    """Told every few seconds what came in; says when that is suspicious.

    Args:
        can_ask: Some device is always awake.
    """

    def __init__(self, now_s: float) -> None:
        self._incoming = -1
        self._counters: Mapping[int, int] | None = None
        self._sign_s = self._asked_s = now_s
        self._signs, self._longest_s, self._undelivered = 0, 0.0, 0

    def look(
        self, now_s: float, incoming: int, counters: Mapping[int, int] | None, *, can_ask: bool
    ) -> Verdict:
        """What it looks like at `now_s`.

        Args:
            incoming: Messages of devices that the stick has handed over.
            counters: Of the stick, by number; None if its firmware has none.
        """
        before, self._counters = self._counters, counters
        heard = incoming != self._incoming
        self._incoming = incoming
        on_air = _moved(before, counters, MAC_RECEIVED)
        if heard:
            self._undelivered = 0
        elif _moved(before, counters, APS_RECEIVED):
            self._undelivered += 1
        if heard or (on_air and not self._undelivered):
            self._signs += 1
            self._longest_s = max(self._longest_s, now_s - self._sign_s)
            self._sign_s = now_s
            return Verdict.HEARS
        quiet_s = now_s - self._sign_s
        if can_ask:
            due = now_s - self._asked_s >= ASK_AGAIN_S
            if self._undelivered or (quiet_s >= QUIET_S and due):
                self._asked_s = now_s
                return Verdict.ASK
            return Verdict.HEARS
        learnt = self._signs >= LEARNT_FROM
        silent = learnt and quiet_s > max(LEARNT_LEAST_S, LEARNT_TIMES * self._longest_s)
        return Verdict.DEAF if silent or self._undelivered > 1 else Verdict.HEARS


def _moved(before: Mapping[int, int] | None, now: Mapping[int, int] | None, which: tuple[int, ...]) -> bool:
    if before is None or now is None:
        return False
    return any(before.get(number) != now.get(number) for number in which)
