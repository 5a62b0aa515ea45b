"""A month of a busy home through `homenode replay`: 54,000 readings a day, 30 rules.

The readings are made, with the texture of a recorded home of 31,000 a day: three sensors say nearly all,
about once a second for as long as somebody is up, some twenty others a tenth, the rest is rare. The rules are
the shipped ones, each role bound to the next points of its kind, until there are 30 uses.
"""

from __future__ import annotations

import json
import random
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import cycle, islice
from pathlib import Path

from homenode.config.rule_files import find_rule, rule_names
from homenode.kinds import KINDS, Shape
from homenode.language.reader import try_rule
from homenode.language.rule_file import RuleFile

DAYS = 30
A_DAY = 54_000
RULES = 30
FIRST = date(2026, 1, 5)
SHARES = {"stove": 0.44, "hall_eye": 0.27, "washer": 0.16, "others": 0.13}
"""Of the readings by day: of 31,133 rows of the recorded home 44, 27 and 16 % came from three sensors."""
OTHERS = [f"eye{nth}.motion" for nth in range(12)] + [f"door{nth}.contact" for nth in range(10)]
SELDOM_S = 3000
"""How often a sensor checks in, with what may be its last value."""
MANY = 3
"""Points bound to a role that takes a list."""


def _points() -> list[str]:
    """Of the home: the chatty, the others, and two of every kind that nothing else is."""
    named = ["stove.power", "washer.power", "hall_eye.motion", *OTHERS]
    taken = {point.partition(".")[2] for point in named}
    return named + [f"{kind}{nth}.{kind}" for kind in KINDS if kind not in taken for nth in range(2)]


def _uses(rule: RuleFile, points: dict[str, Iterator[str]]) -> str:
    """One use of a rule, its roles bound to the next points of their kinds."""
    bound = []
    for role in rule.roles.values():
        kinds = [kind.name for kind in role.point_kinds if kind.name in points]
        if not kinds:
            continue  # a camera
        if role.many:
            some = dict.fromkeys(islice(points[kinds[0]], MANY))
            bound.append(f"{role.name}: [{', '.join(some)}]")
        else:
            bound.append(f"{role.name}: {next(points[kinds[0]])}")
    return "{" + ", ".join(bound) + "}"


def write_home(folder: Path) -> Path:
    """home.yaml with 30 uses of the shipped rules, evenly chosen if there are more."""
    points = _points()
    by_kind = {kind: cycle([p for p in points if p.endswith(f".{kind}")]) for kind in KINDS}
    rules = []
    for name in rule_names(folder):
        file = find_rule(name, folder)
        assert file is not None
        rule, mistakes = try_rule(file.read_text(), str(file))
        assert rule is not None, mistakes
        rules.append((name, rule))
    used: Counter[str] = Counter()
    lines = [
        "home: busy",
        "timezone: Europe/Stockholm",
        "radios: {air: {driver: zigbee, port: /dev/ttyUSB0}}",
        "devices:",
    ]
    for nth, point in enumerate(points, 1):
        ieee = re.sub("(..)(?!$)", r"\1:", f"{nth:016x}")
        lines.append(f'  {point.partition(".")[0]}: {{via: air, ieee: "{ieee}", room: kitchen}}')
    lines.append("rules:")
    picked = rules if len(rules) < RULES else [rules[nth * len(rules) // RULES] for nth in range(RULES)]
    for name, rule in islice(cycle(picked), RULES):
        used[name] += 1
        bind = _uses(rule, by_kind)
        lines.append(f"  - {{use: {name}, as: {name}_{used[name]}, bind: {bind}}}")
    home = folder / "home.yaml"
    home.write_text("\n".join(lines) + "\n")
    return home


def _value(rng: random.Random, point: str, before: bool | float) -> bool | float:
    """What a point says next: a meter wavers and now and then turns on or off, others turn."""
    if point.endswith(".power"):
        is_on = before > 50 if rng.random() > 0.01 else before <= 50
        return float(rng.randrange(1380, 1420) if is_on else rng.randrange(3))
    return not before if rng.random() < 0.8 else before


def _day(rng: random.Random, values: dict[str, bool | float]) -> Iterator[tuple[int, str]]:
    """Instants within the day in ms, and what speaks: from 7 to 23, and every sensor now and then."""
    chatty = ["stove.power", "hall_eye.motion", "washer.power", ""]
    number = A_DAY - 86_400 // SELDOM_S * len(values)
    at_s, mean_s = 7 * 3600.0, 16 * 3600 / number
    for point in rng.choices(chatty, list(SHARES.values()), k=number):
        at_s += rng.expovariate(1 / mean_s)
        yield int(at_s * 1000), point or rng.choice(OTHERS)
    for point in values:
        offset_s = rng.randrange(SELDOM_S)
        for nth in range(86_400 // SELDOM_S):
            yield (offset_s + nth * SELDOM_S) * 1000, point


def write_recording(folder: Path) -> tuple[Path, int]:
    """The month as JSON lines, and how many there are."""
    rng = random.Random(1)
    values: dict[str, bool | float] = {
        point: 20.0 if KINDS[point.partition(".")[2]].shape is Shape.NUMBER else point.endswith(".mains")
        for point in _points()
    }
    lively = {point for point in values if point.endswith((".power", ".motion", ".contact"))}
    file = folder / "month.jsonl"
    lines = 0
    with file.open("w") as out:
        for nth in range(DAYS):
            day = str(FIRST + timedelta(days=nth))
            for at_ms, point in sorted(_day(rng, values)):
                if point in lively and at_ms >= 7 * 3_600_000:
                    values[point] = _value(rng, point, values[point])
                minutes, ms = divmod(at_ms, 60_000)
                at = f"{day}T{minutes // 60:02}:{minutes % 60:02}:{ms / 1000:06.3f}+01:00"
                value = str(values[point]).lower()
                out.write(f'{{"at": "{at}", "point": "{point}", "value": {value}}}\n')
                lines += 1
    return file, lines


def month(folder: Path) -> None:
    """Replay it and print what that took."""
    home = write_home(folder)
    file, lines = write_recording(folder)
    command = [sys.executable, "-m", "homenode.cli", "replay", str(home), str(file), "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    took_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ran.returncode:
        print(f"replay: {ran.stderr}")
        return
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    events = Counter(json.loads(line)["event"] for line in ran.stdout.splitlines())
    print(
        f"\n{DAYS} days, {lines:,} readings, {RULES} rules: {used_s:.1f} s CPU, {took_s:.1f} s in all, "
        f"{used_s / lines * 1e6:.1f} µs a reading; {events['raised']} alerts, {events.total()} transitions"
    )


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        month(Path(name))
