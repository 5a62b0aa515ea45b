"""The stick families, and the libraries that speak to them."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

from drivers.zigbee.lean import forget_stand_ins, keep_lean
from homenode.errors import SetupError

LIBRARIES = {"ezsp": "bellows", "znp": "zigpy_znp", "deconz": "zigpy_deconz"}
"""By the name that home.yaml gives a family; only the first comes with homenode[zigbee]."""


def prepare(adapter: str) -> None:
    """To be called before anything imports zigpy.

    Raises:
        SetupError: The libraries of the stick's family aren't installed, or can't be driven.
    """
    if importlib.util.find_spec("zigpy") is None or importlib.util.find_spec("bellows") is None:
        raise SetupError("zigpy and bellows are not installed", do="pip install 'homenode[zigbee]'")
    if adapter != "ezsp":
        raise SetupError(
            f"adapter {adapter} needs {LIBRARIES.get(adapter, adapter)}, which this version does not drive",
            do="use a stick with Silicon Labs' EZSP firmware (adapter: ezsp)",
        )
    keep_lean()


def make_coordinator(options: Mapping[str, Any], database: str) -> Any:
    """A coordinator that is not yet connected."""
    from drivers.zigbee.coordinator import Coordinator, configuration

    forget_stand_ins()
    return Coordinator(
        configuration(
            str(options["port"]),
            int(options.get("baud") or 115200),
            str(options.get("flow_control") or "software"),
            options.get("channel"),
            database,
        )
    )
