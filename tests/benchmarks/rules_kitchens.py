"""What every program of the rules benchmark is given: kitchens, stove-like rules on them, and their readings.

Standard library only: the peers import it in environments of their own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

START_MS = 1_767_571_200_000
"""2026-01-05T00:00Z."""

KITCHENS = 1000
"""Of the home whose memory is measured, with rules or without."""

WAYS = {
    "own": "each rule with its own sensors",
    "pair": "all on one pair of sensors, each alone for another time",
    "hot": "all on one pair, each with another threshold, time alone and thermostat's pause",
    "apart": "all on one pair, each with another threshold and all durations other",
    "equal": "all on one pair, all equal",
}


@dataclass(frozen=True, slots=True)
class StoveRule:
    """The stove is hot for `alone_s`, but for pauses of `cycle_s`, and nobody moves for as long."""

    name: str
    kitchen: int
    alone_s: float = 1200
    cycle_s: float = 480
    stuck_s: float = 3600
    hot_w: float = 50

    @property
    def power(self) -> str:
        """The point that says whether the stove is hot."""
        return f"stove{self.kitchen}.power"

    @property
    def motion(self) -> str:
        """The point that says whether somebody is there."""
        return f"eye{self.kitchen}.motion"


def stove_rules(way: str, number: int) -> list[StoveRule]:
    """So many rules, bound in one of `WAYS`."""
    if way == "own":
        return [StoveRule(f"stove_{nth}", nth) for nth in range(number)]
    if way == "equal":
        return [StoveRule(f"stove_{nth}", 0) for nth in range(number)]
    if way == "pair":
        return [StoveRule(f"stove_{nth}", 0, 1200 + nth) for nth in range(number)]
    stuck_s = 1 if way == "apart" else 0
    return [
        StoveRule(f"stove_{nth}", 0, 1200 + nth, 480 + nth / 4, 3600 + nth * stuck_s, 50 + nth / 4)
        for nth in range(number)
    ]


class Event(NamedTuple):
    """A reading: the stove's power in W, or whether somebody moves."""

    at_ms: int
    point: str
    value: float | bool


def _plug(rng: random.Random, point: str) -> Iterator[Event]:
    """A hot plate on a plug: used for 10 to 90 min, its thermostat off for 30 to 400 s at a time.

    It says what it draws every 5 s while that moves, and at least every 10 min.
    """
    at = START_MS + rng.randrange(600_000)
    while True:
        off_until = at + rng.randrange(600_000, 3_600_000)
        while at < off_until:
            yield Event(at, point, 0.0)
            at += 600_000
        used_until = at + rng.randrange(600_000, 5_400_000)
        while at < used_until:
            heated_until = at + rng.randrange(20_000, 60_000)
            while at < heated_until:
                yield Event(at, point, 1400.0 + rng.randrange(-20, 20))
                at += rng.randrange(4_900, 5_100)
            yield Event(at, point, 0.0)
            at += rng.randrange(30_000, 400_000)


def _eye(rng: random.Random, point: str) -> Iterator[Event]:
    """A motion sensor: somebody is there for 1 to 15 min, then nobody for 1 to 15, now and then for an hour.

    So an alarm is rare, as in a home: what it costs to tell a thousand at once isn't what is asked here.
    """
    at = START_MS + rng.randrange(600_000)
    while True:
        there_until = at + rng.randrange(60_000, 900_000)
        while at < there_until:
            yield Event(at, point, True)
            at += rng.randrange(20_000, 60_000)
            yield Event(at, point, False)
            at += rng.randrange(5_000, 60_000)
        at += 3_600_000 if rng.random() < 0.01 else rng.randrange(60_000, 900_000)


def readings(kitchens: int, number: int, seed: int = 1) -> list[Event]:
    """The first `number` readings of all kitchens together, in order of time."""
    streams = []
    for kitchen in range(kitchens):
        streams.append(_plug(random.Random(f"{seed} plug {kitchen}"), f"stove{kitchen}.power"))
        streams.append(_eye(random.Random(f"{seed} eye {kitchen}"), f"eye{kitchen}.motion"))
    return list(islice(merge(*streams), number))


def turning(events: list[Event]) -> float:
    """The share of readings that are not what their point said before, in the eyes of a rule."""
    seen: dict[str, bool] = {}
    turned = 0
    for _, point, value in events:
        is_so = value > 50 if isinstance(value, float) else value
        turned += seen.get(point) is not is_so
        seen[point] = is_so
    return turned / len(events)


def prepared(argv: Sequence[str]) -> tuple[list[StoveRule], list[Event], list[Event]]:
    """What ``WAY RULES EVENTS`` ask for: the rules, readings to warm up on, and those to measure."""
    rules = stove_rules(argv[1], int(argv[2]))
    kitchens = len({rule.kitchen for rule in rules})
    number = int(argv[3])
    warm = max(number // 4, 40 * kitchens) if number else 0  # by then every stove has been used
    came = readings(kitchens, warm + number)
    return rules, came[:warm], came[warm:]


def resident_mb() -> float:
    """Resident memory of this process (/proc/self/smaps_rollup)."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def home_yaml(rules: list[StoveRule], kitchens: int) -> str:
    """A home.yaml of so many kitchens, with the shipped rule stove_left_on bound as `rules` say."""
    ieee = (":".join(f"{nth:016x}"[i : i + 2] for i in range(0, 16, 2)) for nth in count(1))
    lines = [
        "home: bench",
        "timezone: Europe/Stockholm",
        "radios: {air: {driver: zigbee, port: /dev/ttyUSB0}}",
        "devices:",
    ]
    for kitchen in range(kitchens):
        for name in ("stove", "eye"):
            lines.append(f'  {name}{kitchen}: {{via: air, ieee: "{next(ieee)}", room: kitchen}}')
    if rules:
        lines.append("rules:")
    for rule in rules:
        lines.append(
            f"  - {{use: stove_left_on, as: {rule.name}, "
            f"bind: {{stove: {rule.power}, presence: [{rule.motion}]}}, "
            f"set: {{alone: {rule.alone_s:g} s, cycle: {rule.cycle_s:g} s, stuck: {rule.stuck_s:g} s, "
            f"hot: {rule.hot_w:g} W}}}}"
        )
    return "\n".join(lines) + "\n"
