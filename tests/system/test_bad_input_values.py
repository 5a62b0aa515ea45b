"""Readings that come late, twice or with a value that can't be mislead no rule, and whoever reads sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver
from tests.system.test_bad_input_storage import fault_known, fault_over, stops_in_time
from tests.system.test_node import a_home

pytestmark = needs_mosquitto


LIES = """\
import asyncio
from pathlib import Path
from homenode.config.fields import Field
from homenode.driver import DriverType

VALUES = {
    "good": [21.5, 21.5, 21.5],
    "wrong_type": ["hot", [1], {"a": 1}, True, b"x", 21.5],
    "out_of_range": [1e9, -300, float("nan"), float("inf"), 10**400, 21.5],
    "fault": [None],
}


class Driver:
    def __init__(self, name, options, devices, host):
        self.mood, self.host, self.device = options["mood"], host, devices[0].name

    async def run(self):
        host = self.host
        while not Path(__file__).with_name("begin").exists():
            await asyncio.sleep(0.05)
        if self.mood == "late":
            now = host.now()
            host.heard(self.device, "temperature", 20.0, now - 1000)
            host.heard(self.device, "temperature", 22.0, now)
            await asyncio.sleep(0.3)
            host.heard(self.device, "temperature", 5.0, now - 500)
            host.heard(self.device, "temperature", 6.0, -5)
            host.heard(self.device, "temperature", 7.0, now + 10**12)
        for value in VALUES.get(self.mood, []):
            host.heard(self.device, "temperature", value)
            await asyncio.sleep(0.05)
        if self.mood == "strange":
            host.heard("nobody", "temperature", 1.0)
            host.heard(self.device, "warmth", 1.0)
            host.heard("", "", 1.0)
            host.alive("nobody")
            host.lost("", "", ["nobody"])
            host.back("never lost")
            host.heard(self.device, "temperature", 21.5)
        await asyncio.Event().wait()

    async def switch(self, device, kind, to): ...
    async def pair(self, seconds): ...


DRIVER = DriverType(
    name="liar",
    blind_to="everything",
    radio_fields=(Field("mood", "word", "how it behaves", required=True),),
    device_fields=(),
    kinds=lambda options: ("temperature",),
    open=Driver,
)
"""


def node_with(folder: Path, broker: Mosquitto, mood: str) -> NodeProcess:
    """A node with a thermometer of this mood, and the recorded door with its rule."""
    package = folder / "package"
    info = package / "liar-1.0.dist-info"
    info.mkdir(parents=True)
    (package / "liar.py").write_text(LIES)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: liar\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[homenode.drivers]\nliar = liar:DRIVER\n")
    home = a_home(
        folder,
        broker.port,
        [(0.0, False), (1.5, True)],
        radios=f"  bad: {{driver: liar, mood: {mood}}}",
        devices="  warm: {via: bad, room: hall}",
    )
    return NodeProcess(home, folder / "data", env={"PYTHONPATH": str(package)})


COUNTS = {"wrong_type": 6, "out_of_range": 6, "fault": 1, "strange": 1, "late": 5, "good": 3}


@pytest.mark.parametrize("mood", COUNTS)
def test_what_a_driver_says_wrongly_is_a_fault_and_never_a_value(
    tmp_path: Path, broker: Mosquitto, mood: str
) -> None:
    with Receiver(broker.port, "hn1/test-1/#") as all_of_it, node_with(tmp_path, broker, mood) as node:
        # What is said before the link is up goes out newest first, the rest as historical.
        all_of_it.until(
            lambda seen: any(b.get("online") and not r for _, b, r in list(seen.messages)), "the link"
        )
        (tmp_path / "package" / "begin").touch()
        all_of_it.until(lambda seen: seen.alerts("notified"), "the alert of the door")
        all_of_it.until(lambda seen: len(seen.readings("warm.temperature")) >= COUNTS[mood], "every reading")
        values = [(r["value"], r["quality"], r["how"]) for r in all_of_it.readings("warm.temperature")]
        good = (21.5, "good", "live")
        match mood:
            case "good":
                assert values == [good] * 3
            case "wrong_type" | "out_of_range":
                assert values == [(None, "unknown", "live")] * 5 + [good]
                told = [line for line in node.lines if "the value was not used" in line]
                assert len(told) == 1, told
                fault_over(node, "warm.temperature")
            case "fault":
                assert values == [(None, "unknown", "live")]
                point = {row["point"]: row for row in node.status()["points"]}["warm.temperature"]
                assert (point["shown"], point["quality"]) == ("?", "unknown")
            case "strange":
                assert values == [good]
                fault_known(node, "is not in the table of kinds")
                assert not [topic for topic, _, _ in all_of_it.messages if "nobody" in topic]
                assert len([line for line in node.lines if "not used: from a device" in line]) == 1
            case "late":
                assert [how for value, _, how in values if value in (5.0, 6.0)] == ["historical"] * 2
                shown = {row["point"]: row for row in node.status()["points"]}["warm.temperature"]["shown"]
                assert shown == "7 °C"  # told to be of the future: it counts from when it came
        stops_in_time(node)


def test_readings_out_of_order_and_twice_open_and_close_no_alert(tmp_path: Path, broker: Mosquitto) -> None:
    """The tape says: closed, open, (late) closed before it was opened, open again, open again."""
    home = a_home(tmp_path, broker.port, [])
    # The door opens late enough for a slow machine to have its link: else it is told as historical.
    lines = [("00", False), ("06", True), ("05", False), ("06", True), ("06.5", True), ("04", False)]
    (tmp_path / "tape.jsonl").write_text(
        "".join(
            json.dumps({"at": f"2026-01-05T06:00:{at}+01:00", "point": "door", "value": value}) + "\n"
            for at, value in lines
        )
    )
    with Receiver(broker.port, "hn1/test-1/#") as all_of_it, NodeProcess(home, tmp_path / "data") as node:
        all_of_it.until(lambda seen: len(seen.readings("front_door.contact")) == 6, "every line")
        alert = all_of_it.until(lambda seen: seen.alerts("notified"), "the alert")
        assert len(alert) == 1
        live = [r["value"] for r in all_of_it.readings("front_door.contact") if r["how"] == "live"]
        assert live[-2:] == [True, True]
        assert {row["point"]: row for row in node.status()["points"]}["front_door.contact"]["value"] is True
        assert all_of_it.alerts("resolved") == []
        stops_in_time(node)


def test_a_recording_full_of_garbage_plays_what_can_be_read(tmp_path: Path, broker: Mosquitto) -> None:
    home = a_home(tmp_path, broker.port, [])
    good = '{"at": "2026-01-05T06:00:01+01:00", "point": "door", "value": true}\n'
    (tmp_path / "tape.jsonl").write_bytes(
        b'not JSON\n{"at": 5}\n\xff\xfe\n[]\n'
        + good.replace("true", '"ajar"').encode()
        + good.encode()
        + b'{"at": "2026-01-05T06:00:02+01:00", "point": "do'
    )
    with Receiver(broker.port, "hn1/test-1/#") as all_of_it, NodeProcess(home, tmp_path / "data") as node:
        all_of_it.until(lambda seen: seen.alerts("notified"), "the alert")
        assert "could not be read" in node.until("could not be read")
        stops_in_time(node)
