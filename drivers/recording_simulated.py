"""A recorded morning: what `homenode driver test recording` plays the driver with."""

from __future__ import annotations

from typing import ClassVar

from homenode.kit.simulated import Simulated

MORNING = """local_time,epoch_local_as_utc,sensor_id,name,kind,state
2008-02-26 07:10:00,0,24,Bedroom door,door,on
2008-02-26 07:10:02,0,24,Bedroom door,door,off
2008-02-26 07:12:00,0,6,"Hall, door",door,on
2008-02-27 07:10:00,0,24,Bedroom door,door,on
"""


class Tape(Simulated):
    """It plays by itself, from its first line at each start."""

    home = """
radios: {tape: {driver: recording, file: morning.csv, speed: 1000000, pace: recorded}}
devices:
  bedroom: {via: tape, sensor: "24", kind: contact, room: bedroom}
  hall:    {via: tape, sensor: "6", kind: contact, room: hall}"""
    files: ClassVar = {"morning.csv": MORNING}
    heavy = ("gzip", "csv", "homenode.recordings")
    spared: ClassVar = dict.fromkeys(("unplugged", "garbage", "flood"), "a file that is read once")

    def change(self) -> None:
        """Nothing can be done to what was."""

    def released(self) -> bool:
        return True  # a file that is read and closed is held by nobody

    async def plug(self) -> None:
        """It is there."""

    async def unplug(self) -> None:
        """It stays."""
