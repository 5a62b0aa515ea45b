"""Groups and scenes: which groupcasts an endpoint hears (ZCL 3.6, 3.7)."""

from __future__ import annotations

from typing import Any, ClassVar

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.clusters.cluster import Answer, Cluster, Reply
from homenode.sim.zigbee.zcl import Status

GROUPS_MAX = 16
"""Rows of the group table (EmberZNet's default)."""


class Groups(Cluster):
    """Membership of one endpoint."""

    RECEIVED: ClassVar[dict[int, str]] = {
        0x00: "add",
        0x01: "view",
        0x02: "membership",
        0x03: "remove",
        0x04: "remove_all",
        0x05: "add_if",
    }
    GENERATED = (0x00, 0x01, 0x02, 0x03)

    @property
    def _mine(self) -> set[int]:
        return self.device.groups.setdefault(self.endpoint, set())

    def add(self, payload: bytes, by: Aps) -> Reply:
        """Join a group."""
        group = payload[0] | payload[1] << 8
        mine = self._mine
        status = Status.SUCCESS if group in mine or len(mine) < GROUPS_MAX else Status.INSUFFICIENT_SPACE
        if status is Status.SUCCESS:
            mine.add(group)
        return Answer(0x00, bytes((status,)) + payload[:2])

    def view(self, payload: bytes, by: Aps) -> Reply:
        """Is it in this group?"""
        known = payload[0] | payload[1] << 8 in self._mine
        status = Status.SUCCESS if known else Status.NOT_FOUND
        return Answer(0x01, bytes((status,)) + payload[:2] + b"\x00")

    def membership(self, payload: bytes, by: Aps) -> Reply:
        """Which of these groups, or all if none is named."""
        asked = {payload[at] | payload[at + 1] << 8 for at in range(1, 1 + 2 * payload[0], 2)}
        found = sorted(self._mine & asked if asked else self._mine)
        body = b"".join(group.to_bytes(2, "little") for group in found)
        return Answer(0x02, bytes((GROUPS_MAX - len(self._mine), len(found))) + body)

    def remove(self, payload: bytes, by: Aps) -> Reply:
        """Leave a group."""
        group = payload[0] | payload[1] << 8
        status = Status.SUCCESS if group in self._mine else Status.NOT_FOUND
        self._mine.discard(group)
        return Answer(0x03, bytes((status,)) + payload[:2])

    def remove_all(self, payload: bytes, by: Aps) -> Reply:
        """Leave all groups."""
        self._mine.clear()
        return Status.SUCCESS

    def add_if(self, payload: bytes, by: Aps) -> Reply:
        """Join while identifying; here as when it is not."""
        return Status.SUCCESS


class Scenes(Cluster):
    """Scenes by group and number; what is stored is the number alone, recalled without effect."""

    RECEIVED: ClassVar[dict[int, str]] = {
        0x00: "add",
        0x01: "view",
        0x02: "remove",
        0x03: "remove_all",
        0x04: "store",
        0x05: "recall_scene",
        0x06: "membership",
    }
    GENERATED = (0x00, 0x01, 0x02, 0x03, 0x04, 0x06)

    def started(self) -> None:
        """No scene at first."""
        self._known: set[tuple[int, int]] = set()

    def memory(self) -> dict[str, Any]:
        """The known scenes."""
        return {"scenes": [list(one) for one in sorted(self._known)]} if self._known else {}

    def recall(self, memory: dict[str, Any]) -> None:
        """Take up the known scenes."""
        self._known = {(group, scene) for group, scene in memory.get("scenes", ())}

    def _place(self, payload: bytes) -> tuple[int, int]:
        return payload[0] | payload[1] << 8, payload[2]

    def add(self, payload: bytes, by: Aps) -> Reply:
        """Add a scene."""
        self._known.add(self._place(payload))
        return Answer(0x00, bytes((Status.SUCCESS,)) + payload[:3])

    def view(self, payload: bytes, by: Aps) -> Reply:
        """What is in a scene."""
        if self._place(payload) in self._known:
            return Answer(0x01, bytes((Status.SUCCESS,)) + payload[:3] + b"\x00\x00\x00")
        return Answer(0x01, bytes((Status.NOT_FOUND,)) + payload[:3])

    def remove(self, payload: bytes, by: Aps) -> Reply:
        """Remove a scene."""
        status = Status.SUCCESS if self._place(payload) in self._known else Status.NOT_FOUND
        self._known.discard(self._place(payload))
        return Answer(0x02, bytes((status,)) + payload[:3])

    def remove_all(self, payload: bytes, by: Aps) -> Reply:
        """Remove all scenes of a group."""
        group = payload[0] | payload[1] << 8
        self._known = {one for one in self._known if one[0] != group}
        return Answer(0x03, bytes((Status.SUCCESS,)) + payload[:2])

    def store(self, payload: bytes, by: Aps) -> Reply:
        """Store the present state as a scene."""
        self._known.add(self._place(payload))
        return Answer(0x04, bytes((Status.SUCCESS,)) + payload[:3])

    def recall_scene(self, payload: bytes, by: Aps) -> Reply:
        """Take up a scene."""
        return Status.SUCCESS if self._place(payload) in self._known else Status.NOT_FOUND

    def membership(self, payload: bytes, by: Aps) -> Reply:
        """The scenes of a group."""
        group = payload[0] | payload[1] << 8
        found = sorted(scene for owner, scene in self._known if owner == group)
        head = bytes((Status.SUCCESS, 16 - len(self._known))) + payload[:2]
        return Answer(0x06, head + bytes((len(found), *found)))
