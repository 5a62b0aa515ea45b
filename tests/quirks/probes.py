"""The frames a quirk is asked with: Tuya's data points, Xiaomi's tags, standard attributes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from tests.quirks.bench import Watched
from tests.quirks.fit import RAW

TUYA, AQARA = 0xEF00, 0xFCC0
_AQARA_CODE = b"\x5f\x11"
TAGS = (1, *range(100, 107), *range(149, 153), 160, 11)
"""Tags that zha-quirks reads (xiaomi/__init__.py, _parse_aqara_attributes)."""
MILLIVOLTS = (2300, 2500, 2700, 2850, 2900, 3000, 3050, 3100, 3300)
_UINT16, _UINT32, _SINGLE, _STRING, _BOOLEAN, _UINT8 = 0x21, 0x23, 0x39, 0x42, 0x10, 0x20
STANDARD = (
    (0x0001, 0x0021), (0x0006, 0x0000), (0x000C, 0x0055), (0x0400, 0x0000), (0x0402, 0x0000),
    (0x0405, 0x0000), (0x0406, 0x0000), (0x0702, 0x0000), (0x0B04, 0x0505),
    (0x0B04, 0x0508), (0x0B04, 0x050B),
)  # fmt: skip
"""Attributes of the standard that are points, and the analog input that Xiaomi's plugs use."""


class Probe(NamedTuple):
    """A frame, and which raw value at which place (as a row writes it) it tells."""

    where: str
    raw: int
    endpoint: int
    cluster: int
    frame: bytes


def tuya_points(watched: Watched) -> Iterator[Probe]:
    """Each data point that a quirk knows, by each value and each type."""
    for cluster in watched.clusters(TUYA):
        endpoint = cluster.endpoint.endpoint_id
        points = {(dp, None) for dp in getattr(cluster, "_dp_to_attributes", {})}
        points |= {(id_ & 0xFF, id_ >> 8) for id_ in cluster.attributes if 0x0100 < id_ < 0x0600}
        for point, only in sorted(points, key=str):
            for kind, size in ((2, 4), (4, 1), (1, 1)):
                if only not in (None, kind):
                    continue
                for raw in RAW:
                    if raw >= 1 << 8 * size or (kind == 1 and raw > 1):
                        continue
                    record = bytes((point, kind, 0, size)) + raw.to_bytes(size, "big")
                    frame = b"\x09\x01\x02\x00\x01" + record
                    yield Probe(f"{endpoint}/ef00/{point:02x}", raw, endpoint, TUYA, frame)


def xiaomi_attributes(watched: Watched) -> Iterator[Probe]:
    """Tags in strings, places in structures, and the maker's own attributes."""
    for cluster, attribute in ((0x0000, 0xFF01), (AQARA, 0x00F7)):
        for found in watched.clusters(cluster):
            endpoint = found.endpoint.endpoint_id
            for tag in TAGS:
                for raw in MILLIVOLTS if tag == 1 else RAW:
                    value = struct.pack("<BBf", tag, _SINGLE, raw) if tag in (149, 150, 151, 152) else (
                        struct.pack("<BBH", tag, _UINT16, raw))  # fmt: skip
                    where = f"{endpoint}/{cluster:04x}/{attribute:04x}/{tag:02x}"
                    body = struct.pack("<HBB", attribute, _STRING, len(value)) + value
                    yield Probe(where, raw, endpoint, cluster, _report(body, own=True))
    for found in watched.clusters(0x0000):
        for raw in MILLIVOLTS:
            body = b"\x02\xff\x4c\x02\x00" + bytes((_BOOLEAN, 1)) + struct.pack("<BH", _UINT16, raw)
            endpoint = found.endpoint.endpoint_id
            yield Probe(f"{endpoint}/0000/ff02/01", raw, endpoint, 0, _report(body, own=True))
    for found in watched.clusters(AQARA):
        for attribute in sorted({*found.attributes, 0x0112}):
            if attribute in (0x00F7, 0xFFFD) or attribute > 0xFFFF:
                continue
            endpoint = found.endpoint.endpoint_id
            for raw in (*RAW, 65536 + 10):
                body = struct.pack("<HBI", attribute, _UINT32, raw)
                yield Probe(f"{endpoint}/fcc0/{attribute:04x}", raw, endpoint, AQARA, _report(body, own=True))


def standard_attributes(watched: Watched, air: dict[int, set[int]]) -> Iterator[Probe]:
    """Attributes of clusters that the device has on the air."""
    for endpoint, clusters in air.items():
        for cluster, attribute in STANDARD:
            if cluster in clusters:
                for raw in RAW:
                    where = f"{endpoint}/{cluster:04x}/{attribute:04x}"
                    body = _typed(cluster, attribute, raw)
                    if body is not None:
                        yield Probe(where, raw, endpoint, cluster, _report(body, own=False))


def _typed(cluster: int, attribute: int, raw: int) -> bytes | None:
    head = attribute.to_bytes(2, "little")
    if cluster == 0x000C:
        return head + struct.pack("<Bf", _SINGLE, raw)
    if cluster in (0x0006, 0x0406):
        return head + bytes((_BOOLEAN if cluster == 6 else 0x18, raw)) if raw <= 1 else None
    if cluster == 0x0001:
        return head + bytes((_UINT8, raw)) if raw <= 200 else None
    if cluster == 0x0702:
        size = 6 if attribute == 0 else 3
        return head + bytes((0x25 if size == 6 else 0x2A,)) + raw.to_bytes(size, "little")
    signed = cluster in (0x0402, 0x0B04) and attribute in (0x0000, 0x050B)
    if signed and raw > 32767:
        return None
    return head + struct.pack("<BH", 0x29 if signed else _UINT16, raw)


def _report(body: bytes, *, own: bool) -> bytes:
    return (b"\x1c" + _AQARA_CODE if own else b"\x18") + b"\x01\x0a" + body
