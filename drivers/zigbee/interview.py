"""Our part of an interview: enrol alarm zones, read what never changes, ask for reports.

zigpy has found endpoints and clusters before. Everything here is best effort and bounded: what a device
refuses or doesn't answer is noted in plain words and never stops the rest.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import zigpy.exceptions
import zigpy.types
from zigpy.zcl import ReportingConfig

from drivers.zigbee import tuya
from drivers.zigbee.notes import Note
from drivers.zigbee.plan import Endpoint, Facts, Plan, Signature, candidates
from drivers.zigbee.rows import Place, Row
from drivers.zigbee.standard import FACTS, HOME_AUTOMATION, PROFILES, Cluster

log = logging.getLogger("homenode.zigbee")

ANSWER_S = 12.0
"""Longest a device is waited for: a sleepy one polls its parent every 7.5 s at the latest."""
UNANSWERED_MOST = 3
"""So many questions in a row without an answer: it sleeps again; the rest is asked when it is heard."""
UNSUPPORTED = frozenset({0x86, 0x8F})
"""Status UNSUPPORTED_ATTRIBUTE, and WRITE_ONLY that some firmware says instead (2.6.3)."""
IAS_CIE_ADDRESS, ZONE_STATE, ZONE_STATUS = 0x0010, 0x0000, 0x0002
NOT_ENROLLED = 0
_T = TypeVar("_T")
FAILURES = (TimeoutError, zigpy.exceptions.ZigbeeException, ValueError, KeyError, IndexError, AttributeError)
"""What a request to a device may end with: silence, no route, an answer that can't be read."""


def unbound(endpoint: int, cluster: Any) -> Note:
    """A cluster that can't be bound."""
    return Note("unbound", (str(endpoint), f"0x{int(cluster.cluster_id):04x}"))


class Asleep(Exception):
    """The device doesn't answer any more."""


def signature_of(device: Any) -> Signature:
    """What zigpy found out about a device."""
    endpoints = {
        number: Endpoint(
            int(endpoint.profile_id or 0),
            int(endpoint.device_type if endpoint.device_type is not None else 0xFFFF),
            frozenset(int(cluster) for cluster in endpoint.in_clusters),
            frozenset(int(cluster) for cluster in endpoint.out_clusters),
        )
        for number, endpoint in device.endpoints.items()
        if number != 0 and int(endpoint.profile_id or 0) in PROFILES
    }
    node = device.node_desc
    sleepy = node is None or not node.is_receiver_on_when_idle
    return Signature((device.manufacturer or "").strip(), (device.model or "").strip(), sleepy, endpoints)


