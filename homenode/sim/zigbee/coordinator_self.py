"""What a coordinator's stack answers by itself when somebody asks its ZDO (endpoint 0). Pure.

Layouts: Zigbee specification R22 (05-3474-22), 2.4.3 and 2.4.4; the tests hold them against zigpy's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from struct import error, unpack_from

from homenode.sim.zigbee.air import COORDINATOR, Role
from homenode.sim.zigbee.ezsp_setup import Endpoint
from homenode.sim.zigbee.network import Member, Network

ZDO_PROFILE = 0x0000
RESPONSE = 0x8000
DEVICE_ANNOUNCE = 0x0013
MGMT_LEAVE = 0x0034
MGMT_PERMIT = 0x0036
MGMT_UPDATE = 0x0038

_SUCCESS, _INVALID_EP, _NOT_FOUND, _NOT_SUPPORTED, _NOT_ACTIVE = 0x00, 0x82, 0x81, 0x84, 0x83
_LOGICAL_TYPE = {Role.COORDINATOR: 0, Role.ROUTER: 1, Role.END_DEVICE: 2}
_CHILD, _NONE_OF_THESE, _RX_ON = 1 << 4, 3 << 4, 1 << 2
_NEIGHBOURS_PER_ANSWER = 3
_QUIET_CHANNEL = 0x14


@dataclass(frozen=True, slots=True)
class Self:
    """What the answers are made of.

    Attributes:
        heard: Devices that the coordinator hears directly, with their LQI.
        open: Whether it lets devices join.
    """

    network: Network
    manufacturer: int
    endpoints: dict[int, Endpoint]
    heard: tuple[tuple[Member, int], ...]
    open: bool


def answer(me: Self, cluster: int, payload: bytes, *, broadcast: bool) -> bytes | None:
    """The answer's payload (it goes out on cluster | 0x8000); None where the stack says nothing.

    Requests that change something (permit, channel) are acknowledged here and done by the radio.
    """
    if cluster >= RESPONSE or cluster == DEVICE_ANNOUNCE or not payload:
        return None
    sequence, body = payload[:1], payload[1:]
    try:
        said = _say(me, cluster, body)
    except (error, IndexError):
        said = None if broadcast else bytes((0x80,))  # INV_REQUESTTYPE: too short to be one
    if said is None or (broadcast and said[0] != _SUCCESS):
        return None
    return sequence + said


def _say(me: Self, cluster: int, body: bytes) -> bytes | None:
    match cluster:
        case 0x0000:  # NWK_addr_req
            (ieee,) = unpack_from("<Q", body)
            address = COORDINATOR if ieee == me.network.ieee else _address(me, ieee)
            status = _NOT_FOUND if address is None else _SUCCESS
            return bytes((status,)) + _long(ieee) + _short(0xFFFF if address is None else address)
        case 0x0001:  # IEEE_addr_req
            (address,) = unpack_from("<H", body)
            known = me.network.by_address(address)
            ieee = me.network.ieee if address == COORDINATOR else known.ieee if known else None
            status = _NOT_FOUND if ieee is None else _SUCCESS
            return bytes((status,)) + _long(ieee or 0) + _short(address)
        case 0x0002 | 0x0003 | 0x0004 | 0x0005 | 0x0006:
            return _descriptor(me, cluster, body)
        case 0x0031:  # Mgmt_Lqi_req
            return _neighbours(me, body[0])
        case 0x0032:  # Mgmt_Rtg_req
            return bytes((_SUCCESS, 0, body[0], 0))
        case 0x0033:  # Mgmt_Bind_req
            return bytes((_SUCCESS, 0, body[0], 0))
        case 0x0036:  # Mgmt_Permit_Joining_req
            return bytes((_SUCCESS,))
        case 0x0038:  # Mgmt_NWK_Update_req
            mask, duration = unpack_from("<IB", body)
            if duration > 5:
                return None  # a change of channel has no answer
            channels = [c for c in range(11, 27) if mask >> c & 1]
            energies = bytes(_QUIET_CHANNEL for _ in channels)
            scanned: bytes = mask.to_bytes(4, "little")
            return bytes((_SUCCESS,)) + scanned + bytes(4) + bytes((len(channels),)) + energies
        case 0x001F:  # Parent_annce: none of its children are ours
            return None
    return bytes((_NOT_SUPPORTED,))


def _descriptor(me: Self, cluster: int, body: bytes) -> bytes:
    (address,) = unpack_from("<H", body)
    head = _short(address)
    if address != COORDINATOR:
        return bytes((_NOT_FOUND,)) + head + (b"\0" if cluster > 0x0003 else b"")
    ok = bytes((_SUCCESS,)) + head
    match cluster:
        case 0x0002:  # coordinator, 2.4 GHz, full-function mains device, trust centre and manager, R22
            return (
                ok
                + bytes((0x00, 0x40, 0x8F))
                + _short(me.manufacturer)
                + bytes.fromhex("52 5200 412c 5200 00")
            )
        case 0x0003:  # on mains, fully
            return ok + bytes((0x10, 0xC1))
        case 0x0005:
            return ok + bytes((len(me.endpoints), *sorted(me.endpoints)))
        case 0x0004:
            found = me.endpoints.get(body[2])
            if found is None:
                wrong = _INVALID_EP if not 1 <= body[2] <= 254 else _NOT_ACTIVE
                return bytes((wrong,)) + head + b"\0"
            simple = _simple(found)
            return ok + bytes((len(simple),)) + simple
    profile, count = unpack_from("<HB", body, 2)
    inputs = unpack_from(f"<{count}H", body, 5)
    outputs = unpack_from(f"<{body[5 + 2 * count]}H", body, 6 + 2 * count)
    matching = [
        e.number
        for e in me.endpoints.values()
        if e.profile == profile and (set(inputs) & set(e.inputs) or set(outputs) & set(e.outputs))
    ]
    return ok + bytes((len(matching), *matching))


def _simple(endpoint: Endpoint) -> bytes:
    return (
        bytes((endpoint.number,))
        + _short(endpoint.profile)
        + _short(endpoint.device)
        + bytes((endpoint.version & 0x0F, len(endpoint.inputs)))
        + b"".join(map(_short, endpoint.inputs))
        + bytes((len(endpoint.outputs),))
        + b"".join(map(_short, endpoint.outputs))
    )


def _neighbours(me: Self, start: int) -> bytes:
    shown = me.heard[start : start + _NEIGHBOURS_PER_ANSWER]
    out = bytes((_SUCCESS, len(me.heard), start, len(shown)))
    for member, link_quality in shown:
        kind = _LOGICAL_TYPE[Role(member.role)] | (0 if member.sleepy else _RX_ON)
        kind |= _CHILD if member.role == Role.END_DEVICE else _NONE_OF_THESE
        out += _long(me.network.extended_pan_id) + _long(member.ieee) + _short(member.network_address)
        out += bytes((kind, 0 if member.role == Role.END_DEVICE else 2, 1, link_quality))
    return out


def _address(me: Self, ieee: int) -> int | None:
    member = me.network.members.get(ieee)
    return member.network_address if member else None


def groups_of(entries: Iterable[tuple[int, int]], group: int) -> bool:
    """Whether one of the (group, endpoint) entries of the multicast table makes us a member of `group`."""
    return any(known == group and endpoint for known, endpoint in entries)


def _short(value: int) -> bytes:
    return value.to_bytes(2, "little")


def _long(value: int) -> bytes:
    return value.to_bytes(8, "little")
