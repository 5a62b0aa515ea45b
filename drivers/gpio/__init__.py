"""Sensors and relays wired to the pins of a Raspberry Pi, through gpiozero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drivers.gpio.kinds import WIRINGS
from homenode.config.fields import Field
from homenode.config.model import Device
from homenode.driver import Driver, DriverType, Host

FIXED_PULL_UP = (2, 3)
"""BCM pins with 1.8 kΩ to 3V3 on every Raspberry Pi (they are I²C)."""


def _check(devices: Sequence[Device]) -> Sequence[tuple[str, str, str]]:
    """Pins used twice, and options that the pin or the kind can't have."""
    wrong: list[tuple[str, str, str]] = []
    owner: dict[int, str] = {}
    for device in devices:
        pin, kind, pull = (device.options.get(name) for name in ("pin", "kind", "pull"))
        if not isinstance(pin, int) or kind not in WIRINGS:
            continue  # already a mistake of its own
        if pin in owner:
            wrong.append((device.name, "pin", f"pin {pin} is used by {owner[pin]}; each device has its own"))
        owner.setdefault(pin, device.name)
        if WIRINGS[kind].output and pull is not None:
            wrong.append((device.name, "pull", f"{kind} is an output and has no pull"))
        elif pin in FIXED_PULL_UP and (pull or WIRINGS[kind].pull) != "up" and not WIRINGS[kind].output:
            wrong.append((device.name, "pin", f"pin {pin} has a fixed pull-up on the board; use another pin"))
    return wrong


def _kinds(options: Mapping[str, Any]) -> tuple[str, ...]:
    return (str(options["kind"]),)


def _open(name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> Driver:
    from drivers.gpio.driver import GpioDriver

    return GpioDriver(devices, host)


DRIVER = DriverType(
    name="gpio",
    blind_to="A cut or shorted wire that reads as all is well; drivers/README.md says for which kinds.",
    radio_fields=(),
    device_fields=(
        Field("pin", "whole", "BCM number of the GPIO", required=True, low=2, high=27),
        Field("kind", "word", "What is wired to it", required=True, choices=tuple(WIRINGS)),
        Field("pull", "word", "Resistor of the chip; by kind if absent", choices=("up", "down", "none")),
        Field(
            "active", "word", "Level at which the point is true; by kind if absent", choices=("low", "high")
        ),
        Field(
            "debounce",
            "duration",
            "How long a level must last to count",
            default=50,
            low=0,
            high=300,
            shown="0.05 s",
        ),
    ),
    kinds=_kinds,
    open=_open,
    extra="gpio",
    check=_check,
    wired=True,
)
