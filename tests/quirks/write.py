"""Writes drivers/zigbee/rows_quirks.json; runs inside .quirks/ (see `__main__`)."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.quirks import bench, probes
from tests.quirks.bench import Quirk, Watched
from tests.quirks.fit import fit_flags, fit_numbers
from tests.quirks.points import BOOLEANS, ZONE_KINDS, Told, entities, told

FILE = Path(__file__).parents[2] / "drivers/zigbee/rows_quirks.json"
THESE = ("tuya/", "xiaomi/")
"""Makers whose devices speak ways of their own; of the others only what they get wrong by the standard."""
NO_ROWS = ("tuya/ts0601_cover.py", "tuya/ts0601_garage.py", "tuya/ts0601_dimmer.py", "tuya/tuya_repeater.py",
           "tuya/tuya_fingerbot.py", "tuya/ts1201.py", "xiaomi/aqara/feeder_acn001.py",
           "xiaomi/aqara/driver_curtain_e1.py")  # fmt: skip
"""Covers, garage doors, dimmers, repeaters, finger bots, infrared: nothing of it is a point."""
STANDARD = {
    "0001/0021": ("battery", "half"), "0402/0000": ("temperature", "hundredth"),
    "0405/0000": ("humidity", "hundredth"), "0400/0000": ("illuminance", "lux"),
    "0406/0000": ("motion", "bit0"),
}  # fmt: skip
"""What the standard says of an attribute by itself."""
Pairs = dict[tuple[str, str], dict[int, Any]]
"""(place, kind) to raw value and value of the point."""
left_out: Counter[str] = Counter()


def row_of(quirk: Quirk, watched: Watched) -> dict[str, Any]:
    """What is special about a model, as a row has it; empty if nothing is."""
    metadata = entities(quirk.entry)
    air = _on_the_air(quirk)
    pairs: Pairs = defaultdict(dict)
    order: dict[tuple[str, str], tuple[int, int, int]] = {}
    clears: dict[str, int] = {}
    asked = list(probes.tuya_points(watched))
    if quirk.file.startswith("xiaomi/"):
        asked += [*probes.xiaomi_attributes(watched), *probes.standard_attributes(watched, air)]
    answered: set[str] = set()
    for probe in asked:
        for update in watched.feed(probe.endpoint, probe.cluster, probe.frame):
            found = told(watched, quirk.file, metadata, update)
            if found is None:
                continue
            answered.add(probe.where)
            pairs[probe.where, found.kind].setdefault(probe.raw, found.value)
            order.setdefault((probe.where, found.kind), found.order)
            _clears(watched, found, update.endpoint, update.cluster, clears)
    points = _points(quirk, pairs, order)
    row: dict[str, Any] = {}
    given = _given(points)
    if given:
        row["points"] = given
    ignored = {kind for where, (kind, _) in _standard_places(air) if where not in answered}
    without = ({kind.partition("_")[0] for kind, _ in (_kind(what) for what in given.values())} | ignored) & {
        kind for _, (kind, _) in _standard_places(air)
    }
    if without and quirk.file.startswith("xiaomi/"):
        row["without"] = sorted(without)
    if zone := _zone(quirk, watched, air, {what.partition(" ")[0] for what in given.values()}):
        row["zone"] = zone
    kinds = {what.partition(" ")[0] for what in given.values()} | set(row.get("zone", ()))
    if kept := {kind: after for kind, after in clears.items() if kind in kinds}:
        row["clears"] = kept
    return row


def _on_the_air(quirk: Quirk) -> dict[int, set[int]]:
    rows = (quirk.signature or {}).items()
    return {number: {int(one) for one in row.get("input_clusters", ())} for number, row in rows}


def _standard_places(air: dict[int, set[int]]) -> Iterable[tuple[str, tuple[str, str]]]:
    for endpoint, clusters in air.items():
        for place, what in STANDARD.items():
            if int(place[:4], 16) in clusters:
                yield f"{endpoint}/{place}", what


def _kind(what: str) -> tuple[str, str]:
    kind, _, meaning = what.partition(" ")
    return kind, meaning


def _clears(watched: Watched, found: Told, endpoint: int, cluster: int, clears: dict[str, int]) -> None:
    reset_s = getattr(watched.cluster(endpoint, cluster), "reset_s", None)
    if reset_s and found.value is True and found.kind in ("motion", "vibration"):
        clears[found.kind] = min(int(reset_s), clears.get(found.kind, int(reset_s)))


def _points(
    quirk: Quirk, pairs: Pairs, order: dict[tuple[str, str], tuple[int, int, int]]
) -> dict[str, tuple[str, str]]:
    """Place to kind and meaning; of two kinds at one place the one that is an alarm."""
    points: dict[str, tuple[str, str]] = {}
    for where, kind in sorted(pairs, key=lambda one: (one[1] not in BOOLEANS, order[one], one[0])):
        found = pairs[where, kind]
        if kind in BOOLEANS:
            meaning = fit_flags(found, hazard=kind != "motion")
        else:
            meaning = fit_numbers(found, steps=kind == "battery")
        why = "no meaning fits" if meaning is None else "second kind" if where in points else ""
        if _shared_zone(order, where, kind):
            why = "two data points set one zone, and only one of them is what the zone says"
        if why or meaning is None:
            left_out[f"{quirk.file}: {kind} at {where}: {why}"] += 1
            continue
        points[where] = (kind, meaning)
    seen = [where for where, (kind, _) in points.items() if kind == "motion" and "/fcc0/" in where]
    for where in seen:  # of presence and an event of moving the one that is a state
        if len(seen) > 1 and order[where, "motion"][1] != 0x0406:
            del points[where]
    return _numbered(points, order)


def _shared_zone(order: dict[tuple[str, str], tuple[int, int, int]], where: str, kind: str) -> bool:
    at = order[where, kind]
    tuya = where.partition("/")[2].startswith("ef00")
    return tuya and at[1:] == (0x0500, 2) and sum(one == at for one in order.values()) > 1


def _numbered(
    points: dict[str, tuple[str, str]], order: dict[tuple[str, str], tuple[int, int, int]]
) -> dict[str, tuple[str, str]]:
    """The second quantity of a kind is KIND_2; two places that set the same attribute are one quantity."""
    names: dict[tuple[str, tuple[int, int, int]], str] = {}
    count: Counter[str] = Counter()
    for where, (kind, _) in sorted(points.items(), key=lambda one: order[one[0], one[1][0]]):
        at = order[where, kind]
        if not where.partition("/")[2].startswith("ef00"):  # a Xiaomi device tells one quantity in many ways
            at = (0, 0, 0)
        if (kind, at) not in names:
            count[kind] += 1
            names[kind, at] = kind if count[kind] == 1 else f"{kind}_{count[kind]}"
    renamed = {}
    for where, (kind, meaning) in points.items():
        at = order[where, kind]
        if (kind, at) not in names:
            at = (0, 0, 0)
        renamed[where] = (names[kind, at], meaning)
    return renamed


def _given(points: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Without what the standard says anyhow, unless another place tells the same kind."""
    own = {kind for where, (kind, _) in points.items() if where.partition("/")[2] not in STANDARD}
    given = {}
    for where, (kind, meaning) in points.items():
        plain = STANDARD.get(where.partition("/")[2])
        if plain is not None and _same(plain, kind, meaning) and kind not in own:
            continue
        given[where] = (
            f"{kind} {plain[1] if plain and _same(plain, kind, meaning) else meaning}".removesuffix(" flag")
        )
    return dict(sorted(given.items()))


