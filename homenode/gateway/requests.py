"""Requests to the running node: commands of the parties over MQTT, and of a person at the node."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from homenode import records
from homenode.config.durations import words
from homenode.config.rows import LANGUAGES
from homenode.contract import reply, topics
from homenode.contract.command import Command, Refusal, parse_command
from homenode.driver import Dismisses, Driver
from homenode.engine.events import ModeSet
from homenode.errors import HomenodeError, Refused
from homenode.gateway.asked import asked
from homenode.gateway.hearing import faults_of
from homenode.gateway.logbook import of_error
from homenode.gateway.outcomes import CONFIGURATION
from homenode.gateway.panel import answer_alerts, shown
from homenode.gateway.proof import proof
from homenode.gateway.refusals import BROKER, Refusals
from homenode.gateway.reports import BUNDLE, Reports, span_ms
from homenode.gateway.roster import posts
from homenode.gateway.status import missing, status
from homenode.kinds import kind_of
from homenode.message import Class, Message
from homenode.speech import Sentence

if TYPE_CHECKING:
    from homenode.gateway.node import Node

log = logging.getLogger("homenode.requests")

_TRUE_WORDS = {"on": True, "open": True, "locked": True, "off": False, "closed": False, "unlocked": False}
MOST_UNDER_WAY = 50
"""Commands of one party that wait for a driver at the same time; a home has fewer outputs."""
LONGEST_PAIRING_S = 600.0
"""A network that stays open takes in the neighbours' devices."""


def _meant(point: str, word: str) -> bool:
    """What a word says of an output: a siren is on or off, and not locked."""
    kind = kind_of(point)
    words = [kind.true_word, kind.false_word] if kind is not None else []
    if not _TRUE_WORDS.keys() >= set(words) or not words:
        words = list(_TRUE_WORDS)  # no output: its driver says so
    if word not in words:
        raise Refused(f"{point} to {word}", do=f"accepted: {', '.join(words)}")
    return _TRUE_WORDS[word]


def _yes(word: str) -> bool:
    if word not in ("yes", "no"):
        raise Refused(f"{word} is no answer", do="yes or no")
    return word == "yes"