class Interview:
    """Questions to one device.

    Args:
        device: zigpy's.
        coordinator: IEEE address that alarm zones report to.

    Attributes:
        answered: Questions that were answered.
    """

    def __init__(self, device: Any, coordinator: Any, signature: Signature, facts: Facts) -> None:
        self._device, self._coordinator = device, coordinator
        self._signature, self._facts = signature, facts
        self._unanswered = 0
        self._deaf = False
        self.answered = 0

    async def ask(self, request: Callable[[], Awaitable[_T]]) -> _T | None:
        """None if there was no answer. Raises Asleep after several of them."""
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await request()
        except FAILURES as fault:
            log.debug("no answer", extra={"device": str(self._device.ieee), "why": repr(fault)})
            self._unanswered += 1
            if self._unanswered >= UNANSWERED_MOST:
                raise Asleep from None
            return None
        self._unanswered = 0
        self.answered += 1
        return answer

    def _servers(self, cluster: int) -> Iterable[tuple[int, Any]]:
        for number, endpoint in sorted(self._signature.endpoints.items()):
            if cluster in endpoint.inputs:
                yield number, self._device.endpoints[number].in_clusters[cluster]

    async def _read(self, number: int, cluster: Any, attributes: Iterable[int]) -> dict[int, Any] | None:
        """Attributes that the device has; those it hasn't become `absent`. None: no answer."""
        asked = list(attributes)
        answer = await self.ask(lambda: cluster.read_attributes(asked, retries=1))
        if answer is None:
            return None
        found, failed = answer
        for attribute, status in failed.items():
            if int(status) in UNSUPPORTED:
                self._facts.absent.add(Place(number, int(cluster.cluster_id), int(attribute)))
        for attribute in found:
            self._facts.absent.discard(Place(number, int(cluster.cluster_id), int(attribute)))
        return {int(attribute): value for attribute, value in found.items()}

    async def begin(self, row: Row) -> None:
        """Tell alarm zones whom to report to (8.2.2.2.2), first of all: sleepy devices are gone soon."""
        for ask in row.asks:
            told = await self.ask(partial(self._send, ask.endpoint, ask.cluster, ask.frame))
            self._deaf |= told is None
        for _, cluster in self._servers(Cluster.IAS_ZONE):
            write = {IAS_CIE_ADDRESS: self._coordinator}
            await self.ask(partial(cluster.write_attributes, write, retries=1))
            await self.ask(partial(cluster.enroll_response, enroll_response_code=0, zone_id=0))
        if self._signature.manufacturer.startswith(tuya.MAKERS):
            for _, basic in self._servers(Cluster.BASIC):
                await self.ask(partial(basic.read_attributes, list(tuya.AWAKENING), retries=0))

    async def _send(self, endpoint: int, cluster: int, frame: Callable[[int], bytes]) -> bool:
        """A frame that the device acknowledges and need not answer; `frame` is given its number."""
        sequence = self._device.application.get_sequence()
        await self._device.request(
            HOME_AUTOMATION,
            cluster,
            1,
            endpoint,
            sequence,
            frame(sequence),
            expect_reply=False,
            ask_for_ack=True,
        )
        return True

    async def constants(self) -> bool:
        """Read zone types, units and scales. False if one is owed without which values mean nothing."""
        known = True
        for wanted, attributes in FACTS:
            for number, cluster in self._servers(wanted):
                places = [Place(number, wanted, attribute) for attribute in attributes]
                missing = [
                    place.attribute
                    for place in places
                    if place not in self._facts.values and place not in self._facts.absent
                ]
                found = await self._read(number, cluster, missing) if missing else {}
                if found is None:
                    found = await self._read(number, cluster, missing)
                for attribute, value in (found or {}).items():
                    if isinstance(value, int):
                        self._facts.values[Place(number, wanted, attribute)] = int(value)
                known &= wanted == Cluster.OCCUPANCY or not self._facts.owed(places)
        return known

    async def states(self, row: Row, *, enough: bool) -> bool:
        """Read what the device can say now; an optional attribute that it doesn't have is no point.

        Args:
            enough: Asked often enough: what still isn't answered for is no point either.

        Returns:
            False if an optional attribute is still to be asked for: the question or its answer was lost.
        """
        known = True
        places = dict(candidates(self._signature, self._facts, row))
        grouped: dict[tuple[int, int], list[int]] = defaultdict(list)
        for place in places:
            grouped[place.endpoint, place.cluster].append(place.attribute)
        for (number, wanted), attributes in grouped.items():
            cluster = self._device.endpoints[number].in_clusters[wanted]
            found = await self._read(number, cluster, attributes)
            if found is None and not enough:
                known &= not any(places[Place(number, wanted, each)].optional for each in attributes)
                continue
            for attribute in attributes:
                place = Place(number, wanted, attribute)
                if places[place].optional and (found is None or found.get(attribute) is None):
                    self._facts.absent.add(place)
        for _, cluster in self._servers(Cluster.IAS_ZONE):
            answer = await self.ask(partial(cluster.read_attributes, [ZONE_STATE, ZONE_STATUS], retries=1))
            if answer is not None and answer[0].get(ZONE_STATE) == NOT_ENROLLED:
                await self.ask(partial(cluster.enroll_response, enroll_response_code=0, zone_id=0))
        return known

    async def reports(self, plan: Plan) -> None:
        """Bind, and ask for reports (2.5.7); notes what the device refuses."""
        notes = [Note("deaf")] if self._deaf else []
        for number, cluster in self.to_bind(plan):
            wanted = {
                place.attribute: sense
                for place, sense in plan.senses.items()
                if (place.endpoint, place.cluster) == (number, int(cluster.cluster_id))
            }
            bound = await self.ask(cluster.bind)
            refused = bound is None or int(bound[0]) != 0
            for attribute, sense in wanted.items():
                reporting = sense.attribute.reporting if sense.attribute is not None else None
                if reporting is None:
                    continue
                change = max(1, round(reporting.change * sense.raw_per_unit)) if reporting.change else 1
                config = ReportingConfig(reporting.low_s, reporting.high_s, change)
                definition = cluster.find_attribute(attribute)
                answer = await self.ask(partial(cluster.configure_reporting_multiple, {definition: config}))
                if refused or answer is None or any(int(status) for status in answer.values()):
                    notes.append(Note("reports", (sense.kind,)))
            if refused and not wanted:
                notes.append(unbound(number, cluster))
        self._facts.notes = notes
        for number, _ in self._servers(tuya.CLUSTER):
            await self.ask(partial(self._send, number, tuya.CLUSTER, tuya.question))

    def to_bind(self, plan: Plan) -> list[tuple[int, Any]]:
        """Clusters that are to report here: those with points, alarm zones, keys, check-ins."""
        places = {(place.endpoint, place.cluster) for place in plan.senses}
        places |= {(number, int(Cluster.IAS_ZONE)) for number in plan.zones}
        places |= {(number, int(Cluster.MULTISTATE_INPUT)) for number, _ in plan.multistate}
        found = []
        for number, cluster in sorted(places):
            endpoint = self._device.endpoints.get(number)  # a row may know more than this device has
            for side in (endpoint.in_clusters, endpoint.out_clusters) if endpoint is not None else ():
                if cluster in side:
                    found.append((number, side[cluster]))
                    break
        for number, cluster in sorted({(number, cluster) for number, cluster, _, _ in plan.presses}):
            endpoint = self._device.endpoints.get(number)
            if endpoint is not None and cluster in endpoint.out_clusters:
                found.append((number, endpoint.out_clusters[cluster]))
        return found + [(number, cluster) for number, cluster in self._servers(Cluster.POLL_CONTROL)]


