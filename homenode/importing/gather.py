"""Reads recordings whole and puts their readings in order of time, in a few bytes each."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import pairwise
from math import isnan, nan
from pathlib import Path
from typing import NamedTuple

from homenode.errors import FileMistakes, Mistake
from homenode.importing.points import Points
from homenode.kinds import Kind, Shape, kind_of, values_of, why_not
from homenode.reading import Instant, Value
from homenode.recordings import Recording

SHOWN = 3
"""Wrong lines of a file that are told word for word."""


class Imported(NamedTuple):
    """One reading, for a point of the home."""

    at: Instant
    point: str
    value: Value


@dataclass(slots=True)
class Counted:
    """What became of the lines of one file.

    Attributes:
        readings: Taken.
        wrong: Lines that couldn't be read, or whose value the point's kind can't have.
        mistakes: The first `SHOWN` of them.
        repeated: Say again what the line of that source before said of the same instant; not taken.
        disordered: Stood behind a line of a later time, and were put in their place.
        first_repeated, first_disordered: Line of the first such, 0 if none.
        skipped: Source to the lines that feed no point.
    """

    file: Path
    readings: int = 0
    wrong: int = 0
    mistakes: list[Mistake] = field(default_factory=list)
    repeated: int = 0
    first_repeated: int = 0
    disordered: int = 0
    first_disordered: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


class Gathered:
    """Readings of several recordings.

    Args:
        points: What each source feeds.
        zone: Of time stamps that carry no offset.

    Attributes:
        files: What became of each file's lines.
    """

    def __init__(self, points: Points, zone: tzinfo) -> None:
        self._points, self._zone = points, zone
        self._names: list[str] = []
        self._number: dict[str, int] = {}
        self._at, self._value = array("q"), array("d")
        self._point, self._file, self._line = array("L"), array("L"), array("L")
        self.files: list[Counted] = []
        self._heard = array("q")  # of every line, also of sources that feed no point

    def read(self, file: Path) -> None:
        """One recording, to its end.

        Raises:
            FileMistakes: It is of no known format, or breaks off.
            SetupError: It can't be opened.
        """
        recording = Recording(file, self._zone)
        counted = Counted(file)
        self.files.append(counted)
        newest: Instant | None = None
        kinds: dict[str, tuple[str, Kind]] = {}
        for at, source, value, line in recording:
            known = kinds.get(source)
            if known is None:
                point = self._points(file, source, recording.sensors.get(source))
                kind = kind_of(point) if point else None
                if kind is None:
                    counted.skipped[source] += 1
                    self._heard.append(at)
                    continue
                known = kinds[source] = (point, kind)
            point, kind = known
            if why_not(kind, value):
                counted.wrong += 1
                if len(counted.mistakes) < SHOWN:
                    found = repr(value) if isinstance(value, bool) else f"{value:g}"
                    mistake = Mistake(str(file), line, f"value of {point}", found, values_of(kind))
                    counted.mistakes.append(mistake)
                continue
            if newest is not None and at < newest:
                counted.disordered += 1
                counted.first_disordered = counted.first_disordered or line
            else:
                newest = at
            self._keep(at, point, value, line)
        if recording.cut is not None:
            raise FileMistakes([recording.cut])
        counted.wrong += recording.bad
        counted.mistakes = (counted.mistakes + recording.mistakes)[:SHOWN]

    def _keep(self, at: Instant, point: str, value: Value, line: int) -> None:
        if point not in self._number:
            self._number[point] = len(self._names)
            self._names.append(point)
        self._at.append(at)
        self._value.append(nan if value is None else float(value))
        self._point.append(self._number[point])
        self._file.append(len(self.files) - 1)
        self._line.append(line)

    def readings(self) -> Iterator[Imported]:
        """All of them in order of time, those of one instant as they were read; counts as it goes."""
        shapes = [kind.shape if (kind := kind_of(name)) else Shape.NUMBER for name in self._names]
        said: dict[int, float] = {}  # point to its last value at this instant
        now: Instant | None = None
        for n in sorted(range(len(self._at)), key=self._at.__getitem__):
            at, point, number = self._at[n], self._point[n], self._value[n]
            if at != now:
                now = at
                said.clear()
            counted = self.files[self._file[n]]
            if point in said and (said[point] == number or (isnan(number) and isnan(said[point]))):
                counted.repeated += 1
                counted.first_repeated = counted.first_repeated or self._line[n]
                continue
            said[point] = number
            counted.readings += 1
            yield Imported(at, self._names[point], _value(number, shapes[point]))

    def silences(self, longest_ms: int) -> list[tuple[Instant, Instant]]:
        """Where no source at all said anything for longer than that: from the last line to the next."""
        heard = sorted({*self._at, *self._heard})
        return [(before, after) for before, after in pairwise(heard) if after - before > longest_ms]

    @property
    def span(self) -> tuple[Instant, Instant] | None:
        """Instants of the first and the last line of any source."""
        heard: Sequence[Sequence[int]] = [ats for ats in (self._at, self._heard) if ats]
        return (min(map(min, heard)), max(map(max, heard))) if heard else None


def _value(number: float, shape: Shape) -> Value:
    if isnan(number):
        return None
    if shape is not Shape.NUMBER:
        return bool(number)
    return int(number) if number.is_integer() else number
