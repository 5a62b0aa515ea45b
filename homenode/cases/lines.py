"""Reads a line of a story.

::

    17:10 stove 1500 W, kitchen gone       readings; a device with one point goes by its name
    17:10:30.500 kitchen fault             what the device says of itself: it is broken
    17:10 every 5 min until 18:00 kitchen seen
    17:10 kitchen heard                    a sign of life that says nothing of a point
    17:20 node down    17:25 node up       17:30 mode away      17:40 ack
    17:30 => raised, step 1 say            what the rule does; `fault kitchen` names who is to blame
    18:00 end                              the last line; nothing else may have happened by then

A time that reads earlier than the line before is of the next day; ``day 3 07:00`` skips days.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from homenode.cases.case import Calendar, Expected
from homenode.config.durations import milliseconds
from homenode.config.notes import listed, nearest
from homenode.engine.events import Acknowledge, Event, Heard, ModeSet, NodeDown, NodeUp, Reading
from homenode.kinds import Kind, Shape, kind_of, why_not
from homenode.language.steps import DOES
from homenode.language.values import NUMBER, number, truth
from homenode.reading import Instant, Value

MOST = 20_000
"""Readings that one line may stand for."""

WORDS: dict[str, tuple[str, str]] = {
    "motion": ("seen", "gone"),
    "occupancy": ("occupied", "empty"),
    "water": ("wet", "dry"),
    "mains": ("present", "lost"),
    "button": ("pressed", "released"),
    **dict.fromkeys(("smoke", "co", "gas", "heat", "vibration", "tamper"), ("alarm", "quiet")),
}
"""How stories call true and false of kinds that rules have no words for."""

ALWAYS = ("raised", "resolved", "fault", "recovered")
"""What a story has to tell all of."""
SOMETIMES = ("acknowledged", "lapsed")
"""What it tells all of if it tells any; likewise steps."""

_TIME = r"(?:day (?P<day>[1-9][0-9]{0,3}) )?(?P<h>[01][0-9]|2[0-3]):(?P<m>[0-5][0-9])" \
        r"(?::(?P<s>[0-5][0-9])(?:\.(?P<ms>[0-9]{3}))?)?"  # fmt: skip
_LINE = re.compile(rf"{_TIME}\s+(?P<rest>\S.*)")
_EVERY = re.compile(r"every (?P<gap>[0-9 .smhind]+?) until (?P<rest>\S.*)")
_SAID = re.compile(r"(?P<what>\S+)\s+(?P<value>\S.*)")
_NUMBER = re.compile(rf"({NUMBER})\s*(\S*)")
_STEP = re.compile(r"step ([1-9][0-9]?) (\w+)")


class StoryMistake(Exception):
    """A line that can't be read."""

    def __init__(self, found: str, accepted: str, suggestion: str = "") -> None:
        self.found, self.accepted, self.suggestion = found, accepted, suggestion
        super().__init__(f"found {found}; accepted: {accepted}")


class Told(NamedTuple):
    """What one line says; `at` its (first) instant."""

    at: Instant
    events: list[Event]
    expected: list[Expected]
    ends: bool = False


