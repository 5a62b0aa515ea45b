"""The Zigbee device object of a virtual device: descriptors, binding table, management requests.

Source of formats and status codes: Zigbee specification R22 (05-3474-22), clause 2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import NamedTuple, Protocol

from homenode.sim.zigbee.air import COORDINATOR, Aps, Role
from homenode.sim.zigbee.device_spec import DeviceSpec, EndpointSpec

NWK_ADDR, IEEE_ADDR, NODE_DESC, POWER_DESC, SIMPLE_DESC = 0x0000, 0x0001, 0x0002, 0x0003, 0x0004
ACTIVE_EP, MATCH_DESC, DEVICE_ANNCE, SERVER_DISCOVERY = 0x0005, 0x0006, 0x0013, 0x0015
PARENT_ANNCE, BIND, UNBIND = 0x001F, 0x0021, 0x0022
MGMT_LQI, MGMT_RTG, MGMT_BIND, MGMT_LEAVE, MGMT_PERMIT = 0x0031, 0x0032, 0x0033, 0x0034, 0x0036
RESPONSE = 0x8000
FIRST_BROADCAST = 0xFFF8

BINDINGS_MAX = 16
"""Rows of the binding table; EmberZNet's sample sensors have ten, its routers up to 32."""
BINDINGS_PER_ANSWER = 3
NEIGHBOURS_PER_ANSWER = 2
_GROUP, _NODE = 0x01, 0x03
_REJOIN = 0x80
_FULL_FUNCTION = 0x02


class ZdoStatus(IntEnum):
    """ZDP status (table 2-130)."""

    SUCCESS = 0x00
    INV_REQUESTTYPE = 0x80
    DEVICE_NOT_FOUND = 0x81
    INVALID_EP = 0x82
    NOT_ACTIVE = 0x83
    NOT_SUPPORTED = 0x84
    NO_MATCH = 0x86
    NO_ENTRY = 0x88
    TABLE_FULL = 0x8C


class Binding(NamedTuple):
    """A row of the binding table. `group` is None where `ieee` and `to_endpoint` say where to."""

    endpoint: int
    cluster: int
    ieee: int
    to_endpoint: int
    group: int | None = None


class Owner(Protocol):
    """The device, as its device object sees it."""

    spec: DeviceSpec
    ieee: int
    network_address: int
    link_quality: int
    bindings: list[Binding]
    addresses: dict[int, int]

    def send_zdo(self, destination: int, cluster: int, payload: bytes) -> None:
        """Send a frame of the device object; `payload` starts with its sequence number."""
        ...

    def told_to_leave(self, *, rejoin: bool) -> None:
        """A leave request was accepted; its answer is already on the air."""
        ...


