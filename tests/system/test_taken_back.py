"""What is no longer shared is taken back from the broker, whatever came between; and the past is not told."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.system.brokers import Mosquitto, free_port, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver
from tests.system.test_node import a_home

pytestmark = needs_mosquitto

READING = "hn1/test-1/care/readings/front_door/contact"
SHARED = 'share: {care: ["*.*"]}'


def kept(broker: Mosquitto, topic: str = READING) -> bytes:
    """What somebody who comes now gets of a topic."""
    words = ["mosquitto_sub", "-p", str(broker.port), "-t", topic, "-W", "1"]
    return subprocess.run(words, capture_output=True, check=False, timeout=30).stdout


def change(home: Path, old: str, new: str) -> None:
    text = home.read_text()
    assert old in text
    home.write_text(text.replace(old, new))


def shown(node: NodeProcess, broker: Mosquitto) -> None:
    """The node is up and its first reading stands at the broker."""
    with Receiver(broker.port, READING, name="first") as care:
        care.until(lambda seen: seen.readings("front_door.contact"), "the reading")
    assert kept(broker)
    assert node.process.poll() is None


def test_a_point_taken_out_of_share_is_taken_back_at_the_reload(tmp_path: Path, broker: Mosquitto) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, True)])
    with NodeProcess(home, tmp_path / "data") as node:
        shown(node, broker)
        change(home, SHARED, 'share: {property: ["*.*"]}')
        assert node.ask("reload").returncode == 0
        node.until("taken back")
        assert kept(broker) == b""
        assert node.stop() == 0
    with NodeProcess(home, tmp_path / "data") as node:
        node.until("link up")
        node.stop()
        assert "taken back" not in node.log


def test_a_device_that_is_gone_from_the_home_is_taken_back(tmp_path: Path, broker: Mosquitto) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, True)])
    with NodeProcess(home, tmp_path / "data") as node:
        shown(node, broker)
        change(home, "front_door", "back_door")
        assert node.ask("reload").returncode == 0
        node.until("taken back")
        assert kept(broker) == b""


@pytest.mark.parametrize("killed", [False, True])
def test_a_share_that_was_changed_while_the_node_was_down_is_taken_back(
    tmp_path: Path, broker: Mosquitto, killed: bool
) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, True)])
    with NodeProcess(home, tmp_path / "data") as node:
        shown(node, broker)
        if killed:
            node.kill()
        else:
            node.stop()
    change(home, SHARED, "")
    with NodeProcess(home, tmp_path / "data") as node:
        node.until("taken back")
        assert kept(broker) == b""


def test_what_is_taken_back_while_the_broker_is_away_goes_when_it_is_there(
    tmp_path: Path, broker: Mosquitto
) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, True)])
    with NodeProcess(home, tmp_path / "data") as node:
        shown(node, broker)
        broker.stop()
        node.until("link lost")
        change(home, SHARED, "")
        assert node.ask("reload").returncode == 0
        node.kill()
        broker.start()
        assert kept(broker)
    with NodeProcess(home, tmp_path / "data") as node:
        node.until("taken back")
        assert kept(broker) == b""


def test_it_is_taken_back_at_each_broker_that_the_node_goes_to(tmp_path: Path, broker: Mosquitto) -> None:
    second = Mosquitto(tmp_path / "second", port=free_port())
    home = a_home(tmp_path, broker.port, [(0.0, True), (4.0, False)])
    change(home, f'"{broker.url}"', f'["{broker.url}", "{second.url}"]')
    with NodeProcess(home, tmp_path / "data") as node, second:
        shown(node, broker)
        broker.stop()
        node.until("link up")
        node.until("link up")
        shown(node, second)
        change(home, SHARED, "")
        assert node.ask("reload").returncode == 0
        broker.start()
        assert kept(broker)
        second.stop()
        node.until("taken back")
        assert kept(broker) == b""
        second.start()
        assert kept(second) == b""


def test_what_was_heard_before_it_was_shared_is_not_told_when_the_broker_is_back(
    tmp_path: Path, broker: Mosquitto
) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, True), (0.5, False), (1.0, True)])
    tape = (tmp_path / "tape.jsonl").read_text()
    (tmp_path / "tape.jsonl").write_text(
        "".join(f"{line}\n{line.replace('door', 'window')}\n" for line in tape.splitlines())
    )
    change(home, "rules:", "  window: {via: tape, sensor: window, kind: contact, room: hall}\nrules:")
    change(home, SHARED, "share: {care: [front_door.contact]}")
    broker.stop()
    with NodeProcess(home, tmp_path / "data") as node:
        node.until("played 6 readings")
        assert node.stop() == 0
    change(home, "[front_door.contact]", '["*.*"]')
    broker.start()
    with Receiver(broker.port, "hn1/test-1/care/readings/#") as care, NodeProcess(home, tmp_path / "data"):
        care.until(lambda seen: historical(seen, "front_door.contact")[-2:] == [False, True], "the past")
        care.until(lambda seen: len(seen.readings("window.contact")) >= 3, "the present of the window")
        assert False not in historical(care, "window.contact"), "only what it is now"


def historical(care: Receiver, point: str) -> list[object]:
    """Values of the past."""
    return [one["value"] for one in care.readings(point) if one["how"] == "historical"]
