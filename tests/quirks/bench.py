"""Quirks of zha-quirks as instruments: a frame of a device goes in, what the quirk makes of it comes out.

Nothing here reads a quirk's source: each quirk is put over a device and asked with frames as that device
would send them. Runs where zha-quirks is installed (`tests/quirks/__main__.py` sees to that).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import zhaquirks
import zigpy.device
import zigpy.types as t
import zigpy.zcl
from zha.quirks import DEVICE_REGISTRY
from zigpy.zdo.types import NodeDescriptor

HOME_AUTOMATION = 0x0104
_SLEEPY = NodeDescriptor(2, 64, 128, 4151, 127, 100, 0, 100, 0)
_TUYA_SIGNATURE = {
    1: {"profile_id": HOME_AUTOMATION, "device_type": 0x0051, "input_clusters": [0, 4, 5, 0xEF00],
        "output_clusters": [0x0A, 0x19]}
}  # fmt: skip


class Update(NamedTuple):
    """An attribute that a quirk set: endpoint, cluster, attribute, value."""

    endpoint: int
    cluster: int
    attribute: int
    value: Any


class Quirk(NamedTuple):
    """One quirk for one model.

    Attributes:
        file: Below zhaquirks/.
        signature: Endpoints as on the air; None where the quirk doesn't say (v2).
    """

    manufacturer: str
    model: str
    file: str
    entry: Any
    signature: dict[int, Any] | None


class _Nowhere:
    """An application whose stick sends nothing."""

    _dblistener = None
    _req_listeners: ClassVar[defaultdict[Any, list[Any]]] = defaultdict(list)

    def get_sequence(self) -> int:
        return 1

    async def request(self, *args: Any, **more: Any) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return _nothing


def _nothing(*args: Any, **more: Any) -> None:
    return None


class Watched:
    """A device with its quirk, and what that sets."""

    def __init__(self, quirk: Quirk, signature: dict[int, Any]) -> None:
        bare = zigpy.device.Device(_Nowhere(), t.EUI64.convert("00:15:8d:00:00:00:00:01"), 0x1234)
        bare.node_desc, bare.manufacturer, bare.model = _SLEEPY, quirk.manufacturer, quirk.model
        for number, row in signature.items():
            endpoint = bare.add_endpoint(number)
            endpoint.profile_id, endpoint.device_type = (
                row.get("profile_id", HOME_AUTOMATION),
                row.get("device_type", 0),
            )
            endpoint.status = zigpy.endpoint.Status.ZDO_INIT
            for cluster in row.get("input_clusters", ()):
                endpoint.add_input_cluster(cluster)
            for cluster in row.get("output_clusters", ()):
                endpoint.add_output_cluster(cluster)
        bare.status = zigpy.device.Status.ENDPOINTS_INIT
        self.device = bare
        for transform in quirk.entry.zigpy_transforms:
            self.device = transform(self.device)
        self.device.status = zigpy.device.Status.ENDPOINTS_INIT

    def clusters(self, identifier: int) -> Iterator[Any]:
        """Server clusters of an identifier."""
        for number, endpoint in self.device.endpoints.items():
            if number and identifier in endpoint.in_clusters:
                yield endpoint.in_clusters[identifier]

    def cluster(self, endpoint: int, identifier: int) -> Any:
        """A server cluster, or None."""
        found = self.device.endpoints.get(endpoint)
        return None if found is None or not endpoint else found.in_clusters.get(identifier)

    def constant(self, endpoint: int, cluster: int, attribute: int) -> Any:
        """What the quirk says an attribute is, whatever the device says."""
        found = self.cluster(endpoint, cluster)
        return (getattr(found, "_CONSTANT_ATTRIBUTES", None) or {}).get(attribute)

    def feed(self, endpoint: int, cluster: int, frame: bytes) -> list[Update]:
        """What the quirk sets when the device sends this."""
        _heard.clear()
        packet = t.ZigbeePacket(
            src=t.AddrModeAddress(t.AddrMode.NWK, 0x1234),
            src_ep=endpoint,
            dst=t.AddrModeAddress(t.AddrMode.NWK, 0x0000),
            dst_ep=1,
            profile_id=HOME_AUTOMATION,
            cluster_id=cluster,
            data=t.SerializableBytes(frame),
            tsn=1,
        )
        with contextlib.suppress(Exception):
            self.device.packet_received(packet)
        return list(_heard)


_heard: list[Update] = []


def _record_updates() -> None:
    plain = zigpy.zcl.Cluster._update_attribute

    def record(self: Any, attribute: Any, value: Any, *args: Any, **more: Any) -> Any:
        if not self.is_client:
            _heard.append(Update(self.endpoint.endpoint_id, self.cluster_id, int(attribute), value))
        return plain(self, attribute, value, *args, **more)

    zigpy.zcl.Cluster._update_attribute = record


def quirks(folders: tuple[str, ...] = ("",)) -> Iterator[Quirk]:
    """All quirks (below these folders of zha-quirks), for each model that they name."""
    root = Path(zhaquirks.__file__).parent
    for entry in DEVICE_REGISTRY:
        if entry.source is None or entry.source.file is None:
            continue
        file = Path(entry.source.file).resolve().relative_to(root.resolve()).as_posix()
        if not file.startswith(folders):
            continue
        legacy = getattr(entry.zigpy_transforms[0], "device_cls", None)
        signature = getattr(legacy, "signature", {}).get("endpoints")
        if signature is None and not file.startswith("tuya/"):
            signature = _replaced(entry)
        for manufacturer, model in entry.device_match.applies_to:
            if manufacturer and model:
                yield Quirk(manufacturer, model, file, entry, signature)


def _replaced(entry: Any) -> dict[int, Any]:
    """Endpoints with the server clusters that a quirk replaces: those the device has."""
    endpoints: dict[int, Any] = {}
    for op in entry.zigpy_transforms:
        cluster = getattr(op, "cluster_id", None) or getattr(getattr(op, "cluster", None), "cluster_id", None)
        server = getattr(getattr(op, "cluster_type", None), "name", "Server") == "Server"
        if type(op).__name__ == "ReplaceCluster" and cluster is not None and server:
            row = endpoints.setdefault(op.endpoint_id, {"input_clusters": [0], "output_clusters": []})
            row["input_clusters"].append(int(cluster))
    return endpoints or {1: {"input_clusters": [0], "output_clusters": []}}


def watched(quirk: Quirk) -> Watched | None:
    """A device with the quirk over it; None if it can't be put there."""
    try:
        return Watched(quirk, quirk.signature or _TUYA_SIGNATURE)
    except Exception as fault:  # noqa: BLE001 - told in the summary as a quirk that was left out
        logging.getLogger("quirks").debug("%s/%s: %r", quirk.manufacturer, quirk.model, fault)
        return None


def prepare() -> None:
    """Load all quirks. Call once, in a running loop."""
    asyncio.get_running_loop()
    logging.disable(logging.ERROR)
    zhaquirks.setup()
    _record_updates()
