"""What one look through a camera is made of: the process that films, the lights, the viewer's answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from homenode.config.model import Camera
from homenode.config.rows import LANGUAGES
from homenode.contract.command import LONGEST_TEXT
from homenode.errors import NoLook
from homenode.gateway.capture import Capture
from homenode.gateway.keeper import Keeper
from homenode.gateway.sources import ice_of, source_of
from homenode.reading import Instant
from homenode.session.sessions import Session, State, Why
from homenode.session.words import ENDED

if TYPE_CHECKING:
    from homenode.gateway.looks import Looks
    from homenode.gateway.node import Node

log = logging.getLogger("homenode.looks")

ANSWER_S = 15.0
"""A camera on the network takes seconds to answer."""
_OF_VIEWER = ("viewer", "unreached")
"""Why a capture process ends, where that is the viewer's doing."""


class Look:
    """Works for one session.

    Attributes:
        lit: Since when its light is on; None if it isn't.
        lighting: Held by who switches its lamp.
        warning: What is wrong with the picture, as what films says it in each language; empty if nothing.
    """

    def __init__(self, node: Node, looks: Looks, session: Session, camera: Camera, sdp: str) -> None:
        self._node, self._looks = node, looks
        self.session, self.camera, self._sdp = session, camera, sdp
        self._capture: Capture | None = None
        self._keeper: Keeper | None = None
        self._opening: asyncio.Task[None] | None = None
        self._answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.lit: Instant | None = None
        self.lighting = asyncio.Lock()
        self.warning: Mapping[str, str] = {}

    @property
    def lamp(self) -> str:
        """That it sees by; "" if none, or if it is what tells of it."""
        return "" if self.camera.lamp == self.camera.indicator else self.camera.lamp

    @property
    def lights(self) -> tuple[str, ...]:
        """Points that are lit for it, the one that tells of it first."""
        return tuple(point for point in (self.camera.indicator, self.lamp) if point)

    def open(self) -> None:
        """It is granted: light, then film."""
        self._opening = self._node.start_apart(f"look {self.session.id}", self._open())

    async def answered(self) -> str:
        """What the viewer is answered: SDP.

        Raises:
            NoLook: It ended before, or the capture process refuses the offer.
        """
        return await self._answer

    async def again(self, sdp: str) -> str:
        """The viewer comes back, perhaps for another view. Raises NoLook, as `answered`."""
        if not self._answer.done() or self._capture is None:
            raise NoLook("busy", "the last offer is not yet answered", do="try again")
        self._answer, self._sdp = asyncio.get_running_loop().create_future(), sdp
        await self._begin(self._capture)
        await self._hung()
        return await self._answer

    def prolong(self) -> None:
        """The viewer is still there."""
        if self._capture is not None:
            self._capture.say(do="renew", until_ms=self._node.clock.boot_ms(self.session.due))

    async def close(self) -> None:
        """It is over. Returns when nobody films any more."""
        why = self.session.why or Why.NODE
        self._fail(NoLook(why.value, ENDED[why]))
        endings = [] if self._capture is None else [self._capture.end()]
        opening = [] if self._opening is None else [self._opening]
        await asyncio.gather(*endings, *opening)

    def dark(self) -> None:
        """Its lights are off, or another session's."""
        if self._keeper is not None:
            self._keeper.dark()

    def _fail(self, error: NoLook) -> None:
        if not self._answer.done():
            self._answer.set_exception(error)

    async def _open(self) -> None:
        """The process starts while the log is written and the light comes on; then it is told to film."""
        try:
            self._capture = capture = await Capture.start()
            self._keeper = await Keeper.start(self._node.crew.posts.values(), self.lights)
        except OSError as error:
            log.error("no process for a look", extra={"why": str(error)})
            self._looks.end(self.session.id, Why.CAPTURE)
            return
        if not self._goes_on:  # it was not there to be ended
            await capture.end()
            return
        if not await self._node.outcomes.written():
            self._looks.end(self.session.id, Why.STORAGE)
            return
        if not await self._node.actions.turned(self.camera.indicator, True):
            self._looks.end(self.session.id, Why.INDICATOR)
            return
        self.lit = self._node.clock.now()
        async with self.lighting:
            if self.lamp and self._goes_on:
                await self._node.actions.turned(self.lamp, True)
        if not self._goes_on:
            return
        self._node.start_apart(f"listen to {self.session.id}", self._listen(capture))
        try:
            await self._begin(capture)
        except NoLook as no:
            self._fail(no)
            self._looks.end(self.session.id, Why.CAPTURE)
            return
        await self._hung()

    async def _hung(self) -> None:
        """Until the offer is answered; what films and doesn't answer is ended."""
        await asyncio.wait([self._answer], timeout=ANSWER_S)
        if not self._answer.done():
            self._looks.end(self.session.id, Why.CAPTURE)

    @property
    def _goes_on(self) -> bool:
        return self.session.state is not State.ENDED

    async def _begin(self, capture: Capture) -> None:
        home, camera = self._node.home, self.camera
        source = await asyncio.to_thread(source_of, camera)
        ice = await asyncio.to_thread(ice_of, home.ice)
        capture.say(
            do="start",
            session=self.session.id,
            source=source,
            view=self.session.wish.view,
            masks=camera.masks,
            enhance=camera.enhance,
            sdp=self._sdp,
            ice=ice,
            until_ms=self._node.clock.boot_ms(self.session.due),
            timezone=home.timezone,
        )

    async def _listen(self, capture: Capture) -> None:
        why = Why.CAPTURE
        while (said := await capture.heard()) is not None:
            if said.get("did") == "ended":
                if said.get("why") in _OF_VIEWER:
                    why = Why.VIEWER
                elif said.get("why") == "until":
                    why = self.session.over_time
                self._fail(NoLook(*_code_and_text(said, "why")))
                break
            self._hear(said)
        self._looks.end(self.session.id, why)

    def _hear(self, said: Mapping[str, Any]) -> None:
        answer = said.get("sdp")
        if isinstance(answer, str) and not self._answer.done():
            self._answer.set_result(answer)
        elif "error" in said:
            self._fail(NoLook(*_code_and_text(said, "error")))
        elif said.get("did") == "live":
            self._looks.live(self.session.id)
        elif "warn" in said:
            self.warning = _texts(said)
            log.info("picture", extra={"session": self.session.id, "warning": said["warn"]})


def _texts(said: Mapping[str, Any]) -> Mapping[str, str]:
    text = said.get("text")
    told = text if said["warn"] and isinstance(text, dict) else {}
    return {one: str(told[one])[:LONGEST_TEXT] for one in LANGUAGES if told.get(one)}


def _code_and_text(said: Mapping[str, Any], name: str) -> tuple[str, str]:
    code, text = said.get(name), said.get("text")
    told = text.get("en") if isinstance(text, dict) else None
    return (code if isinstance(code, str) else "capture"), str(told or ENDED[Why.CAPTURE])