async def ask_state(device: Any, plan: Plan) -> bool:
    """Have a device say its state; the answers are heard like any frame. False if it doesn't answer."""
    grouped: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place in plan.senses:
        grouped[place.endpoint, place.cluster].append(place.attribute)
    for number in plan.zones:
        grouped[number, int(Cluster.IAS_ZONE)].append(ZONE_STATUS)
    for (number, cluster), attributes in grouped.items():
        endpoint = device.endpoints.get(number)
        server = endpoint.in_clusters.get(cluster) if endpoint is not None else None
        if server is None:
            continue
        try:
            async with asyncio.timeout(ANSWER_S):
                await server.read_attributes(attributes, retries=0)
        except FAILURES:
            return False
    return True


async def identify(app: Any, address: int, number: int) -> None:
    """Find out whose network address this is; zigpy then takes it in, and interviews it if it is new.

    zigpy itself asks by broadcast, which sleepy devices don't hear. So the stick is asked, which knows its
    own children, and then the device itself (IEEE_addr_req, 2.4.3.1.2), whose parent keeps the question.

    Args:
        number: Its IEEE address as the stick writes it, 0 if the stick didn't tell.
    """
    ieee = zigpy.types.EUI64.deserialize(number.to_bytes(8, "little"))[0] if number else None
    if ieee is None:
        try:
            status, found = await app._ezsp.lookupEui64ByNodeId(nodeId=address)
            ieee = found if int(status) == 0 else None
        except FAILURES:
            pass
    if ieee is not None:
        app.handle_join(address, ieee, 0, handle_rejoin=False)
        return
    question = zigpy.types.ZigbeePacket(
        src=zigpy.types.AddrModeAddress(zigpy.types.AddrMode.NWK, 0x0000),
        src_ep=0,
        dst=zigpy.types.AddrModeAddress(zigpy.types.AddrMode.NWK, address),
        dst_ep=0,
        tsn=(tsn := app.get_sequence()),
        profile_id=0,
        cluster_id=0x0001,
        data=zigpy.types.SerializableBytes(bytes((tsn, address & 0xFF, address >> 8, 0, 0))),
        extended_timeout=True,
    )
    try:
        await app.send_packet(question)
    except FAILURES as fault:
        log.debug("unknown device not asked", extra={"address": f"0x{address:04x}", "why": repr(fault)})
