"""The electricity meter's customer port (P1, in Sweden HAN): a telegram of text each second to each ten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homenode.config.fields import Field
from homenode.config.model import Device
from homenode.driver import Driver, DriverType, Host
from homenode.pace import pace_fields

_EACH = ("power", "current", "voltage", "energy", "energy_2")
_THREE = ("power_2", "power_3", "power_4", "current_2", "current_3", "voltage_2", "voltage_3")


def _check(devices: Sequence[Device]) -> Sequence[tuple[str, str, str]]:
    """A port has one meter."""
    first: dict[str, str] = {}
    return [
        (device.name, "via", f"{device.via} has the meter {first[device.via]} already; one port is one meter")
        for device in devices
        if first.setdefault(device.via, device.name) != device.name
    ]


def _open(name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> Driver:
    from drivers.p1.driver import P1Meter

    return P1Meter(name, options, devices, host)


DRIVER = DriverType(
    name="p1",
    blind_to="Which appliance it is: only what the whole flat takes; and what one phase takes while its "
    "solar cells feed another.",
    radio_fields=(
        Field(
            "port",
            "text",
            "Serial port of the P1 cable (best its /dev/serial/by-id/ name) or socket://HOST:PORT.",
            required=True,
            shown="/dev/serial/by-id/usb-... or socket://192.168.1.5:2000",
        ),
        Field("baud", "whole", "Speed of the meter's port.", default=115200, low=1200, high=921_600),
        Field(
            "silent_after",
            "duration",
            "Without a telegram for so long its points are unknown; meters send each 1 to 10 s.",
            default=60_000,
            low=1_000,
            high=3_600_000,
            shown="1 min",
        ),
    ),
    device_fields=(
        Field("phases", "word", "Phases that the meter measures.", default="3", choices=("1", "3")),
        *pace_fields(at_most_ms=5_000, at_least_ms=300_000, power_w=10, current_a=0.1),
    ),
    kinds=lambda options: _EACH + (_THREE if options.get("phases") != "1" else ()),
    open=_open,
    check=_check,
    wired=True,
)