class DeviceObject:
    """Endpoint 0 of a virtual device."""

    def __init__(self, device: Owner) -> None:
        self._device = device
        self._routers: set[int] = set()
        self._handlers: dict[int, Callable[[bytes, bool], bytes | None]] = {
            NWK_ADDR: self._network_address,
            IEEE_ADDR: self._ieee_address,
            NODE_DESC: self._node,
            POWER_DESC: self._power,
            SIMPLE_DESC: self._simple,
            ACTIVE_EP: self._active,
            MATCH_DESC: self._match,
            BIND: self._bind,
            UNBIND: self._unbind,
            MGMT_LQI: self._neighbours,
            MGMT_RTG: self._routes,
            MGMT_BIND: self._binding_table,
            MGMT_PERMIT: self._permit,
        }

    def receive(self, frame: Aps) -> None:
        """A frame for endpoint 0."""
        payload = frame.payload
        if frame.cluster == DEVICE_ANNCE and len(payload) >= 12:
            self._learn(int.from_bytes(payload[3:11], "little"), _u16(payload, 1), payload[11])
            return
        if frame.cluster == IEEE_ADDR | RESPONSE and len(payload) >= 12 and payload[1] == ZdoStatus.SUCCESS:
            self._learn(int.from_bytes(payload[2:10], "little"), _u16(payload, 10), _FULL_FUNCTION)
            return
        if frame.cluster & RESPONSE or frame.cluster == PARENT_ANNCE or not payload:
            return
        broadcast = frame.destination >= FIRST_BROADCAST
        if frame.cluster == MGMT_LEAVE:
            self._leave(frame)
            return
        handler = self._handlers.get(frame.cluster)
        try:
            answer = _status(ZdoStatus.NOT_SUPPORTED) if handler is None else handler(payload[1:], broadcast)
        except IndexError:  # a truncated request
            answer = _status(ZdoStatus.INV_REQUESTTYPE)
        if answer is not None and not (broadcast and answer[0] != ZdoStatus.SUCCESS):
            self._device.send_zdo(frame.source, frame.cluster | RESPONSE, payload[:1] + answer)

    def _learn(self, ieee: int, address: int, capability: int) -> None:
        self._device.addresses[ieee] = address
        if capability & _FULL_FUNCTION:
            self._routers.add(ieee)

    def ask_parent(self, sequence: int) -> None:
        """A router asks the coordinator for its IEEE address: the first row of its neighbour table."""
        if self._device.spec.role is Role.ROUTER:
            self._device.send_zdo(COORDINATOR, IEEE_ADDR, bytes((sequence,)) + bytes(4))

    def announce(self, sequence: int) -> None:
        """Tell everybody that the device is here (device_annce)."""
        me = self._device
        body = _two(me.network_address) + _eight(me.ieee) + bytes((me.spec.capability,))
        me.send_zdo(0xFFFD, DEVICE_ANNCE, bytes((sequence,)) + body)

    def _address(self) -> bytes:
        return _status(ZdoStatus.SUCCESS) + _eight(self._device.ieee) + _two(self._device.network_address)

    def _network_address(self, data: bytes, broadcast: bool) -> bytes | None:
        if _u64(data, 0) == self._device.ieee:
            return self._address()
        return None if broadcast else _status(ZdoStatus.DEVICE_NOT_FOUND) + data[:8] + b"\xff\xff"

    def _ieee_address(self, data: bytes, broadcast: bool) -> bytes | None:
        if _u16(data, 0) == self._device.network_address:
            return self._address()
        return None if broadcast else _status(ZdoStatus.DEVICE_NOT_FOUND) + bytes(8) + data[:2]

    def _mine(self, data: bytes) -> bytes | None:
        """Refusal of a question about another node; None if it is about this one."""
        if _u16(data, 0) == self._device.network_address:
            return None
        return _status(ZdoStatus.INV_REQUESTTYPE) + data[:2]

    def _head(self) -> bytes:
        return _status(ZdoStatus.SUCCESS) + _two(self._device.network_address)

    def _node(self, data: bytes, broadcast: bool) -> bytes | None:
        return self._mine(data) or self._head() + node_descriptor(self._device.spec)

    def _power(self, data: bytes, broadcast: bool) -> bytes | None:
        source = 0x4 if self._device.spec.battery_powered else 0x1  # disposable battery or mains
        descriptor = bytes((source << 4, 0xC0 | source))  # receiver as the node descriptor says; level 100 %
        return self._mine(data) or self._head() + descriptor

    def _simple(self, data: bytes, broadcast: bool) -> bytes | None:
        if not 1 <= data[2] <= 254:
            return self._mine(data) or _status(ZdoStatus.INVALID_EP) + data[:2] + b"\x00"
        for endpoint in self._device.spec.endpoints:
            if endpoint.number == data[2]:
                body = simple_descriptor(endpoint)
                return self._mine(data) or self._head() + bytes((len(body),)) + body
        return self._mine(data) or _status(ZdoStatus.NOT_ACTIVE) + data[:2] + b"\x00"

    def _active(self, data: bytes, broadcast: bool) -> bytes | None:
        return self._mine(data) or self._head() + self._counted(e.number for e in self._device.spec.endpoints)

    def _match(self, data: bytes, broadcast: bool) -> bytes | None:
        asked = _u16(data, 0)
        if asked < FIRST_BROADCAST and asked != self._device.network_address:
            return _status(ZdoStatus.INV_REQUESTTYPE) + data[:2] + b"\x00"
        profile, count = _u16(data, 2), data[4]
        servers = {_u16(data, 5 + 2 * n) for n in range(count)}
        at = 5 + 2 * count
        clients = {_u16(data, at + 1 + 2 * n) for n in range(data[at])}
        found = [
            one.number
            for one in self._device.spec.endpoints
            if one.profile == profile
            and (servers & {c.id for c in one.servers} or clients & {c.id for c in one.clients})
        ]
        if not found and broadcast:
            return None
        return self._head() + self._counted(found)

    @staticmethod
    def _counted(numbers: Iterable[int]) -> bytes:
        body = bytes(numbers)
        return bytes((len(body),)) + body

    def _binding(self, data: bytes) -> Binding | ZdoStatus:
        if _u64(data, 0) != self._device.ieee:
            return ZdoStatus.NOT_SUPPORTED
        endpoint, cluster, mode = data[8], _u16(data, 9), data[11]
        if endpoint not in {one.number for one in self._device.spec.endpoints}:
            return ZdoStatus.INVALID_EP
        if mode == _GROUP:
            return Binding(endpoint, cluster, 0, 0, _u16(data, 12))
        return Binding(endpoint, cluster, _u64(data, 12), data[20])

    def _bind(self, data: bytes, broadcast: bool) -> bytes | None:
        row = self._binding(data)
        table = self._device.bindings
        if isinstance(row, ZdoStatus):
            return _status(row)
        if row not in table:
            if len(table) >= BINDINGS_MAX:
                return _status(ZdoStatus.TABLE_FULL)
            table.append(row)
        return _status(ZdoStatus.SUCCESS)

    def _unbind(self, data: bytes, broadcast: bool) -> bytes | None:
        row = self._binding(data)
        if isinstance(row, ZdoStatus):
            return _status(row)
        if row not in self._device.bindings:
            return _status(ZdoStatus.NO_ENTRY)
        self._device.bindings.remove(row)
        return _status(ZdoStatus.SUCCESS)

    def _neighbours(self, data: bytes, broadcast: bool) -> bytes | None:
        me = self._device
        if me.spec.role is not Role.ROUTER:
            return _status(ZdoStatus.NOT_SUPPORTED)
        known = sorted((address, ieee) for ieee, address in me.addresses.items() if ieee in self._routers)
        page = known[data[0] : data[0] + NEIGHBOURS_PER_ANSWER]
        rows = b"".join(
            # extended PAN left open; coordinator or router, receiver on; sibling or parent; depth
            bytes(8)
            + _eight(ieee)
            + _two(address)
            + bytes((0x04 if address == 0 else 0x25, 0x02, 0 if address == 0 else 1, me.link_quality))
            for address, ieee in page
        )
        return _status(ZdoStatus.SUCCESS) + bytes((len(known), data[0], len(page))) + rows

    def _routes(self, data: bytes, broadcast: bool) -> bytes | None:
        if self._device.spec.role is not Role.ROUTER:
            return _status(ZdoStatus.NOT_SUPPORTED)
        return _status(ZdoStatus.SUCCESS) + bytes((0, data[0], 0))

    def _binding_table(self, data: bytes, broadcast: bool) -> bytes | None:
        table, start = self._device.bindings, data[0]
        page = table[start : start + BINDINGS_PER_ANSWER]
        rows = bytearray()
        for row in page:
            rows += _eight(self._device.ieee) + bytes((row.endpoint,)) + _two(row.cluster)
            if row.group is None:
                rows += bytes((_NODE,)) + _eight(row.ieee) + bytes((row.to_endpoint,))
            else:
                rows += bytes((_GROUP,)) + _two(row.group)
        return _status(ZdoStatus.SUCCESS) + bytes((len(table), start, len(page))) + bytes(rows)

    def _permit(self, data: bytes, broadcast: bool) -> bytes | None:
        return None if broadcast else _status(ZdoStatus.SUCCESS)

    def _leave(self, frame: Aps) -> None:
        data = frame.payload[1:]
        asked = int.from_bytes(data[:8], "little")
        me = self._device
        mine = len(data) >= 9 and asked in (0, me.ieee)
        answer = ZdoStatus.SUCCESS if mine else ZdoStatus.NOT_SUPPORTED
        me.send_zdo(frame.source, MGMT_LEAVE | RESPONSE, frame.payload[:1] + _status(answer))
        if mine:
            me.told_to_leave(rejoin=bool(data[8] & _REJOIN))


