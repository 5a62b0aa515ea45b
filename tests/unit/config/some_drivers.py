"""Drivers for tests of home.yaml: a radio and a wired one, described as real ones are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homenode.config.fields import Field
from homenode.config.model import Device
from homenode.driver import Driver, DriverType, Host


def _open(name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> Driver:
    raise AssertionError("reading home.yaml opens no driver")


def _pins_once(devices: Sequence[Device]) -> list[tuple[str, str, str]]:
    owners: dict[int, str] = {}
    return [
        (device.name, "pin", f"a pin that {owners[device.options['pin']]} doesn't use")
        for device in devices
        if owners.setdefault(device.options["pin"], device.name) != device.name
    ]


RADIO = DriverType(
    name="zigbee",
    blind_to="a sensor that is out of range",
    radio_fields=(
        Field("port", "text", "Serial port of the stick.", required=True, shown="/dev/serial/by-id/…"),
        Field("channel", "whole", "Channel.", default=15, low=11, high=26),
    ),
    device_fields=(
        Field(
            "ieee",
            "text",
            "Address.",
            required=True,
            pattern="[0-9a-f]{2}(:[0-9a-f]{2}){7}",
            shown="00:15:8d:00:02:aa:bb:01",
        ),
    ),
    kinds=lambda options: None,
    open=_open,
)
WIRED = DriverType(
    name="gpio",
    blind_to="a cut wire",
    radio_fields=(),
    device_fields=(
        Field("pin", "whole", "BCM number.", required=True, low=0, high=27),
        Field(
            "kind",
            "word",
            "What it senses.",
            required=True,
            choices=("contact", "water", "button", "siren", "light"),
        ),
        Field("pull", "word", "Pull resistor.", default="up", choices=("up", "down", "none")),
        Field("debounce", "duration", "Shorter changes are bounce.", default=50, low=0, high=10_000),
        Field("inverted", "flag", "Low means true.", default=False),
    ),
    kinds=lambda options: (options["kind"],),
    open=_open,
    check=_pins_once,
    wired=True,
    put_out=lambda devices: ["true"],
)
DRIVERS = {"zigbee": RADIO, "gpio": WIRED}

HOME = """\
home: vaxjo-0412
timezone: Europe/Stockholm
language: sv
broker: {url: "mqtts://broker.example:8883", ca: ca.pem, cert: node.pem, key: node.key}
radios:
  zigbee: {driver: zigbee, port: /dev/serial/by-id/usb-stick}
devices:
  stove:       {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen, is: stove}
  kitchen_eye: {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:02", room: kitchen, stale_after: 1 h 30 min}
  front_door:  {driver: gpio, pin: 17, kind: contact, room: hall, stale_after: never}
  sink:        {driver: gpio, pin: 27, kind: water, room: kitchen, debounce: 0.05 s}
  bed_button:  {driver: gpio, pin: 5, kind: button, room: bedroom}
  no_button:   {driver: gpio, pin: 7, kind: button, room: bedroom}
  sign:        {driver: gpio, pin: 6, kind: light, room: hall}
rules:
  - use: cooking
    bind: {stove: stove.power, presence: [kitchen_eye.motion]}
    set: {alone: 15 min, hot: 60}
share:
  property: [sink.water, "*.battery"]
modes:
  away: {longest: 3 d, door: front_door.contact, quiet: [kitchen_eye.motion], after: 30 min}
  night: {from: 22:00, to: 06:30}
  guests: {}
clock: {trust: always}
resident: {ok: bed_button.button, stop: no_button.button}
voice: {device: "plughw:CARD=Device,DEV=0", volume: 80, rate: 130, recordings: karin}
cameras:
  hall: {room: hall, source: csi, masks: [[[0, 0], [1, 0], [0, 0.5]]], indicator: sign.light}
video:
  night: {cameras: [hall], from: 2026-01-01, to: 2026-06-30, hours: 22:00-06:00, \
views: [blurred, clear], ask: yes}
panel: {sink.water: {name: Diskbänken}, front_door.contact: }
ice: {urls: ["turn:turn.example:3478"], username: home}
export: {homeassistant: homeassistant}
"""
