"""What the node does at home when an alert says so: speak, and switch outputs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from homenode import records
from homenode.delivery import Action, NodeFault, Say, Switch
from homenode.errors import Refused
from homenode.gateway.voice import Voice
from homenode.speech import Sentence, language_of

if TYPE_CHECKING:
    from homenode.gateway.node import Node

log = logging.getLogger("homenode.actions")

RETRY_S, TRIES = 2.0, 60
"""A stick that was lost is back within 10 s; after two minutes somebody has been told for long."""


class Actions:
    """Does actions, each in a task of its own, and writes down that it was done.

    Attributes:
        unfinished: What was decided and is not done.
        voice: Speaks.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.voice = Voice(node)
        self.unfinished: list[Action] = []
        self._wanted: dict[str, Switch] = {}

    def expect(self, actions: Sequence[Action]) -> None:
        """These were decided: `do` follows for each, at the next start if the node dies before."""
        self.unfinished += actions

    def do(self, action: Action) -> None:
        """Begin; never blocks."""
        self._node.start_apart(f"action {action.alert} {action.step}", self._do(action))

    async def _do(self, action: Action) -> None:
        node = self._node
        try:
            if isinstance(action, Say):
                await self._say(action)
            elif isinstance(action, Switch):
                await self._switch(action)
            else:
                node.watchers.event({"offer_video": action.camera, "alert": action.alert})
            done = records.of_done(action.alert, action.step, action.run, node.clock.now())
            node.journal.append(done, klass="alert")
            node.journal.flush()  # what was heard at home, kill -9 can't take back
        finally:
            self.unfinished.remove(action)

    async def _say(self, action: Say) -> None:
        """Until it was heard, or is no longer worth hearing."""
        node = self._node
        language = language_of(action.text, node.home.language)
        text = action.text[language]
        node.watchers.event({"say": text, "alert": action.alert})
        rule = node.judge.rules.get(action.rule)
        at_resolve = rule is not None and any(
            step.number == action.step and step.after_ms is None for step in rule.steps
        )
        sentence = Sentence(
            text,
            language,
            severity=rule.severity if rule is not None else "warning",
            asked_s=asyncio.get_running_loop().time(),
            rule=action.rule,
            alert=action.alert,
            step=action.step,
            while_open=not at_resolve and self.is_open(action.alert),
        )
        await self.voice.say(sentence)

    async def _switch(self, action: Switch) -> None:
        """Until it is done, or no longer wanted: the alert is over, or the output is to be otherwise."""
        self._wanted[action.point] = action
        for_open = self.is_open(action.alert)  # not so for a step at the resolve
        for _ in range(TRIES):
            if await self.turned(action.point, action.to):
                return
            await asyncio.sleep(RETRY_S)
            if self._wanted.get(action.point) is not action:
                return
            if for_open and not self.is_open(action.alert):
                self._node.outcomes.well(f"{action.point} switches")
                return

    def is_open(self, alert: str) -> bool:
        """Whether that alert is."""
        return any(one.alert == alert for one in self._node.judge.engine.open_alerts())

    async def turned(self, point: str, to: bool) -> bool:
        """Try once; a failure is a fault until it is done."""
        source = f"{point} switches"
        try:
            await self._turn(point, to)
        except Refused as refused:
            word = "on" if to else "off"
            text = {
                "sv": f"{point} kunde inte ställas om: {refused}",
                "en": f"{point} could not be switched {word}: {refused}",
            }
            self._node.outcomes.fault(NodeFault(source, text, (point.partition(".")[0],), at_once=True))
            return False
        self._node.outcomes.well(source)
        return True

    async def switch(self, point: str, to: bool) -> None:
        """Turn an output on or off.

        Raises:
            Refused: There is no such output, or it doesn't answer.
        """
        if any(point in (camera.lamp, camera.indicator) for camera in self._node.home.cameras.values()):
            raise Refused(f"{point} belongs to a camera: it is on while somebody looks, and only then")
        self._wanted.pop(point, None)
        await self._turn(point, to)
        self._node.outcomes.well(f"{point} switches")

    async def _turn(self, point: str, to: bool) -> None:
        name, _, kind = point.partition(".")
        device = self._node.home.devices.get(name)
        if device is None:
            raise Refused(f"there is no device {name} in home.yaml")
        if not kind:
            raise Refused(f"{name} is a device, not a point", do=f"name which: {name}.switch, {name}.light …")
        driver = self._node.crew.drivers.get(device.via or device.driver)
        if driver is None:
            raise Refused(f"the driver of {name} is not running")
        log.info("switch", extra={"point": point, "to": to})
        await driver.ask(lambda running: running.switch(name, kind, to))
        self._node.watchers.event({"switch": point, "to": to})
