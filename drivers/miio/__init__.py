"""Plugs that speak miIO on the local network (Xiaomi, and those who build for it); no vendor's cloud."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drivers.miio.plugs import PLUGS
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
_TOKEN = Field("token_file", "path", "File that holds its token, and nothing else", required=True)
_EVERY = Field(
    "every", "duration", "How often it is asked", default=10_000, low=2_000, high=60_000, shown="10 s"
)


def _check(devices: Sequence[Device]) -> Sequence[tuple[str, str, str]]:
    """Two devices at one address, and token files that aren't there."""
    wrong: list[tuple[str, str, str]] = []
    owner: dict[str, str] = {}
    for device in devices:
        address, file = device.options.get("address"), device.options.get("token_file")
        if isinstance(address, str) and owner.setdefault(address, device.name) != device.name:
            text = f"the address of {owner[address]}; each device has its own"
            wrong.append((device.name, "address", text))
        if isinstance(file, Path) and not file.is_file():
            wrong.append((device.name, "token_file", "there is no such file"))
    return wrong


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
)
