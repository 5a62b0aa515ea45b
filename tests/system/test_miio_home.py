"""A node with miIO devices of the simulated apartment: a forgotten stove and a leak are told to care."""

from __future__ import annotations

import time
from pathlib import Path

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.miio_devices import TOKEN, own_address
from tests.system.nodes import NodeProcess, Receiver
from tests.system.test_sim_run import apartment

pytestmark = needs_mosquitto

APARTMENT = """
timezone: Europe/Stockholm
miio:
  stove: {{model: chuangmi.plug.v3, address: {stove}, token: "{token}", room: kitchen, appliance: hob}}
gpio:
  eye:   {{pin: 27, kind: motion, room: kitchen}}
"""
HOME = """
home: miio-1
timezone: Europe/Stockholm
broker: {{url: "{url}"}}
clock: {{trust: always}}
devices:
  stove: {{driver: miio, type: chuangmi.plug.v3, address: {stove}, token_file: stove.token, every: 2 s,
           room: kitchen, is: stove}}
  eye:   {{driver: gpio, pin: 27, kind: motion, room: kitchen}}
rules:
  - use: stove_left_on
    bind: {{stove: stove.power, presence: [eye.motion], guard: stove.switch}}
    set: {{alone: 1 min}}
share: {{care: ["stove.*"]}}
"""


def test_a_forgotten_stove_on_a_plug_is_switched_off_and_told(tmp_path: Path) -> None:
    address = own_address()
    (tmp_path / "stove.token").write_text(TOKEN.hex())
    text = APARTMENT.format(stove=address, token=TOKEN.hex())
    clock = ("--speed", "60", "--start", "2026-01-05T11:00")
    with (
        apartment(tmp_path, "--gpio", "0", *clock, text=text) as sim,
        Mosquitto(tmp_path / "broker", persistent=False) as broker,
        Receiver(broker.port, "hn1/miio-1/care/#") as care,
    ):
        home = tmp_path / "home.yaml"
        home.write_text(HOME.format(url=broker.url, stove=address))
        pins = {
            "GPIOZERO_PIN_FACTORY": "pigpio",
            "PIGPIO_ADDR": "127.0.0.1",
            "PIGPIO_PORT": str(sim.places["gpio"]),
        }
        with NodeProcess(home, tmp_path / "data", *clock, env=pins) as node:
            care.until(lambda it: it.readings("stove.power"), "the first reading")
            sim.do("say hob on")
            care.until(lambda it: it.readings("stove.power")[-1]["value"] > 1000, "the hob")
            care.until(lambda it: it.alerts("notified"), "the alert")
            assert care.alerts("notified")[0]["subject"] == "stove_left_on"
            assert sim.do("status stove")["switch"] is False
            assert care.readings("stove.switch")[-1]["value"] is False
            sim.do("unplug stove")
            care.until(lambda it: it.readings("stove.power")[-1]["quality"] == "stale", "that nobody knows")
            assert care.readings("stove.power")[-1]["value"] is None
            node.until("see that it has power")
            assert TOKEN.hex() not in str(node.status())
            assert node.stop() == 0
            assert TOKEN.hex() not in node.log
    for file in (tmp_path / "data").rglob("*"):
        assert not file.is_file() or TOKEN.hex().encode() not in file.read_bytes()


WET = """
timezone: Europe/Stockholm
miio:
  hub:      {{model: lumi.gateway.v3, address: {hub}, token: "{token}", room: hall}}
  sink:     {{model: sensor_wleak.aq1, under: hub, sid: 158d00019a0003, room: kitchen}}
  detector: {{model: smoke, under: hub, sid: 158d00019a0004, room: hall}}
"""
WET_HOME = """
home: miio-2
timezone: Europe/Stockholm
broker: {{url: "{url}"}}
clock: {{trust: always}}
radios:
  hub: {{driver: miio_gateway, address: {hub}, token_file: hub.token, every: 2 s}}
devices:
  sink:     {{via: hub, sid: 158d00019a0003, type: sensor_wleak.aq1, room: kitchen}}
  detector: {{via: hub, sid: 158d00019a0004, type: smoke, room: hall}}
rules:
  - use: water_leak
    bind: {{water: [sink.water]}}
  - use: smoke_alarm
    bind: {{smoke: [detector.smoke]}}
share: {{care: ["*.*"]}}
"""


def test_water_and_smoke_through_a_gateway_are_told(tmp_path: Path) -> None:
    address = own_address()
    (tmp_path / "hub.token").write_text(TOKEN.hex())
    with (
        apartment(tmp_path, text=WET.format(hub=address, token=TOKEN.hex())) as sim,
        Mosquitto(tmp_path / "broker", persistent=False) as broker,
        Receiver(broker.port, "hn1/miio-2/care/#") as care,
    ):
        home = tmp_path / "home.yaml"
        home.write_text(WET_HOME.format(url=broker.url, hub=address))
        with NodeProcess(home, tmp_path / "data") as node:
            for _ in range(100):  # until the node listens
                sim.do("battery sink 70")
                if care.readings("sink.water"):
                    break
                time.sleep(0.2)
            assert care.readings("sink.water")[-1]["value"] is False
            sim.do("misbehave hub lossy")
            sim.do("trip sink")  # its report gets lost
            care.until(lambda it: it.alerts("notified"), "the leak")
            assert care.alerts("notified")[0]["subject"] == "water_leak"
            sim.do("misbehave hub no")
            sim.do("trip detector")
            care.until(lambda it: len(it.alerts("notified")) == 2, "the smoke")
            assert care.alerts("notified")[1]["subject"] == "smoke_alarm"
            assert node.stop() == 0
            assert TOKEN.hex() not in node.log
