"""A file of recorded readings, whatever its format."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from datetime import UTC, tzinfo
from itertools import chain, islice
from pathlib import Path
from typing import IO, NamedTuple

from homenode.errors import FileMistakes, Mistake, SetupError
from homenode.reading import Value
from homenode.recordings.formats import recognise
from homenode.recordings.sensors import Sensor

SHOWN = 20
"""Bad lines kept word for word; more are only counted, so that a bad file takes no memory."""

TRIED = 10
"""Lines among which the first good one is looked for: a recording may begin in the middle of a line."""

LONGEST = 65_536
"""Characters of a line; a longer one is no line of a recording, and isn't held in memory."""


class Recorded(NamedTuple):
    """One value of one source.

    Attributes:
        wall_ms: Milliseconds since 1970, UTC.
        source: What the recording calls the sensor.
        value: As recorded; None where the device said fault.
        line: 1-based line of the file.
    """

    wall_ms: int
    source: str
    value: Value
    line: int


class Recording:
    """A file of recorded readings; iterate it as often as you like, it is read anew each time.

    Memory stays at one line and `SHOWN` mistakes, however long the file.

    Args:
        path: The file.
        zone: Time zone of time stamps that carry none; UTC keeps local times as they read.
    """

    def __init__(self, path: Path, zone: tzinfo = UTC) -> None:
        self.path, self.zone = path, zone
        self.bad = 0
        """Lines that could not be read, in the last iteration."""
        self.mistakes: list[Mistake] = []
        """The first `SHOWN` of them."""
        self.cut: Mistake | None = None
        """Where the file breaks off: a damaged gzip, half a line at the end."""
        self.sensors: dict[str, Sensor] = {}
        """What the file tells of its sources, as far as it was read."""
        self._unended = 0  # line at the end of the file that no line break ends

    def __iter__(self) -> Iterator[Recorded]:
        """Raises SetupError if the file can't be opened, FileMistakes if it is of no known format."""
        self.bad, self.mistakes, self.cut, self._unended = 0, [], None, 0
        self.sensors.clear()
        try:
            with self._open() as file:
                yield from self._read(file)
        except OSError as error:
            why = error.strerror or str(error)
            raise SetupError(
                f"can't be read: {why}", where=str(self.path), do="check path and permissions"
            ) from error

    def _open(self) -> IO[str]:
        with self.path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        if packed:
            return gzip.open(self.path, "rt", encoding="utf-8-sig", errors="replace")
        return self.path.open(encoding="utf-8-sig", errors="replace")

    def _lines(self, file: IO[str]) -> Iterator[tuple[int, str]]:
        number = 0
        try:
            while line := file.readline(LONGEST):
                number += 1
                if not line.endswith("\n"):
                    self._unended = number
                if len(line) == LONGEST and not line.endswith("\n"):
                    self._mistake(number, f"a line of more than {LONGEST} characters", "a shorter one")
                    while (line := file.readline(LONGEST)) and not line.endswith("\n"):
                        pass
                elif line := line.strip():
                    yield number, line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.cut = self._mistake(number + 1, f"a damaged end ({error})", "a whole gzip file")

    def _read(self, file: IO[str]) -> Iterator[Recorded]:
        lines = self._lines(file)
        begin = list(islice(lines, TRIED))
        known = None
        while begin and not (known := recognise(begin[0][1], self.zone, self.sensors)):
            number, line = begin.pop(0)
            self._mistake(
                number, repr(line[:60]), "the first line of a known format (homenode import --help)"
            )
        if known is None:
            if self.mistakes:
                raise FileMistakes(self.mistakes[:1])
            return
        number = begin[0][0]
        for number, line in chain(begin[1:] if known.header else begin, lines):
            try:
                said = known.parse(line)
            except (ValueError, IndexError, OverflowError, OSError, csv.Error) as error:
                mistake = self._mistake(number, repr(line[:60]), f"a line like the others ({error})")
                if number == self._unended:
                    self.cut = mistake
                continue
            for wall_ms, source, value in said:
                yield Recorded(wall_ms, source, value, number)
        if missing := known.left():
            self.cut = self._mistake(number, "the end of the file", missing)

    def _mistake(self, line: int, found: str, accepted: str) -> Mistake:
        self.bad += 1
        mistake = Mistake(str(self.path), line, "recording", found, accepted)
        if len(self.mistakes) < SHOWN:
            self.mistakes.append(mistake)
        return mistake
