"""Which point of the home each source of a recording feeds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from homenode.config.points import why_no_point
from homenode.errors import FileMistakes, Mistake
from homenode.kinds import kind_of
from homenode.recordings import Sensor
from homenode.recordings.sensors import device_name

if TYPE_CHECKING:
    from homenode.config.model import Home


class Points(Protocol):
    """Names the point that a source feeds."""

    def __call__(self, file: Path, source: str, sensor: Sensor | None) -> str:
        """The point; "" if it feeds none.

        Args:
            file: The recording.
            source: What it calls the sensor.
            sensor: What it tells of it.
        """


class Mapped:
    """As a person said: ``--map SOURCE=POINT``.

    Raises:
        FileMistakes: One of them is not of that form, or names no kind of point.
    """

    def __init__(self, pairs: Iterable[str]) -> None:
        self._points: dict[str, str] = {}
        self.unheard: dict[str, None] = {}
        """Sources that no recording had, so far."""
        for pair in pairs:
            source, equals, point = pair.rpartition("=")
            if not (equals and source and is_point(point)):
                accepted = "SOURCE=DEVICE.KIND, such as 12=front_door.contact"
                raise FileMistakes([Mistake("--map", 0, "map", repr(pair), accepted)])
            self._points[source] = point
            self.unheard[source] = None

    @property
    def points(self) -> tuple[str, ...]:
        """All that were named."""
        return tuple(self._points.values())

    def __call__(self, file: Path, source: str, sensor: Sensor | None) -> str:
        """See `Points`."""
        self.unheard.pop(source, None)
        return self._points.get(source, "")


class OfHome:
    """As home.yaml says: the devices of its radios with ``driver: recording``.

    A file that is none of those radios' (another day of the same home) goes to all their devices. A source
    that is a point of the home by its own name, as a homenode recording's are, feeds that.

    Args:
        home: The home.
        first: What a person said besides, and what goes before.

    Raises:
        FileMistakes: A person named a point that the home doesn't have.
    """

    def __init__(self, home: Home, first: Mapped) -> None:
        self._home, self._first = home, first
        for point in first.points:
            accepted, suggestion = why_no_point(point, home.devices)
            if accepted:
                raise FileMistakes([Mistake("--map", 0, "map", repr(point), accepted, suggestion)])
        radios = {name: radio for name, radio in home.radios.items() if radio.driver == "recording"}
        self._file_of = {name: Path(radio.options["file"]).resolve() for name, radio in radios.items()}
        self._devices = [device for device in home.devices.values() if device.via in radios]

    def __call__(self, file: Path, source: str, sensor: Sensor | None) -> str:
        """See `Points`."""
        if point := self._first(file, source, sensor):
            return point
        own = {radio for radio, path in self._file_of.items() if path == file.resolve()}
        for device in self._devices:
            if str(device.options["sensor"]) == source and (not own or device.via in own):
                return f"{device.name}.{device.options['kind']}"
        return "" if why_no_point(source, self._home.devices)[0] else source


class Guessed:
    """By what the recording tells of its sensors; each is a device of its own, named after it.

    Files of several days of one device feed one point: the date at the end of a name doesn't count.

    Attributes:
        found: Point to (file, source, room) in the order of their first line.
    """

    def __init__(self) -> None:
        self.found: dict[str, tuple[Path, str, str]] = {}
        self._known: dict[tuple[Path, str], str] = {}

    def __call__(self, file: Path, source: str, sensor: Sensor | None) -> str:
        """See `Points`."""
        key = (file, source)
        if key not in self._known:
            self._known[key] = self._name(file, source, sensor)
        return self._known[key]

    def _name(self, file: Path, source: str, sensor: Sensor | None) -> str:
        if sensor is None:
            return source if is_point(source) else ""
        if not sensor.kind:
            return ""
        room = device_name(sensor.room) if sensor.room else ""
        name = device_name(sensor.name) if sensor.name else device_of(file)
        if room and not name.startswith(room):
            name = f"{room}_{name}"[:64]
        taken = {point.partition(".")[0]: point for point in self.found}
        by_kind = [] if taken.get(name) == f"{name}.{sensor.kind}" else [f"{name}_{sensor.kind}"]
        for device in (name, *by_kind, f"{name}_{device_name(source)}"):
            point = f"{device}.{sensor.kind}"
            if device not in taken or (point in self.found and self._same(point, file, source)):
                self.found.setdefault(point, (file, source, sensor.room or "home"))
                return point
        return ""

    def _same(self, point: str, file: Path, source: str) -> bool:
        """Whether another day of it was read before."""
        first_file, first_source, _ = self.found[point]
        return first_source == source and first_file != file


_DATED = re.compile(r"[_-]?\d{4}-\d\d(-\d\d)?$")


def device_of(file: Path) -> str:
    """What a recording of one device is called by its file: ``stove_2011-12-17.csv.gz`` is ``stove``."""
    return device_name(_DATED.sub("", file.name.partition(".")[0]))


def is_point(text: str) -> bool:
    """Whether it is DEVICE.KIND with a kind that there is."""
    return re.fullmatch(r"[a-z0-9_-]{1,64}\.[a-z][a-z0-9_]*", text) is not None and kind_of(text) is not None