class Requests:
    """Answers requests, one at a time for each that changes something."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.answered = node.recovered.answered
        self._under_way: dict[tuple[str, str], int] = {}  # party and id, to how often it was asked
        self.refusals = Refusals()
        self.reports = Reports(node)

    # -- commands of the parties

    def command(self, party: str, payload: bytes, retained: bool) -> None:
        """A message on a party's command topic; the reply goes out on the same branch."""
        node = self._node
        wall = node.clock.wall()
        parsed = parse_command(payload, party, wall if node.clock.trusted() else None, retained=retained)
        if isinstance(parsed, Refusal):
            self._refused(party, parsed)
            if parsed.id:
                self._reply(party, reply.refused(parsed))
            return
        known = self.answered.answer_to(parsed)
        if known is not None:
            self._reply(party, known)
        elif (party, parsed.id) in self._under_way:
            self._under_way[party, parsed.id] += 1
        elif sum(one == party for one, _ in self._under_way) >= MOST_UNDER_WAY:
            text = f"{MOST_UNDER_WAY} commands of {party} are under way; ask again when they are answered"
            busy = Refusal(parsed.id, "busy", text)
            self._refused(party, busy)
            self._reply(party, reply.refused(busy))
        else:
            self._under_way[party, parsed.id] = 1
            node.start_apart(f"command {parsed.id}", self._do(parsed))

    def _refused(self, party: str, refusal: Refusal) -> None:
        """Count it; in the log, and in the party's status, once a minute."""
        node = self._node
        told = self.refusals.count(party, node.clock.now())
        if told is not None:
            fields = {"party": party, "code": refusal.code, "why": refusal.text, "unsaid": told}
            log.warning("command refused", extra=fields)
            counted = self.refusals.counted[party]
            node.outbox.add(node.judge.delivery.refused(party, counted, node.clock.now()))
            node.uplink.wake()

    def unasked(self, topic: str) -> None:
        """The broker sent what nobody here subscribed to."""
        told = self.refusals.count(BROKER, self._node.clock.now())
        if told is not None:
            log.warning("the broker sends what nobody asked for", extra={"topic": topic, "unsaid": told})

    async def _do(self, command: Command) -> None:
        try:
            result = await self._result(command)
            answer = kept = reply.done(command.id, result)
            if BUNDLE in result:  # asked again, it is not there: the journal is no place for it
                kept = reply.done(command.id, {name: one for name, one in result.items() if name != BUNDLE})
            now = self._node.clock.now()
            self._node.journal.append(records.of_answer(command, kept, now), klass="system")
            await self._node.outcomes.safe()
        except HomenodeError as error:
            code, mistakes = getattr(error, "code", Refused.code), getattr(error, "mistakes", ())
            refusal = Refusal(command.id, code, str(error), tuple(map(str, mistakes)))
            self._refused(command.party, refusal)
            answer = kept = reply.refused(refusal)
        except Exception as fault:
            log.error("command failed", extra={"do": command.do, "why": repr(fault), **of_error(fault)})
            log.debug("command failed", exc_info=True)
            answer = kept = reply.refused(
                Refusal(command.id, "failed", "a mistake in homenode itself; its log says more")
            )
        finally:
            asked = self._under_way.pop((command.party, command.id))
        self.answered.remember(command, kept, self._node.clock.wall())
        for _ in range(asked):
            self._reply(command.party, answer)

    async def _result(self, command: Command) -> Mapping[str, Any]:
        args = command.args
        match command.do:
            case "acknowledge":
                self.acknowledge(command.party, args["alert"], command.by)
            case "mode":
                longest_ms = span_ms(args["for"]) if "for" in args else None
                self.mode(args["mode"], longest_ms)
            case "switch":
                await self._node.actions.switch(args["point"], args["to"])
            case "pair":
                span_s = span_ms(args.get("for", "2min")) / 1000
                await self.pair(span_s, args.get("radio", ""))
            case "video":
                return await self._node.looks.command(command)
            case "configure":
                return await self._node.configured.take(command)
            case "report":
                return await self.reports.answer(command.party, args)
            case "update":
                return await self._node.updates.order(command)
            case _:
                raise Refused(f"this node has nothing to {command.do}")
        return {}

    def _reply(self, party: str, answer: bytes) -> None:
        node = self._node
        topic = topics.reply(node.home.home, party)
        node.outbox.add(Message("", party, topic, answer, Class.REPLY, node.clock.now()))
        node.uplink.wake()

    # -- what can be done

    def acknowledge(self, party: str, alert: str, by: str) -> None:
        """Somebody takes care of an alert or a fault.

        Raises:
            Refused: No such open alert was sent to that party.
        """
        node, asked = self._node, alert
        alert = next(
            (a.alert for a in node.judge.engine.open_alerts() if a.rule == alert and not a.fault), alert
        )
        if not node.judge.delivery.may_acknowledge(party, alert):
            # In the words of who asked: the id of a rule's alert would tell that, and since when, it is open.
            raise Refused(f"no open alert {asked!r} was sent to {party}")
        node.outcomes.carry_out(node.judge.acknowledge(party, alert, by, node.time.instant()))

    def mode(self, mode: str, longest_ms: int | None = None) -> None:
        """Set the mode of the home, for its longest if nothing is said.

        Raises:
            Refused: There is no such mode, or it may not be for so long.
        """
        node = self._node
        if mode != "home" and mode not in node.home.modes:
            raise Refused(
                f"there is no mode {mode}; there are {', '.join(dict.fromkeys(('home', *node.home.modes)))}"
            )
        most_ms = node.home.modes[mode].longest_ms if mode in node.home.modes else None
        if longest_ms is not None and most_ms is not None and longest_ms > most_ms:
            raise Refused(f"mode {mode} for {words(longest_ms)}", do=f"at most {words(most_ms)}")
        event = ModeSet(mode, node.time.instant() + 1, longest_ms)
        node.journal.append(records.of_event(event), klass="system")
        node.judge.feed(event)
        node.journal.commit()
        node.time.arm()

    async def pair(self, seconds: float, radio: str = "", code: str = "", address: str = "") -> str:
        """Open a radio for new devices, or for the one with this install code.

        Raises:
            Refused: No radio, several and none named, or it can't.
        """
        node = self._node
        if not 0 <= seconds <= LONGEST_PAIRING_S:
            raise Refused(
                f"pairing for {seconds:.0f} s", do=f"at most {LONGEST_PAIRING_S / 60:.0f} min at a time"
            )
        able = [name for name in node.home.radios if name in node.crew.drivers]
        if radio and radio not in able:
            raise Refused(f"there is no radio {radio}", do=f"radios here: {', '.join(able) or 'none'}")
        if not radio and len(able) > 1:
            radio = self._only_zigbee(able)
        if not able:
            raise Refused("home.yaml has no radio to pair with")
        name = radio or able[0]
        only = {"install_code": code, "address": address} if code else {}
        await node.crew.drivers[name].pair(seconds, only)
        if not seconds:
            return f"{name}: closed"
        if only:
            who = "the device with this install code may join"
            return f"{name}: {who} for {seconds:.0f} s, and no other (homenode devices tells whether it did)"
        return f"{name}: new devices may join for {seconds:.0f} s (homenode devices lists what did)"

    async def dismiss(self, address: str) -> str:
        """Send a device away that joined and isn't this home's.

        Raises:
            Refused: It has a name here, never joined, or can't be sent away.
        """
        node, joined = self._node, self._node.joined.get(address)
        if joined is None:
            raise Refused(f"no device {address} has joined", do="homenode devices lists those that did")
        if joined.name in node.home.devices:
            raise Refused(f"{address} is {joined.name} of home.yaml", do="take it out there, and reload")

        async def away(running: Driver) -> None:
            if not isinstance(running, Dismisses):
                raise Refused("its driver can't send devices away", do="reset it by its own button")
            await running.dismiss(address)

        for name in node.home.radios:
            if name in node.crew.drivers:
                await node.crew.drivers[name].ask(away)
        node.joined.pop(address, None)
        node.watchers.event({"left": address})
        return f"{address} was sent away"

    def _only_zigbee(self, able: Sequence[str]) -> str:
        zigbee = [name for name in able if self._node.home.radios[name].driver == "zigbee"]
        if len(zigbee) != 1:
            raise Refused("there are several radios", do=f"name one with --radio: {', '.join(able)}")
        return zigbee[0]

    async def reload(self) -> str:
        """Read home.yaml again; a bad one is refused and the node keeps running on the good one.

        Raises:
            FileMistakes: All that is wrong in it.
            Refused: It describes another home, or the node is stopping.
        """
        async with self._node.crew.changing:
            return await self.read_again()

    async def read_again(self) -> str:
        """As `reload`, for who changes nothing else meanwhile (`Crew.changing`). Raises as it does."""
        from homenode.config.registry import looked_at_anew
        from homenode.gateway.load import keep, load

        node = self._node
        apart = asyncio.get_running_loop().run_in_executor
        with looked_at_anew(node.types) as types:
            loaded = await apart(None, load, node.home.path, types)
            home, rules = loaded.home, loaded.rules
            if home.home != node.home.home:
                raise Refused(f"home.yaml now describes {home.home}", do="restart the node for another home")
            if node.stopping.is_set():
                raise Refused("the node is stopping", do="what home.yaml says counts from the next start")
            before, wanted = set(node.crew.posts), posts(home, types)
        node.types = types
        link = node.uplink.link
        down = link is not None and not link.state.online  # perhaps a password or certificate came
        new_broker = down or home.broker != node.home.broker
        new_trust = home.clock_trusted != node.home.clock_trusted
        inboxes = await node.crew.hand_over(wanted)
        gone = before - node.crew.posts.keys()
        for name, inbox in inboxes.items():
            node.hearing.exchange(name, inbox)
        for source in (source for name in gone if name not in wanted for source in faults_of(name)):
            node.outcomes.well(source)
        node.apply(home, rules)
        node.files = loaded.files
        node.outcomes.well(CONFIGURATION)
        node.crew.start({name: post for name, post in wanted.items() if name not in node.crew.posts})
        if new_broker:
            await node.uplink.stop()
            node.uplink.start()
        await apart(None, keep, node.data, loaded, node.clock.trusted_wall())
        node.configured.look()
        log.info("reloaded", extra={"devices": len(home.devices), "rules": len(rules), "drivers": len(gone)})
        told = f"reloaded: devices {len(home.devices)}, rules {len(rules)}, drivers started anew {len(gone)}"
        told = "\n".join([told, *missing(node)])
        return told + ("; clock: counts from the next start" if new_trust else "")

    async def say(self, text: str, language: str) -> str:
        """Say something at home, to hear whether the loudspeaker works.

        Raises:
            Refused: Nobody could hear it, or there are no words or no such language.
        """
        if language not in LANGUAGES:
            raise Refused(f"there is no language {language}", do=f"languages: {', '.join(LANGUAGES)}")
        if not text.strip():
            raise Refused("there is nothing to say")
        now_s = asyncio.get_running_loop().time()
        why = await self._node.actions.voice.say(Sentence(text, language, "info", now_s))
        if why:
            raise Refused(f"not heard: {why}")
        return "said"

    # -- the local socket

    async def answer(self, request: Mapping[str, Any]) -> Any:
        """A person at the node, or a program of the same user.

        Raises:
            Refused: It isn't known, lacks a field, or can't be done.
        """
        node, wish = self._node, asked(request)
        match wish["do"]:
            case "status":
                return status(node)
            case "devices":
                return [{**asdict(one), "radio": node.radio_of[one.address]} for one in node.joined.values()]
            case "pair":
                code, address = wish.get("install_code", ""), wish.get("ieee", "")
                return await self.pair(float(wish["for_s"]), wish.get("radio", ""), code, address)
            case "dismiss":
                return await self.dismiss(wish["address"])
            case "reload":
                return await self.reload()
            case "ack":
                self.acknowledge(wish["party"], wish["alert"], wish.get("by", "at the node"))
                await node.outcomes.safe()
                return "acknowledged"
            case "mode":
                self.mode(wish["mode"])
                await node.outcomes.safe()
                return f"mode {wish['mode']}"
            case "speed":
                node.clock.set_speed(float(wish["speed"]))
                node.time.arm(anew=True)
                return f"the clock runs {wish['speed']} times as fast"
            case "panel":
                return shown(node)
            case "ok":
                answer_alerts(node, wish["seen"])
                await node.outcomes.safe()
                return "answered"
            case "looks":
                return node.looks.shown()
            case "answer_look":
                node.looks.answer(yes := _yes(wish["to"]))
                await node.outcomes.safe()
                return "they may look" if yes else "they may not look"
            case "stop_looks":
                node.looks.stop_looking()
                await node.outcomes.safe()
                return "nobody looks"
            case "proof":
                return proof(node)
            case "keep":
                return await node.updates.keep()
            case "say":
                return await self.say(wish["text"], wish.get("language", node.home.language))
            case _:
                await node.actions.switch(wish["point"], _meant(wish["point"], wish["to"]))
                return f"{wish['point']} {wish['to']}"
