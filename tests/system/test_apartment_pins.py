"""A node on the pins of the simulated apartment: what happens at home arrives at the broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver
from tests.system.test_sim_run import Apartment, apartment

pytest.importorskip("pigpio", reason="the extra gpio is not installed")
pytestmark = needs_mosquitto

APARTMENT = """
timezone: Europe/Stockholm
gpio:
  front_door: {pin: 17, kind: contact, room: hall, between: [hall, outside], bounce: [2, 1, 3, 1]}
  hall_eye:   {pin: 27, kind: motion, room: hall}
  smoke:      {pin: 23, kind: smoke, room: hall}
  bell:       {pin: 24, kind: button, room: hall}
  siren:      {pin: 22, kind: siren, room: hall}
"""
HOME = """
home: pins-1
timezone: Europe/Stockholm
broker: {{url: "{url}"}}
clock: {{trust: always}}
devices:
  front_door: {{driver: gpio, pin: 17, kind: contact, room: hall}}
  hall_eye:   {{driver: gpio, pin: 27, kind: motion, room: hall}}
  smoke:      {{driver: gpio, pin: 23, kind: smoke, room: hall}}
  bell:       {{driver: gpio, pin: 24, kind: button, room: hall}}
  siren:      {{driver: gpio, pin: 22, kind: siren, room: hall}}
rules:
  - use: smoke_alarm
    bind: {{smoke: [smoke.smoke], siren: siren.siren}}
share: {{care: ["*.*"]}}
"""


@contextmanager
def _flat(folder: Path) -> Iterator[tuple[Apartment, NodeProcess, Receiver]]:
    with (
        apartment(folder, "--gpio", "0", text=APARTMENT) as sim,
        Mosquitto(folder / "broker", persistent=False) as broker,
        Receiver(broker.port, "hn1/pins-1/care/#") as receiver,
    ):
        home = folder / "home.yaml"
        home.write_text(HOME.format(url=broker.url))
        with NodeProcess(home, folder / "data", env=_pigpio(sim)) as node:
            _until(receiver, "siren.siren", False)  # the last that the driver opens
            yield sim, node, receiver
            assert node.stop() == 0


def _pigpio(sim: Apartment) -> dict[str, str]:
    return {
        "GPIOZERO_PIN_FACTORY": "pigpio",
        "PIGPIO_ADDR": "127.0.0.1",
        "PIGPIO_PORT": str(sim.places["gpio"]),
    }


def _until(receiver: Receiver, point: str, value: object, after: int = 0) -> None:
    receiver.until(
        lambda it: any(body["value"] is value for body in it.readings(point)[after:]), f"{point} {value}"
    )


def test_a_door_that_opens_is_told_once_though_its_contact_bounces(tmp_path: Path) -> None:
    with _flat(tmp_path) as (sim, _, receiver):
        sim.do("open front_door")
        _until(receiver, "front_door.contact", True)
        sim.do("close front_door")
        _until(receiver, "front_door.contact", False, after=2)
        assert [body["value"] for body in receiver.readings("front_door.contact")] == [False, True, False]


def test_a_cut_wire_of_a_smoke_alarm_is_an_alarm_and_the_siren_sounds(tmp_path: Path) -> None:
    with _flat(tmp_path) as (sim, node, receiver):
        sim.do("cut smoke")
        receiver.until(lambda it: it.alerts("notified"), "the alarm")
        _until(receiver, "siren.siren", True)
        assert sim.do("status siren")["siren"] is True
        assert node.ask("switch", "siren.siren", "off").returncode == 0
        assert sim.do("status siren")["siren"] is False


def test_a_press_is_a_press_and_a_release_is_none(tmp_path: Path) -> None:
    with _flat(tmp_path) as (sim, _, receiver):
        sim.do("press bell")
        _until(receiver, "bell.button", True)
        _until(receiver, "bell.button", False, after=2)
        assert [body["value"] for body in receiver.readings("bell.button")] == [False, True, False]


def test_the_pins_come_back_with_their_daemon(tmp_path: Path) -> None:
    with _flat(tmp_path) as (sim, node, receiver):
        sim.do("gpio gone")
        node.until("lost")
        sim.do("open front_door")
        sim.do("gpio back")
        _until(receiver, "front_door.contact", True)
        assert "Traceback" not in node.log


def test_pins_that_nobody_reads_any_more_are_unknown_until_they_are_read_again(tmp_path: Path) -> None:
    with _flat(tmp_path) as (sim, _, receiver):
        _until(receiver, "front_door.contact", False)
        sim.do("gpio gone")
        _until(receiver, "front_door.contact", None)
        sim.do("gpio back")
        _until(receiver, "front_door.contact", False, after=2)


def test_a_wedged_daemon_is_noticed_and_the_node_still_stops_in_time(tmp_path: Path) -> None:
    with _flat(tmp_path) as (sim, node, _):
        sim.do("gpio wedge")
        node.until("lost")


DOOR = """
rule: door
version: 1
severity: alarm
to: [care]
roles:
  door: {kind: contact}
  siren: {kind: siren}
when: door == open
steps:
  - {after: 0 s, do: siren, role: siren, to: on}
says: {sv: "Dörren är öppen", en: "The door is open"}
"""


def test_a_siren_that_was_out_of_reach_sounds_once_it_is_back(tmp_path: Path) -> None:
    """A rule asks for it while the pins are gone: that is a fault, and it is tried again."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "door.yaml").write_text(DOOR)
    (tmp_path / "tape.jsonl").write_text(
        '{"at": "2026-01-05T06:00:00+01:00", "point": "door", "value": false}\n'
        '{"at": "2026-01-05T06:00:04+01:00", "point": "door", "value": true}\n'
    )
    home = tmp_path / "home.yaml"
    with (
        apartment(tmp_path, "--gpio", "0", text=APARTMENT) as sim,
        Mosquitto(tmp_path / "broker", persistent=False) as broker,
        Receiver(broker.port, "hn1/pins-1/#") as receiver,
    ):
        home.write_text(
            HOME.partition("devices:")[0].format(url=broker.url)
            + "radios: {tape: {driver: recording, file: tape.jsonl}}\n"
            "devices:\n"
            "  door: {via: tape, sensor: door, kind: contact, room: hall}\n"
            "  siren: {driver: gpio, pin: 22, kind: siren, room: hall}\n"
            "rules: [{use: door, bind: {door: door.contact, siren: siren.siren}}]\n"
            'share: {care: ["*.*"]}\n'
        )
        with NodeProcess(home, tmp_path / "data", env=_pigpio(sim)) as node:
            _until(receiver, "siren.siren", False)
            sim.do("gpio gone")
            node.until("could not be switched on")
            sim.do("gpio back")
            _until(receiver, "siren.siren", True)
            assert sim.do("status siren")["siren"] is True
            assert node.stop() == 0
