"""EZSP commands about keys: initial security, the security manager's import and export, the key table."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bellows import types as t

from homenode.sim.zigbee.ezsp import Handlers, Status
from homenode.sim.zigbee.network import LinkKey

if TYPE_CHECKING:
    from homenode.sim.zigbee.coordinator_stick import Stick

HANDLERS = Handlers()

ANYBODY = 0xFFFFFFFFFFFFFFFF
"""IEEE address of a transient key that every device may use."""

WELL_KNOWN_KEY = b"ZigBeeAlliance09"
"""The link key of every Zigbee device that has no install code."""

_NONE = 0xFF
_KEY_TABLE = t.EzspConfigId.CONFIG_KEY_TABLE_SIZE


def _ieee(eui64: Any) -> int:
    return int.from_bytes(eui64.serialize(), "little")


@HANDLERS.does("setInitialSecurityState")
def _initial(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if stick.ram.network_up:
        return {"status": Status.INVALID_STATE}
    stick.ram.security = given["state"]
    return {"status": Status.OK}


@HANDLERS.does("getCurrentSecurityState")
def _current(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if not stick.ram.network_up:
        return {"status": Status.NOT_JOINED}
    bits = t.EmberCurrentSecurityBitmask
    hashed = stick.network.security & bits.TRUST_CENTER_USES_HASHED_LINK_KEY
    state = t.EmberCurrentSecurityState(
        bitmask=bits(bits.GLOBAL_LINK_KEY | bits.HAVE_TRUST_CENTER_LINK_KEY | hashed),
        trustCenterLongAddress=t.EUI64.deserialize(stick.network.trust_centre.to_bytes(8, "little"))[0],
    )
    return {"status": Status.OK, "state": state}


@HANDLERS.does("getNetworkKeyInfo")
def _key_info(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    net = stick.network
    info = t.SecurityManagerNetworkKeyInfo(
        network_key_set=t.Bool(net.formed),
        alternate_network_key_set=t.Bool(any(bytes.fromhex(net.next_key))),
        network_key_sequence_number=t.uint8_t(net.key_sequence),
        alt_network_key_sequence_number=t.uint8_t(net.key_sequence + 1 & 0xFF),
        network_key_frame_counter=t.uint32_t(net.key_counter),
    )
    return {"status": Status.OK, "network_key_info": info}


@HANDLERS.does("exportKey")
def _export(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    context, net = given["context"], stick.network
    kind = t.SecurityManagerKeyType
    key: str | None = None
    if context.core_key_type == kind.NETWORK:
        key = (net.next_key if context.key_index else net.key) if net.formed else None
    elif context.core_key_type == kind.TC_LINK:
        key = net.trust_key if net.formed else None
    elif context.core_key_type == kind.APP_LINK:
        found = net.link_keys.get(int(context.key_index))
        key = found.key if found else None
    if key is None:
        return {"status": Status.NOT_FOUND, "context": context}
    return {"status": Status.OK, "key": bytes.fromhex(key), "context": context}


@HANDLERS.does("importKey")
def _import(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    context, key, net = given["context"], given["key"].serialize(), stick.network
    kind = t.SecurityManagerKeyType
    if context.core_key_type == kind.NETWORK:
        if context.key_index:
            net.next_key = key.hex()
        else:
            net.key = key.hex()
    elif context.core_key_type == kind.TC_LINK:
        net.trust_key = key.hex()
    elif context.core_key_type == kind.APP_LINK:
        net.link_keys[int(context.key_index)] = LinkKey(_ieee(context.eui64), key.hex())
    elif context.core_key_type == kind.TC_LINK_WITH_TIMEOUT:
        stick.ram.transient_keys[_ieee(context.eui64)] = key
    else:
        return {"status": Status.INVALID_PARAMETER, "context": context}
    stick.store()
    return {"status": Status.OK, "context": context}


@HANDLERS.does("checkKeyContext")
def _check(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"status": _export(stick, given)["status"]}


@HANDLERS.does("importTransientKey")
def _import_transient(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    stick.ram.transient_keys[_ieee(given["eui64"])] = given["plaintext_key"].serialize()
    return {"status": Status.OK}


@HANDLERS.does("clearTransientLinkKeys")
def _clear_transient(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    stick.ram.transient_keys.clear()
    return {}


def _context(stick: Stick, kind: Any, index: int, ieee: int) -> Any:
    type_ = stick.dialect.table["exportTransientKeyByIndex"][2]["context"]
    context = type_.deserialize(bytes(64))[0]
    context.core_key_type = kind
    context.key_index = t.uint8_t(index)
    context.eui64 = t.EUI64.deserialize(ieee.to_bytes(8, "little"))[0]
    context.flags = t.SecurityManagerContextFlags(3)
    return context


def _metadata(sent: int, received: int, seconds: int) -> Any:
    bits = t.EmberKeyStructBitmask
    return t.SecurityManagerAPSKeyMetadata(
        bitmask=bits(bits.KEY_HAS_OUTGOING_FRAME_COUNTER | bits.KEY_HAS_INCOMING_FRAME_COUNTER),
        outgoing_frame_counter=t.uint32_t(sent),
        incoming_frame_counter=t.uint32_t(received),
        ttl_in_seconds=t.uint16_t(seconds),
    )


def _transient(stick: Stick, index: int) -> Mapping[str, Any]:
    keys = list(stick.ram.transient_keys.items())
    if not 0 <= index < len(keys):
        return {"status": Status.NOT_FOUND}
    ieee, key = keys[index]
    context = _context(stick, t.SecurityManagerKeyType.TC_LINK_WITH_TIMEOUT, index, ieee)
    return {"status": Status.OK, "context": context, "plaintext_key": key, "key_data": _metadata(0, 0, 300)}


@HANDLERS.does("exportTransientKeyByIndex")
def _transient_by_index(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return _transient(stick, int(given["index"]))


@HANDLERS.does("exportTransientKeyByEui")
def _transient_by_ieee(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    keys = list(stick.ram.transient_keys)
    ieee = _ieee(given["eui64"])
    return _transient(stick, keys.index(ieee) if ieee in keys else -1)


def _link_key(stick: Stick, index: int) -> Mapping[str, Any]:
    found = stick.network.link_keys.get(index)
    if found is None:
        wrong = index >= stick.ram.config[_KEY_TABLE]
        return {"status": Status.INVALID_INDEX if wrong else Status.NOT_FOUND}
    return {
        "status": Status.OK,
        "eui64": found.ieee,
        "index": index,
        "context": _context(stick, t.SecurityManagerKeyType.APP_LINK, index, found.ieee),
        "plaintext_key": bytes.fromhex(found.key),
        "key_data": _metadata(found.sent, found.received, 0),
    }


def _index_of(stick: Stick, ieee: int) -> int:
    return next((i for i, key in stick.network.link_keys.items() if key.ieee == ieee), _NONE)


@HANDLERS.does("exportLinkKeyByIndex")
def _link_by_index(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return _link_key(stick, int(given["index"]))


@HANDLERS.does("exportLinkKeyByEui")
def _link_by_ieee(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return _link_key(stick, _index_of(stick, _ieee(given["eui64"])))


@HANDLERS.does("importLinkKey")
def _import_link(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    index = int(given["index"])
    if index >= stick.ram.config[_KEY_TABLE]:
        return {"status": Status.INVALID_INDEX}
    stick.network.link_keys[index] = LinkKey(_ieee(given["address"]), given["key"].serialize().hex())
    stick.store()
    return {"status": Status.OK}


@HANDLERS.does("findKeyTableEntry")
def _find(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"index": _index_of(stick, _ieee(given["address"]))}


@HANDLERS.does("eraseKeyTableEntry")
def _erase(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if given["index"] >= stick.ram.config[_KEY_TABLE]:
        return {"status": Status.INVALID_INDEX}
    stick.network.link_keys.pop(int(given["index"]), None)
    stick.store()
    return {"status": Status.OK}


@HANDLERS.does("clearKeyTable")
def _clear(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    stick.network.link_keys.clear()
    stick.store()
    return {"status": Status.OK}


@HANDLERS.does("getApsKeyInfo")
def _aps_info(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    context = given["context_in"]
    metadata = _metadata(stick.network.trust_counter, 0, 0)
    return {"status": Status.OK, "eui": context.eui64, "context": context, "key_data": metadata}


@HANDLERS.does("broadcastNextNetworkKey")
def _next_key(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    key = given["key"].serialize()
    stick.network.next_key = (key if any(key) else secrets.token_bytes(16)).hex()
    stick.store()
    return {"status": Status.OK}


@HANDLERS.does("broadcastNetworkKeySwitch")
def _switch_key(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    net = stick.network
    if not any(bytes.fromhex(net.next_key)):
        return {"status": Status.INVALID_STATE}
    net.key, net.next_key = net.next_key, "00" * 16
    net.key_sequence = net.key_sequence + 1 & 0xFF
    net.key_counter = 0
    stick.store()
    stick.afterwards(lambda: stick.callback("switchNetworkKeyHandler", sequenceNumber=net.key_sequence))
    return {"status": Status.OK}


for _name in ("unicastCurrentNetworkKey", "unicastNwkKeyUpdate", "sendTrustCenterLinkKey"):
    HANDLERS[_name] = lambda stick, given: {
        "status": Status.OK if stick.ram.network_up else Status.NOT_JOINED
    }
HANDLERS["requestLinkKey"] = HANDLERS["updateTcLinkKey"] = lambda stick, given: {
    "status": Status.INVALID_STATE  # we are the trust centre
}
