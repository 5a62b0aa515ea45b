"""Builds a virtual device from a dump of a real one, as Home Assistant's ZHA writes them.

Two forms are about: ``signature`` with ``cluster_details`` (before 2025), and ``node_descriptor`` with
``endpoints`` (since then). Where ZHA had put a quirk over a device, ``original_signature`` is what was on the
air.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from homenode.sim.zigbee.air import Air, Role
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.device_attributes import attribute, client_cluster, server_cluster
from homenode.sim.zigbee.device_signals import ZONE_TYPES
from homenode.sim.zigbee.device_spec import AttributeSpec, DeviceSpec, EndpointSpec
from homenode.sim.zigbee.zcl import TYPES, Data

_MAINS_POWER, _RECEIVER_ON = 0x04, 0x08
_TUYA = 0xEF00
_BESIDE_TUYA = frozenset({0x0000, 0x0003, 0x0004, 0x0005, 0xED00, _TUYA})
"""All that a device with data points lists of itself, where its own signature wasn't kept."""
_ZCL_TYPE = re.compile(r"zcl_type=<DataTypeId\.(\w+?)_?:")
_ROLES = {"Router": Role.ROUTER, "EndDevice": Role.END_DEVICE, "Coordinator": Role.COORDINATOR}
_MULTIPLE_REPORTERS = ("LUMI", "Aqara", "aqara")
"""Makers whose sensors report to the coordinator without being bound."""


def device_from_dump(
    dump: Mapping[str, Any], air: Air, ieee: int | None = None, *, pace: float = 1.0
) -> VirtualDevice:
    """The device of a dump, with its own address unless another is given."""
    if ieee is None:
        ieee = int(str(dump["ieee"]).replace(":", ""), 16)
    return VirtualDevice(spec_from_dump(dump), ieee, air, pace=pace)


def spec_from_dump(dump: Mapping[str, Any]) -> DeviceSpec:
    """The model of a dump: what it answered when it was asked, and the usual where it wasn't."""
    signature = dump.get("signature") or {}
    descriptor = dump.get("node_descriptor") or signature.get("node_descriptor") or {}
    manufacturer, model = str(dump["manufacturer"]), str(dump["model"])
    role = _role(dump, descriptor)
    capability = int(descriptor.get("mac_capability_flags", 0x8E if role is Role.ROUTER else 0x80))
    battery = not capability & _MAINS_POWER
    endpoints = tuple(
        _endpoint(number, profile, type_, servers, clients, manufacturer, model, battery)
        for number, profile, type_, servers, clients in _endpoints(dump)
    )
    return DeviceSpec(
        name=f"{manufacturer}/{model}",
        manufacturer=manufacturer,
        model=model,
        code=int(dump.get("manufacturer_code") or descriptor.get("manufacturer_code") or 0),
        role=role,
        capability=capability,
        endpoints=endpoints,
        thing=_thing(endpoints),
        enrolment="request",
        reports_unbound=manufacturer in _MULTIPLE_REPORTERS,
        buffer_size=int(descriptor.get("maximum_buffer_size", 82)),
        server_mask=int(descriptor.get("server_mask", 0x2C00)),
        source=str((dump.get("_provenance") or {}).get("path") or "zigpy/zha tests/data/devices"),
    )


def _role(dump: Mapping[str, Any], descriptor: Mapping[str, Any]) -> Role:
    logical = descriptor.get("logical_type")
    if isinstance(logical, int):
        return Role(logical)
    return _ROLES.get(str(logical or dump.get("device_type")), Role.END_DEVICE)


Side = list[tuple[int, dict[int, AttributeSpec], frozenset[int]]]