def node_descriptor(spec: DeviceSpec) -> bytes:
    """The 13 bytes of a node descriptor (2.3.2.3)."""
    frequency_2400_mhz = 0x40
    return (
        bytes((spec.role, frequency_2400_mhz, spec.capability))
        + _two(spec.code)
        + bytes((spec.buffer_size,))
        + _two(spec.buffer_size)
        + _two(spec.server_mask)
        + _two(spec.buffer_size)
        + b"\x00"
    )


def simple_descriptor(endpoint: EndpointSpec) -> bytes:
    """The simple descriptor of an endpoint (2.3.2.5), application version 1."""
    head = bytes((endpoint.number,)) + _two(endpoint.profile) + _two(endpoint.device_type) + b"\x01"
    servers = b"".join(_two(one.id) for one in endpoint.servers)
    clients = b"".join(_two(one.id) for one in endpoint.clients)
    return head + bytes((len(endpoint.servers),)) + servers + bytes((len(endpoint.clients),)) + clients


def _status(status: ZdoStatus) -> bytes:
    return bytes((status,))


def _two(number: int) -> bytes:
    return number.to_bytes(2, "little")


def _eight(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _u16(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def _u64(data: bytes, at: int) -> int:
    if at + 8 > len(data):
        raise IndexError(at)
    return int.from_bytes(data[at : at + 8], "little")
