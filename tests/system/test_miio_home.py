"""A node with miIO devices of the simulated apartment: a stove that is forgotten arrives at the receiver."""

from __future__ import annotations

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
            assert TOKEN.hex() not in str(node.status())
            assert node.stop() == 0
            assert TOKEN.hex() not in node.log
    for file in (tmp_path / "data").rglob("*"):
        assert not file.is_file() or TOKEN.hex().encode() not in file.read_bytes()
