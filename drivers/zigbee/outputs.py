"""What a node can switch over the air: plugs, lamps, valves, locks, sirens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from zigpy.types import PacketPriority

from drivers.zigbee import tuya
from drivers.zigbee.ear import Known
from drivers.zigbee.interview import FAILURES
from drivers.zigbee.rows import Place
from drivers.zigbee.standard import HOME_AUTOMATION, SIREN_S, Cluster
from homenode.errors import Refused

log = logging.getLogger("homenode.zigbee")

ANSWER_S = 8.0
"""Within the 10 s that the gateway waits for an answer."""
CRITICAL = PacketPriority.CRITICAL
"""Past zigpy's queue: a stick takes eight questions at a time, and one to a sensor that has gone holds its
place for 8 s. A siren doesn't wait for that."""
_WARNING = 0x17
"""Start Warning (8.4.2.3.1): mode burglar (1), strobe on, level very high."""


SAFE = {"switch": False, "valve": False, "lock": True, "siren": False}
"""What may still happen when a sleeper wakes: off, closed, locked. Nothing else may come late."""


def _soon(known: Known) -> str:
    heard_s = known.facts.heard_s
    return "a time that it doesn't tell" if heard_s is None else f"{max(1, heard_s // 60)} min"


async def do_pending(known: Known) -> None:
    """It is awake: do what waits, once; what isn't answered waits again."""
    waiting, known.pending = known.pending, {}
    for kind, to in waiting.items():
        with contextlib.suppress(Refused):
            await switch(known, kind, to)
            log.info("done as it woke", extra={"device": known.name, "kind": kind, "to": to})


async def switch(known: Known, kind: str, to: bool) -> None:
    """Do it and wait until the device says that it did. Raises Refused."""
    where = f"{known.name}.{kind}"
    place = known.plan.outputs.get(kind)
    if place is None:
        can = ", ".join(known.plan.outputs) or "nothing"
        raise Refused(f"{kind} can't be switched on this device", where=where, do=f"it has {can} to switch")
    try:
        async with asyncio.timeout(ANSWER_S), known.device.application.request_priority(CRITICAL):
            if place.cluster == tuya.CLUSTER:
                await _set_data_point(known.device, place, to)
                return
            cluster = known.device.endpoints[place.endpoint].in_clusters[place.cluster]
            answer = await _command(cluster, place.cluster, to)
    except FAILURES:
        if known.sleepy and SAFE.get(kind.partition("_")[0]) is to:
            known.pending[kind] = to
            do = f"it is done as soon as it wakes, within {_soon(known)}"
            raise Refused("it sleeps and did not answer yet", where=where, do=do) from None
        why = "it did not answer" + ("; it sleeps most of the time" if known.sleepy else "")
        raise Refused(why, where=where, do="try again; is it powered and in reach?") from None
    status = _status(answer)
    if status:
        raise Refused(f"the device refused it (status 0x{status:02x})", where=where)


async def _command(cluster: Any, cluster_id: int, to: bool) -> Any:
    if cluster_id == Cluster.IAS_WD:
        return await cluster.command(0x00, _WARNING if to else 0, SIREN_S if to else 0, 50, 3)
    if cluster_id == Cluster.DOOR_LOCK:
        return await cluster.command(0x00 if to else 0x01)
    return await cluster.command(0x01 if to else 0x00)


async def _set_data_point(device: Any, place: Place, to: bool) -> None:
    """The device acknowledges the frame, and then reports the data point as it is."""
    sequence = device.application.get_sequence()
    await device.request(
        HOME_AUTOMATION,
        place.cluster,
        1,
        place.endpoint,
        sequence,
        tuya.order(sequence, place.attribute, to),
        expect_reply=False,
        ask_for_ack=True,
    )


def _status(answer: Any) -> int:
    """Status of a default response, or of a cluster's own answer; 0 if it carries none."""
    status = getattr(answer, "status", 0)
    return int(status) if isinstance(status, int) else 0
