"""From one look at the machine after the other to figures and verdicts (pure, given `now`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from homenode.contract.figures import MOST_PCT
from homenode.contract.times import Zone
from homenode.health import verdicts
from homenode.health.coarse import DAY, Steady, Usual
from homenode.health.verdicts import Verdict

if TYPE_CHECKING:
    from homenode.health.machine import Seen

TB = 10**12
_SPARE = {1: "normal", 2: "warning", 3: "urgent"}
_ERROR_STEPS_MS = (1, 10, 100, 1000, 10_000)


class Setting(NamedTuple):
    """What a home says of its machine.

    Attributes:
        endurance_tb: So many terabytes can be written to the card; 0 if nobody knows.
        clock_trusted: As ``clock: {trust: always}`` says: then no time service is missed.
    """

    endurance_tb: float = 0
    clock_trusted: bool = False


class Record:
    """What is remembered of a machine between two looks, and through a restart."""

    def __init__(self, kept: Mapping[str, Any] | None = None) -> None:
        kept = kept or {}
        self._boot_id = str(kept.get("boot_id", ""))
        self._starts = int(kept.get("starts", 0))
        self._written_b = int(kept.get("written_b", 0))
        """Up to the last look; whatever was written before the node's first start is not known."""
        self._seen_written_b = int(kept.get("seen_written_b", 0))
        self._unsynchronised = kept.get("unsynchronised")
        self._looked = kept.get("looked")
        """When it was looked at last."""
        self._undervolted = [int(day) for day in kept.get("undervolted", ())]
        """The last days on which it was, the newest last."""
        self._undervolted_boot = str(kept.get("undervolted_boot", ""))
        """Start of the machine in which the last look found the mark of an earlier one; "" for none."""
        self._day = 0
        self._temperature, self._memory, self._disk = Usual(5), Usual(10), Steady(5)
        self._clock_errors = deque[int](maxlen=DAY)
        self._hot = False
        self._first = True

    def kept(self) -> dict[str, Any]:
        """For `Record` after a restart, as JSON types."""
        return {
            "boot_id": self._boot_id,
            "starts": self._starts,
            "written_b": self._written_b,
            "seen_written_b": self._seen_written_b,
            "unsynchronised": self._unsynchronised,
            "looked": self._looked,
            "undervolted": self._undervolted,
            "undervolted_boot": self._undervolted_boot,
        }

    def add(self, seen: Seen, now: int) -> None:
        """One more look, `now` on the steady clock, which goes on through restarts."""
        if self._first:
            self._first = False
            self._starts = self._starts + 1 if seen.boot_id == self._boot_id else 1
        if seen.boot_id != self._boot_id:
            self._boot_id, self._seen_written_b = seen.boot_id, 0
            if self._unsynchronised is not None and self._looked is not None:
                self._unsynchronised += now - self._looked  # while it was off nobody could answer
        self._looked = now
        if seen.card.written_b is not None:
            self._written_b += max(0, seen.card.written_b - self._seen_written_b)
            self._seen_written_b = seen.card.written_b
        if seen.synchronised is not False:
            self._unsynchronised = None
        elif self._unsynchronised is None:
            self._unsynchronised = now
        # A mark that stays is no news. One that is back after it was cleared, as some kernels do, is.
        marked_anew = seen.undervolted_before and self._undervolted_boot != seen.boot_id
        if seen.undervolted_before is not None:
            self._undervolted_boot = seen.boot_id if seen.undervolted_before else ""
        self._day = now // verdicts.DAY_MS
        if seen.undervolted or marked_anew:
            self._undervolted = [*(day for day in self._undervolted if day != self._day), self._day][-2:]
        if seen.clock_error_ms is not None:
            self._clock_errors.append(seen.clock_error_ms)
        self._temperature.add(seen.temperature_c)
        self._memory.add(_percent(seen.memory_free))

    def verdicts(self, seen: Seen, setting: Setting, now: int, wall_ms: int | None) -> list[Verdict]:
        """Where somebody must act.

        Args:
            seen: The newest look.
            setting: What home.yaml says of the machine.
            now: On the steady clock.
            wall_ms: Since 1970; None while the clock is not trusted.
        """
        found: Sequence[Verdict | None] = (
            verdicts.card_wear(self._worn(seen, setting)[0], seen.card.spare),
            verdicts.card_errors(seen.card.errors),
            verdicts.card_data(seen.partition, seen.partition_mb),
            verdicts.power(undervolted=self._day - 1 in self._undervolted),
            verdicts.heat(self._temperature.recent(verdicts.HOT_SAMPLES), was_hot=self._hot),
            self._certificate(seen, wall_ms),
            None
            if setting.clock_trusted or self._unsynchronised is None
            else verdicts.time_service(now - self._unsynchronised),
            verdicts.disk_room(seen.disk_free),
        )
        told = [one for one in found if one is not None]
        self._hot = any(one.source == "too hot" for one in told)
        return told

    def _certificate(self, seen: Seen, wall_ms: int | None) -> Verdict | None:
        if seen.certificate is None or wall_ms is None:
            return None
        begins_ms, ends_ms = (_ms(text) for text in seen.certificate)
        return verdicts.certificate(begins_ms, ends_ms, wall_ms)

    def _worn(self, seen: Seen, setting: Setting) -> tuple[int | None, str | None]:
        """Used of the card's life in %, and who says so."""
        if seen.card.life_pct is not None:
            return seen.card.life_pct, "device"
        if setting.endurance_tb and seen.card.written_b is not None:
            return int(self._written_b / (setting.endurance_tb * TB) * 100), "written"
        return None, None

    def _undervoltage(self, seen: Seen) -> str | None:
        """By whole days: nothing of this day shows in it."""
        if self._day - 1 in self._undervolted:
            return "lately"
        if any(day < self._day for day in self._undervolted):
            return "before"
        return None if seen.undervolted is None else "never"

    def figures(self, seen: Seen, setting: Setting, zone: Zone, *, trusted: bool) -> dict[str, Any]:
        """What may be told of the machine, coarse as `homenode.health.coarse` says; None is unknown."""
        worn_pct, by = self._worn(seen, setting)
        error_ms = None if seen.clock_error_ms is None else max(self._clock_errors, default=None)
        return {
            "slot": seen.slot,
            "model": seen.model,
            "kernel": seen.kernel,
            "restarts": self._starts - 1,
            "card_worn_pct": None if worn_pct is None else min(worn_pct, MOST_PCT),
            "card_worn_by": by,
            "card_spare": _SPARE.get(seen.card.spare or 0),
            "card_errors": seen.card.errors,
            "temperature_c": self._temperature.told(),
            "undervoltage": self._undervoltage(seen),
            "clock": "synchronised" if seen.synchronised else "trusted" if trusted else "unset",
            "clock_by": seen.clock_by,
            "clock_error_ms": None if error_ms is None else _at_most(error_ms),
            "certificate_until": zone.text(_ms(seen.certificate.ends)) if seen.certificate else None,
            "memory_free_pct": self._memory.told(),
            "disk_free_pct": self._disk.of(_percent(seen.disk_free)),
        }


def _percent(part: float | None) -> float | None:
    return None if part is None else part * 100


def _at_most(error_ms: int) -> int:
    """A step that the most of a day is below: it grows until a time service is asked again, and would be news
    each minute."""
    return next((step for step in _ERROR_STEPS_MS if error_ms <= step), 60_000)


def _ms(time: str) -> int:
    """``YYYYMMDDhhmmss`` in UTC as ms since 1970."""
    return int(datetime.strptime(time, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()) * 1000
