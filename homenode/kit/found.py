"""The driver that a person names: a package's folder, a file, or an installed driver; and its bench."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import yaml

from homenode import dropped
from homenode.config.folder import SIMULATED
from homenode.config.registry import GROUP, DriverTypes, driver_types, why_no_driver, why_not_loaded
from homenode.driver import DriverType
from homenode.errors import FileMistakes, SetupError
from homenode.kit.bench import Bench

PROJECT = "pyproject.toml"
ROWS = "homenode.zigbee_rows"
"""Group of the entry points that name packages with rows for the Zigbee driver."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is tested. `how`: where it was found; `bench`: in its ``…_simulated.py``, None without one."""

    driver: DriverType
    how: str
    bench: type[Bench] | None


def find(named: str, simulated: str = "") -> list[Found]:
    """The drivers that `named` is or holds.

    Args:
        named: A folder with pyproject.toml, a file NAME.py, or the name of an installed driver.
        simulated: Module or file of the simulated device, if it isn't the one beside the driver.

    Raises:
        SetupError: There is none, or it can't be loaded.
    """
    path = Path(named)
    if path.is_dir():
        return [_of_package(path, point, simulated) for point in _points(path)] or _of_rows(path, simulated)
    if path.suffix == ".py":
        return [_of_file(path, simulated)]
    types = driver_types()
    if named not in types:
        why = types.broken.get(named)
        what = f"can't be loaded: {why}" if why else "is no folder, no file and no installed driver"
        do = "" if why else f"name a folder with pyproject.toml, a file NAME.py, or one of {', '.join(types)}"
        raise SetupError(what, where=named, do=do)
    return [_found(types[named], f"installed driver {named}", types[named].kinds.__module__, simulated)]


def _points(folder: Path) -> list[EntryPoint]:
    file = folder / PROJECT
    try:
        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
    except FileNotFoundError:
        raise SetupError("is not there", where=str(file), do="homenode driver new makes a package") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"can't be read: {error}", where=str(file)) from error
    groups = project.get("entry-points", {})
    named = groups.get(GROUP, {})
    if not named and groups.get(ROWS):
        return []
    if not isinstance(named, dict) or not named:
        raise SetupError(
            f'names no driver: [project.entry-points."{GROUP}"] is missing',
            where=str(file),
            do=f'write [project.entry-points."{GROUP}"] and under it NAME = "MODULE:DRIVER"',
        )
    return [EntryPoint(name, str(value), GROUP) for name, value in named.items()]


def _of_package(folder: Path, point: EntryPoint, simulated: str) -> Found:
    for place in (folder / "src", folder):
        if str(place.resolve()) not in sys.path:
            sys.path.insert(0, str(place.resolve()))
    where = f"{folder / PROJECT}: {point.name} = {point.value!r}"
    if point.pattern.match(point.value) is None or not point.attr:
        raise SetupError("is no MODULE:DRIVER", where=where)
    try:
        found = point.load()
    except (Exception, SystemExit) as error:
        raise SetupError(why_not_loaded(point.module, error), where=where) from error
    return _checked(found, point.name, where, f"{point.name} = {point.value}", point.module, simulated)


def _of_rows(folder: Path, simulated: str) -> list[Found]:
    """A package of rows for the Zigbee driver, which are those of a folder while they are tested."""
    modules = [it.parent.name for it in folder.glob("homenode_*/rows.yaml")]
    if not modules:
        raise SetupError("there is no homenode_NAME/rows.yaml", where=str(folder))
    sys.path.insert(0, str(folder.resolve()))
    dropped.__path__[:] = [str(folder.resolve() / name) for name in modules]
    zigbee = driver_types()["zigbee"]
    if wrong := [mistake for mistakes in zigbee.own_files().values() for mistake in mistakes]:
        raise FileMistakes(wrong)
    found = [_found(zigbee, f"rows in {folder / name}/rows.yaml", name, simulated) for name in modules]
    for name, one in zip(modules, found, strict=True):
        _has_its_row(folder / name / "rows.yaml", one.bench)
    return found


def _has_its_row(file: Path, bench: type[Bench] | None) -> None:
    """The simulated device is one that a row is for; else the row would never be tried."""
    from homenode.kit.simulated_zigbee import ZigbeeDevice

    if bench is None or not issubclass(bench, ZigbeeDevice):
        return
    device = bench.described()
    entries = yaml.safe_load(file.read_text(encoding="utf-8")) or []
    models = [model for entry in entries for model in entry["models"]] or ["none"]
    if not {f"{device.manufacturer}/{device.model}", f"*/{device.model}"} & {*models}:
        raise SetupError(
            f"the simulated device is {device.manufacturer}/{device.model}, for which there is no row",
            where=str(file),
            do=f"write the same in models: and in {bench.model}; the rows are for {', '.join(models)}",
        )


def _of_file(path: Path, simulated: str) -> Found:
    if not path.is_file():
        raise SetupError("is not there", where=str(path))
    folder, name = path.resolve().parent, path.stem
    types = DriverTypes({})
    types.look_into(folder)
    if name not in types:
        do = f"test its package: homenode driver test {path.parent}" if (folder / PROJECT).exists() else ""
        raise SetupError(types.broken.get(name, "is no driver's name"), where=str(path), do=do)
    return _checked(types[name], name, str(path), str(path), f"{dropped.__name__}.{name}", simulated)


def _checked(found: object, name: str, where: str, how: str, module: str, simulated: str) -> Found:
    if why := why_no_driver(found, name):
        raise SetupError(f"DRIVER {why}", where=where)
    assert isinstance(found, DriverType)
    return _found(found, how, module, simulated)


def _found(found: DriverType, how: str, module: str, simulated: str) -> Found:
    name = simulated or f"{module}{SIMULATED}"
    if name.endswith(".py"):
        loaded = _file(Path(name))
    elif importlib.util.find_spec(name) is None:
        if simulated:
            raise SetupError("there is no such module", where=simulated)
        return Found(found, how, None)
    else:
        try:
            loaded = importlib.import_module(name)
        except (Exception, SystemExit) as error:
            raise SetupError(why_not_loaded(name, error), where=name) from error
    benches = [
        it
        for it in vars(loaded).values()
        if isinstance(it, type) and issubclass(it, Bench)
        if it.__module__ == loaded.__name__ and it.of in ("", found.name)
    ]
    if not benches:
        do = "derive a class from one of homenode.kit.simulated"
        raise SetupError("has no simulated device in it", where=str(loaded.__file__), do=do)
    return Found(found, how, benches[-1])


def _file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SetupError("is not there", where=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise SetupError(why_not_loaded(path.stem, error), where=str(path)) from error
    return module
