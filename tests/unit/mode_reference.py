"""Which mode the home is in at every instant, by the words of decision 8: slow, simple, nobody's engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from homenode.config.model import Mode


class Senses(Protocol):
    """What is known of points (`engine_reference.Meaning`)."""

    quality: Callable[[str, int], str]

    def last_values(self, p: str, t: int) -> list[tuple[int, object]]: ...
    def changed(self, p: str, t: int) -> bool: ...


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
        self.left = self.by_silence = False

    def set(self, mode: str, t: int, longest: int | None = None) -> None:
        if longest is None and mode in self.modes:
            longest = self.modes[mode].longest_ms
        self.by_silence = False
        self.now, self.until = mode, None if mode == "home" or longest is None else t + longest

    def pass_to(self, t: int) -> None:
        if self.until is not None and t >= self.until:
            self.set("home", t)
        for mode in self.asked.get(t, ()):
            if mode == "left":
                away = self.modes["away"]
                if self.now == "home" and away.silence is not None:
                    day = away.silence.longest_ms
                    self.set("away", t, day if away.longest_ms is None else min(day, away.longest_ms))
                    self.by_silence = True
            elif mode != "alive":
                self.set(mode, t)
            elif self.by_silence:
                self.set("home", t)
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

    def listen(self, start: int, t: int, senses: Senses) -> None:
        """Whether the home was left, or somebody is back, at t; counts from the next instant on."""
        away = self.modes.get("away")
        silence = away.silence if away else None
        if silence is None:
            return

        def known(u: int) -> bool:
            return u >= start and all(senses.quality(p, u) == "good" for p in silence.quiet)

        def seen(p: str, u: int) -> bool:
            return senses.quality(p, u) == "good" and senses.last_values(p, u)[-1][1] is True

        def used(u: int) -> bool:
            return u >= start and senses.changed(silence.door, u)

        def calm(u: int) -> bool:
            door = u >= start and senses.quality(silence.door, u) == "good" and not used(u)
            return door and known(u) and not any(seen(p, u) for p in silence.quiet)

        if self.left:
            if not calm(t):
                self.left = False
                self.asked.setdefault(t + 1, []).append("alive")
            return
        last = next((u for u in range(t, start - 1, -1) if used(u)), None)
        if last is None or not all(calm(u) for u in range(t - silence.after_ms, t + 1)):
            return
        came = any(senses.changed(p, u) and seen(p, u) for p in silence.quiet for u in range(last + 1, t + 1))
        sure = all(known(u) for u in range(last + 1, t + 1))
        if sure and not came and last >= t - silence.after_ms - silence.passage_ms:
            self.left = True
            if not any(last <= at <= t for at, _, _ in self.commands):
                self.asked.setdefault(t + 1, []).append("left")
