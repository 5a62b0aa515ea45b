"""What a device has taken down of what it was asked for: read back, as a yes is not always one."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from zigpy.zcl.foundation import GeneralCommand, ReadReportingConfigRecord, Status

from drivers.zigbee.ear import Known
from drivers.zigbee.interview import unbound
from drivers.zigbee.notes import Note
from drivers.zigbee.plan import Facts, Plan, Sense, Signature
from drivers.zigbee.rows import Row
from drivers.zigbee.standard import Cluster
from drivers.zigbee.supervision import LONGEST_S, Use, documented_s, judged, stale_after_ms
from homenode.driver import Host

log = logging.getLogger("homenode.zigbee")

CHECK_IN, CHECK_IN_LEAST = 0x0000, 0x0004
"""Poll control (3.16.4): intervals in quarters of a second."""
WANTED_S, QUARTERS = 3600, 4
"""A sleeper says each hour that it is there: the cluster's own default."""
NO_REPORTS = (0, 0xFFFF)
"""Longest intervals by which nothing is told unless it changes (2.5.7.1.6)."""
SEND = 0
_PAGES = 8

Ask = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]


class Promises:
    """Reads back what one device was asked for.

    Args:
        ask: Asks a question with a limit of time; None if there was no answer (`Interview`).
        bound: Clusters that were to report here.
    """

    def __init__(self, device: Any, coordinator: Any, signature: Signature, facts: Facts, ask: Ask) -> None:
        self._device, self._coordinator = device, coordinator
        self._signature, self._facts, self._ask = signature, facts, ask

    async def settle(self, plan: Plan, bound: Iterable[tuple[int, Any]]) -> None:
        """Set what can be set, read it back, and keep the longest silence that follows from it."""
        silences = [span for span in [await self._check_in()] if span is not None]
        silences += await self._reports(plan)
        self._facts.heard_s = min(silences, default=None)
        await self._bindings([(number, cluster) for number, cluster in bound])

    async def _check_in(self) -> int | None:
        """Seconds between its check-ins, once it has been asked to check in each hour."""
        for number, endpoint in sorted(self._signature.endpoints.items()):
            if Cluster.POLL_CONTROL not in endpoint.inputs:
                continue
            cluster = self._device.endpoints[number].in_clusters[Cluster.POLL_CONTROL]
            read = partial(cluster.read_attributes, [CHECK_IN, CHECK_IN_LEAST], retries=1)
            answer = await self._ask(read)
            found = answer[0] if answer is not None else {}
            now = int(found.get(CHECK_IN, 0))
            if not 0 < now <= WANTED_S * QUARTERS:
                wanted = max(WANTED_S * QUARTERS, int(found.get(CHECK_IN_LEAST, 0)))
                await self._ask(partial(cluster.write_attributes, {CHECK_IN: wanted}, retries=1))
                answer = await self._ask(read)
                now = int(answer[0].get(CHECK_IN, 0)) if answer is not None else 0
            if now:
                return now // QUARTERS
        return None

    async def _reports(self, plan: Plan) -> list[int]:
        """Longest intervals of the reports that it has really set up; notes those that it hasn't."""
        by_cluster: dict[tuple[int, int], dict[int, Sense]] = defaultdict(dict)
        for place, sense in plan.senses.items():
            if sense.attribute is not None and sense.attribute.reporting is not None:
                by_cluster[place.endpoint, place.cluster][place.attribute] = sense
        longest = []
        for (number, wanted), senses in by_cluster.items():
            cluster = self._device.endpoints[number].in_clusters.get(wanted)
            if cluster is None:
                continue
            records = [ReadReportingConfigRecord(SEND, attribute) for attribute in senses]
            command = GeneralCommand.Read_Reporting_Configuration
            answer = await self._ask(partial(cluster.general_command, command, records))
            configs = getattr(answer, "attribute_configs", None)
            if configs is None:  # it doesn't know the question, or said nothing
                continue
            for told in configs:
                asked_of = senses.get(int(told.config.attrid))
                if asked_of is None:
                    continue
                most = int(told.config.max_interval) if told.status == Status.SUCCESS else 0xFFFF
                if most not in NO_REPORTS:
                    longest.append(most)
                if most in NO_REPORTS or most > LONGEST_S:
                    self._note(Note("reports", (asked_of.kind,)))
        return longest

    async def _bindings(self, bound: list[tuple[int, Any]]) -> None:
        """Bind once more what its table lacks; a device that doesn't show its table is believed."""
        there = await self._table()
        if there is None:
            return
        missing = [one for one in bound if (one[0], int(one[1].cluster_id)) not in there]
        for _, cluster in missing:
            await self._ask(cluster.bind)
        if missing:
            there = await self._table() or there
        for number, cluster in missing:
            if (number, int(cluster.cluster_id)) not in there:
                self._note(unbound(number, cluster))

    async def _table(self) -> set[tuple[int, int]] | None:
        """Endpoint and cluster of what it has bound to us; None if it doesn't say."""
        found: set[tuple[int, int]] = set()
        start = 0
        for _ in range(_PAGES):
            answer = await self._ask(partial(self._device.zdo.Mgmt_Bind_req, start))
            if answer is None or int(answer[0]) != 0:
                return None
            _, entries, _, table = answer
            for row in table or ():
                if getattr(row.DstAddress, "ieee", None) == self._coordinator:
                    found.add((int(row.SrcEndpoint), int(row.ClusterId)))
            start += len(table or ())
            if start >= int(entries) or not table:
                break
        return found

    def _note(self, note: Note) -> None:
        if note not in self._facts.notes:
            self._facts.notes.append(note)


def supervised(known: Known, use: Use, row: Row, host: Host) -> Note | None:
    """Whether it is heard often enough for what it is for; told as a fault of what guards somebody.

    Returns:
        What the installer is told; None if all is well or its interview isn't over.
    """
    if not known.facts.complete:
        return None
    finding = judged(
        use,
        known.plan.kinds,
        heard_s=known.facts.heard_s,
        documented_s=documented_s(known.device.manufacturer or "", row.stale_after_ms),
        awake=not known.sleepy,
    )
    known.refused = finding.refused
    if known.name and finding.note and finding.refused:
        why = f"{known.name} is {finding.note.text()}"
        host.lost(f"{known.name} supervision", why, (known.name,))
    elif known.name:
        host.back(f"{known.name} supervision")
    return finding.note


def may_be_silent_ms(known: Known, row: Row, *, asked: bool) -> int | None:
    """How long it may be silent; None for what `homenode.driver` gives those that nothing is known of.

    Args:
        asked: Its interview is over, or was given up: what it hasn't promised by now it won't.
    """
    if known.sleepy and asked:
        documented = documented_s(known.device.manufacturer or "", row.stale_after_ms)
        return stale_after_ms(row.stale_after_ms, known.facts.heard_s, documented)
    return row.stale_after_ms
