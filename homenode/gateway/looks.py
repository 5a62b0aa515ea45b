"""All looks through this home's cameras: asked of the resident, granted, written down, over."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from homenode import records
from homenode.contract.command import Command
from homenode.errors import NoLook, Refused
from homenode.gateway.look import Look
from homenode.reading import Instant, Reading
from homenode.session import log as looks_log
from homenode.session.decision import Moment, Wish, allowing, holds
from homenode.session.sessions import Session, Sessions, State, Why
from homenode.session.words import ASKS, LOOKS
from homenode.speech import Sentence

if TYPE_CHECKING:
    from homenode.gateway.node import Node

log = logging.getLogger("homenode.looks")

TICK_S = 0.2
"""While there is a session: how late an end by the clock may be."""
AGAIN_S = 1.0
"""Between tries to switch off a light that doesn't answer."""
STOP_S = 1.2
"""The end of a look is waited for so long: of the 2 s that SIGTERM has, and by who asks for its camera."""
SETTLED_MS = 2000
"""What a light says so soon after it was lit may be of before."""


class Looks:
    """Works for one node.

    Attributes:
        log: Who looked.
    """

    def __init__(self, node: Node) -> None:
        self._node, self.log = node, node.recovered.looks
        self._sessions = Sessions()
        self._looks: dict[str, Look] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._clock: asyncio.Task[None] | None = None

    # -- of the node

    def start(self) -> None:
        """What an earlier run left open is ended, and what it left on is switched off."""
        for session, (entry, lit) in tuple(self.log.open.items()):
            if entry["event"] != State.ENDED.value:
                now = self._text(self._now)
                seen = entry["at"] if entry["event"] == State.LIVE.value else None
                self._write(looks_log.restarted(entry, {"at": now, "from": seen, "to": now}), lit)
            self._node.start_apart(f"dark {session}", self._dark(session, lit))

    async def stop(self) -> None:
        """The node stops: so does every session."""
        self._carry_out(self._sessions.end_all(Why.NODE, self._now))
        if self._closing:
            await asyncio.wait(self._closing, timeout=STOP_S)

    def link_lost(self) -> None:
        """Nobody outside could end a session any more."""
        self._carry_out(self._sessions.end_all(Why.LINK, self._now))

    def heard(self, reading: Reading) -> bool:
        """The resident's buttons and the lights; whether a press was an answer, and so none to an alert."""
        home, point = self._node.home, reading.point
        if not home.video:
            return False
        if point == home.resident_stop and reading.value:
            self.stop_looking()
        elif point == home.resident_ok and reading.value and self._asked:
            self.answer(True)
            return True
        elif reading.value is not True:
            for look in tuple(self._looks.values()):
                lit = look.lit if point == look.camera.indicator else None
                if lit is not None and reading.at - lit > SETTLED_MS:
                    self.end(look.session.id, Why.INDICATOR)
        return False

    # -- of the resident

    @property
    def _asked(self) -> bool:
        return any(one.state is State.ASKED for one in self._sessions)

    def answer(self, yes: bool) -> None:
        """Yes or no to whoever asks to look.

        Raises:
            Refused: Nobody does.
        """
        if not self._asked:
            raise Refused("nobody asks to look")
        self._carry_out(self._sessions.answer(yes, self._now))

    def stop_looking(self) -> None:
        """Nobody shall look."""
        self._carry_out(self._sessions.stop(self._now))

    def shown(self) -> Mapping[str, Any]:
        """Who looks or asks to, and the newest of the log."""
        rows = []
        for look in self._looks.values():
            one = look.session
            about = {"session": one.id, "state": one.state.value, "room": look.camera.room}
            when = {"since": self._text(one.since), "until": self._text(one.due)}
            wish = {name: getattr(one.wish, name) for name in ("camera", "view", "party", "by", "reason")}
            rows.append({**about, **wish, **when, "warning": look.warning})
        return {"sessions": rows, "log": list(self.log.last)}

    # -- of a party

    async def command(self, command: Command) -> Mapping[str, Any]:
        """A party asks to look, goes on with it, or ends it.

        Raises:
            NoLook: It may not, or there is nothing to go on with.
        """
        args, party = command.args, command.party
        if "camera" in args:
            wish = Wish(party, command.by, args["reason"], args["camera"], args["view"])
            return await self._begin(wish, args["sdp"])
        session = args["session"]
        if "sdp" in args:
            return await self._again(session, party, args.get("view", ""), args["sdp"])
        if "renew" in args:
            one = self._sessions.renew(session, party, self._now)
            self._looks[session].prolong()
            return {"session": session, "until": self._text(one.due), **_warning(self._looks[session])}
        self._sessions.running(session, party, self._now)
        self.end(session, Why.VIEWER)
        return {"session": session, "entry": self.log.head}

    async def _begin(self, wish: Wish, sdp: str) -> Mapping[str, Any]:
        home, session = self._node.home, secrets.token_hex(8)
        if self._closing and self._sessions.ending(wish.camera):
            await asyncio.wait(self._closing, timeout=STOP_S)
        try:
            decision = allowing(wish, home.cameras, home.video, self._moment())
            moved = self._sessions.request(session, wish, decision, self._now)
        except NoLook as no:
            self._write({**looks_log.refused(wish, no.code, str(no)), "at": self._text(self._now)})
            raise
        camera = home.cameras[wish.camera]
        look = self._looks[session] = Look(self._node, self, moved[0], camera, sdp)
        self._carry_out(moved)
        if self._clock is None or self._clock.done():
            self._clock = self._node.start("looks", self._pass_time())
        return self._told(look, await look.answered())

    async def _again(self, session: str, party: str, view: str, sdp: str) -> Mapping[str, Any]:
        one, another = self._sessions.again(session, party, view, self._now)
        if another:
            self._write({**looks_log.of(one, {"at": self._text(self._now)}), "event": "view"})
        look = self._looks[session]
        return self._told(look, await look.again(sdp))

    def _told(self, look: Look, sdp: str) -> Mapping[str, Any]:
        one = look.session
        until = {"until": self._text(one.due), "limit": self._text(one.limit), **_warning(look)}
        return {"session": one.id, "sdp": sdp, "view": one.wish.view, **until, "entry": self.log.head}

    # -- what a session comes to

    def live(self, session: str) -> None:
        """The first picture was sent."""
        self._carry_out(self._sessions.shown(session, self._now))

    def end(self, session: str, why: Why) -> None:
        """Something ends a session; nothing if it is over."""
        self._carry_out(self._sessions.end(session, why, self._now))

    def _carry_out(self, moved: Sequence[Session]) -> None:
        for one in moved:
            look, now = self._looks[one.id], self._text(self._now)
            said: dict[str, Any] = {"at": now}
            if one.state is State.GRANTED:
                said["limit"] = self._text(one.limit)
            elif one.state is State.ENDED:
                said |= {"from": self._text(one.seen) if one.seen is not None else None, "to": now}
            lit = () if one.state is State.ASKED else look.lights
            self._write(looks_log.of(one, said), lit)
            log.info("look", extra={"session": one.id, "camera": one.wish.camera, "state": one.state.value})
            if one.state is State.ASKED:
                self._say(ASKS, look)
            elif one.state is State.GRANTED:
                look.open()
                if one.decision.announce == "voice":
                    self._say(LOOKS, look)
            elif one.state is State.ENDED:
                task = self._node.start_apart(f"end of look {one.id}", self._close(look))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    async def _close(self, look: Look) -> None:
        """The lamp is off at once; the light that tells of it, when nobody films any more."""
        await asyncio.gather(self._unlit(look), self._untold(look))
        self._is_dark(look.session.id)
        look.dark()
        del self._looks[look.session.id]
        self._sessions.gone(look.session.id)

    async def _unlit(self, look: Look) -> None:
        async with look.lighting:
            await self._off(look.lamp, look.session.id)

    async def _untold(self, look: Look) -> None:
        await look.close()
        await self._off(look.camera.indicator, look.session.id)

    async def _dark(self, session: str, lights: Sequence[str]) -> None:
        await asyncio.gather(*(self._off(point, session) for point in lights))
        self._is_dark(session)

    def _is_dark(self, session: str) -> None:
        self.log.dark(session)
        self._node.journal.append(records.of_dark(session, self._node.clock.now()), klass="system")
        self._node.journal.commit()

    async def _off(self, point: str, session: str) -> None:
        """Until it is, if no other session needs it and the home still has it."""
        while point.partition(".")[0] in self._node.home.devices and not self._needed(point, session):
            if await self._node.actions.turned(point, False):
                return
            await asyncio.sleep(AGAIN_S)

    def _needed(self, point: str, session: str) -> bool:
        others = (look for look in self._looks.values() if look.session.id != session)
        return any(point in look.lights and look.session.state in _LIT for look in others)

    async def _pass_time(self) -> None:
        while self._looks:
            await asyncio.sleep(TICK_S)
            self._carry_out(self._sessions.advance(self._now, self._still_allowed))

    def _still_allowed(self, one: Session) -> bool:
        home, decision = self._node.home, one.decision
        same = home.video.get(decision.id) == decision
        there = home.cameras.get(one.wish.camera) == self._looks[one.id].camera
        return same and there and holds(decision, self._moment())

    # -- clocks, words, the journal

    @property
    def _now(self) -> Instant:
        return self._node.time.instant()

    def _moment(self) -> Moment:
        engine = self._node.judge.engine
        local = engine.wall.local(self._now)
        return Moment(local.date(), local.hour * 60 + local.minute, engine.mode)

    def _text(self, at: Instant) -> str:
        return self._node.judge.zone.text(at + self._node.judge.offset_ms)

    def _say(self, text: Mapping[str, str], look: Look) -> None:
        language = self._node.home.language
        asked_s = asyncio.get_running_loop().time()
        said = text[language].format(room=look.camera.room)
        self._node.start_apart("say the look", self._said(Sentence(said, language, "warning", asked_s)))

    async def _said(self, sentence: Sentence) -> None:
        await self._node.actions.voice.say(sentence)

    def _write(self, said: Mapping[str, Any], lit: Sequence[str] = ()) -> None:
        entry = self.log.add(said, self._now + self._node.judge.offset_ms, lit)
        self._node.journal.append(records.of_look(entry, lit, self._now), klass="alert")
        self._node.journal.commit()
        self._node.watchers.event({"look": entry})


_LIT = (State.GRANTED, State.LIVE)


def _warning(look: Look) -> Mapping[str, Any]:
    """For who looks: what they see may not be so."""
    return {"warning": look.warning} if look.warning else {}
