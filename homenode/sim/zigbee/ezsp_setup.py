"""EZSP commands that configure the stick: values, policies, tokens, endpoints, counters, odds and ends."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import Struct, error
from typing import TYPE_CHECKING, Any

from bellows import types as t

from homenode.sim.zigbee.ezsp import STACK_RELEASE, Handler, Handlers, Status
from homenode.sim.zigbee.network import COUNTER_STEP as COUNTER_STEP

if TYPE_CHECKING:
    from homenode.sim.zigbee.coordinator_stick import Stick

HANDLERS = Handlers()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the host says it is, endpoint by endpoint."""

    number: int
    profile: int
    device: int
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


_CONFIG = t.EzspConfigId
CONFIG: dict[int, int] = {
    _CONFIG.CONFIG_PACKET_BUFFER_COUNT: 255,
    _CONFIG.CONFIG_NEIGHBOR_TABLE_SIZE: 26,
    _CONFIG.CONFIG_APS_UNICAST_MESSAGE_COUNT: 32,
    _CONFIG.CONFIG_BINDING_TABLE_SIZE: 32,
    _CONFIG.CONFIG_ADDRESS_TABLE_SIZE: 12,
    _CONFIG.CONFIG_MULTICAST_TABLE_SIZE: 16,
    _CONFIG.CONFIG_ROUTE_TABLE_SIZE: 200,
    _CONFIG.CONFIG_DISCOVERY_TABLE_SIZE: 8,
    _CONFIG.CONFIG_STACK_PROFILE: 2,
    _CONFIG.CONFIG_SECURITY_LEVEL: 5,
    _CONFIG.CONFIG_MAX_HOPS: 30,
    _CONFIG.CONFIG_MAX_END_DEVICE_CHILDREN: 32,
    _CONFIG.CONFIG_INDIRECT_TRANSMISSION_TIMEOUT: 7680,
    _CONFIG.CONFIG_END_DEVICE_POLL_TIMEOUT: 8,
    _CONFIG.CONFIG_TX_POWER_MODE: 0x8000,
    _CONFIG.CONFIG_DISABLE_RELAY: 0,
    _CONFIG.CONFIG_TRUST_CENTER_ADDRESS_CACHE_SIZE: 2,
    _CONFIG.CONFIG_SOURCE_ROUTE_TABLE_SIZE: 200,
    _CONFIG.CONFIG_FRAGMENT_WINDOW_SIZE: 1,
    _CONFIG.CONFIG_FRAGMENT_DELAY_MS: 0,
    _CONFIG.CONFIG_KEY_TABLE_SIZE: 12,
    _CONFIG.CONFIG_APS_ACK_TIMEOUT: 1600,
    _CONFIG.CONFIG_ACTIVE_SCAN_DURATION: 3,
    _CONFIG.CONFIG_END_DEVICE_BIND_TIMEOUT: 60,
    _CONFIG.CONFIG_PAN_ID_CONFLICT_REPORT_THRESHOLD: 2,
    _CONFIG.CONFIG_REQUEST_KEY_TIMEOUT: 0,
    _CONFIG.CONFIG_CERTIFICATE_TABLE_SIZE: 0,
    _CONFIG.CONFIG_APPLICATION_ZDO_FLAGS: 0,
    _CONFIG.CONFIG_BROADCAST_TABLE_SIZE: 30,
    _CONFIG.CONFIG_MAC_FILTER_TABLE_SIZE: 0,
    _CONFIG.CONFIG_SUPPORTED_NETWORKS: 1,
    _CONFIG.CONFIG_SEND_MULTICASTS_TO_SLEEPY_ADDRESS: 0,
    _CONFIG.CONFIG_ZLL_GROUP_ADDRESSES: 0,
    _CONFIG.CONFIG_ZLL_RSSI_THRESHOLD: 128,
    _CONFIG.CONFIG_MTORR_FLOW_CONTROL: 1,
    _CONFIG.CONFIG_RETRY_QUEUE_SIZE: 16,
    _CONFIG.CONFIG_NEW_BROADCAST_ENTRY_THRESHOLD: 25,
    0x36: 300,  # TRANSIENT_KEY_TIMEOUT_S
    0x37: 4,  # BROADCAST_MIN_ACKS_NEEDED
    0x38: 90,  # TC_REJOINS_USING_WELL_KNOWN_KEY_TIMEOUT_S
    0x39: 16,  # CTUNE_VALUE
    0x40: 0,  # ASSUME_TC_CONCENTRATOR_TYPE
    0x41: 32,  # GP_PROXY_TABLE_SIZE
    0x42: 0,  # GP_SINK_TABLE_SIZE
}
"""Configuration as a coordinator firmware for an EFR32MG21 has it after a reset."""