class Story:
    """Reads the lines of one story, in order.

    Args:
        calendar: For its times.
        points: Of the case: every bound point.
        rule: The rule's name, which ``ack`` acknowledges.
        modes: Those of the home.
    """

    def __init__(
        self, calendar: Calendar, points: tuple[str, ...], rule: str, modes: Mapping[str, object]
    ) -> None:
        self._calendar, self._rule, self._modes = calendar, rule, modes
        self._points = {point: point for point in points}
        devices = [point.partition(".")[0] for point in points]
        self._devices = set(devices)
        self._names = []
        for point, device in zip(points, devices, strict=True):
            alone = devices.count(device) == 1
            self._names.append(device if alone else point)
            self._points[self._names[-1]] = point
        self._day, self._of_day_ms = 1, 0

    def line(self, text: str) -> Told:
        """What a line says.

        Raises:
            StoryMistake: What is wrong with it.
        """
        match = _LINE.fullmatch(text)
        if match is None:
            raise StoryMistake(repr(text), "a time and what happens, such as 17:10 stove 1500 W")
        self._day, self._of_day_ms = self._moment(match)
        at = self._calendar.instant(self._day, self._of_day_ms)
        rest = match["rest"]
        if rest == "end":
            return Told(at, [], [], ends=True)
        if rest.startswith("=>"):
            return Told(at, [], [self._expected(part.strip(), at) for part in rest[2:].split(",")])
        if rest.startswith("every "):
            return Told(at, self._repeated(rest, at), [])
        return Told(at, self._happens(rest, at), [])

    def _moment(self, match: re.Match[str]) -> tuple[int, int]:
        """Day and time of day; of the next day if it reads earlier than the line before."""
        seconds = (int(match["h"]) * 60 + int(match["m"])) * 60 + int(match["s"] or 0)
        of_day_ms = seconds * 1000 + int(match["ms"] or 0)
        day = int(match["day"]) if match["day"] else self._day + (of_day_ms < self._of_day_ms)
        if (day, of_day_ms) < (self._day, self._of_day_ms):
            raise StoryMistake(f"day {day}", f"a time not before that of the line above (day {self._day})")
        return day, of_day_ms

    # -- what happens

    def _happens(self, rest: str, at: Instant) -> list[Event]:
        return [self._one(part.strip(), at) for part in rest.split(",")]

    def _one(self, part: str, at: Instant) -> Event:
        if part == "ack":
            return Acknowledge(self._rule, at)
        if part == "node down":
            return NodeDown(at)
        if part == "node up":
            return NodeUp(at)
        said = _SAID.fullmatch(part)
        if said is None or said["what"] == "node":
            accepted = f"{listed(self._names, 20)} with a value, node down, node up, mode NAME, ack or end"
            raise StoryMistake(repr(part), accepted)
        what, value = said["what"], said["value"]
        if what == "mode":
            if value not in self._modes:
                raise StoryMistake(repr(value), listed(self._modes), nearest(value, self._modes))
            return ModeSet(value, at)
        if value == "heard" and what in self._devices:
            return Heard(what, at)
        point = self._point(what)
        return Reading(point, self._value(value, point), at)

    def _point(self, name: str) -> str:
        if name not in self._points:
            raise StoryMistake(repr(name), listed(self._names, 20), nearest(name, self._names))
        return self._points[name]

    def _value(self, text: str, point: str) -> Value:
        if text == "fault":
            return None
        kind = kind_of(point)
        assert kind is not None  # binding refused others
        if kind.shape is Shape.NUMBER:
            match = _NUMBER.fullmatch(text)
            if match is None or (match[2] and match[2] != kind.unit):
                raise StoryMistake(repr(text), f"a number ({kind.unit or 'no unit'}), or fault")
            value = number(match[1])
            if why := why_not(kind, value):
                raise StoryMistake(repr(text), why)
            return value
        true_word, false_word = words_of(kind)
        if text in (true_word, false_word):
            return text == true_word
        meant = truth(text, kind)
        if meant is None:
            words = [true_word, false_word, "true", "false", "fault"]
            raise StoryMistake(repr(text), listed(words), nearest(text, words))
        return meant

    def _repeated(self, rest: str, at: Instant) -> list[Event]:
        accepted = "every DURATION until TIME and what happens"
        match = _EVERY.fullmatch(rest)
        until = _LINE.fullmatch(match["rest"]) if match else None
        if match is None or until is None:
            raise StoryMistake(repr(rest), accepted)
        try:
            gap_ms = milliseconds(match["gap"])
        except ValueError as wrong:
            raise StoryMistake(repr(match["gap"]), str(wrong)) from wrong
        last = self._calendar.instant(*self._moment(until))
        if gap_ms == 0 or (last - at) // gap_ms > MOST:
            raise StoryMistake(repr(match["gap"]), f"a duration that makes at most {MOST:,} repeats")
        events: list[Event] = []
        for instant in range(at, last + 1, gap_ms):
            events += self._happens(until["rest"], instant)
        return events

    # -- what the rule does

    def _expected(self, what: str, at: Instant) -> Expected:
        word, *points = what.split() or [""]
        if word == "fault":
            because = tuple(sorted(self._point(name) for name in points))
            return Expected(at, "fault", because or None)
        step = _STEP.fullmatch(what)
        if step is not None and step[2] in DOES:
            return Expected(at, what)
        if what not in (*ALWAYS, *SOMETIMES):
            accepted = [*ALWAYS, *SOMETIMES, "step 1 say"]
            raise StoryMistake(repr(what), listed(accepted), nearest(what, accepted))
        return Expected(at, what)


def words_of(kind: Kind) -> tuple[str, str]:
    """How a story calls true and false of a kind."""
    if kind.true_word:
        return kind.true_word, kind.false_word
    return WORDS.get(kind.name, ("true", "false"))
