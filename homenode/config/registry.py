"""Which drivers there are: the entry points of the group ``homenode.drivers``, and files in a folder.

A technician's own package counts like ours. One that can't be imported is told and used by nobody.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint, entry_points
from importlib.util import cache_from_source
from pathlib import Path

from homenode import dropped
from homenode.config.folder import files
from homenode.driver import DriverType

GROUP = "homenode.drivers"
NAME = r"[a-z][a-z0-9_]{0,63}"
NAME_SHOWN = "of a-z, 0-9 and _, and begins with a letter"


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

    def look_into(self, folder: Path | None) -> list[str]:
        """Count the files of this folder, and no other, as drivers beside those installed.

        Returns:
            Files whose name an installed driver has; they are not used.
        """
        old = {name for name, point in self._points.items() if point.module.startswith(dropped.__name__)}
        for name in old:
            del self._points[name]
            self._types.pop(name, None)
            self.broken.pop(name, None)
        dropped.__path__[:] = [] if folder is None else [str(folder)]
        _forget_what_changed(folder)
        taken = []
        for file in files(folder) if folder is not None else ():
            if file.stem in self._points:
                taken.append(str(file))
                continue
            self._points[file.stem] = EntryPoint(file.stem, f"{dropped.__name__}.{file.stem}:DRIVER", GROUP)
            if not re.fullmatch(NAME, file.stem):
                self.broken[file.stem] = f"{file}: a driver's name is {NAME_SHOWN}; rename the file"
        return taken

    def _load(self, name: str) -> None:
        point = self._points[name]
        try:
            found = point.load()
        except (Exception, SystemExit) as error:
            self.broken[name] = why_not_loaded(point.module, error)
            raise KeyError(name) from error
        if why := why_no_driver(found, name):
            self.broken[name] = f"{point.value} {why}"
            raise KeyError(name)
        self._types[name] = found


_loaded: dict[str, tuple[int, int]] = {}
"""Files of the folder, as they were when they were looked at: time of change in ns, and size."""


def _forget_what_changed(folder: Path | None) -> None:
    """Files that are others than before are imported anew; all of them, as one may import another."""
    found = [] if folder is None else [(file, file.stat()) for file in folder.glob("*.py")]
    now = {str(file): (info.st_mtime_ns, info.st_size) for file, info in found}
    if any(now.get(file) != before for file, before in _loaded.items()):
        for name in [name for name in sys.modules if name.startswith(f"{dropped.__name__}.")]:
            del sys.modules[name]
        for file in now:
            with suppress(OSError):  # Python's own check of it takes one of the same second for the same
                Path(cache_from_source(file)).unlink()
    importlib.invalidate_caches()
    _loaded.clear()
    _loaded.update(now)


@contextmanager
def looked_at_anew(types: Mapping[str, DriverType]) -> Iterator[Mapping[str, DriverType]]:
    """The drivers that there are now; if the block fails those of before go on."""
    before = list(dropped.__path__)
    try:
        yield driver_types() if isinstance(types, DriverTypes) else types
    except BaseException:
        dropped.__path__[:] = before
        raise


def why_no_driver(found: object, name: str) -> str:
    """Why this can't be the driver of that name, in words; "" if it can."""
    if isinstance(found, type) and issubclass(found, DriverType):
        return "is the class DriverType; write DRIVER = DriverType(name=…, …)"
    if not isinstance(found, DriverType):
        return f"is not a DriverType but of type {type(found).__name__}; write DRIVER = DriverType(name=…, …)"
    if found.name != name:
        return f"is not named {name} but {found.name!r}; name= in it is that of its entry point or file"
    return ""


def why_not_loaded(module: str, error: BaseException) -> str:
    """What stopped the import of a module, in words, with file and line as far as there are."""
    told = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError) and error.filename:  # none where it is no text
        return f"{_shown(error.filename)}:{error.lineno}: {type(error).__name__}: {error.msg}"
    if isinstance(error, SystemExit):
        told = "it ends the program; a driver's file only defines things"
    if isinstance(error, AttributeError) and str(error).startswith(f"module '{module}'"):
        return f"{module}: there is no {error.name} in it; write {error.name} = DriverType(name=…, …)"
    stem = module.replace(".", "/").replace("homenode/dropped", "".join(dropped.__path__) or "-")
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith((f"{stem}.py", f"{stem}/__init__.py")):
            place = f"{_shown(file)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{place}: {told}" if place else f"{module} doesn't load: {told}"


def _shown(file: object) -> str:
    """A file of the folder as OWN/FILE.py, any other as it is."""
    path = Path(str(file))
    return f"{path.parent.name}/{path.name}" if str(path.parent) in dropped.__path__ else str(path)


def _is_ours(point: EntryPoint) -> bool:
    return point.module.startswith("drivers.")


def _ours_first(points: Iterable[EntryPoint]) -> list[EntryPoint]:
    """One of each; that of homenode itself first."""
    return sorted({point.value: point for point in points}.values(), key=lambda point: not _is_ours(point))


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module


def driver_types(folder: Path | None = None) -> DriverTypes:
    """The drivers of this machine. Of two installed with one name that of homenode itself counts, else none.

    Args:
        folder: ``drivers:`` of home.yaml, whose files are drivers too.
    """
    points: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        points.setdefault(point.name, []).append(point)
    types = DriverTypes({name: _ours_first(several)[0] for name, several in points.items()})
    for name, several in points.items():
        first, *others = _ours_first(several)
        if others and not _is_ours(first):
            packages = " and ".join(_package(point) for point in (first, *others))
            types.broken[name] = f"{packages} both have a driver of this name; uninstall one"
        for point in others if _is_ours(first) else ():
            what = "has the name of one of homenode's and is not used; give it another, or uninstall it"
            types.broken[f"{name} of {_package(point)}"] = what
    if folder is not None:
        types.look_into(folder)
    return types
