"""Which mode the home is in at every instant, by the words of decision 8: slow, simple, nobody's engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from homenode.config.model import Mode

Set = tuple[int, str, int | None]
"""Instant, mode, how long at most (None: the mode's own)."""


class Modes:
    """The mode, instant by instant; `pass_to` is called for each of them in order."""

    def __init__(self, modes: Mapping[str, Mode], commands: Sequence[Set], zone: str) -> None:
        self.modes, self.commands, self.zone = modes, commands, ZoneInfo(zone)
        self.night: bool | None = None
        self.owed = False
        self.mode: dict[int, str] = {}
        self.now, self.until = "home", None  # type: str, int | None
        self.asked: dict[int, list[str]] = {}

    def set(self, mode: str, t: int, longest: int | None = None) -> None:
        if longest is None and mode in self.modes:
            longest = self.modes[mode].longest_ms
        self.now, self.until = mode, None if mode == "home" or longest is None else t + longest

    def pass_to(self, t: int) -> None:
        if self.until is not None and t >= self.until:
            self.set("home", t)
        for mode in self.asked.get(t, ()):
            self.set(mode, t)
        night = self.is_night(t)
        if night is not self.night:
            self.owed = night
            if not night and self.now == "night":
                self.set("home", t)
        self.night = night
        if self.owed and self.now == "home":
            self.owed = False
            self.set("night", t)
        for at, mode, longest in self.commands:
            if at == t:
                self.owed = False
                self.set(mode, t, longest)
        self.mode[t] = self.now

    def is_night(self, t: int) -> bool:
        night = self.modes.get("night")
        if night is None or night.start is None or night.end is None:
            return False
        local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=t)).astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        if night.start < night.end:
            return night.start <= minute < night.end
        return minute >= night.start or minute < night.end

    def step(self, mode: str, t: int) -> None:
        """A step ran at t."""
        self.asked.setdefault(t + 1, []).append(mode)
