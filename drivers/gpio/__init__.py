"""Sensors and relays wired to a Raspberry Pi: on pins, on converters, on the 1-Wire bus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drivers.gpio.fields import FIELDS, needs, wrong
from homenode.config.model import Device
from homenode.driver import Driver, DriverType, Host


def _kinds(options: Mapping[str, Any]) -> tuple[str, ...]:
    kind = str(options["kind"])
    phases = int(options.get("phases") or 1)
    return (kind, *(f"{kind}_{nth}" for nth in range(2, phases + 1)))


def _open(name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> Driver:
    from drivers.gpio.driver import GpioDriver

    return GpioDriver(devices, host)


def _put_out(devices: Sequence[Device]) -> Sequence[str]:
    from drivers.gpio.driver import put_out

    return put_out(devices)


def _forget(folder: Path) -> int:
    from drivers.gpio.counting import forget

    return forget(folder)


DRIVER = DriverType(
    name="gpio",
    blind_to="A cut wire on a pin that reads as all is well; drivers/README.md says for which kinds.",
    radio_fields=(),
    device_fields=FIELDS,
    kinds=_kinds,
    open=_open,
    extra="gpio",
    check=wrong,
    needs=needs,
    wired=True,
    put_out=_put_out,
    forget=_forget,
)