def _same(plain: tuple[str, str], kind: str, meaning: str) -> bool:
    same = {"half": "by 2", "hundredth": "by 100", "lux": "lux", "bit0": "flag"}
    return plain[0] == kind and meaning in (plain[1], same[plain[1]])


def _zone(quirk: Quirk, watched: Watched, air: dict[int, set[int]], given: set[str]) -> dict[str, str]:
    """What the quirk says the zone is, where the device really tells a zone's status."""
    if not quirk.file.startswith("xiaomi/"):
        return {}
    for cluster in watched.clusters(0x0500):
        endpoint = cluster.endpoint.endpoint_id
        kind = ZONE_KINDS.get(int(watched.constant(endpoint, 0x0500, 1) or 0))
        local = any(one.__name__ == "LocalDataCluster" for one in type(cluster).__mro__)
        if kind and kind not in given and (not local or 0x0500 in air.get(endpoint, ())):
            return {kind: "alarm 1"}
    return {}


SCALES = {"energy": (0x0702, 0x0301), "power": (0x0B04, 0x0604), "current": (0x0B04, 0x0602),
          "voltage": (0x0B04, 0x0600)}  # fmt: skip


def corrections(quirk: Quirk, watched: Watched) -> dict[str, Any]:
    """Where a device that follows the standard doesn't: a zone's type, a scale, whole percents."""
    row: dict[str, Any] = {}
    air = _on_the_air(quirk)
    for cluster in watched.clusters(0x0500):
        endpoint = cluster.endpoint.endpoint_id
        kind = ZONE_KINDS.get(int(watched.constant(endpoint, 0x0500, 1) or 0))
        local = any(one.__name__ == "LocalDataCluster" for one in type(cluster).__mro__)
        if kind and not local and 0x0500 in air.get(endpoint, ()):
            row["zone"] = {kind: "any" if kind in ("motion", "vibration", "contact") else "alarm 1"}
        if (reset_s := getattr(cluster, "reset_s", None)) and 0x0500 in air.get(endpoint, ()):
            row["clears"] = {"motion": int(reset_s)}
    battery = {
        probe.raw: found.value
        for probe in probes.standard_attributes(watched, air)
        if probe.cluster == 0x0001
        for update in watched.feed(probe.endpoint, probe.cluster, probe.frame)
        if (found := told(watched, quirk.file, {}, update)) is not None
    }
    meaning = fit_numbers(battery)
    if meaning not in (None, "by 2"):
        row["meanings"] = {"battery": meaning}
    for kind, (identifier, attribute) in SCALES.items():
        for cluster in watched.clusters(identifier):
            endpoint = cluster.endpoint.endpoint_id
            by = [watched.constant(endpoint, identifier, attribute + n) for n in (0, 1)]
            if any(by) and identifier in air.get(endpoint, ()):
                row.setdefault("scale", {})[kind] = [int(one or 1) for one in by]
    return row


