"""The libraries that speak to the stick, imported with what a node doesn't need left out."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

from drivers.zigbee.lean import forget_stand_ins, keep_lean
from homenode.errors import SetupError


def prepare() -> None:
    """To be called before anything imports zigpy.

    Raises:
        SetupError: They aren't installed.
    """
    if importlib.util.find_spec("zigpy") is None or importlib.util.find_spec("bellows") is None:
        raise SetupError("zigpy and bellows are not installed", do="pip install 'homenode[zigbee]'")
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
