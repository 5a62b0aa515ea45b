"""A day of each recorded home through the live path: recording → node → journal → mosquitto → subscriber.

What the recording says of shared points goes out, each line once. Of plugs, which speak each few seconds, it
is a quarter of a day, and the whole one in `make soak`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from homenode.recordings import Recorded, Recording
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver

pytestmark = needs_mosquitto

SHARED = Path(__file__).parents[3] / "shared/data"


def _recording(folder: str, pattern: str) -> Path:
    found = sorted((SHARED / folder).glob(pattern))
    if not found:
        pytest.skip(f"no recording {pattern} at {SHARED / folder}")
    return found[0]


def _busiest(file: Path, hours: int) -> tuple[datetime, list[Recorded]]:
    """The day, or the part of one, with the most lines, and what it says."""
    part_ms = hours * 3_600_000
    parts: Counter[int] = Counter(line.wall_ms // part_ms for line in Recording(file))
    part = parts.most_common(1)[0][0]
    lines = [line for line in Recording(file) if line.wall_ms // part_ms == part]
    return datetime.fromtimestamp(part * part_ms / 1000, UTC), lines


def _home(folder: Path, url: str, file: Path, begin: datetime, hours: int, lines: list[Recorded]) -> Path:
    sensors = {line.source: line.value for line in lines}
    names = {source: f"s{number}" for number, source in enumerate(sensors)}
    kinds = {source: "contact" if isinstance(value, bool) else "power" for source, value in sensors.items()}
    home = folder / "home.yaml"
    home.write_text(
        "home: tape-1\ntimezone: UTC\n"
        f'broker: {{url: "{url}"}}\nclock: {{trust: always}}\n'
        f"radios: {{tape: {{driver: recording, file: {json.dumps(str(file))}, pace: fast,"
        f' from: "{begin:%Y-%m-%d %H:%M}", for: {hours} h}}}}\n'
        "devices:\n"
        + "".join(
            f"  {names[source]}: {{via: tape, sensor: {json.dumps(source)}, kind: {kind}, room: home}}\n"
            for source, kind in kinds.items()
        )
        + 'share: {care: ["*.*"]}\n'
    )
    return home


PLUGS = [("power", "stove*"), ("power", "kettle*"), ("load", "1-13*")]


@pytest.mark.parametrize(
    ("folder", "pattern", "hours"),
    [
        ("homes", "houseA.events*", 24),
        ("homes", "houseB.events*", 24),
        ("homes", "houseD.events*", 24),
        ("whole-home", "UKDALE*", 24),
        *((*plug, 6) for plug in PLUGS),
        *(pytest.param(*plug, 24, marks=pytest.mark.soak) for plug in PLUGS),
    ],
)
def test_a_day_goes_through_without_loss(tmp_path: Path, folder: str, pattern: str, hours: int) -> None:
    file = _recording(folder, pattern)
    begin, lines = _busiest(file, hours)
    with (
        Mosquitto(tmp_path / "broker", persistent=False) as broker,
        Receiver(broker.port, "hn1/tape-1/care/#") as receiver,
    ):
        home = _home(tmp_path, broker.url, file, begin, hours, lines)
        with NodeProcess(home, tmp_path / "data") as node:
            played = re.search(r"played (\d+) readings", node.until("played "))
            assert played is not None
            assert int(played[1]) == len(lines)
            receiver.until(
                lambda it: len(it.messages) >= len(lines) and len(_said(it)) >= len(lines),
                f"{len(lines)} readings",
                within_s=120.0,
            )
            assert node.stop() == 0
    said = _said(receiver)
    assert len(said) == len(lines)
    names = {source: f"s{number}" for number, source in enumerate(dict.fromkeys(x.source for x in lines))}
    heard = Counter((device, body["value"]) for device, body in said)
    assert heard == Counter((names[line.source], line.value) for line in lines)
    live: dict[str, str] = {}
    for device, body in said:
        if body["how"] == "live":  # what waited longer than that is told as historical, in any order
            assert str(body["at"]) >= live.get(device, "")
            live[device] = str(body["at"])


def _said(receiver: Receiver) -> list[tuple[str, dict[str, object]]]:
    return [
        (topic.split("/")[4], body)
        for topic, body, retained in list(receiver.messages)
        if "/readings/" in topic and not retained
    ]
