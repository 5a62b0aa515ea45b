"""No link: told at home by lamp and voice, as nobody outside can hear it, and as a gap when it is over."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from homenode.delivery import NodeFault
from homenode.errors import Refused
from homenode.link import LinkState
from homenode.reading import Instant
from homenode.speech import Sentence

if TYPE_CHECKING:
    from homenode.gateway.node import Node

SOURCE = "link"
"""Of the fault."""
KEPT = 20
"""Gaps that `homenode status` shows."""
LAMP_AGAIN_S = 10.0
"""Between tries of a lamp that doesn't answer."""

_LOST = {
    "sv": "Larmen når inte fram just nu. Ring om du behöver hjälp.",
    "en": "Alarms do not get through at the moment. Phone if you need help.",
}
_BACK = {"sv": "Larmen når fram igen.", "en": "Alarms get through again."}


class Gap(NamedTuple):
    """A time without link; `until` None while it lasts."""

    since: Instant
    until: Instant | None
    why: str


class Outage:
    """Works for one node.

    Attributes:
        gaps: The last ones since the start, the newest last.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.gaps: deque[Gap] = deque(maxlen=KEPT)
        self._online: bool | None = None
        self._due: asyncio.TimerHandle | None = None
        self._lamp: asyncio.Task[None] | None = None
        self._said = False

    def changed(self, state: LinkState) -> None:
        """The link came or went, or the reason why there is none changed."""
        before, self._online = self._online, state.online
        now = self._node.clock.now()
        if state.online:
            if self.gaps and self.gaps[-1].until is None:
                self.gaps[-1] = self.gaps[-1]._replace(until=now)
            self._over()
        elif before is not False:
            self.gaps.append(Gap(now, None, state.why))
            self._wait()
        elif self.gaps and state.why:
            self.gaps[-1] = self.gaps[-1]._replace(why=state.why)

    def stop(self) -> None:
        """The link is given up: another broker, or none."""
        self._online = None
        self._stop_waiting()

    def _wait(self) -> None:
        self._stop_waiting()
        broker = self._node.home.broker
        if broker is not None:
            self._due = asyncio.get_running_loop().call_later(broker.lost.after_ms / 1000, self._lost)

    def _stop_waiting(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _lost(self) -> None:
        self._due = None
        node, broker = self._node, self._node.home.broker
        if broker is None or not self.gaps:
            return
        since, _, why = self.gaps[-1]
        clock = node.judge.zone.text(since + node.judge.offset_ms)[11:16]
        text = {
            "sv": f"ingen förbindelse med meddelandekön sedan {clock}: {why}",
            "en": f"no link to the broker since {clock}: {why}",
        }
        node.outcomes.fault(NodeFault(SOURCE, text, at_once=True))
        self._light(broker.lost.lamp, on=True)
        if broker.lost.say and node.actions.voice.is_needed and node.judge.engine.mode != "night":
            self._said = True
            self._say(_LOST)

    def _over(self) -> None:
        self._stop_waiting()
        node, broker = self._node, self._node.home.broker
        if SOURCE in node.judge.troubled:  # perhaps since before a restart
            node.outcomes.well(SOURCE)
            if broker is not None:
                self._light(broker.lost.lamp, on=False)
        if self._said:
            self._said = False
            self._say(_BACK)

    def _say(self, text: dict[str, str]) -> None:
        language = self._node.home.language
        sentence = Sentence(text[language], language, "warning", asyncio.get_running_loop().time())
        self._node.start_apart("say the link", self._heard(sentence))

    async def _heard(self, sentence: Sentence) -> None:
        await self._node.actions.voice.say(sentence)

    def _light(self, point: str, *, on: bool) -> None:
        if self._lamp is not None:
            self._lamp.cancel()
            self._lamp = None
        if point:
            self._lamp = self._node.start_apart("lamp of the link", self._lit(point, on=on))

    async def _lit(self, point: str, *, on: bool) -> None:
        while True:
            try:
                await self._node.actions.switch(point, on)
                return
            except Refused:
                await asyncio.sleep(LAMP_AGAIN_S)
