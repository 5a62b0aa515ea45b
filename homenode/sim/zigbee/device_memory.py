"""What a device keeps over a restart of the simulator, as plain JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from homenode.sim.zigbee.zdo import Binding

if TYPE_CHECKING:
    from homenode.sim.zigbee.clusters.cluster import Cluster
    from homenode.sim.zigbee.device import VirtualDevice


def remember(device: VirtualDevice) -> dict[str, Any]:
    """Network address, tables, values, reporting configurations and outputs."""
    return {
        "on_network": device.on_network,
        "network_address": device.network_address,
        "link_quality": device.link_quality,
        "outputs": dict(device.outputs),
        "bindings": [list(row) for row in device.bindings],
        "groups": {str(endpoint): sorted(groups) for endpoint, groups in device.groups.items()},
        "addresses": {f"{ieee:016x}": address for ieee, address in device.addresses.items()},
        "servers": _clusters(device.servers),
        "clients": _clusters(device.clients),
    }


def recall(device: VirtualDevice, state: dict[str, Any]) -> None:
    """Put back what `remember` gave; rows for clusters that the model no longer has are left out."""
    device.network_address = state["network_address"]
    device.link_quality = state["link_quality"]
    device.outputs.update(state["outputs"])
    device.bindings[:] = [Binding(*row) for row in state["bindings"]]
    device.groups.update({int(endpoint): set(groups) for endpoint, groups in state["groups"].items()})
    device.addresses.update({int(ieee, 16): address for ieee, address in state["addresses"].items()})
    for side, table in (("servers", device.servers), ("clients", device.clients)):
        for place, kept in state[side].items():
            endpoint, _, cluster = place.partition("/")
            found = table.get((int(endpoint), int(cluster, 16)))
            if found is not None:
                _recall_cluster(found, kept)


def _clusters(table: dict[tuple[int, int], Cluster]) -> dict[str, Any]:
    kept = {f"{endpoint}/{id_:04x}": _cluster(cluster) for (endpoint, id_), cluster in table.items()}
    return {place: state for place, state in kept.items() if any(state.values())}


def _cluster(cluster: Cluster) -> dict[str, Any]:
    rows = cluster.attributes.values()
    return {
        "values": {f"{a.id:04x}": a.value for a in rows if not isinstance(a.value, bytes)},
        "reporting": {
            f"{a.id:04x}": [a.reporting.min_s, a.reporting.max_s, a.reporting.change]
            for a in rows
            if a.reporting is not None
        },
        "memory": cluster.memory(),
    }


def _recall_cluster(cluster: Cluster, kept: dict[str, Any]) -> None:
    for id_, value in kept["values"].items():
        attribute = cluster.attributes.get(int(id_, 16))
        if attribute is not None:
            attribute.value = value
    for id_, (min_s, max_s, change) in kept["reporting"].items():
        attribute = cluster.attributes.get(int(id_, 16))
        if attribute is not None:
            cluster.configure(attribute, min_s, max_s, change)
    cluster.recall(kept["memory"])
