"""Our engine in a process of its own: ``python -m tests.benchmarks.rules_engine WAY RULES EVENTS``.

Fed as `homenode replay` and the judge do: all time before a reading passes, then the reading is taken.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from homenode.config.load import load_home
from homenode.config.registry import driver_types
from homenode.engine import Engine, Happening, Transition, WallClock
from homenode.errors import FileMistakes
from homenode.home import silence_limits
from homenode.language.checking import check_rules
from homenode.reading import Reading
from tests.benchmarks.rules_kitchens import KITCHENS, START_MS, home_yaml, prepared, resident_mb


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
    """Feed them all; how many alerts that raised."""
    told: list[Transition] = []
    for event in events:
        told += engine.advance(event.at - 1)
        engine.feed(event)
    told += engine.advance(events[-1].at)
    return sum(change.event is Happening.RAISED for change in told)


def main() -> None:
    """Measure; without readings, the memory of a home with a thousand kitchens and so many rules."""
    rules, warm, events = prepared(sys.argv)
    if not events:
        engine = engine_of(home_yaml(rules, KITCHENS))
        gc.collect()
        traced_mb = tracemalloc.get_traced_memory()[0] / 1e6
        print(json.dumps({"resident_mb": resident_mb(), "traced_mb": traced_mb}))
        assert len(engine.rules) == len(rules)
        return
    engine = engine_of(home_yaml(rules, len({rule.kitchen for rule in rules})))
    before_them, fed = ([Reading(point, value, at) for at, point, value in part] for part in (warm, events))
    raised = run(engine, before_them)
    gc.collect()
    gc.freeze()  # as a node does once it has started
    before = time.process_time()
    raised += run(engine, fed)
    us = (time.process_time() - before) / len(events) * 1e6
    print(json.dumps({"us": us, "raised": raised}))


if __name__ == "__main__":
    main()
