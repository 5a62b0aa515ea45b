"""Sticks of Texas Instruments and dresden elektronik, through zigpy's libraries for them.

They go zigpy's general path only: two to five times the work for a frame, and enough for a home.
"""

from __future__ import annotations

from typing import Any

from drivers.zigbee.home_network import HomeNetwork


def application(adapter: str) -> type[HomeNetwork]:
    """That of ``znp`` (CC2652, CC1352) or ``deconz`` (ConBee, RaspBee); imports its library."""
    if adapter == "znp":
        import zigpy_znp.zigbee.application as library
    else:
        import zigpy_deconz.zigbee.application as library
    names: dict[str, Any] = {"__doc__": f"The home's network on a stick that speaks {adapter}."}
    return type("Coordinator", (HomeNetwork, library.ControllerApplication), names)
