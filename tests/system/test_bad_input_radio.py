"""A radio that isn't there, is taken or hears garbage, and devices nobody named: told, and no more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.disks import memory, must
from tests.system.nodes import NodeProcess, Receiver
from tests.system.test_bad_input_storage import fault_known, fault_over, status_says, stops_in_time
from tests.system.test_node import a_home
from tests.system.test_sim_run import Apartment, apartment

pytest.importorskip("bellows", reason="the extra zigbee is not installed")
pytestmark = needs_mosquitto

STOVE = """\
rule: stove_hot
version: 1
severity: warning
to: [care]
grace: 2 s
roles:
  stove: {kind: power}
when: stove > 50 W
steps:
  - {after: 0 s, do: notify}
says: {sv: "Spisen är varm", en: "The stove is hot"}
"""
PLUG = "00:15:8d:00:02:aa:bb:01"
APARTMENT = f"""
timezone: Europe/Stockholm
pairing: open
zigbee:
  stove:   {{model: plug, ieee: "{PLUG}", room: kitchen}}
  door:    {{model: contact, ieee: "00:15:8d:00:02:aa:bb:02", room: hall}}
  visitor: {{model: thermometer, ieee: "00:15:8d:00:02:aa:bb:03", room: hall}}
"""


def home_on(folder: Path, broker: Mosquitto, port: str, *more: str) -> Path:
    """A recorded door with its rule, and a stove behind a stick at `port` with its own."""
    devices = [f'  stove: {{via: stick, ieee: "{PLUG}", room: kitchen}}', *more]
    home = a_home(
        folder,
        broker.port,
        [(0.0, False), (1.0, True)],
        radios=f"  stick: {{driver: zigbee, port: {port!r}}}",
        devices="\n".join(devices),
    )
    (folder / "rules" / "stove_hot.yaml").write_text(STOVE)
    text = home.read_text()
    home.write_text(text.replace("\nshare:", "\n  - {use: stove_hot, bind: {stove: stove.power}}\nshare:"))
    return home


@pytest.mark.parametrize(
    ("port", "told", "do"),
    [
        ("/dev/serial/by-id/usb-none", "there is no such port", "plug the stick in"),
        ("{folder}/home.yaml", "is not a serial port", "/dev/serial/by-id/"),
        ("/dev/null", "is not a serial port", "/dev/serial/by-id/"),
        ("socket://127.0.0.1:1", "can't be opened", "host and port"),
        ("socket://nowhere.invalid:6638", "can't be opened", "host and port"),
    ],
)
def test_a_port_that_is_none_is_told_the_rule_is_blind_and_the_other_is_not(
    tmp_path: Path, broker: Mosquitto, port: str, told: str, do: str
) -> None:
    home = home_on(tmp_path, broker, port.format(folder=tmp_path))
    with Receiver(broker.port, "hn1/test-1/#") as all_of_it, NodeProcess(home, tmp_path / "data") as node:
        all_of_it.until(lambda seen: seen.alerts("notified"), "the alert of the door")
        fault_known(node, "blind: stove.power")
        line = node.until("lost")
        assert told in line
        assert do in line
        driver = node.status()["drivers"]["stick"]
        assert told in driver
        assert told in node.ask("status").stdout
        assert node.ask("pair", "--for", "1min").returncode == 1
        stops_in_time(node)


def test_care_and_the_operator_are_told_of_a_blind_rule_within_a_minute_and_a_bit(
    tmp_path: Path, broker: Mosquitto
) -> None:
    home = home_on(tmp_path, broker, "/dev/serial/by-id/usb-none")
    with Receiver(broker.port, "hn1/test-1/#") as all_of_it, NodeProcess(home, tmp_path / "data") as node:

        def told(seen: Receiver) -> set[str]:
            return {topic.split("/")[2] for topic, body, _ in seen.messages if "blind: stove" in str(body)}

        all_of_it.until(lambda seen: told(seen) >= {"care", "operator"}, "blindness", within_s=100)
        stops_in_time(node)


@contextmanager
def flat(folder: Path, broker: Mosquitto, *more: str) -> Iterator[tuple[Apartment, NodeProcess, Receiver]]:
    """The simulated apartment, and a node that the stove and the door have joined."""
    with apartment(folder, "--pty", str(folder / "stick"), text=APARTMENT) as sim:
        door = '  door: {via: stick, ieee: "00:15:8d:00:02:aa:bb:02", room: hall}'
        home = home_on(folder, broker, str(folder / "stick"), door, *more)
        with Receiver(broker.port, "hn1/test-1/#") as all_of_it, NodeProcess(home, folder / "data") as node:
            node.until("network up")
            paired = node.ask("pair", "--for", "3min")
            assert paired.returncode == 0, paired.stderr
            sim.do("join stove door visitor")
            node_knows(node, "stove.power", "door.contact")
            yield sim, node, all_of_it


def node_knows(node: NodeProcess, *points: str) -> None:
    """Wait until these points have a value that may be believed."""
    good = lambda known: {row["point"] for row in known["points"] if row["quality"] == "good"}  # noqa: E731 - short
    status_says(node, lambda known: good(known) >= set(points), f"good: {points}")


def test_a_device_that_nobody_named_is_listed_and_feeds_nothing(tmp_path: Path, broker: Mosquitto) -> None:
    with flat(tmp_path, broker) as (sim, node, all_of_it):
        status_says(node, lambda known: known["unassigned"], "an unassigned device")
        sim.do("measure visitor temperature 31")
        sim.do("open door")
        all_of_it.until(lambda seen: [r for r in seen.readings("door.contact") if r["value"]], "the door")
        assert "00:15:8d:00:02:aa:bb:03" in node.status()["unassigned"][0]
        assert "joined but not in home.yaml" in node.ask("status").stdout
        assert "(unassigned)" in node.ask("devices").stdout
        assert not [topic for topic, _, _ in all_of_it.messages if "temperature" in topic]
        stops_in_time(node)


@pytest.mark.parametrize(
    "kind", ["truncated", "garbage", "duplicates", "out_of_order", "wrong_types", "flood"]
)
def test_a_device_that_sends_garbage_harms_no_other_and_lies_to_no_rule(
    tmp_path: Path, broker: Mosquitto, kind: str
) -> None:
    with flat(tmp_path, broker) as (sim, node, all_of_it):
        sim.do(f"misbehave stove {kind}")
        for watts in (10, 20, 30, 40):
            sim.do(f"measure stove power {watts}")
        sim.do("open door")
        all_of_it.until(lambda seen: [r for r in seen.readings("door.contact") if r["value"]], "the door")
        sim.do("misbehave stove no")
        sim.do("measure stove power 700")
        hot = lambda seen: [a for a in seen.alerts("notified") if a["subject"] == "stove_hot"]  # noqa: E731 - short
        all_of_it.until(hot, "the hot stove")
        told = {reading["value"] for reading in all_of_it.readings("stove.power")}
        assert told <= {None, 0, 10, 20, 30, 40, 700}, told
        stops_in_time(node)


def test_a_wire_that_spoils_every_tenth_frame_loses_no_alert(tmp_path: Path, broker: Mosquitto) -> None:
    with flat(tmp_path, broker) as (sim, node, all_of_it):
        for fault in ("corrupt", "lose", "repeat"):
            sim.do(f"{fault} 10%")
        for nth in range(5):
            sim.do("open door")
            sim.do("close door")
            sim.do(f"measure stove power {100 * (nth % 2)}")
        sim.do("open door")
        all_of_it.until(
            lambda seen: (r := seen.readings("door.contact")) and r[-1]["value"] is True, "the door, at last"
        )
        stops_in_time(node)


def test_a_second_node_on_the_same_stick_is_told_and_takes_nothing(tmp_path: Path, broker: Mosquitto) -> None:
    with flat(tmp_path, broker) as (sim, node, all_of_it):
        (other := tmp_path / "other").mkdir()
        home = home_on(other, broker, os.path.realpath(tmp_path / "stick"))
        home.write_text(home.read_text().replace("home: test-1", "home: test-2"))
        with NodeProcess(home, other / "data") as second:
            line = second.until("lost")
            assert "another program uses it" in line
            assert "stop the other node" in line
            assert "another program uses it" in second.status()["drivers"]["stick"]
            sim.do("measure stove power 700")
            hot = lambda seen: [a for a in seen.alerts("notified") if a["subject"] == "stove_hot"]  # noqa: E731 - short
            all_of_it.until(hot, "the hot stove, at the first node")
            stops_in_time(second)
        assert node.status()["drivers"]["stick"] == "running"
        stops_in_time(node)


def test_a_node_with_a_wedged_stick_says_so_and_stops_in_time(tmp_path: Path, broker: Mosquitto) -> None:
    with flat(tmp_path, broker) as (sim, node, _):
        sim.do("stick wedge hard")
        fault_known(node, "does not answer")
        assert "does not answer" in node.ask("status").stdout
        stops_in_time(node)


def test_a_radio_starts_and_is_heard_on_a_read_only_disk_and_goes_home_when_it_is_back(
    tmp_path: Path, broker: Mosquitto
) -> None:
    """zigpy's database can't be written there; the smoke alarms of a home don't hang on that."""
    with memory(tmp_path / "disk") as disk:
        (tmp_path / "data").symlink_to(disk / "data")
        (disk / "data").mkdir()
        with flat(tmp_path, broker) as (sim, node, all_of_it):
            stops_in_time(node)
            must("mount", "-o", "remount,ro", str(disk))
            with NodeProcess(node.home, tmp_path / "data") as again:
                again.until("network up")
                fault_known(again, "storage")
                sim.do("measure stove power 700")
                hot = lambda seen: [a for a in seen.alerts("notified") if a["subject"] == "stove_hot"]  # noqa: E731 - short
                all_of_it.until(hot, "the hot stove")
                must("mount", "-o", "remount,rw", str(disk))
                fault_over(again, "storage")
                again.until("network up")
                sim.do("measure stove power 0")
                all_of_it.until(lambda seen: seen.alerts("resolved"), "the stove is off")
                stops_in_time(again)
            assert (disk / "data" / "stick" / "stick.db").stat().st_size > 0
            assert not list(Path("/dev/shm").glob(f"homenode-{os.getuid()}-*-stick"))
