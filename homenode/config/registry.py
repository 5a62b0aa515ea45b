"""Which drivers are installed: the entry points of the group ``homenode.drivers``.

A technician's own package counts like ours. One that can't be imported is told and used by nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points

from homenode.driver import DriverType

GROUP = "homenode.drivers"


class DriverTypes(Mapping[str, DriverType]):
    """Driver types by name; each is imported when first asked for.

    Attributes:
        broken: Drivers that were asked for and can't be used, with the reason.
    """

    def __init__(self, points: Mapping[str, EntryPoint]) -> None:
        self._points = dict(sorted(points.items()))
        self._types: dict[str, DriverType] = {}
        self.broken: dict[str, str] = {}

    def __getitem__(self, name: str) -> DriverType:
        if name not in self._types:
            if name not in self._points or name in self.broken:
                raise KeyError(name)
            self._load(name)
        return self._types[name]

    def __iter__(self) -> Iterator[str]:
        """The names of those that can be used; this imports all of them."""
        return iter([name for name in self._points if name in self])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        try:
            self[name]  # type: ignore[index]  # any object may be asked for
        except KeyError:
            return False
        return True

    def _load(self, name: str) -> None:
        point = self._points[name]
        try:
            found = point.load()
        except Exception as error:
            self.broken[name] = f"{point.value} doesn't load: {type(error).__name__}: {error}"
            raise KeyError(name) from error
        if not isinstance(found, DriverType) or found.name != name:
            self.broken[name] = f"{point.value} is not a DriverType named {name}"
            raise KeyError(name)
        self._types[name] = found


def driver_types() -> DriverTypes:
    """The drivers installed on this machine. Of two with one name the one of homenode itself counts."""
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        ours = point.module.startswith("drivers.")
        if point.name not in points or ours:
            points[point.name] = point
    return DriverTypes(points)
