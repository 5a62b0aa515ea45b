"""`homenode replay`: the rules of a home over a recording, by the same engine on a virtual clock."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TextIO

from homenode.config.load import load_home
from homenode.config.registry import driver_types
from homenode.contract.times import Zone
from homenode.engine.engine import Engine
from homenode.engine.events import Event, Reading
from homenode.engine.transition import Transition
from homenode.engine.wall import WallClock
from homenode.errors import FileMistakes
from homenode.home import silence_limits
from homenode.language.checking import check_rules
from homenode.replay_against import Difference
from homenode.replay_lines import line_of, when_read
from homenode.replay_report import Covered, Report
from homenode.trace import Downtimes, Trace

if TYPE_CHECKING:
    from pathlib import Path

    from homenode.config.model import Device, Home
    from homenode.language.bound import BoundRule
    from homenode.reading import Instant

SHOWN = 10
"""Names of skipped points that are told; of more, only how many."""

COUNTED = 1000
"""Points of one home only that are counted; a recording may name any number of a zigbee device's."""

AT_A_TIME = 1000
"""Events given to the engine before it is asked what came of them."""

WHERE = ("home", "other")
"""How lines of JSON name the two configurations."""


class Tape(Protocol):
    """What can be run: instants in order, the first of them the start, with what happened or None."""

    def events(self) -> Iterator[tuple[Instant, Event | None]]:
        """From the start to the end."""
        ...


class Source(Tape, Protocol):
    """What is replayed: a recording (`homenode.trace.Trace`) or a journal.

    Attributes:
        name: As the user gave it.
        start, last: Instants of the first and the latest line; `start` is known with the first event.
        lines: Lines read.
        down: When the node was down.
        heard: Points that were read.
        skipped, strange: What the home doesn't have, and in how many lines.
        notes: What else is to be told, a sentence each.
    """

    name: str
    start: Instant | None
    last: Instant | None
    lines: int
    down: Downtimes
    heard: set[str]
    skipped: Counter[str]
    strange: Counter[str]
    notes: list[str]

    def wall_ms(self, at: Instant) -> int:
        """What a right clock on the wall showed at an instant, in ms since 1970 (UTC)."""
        ...


@dataclass
class Side:
    """One configuration in a replay.

    Attributes:
        path: Its home.yaml as the user gave it.
        skipped: Points of the recording that only the other configuration has, and in how many lines.
    """

    path: str
    home: Home
    rules: tuple[BoundRule, ...]
    skipped: dict[str, int] = field(default_factory=dict)

    def has(self, point: str) -> bool:
        """Whether it is a point of the home."""
        name, _, part = point.partition(".")
        device = self.home.devices.get(name)
        return device is not None and (device.kinds is None or part in device.kinds)


def load_side(path: str | os.PathLike[str]) -> Side:
    """home.yaml with its rules, for a replay.

    Raises:
        FileMistakes: home.yaml or a rule is wrong.
    """
    home = load_home(path, files=False)
    rules, mistakes = check_rules(home)
    if mistakes:
        raise FileMistakes(mistakes)
    return Side(os.fspath(path), home, rules)


def source_of(sides: Sequence[Side], readings: str, journal: Path | None = None) -> Source:
    """What is to be replayed.

    Args:
        sides: The configurations; what none of them has is skipped.
        readings: The recording, ``.gz`` too; ``-`` is standard input.
        journal: The data folder of a node, whose journal is then the recording.
    """
    rules = {rule.name for side in sides for rule in side.rules}
    modes = {"home", *(mode for side in sides for mode in side.home.modes)}
    devices = dict(sides[0].home.devices)
    for side in sides[1:]:
        for name, device in side.home.devices.items():
            devices[name] = _both(devices[name], device) if name in devices else device
    if journal is not None:
        from homenode.replay_journal import JournalTrace

        return JournalTrace(journal, devices, sides[0].home.modes, modes, rules)
    return Trace(readings, devices, modes, rules)


def _both(one: Device, other: Device) -> Device:
    """A device with the points of either."""
    if one.kinds is None or other.kinds is None:
        return replace(one, kinds=None)
    return replace(one, kinds=tuple(dict.fromkeys((*one.kinds, *other.kinds))))


