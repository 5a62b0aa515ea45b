"""Plays a recorded home into a node: each of its lines becomes a live reading of a device in home.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homenode.config.fields import Field
from homenode.config.model import Device
from homenode.driver import Driver, DriverType, Host
from homenode.kinds import KINDS


def _kinds(options: Mapping[str, Any]) -> tuple[str, ...]:
    return (str(options["kind"]),)


def _open(name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> Driver:
    from drivers.recording.driver import RecordingDriver

    return RecordingDriver(name, options, devices, host)


DRIVER = DriverType(
    name="recording",
    blind_to="Everything that the recording doesn't say; that a sensor in it was silent or broken, too.",
    radio_fields=(
        Field(
            "file",
            "path",
            "The recording; formats: homenode/recordings",
            required=True,
            shown="a file, such as houseA.csv.gz",
        ),
        Field("from", "moment", "Where in the recording to begin; its first line if absent"),
        Field(
            "for",
            "duration",
            "How much of it to play; to its end if absent",
            low=1,
            shown="a duration, such as 1 d",
        ),
        Field(
            "speed",
            "number",
            "Recorded seconds per second of the node's clock",
            default=1,
            low=0.001,
            high=1e6,
        ),
        Field(
            "pace",
            "word",
            "recorded: at the recorded intervals; fast: as fast as the node takes it",
            default="recorded",
            choices=("recorded", "fast"),
        ),
        Field("timezone", "text", "Of time stamps that carry none; only for `from`", default="UTC"),
    ),
    device_fields=(
        Field(
            "sensor", "text", "What the recording calls it", required=True, shown='a name in it, such as "8"'
        ),
        Field("kind", "word", "What it measures", required=True, choices=tuple(KINDS)),
    ),
    kinds=_kinds,
    open=_open,
)
