"""Keeps a backup of the network each night, and when devices have come or gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

from drivers.zigbee.backup import keep, newest, until_night_s
from drivers.zigbee.carried import carried, with_devices
from homenode.driver import Host

log = logging.getLogger("homenode.zigbee")

SETTLED_S = 30.0
"""Devices are paired one after the other: one backup for all of them."""
FIRST_S = 10.0
"""A network that was never kept is kept soon: its stick may be the one that breaks."""


class Keeper:
    """Listens to zigpy's application.

    Args:
        folder: Of the radio.
        facts: File of what it knows of devices.
    """

    def __init__(self, app: Any, name: str, folder: Path, facts: Path, host: Host) -> None:
        self._app, self._name, self._folder, self._facts, self._host = app, name, folder, facts, host
        self._changed = asyncio.Event()

    def device_initialized(self, device: Any) -> None:
        """One has joined."""
        self._changed.set()

    def device_left(self, device: Any) -> None:
        """One has left."""
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        self._app.add_listener(self)
        wait_s = FIRST_S if newest(self._folder) is None else self._until_night_s()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
                    await asyncio.sleep(SETTLED_S)
            self._changed.clear()
            await self.keep()
            wait_s = self._until_night_s()

    async def keep(self) -> None:
        """Now."""
        try:
            if (
                not await self._app.runs()
            ):  # reading it would start it, and nobody would know that it was gone
                return
            backup = await self._app.backups.create_backup(load_devices=True)
            said = carried(self._app.devices.values(), self._facts)
            file = await asyncio.to_thread(keep, with_devices(backup, said), self._folder)
        except Exception as fault:  # noqa: BLE001 - tried again tomorrow; a lost stick is seen by the watch
            log.warning("network not backed up", extra={"radio": self._name, "why": repr(fault)})
        else:
            log.info("network backed up", extra={"radio": self._name, "file": str(file)})

    def _until_night_s(self) -> float:
        return until_night_s(self._host.now() - self._host.wall_to_instant(0))
