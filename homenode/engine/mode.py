"""The mode of the home: how it is set, and how it ends (decision 8).

At one instant first what was decided at the instant before, then commands: a person has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from homenode.config.model import Mode
from homenode.engine.network import Network, Node
from homenode.engine.timers import Timer
from homenode.engine.truth import FALSE, TRUE
from homenode.engine.wall import HOUR_MS, WallClock
from homenode.reading import Instant

HOME = "home"
"""The mode at first start, and after every other mode that ends."""

COMMAND, STEP, CLOCK, SILENCE, LIFE, ENDED = "command", "step", "clock", "silence", "life", "ended"
"""Why the home is in its mode: somebody said so, a rule did, it is the time of day, nobody is heard after the
door was used, somebody is again, or the one before it had lasted its longest."""

PUT_RIGHT_MS = HOUR_MS
"""A clock that is put right by less than this begins no other night."""

MOST_STEPS = 60
"""How often an hour steps may set a mode other than home: rules that set it against each other end there."""

MODE_STEP = "mode"
"""The word of the step that sets the mode."""


class Over(NamedTuple):
    """A mode that lasted its longest.

    Attributes:
        why: How it had been set.
        lasted_ms: How long it was.
    """

    at: Instant
    mode: str
    why: str
    lasted_ms: int


class ModeState(Timer):
    """The mode of the home, which is `home` again when its longest duration is over.

    Attributes:
        mode: Its name.
        why: `COMMAND` …, "" before anything set it.
        ends: Instant at which it is over by itself; None if never.
        over: What lasted its longest since somebody last took this list.
        coming: What is to be set at the next instant, as (mode, why), by the instant for which it waits.
        atoms: Nodes that ask for it.
    """

    __slots__ = (
        "_commanded", "_inside", "_look_at", "_looked", "_modes", "_network", "_nightly", "_owed", "_since",
        "_steps", "_steps_from", "_wall", "atoms", "coming", "ends", "mode", "over", "why",
    )  # fmt: skip

    def __init__(self, modes: Mapping[str, Mode], network: Network, wall: WallClock) -> None:
        super().__init__()
        self._modes, self._network, self._wall = modes, network, wall
        self.mode, self.why = HOME, ""
        self.ends: Instant | None = None
        self._since: Instant = 0
        self.over: list[Over] = []
        self.coming: tuple[Instant, list[tuple[str, str]]] | None = None
        self.atoms: list[Node] = []
        self._nightly = next((m for m in modes.values() if m.start is not None), None)
        self._inside: bool | None = None  # the clock reads in the hours of `_nightly`, when last looked at
        self._looked: Instant | None = None
        self._look_at: Instant | None = None
        self._commanded: Instant | None = None
        self._owed = False  # its hours have begun; it comes as soon as the mode is home
        self._steps_from: Instant = 0  # no mutant: begin of the hour in which steps are counted
        self._steps = 0

    def command(self, mode: str, at: Instant, longest_ms: int | None = None, why: str = COMMAND) -> None:
        """Somebody sets it: it holds on [at, at + longest), whatever else would have set it at `at`."""
        self.coming = None
        if why == COMMAND:
            self._commanded, self._owed = at, False
        self._set(mode, at, why, longest_ms)
        self._book()

    def step(self, mode: str, at: Instant) -> None:
        """A step that ran at `at` sets it from the next instant on."""
        self._at_next(at, mode, STEP)

    def left(self, mode: str, at: Instant, used: Instant) -> None:
        """Nobody is heard any more at `at`: from the next instant on, if the mode is home then.

        Not if somebody has set a mode since the door was last `used`.
        """
        if self._commanded is None or self._commanded < used:
            self._at_next(at, mode, SILENCE)

    def alive(self, at: Instant) -> None:
        """Somebody is heard at `at`, or nobody can be: that ends what `left` began, and nothing else."""
        self._at_next(at, HOME, LIFE)

    def wake(self, at: Instant) -> None:
        """Look at the clock at `at`: it is known, or known otherwise."""
        if self._nightly is not None:
            self._look_at = at
            self._book()

    def expire(self, at: Instant) -> None:
        """A deadline of it has come."""
        if self.ends is not None and self.ends <= at:
            self.over.append(Over(at, self.mode, self.why, at - self._since))
            self._set(HOME, at, ENDED)
        if self.coming is not None and self.coming[0] <= at:
            sets, self.coming = self.coming[1], None
            for mode, why in sets:
                if why == STEP and mode != HOME and not self._may_step(at):
                    continue
                if self.mode == HOME if why == SILENCE else why != LIFE or self.why == SILENCE:
                    self._set(mode, at, why)
        if self._nightly is not None:
            self._by_clock(self._nightly, at)
        self._book()

    def _may_step(self, at: Instant) -> bool:
        if at - self._steps_from >= HOUR_MS:
            self._steps_from, self._steps = at, 0
        self._steps += 1
        return self._steps <= MOST_STEPS

    def _by_clock(self, nightly: Mode, at: Instant) -> None:
        """Its hours begin and end, unless somebody has set a mode since they did."""
        if self._look_at is not None and self._look_at <= at:
            self._look(nightly, at)
        if self._owed and self.mode == HOME:
            self._owed = False
            self._set(nightly.name, at, CLOCK)

    def _look(self, nightly: Mode, at: Instant) -> None:
        if not self._wall.trusted:
            self._look_at = None
            return
        hours = nightly.start or 0, nightly.end or 0
        inside, turned = self._wall.reads_between(at, *hours), self._wall.turned(at, *hours)
        unseen = self._looked is not None and turned > self._looked + PUT_RIGHT_MS
        news = inside is not self._inside or unseen
        if news and (self._commanded is None or self._commanded < turned):
            self._owed = inside
            if not inside and self.mode == nightly.name:
                self._set(HOME, at, CLOCK)
        self._inside, self._looked = inside, at
        self._look_at = self._wall.next_reading(at, hours)

    def _at_next(self, at: Instant, mode: str, why: str) -> None:
        if self.coming is None:
            self.coming = at + 1, []
        self.coming[1].append((mode, why))
        self._book()

    def _set(self, mode: str, at: Instant, why: str, longest_ms: int | None = None) -> None:
        self.mode, self.why, self._since = mode, why, at
        if longest_ms is None and mode in self._modes:
            longest_ms = self._modes[mode].longest_ms
            silence = self._modes[mode].silence
            if why == SILENCE and silence is not None:
                longest_ms = min(longest_ms or silence.longest_ms, silence.longest_ms)
        self.ends = None if longest_ms is None or mode == HOME else at + longest_ms
        for atom in self.atoms:
            self._network.stir(atom)

    def _book(self) -> None:
        waits = self.coming[0] if self.coming else None
        dues = [due for due in (self.ends, waits, self._look_at) if due is not None]
        self.due = min(dues, default=None)
        self._network.timers.book(self)

    # -- memory

    def shift(self, by_ms: int) -> None:
        """Move what it remembers in time (a downtime turned out longer than believed)."""
        for name in ("ends", "_since", "_looked", "_look_at", "_commanded", "_steps_from"):
            instant = getattr(self, name)
            if instant is not None:
                setattr(self, name, instant + by_ms)
        if self.coming is not None:
            self.coming = self.coming[0] + by_ms, self.coming[1]
        self._book()

    def dump(self) -> list[Any]:
        """As JSON-able data."""
        clock = [self._hours(), self._inside, self._looked, self._look_at, self._owed]
        steps = [self._steps_from, self._steps]
        return [self.mode, self.ends, self.why, self.coming, self._commanded, clock, self._since, steps]

    def restore(self, data: Sequence[Any], at: Instant) -> None:
        """Take over what `dump` wrote, to go on from `at`; the first version wrote only mode and end."""
        self.mode, self.ends = data[:2]
        self.wake(at)
        if len(data) == 2:
            mode = self._modes.get(self.mode)  # home.yaml may no longer have it
            self._since = (self.ends or 0) - ((mode and mode.longest_ms) or 0)
        else:
            self.why, coming, self._commanded, clock, self._since, steps = data[2:]
            self._steps_from, self._steps = steps
            self.coming = (coming[0], [(mode, why) for mode, why in coming[1]]) if coming else None
            if clock[0] == self._hours():
                self._inside, self._looked, self._look_at, self._owed = clock[1:]
        self._book()

    def _hours(self) -> list[Any]:
        return [self._nightly.name, self._nightly.start, self._nightly.end] if self._nightly else []


class ModeNode(Node):
    """The home is in a mode."""

    __slots__ = ("_mode", "_state")

    seldom = True

    def __init__(self, state: ModeState, mode: str) -> None:
        super().__init__()
        self._state, self._mode = state, mode
        state.atoms.append(self)

    def settle(self, at: Instant) -> int:
        return TRUE if self._state.mode == self._mode else FALSE
