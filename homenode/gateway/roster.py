"""Which drivers a home needs, and the devices of each: one instance per radio, one per wired technology."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homenode.config.check import own_files_of
from homenode.config.model import Device, Home
from homenode.driver import Driver, DriverType, Host


@dataclass(frozen=True, slots=True)
class Post:
    """One driver instance that is to run.

    Attributes:
        name: Of the radio, or of the driver if it has none.
        options: Of the radio's entry.
        devices: Its devices, in the order of home.yaml.
        files: Of one's own that it reads, with the time of their last change in ns.
    """

    name: str
    type: DriverType
    options: Mapping[str, Any]
    devices: tuple[Device, ...]
    files: tuple[tuple[Path, int], ...] = ()

    def open(self, host: Host) -> Driver:
        """A new driver."""
        return self.type.open(self.name, self.options, self.devices, host)


_ABOUT = re.compile(r"([^ .]+)(?:\.\S+)? (?:value|switches|silent|battery|left|answers|flood)")
"""The sources of faults that are about one device or driver, here or in a driver of ours."""


def outlived(sources: Iterable[str], home: Home, wanted: Mapping[str, Post]) -> list[str]:
    """Those of the faults that are about a device or driver which the home doesn't have: nobody ends them."""
    known = {*home.devices, *wanted}
    return [source for source in sources if (about := _ABOUT.fullmatch(source)) and about[1] not in known]


def posts(home: Home, types: Mapping[str, DriverType]) -> dict[str, Post]:
    """Every driver instance of a home that was checked against the same `types`."""
    wanted: dict[str, Post] = {}
    for radio in home.radios.values():
        mine = tuple(device for device in home.devices.values() if device.via == radio.name)
        wanted[radio.name] = _post(radio.name, types[radio.driver], radio.options, mine)
    wired: dict[str, list[Device]] = {}
    for device in home.devices.values():
        if not device.via:
            wired.setdefault(device.driver, []).append(device)
    for name, devices in wired.items():
        wanted[name] = _post(name, types[name], {}, tuple(devices))
    return wanted


def _post(name: str, type_: DriverType, options: Mapping[str, Any], devices: tuple[Device, ...]) -> Post:
    files = tuple((file, file.stat().st_mtime_ns) for file in own_files_of(type_) if file.exists())
    return Post(name, type_, options, devices, files)
