"""The clusters of the virtual devices; `cluster_for` picks the behaviour for an identifier."""

from __future__ import annotations

from homenode.sim.zigbee.clusters.cluster import Cluster, Owner
from homenode.sim.zigbee.clusters.door_lock import DoorLock
from homenode.sim.zigbee.clusters.groups import Groups, Scenes
from homenode.sim.zigbee.clusters.ias_wd import WarningDevice
from homenode.sim.zigbee.clusters.ias_zone import Zone
from homenode.sim.zigbee.clusters.identify import Identify
from homenode.sim.zigbee.clusters.on_off import Level, OnOff
from homenode.sim.zigbee.clusters.ota import Ota
from homenode.sim.zigbee.clusters.poll_control import PollControl
from homenode.sim.zigbee.clusters.tuya import DataPoints
from homenode.sim.zigbee.clusters.window_covering import WindowCovering
from homenode.sim.zigbee.device_spec import ClusterSpec

_SERVERS: dict[int, type[Cluster]] = {
    0x0003: Identify,
    0x0004: Groups,
    0x0005: Scenes,
    0x0006: OnOff,
    0x0008: Level,
    0x0020: PollControl,
    0x0101: DoorLock,
    0x0102: WindowCovering,
    0x0500: Zone,
    0x0502: WarningDevice,
    0xEF00: DataPoints,
}
_CLIENTS: dict[int, type[Cluster]] = {0x0019: Ota}


def cluster_for(device: Owner, endpoint: int, spec: ClusterSpec, *, client: bool) -> Cluster:
    """A live cluster with the behaviour of its identifier; one without commands if it has none here."""
    kind = (_CLIENTS if client else _SERVERS).get(spec.id, Cluster)
    return kind(device, endpoint, spec, client=client)
