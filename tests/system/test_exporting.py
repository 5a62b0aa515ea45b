"""Home Assistant's discovery, as a node publishes it: there while it is wanted, gone when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver
from tests.system.test_node import a_home
from tests.system.test_taken_back import change, kept

pytestmark = needs_mosquitto

CONFIG = "homeassistant/care/binary_sensor/test-1/front_door_contact/config"
EXPORT = "export: {homeassistant: homeassistant}\n"


def exporting(folder: Path, broker: Mosquitto) -> Path:
    home = a_home(folder, broker.port, [(0.0, True)])
    home.write_text(home.read_text() + EXPORT)
    return home


def told(broker: Mosquitto, name: str = "told") -> None:
    with Receiver(broker.port, CONFIG, name=name) as care:
        care.until(lambda seen: [body for _, body, _ in seen.messages if body], "the discovery")


def test_a_home_without_the_export_publishes_nothing_outside_its_root(
    tmp_path: Path, broker: Mosquitto
) -> None:
    with (
        Receiver(broker.port, "#") as everything,
        NodeProcess(a_home(tmp_path, broker.port, [(0.0, True)]), tmp_path / "data", watched=False) as node,
    ):
        node.until("link up")
        everything.until(lambda seen: seen.alerts("notified"), "the alert")
        assert {topic.split("/")[0] for topic, _, _ in everything.messages} == {"hn1"}


@pytest.mark.parametrize(
    ("old", "new"),
    [(EXPORT, ""), ("{homeassistant: homeassistant}", "{homeassistant: other}"), ('["*.*"]', "[]")],
)
def test_it_is_taken_back_when_it_is_no_longer_wanted(
    tmp_path: Path, broker: Mosquitto, old: str, new: str
) -> None:
    home = exporting(tmp_path, broker)
    with NodeProcess(home, tmp_path / "data") as node:
        told(broker)
        change(home, old, new)
        assert node.ask("reload").returncode == 0
        node.until(CONFIG)
        assert kept(broker, CONFIG) == b""
        assert bool(kept(broker, CONFIG.replace("homeassistant", "other"))) == ("other" in new)


def test_it_is_taken_back_though_the_node_was_killed_before_home_yaml_was_changed(
    tmp_path: Path, broker: Mosquitto
) -> None:
    home = exporting(tmp_path, broker)
    with NodeProcess(home, tmp_path / "data") as node:
        told(broker)
        node.kill()
    change(home, EXPORT, "")
    with NodeProcess(home, tmp_path / "data") as node:
        node.until(CONFIG)
        assert kept(broker, CONFIG) == b""


def test_it_comes_with_the_reload_that_asks_for_it(tmp_path: Path, broker: Mosquitto) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, True)])
    with NodeProcess(home, tmp_path / "data") as node:
        node.until("link up")
        home.write_text(home.read_text() + EXPORT)
        assert node.ask("reload").returncode == 0
        told(broker)
