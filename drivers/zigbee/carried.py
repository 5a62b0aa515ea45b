"""What a radio knows of its devices, on its way to another box in a backup of its network.

With the network alone each device would be interviewed there at its first word, for some ten seconds, and a
button that says what it says only once would not be heard.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from zigpy.device import Status
from zigpy.types import EUI64, NWK
from zigpy.zdo.types import NodeDescriptor

from drivers.zigbee.backup import write

log = logging.getLogger("homenode.zigbee")

PLACE = "homenode"
"""In a backup: among the `metadata.internal` of whoever made it."""
_BASIC, _MANUFACTURER, _MODEL = 0x0000, 0x0004, 0x0005


def with_devices(backup: Any, said: Any) -> Any:
    """The backup, and in it what `carried` gave."""
    network = backup.network_info
    return backup.replace(network_info=network.replace(metadata={**network.metadata, PLACE: said}))


def said_in(backup: Any) -> Any:
    """What `with_devices` put into it; None without."""
    return backup.network_info.metadata.get(PLACE)


def carried(devices: Iterable[Any], facts: Path) -> dict[str, Any]:
    """Of all that were interviewed.

    Args:
        facts: File of `drivers.zigbee.memory`.
    """
    try:
        found = json.loads(facts.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    return {"devices": [_said(one) for one in devices if _is_known(one)], "facts": found}


async def take(app: Any, said: Any, facts: Path) -> int:
    """Know these devices from now on; how many came. On the disk when it returns, unless that takes nothing.

    Nothing where zigpy knows devices already, or what is `said` is damaged: then they are interviewed.
    """
    if not isinstance(said, dict) or any(_is_known(one) for one in app.devices.values()):
        return 0
    taken = 0
    try:
        await asyncio.to_thread(_put, facts, said.get("facts"))
        for one in said["devices"]:
            _know(app, one)
            taken += 1
    except Exception as fault:  # noqa: BLE001 - whatever the types of zigpy make of a damaged file
        log.warning("devices of a backup not taken over", extra={"why": repr(fault)})
    await app._dblistener._callback_handlers.join()
    return taken


def _put(facts: Path, said: Any) -> None:
    if isinstance(said, dict) and not facts.exists():
        write(facts, json.dumps(said, indent=1))


def _is_known(device: Any) -> bool:
    return int(device.nwk) != 0 and hasattr(device, "endpoints") and bool(device.is_initialized)


def _said(device: Any) -> dict[str, Any]:
    return {
        "ieee": str(device.ieee),
        "nwk": int(device.nwk),
        "manufacturer": device.manufacturer,
        "model": device.model,
        "node": device.node_desc.serialize().hex(),
        "endpoints": {
            str(one.endpoint_id): {
                "status": int(one.status),
                "profile": None if one.profile_id is None else int(one.profile_id),
                "type": None if one.device_type is None else int(one.device_type),
                "in": sorted(map(int, one.in_clusters)),
                "out": sorted(map(int, one.out_clusters)),
            }
            for one in device.non_zdo_endpoints
        },
    }


def _know(app: Any, said: Mapping[str, Any]) -> None:
    """As if it had just been interviewed."""
    device = app.add_device(EUI64.convert(said["ieee"]), NWK(said["nwk"]))
    device.node_desc = NodeDescriptor.deserialize(bytes.fromhex(said["node"]))[0]
    device.manufacturer, device.model = said["manufacturer"], said["model"]
    for number, one in said["endpoints"].items():
        endpoint = device.add_endpoint(int(number))
        endpoint.status = type(endpoint.status)(one["status"])
        endpoint.profile_id, endpoint.device_type = one["profile"], one["type"]
        for cluster in one["in"]:
            endpoint.add_input_cluster(cluster)
        for cluster in one["out"]:
            endpoint.add_output_cluster(cluster)
        if basic := endpoint.in_clusters.get(_BASIC):  # where zigpy's database has them
            for attribute, value in ((_MANUFACTURER, device.manufacturer), (_MODEL, device.model)):
                if value is not None:
                    basic.update_attribute(attribute, value)
    device.status = Status.ENDPOINTS_INIT
    app.listener_event("raw_device_initialized", device)
    app.device_initialized(device)
