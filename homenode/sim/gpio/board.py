"""The electrical side of a Raspberry Pi's header: pulls, contacts, bounce, stuck lines, glitch filters.

Pure: it is given a scheduler and a microsecond clock, so tests run it without time passing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import partial

HEADER_PINS = range(2, 28)
"""BCM numbers a person may wire; 0 and 1 belong to the HAT's EEPROM (Raspberry Pi header pinout)."""
BANK_1 = range(32)
"""GPIOs that pigpio reports on (pigpio's user GPIOs)."""
FIXED_PULL_UP = frozenset({2, 3})
"""I²C pins with 1.8 kΩ to 3V3 on the board, which no software switches off."""

Later = Callable[[float, Callable[[], None]], Callable[[], None]]
"""Call in so many real seconds; returns what cancels it."""


class Pull(IntEnum):
    """Numbers as pigpio's PUD command has them."""

    NONE = 0
    DOWN = 1
    UP = 2


class Mode(IntEnum):
    """Numbers as pigpio's MODES command has them; alternate functions are 2 to 7."""

    INPUT = 0
    OUTPUT = 1


class Line:
    """One GPIO: what the wire outside does, what the chip does, and the level that results.

    Attributes:
        driven: Level the outside forces; None while its contact is open or its wire cut.
        stuck: Level the line is shorted to, whatever else happens; None if it isn't.
        written: Level the chip drives as output.
        duty: Part of the time that PWM holds it high, 0 to 1; None without PWM.
        steady_us: Glitch filter: a change is reported once it has lasted so long.
    """

    __slots__ = ("driven", "duty", "mode", "pin", "pull", "reported", "rest", "steady_us", "stuck", "written")

    def __init__(self, pin: int) -> None:
        self.pin = pin
        self.driven: bool | None = None
        self.stuck: bool | None = None
        self.mode: int = Mode.INPUT
        self.pull = Pull.UP if pin in FIXED_PULL_UP else Pull.NONE
        self.written = False
        self.duty: float | None = None
        self.steady_us = 0
        self.rest = pin in FIXED_PULL_UP
        """Level when last settled; a floating line keeps it by its capacitance."""
        self.reported = self.rest

    def level(self) -> bool:
        """High or low, as `read` sees it."""
        if self.stuck is not None:
            return self.stuck
        if self.mode == Mode.OUTPUT:
            return self.written if self.duty is None else self.duty > 0
        if self.driven is not None:
            return self.driven
        if self.pull is Pull.NONE and self.pin not in FIXED_PULL_UP:
            return self.rest
        return self.pull is Pull.UP or self.pin in FIXED_PULL_UP


class Board:
    """All lines, and who is told when one changes.

    Args:
        later: Scheduler for bounce and glitch filters.
    """

    def __init__(self, later: Later) -> None:
        self.lines = tuple(Line(pin) for pin in BANK_1)
        self.later = later
        self._filters: dict[int, Callable[[], None]] = {}
        self._bounces: dict[int, list[Callable[[], None]]] = {}
        self._watchers: list[Callable[[int, bool], None]] = []
        self._listeners: list[Callable[[int], None]] = []

    def watch(self, told: Callable[[int, bool], None]) -> None:
        """`told(pin, level)` at each change of a level, as a multimeter would see it: relays hang here."""
        self._watchers.append(told)

    def listen(self, told: Callable[[int], None]) -> Callable[[], None]:
        """`told(bits)` at each change of what the glitch filters let through; bits are the changed GPIOs."""
        self._listeners.append(told)
        return lambda: self._listeners.remove(told)

    def bank(self, *, filtered: bool = False) -> int:
        """Levels of GPIO 0 to 31 as bits."""
        return sum((line.reported if filtered else line.level()) << line.pin for line in self.lines)

    def drive(self, pin: int, level: bool | None, bounce_ms: Sequence[float] = ()) -> None:
        """The outside forces a level, or (None) lets go.

        Args:
            bounce_ms: How long the contact stays at the new and the old level in turn before it settles:
                (1, 2, 1, 3) is new for 1 ms, old for 2 ms, new for 1 ms, old for 3 ms, then new for good.
        """
        line = self.lines[pin]
        for cancel in self._bounces.pop(pin, []):
            cancel()
        old, at_s = line.driven, 0.0
        self._drive(line, level)
        if old == level:
            return
        moves = self._bounces[pin] = []
        for turn, stays_ms in enumerate(bounce_ms[: len(bounce_ms) // 2 * 2]):
            at_s += stays_ms / 1000
            moves.append(self.later(at_s, partial(self._drive, line, level if turn % 2 else old)))

    def _drive(self, line: Line, level: bool | None) -> None:
        line.driven = level
        self.settle(line)

    def stick(self, pin: int, level: bool | None) -> None:
        """Short a line to a level; None repairs it."""
        self.lines[pin].stuck = level
        self.settle(self.lines[pin])

    def settle(self, line: Line) -> None:
        """Tell everyone if the level of a line is another than before; call it after changing a line."""
        before, level = line.rest, line.level()
        if level == before and level == line.reported:
            return
        line.rest = level
        pending = line.pin in self._filters
        if level != before:
            for told in tuple(self._watchers):
                told(line.pin, level)
            if pending:
                self._filters.pop(line.pin)()
                pending = False
        if level == line.reported or pending:
            return
        if line.steady_us:
            self._filters[line.pin] = self.later(line.steady_us / 1e6, partial(self._report, line))
        else:
            self._report(line)

    def _report(self, line: Line) -> None:
        self._filters.pop(line.pin, None)
        line.reported = line.level()
        for told in tuple(self._listeners):
            told(1 << line.pin)
