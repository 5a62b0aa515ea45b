"""Which mode the home is in at every instant, by the words of decision 8: slow, simple, nobody's engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from homenode.config.model import Mode

Set = tuple[int, str, int | None]
"""Instant, mode, how long at most (None: the mode's own)."""


class Modes:
    """The mode, instant by instant; `pass_to` is called for each of them in order."""

    def __init__(self, modes: Mapping[str, Mode], commands: Sequence[Set]) -> None:
        self.modes, self.commands = modes, commands
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
        for at, mode, longest in self.commands:
            if at == t:
                self.set(mode, t, longest)
        self.mode[t] = self.now

    def step(self, mode: str, t: int) -> None:
        """A step ran at t."""
        self.asked.setdefault(t + 1, []).append(mode)
