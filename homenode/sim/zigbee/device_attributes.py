"""Types and factory values of attributes; types come from zigpy's tables of the ZCL."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from homenode.sim.zigbee.device_spec import AttributeSpec, ClusterSpec
from homenode.sim.zigbee.zcl import TYPES, Data, Malformed, encode

_STRING, _SINGLE, _BOOL = TYPES["string"], TYPES["single"], TYPES["bool"]
_EUI64 = TYPES["EUI64"]
_CLUSTER_REVISION = 0xFFFD

DEFAULTS: dict[int, dict[int, Data]] = {
    0x0000: {0x0000: 8, 0x0001: 1, 0x0002: 1, 0x0003: 1, 0x0006: "20240101", 0x4000: "1.0.0"},
    0x0001: {0x0020: 30, 0x0021: 200},
    0x0003: {0x0000: 0},
    0x0004: {0x0000: 0},
    0x0005: {0x0000: 0, 0x0001: 0, 0x0002: 0, 0x0003: False, 0x0004: 0},
    0x0006: {0x0000: False},
    0x0008: {0x0000: 254},
    0x000F: {0x0051: False, 0x0055: False, 0x006F: 0},
    0x0020: {0x0000: 14400, 0x0001: 20, 0x0002: 1, 0x0003: 40},
    0x0101: {0x0000: 1, 0x0001: 0, 0x0002: True},
    0x0102: {0x0000: 0, 0x0007: 3, 0x0008: 0, 0x0017: 0},
    0x0300: {0x0007: 370, 0x0008: 2, 0x400A: 0x10, 0x400B: 153, 0x400C: 500},
    0x0400: {0x0000: 0, 0x0001: 1, 0x0002: 0xFFFE},
    0x0402: {0x0000: 2100, 0x0001: -2000, 0x0002: 6000},
    0x0405: {0x0000: 4500, 0x0001: 0, 0x0002: 10000},
    0x0406: {0x0000: 0, 0x0001: 0, 0x0002: 1},
    0x0500: {0x0000: 0, 0x0001: 0, 0x0002: 0, 0x0010: 0, 0x0011: 0xFF},
    0x0502: {0x0000: 240},
    0x0702: {0x0000: 0, 0x0200: 0, 0x0300: 0, 0x0303: 0, 0x0306: 0},
    0x0B04: {0x0000: 0},
}
"""Mandatory attributes of the server side, with the specification's default where it has one."""

CLIENT_DEFAULTS: dict[int, dict[int, Data]] = {0x0019: {0x0000: 0xFFFFFFFFFFFFFFFF, 0x0002: 1, 0x0006: 0}}
"""The OTA upgrade cluster keeps its attributes on the client."""


@functools.cache
def _known(cluster: int, id_: int) -> tuple[int, bool] | None:
    """Type number and whether it may be written, as the specification has it; None where zigpy has no row."""
    from zigpy.zcl.clusters import CLUSTERS_BY_ID  # heavy, and only the building of specs needs it
    from zigpy.zcl.foundation import ZCLAttributeAccess

    row = getattr(CLUSTERS_BY_ID.get(cluster), "attributes", {}).get(id_)
    if row is None or row.zcl_type is None:
        return None
    number = int(row.zcl_type)
    return (number, ZCLAttributeAccess.Write in row.access) if number not in (0x00, 0xFF) else None


def attribute(
    cluster: int, id_: int, value: Data, *, type_: int | None = None, manufacturer: int = 0
) -> AttributeSpec:
    """A row for a value found in a capture: typed as told, as the ZCL has it, or as the value looks."""
    known = None if manufacturer else _known(cluster, id_)
    number = type_ if type_ is not None else known[0] if known else _guess(value)
    if number == _EUI64 and isinstance(value, str):
        value = int(value.replace(":", ""), 16)
    elif isinstance(value, float) and number not in (0x38, 0x39, 0x3A):
        value = round(value)
    elif isinstance(value, str) and number not in (0x41, 0x42, 0x43, 0x44):
        number = _STRING
    try:
        encode(number, value)
    except Malformed:  # a quirk has put something else there than the device says
        number = _guess(value)
    return AttributeSpec(
        id_, number, value, known[1] if known else bool(manufacturer) or cluster >= 0xFC00, manufacturer
    )


def _guess(value: Data) -> int:
    if isinstance(value, bool):
        return _BOOL
    if isinstance(value, float):
        return _SINGLE
    if isinstance(value, int):
        sign = "int" if value < 0 else "uint"
        width = max(8, -(-(value.bit_length() + (value < 0)) // 8) * 8)
        return TYPES[f"{sign}{width}"]
    return _STRING


def server_cluster(
    id_: int,
    found: Mapping[int, AttributeSpec],
    *,
    manufacturer: str,
    model: str,
    battery: bool,
    unsupported: frozenset[int] = frozenset(),
) -> ClusterSpec:
    """A server cluster with what was found and, for the rest, what every such device has."""
    rows = dict(found)
    usual = dict(DEFAULTS.get(id_, {}))
    if id_ == 0x0000:
        usual |= {0x0004: manufacturer, 0x0005: model, 0x0007: 0x03 if battery else 0x01}
    if id_ < 0xFC00:
        usual[_CLUSTER_REVISION] = 1
    for one, value in usual.items():
        if one not in rows and one not in unsupported:
            rows[one] = attribute(id_, one, value, type_=0x21 if one == _CLUSTER_REVISION else None)
    return ClusterSpec(id_, tuple(rows[one] for one in sorted(rows)), unsupported)


def client_cluster(
    id_: int, found: Mapping[int, AttributeSpec], unsupported: frozenset[int] = frozenset()
) -> ClusterSpec:
    """A client cluster; only OTA has attributes there."""
    rows = dict(found)
    for one, value in CLIENT_DEFAULTS.get(id_, {}).items():
        if one not in rows and one not in unsupported:
            rows[one] = attribute(id_, one, value)
    return ClusterSpec(id_, tuple(rows[one] for one in sorted(rows)), unsupported)