def _endpoints(dump: Mapping[str, Any]) -> Iterable[tuple[int, int, int, Side, Side]]:
    if "endpoints" in dump:
        yield from _new_endpoints(dump)
        return
    details = dump.get("cluster_details") or {}
    shown = dump["signature"]["endpoints"]
    for number, row in ((dump.get("original_signature") or {}).get("endpoints") or shown).items():
        row = {**shown.get(number, {}), **{key: value for key, value in row.items() if value is not None}}
        kept = details.get(number, {})
        pairs = (("input_clusters", "in_clusters"), ("output_clusters", "out_clusters"))
        old = [
            [_detailed(int(c, 16), kept.get(into, {}).get(c) or {}) for c in row[name]]
            for name, into in pairs
        ]
        yield int(number), _number(row["profile_id"]), _number(row["device_type"]), old[0], old[1]


def _new_endpoints(dump: Mapping[str, Any]) -> Iterable[tuple[int, int, int, Side, Side]]:
    """Since 2025: what a quirk has put there is shown as if the device had it."""
    on_air = (dump.get("original_signature") or {}).get("endpoints") or {}
    for number, row in dump["endpoints"].items():
        own = on_air.get(number)
        if on_air and own is None:
            continue
        sides = []
        for side, listed in (("in_clusters", "input_clusters"), ("out_clusters", "output_clusters")):
            shown = {found[0]: found for found in map(_listed, row[side])}
            if own is not None:
                wanted = [int(one, 16) for one in own[listed]]
                shown = {one: shown.get(one, (one, {}, frozenset())) for one in wanted}
            elif dump.get("quirk_applied") and _TUYA in shown:
                shown = {one: found for one, found in shown.items() if one in _BESIDE_TUYA}
            sides.append(list(shown.values()))
        kind = _number(own["device_type"]) if own is not None else row["device_type"]["id"]
        yield int(number), row["profile_id"], kind, sides[0], sides[1]


def _number(text: object) -> int:
    return int(text, 16) if isinstance(text, str) else int(str(text or 0))


def _listed(row: Mapping[str, Any]) -> tuple[int, dict[int, AttributeSpec], frozenset[int]]:
    cluster = int(row["cluster_id"], 16)
    found = {
        (id_ := int(one["id"], 16)): attribute(cluster, id_, one["value"], type_=TYPES.get(one["zcl_type"]))
        for one in row["attributes"]
        if one.get("value") is not None
    }
    refused = frozenset(int(one["id"], 16) for one in row["attributes"] if one.get("unsupported"))
    return cluster, found, refused


def _detailed(cluster: int, kept: Mapping[str, Any]) -> tuple[int, dict[int, AttributeSpec], frozenset[int]]:
    found = {}
    for text, one in (kept.get("attributes") or {}).items():
        value: Data = one.get("value")
        if value is None:
            continue
        match = _ZCL_TYPE.search(one.get("attribute", ""))
        type_ = TYPES.get(match[1]) if match else None
        found[int(text, 16)] = attribute(cluster, int(text, 16), value, type_=type_)
    refused = kept.get("unsupported_attributes") or ()
    if isinstance(refused, Mapping):
        return cluster, found, frozenset(int(one, 16) for one in refused)
    return cluster, found, frozenset(one for one in refused if isinstance(one, int))


def _endpoint(
    number: int,
    profile: int,
    type_: int,
    servers: Side,
    clients: Side,
    manufacturer: str,
    model: str,
    battery: bool,
) -> EndpointSpec:
    return EndpointSpec(
        number,
        profile,
        type_,
        tuple(
            server_cluster(
                id_, rows, manufacturer=manufacturer, model=model, battery=battery, unsupported=refused
            )
            for id_, rows, refused in servers
        ),
        tuple(client_cluster(id_, rows, refused) for id_, rows, refused in clients),
    )


def _thing(endpoints: Iterable[EndpointSpec]) -> str:
    """What the zone type says, else what its clusters say; "" if neither does."""
    clusters = {c.id: c for e in endpoints for c in e.servers}
    zone = clusters.get(0x0500)
    if zone is not None:
        types = [row.value for row in zone.attributes if row.id == 0x0001]
        word = ZONE_TYPES.get(int(types[0])) if types and isinstance(types[0], int) else None
        if word:
            return word
    for id_, word in ((0x0502, "siren"), (0x0101, "lock"), (0x0406, "motion")):
        if id_ in clusters:
            return word
    return ""
