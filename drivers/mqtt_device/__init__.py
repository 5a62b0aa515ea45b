"""Devices that already speak MQTT: zigbee2mqtt, ESPHome, Tasmota, Shelly, or by rows of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homenode.config.fields import Field
from homenode.config.model import Device
from homenode.driver import Driver, DriverType, Host
from homenode.errors import SetupError
from homenode.pace import pace_fields

_NO_WILDCARD = r"[^#+\x00]{1,200}"


def _kinds(options: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(options.get("points") or ())


def _check(devices: Sequence[Device]) -> Sequence[tuple[str, str, str]]:
    """Families and points that no row has."""
    from drivers.mqtt_device.rows import family_of, needs_entity

    wrong: list[tuple[str, str, str]] = []
    for device in devices:
        options = device.options
        try:
            family = family_of(options)
        except SetupError as error:
            field = "rows" if options.get("rows") and error.where else "family"
            wrong.append((device.name, field, str(error)))
            continue
        for kind in _kinds(options):
            if kind not in family["points"]:
                has = ", ".join(family["points"])
                wrong.append((device.name, "points", f"{options['family']} has no {kind}; it has {has}"))
            elif needs_entity(options, kind) and not options.get("entity"):
                wrong.append((device.name, "entity", f"{options['family']} needs entity: for {kind}"))
    return wrong


def _open(name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> Driver:
    from drivers.mqtt_device.driver import MqttDevices

    return MqttDevices(name, options, devices, host)


DRIVER = DriverType(
    name="mqtt_device",
    blind_to="What a device said while the node or the broker was down, unless it can be asked; and whoever "
    "may publish at that broker can say anything in its name.",
    radio_fields=(
        Field(
            "broker",
            "text",
            "Broker that the devices use, on the local network.",
            required=True,
            pattern=r"mqtts?://[A-Za-z0-9.:\[\]_-]+",
            shown="mqtt://HOST:PORT or mqtts://HOST:PORT",
        ),
        Field("username", "text", "User name at that broker."),
        Field("password_file", "path", "File that holds the password, and nothing else."),
        Field("ca", "path", "Certificate of who signed the broker's (PEM)."),
        Field(
            "version",
            "word",
            "Version of MQTT that the broker speaks; with 5 it keeps huge messages away.",
            default="5",
            choices=("5", "3"),
        ),
    ),
    device_fields=(
        Field(
            "family",
            "word",
            "Whose messages it sends: zigbee2mqtt, esphome, tasmota, shelly_gen2 or another of "
            "drivers/mqtt_device/rows.yaml, or one of `rows`.",
            required=True,
        ),
        Field(
            "topic",
            "text",
            "What its topics begin with, or its name in them.",
            required=True,
            pattern=_NO_WILDCARD,
            shown="a topic without + and #, such as zigbee2mqtt/front_door",
        ),
        Field(
            "entity", "text", "Name of the sensor on the device.", pattern=_NO_WILDCARD, shown="front_door"
        ),
        Field(
            "points",
            "words",
            "Its kinds that are used.",
            required=True,
            shown="a list such as [contact, battery]",
        ),
        Field("rows", "path", "File with families of one's own.", shown="rows.yaml"),
        *pace_fields(at_most_ms=2_000, at_least_ms=60_000, power_w=0, current_a=0),
    ),
    kinds=_kinds,
    open=_open,
    check=_check,
)
