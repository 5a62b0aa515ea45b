"""Updates, as far as the gateway goes: orders are passed on, what the old version needs is kept, all is told.

The updater (`homenode update`) is a process of its own, and has what is kept here only by ``DIR/update``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homenode.delivery import NodeFault
from homenode.errors import Refused
from homenode.gateway.clock import boot_id
from homenode.update.files import read_json, write_json
from homenode.update.places import ORDER, SHARED, STATE

if TYPE_CHECKING:
    from homenode.contract.command import Command
    from homenode.gateway.node import Node

log = logging.getLogger("homenode.updates")

SOURCE = "update"
"""Of the fault."""
LOOK_S = 2.0
FIRST_WAKE, LAST_WAKE = 30, 43_200
"""So many looks later an order that the updater has not seen wakes it, then twice as many, up to a day."""
_OVER = ("good", "cancelled")
_FAILED = ("failed", "refused")


class NoSlots(Refused):
    """Only the image can update itself."""

    code = "no_slots"


def state_of(data: Path) -> dict[str, Any]:
    """What the updater says; empty where nothing was ever ordered or it can't be read."""
    return _record(data / SHARED / STATE)


def _record(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError):
        return read_json(path) or {}
    return {}


def schema_on_trial(data: Path, newest: int) -> int:
    """In which schema the journal is written: while a version is on trial in that of the one before."""
    told = state_of(data).get("journal")
    return min(told, newest) if isinstance(told, int) and told > 0 else newest


class Updates:
    """Works for one node.

    Attributes:
        shown: What the operator is shown of it; None if nothing was ever ordered.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._folder = node.data / SHARED
        self.shown: Mapping[str, Any] | None = None
        self._seen = (0, 0)
        self._wanted = self._taken = ""
        """Ids: of the newest order, and of that which the updater goes by."""
        self._looks = self._wake_at = 0
        self._orders = asyncio.Lock()

    async def order(self, command: Command) -> dict[str, Any]:
        """Pass the operator's order on to the updater.

        Raises:
            NoSlots: This node can't update itself.
            Refused: The order is none, or can't be kept.
        """
        from homenode.update.order import order_of

        if not self._folder.is_dir():
            do = "install its package anew (deploy/README.md)"
            raise NoSlots("this node has no second slot to update into", do=do)
        node = self._node
        home = node.home
        about: dict[str, Any] = {"id": command.id, "home": home.home, "by": command.by}
        about |= {"timezone": home.timezone, "clock_trusted": home.clock_trusted}
        try:
            order = order_of({**command.args, **about, "at_ms": node.clock.wall()})
        except ValueError as error:
            raise Refused(str(error)) from error
        if order.cancel and state_of(node.data).get("state") == "trying":
            raise Refused("what is on trial can't be cancelled", do="it ends by itself")
        async with self._orders:  # one after the other: the later one stays
            try:
                await self._apart(write_json, self._folder / ORDER, order.record())
            except OSError as error:
                raise Refused(f"the order can't be kept: {error.strerror}") from error
            self._wanted, self._looks, self._wake_at = order.id, 0, FIRST_WAKE
        log.info("ordered", extra={"version": order.version, "cancel": order.cancel, "by": order.by})
        return {"state": "cancelled" if order.cancel else "ordered"}

    async def keep(self) -> str:
        """The machine is about to start the new version: keep beside what this one would need again.

        Raises:
            Refused: The disk doesn't let it.
        """
        from homenode.journal.beside import keep_beside

        self._node.time.remember(anyway=True)
        await self._node.outcomes.safe()
        try:
            await self._apart(keep_beside, self._node.data)
        except (OSError, ValueError) as error:
            raise Refused(f"not kept: {error}") from error
        return "kept"

    async def run(self) -> None:
        """Until cancelled: look whether the updater has something new to say, and has seen what was ordered.

        systemd's path unit passes over an order that is written while the updater ends.
        """
        self._wanted = str(_record(self._folder / ORDER).get("id", ""))
        while self._folder.is_dir():
            self._look()
            if self._wanted not in (self._taken, "") and self._looks >= self._wake_at:
                self._looks, self._wake_at = 0, min(LAST_WAKE, 2 * self._wake_at or FIRST_WAKE)
                with contextlib.suppress(OSError):
                    await self._apart(os.utime, self._folder / ORDER)
            self._looks += 1
            await asyncio.sleep(LOOK_S)

    def _look(self) -> None:
        try:
            about = os.stat(self._folder / STATE)
        except OSError:
            return
        if (seen := (about.st_mtime_ns, about.st_ino)) == self._seen:
            return
        self._seen = seen
        if told := state_of(self._node.data):
            self._taken = str(told.get("id", ""))
            self._tell(told)

    def _tell(self, told: Mapping[str, Any]) -> None:
        node, state, version = self._node, str(told.get("state")), str(told.get("version"))
        if state == "none":
            return
        at_ms, why = told.get("at_ms"), told.get("why") or {}
        shown: dict[str, Any] = {"version": version, "state": state, "slot": str(told.get("slot"))}
        if isinstance(at_ms, int) and at_ms > 0:
            shown["at"] = node.judge.zone.text(at_ms)
        # Merely busy: with what, an alert of care or a look, is not the operator's to know.
        if state != "busy" and all(isinstance(why.get(one), str) and why[one] for one in ("sv", "en")):
            shown["why"] = {one: why[one] for one in ("sv", "en")}
        if isinstance(progress := told.get("progress"), int | float):
            shown["progress"] = progress
        if shown == self.shown:
            return
        self.shown = shown
        if state in _FAILED:
            text = {
                "sv": f"uppdatering till {version} blev inte av: {why.get('sv', state)}",
                "en": f"update to {version} did not succeed: {why.get('en', state)}",
            }
            node.outcomes.fault(NodeFault(SOURCE, text, at_once=True), retell=True)
            node.start_apart("forget what was kept beside", self._forget(all_of_it=False))
        elif state in _OVER:
            node.outcomes.well(SOURCE)
        if state == "good":
            node.start_apart("forget what was kept beside", self._forget())
        node.outbox.add(node.judge.delivery.updated(shown, node.clock.now()))
        node.uplink.wake()

    async def _forget(self, *, all_of_it: bool = True) -> None:
        """Of a failed update the journal: this version has its own. Drivers' files stay for a person."""
        from homenode.journal.beside import forget, forget_journal

        await self._apart(forget if all_of_it else forget_journal, self._node.data)

    async def _apart(self, work: Any, *args: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(None, work, *args)


def keep_at_the_end(data: Path) -> None:
    """The old version ends, and the machine is about to start the new one: what is kept is made anew."""
    told = state_of(data)
    here = boot_id()
    if told.get("state") == "installing" and "journal" in told and here and told.get("boot") == here:
        from homenode.journal.beside import keep_beside

        try:
            keep_beside(data)
        except (OSError, ValueError) as error:
            log.error("not kept beside", extra={"why": str(error)})
