"""The libraries that speak to the stick, imported with what a node doesn't need left out."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

from drivers.zigbee.lean import forget_stand_ins, keep_lean
from homenode.errors import SetupError

ADAPTERS = {"ezsp": ("bellows", "zigbee"), "znp": ("zigpy_znp", "znp"), "deconz": ("zigpy_deconz", "deconz")}
"""Protocol to library, and the extra that brings it."""
BAUD = {"ezsp": 115200, "znp": 115200, "deconz": 38400}
"""Usual speeds; a ConBee III has 115200, which is tried when 38400 isn't answered."""


def adapter_of(options: Mapping[str, Any]) -> str:
    """The protocol of a radio."""
    return str(options.get("adapter") or "ezsp")


def baud_of(options: Mapping[str, Any]) -> int:
    """The speed of its line."""
    return int(options.get("baud") or BAUD[adapter_of(options)])


def flow_of(options: Mapping[str, Any]) -> str | None:
    """Flow control of its line; only EZSP escapes the bytes that software flow control swallows."""
    asked = str(options.get("flow_control") or "software")
    return asked if asked == "hardware" or adapter_of(options) == "ezsp" else None


def prepare(adapter: str = "ezsp") -> None:
    """To be called before anything imports zigpy.

    Raises:
        SetupError: They aren't installed.
    """
    library, extra = ADAPTERS[adapter]
    for needed in ("zigpy", "bellows", library):
        if importlib.util.find_spec(needed) is None:
            raise SetupError(
                f"{needed} is not installed, which a stick with adapter {adapter} needs",
                do=f"pip install 'homenode[{extra}]'",
            )
    keep_lean()


def make_coordinator(options: Mapping[str, Any], database: str) -> Any:
    """A coordinator that is not yet connected."""
    from drivers.zigbee.home_network import configuration

    forget_stand_ins()
    adapter = adapter_of(options)
    return _application(adapter)(
        configuration(
            str(options["port"]),
            baud_of(options),
            flow_of(options),
            options.get("channel"),
            database,
        )
    )


def _application(adapter: str) -> Any:
    if adapter == "ezsp":
        from drivers.zigbee.coordinator import Coordinator

        return Coordinator
    from drivers.zigbee.other_sticks import application

    return application(adapter)