POLICIES: dict[int, int] = {policy: 0 for policy in range(0x0F)} | {
    t.EzspPolicyId.BINDING_MODIFICATION_POLICY: 0x10,
    t.EzspPolicyId.UNICAST_REPLIES_POLICY: 0x20,
    t.EzspPolicyId.POLL_HANDLER_POLICY: 0x30,
    t.EzspPolicyId.MESSAGE_CONTENTS_IN_CALLBACK_POLICY: 0x40,
    t.EzspPolicyId.TC_KEY_REQUEST_POLICY: 0x50,
    t.EzspPolicyId.APP_KEY_REQUEST_POLICY: 0x60,
}

COUNTERS = 42
"""How many counters a stick reports."""

COUNTER = {
    "MAC_RX_UNICAST": 2,
    "RX_BROADCAST": 6,
    "TX_BROADCAST": 7,
    "RX_UNICAST": 8,
    "TX_UNICAST_SUCCESS": 9,
    "TX_UNICAST_FAILED": 11,
    "JOIN": 16,
    "CHILD_REMOVED": 17,
}
"""Index of the counters that a simulated radio moves (EmberCounterType)."""

_RESTORED = int(t.NV3KeyId.NVM3KEY_STACK_RESTORED_EUI64)
RESTORED_IEEE = f"{_RESTORED}:0"
"""Flash cell with the IEEE address that a host has given the stick."""

_MANUFACTURING = {0x00: 2, 0x01: 16, 0x02: 16, 0x03: 2, 0x04: 2, 0x05: 16, 0x06: 40, 0x07: 8, 0x08: 0,
                  0x09: 92, 0x0A: 20, 0x0B: 1, 0x0C: 8, 0x0D: 2}  # fmt: skip
"""Size in bytes of each manufacturing token (EzspMfgTokenId)."""

SILICON_LABS = 0x1002
"""Manufacturer code of the node descriptor until the host sets another."""

MANUFACTURER, BOARD = b"homenode", b"simulated stick"

RAW = frozenset({"addEndpoint"})
"""Commands whose parameters no table describes: two lists whose lengths stand before both."""

_ENDPOINT = Struct("<BHHBBB")
_GENERAL_AVAILABILITY = 0xAA


def _always(**answer: Any) -> Handler:
    return lambda stick, given: answer


for _name in ("nop", "callback", "noCallbacks", "delayTest", "gpSinkTableClearAll", "gpClearProxyTable",
              "gpTranslationTableClear", "gpSinkTableInit", "setMacPollFailureWaitTime",
              "radioSetSchedulerPriorities", "gpProxyTableRemoveEntry",
              "clearBindingTableOnLeave"):  # fmt: skip
    HANDLERS[_name] = _always()
for _name in ("setPowerDescriptor", "setPassiveAckConfig", "setRadioIeee802154CcaMode",
              "debugWrite", "setBrokenRouteErrorCode", "clearStoredBeacons", "setTimer"):  # fmt: skip
    HANDLERS[_name] = _always(status=Status.OK)