async def collect(version: str) -> list[dict[str, Any]]:
    """All rows; models with the same row share it."""
    bench.prepare()
    rows: dict[str, list[str]] = defaultdict(list)
    found: dict[str, dict[str, Any]] = {}
    files: dict[str, str] = {}
    refused: set[str] = set()
    known: dict[tuple[int, str], dict[str, Any]] = {}
    for quirk in bench.quirks():
        if quirk.file in NO_ROWS:
            continue
        model = f"{quirk.manufacturer}/{quirk.model}"
        watched = bench.watched(quirk)
        same = (id(quirk.entry), "" if quirk.file.startswith("tuya/") else model)
        if same not in known:
            read = row_of if quirk.file.startswith(THESE) else corrections
            known[same] = read(quirk, watched) if watched is not None else {}
        row = known[same]
        if watched is None:
            left_out[f"{quirk.file}: {model} can't be put over a device"] += 1
        if not row:
            continue
        before = found.setdefault(model, row)
        files[model] = quirk.file
        if before != row and {**before.get("points", {}), **row.get("points", {})} != before.get("points"):
            if any(before.get("points", {}).get(k, v) != v for k, v in row.get("points", {}).items()):
                refused.add(model)
            else:
                found[model] = {
                    **row,
                    **before,
                    "points": {**row.get("points", {}), **before.get("points", {})},
                }
    for model in refused:
        left_out[f"{files[model]}: {model} has quirks that contradict each other"] += 1
        del found[model]
    for model, row in found.items():
        row = {key: value for key, value in row.items() if value}
        rows[json.dumps({"source": f"zha-quirks {version} {files[model]}", **row})].append(model)
    return sorted(({"models": sorted(models), **json.loads(text)} for text, models in rows.items()),
                  key=lambda row: (row["source"], row["models"]))  # fmt: skip


def main() -> int:
    """Write the file, and tell what is in it and what was left out."""
    rows = asyncio.run(collect(sys.argv[1]))
    FILE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")
    for what, count in sorted(left_out.items()):
        print(f"left out: {what}" + (f" ({count} times)" if count > 1 else ""))
    kinds = Counter(
        what.partition(" ")[0].partition("_")[0]
        for row in rows
        for what in {*row.get("points", {}).values(), *row.get("zone", ())}
        for _ in row["models"]
    )
    print(f"{FILE.name}: {len(rows)} rows for {sum(len(row['models']) for row in rows)} models")
    print(", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
