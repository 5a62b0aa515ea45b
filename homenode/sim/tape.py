"""A recorded home that plays as the apartment's devices, beside its people or instead of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta

from homenode.errors import Refused
from homenode.kinds import Shape, kind_of
from homenode.recordings import Recorded, Recording
from homenode.sim.scenario import Tape
from homenode.sim.things import Thing
from homenode.sim.timeline import Timeline

log = logging.getLogger("homenode.sim")


async def play(tape: Tape, things: Mapping[str, Thing], timeline: Timeline) -> None:
    """Play a recording to its end, from now on, at its own intervals.

    Raises:
        SetupError, FileMistakes: The file can't be read.
    """
    by_sensor: dict[str, list[Thing]] = {}
    for device, sensor in tape.plays.items():
        by_sensor.setdefault(sensor, []).append(things[device])
    begin_ms = None if tape.begin is None else tape.begin.replace(tzinfo=timeline.zone).timestamp() * 1000
    began, first_ms, played = timeline.now(), begin_ms, 0
    for number, line in enumerate(Recording(tape.file, timeline.zone)):
        if number % 100 == 0:
            await asyncio.sleep(0)
        if line.source not in by_sensor or (begin_ms is not None and line.wall_ms < begin_ms):
            continue
        first_ms = line.wall_ms if first_ms is None else first_ms
        due = asyncio.Event()
        timeline.at(began + timedelta(milliseconds=line.wall_ms - first_ms), due.set)
        await due.wait()
        for thing in by_sensor[line.source]:
            try:
                _feel(thing, line)
            except Refused as error:
                log.warning(f"line {line.line} of {tape.file}: {error}")
            played += 1
    log.info(f"the recording is over: {played} edges played")


def _feel(thing: Thing, line: Recorded) -> None:
    kind = kind_of(thing.kinds[0])
    if line.value is None:
        return
    if kind is not None and kind.shape is Shape.MOMENTARY:
        if line.value:
            thing.press()
    elif isinstance(line.value, bool):
        thing.sense(line.value)
    else:
        measured = next((one for one in thing.kinds if _is_number(one)), "power")
        thing.measure(measured, line.value)


def _is_number(name: str) -> bool:
    kind = kind_of(name)
    return kind is not None and kind.shape is Shape.NUMBER and kind.name != "battery"
