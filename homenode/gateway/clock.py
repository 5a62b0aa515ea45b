"""The one place where clocks are read. Everything else is given `now`.

Two time lines: *steady* instants (`Clock.now`), which no NTP step moves and which continue over a restart
by the wall time that passed, and the *wall* (`Clock.wall`), which is what a clock on the wall says.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path

from homenode.errors import Refused
from homenode.reading import Instant

_TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""

EARLIEST_MS = 1_767_225_600_000
"""2026-01-01T00:00Z: no node ran before; an earlier clock is one that lost its battery."""
_TRIES = 5
FASTEST = 100_000
"""Times as fast as real: a day in less than a second."""


def _synchronised() -> bool:
    """Whether the kernel says that its clock is synchronised, or a hardware clock keeps it."""
    if any(Path("/sys/class/rtc").glob("rtc*")):
        return True
    import ctypes  # 0.3 MB that who only reads the time does without

    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (AttributeError, OSError):
        return False
    state = int(adjtimex(ctypes.create_string_buffer(512)))  # struct timex is 208 B on 64-bit Linux
    return 0 <= state < _TIME_ERROR


def boot_id() -> str:
    """Of this start of the machine; "" if the kernel doesn't say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class Clock:
    """Real time, or for demos and recordings a clock that starts where one likes and runs faster.

    Args:
        speed: Seconds of node time per real second.
        start_ms: Wall time shown at `anchor_s`; None for the real wall time (then `speed` must be 1).
        anchor_s: Unix time at which the clock showed `start_ms`; None for now. Two processes given the
            same three values agree on the time.
        always_trusted: As ``clock: {trust: always}`` says.
    """

    def __init__(
        self,
        *,
        speed: float = 1.0,
        start_ms: int | None = None,
        anchor_s: float | None = None,
        always_trusted: bool = False,
    ) -> None:
        self.speed = speed
        self.played = start_ms is not None or speed != 1.0
        self.always_trusted = always_trusted or self.played
        self._trusted = self.always_trusted
        real_s, self._boot_s = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)  # noqa: TID251 - this is the clock
        anchor_s = real_s if anchor_s is None else anchor_s
        self._start_ms = start_ms if start_ms is not None else anchor_s * 1000
        self._boot_s -= real_s - anchor_s  # the boot-time clock when the anchor was
        self._offset_ms = 0

    def _elapsed_ms(self) -> float:
        return (time.clock_gettime(time.CLOCK_BOOTTIME) - self._boot_s) * 1000 * self.speed

    def now(self) -> Instant:
        """The steady clock."""
        return int(self._start_ms + self._elapsed_ms()) + self._offset_ms

    def wall(self) -> int:
        """Milliseconds since 1970 as a clock on the wall says."""
        if self.played:
            return int(self._start_ms + self._elapsed_ms())
        return time.time_ns() // 1_000_000

    def trusted_wall(self) -> int | None:
        """As `wall`; None if it can't be trusted."""
        return self.wall() if self.trusted() else None

    def wall_offset_ms(self) -> int:
        """What to add to an instant to get the wall time.

        Two clocks can't be read at once; of several tries the one counts between whose readings least passed.
        """
        best_ms, offset_ms = math.inf, 0
        for _ in range(_TRIES):
            before, wall, after = self.now(), self.wall(), self.now()
            if after - before < best_ms:
                best_ms, offset_ms = after - before, wall - before
            if not best_ms:
                break
        return offset_ms

    def set_speed(self, speed: float) -> None:
        """Run faster or slower from now on, without a jump.

        Raises:
            Refused: This clock shows the real time, or no clock runs so fast.
        """
        if not 0 < speed <= FASTEST:
            raise Refused(f"speed {speed:g}", do=f"give a number above 0, at most {FASTEST}")
        if not self.played:
            raise Refused("the node's clock shows the real time", do="start the node with --speed or --start")
        boot_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        self._start_ms += (boot_s - self._boot_s) * 1000 * self.speed
        self._boot_s = boot_s
        self.speed = speed

    def boot(self) -> list[str | int]:
        """Which boot of the machine this is, and what to subtract from its boot-time clock (ms) to get `now`.

        Empty for a clock that is played.
        """
        if self.played:
            return []
        return [boot_id(), round(self._boot_s * 1000 - self._start_ms) - self._offset_ms]  # no clock is read

    def resume(self, last: Instant, last_wall_ms: int | None, boot: Sequence[str | int] = ()) -> bool:
        """Continue the steady clock of an earlier run; whether the time since then is measured.

        In the same boot it is, by the boot-time clock. Else the wall clock tells, if it may be believed; one
        that stands before the last one seen (a Pi boots in the past) counts as no time passed.

        Args:
            last: Instant of the last sign of life.
            last_wall_ms: Wall clock then; None if it could not be believed: then no wall clock ever tells.
            boot: What `boot` gave in that run.
        """
        here = self.boot()
        if boot and here and boot[0] == here[0] != "":
            ahead_ms = int(here[1]) - int(boot[1])
            if self.now() + ahead_ms >= last:
                self._offset_ms += ahead_ms
                return True
        passed_ms = 0 if last_wall_ms is None else max(0, self.wall() - last_wall_ms)
        self._offset_ms += last + passed_ms - self.now()
        return last_wall_ms is not None and self.trusted()

    def real_seconds(self, until: Instant) -> float:
        """Real seconds until the steady clock shows `until`; 0 if it is past."""
        return max(0.0, (until - self._start_ms - self._offset_ms - self._elapsed_ms()) / 1000 / self.speed)

    def boot_ms(self, until: Instant) -> int:
        """What the machine's boot-time clock shows when the steady clock shows `until`."""
        return int(self._boot_s * 1000 + (until - self._start_ms - self._offset_ms) / self.speed)

    @staticmethod
    def up_s() -> float:
        """Since the machine booted."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def trusted(self) -> bool:
        """Whether the wall time may be believed; once it may, it stays so."""
        if not self._trusted:
            self._trusted = self.wall() >= EARLIEST_MS and _synchronised()
        return self._trusted
