"""The general commands of the ZCL, the same for every cluster: read, write, reporting, discovery (2.5)."""

from __future__ import annotations

from collections.abc import Callable

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.clusters.cluster import Attribute, Cluster
from homenode.sim.zigbee.device_reporting import CANCELLED_S
from homenode.sim.zigbee.zcl import Data, Frame, General, Malformed, Status, analog, decode, encode

ROOM = 70
"""Bytes of records in one answer: an APS frame without fragmentation carries 82 at most on an encrypted,
source-routed network (R22, 2.2.4.1), less header and what a route takes."""

_BASIC = 0x0000
_STRINGS = range(0x41, 0x52)

GeneralReply = tuple[General, bytes] | Status | None


def answer_general(cluster: Cluster, frame: Frame, by: Aps) -> GeneralReply:
    """What goes back: (command, payload), a status for a default response, or None for nothing.

    Raises:
        Malformed: The frame ends too early.
    """
    handler = _HANDLERS.get(frame.command)
    return Status.UNSUP_GENERAL_COMMAND if handler is None else handler(cluster, frame, by)


def _identifier(data: bytes, at: int) -> int:
    if at + 2 > len(data):
        raise Malformed("half an attribute identifier")
    return int.from_bytes(data[at : at + 2], "little")


def _read(cluster: Cluster, frame: Frame, by: Aps) -> GeneralReply:
    records: list[bytes] = []
    used = 0
    for at in range(0, len(frame.payload), 2):
        id_ = _identifier(frame.payload, at)
        head = id_.to_bytes(2, "little")
        attribute = cluster.find(id_, frame.manufacturer)
        if attribute is None:
            record = head + bytes((Status.UNSUPPORTED_ATTRIBUTE,))
        else:
            record = head + bytes((Status.SUCCESS, attribute.type)) + encode(attribute.type, attribute.value)
            if used and used + len(record) > ROOM:
                record = head + bytes((Status.INSUFFICIENT_SPACE,))
        if used + len(record) > ROOM and used:
            break
        records.append(record)
        used += len(record)
    return General.READ_RSP, b"".join(records)


def _write(cluster: Cluster, frame: Frame, by: Aps) -> GeneralReply:
    payload, at = frame.payload, 0
    refused: list[tuple[int, Status]] = []
    accepted: list[tuple[Attribute, Data]] = []
    while at < len(payload):
        id_ = _identifier(payload, at)
        if at + 3 > len(payload):
            raise Malformed("an attribute without its type")
        kind = payload[at + 2]
        value, at = decode(kind, payload, at + 3)
        attribute = cluster.find(id_, frame.manufacturer)
        if attribute is None:
            refused.append((id_, Status.UNSUPPORTED_ATTRIBUTE))
        elif not attribute.writable:
            refused.append((id_, Status.READ_ONLY))
        elif attribute.type != kind:
            refused.append((id_, Status.INVALID_DATA_TYPE))
        else:
            accepted.append((attribute, value))
    if not refused or frame.command != General.WRITE_UNDIVIDED:
        for attribute, value in accepted:
            cluster.set(attribute.id, value)
            cluster.written(attribute, by)
    if frame.command == General.WRITE_NO_RSP:
        return None
    if not refused:
        return General.WRITE_RSP, bytes((Status.SUCCESS,))
    return General.WRITE_RSP, b"".join(bytes((s,)) + i.to_bytes(2, "little") for i, s in refused)


def _configure(cluster: Cluster, frame: Frame, by: Aps) -> GeneralReply:
    payload, at = frame.payload, 0
    refused: list[bytes] = []
    while at < len(payload):
        direction = payload[at]
        id_ = _identifier(payload, at + 1)
        if direction == 0x01:  # "expect reports from me": nothing to do, a sensor keeps no time-outs
            at += 5
            refused.append(bytes((Status.UNREPORTABLE_ATTRIBUTE, direction)) + id_.to_bytes(2, "little"))
            continue
        if at + 8 > len(payload):
            raise Malformed("half a reporting configuration")
        kind = payload[at + 3]
        min_s, max_s = _identifier(payload, at + 4), _identifier(payload, at + 6)
        at += 8
        change: Data = None
        if analog(kind):
            change, at = decode(kind, payload, at)
        status = _may_report(cluster, id_, frame.manufacturer, kind, min_s, max_s)
        if status is not Status.SUCCESS:
            refused.append(bytes((status, direction)) + id_.to_bytes(2, "little"))
            continue
        attribute = cluster.attributes[id_]
        if max_s == CANCELLED_S:
            if attribute.reporting is not None:
                attribute.reporting.stop()
            attribute.reporting = None
        else:
            cluster.configure(attribute, min_s, max_s, change)
    return General.CONFIGURE_REPORTING_RSP, b"".join(refused) or bytes((Status.SUCCESS,))


