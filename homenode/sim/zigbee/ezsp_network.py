"""EZSP commands about the network: form, resume, leave, open, scan, parameters, removal of a device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bellows import types as t

from homenode.sim.zigbee.air import COORDINATOR
from homenode.sim.zigbee.ezsp import Handler, Handlers, Status

if TYPE_CHECKING:
    from homenode.sim.zigbee.coordinator_stick import Stick

HANDLERS = Handlers()

_CHANNELS = range(11, 27)


def _refuse(status: Any) -> Handler:
    return lambda stick, given: {"status": status}


for _name in ("joinNetwork", "joinNetworkDirectly", "findAndRejoinNetwork", "pollForData"):
    HANDLERS[_name] = _refuse(Status.INVALID_STATE)  # a coordinator joins nobody


def _up(stick: Stick) -> None:
    stick.ram.network_up = True
    stick.radio.up()
    stick.afterwards(lambda: stick.status(Status.NETWORK_UP))


@HANDLERS.does("networkInit")
def _init(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if not stick.network.formed:
        return {"status": Status.NOT_JOINED}
    if stick.ram.network_up:
        return {"status": Status.INVALID_STATE}
    _up(stick)
    return {"status": Status.OK}


@HANDLERS.does("networkState")
def _state(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    status = t.EmberNetworkStatus
    return {"status": status.JOINED_NETWORK if stick.ram.network_up else status.NO_NETWORK}


@HANDLERS.does("formNetwork")
def _form(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted, security, net = given["parameters"], stick.ram.security, stick.network
    if stick.ram.network_up or security is None:
        return {"status": Status.INVALID_STATE}
    if wanted.radioChannel not in _CHANNELS:
        return {"status": Status.TRANSMIT_INVALID_CHANNEL}
    counter, trust_counter = net.key_counter, net.trust_counter
    stick.radio.forget_all()
    net.leave()
    net.formed = True
    net.pan_id = int(wanted.panId)
    net.extended_pan_id = int.from_bytes(wanted.extendedPanId.serialize(), "little")
    net.tx_power_dbm, net.channel = int(wanted.radioTxPower), int(wanted.radioChannel)
    net.manager, net.channels = int(wanted.nwkManagerId), int(wanted.channels)
    net.key = security.networkKey.serialize().hex()
    net.key_sequence = int(security.networkKeySequenceNumber)
    net.trust_key = security.preconfiguredKey.serialize().hex()
    kept = t.EmberInitialSecurityBitmask.NO_FRAME_COUNTER_RESET in security.bitmask
    net.key_counter, net.trust_counter = (counter, trust_counter) if kept else (0, 0)
    net.security, net.trust_centre = int(security.bitmask), net.ieee
    stick.store()
    _up(stick)
    return {"status": Status.OK}


@HANDLERS.does("leaveNetwork")
def _leave(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if not stick.ram.network_up:
        return {"status": Status.NOT_JOINED}
    stick.ram.network_up = False
    stick.radio.down()
    stick.radio.forget_all()
    stick.network.leave()
    stick.store()
    stick.afterwards(lambda: stick.status(Status.NETWORK_DOWN))
    return {"status": Status.OK}


@HANDLERS.does("permitJoining")
def _permit(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if not stick.ram.network_up:
        return {"status": Status.NOT_JOINED}
    duration = int(given["duration"])
    stick.afterwards(lambda: stick.radio.permit(duration))
    return {"status": Status.OK}


@HANDLERS.does("getEui64")
def _ieee(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"eui64": stick.network.ieee}


@HANDLERS.does("getNodeId")
def _node_id(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"nodeId": COORDINATOR if stick.ram.network_up else 0xFFFE}


@HANDLERS.does("getNetworkParameters")
def _parameters(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    net = stick.network
    if not stick.ram.network_up:
        return {"status": Status.NOT_JOINED}
    parameters = t.EmberNetworkParameters(
        extendedPanId=t.ExtendedPanId.deserialize(net.extended_pan_id.to_bytes(8, "little"))[0],
        panId=t.EmberPanId(net.pan_id),
        radioTxPower=t.uint8_t(net.tx_power_dbm & 0xFF),
        radioChannel=t.uint8_t(net.channel),
        joinMethod=t.EmberJoinMethod(0),
        nwkManagerId=t.EmberNodeId(net.manager),
        nwkUpdateId=t.uint8_t(net.update_id),
        channels=t.Channels(net.channels),
    )
    return {"status": Status.OK, "nodeType": t.EmberNodeType.COORDINATOR, "parameters": parameters}


HANDLERS["getPermitJoining"] = lambda stick, given: {"open": stick.radio.permitting}
HANDLERS["getExtendedPanId"] = lambda stick, given: {"extendedPanId": stick.network.extended_pan_id}
HANDLERS["getCurrentNetwork"] = lambda stick, given: {"index": 0}


@HANDLERS.does("setNwkUpdateId")
def _update_id(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if stick.ram.network_up and not given["whenOnNetwork"]:
        return {"status": Status.INVALID_STATE}
    stick.network.update_id = int(given["id"])
    stick.store()
    return {"status": Status.OK}


@HANDLERS.does("getRadioParameters")
def _radio(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    net = stick.network
    if not stick.ram.network_up or given["phyIndex"]:
        return {"status": Status.NOT_JOINED}
    power, channel = net.tx_power_dbm & 0xFF, net.channel
    raw = bytes((power, 0, channel))
    kind = stick.dialect.table["getRadioParameters"][2]["parameters"]
    return {"status": Status.OK, "parameters": kind.deserialize(raw + bytes(8))[0]}


@HANDLERS.does("getLogicalChannel")
def _get_channel(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"radioChannel": stick.network.channel}


@HANDLERS.does("setRadioChannel")
@HANDLERS.does("setLogicalAndRadioChannel")
def _set_channel(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    (channel,) = given.values()
    if channel not in _CHANNELS:
        return {"status": Status.TRANSMIT_INVALID_CHANNEL}
    stick.network.channel = int(channel)
    stick.store()
    return {"status": Status.OK}


@HANDLERS.does("setRadioPower")
def _set_power(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    stick.network.tx_power_dbm = int(given["power"])
    return {"status": Status.OK}


@HANDLERS.does("startScan")
def _scan(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    mask = int(given["channelMask"]) or 0x07FFF800
    channels = [channel for channel in _CHANNELS if mask >> channel & 1]
    energy = given["scanType"] == t.EzspNetworkScanType.ENERGY_SCAN
    if not channels:
        return {"status": Status.INVALID_PARAMETER}
    stick.afterwards(lambda: stick.radio.scan(channels, energy, int(given["duration"])))
    return {"status": Status.OK}


HANDLERS["stopScan"] = _refuse(Status.OK)


@HANDLERS.does("findUnusedPanId")
def _unused_pan(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    channel = next(c for c in _CHANNELS if (int(given["channelMask"]) or 0x07FFF800) >> c & 1)
    stick.afterwards(lambda: stick.callback("unusedPanIdFoundHandler", panId=0x1A62, channel=channel))
    return {"status": Status.OK}


@HANDLERS.does("setConcentrator")
def _concentrator(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    stick.ram.concentrator = bool(given["on"])
    return {"status": Status.OK}


@HANDLERS.does("setSourceRouteDiscoveryMode")
def _discovery(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"remainingTime": 0}


HANDLERS["sendManyToOneRouteRequest"] = _refuse(Status.OK)


@HANDLERS.does("removeDevice")
def _remove(stick: Stick, given: Mapping[str, Any]) -> Mapping[str, Any]:
    ieee = int.from_bytes(given["targetLong"].serialize(), "little")
    if not stick.ram.network_up:
        return {"status": Status.NOT_JOINED}
    if ieee not in stick.network.members:
        return {"status": Status.NOT_FOUND}
    stick.afterwards(lambda: stick.radio.remove(ieee))
    return {"status": Status.OK}
