"""An air of paper for pure tests of virtual devices: a clock that is turned by hand, no coordinator."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from zigpy.zcl import foundation

from homenode.sim.zigbee.air import COORDINATOR, Aps, Node
from homenode.sim.zigbee.device import VirtualDevice

COORDINATOR_IEEE = 0x000D6F0012345678


class PaperAir:
    """Keeps what devices send, and what waits for sleepers until they poll."""

    def __init__(self) -> None:
        self.now = 0.0
        self.open = True
        self.sent: list[Aps] = []
        self.waiting: dict[int, list[Aps]] = {}
        self.polls: list[float] = []
        self.left: list[tuple[int, bool]] = []
        self.link_quality = 0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def join(self, node: Node, *, rejoin: bool = False, key: bytes | None = None) -> bool:
        if not (self.open or rejoin):
            return False
        self.later(0, lambda: node.joined(0x1234))
        self.run(0)
        return True

    def leave(self, node: Node, *, silently: bool = False) -> None:
        self.left.append((node.ieee, silently))

    def send(self, node: Node, frame: Aps, *, link_quality: int = 200, rssi: int = -50) -> bool:
        self.sent.append(frame)
        self.link_quality = link_quality
        return True

    def poll(self, node: Node) -> None:
        self.polls.append(self.now)
        for frame in self.waiting.pop(node.ieee, []):
            node.receive(frame)

    def time(self) -> float:
        return self.now

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        alive = [call]
        heapq.heappush(
            self._due, (self.now + seconds, next(self._count), lambda: alive[0]() if alive else None)
        )
        return alive.clear

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            self.now, _, call = heapq.heappop(self._due)
            call()
        self.now = end

    def take(self) -> list[Aps]:
        """What was sent since the last time."""
        sent, self.sent = self.sent, []
        return sent

    def tell(
        self,
        node: VirtualDevice,
        cluster: int,
        payload: bytes,
        *,
        endpoint: int = 1,
        profile: int = 0x0104,
        **how: int,
    ) -> list[Aps]:
        """Send from the coordinator's endpoint 1 (ZDO: 0) and return what the device answers at once."""
        self.take()
        mine = 0 if profile == 0 else 1
        destination = how.get("destination", node.network_address)
        frame = Aps(COORDINATOR, destination, profile, cluster, mine, endpoint, payload, how.get("group"))
        node.receive(frame)
        return self.take()


def general(
    command: int, payload: bytes, *, to_client: bool = False, quiet: bool = False, code: int = 0
) -> bytes:
    """A general ZCL frame with sequence 7."""
    control = (0x08 if to_client else 0) | (0x10 if quiet else 0) | (0x04 if code else 0)
    return bytes((control,)) + (code.to_bytes(2, "little") if code else b"") + bytes((7, command)) + payload


def specific(command: int, payload: bytes = b"", *, to_client: bool = False, quiet: bool = False) -> bytes:
    """A command of a cluster with sequence 9."""
    return bytes((0x01 | (0x08 if to_client else 0) | (0x10 if quiet else 0), 9, command)) + payload


def read(frame: Aps) -> tuple[foundation.ZCLHeader, object]:
    """Header and, for a general command, body of a frame as zigpy reads them."""
    header, rest = foundation.ZCLHeader.deserialize(frame.payload)
    if header.frame_control.frame_type == foundation.FrameType.CLUSTER_COMMAND:
        return header, rest
    body, rest = foundation.GENERAL_COMMANDS[header.command_id].schema.deserialize(rest)
    assert rest == b""
    return header, body


def bind(air: PaperAir, device: VirtualDevice, endpoint: int, cluster: int) -> None:
    """What an interview does before it configures reporting."""
    body = device.ieee.to_bytes(8, "little") + bytes((endpoint,)) + cluster.to_bytes(2, "little")
    body += b"\x03" + COORDINATOR_IEEE.to_bytes(8, "little") + b"\x01"
    (answer,) = air.tell(device, 0x0021, b"\x01" + body, endpoint=0, profile=0)
    assert answer.payload == b"\x01\x00"


def configure(
    air: PaperAir,
    device: VirtualDevice,
    place: tuple[int, int, int],
    type_: int,
    low_s: int,
    high_s: int,
    change: bytes,
) -> None:
    """Bind and configure reporting of endpoint, cluster, attribute."""
    endpoint, cluster, id_ = place
    bind(air, device, endpoint, cluster)
    record = b"\x00" + id_.to_bytes(2, "little") + bytes((type_,))
    record += low_s.to_bytes(2, "little") + high_s.to_bytes(2, "little") + change
    (answer,) = air.tell(device, cluster, general(0x06, record), endpoint=endpoint)
    assert answer.payload[3:] == b"\x00"


def reports(frames: list[Aps]) -> list[tuple[int, int, int, object]]:
    """(endpoint, cluster, attribute, value) of each attribute report among frames."""
    found = []
    for frame in frames:
        if frame.profile == 0 or frame.payload[2] != 0x0A or frame.payload[0] & 0x03:
            continue
        _, body = read(frame)
        found += [
            (frame.source_endpoint, frame.cluster, int(one.attrid), one.value.value)
            for one in body.attribute_reports  # type: ignore[attr-defined]  # zigpy makes its schemas at run time
        ]
    return found


def zone_status(frames: list[Aps]) -> list[int]:
    """Zone status of each status change notification among frames."""
    zones = [
        one for one in frames if one.cluster == 0x0500 and one.payload[0] & 0x01 and one.payload[2] == 0x00
    ]
    return [int.from_bytes(one.payload[3:5], "little") for one in zones]