for _name in ("customFrame", "getXncpInfo", "launchStandaloneBootloader", "mfglibStart", "mfglibEnd",
              "gpProxyTableGetEntry", "gpProxyTableLookup", "gpSinkTableGetEntry"):  # fmt: skip
    HANDLERS[_name] = _always(status=Status.NOT_SUPPORTED)
HANDLERS["getTrueRandomEntropySource"] = _always(entropySource=1)
HANDLERS["getPhyInterfaceCount"] = _always(interfaceCount=1)
HANDLERS["getNumStoredBeacons"] = _always(numStoredBeacons=0)
HANDLERS["getStandaloneBootloaderVersionPlatMicroPhy"] = _always(bootloader_version=0xFFFF)
HANDLERS["getLibraryStatus"] = _always(status=0x80)


@HANDLERS.does("setManufacturerCode")
def _manufacturer(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    stick.ram.manufacturer = int(given["code"])
    return {"status": Status.OK}


@HANDLERS.does("echo")
def _echo(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"echo": given["data"]}


@HANDLERS.does("getRandomNumber")
def _random(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"status": Status.OK, "value": secrets.randbits(16)}


@HANDLERS.does("getConfigurationValue")
def _get_config(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    value = stick.ram.config.get(given["configId"])
    return {"status": Status.INVALID_INDEX} if value is None else {"status": Status.OK, "value": value}


@HANDLERS.does("setConfigurationValue")
def _set_config(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if given["configId"] not in stick.ram.config:
        return {"status": Status.INVALID_INDEX}
    stick.ram.config[given["configId"]] = int(given["value"])
    return {"status": Status.OK}


@HANDLERS.does("getPolicy")
def _get_policy(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    value = stick.ram.policies.get(given["policyId"])
    return {"status": Status.INVALID_INDEX} if value is None else {"status": Status.OK, "decisionId": value}


@HANDLERS.does("setPolicy")
def _set_policy(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if given["policyId"] not in stick.ram.policies:
        return {"status": Status.INVALID_INDEX}
    stick.ram.policies[given["policyId"]] = int(given["decisionId"])
    return {"status": Status.OK}


def wants_contents(policies: Mapping[int, int]) -> bool:
    """Whether messageSentHandler is to repeat what was sent."""
    return bool(policies[t.EzspPolicyId.MESSAGE_CONTENTS_IN_CALLBACK_POLICY] & 1)


def _release(stick: Stick) -> bytes:
    major, minor, patch = STACK_RELEASE[stick.dialect.version]
    return bytes((0, 0, major, minor, patch, 0, _GENERAL_AVAILABILITY))


_VALUES: dict[int, Callable[[Stick], bytes]] = {
    t.EzspValueId.VALUE_FREE_BUFFERS: lambda stick: b"\x00" if stick.faults.exhausted else b"\xff",
    t.EzspValueId.VALUE_MAXIMUM_INCOMING_TRANSFER_SIZE: lambda stick: b"\x52\x00",
    t.EzspValueId.VALUE_MAXIMUM_OUTGOING_TRANSFER_SIZE: lambda stick: b"\x52\x00",
    t.EzspValueId.VALUE_STACK_TOKEN_WRITING: lambda stick: b"\x01",
    t.EzspValueId.VALUE_STACK_IS_PERFORMING_REJOIN: lambda stick: b"\x00",
    t.EzspValueId.VALUE_EXTENDED_SECURITY_BITMASK: lambda stick: b"\x00\x00",
    t.EzspValueId.VALUE_NODE_SHORT_ID: lambda stick: b"\x00\x00",
    t.EzspValueId.VALUE_DESCRIPTOR_CAPABILITY: lambda stick: b"\x00",
    t.EzspValueId.VALUE_VERSION_INFO: _release,
    t.EzspValueId.VALUE_CCA_THRESHOLD: lambda stick: b"\xb5",
    t.EzspValueId.VALUE_NWK_FRAME_COUNTER: lambda stick: stick.network.key_counter.to_bytes(4, "little"),
    t.EzspValueId.VALUE_APS_FRAME_COUNTER: lambda stick: stick.network.trust_counter.to_bytes(4, "little"),
    t.EzspValueId.VALUE_FORCE_TX_AFTER_FAILED_CCA_ATTEMPTS: lambda stick: b"\x00",
    t.EzspValueId.VALUE_TRANSIENT_DEVICE_TIMEOUT: lambda stick: b"\x10\x27",
    t.EzspValueId.VALUE_END_DEVICE_KEEP_ALIVE_SUPPORT_MODE: lambda stick: b"\x03",
}


@HANDLERS.does("getValue")
def _get_value(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    which = int(given["valueId"])
    if which in stick.ram.values:
        return {"status": Status.OK, "value": stick.ram.values[which]}
    if which in _VALUES:
        return {"status": Status.OK, "value": _VALUES[which](stick)}
    return {"status": Status.INVALID_INDEX}


@HANDLERS.does("setValue")
def _set_value(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    which, value = int(given["valueId"]), bytes(given["value"])
    if which == t.EzspValueId.VALUE_NWK_FRAME_COUNTER:
        stick.network.key_counter = int.from_bytes(value, "little")
    elif which == t.EzspValueId.VALUE_APS_FRAME_COUNTER:
        stick.network.trust_counter = int.from_bytes(value, "little")
    elif which == t.EzspValueId.VALUE_VERSION_INFO:
        return {"status": Status.INVALID_INDEX}
    else:
        stick.ram.values[which] = value
        return {"status": Status.OK}
    if stick.ram.network_up:
        return {"status": Status.INVALID_STATE}
    stick.store()
    return {"status": Status.OK}


@HANDLERS.does("getExtendedValue")
def _get_extended(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if given["valueId"] == t.EzspExtendedValueId.EXTENDED_VALUE_ENDPOINT_FLAGS:
        known = int(given["characteristics"]) in stick.ram.endpoints
        return {"status": Status.OK if known else Status.INVALID_PARAMETER, "value": bytes((known, 0))}
    return {"status": Status.INVALID_INDEX, "value": b"\x00"}


@HANDLERS.does("addEndpoint")
def _add_endpoint(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    raw: bytes = given["raw"]
    try:
        number, profile, device, version, inputs, outputs = _ENDPOINT.unpack_from(raw)
        clusters = Struct(f"<{inputs + outputs}H").unpack_from(raw, _ENDPOINT.size)
    except error:
        return {"status": Status.INVALID_PARAMETER}
    if stick.ram.network_up or number in stick.ram.endpoints:
        return {"status": Status.INVALID_STATE}
    stick.ram.endpoints[number] = Endpoint(
        number, profile, device, version, clusters[:inputs], clusters[inputs:]
    )
    return {"status": Status.OK}


@HANDLERS.does("getEndpointCount")
def _endpoint_count(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"count": len(stick.ram.endpoints)}


@HANDLERS.does("getEndpoint")
def _endpoint(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    numbers = list(stick.ram.endpoints)
    return {"endpoint": numbers[given["index"]] if given["index"] < len(numbers) else 0xFF}


@HANDLERS.does("getManufacturerCode")
def _get_manufacturer(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"code": stick.ram.manufacturer}


@HANDLERS.does("getMfgToken")
def _get_mfg(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    which = int(given["tokenId"])
    size = _MANUFACTURING.get(which, 0)
    written = stick.network.tokens.get(f"mfg:{which}")
    if written is not None:
        return {"tokenData": bytes.fromhex(written)}
    text = {t.EzspMfgTokenId.MFG_STRING: MANUFACTURER, t.EzspMfgTokenId.MFG_BOARD_NAME: BOARD}.get(which, b"")
    return {"tokenData": text.ljust(size, b"\xff")}


@HANDLERS.does("setMfgToken")
def _set_mfg(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    which, value = int(given["tokenId"]), bytes(given["tokenData"])
    if f"mfg:{which}" in stick.network.tokens or _MANUFACTURING.get(which) != len(value):
        return {"status": Status.INVALID_STATE}  # one-time programmable
    stick.network.tokens[f"mfg:{which}"] = value.hex()
    if which == t.EzspMfgTokenId.MFG_CUSTOM_EUI_64:
        stick.network.ieee = int.from_bytes(value, "little")
    stick.store()
    return {"status": Status.OK}


@HANDLERS.does("getToken")
def _get_token(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    written = stick.network.tokens.get(f"user:{int(given['tokenId'])}", "ff" * 8)
    return {"status": Status.OK, "tokenData": list(bytes.fromhex(written))}


@HANDLERS.does("setToken")
def _set_token(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    stick.network.tokens[f"user:{int(given['tokenId'])}"] = bytes(given["tokenData"]).hex()
    stick.store()
    return {"status": Status.OK}


def _flash_cells(stick: Stick) -> dict[int, bytes]:
    """Stack tokens of NVM3 that hosts look into, built from what the stick knows."""
    net, key = stick.network, t.NV3KeyId
    cells = {_RESTORED: b"\xff" * 8}
    if net.formed:
        cells[key.NVM3KEY_STACK_TRUST_CENTER] = (
            net.security.to_bytes(2, "little")
            + net.trust_centre.to_bytes(8, "little")
            + bytes.fromhex(net.trust_key)
        )
        cells[key.NVM3KEY_STACK_NODE_DATA] = (
            net.pan_id.to_bytes(2, "little")
            + bytes((net.tx_power_dbm & 0xFF, net.channel, 2, 1, 0, 0))
            + net.extended_pan_id.to_bytes(8, "little")
        )
        cells[key.NVM3KEY_STACK_NETWORK_MANAGEMENT] = (
            net.channels.to_bytes(4, "little") + net.manager.to_bytes(2, "little") + bytes((net.update_id, 0))
        )
    return cells


@HANDLERS.does("getTokenData")
def _get_flash(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    which, index = int(given["token"]), int(given["index"])
    written = stick.network.tokens.get(f"{which}:{index}")
    value = bytes.fromhex(written) if written else _flash_cells(stick).get(which) if index == 0 else None
    return {"status": Status.NOT_FOUND} if value is None else {"status": Status.OK, "value": value}


@HANDLERS.does("setTokenData")
def _set_flash(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    which, index, value = int(given["token"]), int(given["index"]), bytes(given["token_data"])
    net, key = stick.network, t.NV3KeyId
    size = len(_flash_cells(stick).get(which, b""))
    if index or size != len(value):
        return {"status": Status.NOT_FOUND}
    if which == key.NVM3KEY_STACK_TRUST_CENTER:
        net.trust_centre, net.trust_key = int.from_bytes(value[2:10], "little"), value[10:].hex()
    elif which == key.NVM3KEY_STACK_NODE_DATA:
        net.tx_power_dbm = int.from_bytes(value[2:3], "little", signed=True)
    elif which == key.NVM3KEY_STACK_NETWORK_MANAGEMENT:
        net.update_id = value[6]
    else:
        net.tokens[f"{which}:{index}"] = value.hex()
    stick.store()
    return {"status": Status.OK}


@HANDLERS.does("tokenFactoryReset")
def _factory_reset(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    counter = stick.network.key_counter
    stick.network.leave()
    stick.network.link_keys.clear()
    stick.radio.forget_all()
    stick.network.key_counter = counter if given["excludeOutgoingFC"] else 0
    stick.store()
    return {}


@HANDLERS.does("resetNode")
def _reset_node(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    stick.afterwards(stick.restart)
    return {}


@HANDLERS.does("readCounters")
def _read_counters(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"values": [count & 0xFFFF for count in stick.ram.counters]}


@HANDLERS.does("readAndClearCounters")
def _clear_counters(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    values, stick.ram.counters = stick.ram.counters, [0] * COUNTERS
    return {"values": [count & 0xFFFF for count in values]}
