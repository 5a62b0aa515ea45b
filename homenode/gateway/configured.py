"""A signed configuration takes the place of the present one, or is refused with its reasons."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from homenode import records
from homenode.delivery import NodeFault
from homenode.errors import HomenodeError, Refused
from homenode.gateway.outcomes import CONFIGURATION

if TYPE_CHECKING:
    from homenode.configure.kept import Running
    from homenode.configure.taking import Offer
    from homenode.configure.trial import Trial
    from homenode.contract.command import Command
    from homenode.gateway.node import Node

log = logging.getLogger("homenode.config")

TRIAL = "configured.trial"
"""In the node's data (`homenode.configure.trial`)."""


class Configured:
    """Works for one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._trying: asyncio.Task[None] | None = None
        self._new: Trial | None = None  # what is on trial; the journal has who signed it

    def start(self) -> None:
        """What is on trial goes on; that something was taken back is told."""
        if (self._node.data / TRIAL).exists():
            self._trying = self._node.start_apart("trial", self._go_on())

    async def _go_on(self) -> None:
        from homenode.configure import place, trial

        new = trial.read(self._node.data)
        if new is None:
            return
        if new.back is not None and place.present(self._node.home.path.parent) == new.before:
            await self._tell(new, new.back)
            return
        async with self._node.crew.changing:
            await self._record(new)
        await self._try(new)

    async def _record(self, new: Trial) -> None:
        """Have the journal know who signed what is on trial, if it may not know."""
        if new.record is not None and not new.recorded:
            self._node.journal.append(dict(new.record), klass="system")
        await self._noted(new)

    async def _noted(self, new: Trial) -> None:
        """Once the journal has it, the trial may end."""
        from homenode.configure import trial

        node = self._node
        if new.record is not None and not new.recorded:
            if not await node.outcomes.written():
                return
            known, apart = replace(new, recorded=True), asyncio.get_running_loop().run_in_executor
            try:
                await apart(None, trial.write, node.data, known)
            except OSError as error:
                log.warning("the trial of a configuration can't be noted", extra={"why": str(error)})
                return
        self._new = new

    async def _try(self, new: Trial) -> None:
        """A node that lives for a while with a new configuration keeps it, once another broker is reached."""
        from homenode.configure.trial import PROVED_S, REACHED_S

        proved, left = not new.reach, round(REACHED_S / PROVED_S)
        while proved or left:
            await asyncio.sleep(PROVED_S)
            left, proved = left - 1, proved or self._node.uplink.reached
            if proved and self._new is None:  # a slow card
                async with self._node.crew.changing:
                    await self._noted(new)
            if proved and self._new is not None:
                self._passed()
                return
        while not await self._back(new):  # noqa: ASYNC110 - no disk tells that it has room
            await asyncio.sleep(PROVED_S)

    async def _back(self, new: Trial) -> bool:
        """The broker that it names was not reached: the one before runs again, if the disk takes that."""
        from homenode.configure import place, trial

        node, beside, why = self._node, self._node.home.path.parent, trial.not_reached(new)
        async with node.crew.changing:
            if node.uplink.reached or place.present(beside) != new.now:  # somebody put another one there
                self._passed()
                return True
            self._new = None
            apart = asyncio.get_running_loop().run_in_executor
            try:
                await apart(None, trial.go_back, node.data, beside, new, why)
            except OSError as error:
                log.error("the new configuration can't be taken back yet", extra={"why": str(error)})
                return False
            log.error("the new configuration was taken back", extra={"why": why["en"]})
            await self._as_before()
            await self._tell(new, why)
        return True

    async def _tell(self, new: Trial, why: Mapping[str, str]) -> None:
        """The operator gets to know that it was taken back, and the journal."""
        node = self._node
        if new.record is not None:
            record = records.of_taken_back(new.record, why["en"], node.clock.now())
            node.journal.append(record, klass="system")
        node.outcomes.fault(NodeFault(CONFIGURATION, why, at_once=True))
        if await node.outcomes.written():
            self._passed()

    def stop(self) -> None:
        """It came up, and stayed, or ends in order; with the broker reached, if that is another."""
        new = self._new
        if new is not None and (self._node.uplink.reached or not new.reach):
            self._passed()

    def _passed(self) -> None:
        from homenode.configure import trial

        try:
            trial.passed(self._node.data)
        except OSError as error:
            log.warning("the trial of a configuration can't be ended", extra={"why": str(error)})

    def look(self) -> None:
        """Tell the operator what the node runs on, if that is others than was told; reads some files."""
        from homenode.configure.payload import LINK

        node, shown = self._node, None
        beside = node.home.path.parent
        if (beside / LINK).is_symlink():
            from homenode.configure.kept import running

            try:
                now = running(beside)
                shown = now.shown() if now is not None else None
            except (OSError, ValueError) as error:
                log.warning("what was signed can't be read", extra={"why": str(error)})
        if shown != node.judge.delivery.configuration:
            node.outbox.add(node.judge.delivery.configured(shown, node.clock.now()))
            node.uplink.wake()

    async def take(self, command: Command) -> Mapping[str, Any]:
        """Take what came, and reload; what fails then is taken back.

        Raises:
            Refused: It was not taken; the node runs on what it had.
            SetupError: The node lacks what it takes to look at signatures.
        """
        async with self._node.crew.changing:
            return await self._take(command)

    async def _take(self, command: Command) -> Mapping[str, Any]:
        from homenode.configure import place
        from homenode.configure.kept import remember
        from homenode.configure.taking import Changed

        node = self._node
        apart = asyncio.get_running_loop().run_in_executor
        offer, now = await apart(None, self._offered, command.args["jws"])
        new, beside = offer.configuration, node.home.path.parent
        result: dict[str, Any] = {"number": new.number, "signed": sorted(offer.parties)}
        if now is not None and now.configuration == new and not now.touched:
            return result | {"told": "this node runs on it already"}
        if now is not None and now.touched and "over" not in command.args:
            number = now.configuration.number
            do = 'take that over and sign it, or send it with "over": true (homenode configure send --over)'
            what = f"somebody at the node changed its files since {number}, and this would undo that"
            raise Changed(what, do=do)
        places, reach = await apart(None, self._why_not, offer)
        signed, sender = result["signed"], f"{command.party}: {command.by}"
        record = records.of_configured(new.number, signed, new.by, sender, places, node.clock.now())
        if self._trying is not None:
            self._trying.cancel()  # of the one before
        self._new = None
        trial = await apart(None, self._put, offer, record, reach)
        try:
            told = await node.requests.read_again()
        except Exception as error:
            log.error("the new configuration was taken back", extra={"number": new.number, "why": str(error)})
            await apart(None, place.go_to, beside, trial.before)
            await self._as_before()
            self._passed()
            raise Refused(f"it reads well, and the node can't go over to it: {error}") from error
        try:
            await apart(None, remember, node.data, new)
        except OSError as error:  # its number stands beside it, too
            log.warning("the number can't be kept in the node's data", extra={"why": str(error)})
        await self._record(trial)
        self._trying = node.start_apart("trial", self._try(trial))
        fields = {"number": new.number, "signed": signed, "made_by": new.by, "by": sender}
        log.info("a signed configuration was taken", extra={**fields, "changed": places})
        if now is not None and now.touched:
            kept = f"{place.KEPT}/{trial.before} beside home.yaml"
            told += f"; what somebody had changed at the node is kept in {kept}"
        return result | {"told": told}

    def _offered(self, jws: str) -> tuple[Offer, Running | None]:
        """What came, and what the node runs on."""
        from homenode.configure.kept import follows
        from homenode.configure.payload import HOME_YAML
        from homenode.configure.taking import offered

        node, path = self._node, self._node.home.path
        if path.name != HOME_YAML:
            raise Refused(f"this node runs on {path.name}", do=f"a signed configuration needs {HOME_YAML}")
        offer = offered(jws, path.parent, node.home.home)
        try:
            return offer, follows(node.data, path.parent, offer.configuration)
        except OSError as error:
            raise Refused(f"which number was taken last can't be read: {error}") from error

    def _put(self, offer: Offer, record: Mapping[str, Any], reach: bool) -> Trial:
        """Has it be the one that counts, on trial."""
        from homenode.configure import place
        from homenode.configure.trial import Trial, write

        beside, new = self._node.home.path.parent, offer.configuration
        name = place.name_for(beside, new.number)
        try:
            before = place.adopt(beside)
            assert before is not None, "a node that runs has a home.yaml"
            trial = Trial(before, name, record, reach=reach)
            write(self._node.data, trial)
            place.put(beside, name, new.files, offer.jws)
        except OSError as error:  # the trial stays, for the next start: who knows what a failing disk has
            until = ", until its next start" if place.present(beside) == name else ""
            do = f"the node runs on what it had{until}"
            raise Refused(f"it can't be written: {error}", do=do) from error
        return trial

    def _why_not(self, offer: Offer) -> tuple[list[str], bool]:
        """The places that it changes, and whether to another broker; raises what is wrong with it."""
        from homenode import dropped
        from homenode.config.registry import looked_at_anew
        from homenode.configure.facts import facts
        from homenode.configure.taking import allowed, changed, understood

        node, drivers = self._node, list(dropped.__path__)
        with looked_at_anew(node.types) as types:
            report = understood(offer, node.home.path, types)
        dropped.__path__[:] = drivers  # until the node goes over to it
        found = changed(facts(node.home, tuple(node.judge.rules.values())), report)
        allowed(found, offer.parties, offer.trusted, offer.signers, strange=offer.strange)
        assert report.home is not None
        broker = report.home.broker
        reach = broker is not None and node.home.broker is not None and broker != node.home.broker
        return [one.place for one in found], reach

    async def _as_before(self) -> None:
        try:
            await self._node.requests.read_again()
        except HomenodeError as error:
            log.error("what the node had can't be read again", extra={"why": str(error)})
