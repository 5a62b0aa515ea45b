"""Whether a stick is alive: does it answer its host, does it still have memory, does its radio hear.

Wedged sticks have been seen to stay so for days (bellows#729, zha#819): some answer nothing, some answer
every question and deliver nothing. Nothing heard is also how a quiet home looks, so who is awake is asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from bellows.exception import InvalidCommandError
from bellows.types import EzspValueId

from drivers.zigbee.coordinator import JOINED
from drivers.zigbee.ear import Known
from drivers.zigbee.interview import FAILURES
from drivers.zigbee.recovery import Ears, Ladder, Verdict

log = logging.getLogger("homenode.zigbee")

SILENT_S, ANSWER_S, MISSES = 5.0, 4.0, 2
"""A stick that said nothing for 5 s is asked; one that owes two answers of 4 s is wedged: 13 s in all."""
ASKED_MOST, ASK_AGAIN_S = 3, 1.0
"""Devices that are asked whether the radio hears; all of them owe two answers before it is called deaf."""

WEDGED = "the stick does not answer any more"
LEFT = "the stick has left its network"
DEAF = "the stick answers, but its radio hears nothing any more"
FULL = "the stick has no memory left"


class Probe(Protocol):
    """Questions to a stick; raises what it likes when there is no answer.

    Attributes:
        name: Of its protocol, for the log.
    """

    name: str

    async def trouble(self) -> str:
        """What it says is wrong with itself; "" if nothing."""
        ...

    async def counters(self) -> Mapping[int, int] | None:
        """Of the stick; None if its firmware doesn't know them."""
        ...


class Ezsp:
    """A stick of Silicon Labs."""

    def __init__(self, stick: Any) -> None:
        self._stick, self.name = stick, f"ezsp {stick.ezsp_version}"
        self._counts, self._full = True, 0

    async def trouble(self) -> str:
        """See `Probe`."""
        (state,) = await self._stick.networkState()
        if int(state) != JOINED:
            return LEFT
        status, value = await self._stick.getValue(EzspValueId.VALUE_FREE_BUFFERS)
        self._full = self._full + 1 if int(status) == 0 and not any(value) else 0
        return FULL if self._full > 1 else ""

    async def counters(self) -> Mapping[int, int] | None:
        """See `Probe`."""
        if not self._counts:
            return None
        try:
            (counts,) = await self._stick.readCounters()
        except InvalidCommandError:
            self._counts = False
            return None
        return {number: int(count) for number, count in enumerate(counts)}


class General:
    """Any other: asked as zigpy's own watchdog does."""

    def __init__(self, app: Any) -> None:
        self._app, self.name = app, type(app).__doc__ or ""

    async def trouble(self) -> str:
        """See `Probe`."""
        await self._app._watchdog_feed()
        return ""

    async def counters(self) -> Mapping[int, int] | None:
        """See `Probe`."""
        return None


class Watch:
    """Looks after one stick while its network runs.

    Args:
        incoming: How many messages of devices it has handed over.
        known: Devices by network address.
        ladder: What happened to it lately.
    """

    def __init__(
        self, probe: Probe, incoming: Callable[[], int], known: Mapping[int, Known], ladder: Ladder
    ) -> None:
        self._probe, self._incoming, self._known, self._ladder = probe, incoming, known, ladder

    async def run(self) -> str:
        """Until it is lost; why it is."""
        loop, incoming = asyncio.get_running_loop(), self._incoming
        ears = Ears(loop.time())
        doubted = self._ladder.deaf and self._ladder.may_doubt(loop.time())
        if doubted and self._awake() and not await self._anybody():
            return DEAF
        misses = 0
        while True:
            before = incoming()
            await asyncio.sleep(SILENT_S if not misses else 0)
            if incoming() != before:
                ears.look(loop.time(), incoming(), None, can_ask=False)
                self._ladder.deaf = False
                continue
            try:
                async with asyncio.timeout(ANSWER_S):
                    trouble = await self._probe.trouble()
                    counters = await self._probe.counters()
            except Exception as fault:  # noqa: BLE001 - whatever it is, the stick did not answer
                log.debug("stick does not answer", extra={"why": repr(fault)})
                misses += 1
                if misses >= MISSES:
                    return WEDGED
                continue
            misses = 0
            if trouble:
                return trouble
            awake = bool(self._awake())
            verdict = ears.look(loop.time(), incoming(), counters, can_ask=awake)
            if verdict is Verdict.ASK:
                verdict = Verdict.HEARS if await self._anybody() else Verdict.DEAF
            if verdict is Verdict.DEAF and self._ladder.may_doubt(loop.time()):
                return DEAF

    def _awake(self) -> list[Known]:
        awake = [one for one in self._known.values() if not one.sleepy and not one.facts.left]
        return sorted(awake, key=lambda one: one.seen_at, reverse=True)[:ASKED_MOST]

    async def _anybody(self) -> bool:
        """Whether something comes in when those that are always awake are asked, twice."""
        before = self._incoming()
        for _ in range(MISSES):
            asked = (asyncio.ensure_future(_ask(one.device)) for one in self._awake())
            await asyncio.gather(*asked)
            if self._incoming() != before:
                return True
            await asyncio.sleep(ASK_AGAIN_S)
        return False


async def _ask(device: Any) -> None:
    """For its node descriptor, which every device has; the answer is heard as it comes in."""
    try:
        async with asyncio.timeout(ANSWER_S):
            await device.zdo.Node_Desc_req(device.nwk)
    except FAILURES as fault:
        log.debug("no answer", extra={"device": str(device.ieee), "why": repr(fault)})
