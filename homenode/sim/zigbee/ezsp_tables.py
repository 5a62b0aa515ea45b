"""EZSP commands about tables: children, neighbours, routes, addresses, bindings, groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bellows import types as t

from homenode.sim.zigbee.air import COORDINATOR, Role
from homenode.sim.zigbee.ezsp import Handlers, Status
from homenode.sim.zigbee.ezsp_messages import LONGEST_PAYLOAD_B
from homenode.sim.zigbee.network import Member

if TYPE_CHECKING:
    from homenode.sim.zigbee.coordinator_stick import Stick

HANDLERS = Handlers()

NOBODY = 0xFFFF
"""Network address that means none."""

_CONFIG = t.EzspConfigId


def _ieee(eui64: Any) -> int:
    return int.from_bytes(eui64.serialize(), "little")


def _eui64(ieee: int) -> Any:
    return t.EUI64.deserialize(ieee.to_bytes(8, "little"))[0]


def _type(member: Member) -> Any:
    if member.role == Role.ROUTER:
        return t.EmberNodeType.ROUTER
    return t.EmberNodeType.SLEEPY_END_DEVICE if member.sleepy else t.EmberNodeType.END_DEVICE


HANDLERS["sendReply"] = lambda stick, given: {"status": Status.INVALID_STATE}  # the stack replies by itself
HANDLERS["maximumPayloadLength"] = lambda stick, given: {"apsLength": LONGEST_PAYLOAD_B}


# --- children and neighbours --------------------------------------------------------------------------


@HANDLERS.does("getChildData")
def _child(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    children = stick.network.children()
    if given["index"] >= len(children):
        return {"status": Status.NOT_JOINED}
    child = children[given["index"]]
    kind = stick.dialect.table["getChildData"][2]["child_data"]
    data = kind.deserialize(bytes(64))[0]
    data.eui64, data.type, data.id = _eui64(child.ieee), _type(child), t.EmberNodeId(child.network_address)
    return {"status": Status.OK, "child_data": data}


@HANDLERS.does("setChildData")
def _set_child(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    data = given["child_data"]
    ieee = _ieee(data.eui64)
    sleepy = data.type == t.EmberNodeType.SLEEPY_END_DEVICE
    stick.network.members[ieee] = Member(ieee, int(data.id), Role.END_DEVICE, sleepy)
    stick.store()
    return {"status": Status.OK}


@HANDLERS.does("childId")
def _child_id(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    children = stick.network.children()
    index = given["childIndex"]
    return {"childId": children[index].network_address if index < len(children) else NOBODY}


@HANDLERS.does("getParentChildParameters")
def _parent_child(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"childCount": len(stick.network.children()), "parentNodeId": NOBODY}


def routers(stick: Stick) -> list[Member]:
    """Routers that the coordinator hears directly."""
    return [m for m in stick.network.members.values() if m.role == Role.ROUTER and m.parent is None]


@HANDLERS.does("neighborCount")
def _neighbours(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"value": len(routers(stick))}


@HANDLERS.does("getNeighbor")
def _neighbour(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    near = routers(stick)
    if given["index"] >= len(near):
        return {"status": Status.INVALID_INDEX}
    one = near[given["index"]]
    entry = t.EmberNeighborTableEntry(
        shortId=t.EmberNodeId(one.network_address),
        averageLqi=t.uint8_t(stick.radio.link_quality(one.ieee)),
        inCost=t.uint8_t(1),
        outCost=t.uint8_t(1),
        age=t.uint8_t(3),
        longId=_eui64(one.ieee),
    )
    return {"status": Status.OK, "value": entry}


@HANDLERS.does("getRouteTableEntry")
def _route(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    far = [m for m in stick.network.members.values() if m.parent is not None]
    if given["index"] >= stick.ram.config[_CONFIG.CONFIG_ROUTE_TABLE_SIZE]:
        return {"status": Status.INVALID_INDEX}
    entry = stick.dialect.table["getRouteTableEntry"][2]["value"].deserialize(bytes(64))[0]
    entry.destination, entry.status = t.EmberNodeId(NOBODY), t.RouteRecordStatus(3)
    if given["index"] < len(far):
        one = far[given["index"]]
        parent = stick.network.members.get(one.parent or 0)
        entry.destination, entry.status = t.EmberNodeId(one.network_address), t.RouteRecordStatus(0)
        entry.nextHop = t.EmberNodeId(parent.network_address if parent else NOBODY)
    return {"status": Status.OK, "value": entry}


HANDLERS["setSourceRoute"] = lambda stick, given: {"status": Status.OK}
HANDLERS["getSourceRouteTableFilledSize"] = lambda stick, given: {"sourceRouteTableFilledSize": 0}
HANDLERS["getSourceRouteTableTotalSize"] = lambda stick, given: {
    "sourceRouteTableTotalSize": min(255, stick.ram.config[_CONFIG.CONFIG_SOURCE_ROUTE_TABLE_SIZE])
}
HANDLERS["getSourceRouteTableEntry"] = lambda stick, given: {"status": Status.NOT_FOUND}


# --- addresses ----------------------------------------------------------------------------------------


def _address_of(stick: Stick, ieee: int) -> int:
    if ieee == stick.network.ieee:
        return COORDINATOR
    member = stick.network.members.get(ieee)
    if member:
        return member.network_address
    return next((nwk for known, nwk in stick.ram.addresses.values() if known == ieee), NOBODY)


@HANDLERS.does("lookupNodeIdByEui64")
def _by_ieee(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    address = _address_of(stick, _ieee(given["eui64"]))
    return {"status": Status.NOT_FOUND if address == NOBODY else Status.OK, "nodeId": address}


@HANDLERS.does("lookupEui64ByNodeId")
def _by_address(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    address = int(given["nodeId"])
    if address == COORDINATOR:
        return {"status": Status.OK, "eui64": stick.network.ieee}
    member = stick.network.by_address(address)
    if member:
        return {"status": Status.OK, "eui64": member.ieee}
    ieee = next((ieee for ieee, nwk in stick.ram.addresses.values() if nwk == address), None)
    return {"status": Status.NOT_FOUND} if ieee is None else {"status": Status.OK, "eui64": ieee}


def _in_table(stick: Stick, index: int) -> bool:
    return index < stick.ram.config[_CONFIG.CONFIG_ADDRESS_TABLE_SIZE]


@HANDLERS.does("setAddressTableInfo")
def _set_address(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if not _in_table(stick, given["index"]):
        return {"status": Status.INVALID_INDEX}
    stick.ram.addresses[int(given["index"])] = (_ieee(given["eui64"]), int(given["nwk"]))
    return {"status": Status.OK}


@HANDLERS.does("getAddressTableInfo")
def _get_address(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    found = stick.ram.addresses.get(int(given["index"]))
    if found is None:
        return {"status": Status.NOT_FOUND, "nwk": NOBODY}
    return {"status": Status.OK, "nwk": found[1], "eui64": found[0]}


@HANDLERS.does("setAddressTableRemoteEui64")
def _set_address_ieee(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    index = int(given["addressTableIndex"])
    if not _in_table(stick, index):
        return {"status": Status.INVALID_INDEX}
    stick.ram.addresses[index] = (_ieee(given["eui64"]), stick.ram.addresses.get(index, (0, NOBODY))[1])
    return {"status": Status.OK}


@HANDLERS.does("setAddressTableRemoteNodeId")
def _set_address_nwk(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    index = int(given["addressTableIndex"])
    if _in_table(stick, index):
        stick.ram.addresses[index] = (stick.ram.addresses.get(index, (0, NOBODY))[0], int(given["id"]))
    return {}


@HANDLERS.does("getAddressTableRemoteEui64")
def _get_address_ieee(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"eui64": stick.ram.addresses.get(int(given["addressTableIndex"]), (0xFFFFFFFFFFFFFFFF, 0))[0]}


@HANDLERS.does("getAddressTableRemoteNodeId")
def _get_address_nwk(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"nodeId": stick.ram.addresses.get(int(given["addressTableIndex"]), (0, NOBODY))[1]}


@HANDLERS.does("addressTableEntryIsActive")
def _address_active(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"active": int(given["addressTableIndex"]) in stick.ram.addresses}


@HANDLERS.does("replaceAddressTableEntry")
def _replace_address(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    index = int(given["addressTableIndex"])
    if not _in_table(stick, index):
        return {"status": Status.INVALID_INDEX}
    ieee, address = stick.ram.addresses.get(index, (0xFFFFFFFFFFFFFFFF, NOBODY))
    answer = {
        "status": Status.OK, "oldEui64": ieee, "oldId": address,
        "oldExtendedTimeout": ieee in stick.ram.patient,
    }  # fmt: skip
    stick.ram.addresses[index] = (_ieee(given["newEui64"]), int(given["newId"]))
    _be_patient(stick, _ieee(given["newEui64"]), bool(given["newExtendedTimeout"]))
    return answer


def _be_patient(stick: Stick, ieee: int, patient: bool) -> None:
    (stick.ram.patient.add if patient else stick.ram.patient.discard)(ieee)


@HANDLERS.does("setExtendedTimeout")
def _set_timeout(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    _be_patient(stick, _ieee(given["remoteEui64"]), bool(given["extendedTimeout"]))
    return {"status": Status.OK}


@HANDLERS.does("getExtendedTimeout")
def _get_timeout(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    patient = _ieee(given["remoteEui64"]) in stick.ram.patient
    return {"status": Status.OK if patient else Status.FAIL, "extendedTimeout": patient}


# --- bindings and groups ------------------------------------------------------------------------------


def _bindings(stick: Stick) -> int:
    return stick.ram.config[_CONFIG.CONFIG_BINDING_TABLE_SIZE]


@HANDLERS.does("clearBindingTable")
def _clear_bindings(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    stick.ram.bindings.clear()
    return {"status": Status.OK}


@HANDLERS.does("setBinding")
def _set_binding(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if given["index"] >= _bindings(stick):
        return {"status": Status.INVALID_INDEX}
    stick.ram.bindings[int(given["index"])] = given["value"]
    return {"status": Status.OK}


@HANDLERS.does("getBinding")
def _get_binding(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if given["index"] >= _bindings(stick):
        return {"status": Status.INVALID_INDEX}
    entry = stick.ram.bindings.get(int(given["index"]))
    return {"status": Status.OK} | ({"value": entry} if entry is not None else {})


@HANDLERS.does("deleteBinding")
def _delete_binding(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if given["index"] >= _bindings(stick):
        return {"status": Status.INVALID_INDEX}
    stick.ram.bindings.pop(int(given["index"]), None)
    return {"status": Status.OK}


@HANDLERS.does("bindingIsActive")
def _binding_active(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"active": int(given["index"]) in stick.ram.bindings}


@HANDLERS.does("getBindingRemoteNodeId")
def _binding_remote(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    entry = stick.ram.bindings.get(int(given["index"]))
    return {"nodeId": NOBODY if entry is None else _address_of(stick, _ieee(entry.identifier))}


HANDLERS["setBindingRemoteNodeId"] = lambda stick, given: {}


@HANDLERS.does("getMulticastTableEntry")
def _get_group(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if given["index"] >= stick.ram.config[_CONFIG.CONFIG_MULTICAST_TABLE_SIZE]:
        return {"status": Status.INVALID_INDEX}
    entry = stick.ram.groups.get(int(given["index"]))
    return {"status": Status.OK} | ({"value": entry} if entry is not None else {})


@HANDLERS.does("setMulticastTableEntry")
def _set_group(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if given["index"] >= stick.ram.config[_CONFIG.CONFIG_MULTICAST_TABLE_SIZE]:
        return {"status": Status.INVALID_INDEX}
    stick.ram.groups[int(given["index"])] = given["value"]
    return {"status": Status.OK}