def replay(
    home_path: str | os.PathLike[str],
    source: str,
    out: TextIO,
    err: TextIO,
    as_json: bool = False,
    against: str | os.PathLike[str] | None = None,
    journal: Path | None = None,
) -> int:
    """Print what the home's rules would have done; returns the exit status.

    Nothing is printed of a recording that turns out to be wrong, however late in it.

    Args:
        home_path: home.yaml.
        source: The recording, ``.gz`` too; ``-`` is standard input.
        out: Where the transitions or the report go.
        err: Where skipped points are counted.
        as_json: A line of JSON a transition instead of the report.
        against: Another home.yaml: what it would have made different.
        journal: A node's data folder: its journal is replayed instead of `source`.

    Raises:
        FileMistakes: home.yaml, a rule or the recording is wrong.
    """
    sides = [load_side(home_path)]
    if against is not None:
        sides.append(load_side(against))
    trace = source_of(sides, source, journal)
    zone = Zone(sides[0].home.timezone)
    lines = _lines(sides, trace, zone) if as_json else _report(sides, trace, zone)
    when_read(lines, out)
    tell(err, sides, trace)
    return 0


def run(home: Home, rules: tuple[BoundRule, ...], tape: Tape) -> Iterator[Transition]:
    """Every transition, in the order of the design."""
    return (change for _, change in play([Side(str(home.path), home, rules)], tape))


def play(sides: Sequence[Side], tape: Tape) -> Iterator[tuple[int, Transition]]:
    """Every transition and in which configuration it came, in order of time, at one instant side by side."""
    engines: list[Engine] = []
    waiting, last = 0, 0
    for at, event in tape.events():
        if waiting >= AT_A_TIME and at > last:
            waiting = 0
            yield from _advanced(engines, last)
        last = at
        if not engines:
            engines = [_engine(side, at) for side in sides]
            feed = engines[0].feed
        if event is None:
            continue
        waiting += 1
        if len(sides) > 1:
            _feed_each(sides, engines, event)
        else:
            feed(event)
    yield from _advanced(engines, last)


def _engine(side: Side, start: Instant) -> Engine:
    home = side.home
    points = {point for rule in side.rules for point in rule.points}
    limits_ms = silence_limits(home.devices.values(), points, driver_types(home.drivers))
    return Engine(side.rules, limits_ms, start=start, modes=home.modes, wall=WallClock(home.timezone))


def _feed_each(sides: Sequence[Side], engines: Sequence[Engine], event: Event) -> None:
    for side, engine in zip(sides, engines, strict=True):
        if isinstance(event, Reading) and not side.has(event.point):
            if event.point in side.skipped or len(side.skipped) < COUNTED:
                side.skipped[event.point] = side.skipped.get(event.point, 0) + 1
        else:
            engine.feed(event)


def _advanced(engines: Sequence[Engine], to: Instant) -> Iterable[tuple[int, Transition]]:
    told = [(index, change) for index, engine in enumerate(engines) for change in engine.advance(to)]
    if len(engines) > 1:
        told.sort(key=_when)
    return told


def _when(told: tuple[int, Transition]) -> Instant:
    return told[1].at


# -- what is printed


def _lines(sides: Sequence[Side], source: Source, zone: Zone) -> Iterator[str]:
    for index, change in play(sides, source):
        where = WHERE[index] if len(sides) > 1 else ""
        yield line_of(change, zone.text(source.wall_ms(change.at)), where)


def _report(sides: Sequence[Side], source: Source, zone: Zone) -> Iterator[str]:
    """The report, line by line."""
    if len(sides) > 1:
        difference = Difference([side.path for side in sides], [side.rules for side in sides])
        for index, change in play(sides, source):
            difference.add(index, change)
        return difference.lines(covered(source, zone))
    report = Report(sides[0].rules)
    for _, change in play(sides, source):
        report.add(change)
    return report.lines(covered(source, zone))


def covered(source: Source, zone: Zone) -> Covered:
    """What was replayed, when all of it has been."""
    assert source.start is not None
    assert source.last is not None
    return Covered(
        name=source.name,
        start=source.start,
        end=source.last,
        lines=source.lines,
        down=source.down,
        heard=source.heard,
        text=lambda at: zone.text(source.wall_ms(at)),
    )


def tell(err: TextIO, sides: Sequence[Side], source: Source) -> None:
    """What of the recording was not used."""
    _tell(err, "skipped, home.yaml has no point", source.skipped)
    _tell(err, "home.yaml has no", source.strange)
    for side in sides:
        _tell(err, f"skipped, {side.path} has no point", side.skipped)
    for note in source.notes:
        print(note, file=err)


def _tell(err: TextIO, what: str, counted: Mapping[str, int]) -> None:
    names: Iterable[str] = sorted(counted)[:SHOWN]
    for name in names:
        times = counted[name]
        shown = name if name.isprintable() else ascii(name)
        print(f"{what} {shown}: {times} line{'' if times == 1 else 's'}", file=err)
    if len(counted) > SHOWN:
        rest = sum(counted.values()) - sum(counted[name] for name in names)
        print(f"{what}: {rest} lines of {len(counted) - SHOWN} others", file=err)
