"""The radio as the gateway sees it: start, supervision, pairing, outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homenode.config.model import Device
from homenode.driver import Host


class ZigbeeRadio:
    """One stick and the devices heard through it (`homenode.driver.Driver`).

    Args:
        name: Of its entry under ``radios:``.
        options: The fields of `drivers.zigbee.DRIVER.radio_fields`.
        devices: Those of home.yaml that are heard through it.
        host: The gateway.
    """

    def __init__(self, name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> None:
        self.name, self._options, self._host = name, options, host
        self._names = {str(device.options["ieee"]).lower(): device.name for device in devices}
