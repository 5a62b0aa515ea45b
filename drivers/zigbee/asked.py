"""What a device asks of the node: to be enrolled as an alarm zone, and whether it may sleep on."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from drivers.zigbee import zcl
from drivers.zigbee.ear import ZONE_ENROLL_REQUEST
from drivers.zigbee.interview import FAILURES
from drivers.zigbee.standard import Cluster

log = logging.getLogger("homenode.zigbee")

CHECK_IN = 0x00
AWAKE_QUARTERS = 60 * 4
"""A sleeper for whom something waits stays awake for a minute (3.16.5.4.2, in quarters of a second)."""


def answer_to(
    device: Any, cluster: int, endpoint: int, message: bytes, wanted: Callable[[], bool]
) -> Callable[[], Coroutine[Any, Any, None]] | None:
    """What answers a frame that is a question; None if it is none.

    Args:
        wanted: Whether something waits for the device to be awake.
    """
    if cluster not in (Cluster.IAS_ZONE, Cluster.POLL_CONTROL):
        return None
    try:
        frame = zcl.parse(message)
    except zcl.Malformed:
        return None
    if not frame.of_cluster or not frame.from_server:
        return None
    server = getattr(device.endpoints.get(endpoint), "in_clusters", {}).get(cluster)
    if server is None:
        return None
    if cluster == Cluster.IAS_ZONE and frame.command == ZONE_ENROLL_REQUEST:
        # it stays silent until somebody says yes (8.2.2.4.2)
        enrolled = partial(server.enroll_response, enroll_response_code=0, zone_id=0, tsn=frame.sequence)
        return partial(_say, device, enrolled)
    if cluster == Cluster.POLL_CONTROL and frame.command == CHECK_IN:
        awake = wanted()
        stay = partial(server.command, CHECK_IN, awake, AWAKE_QUARTERS if awake else 0, tsn=frame.sequence)
        return partial(_say, device, stay)
    return None


async def _say(device: Any, answer: Callable[[], Awaitable[object]]) -> None:
    try:
        await answer()
    except FAILURES as fault:
        log.debug("question not answered", extra={"device": str(device.ieee), "why": repr(fault)})


async def guarded(work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
    """One device's surprise ends its own task and no more; a task that never began has begun nothing."""
    try:
        await work()
    except Exception as fault:  # noqa: BLE001 - told in the log; the radio and all other devices go on
        log.warning("task failed", extra={"task": name, "why": repr(fault)})
