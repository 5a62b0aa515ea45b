"""A day of each recorded home through the live path: recording → node → journal → mosquitto → subscriber.

What the recording says of shared points goes out, each line once.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from homenode.recordings import Recorded, Recording
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver

pytestmark = needs_mosquitto

SHARED = Path(__file__).parents[3] / "shared/data"
DAY = timedelta(days=1)


def _recording(folder: str, pattern: str) -> Path:
    found = sorted((SHARED / folder).glob(pattern))
    if not found:
        pytest.skip(f"no recording {pattern} at {SHARED / folder}")
    return found[0]


def _busiest_day(file: Path) -> tuple[datetime, list[Recorded]]:
    """The day with the most lines, and what it says."""
    days: Counter[int] = Counter(line.wall_ms // 86_400_000 for line in Recording(file))
    day = days.most_common(1)[0][0]
    lines = [line for line in Recording(file) if line.wall_ms // 86_400_000 == day]
    return datetime.fromtimestamp(day * 86_400, UTC), lines


def _home(folder: Path, url: str, file: Path, begin: datetime, lines: list[Recorded]) -> Path:
    sensors = {line.source: line.value for line in lines}
    names = {source: f"s{number}" for number, source in enumerate(sensors)}
    kinds = {source: "contact" if isinstance(value, bool) else "power" for source, value in sensors.items()}
    home = folder / "home.yaml"
    home.write_text(
        "home: tape-1\ntimezone: UTC\n"
        f'broker: {{url: "{url}"}}\nclock: {{trust: always}}\n'
        f"radios: {{tape: {{driver: recording, file: {json.dumps(str(file))}, pace: fast,"
        f' from: "{begin:%Y-%m-%d}", for: 1 d}}}}\n'
        "devices:\n"
        + "".join(
            f"  {names[source]}: {{via: tape, sensor: {json.dumps(source)}, kind: {kind}, room: home}}\n"
            for source, kind in kinds.items()
        )
        + 'share: {care: ["*.*"]}\n'
    )
    return home


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [
        ("homes", "houseA.events*"),
        ("homes", "houseB.events*"),
        ("homes", "houseD.events*"),
        ("power", "stove*"),
        ("power", "kettle*"),
        ("whole-home", "UKDALE*"),
        ("load", "1-13*"),
    ],
)
def test_a_day_goes_through_without_loss(tmp_path: Path, folder: str, pattern: str) -> None:
    file = _recording(folder, pattern)
    begin, lines = _busiest_day(file)
    with (
        Mosquitto(tmp_path / "broker", persistent=False) as broker,
        Receiver(broker.port, "hn1/tape-1/care/#") as receiver,
    ):
        home = _home(tmp_path, broker.url, file, begin, lines)
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
