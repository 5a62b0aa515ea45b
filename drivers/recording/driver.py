"""The tape: waits for each line's turn on the node's clock, tells it, and counts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from homenode.config.model import Device
from homenode.driver import Host
from homenode.errors import FileMistakes, Refused, SetupError
from homenode.reading import Instant
from homenode.recordings import Recorded, Recording

log = logging.getLogger("homenode.recording")

WAITING_MOST = 800
"""Readings the gateway hasn't taken yet at which the tape stops; `Host.waiting` wants fewer than 1,000."""
AT_A_TIME = 50
"""Lines after which the loop gets a turn."""
SLACK_MS = 3_600_000
"""How far out of order a line may stand at the end of the part that is played."""
LONGEST_SLEEP_S = 0.5
"""So that a node clock that runs faster than thought is noticed."""


@dataclass(slots=True)
class _Track:
    """What one sensor of the recording feeds.

    Attributes:
        points: (device, kind) of each device that names this sensor.
        newest_ms: Recorded time of its newest line, and the instant at which that was told.
    """

    points: list[tuple[str, str]] = field(default_factory=list)
    newest_ms: int | None = None
    told_at: Instant = 0


class RecordingDriver:
    """Plays one file into the devices that name one of its sensors."""

    def __init__(self, name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> None:
        self._name, self._host = name, host
        try:
            zone = ZoneInfo(str(options.get("timezone") or "UTC"))
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise SetupError(
                f"{options['timezone']!r} is no time zone",
                where=f"radios.{name}.timezone",
                do="such as Europe/Oslo",
            ) from error
        self._recording = Recording(Path(options["file"]), zone)
        begin = options.get("from")
        self._from_ms = None if begin is None else int(begin.replace(tzinfo=zone).timestamp() * 1000)
        self._for_ms: int | None = options.get("for")
        self._speed = float(options.get("speed") or 1)
        self._fast = options.get("pace") == "fast"
        self._tracks: dict[str, _Track] = {}
        for device in devices:
            track = self._tracks.setdefault(str(device.options["sensor"]), _Track())
            track.points.append((device.name, str(device.options["kind"])))
        self.played = self.skipped = 0
        self._unknown: set[str] = set()

    async def run(self) -> None:
        """See `Driver.run`; returns at the end of the tape."""
        try:
            await self._play()
        except FileMistakes as error:
            raise SetupError(str(error), do="see homenode/recordings for the formats") from error
        finally:
            self._sum_up()

    async def switch(self, device: str, kind: str, to: bool) -> None:
        """See `Driver.switch`."""
        raise Refused("is a recording and can't be switched", where=f"{device}.{kind}")

    async def pair(self, seconds: float) -> None:
        """See `Driver.pair`."""
        raise Refused("a recording has nothing to pair", do="name its sensors in home.yaml")

    async def _play(self) -> None:
        began, real_began = self._host.now(), asyncio.get_running_loop().time()
        begin_ms = self._from_ms
        for number, line in enumerate(self._recording):
            if number % AT_A_TIME == 0:
                await asyncio.sleep(0)
                while self._host.waiting() >= WAITING_MOST:  # noqa: ASYNC110 - the gateway tells nobody
                    await asyncio.sleep(0.005)
            begin_ms = line.wall_ms if begin_ms is None else begin_ms
            into_ms = line.wall_ms - begin_ms
            if self._for_ms is not None and into_ms >= self._for_ms + SLACK_MS:
                return
            if (self._from_ms is not None and into_ms < 0) or (
                self._for_ms is not None and into_ms >= self._for_ms
            ):
                continue
            if not self._fast:
                await self._until(began + round(into_ms / self._speed), began, real_began)
            self._tell(line)

    async def _until(self, due: Instant, began: Instant, real_began: float) -> None:
        """Wait for an instant on the node's clock, whose speed shows from how far it has come."""
        loop = asyncio.get_running_loop()
        while (left_ms := due - (now := self._host.now())) > 0:
            real_s = loop.time() - real_began
            ms_per_s = max(1000.0, (now - began) / real_s) if real_s > 0.05 else 1000.0
            await asyncio.sleep(min(left_ms / ms_per_s, LONGEST_SLEEP_S if real_s > 0.05 else 0.05))

    def _tell(self, line: Recorded) -> None:
        track = self._tracks.get(line.source)
        if track is None:
            self.skipped += 1
            self._unknown.add(line.source)
            return
        if track.newest_ms is None or line.wall_ms >= track.newest_ms:
            track.newest_ms, track.told_at = line.wall_ms, self._host.now()
            at = track.told_at
        else:  # out of order: as much before the newest as it was recorded before it
            at = track.told_at - max(1, round((track.newest_ms - line.wall_ms) / self._speed))
        for device, kind in track.points:
            self._host.heard(device, kind, line.value, at)
            self.played += 1

    def _sum_up(self) -> None:
        silent = sorted(source for source, track in self._tracks.items() if track.newest_ms is None)
        points = sum(len(track.points) for track in self._tracks.values())
        log.info(
            f"played {self.played} readings of {points} points, "
            f"skipped {self.skipped} lines of {len(self._unknown)} sensors that home.yaml doesn't name",
            extra={"driver": self._name, "file": str(self._recording.path)},
        )
        if silent:
            log.warning(
                f"never seen in what was played: {', '.join(silent)}",
                extra={"driver": self._name, "do": "check sensor:"},
            )
        if self._recording.bad:
            shown = "; ".join(str(mistake) for mistake in self._recording.mistakes[:5])
            log.warning(
                f"{self._recording.bad} lines could not be read: {shown}", extra={"driver": self._name}
            )
