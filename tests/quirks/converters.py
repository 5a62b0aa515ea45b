"""Writes drivers/zigbee/rows_converters.json: Tuya's devices that zha-quirks doesn't know, from zigbee2mqtt.

zigbee-herdsman-converters says what a data point is called and what becomes of raw values (`converters.cjs`).
Only names whose meaning is beyond doubt are taken, and only with the unit of our kind.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from drivers.zigbee.meanings import meaning_of
from drivers.zigbee.rows import QUIRKS
from tests.quirks.fit import RAW, fit_flags, fit_numbers

VERSION = "26.105.0"
PACKAGE = "zigbee-herdsman-converters"
FILE = QUIRKS.with_name("rows_converters.json")
SCRIPT = Path(__file__).with_suffix(".cjs")
FLAGS = {
    "contact": "contact", "water_leak": "water", "smoke": "smoke", "gas": "gas", "carbon_monoxide": "co",
    "occupancy": "motion", "presence": "motion", "vibration": "vibration", "tamper": "tamper",
}  # fmt: skip
INVERTED = frozenset({"contact"})
"""There true means closed."""
NUMBERS = {
    "temperature": "°C", "humidity": "%", "illuminance": "lx", "battery": "%", "power": "W", "energy": "kWh",
    "current": "A", "voltage": "V",
}  # fmt: skip
_OUTPUT = re.compile(r"(?i)valve|plug|socket|outlet|breaker|relay|meter")
"""Of other devices (fans, wall switches of several keys) one on/off is not all that there is."""
_BED = re.compile(r"(?i)\b(bed|chair|sofa)\b")


def install(home: Path) -> None:
    """Have npm fetch the package into a folder, unless it is there."""
    if (home / f"has-{PACKAGE}-{VERSION}").exists():
        return
    (home / "package.json").write_text('{"private": true}\n')
    how = ["--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", "--loglevel=error"]
    subprocess.run(
        [shutil.which("npm") or "npm", "install", *how, f"{PACKAGE}@{VERSION}"], cwd=home, check=True
    )
    (home / f"has-{PACKAGE}-{VERSION}").touch()


def asked(home: Path) -> Iterable[dict[str, Any]]:
    """What the package says of each device with data points."""
    done = subprocess.run(
        [shutil.which("node") or "node", str(SCRIPT), json.dumps(RAW)],
        env=os.environ | {"NODE_PATH": str(home / "node_modules")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def flag(told: Iterable[tuple[Any, Any]], *, inverted: bool) -> str | None:
    """The meaning of a yes or no; None where it is none."""
    by_bool = {int(raw): said for raw, said in told if isinstance(raw, bool) and isinstance(said, bool)}
    by_number = {raw: said for raw, said in told if not isinstance(raw, bool) and isinstance(said, bool)}
    found = by_number if len(set(by_number.values())) == 2 else by_bool
    if len(set(found.values())) < 2:
        return None
    return fit_flags({raw: said is not inverted for raw, said in found.items()})


def number(told: Iterable[tuple[Any, Any]], *, steps: bool) -> str | None:
    """The meaning of a number; None where it is none."""
    plain = {raw: float(said) for raw, said in told if not isinstance(raw, bool) and _is_number(said)}
    return fit_numbers(plain, steps=steps)


def _is_number(said: object) -> bool:
    return isinstance(said, int | float) and not isinstance(said, bool)


def row_of(device: Mapping[str, Any]) -> dict[str, str]:
    """Place to kind and meaning."""
    points: dict[str, str] = {}
    for point in sorted(device["points"], key=lambda one: int(one["point"])):
        name, told = point["name"], point["told"]
        kind, meaning = None, None
        if name in FLAGS:
            kind = "occupancy" if FLAGS[name] == "motion" and _BED.search(device["what"]) else FLAGS[name]
            meaning = flag(told, inverted=name in INVERTED)
        elif name in NUMBERS and point["unit"] == NUMBERS[name]:
            kind, meaning = name, number(told, steps=name == "battery")
        elif name == "state" and point["switches"] and told[:2] == [[False, "OFF"], [True, "ON"]]:
            found = {word.lower() for word in _OUTPUT.findall(device["what"])}
            kind, meaning = "valve" if "valve" in found else "switch" if found else None, "flag"
        if kind is None or meaning is None or kind in {what.partition(" ")[0] for what in points.values()}:
            continue
        assert meaning_of(meaning) is not None, (device["model"], name, meaning)
        points[f"1/ef00/{int(point['point']):02x}"] = f"{kind} {meaning}".removesuffix(" flag")
    return points


def write(home: Path) -> None:
    """Write the file, and tell what is in it."""
    install(home)
    known = {model for row in json.loads(QUIRKS.read_text(encoding="utf-8")) for model in row["models"]}
    models: dict[str, list[str]] = defaultdict(list)
    told: set[str] = set()
    for device in asked(home):
        points = row_of(device)
        new = [model for model in device["models"] if model not in known and model not in told]
        if not points or not new:
            continue
        told.update(new)
        source = f"{PACKAGE} {VERSION} {device['file']} {device['model']}"
        models[json.dumps({"source": source, "points": points})] += new
    rows = [{"models": sorted(names), **json.loads(text)} for text, names in models.items()]
    rows.sort(key=lambda row: (row["source"], row["models"]))
    FILE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")
    kinds = Counter(what.split()[0] for row in rows for what in row["points"].values() for _ in row["models"])
    print(f"{FILE.name}: {len(rows)} rows for {sum(len(row['models']) for row in rows)} models")
    print(", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
