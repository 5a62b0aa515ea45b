"""`homenode replay`: the rules of a home over a recording, by the same engine on a virtual clock."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from homenode.config.load import load_home
from homenode.config.registry import driver_types
from homenode.contract.times import Zone
from homenode.engine.engine import Engine
from homenode.engine.transition import Happening, Transition
from homenode.engine.wall import WallClock
from homenode.errors import FileMistakes
from homenode.home import silence_limits
from homenode.language.checking import check_rules
from homenode.replay_report import Report
from homenode.trace import Trace

if TYPE_CHECKING:
    from homenode.config.model import Home
    from homenode.language.bound import BoundRule

SHOWN = 10
"""Names of skipped points that are told; of more, only how many."""


def replay(
    home_path: str | os.PathLike[str], source: str, out: TextIO, err: TextIO, as_json: bool = False
) -> int:
    """Print what the home's rules would have done; returns the exit status.

    Nothing is printed of a recording that turns out to be wrong, however late in it.

    Args:
        home_path: home.yaml.
        source: The recording, ``.gz`` too; ``-`` is standard input.
        out: Where the transitions or the report go.
        err: Where skipped points are counted.
        as_json: A line of JSON a transition instead of the report.

    Raises:
        FileMistakes: home.yaml, a rule or the recording is wrong.
    """
    home = load_home(home_path, files=False)
    rules, mistakes = check_rules(home)
    if mistakes:
        raise FileMistakes(mistakes)
    trace = Trace(source, home.devices, {"home", *home.modes}, {rule.name for rule in rules})
    zone = Zone(home.timezone)
    if as_json:
        lines = [_line(change, zone) for change in run(home, rules, trace)]
        out.writelines(lines)
    else:
        report = Report(rules, zone)
        for change in run(home, rules, trace):
            report.add(change)
        assert trace.start is not None
        assert trace.last is not None
        report.write(out, trace.start, trace.last, trace.lines)
    _tell(err, "skipped, home.yaml has no point", trace.skipped)
    _tell(err, "home.yaml has no", trace.strange)
    return 0


def run(home: Home, rules: tuple[BoundRule, ...], trace: Trace) -> Iterator[Transition]:
    """Every transition, in the order of the design."""
    engine: Engine | None = None
    last = 0
    for at, event in trace.events():
        if engine is None:
            engine = _engine(home, rules, at)
        elif at > last:
            yield from engine.advance(at - 1)
        last = at
        if event is not None:
            engine.feed(event)
    assert engine is not None
    yield from engine.advance(last)


def _engine(home: Home, rules: tuple[BoundRule, ...], start: int) -> Engine:
    points = {point for rule in rules for point in rule.points}
    limits_ms = silence_limits(home.devices.values(), points, driver_types())
    return Engine(rules, limits_ms, start=start, modes=home.modes, wall=WallClock(home.timezone))


def _line(change: Transition, zone: Zone) -> str:
    said: dict[str, Any] = {
        "at": zone.text(change.at),
        "rule": change.rule,
        "alert": change.alert,
        "event": change.event.value,
    }
    if change.event is Happening.STEP:
        said |= {"step": change.step, "do": change.do}
    if change.event is Happening.FAULT:
        said["because"] = list(change.because)
    return json.dumps(said, ensure_ascii=False) + "\n"


def _tell(err: TextIO, what: str, counted: dict[str, int]) -> None:
    names: Iterable[str] = sorted(counted)[:SHOWN]
    for name in names:
        times = counted[name]
        print(f"{what} {name}: {times} line{'' if times == 1 else 's'}", file=err)
    if len(counted) > SHOWN:
        rest = sum(counted.values()) - sum(counted[name] for name in names)
        print(f"{what}: {rest} lines of {len(counted) - SHOWN} others", file=err)
