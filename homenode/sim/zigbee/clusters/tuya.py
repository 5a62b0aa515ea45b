"""Tuya's cluster 0xEF00: a microcontroller's data points, told as commands instead of attributes.

Source: zha-quirks 2.3.0, tuya/__init__.py.
"""

from __future__ import annotations

from typing import ClassVar

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.clusters.cluster import Cluster, Reply
from homenode.sim.zigbee.zcl import Status

BOOL, VALUE, ENUM = 1, 2, 4
"""Types of data points."""
_SIZES = {BOOL: 1, VALUE: 4, ENUM: 1}
_TOLD = 0x02
_HEAD = 4


class DataPoints(Cluster):
    """What the device tells of itself, unbound and unconfigured.

    Attributes:
        points: Number to (type, value), as last told or set.
    """

    RECEIVED: ClassVar[dict[int, str]] = {0x00: "set_points", 0x03: "query"}
    GENERATED: ClassVar[tuple[int, ...]] = (_TOLD,)

    def started(self) -> None:
        """No point has a value yet."""
        self.points: dict[int, tuple[int, int]] = {}
        self._told = 0

    def say(self, *points: tuple[int, int, int]) -> None:
        """Tell (number, type, value) of points, in one frame."""
        for number, kind, value in points:
            self.points[number] = (kind, value)
        self._send(b"".join(_record(*point) for point in points))

    def set_points(self, payload: bytes, by: Aps) -> Reply:
        """Someone sets a point; the device says how it is then."""
        number, kind, size = payload[2], payload[3], payload[4] << 8 | payload[5]
        if len(payload) != 2 + _HEAD + size or size != _SIZES.get(kind):
            return Status.MALFORMED_COMMAND
        self.say((number, kind, int.from_bytes(payload[6:], "big")))
        return Status.SUCCESS

    def query(self, payload: bytes, by: Aps) -> Reply:
        """Tell all."""
        if self.points:
            self.say(*((number, *point) for number, point in sorted(self.points.items())))
        return Status.SUCCESS

    def _send(self, records: bytes) -> None:
        self._told = (self._told + 1) & 0xFF
        self.device.tell(self, bytes((0, self._told)) + records, command=_TOLD)


def _record(number: int, kind: int, value: int) -> bytes:
    size = _SIZES[kind]
    return bytes((number, kind, 0, size)) + value.to_bytes(size, "big", signed=value < 0)
