"""Plugs and a gateway that speak miIO on the local network (Xiaomi, and those who build for it); no cloud."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drivers.miio.lan import SORTS
from drivers.miio.plugs import PLUGS
from drivers.miio.token import read_token
from homenode.config.fields import Field
from homenode.config.model import Device
from homenode.driver import Driver, DriverType, Host
from homenode.errors import SetupError

_ADDRESS = Field(
    "address",
    "text",
    "IPv4 address that the router always gives it",
    required=True,
    pattern=r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)",
    shown="an IPv4 address such as 192.168.1.20",
)
_TOKEN = Field(
    "token_file",
    "path",
    "File that holds its token, and nothing else",
    required=True,
    shown="a file with 32 hexadecimal digits, as the vendor's account gives them",
)
_EVERY = Field("every", "duration", "How often it is asked", default=10_000, low=2_000, high=60_000)

_EVERY_GATEWAY = Field(
    "every",
    "duration",
    "How often it is asked for what a lost report would have said",
    default=10_000,
    low=2_000,
    high=60_000,
)


def _check(devices: Sequence[Device]) -> Sequence[tuple[str, str, str]]:
    """Two devices at one address."""
    wrong: list[tuple[str, str, str]] = []
    owner: dict[str, str] = {}
    for device in devices:
        address = device.options.get("address")
        if isinstance(address, str) and owner.setdefault(address, device.name) != device.name:
            text = f"the address of {owner[address]}; each device has its own"
            wrong.append((device.name, "address", text))
    return wrong


def _look(options: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """A token file that is none, of a plug or of a gateway."""
    file = options.get("token_file")
    try:
        if isinstance(file, Path):
            read_token(file)
    except SetupError as error:
        return [("token_file", error.what)]
    return ()


def _kinds(options: Mapping[str, Any]) -> tuple[str, ...]:
    return PLUGS[str(options["type"])].kinds


def _needs_cryptography() -> None:
    if importlib.util.find_spec("cryptography") is None:
        raise SetupError("cryptography is not installed", where="miio", do="pip install 'homenode[miio]'")


def _open(name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> Driver:
    _needs_cryptography()
    from drivers.miio.driver import MiioDriver

    return MiioDriver(devices, host)


DRIVER = DriverType(
    name="miio",
    blind_to="What happens between two questions, and whoever holds the token and answers in its place.",
    radio_fields=(),
    device_fields=(
        _ADDRESS,
        _TOKEN,
        Field("type", "word", "Model, as the vendor names it", required=True, choices=tuple(PLUGS)),
        _EVERY,
    ),
    kinds=_kinds,
    open=_open,
    extra="miio",
    check=_check,
    look=_look,
)


def _sensor_kinds(options: Mapping[str, Any]) -> tuple[str, ...]:
    return SORTS[str(options["type"])].kinds


def _check_sensors(devices: Sequence[Device]) -> Sequence[tuple[str, str, str]]:
    wrong: list[tuple[str, str, str]] = []
    owner: dict[tuple[str, str], str] = {}
    for device in devices:
        sid = device.options.get("sid")
        if not isinstance(sid, str):
            continue
        had = owner.setdefault((device.via, sid.lower()), device.name)
        if had != device.name:
            wrong.append((device.name, "sid", f"that of {had}; each sensor has its own"))
    return wrong


def _open_gateway(name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> Driver:
    _needs_cryptography()
    from drivers.miio.gateway import GatewayDriver

    return GatewayDriver(name, options, devices, host)


GATEWAY = DriverType(
    name="miio_gateway",
    blind_to="A sensor that the gateway has lost (only its silence shows, within 4 h), a report that the"
    " Wi-Fi drops until the next question, and whoever forges reports: they are sent in the open.",
    radio_fields=(_ADDRESS, _TOKEN, _EVERY_GATEWAY),
    device_fields=(
        Field(
            "sid",
            "text",
            "Id of the sensor, as the app or the fault of a wrong one shows it",
            required=True,
            pattern=r"[0-9a-fA-F]{12,16}",
            shown="an id such as 158d0001a2b3c4",
        ),
        Field(
            "type",
            "word",
            "Model, as the gateway names it",
            required=True,
            choices=tuple(SORTS),
            pattern=r"[a-z0-9_.]+",
        ),
    ),
    kinds=_sensor_kinds,
    open=_open_gateway,
    extra="miio",
    check=_check_sensors,
    look=_look,
)
