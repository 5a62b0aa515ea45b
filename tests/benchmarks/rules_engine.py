"""Our engine in a process of its own: ``python -m tests.benchmarks.rules_engine WAY RULES EVENTS``.

Fed as `homenode replay` and the judge do: all time before a reading passes, then the reading is taken.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from pathlib import Path

from homenode.config.load import load_home
from homenode.config.registry import driver_types
from homenode.engine import Engine, WallClock
from homenode.errors import FileMistakes
from homenode.home import silence_limits
from homenode.language.checking import check_rules
from homenode.reading import Reading
from tests.benchmarks.rules_kitchens import START_MS, home_yaml, readings, stove_rules


def engine_of(text: str) -> Engine:
    """The engine of a home.yaml, made as replay makes it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "home.yaml")
        file.write_text(text)
        home = load_home(file, files=False)
        rules, mistakes = check_rules(home)
    if mistakes:
        raise FileMistakes(mistakes)
    points = {point for rule in rules for point in rule.points}
    limits_ms = silence_limits(home.devices.values(), points, driver_types())
    return Engine(rules, limits_ms, start=START_MS, modes=home.modes, wall=WallClock(home.timezone))


def run(engine: Engine, events: list[Reading]) -> int:
    """Feed them all; how many transitions that gave."""
    told = 0
    for event in events:
        told += len(engine.advance(event.at - 1))
        engine.feed(event)
    return told + len(engine.advance(events[-1].at))


def main() -> None:
    """Measure: the first fifth of the readings only warms up."""
    way, number, events = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rules = stove_rules(way, number)
    engine = engine_of(home_yaml(rules))
    came = readings(len({rule.kitchen for rule in rules}), events + events // 4)
    fed = [Reading(point, value, at_ms) for at_ms, point, value in came]
    run(engine, fed[: events // 4])
    gc.collect()
    gc.freeze()  # as a node does once it has started
    before = time.process_time()
    told = run(engine, fed[events // 4 :])
    used_s = time.process_time() - before
    print(json.dumps({"us": used_s / events * 1e6, "told": told}))


if __name__ == "__main__":
    main()