def _may_report(cluster: Cluster, id_: int, manufacturer: int, kind: int, min_s: int, max_s: int) -> Status:
    attribute = cluster.find(id_, manufacturer)
    if attribute is None:
        return Status.UNSUPPORTED_ATTRIBUTE
    if cluster.id == _BASIC or attribute.type in _STRINGS:
        return Status.UNREPORTABLE_ATTRIBUTE
    if attribute.type != kind:
        return Status.INVALID_DATA_TYPE
    return Status.INVALID_VALUE if 0 < max_s < min_s else Status.SUCCESS


def _read_reporting(cluster: Cluster, frame: Frame, by: Aps) -> GeneralReply:
    records: list[bytes] = []
    for at in range(0, len(frame.payload), 3):
        direction, id_ = frame.payload[at], _identifier(frame.payload, at + 1)
        attribute = cluster.find(id_, frame.manufacturer)
        head = bytes((direction,)) + id_.to_bytes(2, "little")
        if attribute is None:
            records.append(bytes((Status.UNSUPPORTED_ATTRIBUTE,)) + head)
        elif attribute.reporting is None or direction == 0x01:
            records.append(bytes((Status.NOT_FOUND,)) + head)
        else:
            told = attribute.reporting
            record = bytes((Status.SUCCESS,)) + head + bytes((attribute.type,))
            record += told.min_s.to_bytes(2, "little") + told.max_s.to_bytes(2, "little")
            records.append(record + (encode(attribute.type, told.change) if analog(attribute.type) else b""))
    return General.READ_REPORTING_RSP, b"".join(records)


def _page(frame: Frame, identifiers: list[int], width: int) -> tuple[list[int], bytes]:
    """From the asked identifier on, as many as asked and as fit; and the flag "these were all"."""
    start = int.from_bytes(frame.payload[:width], "little")
    if len(frame.payload) < width + 1:
        raise Malformed("a discovery without its count")
    rest = sorted(one for one in identifiers if one >= start)
    page = rest[: min(frame.payload[width], ROOM // 4)]
    return page, bytes((len(page) == len(rest),))


def _discover(cluster: Cluster, frame: Frame, by: Aps) -> GeneralReply:
    shown = [one.id for one in cluster.attributes.values() if one.manufacturer == frame.manufacturer]
    page, complete = _page(frame, shown, 2)
    return General.DISCOVER_RSP, complete + b"".join(cluster.attributes[one].head() for one in page)


def _discover_extended(cluster: Cluster, frame: Frame, by: Aps) -> GeneralReply:
    shown = [one.id for one in cluster.attributes.values() if one.manufacturer == frame.manufacturer]
    page, complete = _page(frame, shown, 2)
    records = (
        cluster.attributes[one].head()
        + bytes(
            (
                0x01
                | (0x02 if cluster.attributes[one].writable else 0)
                | (0 if cluster.id == _BASIC else 0x04),
            )
        )
        for one in page
    )
    return General.DISCOVER_EXTENDED_RSP, complete + b"".join(records)


def _discover_received(cluster: Cluster, frame: Frame, by: Aps) -> GeneralReply:
    page, complete = _page(frame, list(cluster.RECEIVED), 1)
    return General.DISCOVER_RECEIVED_RSP, complete + bytes(page)


def _discover_generated(cluster: Cluster, frame: Frame, by: Aps) -> GeneralReply:
    page, complete = _page(frame, list(cluster.GENERATED), 1)
    return General.DISCOVER_GENERATED_RSP, complete + bytes(page)


def _report(cluster: Cluster, frame: Frame, by: Aps) -> GeneralReply:
    return Status.SUCCESS


def _answer(cluster: Cluster, frame: Frame, by: Aps) -> GeneralReply:
    return None


_HANDLERS: dict[int, Callable[[Cluster, Frame, Aps], GeneralReply]] = {
    General.READ: _read,
    General.WRITE: _write,
    General.WRITE_UNDIVIDED: _write,
    General.WRITE_NO_RSP: _write,
    General.CONFIGURE_REPORTING: _configure,
    General.READ_REPORTING: _read_reporting,
    General.REPORT: _report,
    General.DISCOVER: _discover,
    General.DISCOVER_EXTENDED: _discover_extended,
    General.DISCOVER_RECEIVED: _discover_received,
    General.DISCOVER_GENERATED: _discover_generated,
    **{
        one: _answer
        for one in (
            General.READ_RSP,
            General.WRITE_RSP,
            General.CONFIGURE_REPORTING_RSP,
            General.READ_REPORTING_RSP,
            General.DEFAULT_RSP,
            General.DISCOVER_RSP,
            General.DISCOVER_RECEIVED_RSP,
            General.DISCOVER_GENERATED_RSP,
            General.DISCOVER_EXTENDED_RSP,
        )
    },
}
