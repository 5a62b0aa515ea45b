"""A real Home Assistant discovers the shared points of a real node, and is never told that unknown is off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.home_assistant import HomeAssistant, install_or_skip
from tests.system.nodes import NodeProcess
from tests.system.test_node import a_home
from tests.system.test_taken_back import change

pytestmark = [needs_mosquitto, pytest.mark.peers]

DEVICES = """\
  stove: {via: tape, sensor: stove, kind: power, room: kitchen, stale_after: 6 s}
  help:  {via: tape, sensor: help, kind: button, room: bedroom}
  secret: {via: tape, sensor: secret, kind: motion, room: bedroom}
"""
EXPORT = "export: {homeassistant: homeassistant}\n"


def a_shared_home(folder: Path, port: int) -> Path:
    home = a_home(folder, port, [(0.0, True)], devices=DEVICES)
    change(
        home,
        'share: {care: ["*.*"]}',
        'share: {care: ["front_door.*", "stove.*", "help.*"], property: ["stove.*"]}',
    )
    home.write_text(home.read_text() + EXPORT)
    at = "2026-01-05T06:00:{:06.3f}+01:00"
    tape = [
        (0.0, "door", True), (0.0, "stove", 1420), (0.0, "secret", True), (20.0, "help", True),
        (26.0, "door", False), (30.0, "stove", 7),
    ]  # fmt: skip
    lines = [{"at": at.format(second), "point": point, "value": value} for second, point, value in tape]
    (folder / "tape.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return home


def test_home_assistant_shows_what_is_shared_and_nothing_that_can_not_be_believed(tmp_path: Path) -> None:
    install_or_skip()
    with Mosquitto(tmp_path / "broker") as broker:
        home = a_shared_home(tmp_path, broker.port)
        with (
            HomeAssistant(tmp_path / "care", broker.port, "homeassistant/care") as care,
            HomeAssistant(tmp_path / "property", broker.port, "homeassistant/property") as landlord,
            NodeProcess(home, tmp_path / "data") as node,
        ):
            care.shows(binary_sensor__front_door_oppen="on", sensor__stove_effekt="1420")
            landlord.shows(sensor__stove_effekt="1420")
            assert {one["name"] for one in landlord.devices()} == {"stove"}
            stove = next(one for one in care.devices() if one["name"] == "stove")
            assert stove["area"] == "kitchen"
            assert care.attributes["sensor.stove_effekt"]["unit_of_measurement"] == "W"
            care.seen.clear()
            care.until(lambda said: said.get("entity") == "sensor.stove_effekt", "the stove is silent")
            assert care.states["sensor.stove_effekt"] in ("unknown", "unavailable")
            care.until(
                lambda said: (
                    said.get("entity") == "event.help_knapp" and said["attributes"].get("event_type")
                ),
                "the press",
            )
            care.shows(binary_sensor__front_door_oppen="off", sensor__stove_effekt="7")
            assert {state for entity, state in care.seen if "stove" in entity} <= {
                "unknown",
                "unavailable",
                "7",
            }
            assert {one["name"] for one in care.devices()} == {"front_door", "stove", "help"}

            node.kill()
            care.shows(binary_sensor__front_door_oppen="unavailable", sensor__stove_effekt="unavailable")
            with NodeProcess(home, tmp_path / "data") as again:
                again.until("link up")
                care.until(lambda said: said.get("state") not in ("unavailable", None), "it is back")
                change(home, EXPORT, "")
                assert again.ask("reload").returncode == 0
                care.shows(binary_sensor__front_door_oppen="removed", sensor__stove_effekt="removed")
                landlord.shows(sensor__stove_effekt="removed")
            for one in (care, landlord):
                assert not one.said
