"""The examples of the AsyncAPI document: what a node says in an afternoon, by its own code.

``python -m tests.unit.contract_examples`` writes them. Names, times and values are made up.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from homenode.config.model import PARTIES
from homenode.config.registry import driver_types
from homenode.contract import status, topics
from homenode.contract.document import EXAMPLES, schemas
from homenode.contract.reading import as_historical
from homenode.delivery.exporting import discoveries
from homenode.gateway.load import load
from homenode.home import HomeState
from tests.contract import CONTRACT
from tests.unit.flow import ZONE, Run
from tests.unit.flow_home import MIN, START, Day, Input

HOME = """\
home: vaxjo-0412
timezone: Europe/Stockholm
language: sv
radios:
  tape: {driver: recording, file: tape.jsonl}
devices:
  stove: {via: tape, sensor: a, kind: power, room: kitchen, stale_after: 1 h}
  kitchen_eye: {via: tape, sensor: b, kind: motion, room: kitchen, stale_after: 4 h}
  sink: {via: tape, sensor: c, kind: water, room: kitchen, stale_after: 4 h}
rules:
  - {use: stove_left_on, bind: {stove: stove.power, presence: [kitchen_eye.motion]}, set: {alone: 15 min}}
  - {use: water_leak, bind: {water: [sink.water]}}
share: {care: [stove.power], property: [sink.water]}
"""


def afternoon() -> Day:
    """A stove that is left on, a leak, a sensor that fails, and somebody who takes care."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "home.yaml").write_text(HOME)
        (Path(folder) / "tape.jsonl").touch()
        loaded = load(Path(folder) / "home.yaml", driver_types())
    stove, eye, sink = "stove.power", "kitchen_eye.motion", "sink.water"
    inputs = [
        Input(1_000, "reading", (eye, True)), Input(2_000, "reading", (sink, False)),
        Input(3_000, "reading", (stove, 1420)), Input(4_000, "reading", (eye, False)),
        *(Input(nth * MIN, "reading", (stove, 1420)) for nth in range(1, 21)),
        Input(21 * MIN, "ack", ("care", "stove_left_on", "Eva")), Input(22 * MIN, "reading", (stove, 0)),
        Input(40 * MIN, "reading", (sink, True)), Input(42 * MIN, "ack", ("operator", "stove_left_on", "Bo")),
        Input(50 * MIN, "reading", (sink, None)), Input(52 * MIN, "fault", ("radio", True, "radio gone")),
        Input(55 * MIN, "well", ("radio",)),
    ]  # fmt: skip
    limits_ms = {"stove": 60 * MIN, "kitchen_eye": 240 * MIN, "sink": 240 * MIN}
    day = [one._replace(at=START + one.at) for one in inputs]
    return Day(loaded.home, loaded.rules, limits_ms, tuple(day))


FIGURES = {
    "slot": "A",
    "model": "Raspberry Pi 4 Model B Rev 1.5",
    "kernel": "6.12.48+deb13-arm64",
    "restarts": 0,
    "card_worn_pct": 10,
    "card_worn_by": "device",
    "card_spare": "normal",
    "card_errors": 0,
    "temperature_c": 50,
    "undervoltage": None,
    "clock": "synchronised",
    "clock_by": "chrony",
    "clock_error_ms": 100,
    "certificate_until": "2026-12-01T12:00:00.000+00:00",
    "memory_free_pct": 70,
    "disk_free_pct": 90,
    "booted": "2026-01-01T02:00:00.000+00:00",
    "started": "2026-01-01T02:00:21.000+00:00",
    "gaps": 1,
    "radios": {"zigbee": True},
    "devices": 3,
    "silent": 0,
    "blind": 0,
    "configuration": 7,
}
"""Of a node that is well; null is what nothing tells."""


def examples() -> dict[str, list[Any]]:
    """By the name of their schema, one of each type."""
    day = afternoon()
    home, at = day.home.home, ZONE.text(START)
    run = Run(day)
    told = [message for party in run.got.values() for message in party]
    well = run.judge.delivery.figures(FIGURES, START)
    told.append((well.topic, well.payload, True))
    told += [(topics.link(home), status.link_payload(online, at), True) for online in (True, False)]
    late = next(payload for topic, payload, _ in told if topic.endswith("/stove/power"))
    told.append((topics.reading(home, "care", "stove.power"), as_historical(late), False))
    for topic, payload in discoveries(
        replace(day.home, exports={"homeassistant": "homeassistant"}), HomeState()
    ).items():
        told.append((topic, payload, True))
    for party in PARTIES:
        asked = {
            "id": "17",
            "do": "acknowledge",
            "expires": at,
            "by": "Eva",
            "args": {"alert": f"stove_left_on:{START}"},
        }
        told.append((topics.command(home, party), json.dumps(asked).encode(), False))
    found: dict[str, dict[str, Any]] = {name: {} for name in schemas() if "sealed" not in name}
    for topic, payload, retain in told:
        assert not CONTRACT.why_not(topic, payload, retain=retain)
        body = json.loads(payload)
        kind = body.get("type") or [body.get(name) for name in ("ok", "online", "quality")] + [
            bool(body.get("open")),
            len(body.get("health", "")) > 1,
        ]
        found[CONTRACT.name_of(topic, retain=retain)].setdefault(str(kind), body)
    return {name: list(bodies.values()) for name, bodies in found.items()}


def text() -> str:
    """As the file holds them."""
    return json.dumps(examples(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    EXAMPLES.write_text(text())
