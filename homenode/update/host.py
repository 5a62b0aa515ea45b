"""The machine that is updated: its clock, its start, its restart."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from homenode import __version__
from homenode.gateway.clock import Clock
from homenode.release import image_version
from homenode.update import versions


class Host:
    """This one.

    Args:
        restart: The file by which systemd is asked to restart it (deploy/homenode-restart.path).
    """

    def __init__(self, restart: Path) -> None:
        self._clock, self._restart = Clock(), restart

    @property
    def version(self) -> str:
        """Of the image that runs; of homenode where it is none, or says what is no version."""
        with contextlib.suppress(ValueError):
            versions.key(image := image_version())
            return image
        return __version__

    @property
    def boot(self) -> str:
        """Which start of the machine this is."""
        return str((self._clock.boot() or [""])[0])

    def up_ms(self) -> int:
        """Since the machine started."""
        return self._clock.boot_ms(self._clock.now())

    def wall_ms(self, *, anyway: bool = False) -> int | None:
        """The wall clock; None while it can't be trusted, unless it is to be believed `anyway`."""
        return self._clock.wall() if anyway else self._clock.trusted_wall()

    def minute(self, now_ms: int | None, timezone: str) -> int | None:
        """Of the local day."""
        if now_ms is None:
            return None
        try:
            zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError):
            zone = ZoneInfo("UTC")
        local = datetime.fromtimestamp(now_ms / 1000, zone)
        return local.hour * 60 + local.minute

    def sleep(self, wait_ms: int) -> None:
        """Let so much time pass."""
        time.sleep(wait_ms / 1000)

    def restart(self) -> None:
        """Ask for a restart; it comes within seconds, by SIGTERM. Raises OSError."""
        self._restart.touch()
