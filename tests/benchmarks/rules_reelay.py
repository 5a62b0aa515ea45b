"""reelay, monitors of past temporal logic in C++, in a process and an environment of its own.

``python -m tests.benchmarks.rules_reelay WAY RULES EVENTS`` prints JSON. A stove-like rule is a monitor over
dense time; a reading goes to the monitors of its sensor only, which needs a dictionary beside them.
"""

from __future__ import annotations

import gc
import importlib.metadata
import json
import sys
import time
from typing import Any

import reelay

from tests.benchmarks.rules_kitchens import START_MS, Event, StoveRule, prepared, resident_mb


def _monitor(rule: StoveRule) -> Any:
    hot = f"(once[0:{rule.cycle_s:g}]{{power > {rule.hot_w:g}}})"
    return reelay.dense_timed_monitor(
        pattern=f"(historically[0:{rule.alone_s:g}]{hot}) and not (once[0:{rule.alone_s:g}]{{motion: true}})"
    )


def _run(kitchens: dict[str, tuple[dict[str, Any], str, list[Any]]], events: list[Event]) -> int:
    """Feed them all; how many alarms that raised."""
    raised = 0
    for at_ms, point, value in events:
        held, name, monitors = kitchens[point]
        held[name] = value
        held["time"] = (at_ms - START_MS) / 1000 + 1
        for monitor in monitors:
            for change in monitor.update(held):
                raised += change["value"]
    return raised


def main() -> None:
    """Measure."""
    rules, warm, events = prepared(sys.argv)
    kitchens: dict[str, tuple[dict[str, Any], str, list[Any]]] = {}
    for rule in rules:
        if rule.power not in kitchens:
            held: dict[str, Any] = {"power": 0.0, "motion": True}
            monitors: list[Any] = []
            kitchens[rule.power] = held, "power", monitors
            kitchens[rule.motion] = held, "motion", monitors
        kitchens[rule.power][2].append(_monitor(rule))
    said: dict[str, float] = {}
    if events:
        raised = _run(kitchens, warm)
        gc.collect()
        gc.freeze()
        before = time.process_time()
        raised += _run(kitchens, events)
        said["us"] = (time.process_time() - before) / len(events) * 1e6
        end = [
            Event(events[-1].at_ms, point, kitchens[point][0]["power"]) for point in kitchens if ".p" in point
        ]
        said["raised"] = raised + _run(kitchens, end)  # time runs on only in a monitor that is told something
    print(json.dumps({**said, "resident_mb": resident_mb()}))


if __name__ == "__main__":
    if sys.argv[1:] == ["version"]:
        print(importlib.metadata.version("reelay"))
    else:
        main()
