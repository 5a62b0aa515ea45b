"""Drivers are found among the installed packages; a broken one is told and harms nobody."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from homenode.config.load import read_home
from homenode.config.registry import GROUP, DriverTypes, driver_types

GOOD = EntryPoint("zigbee", "tests.unit.config.some_drivers:RADIO", GROUP)
MISSING = EntryPoint("laser", "no_such_package:DRIVER", GROUP)
WRONG = EntryPoint("sonar", "tests.unit.config.some_drivers:HOME", GROUP)
MISNAMED = EntryPoint("radar", "tests.unit.config.some_drivers:WIRED", GROUP)
ALL = {point.name: point for point in (GOOD, MISSING, WRONG, MISNAMED)}


def test_a_driver_is_imported_when_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "late_driver.py").write_text("from tests.unit.config.some_drivers import RADIO\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "late_driver", raising=False)
    types = DriverTypes({"zigbee": EntryPoint("zigbee", "late_driver:RADIO", GROUP)})
    assert "late_driver" not in sys.modules
    assert types["zigbee"].name == "zigbee"
    assert "late_driver" in sys.modules


def test_broken_packages_are_left_out_and_told() -> None:
    types = DriverTypes(ALL)
    assert list(types) == ["zigbee"]
    assert len(types) == 1
    assert "no_such_package" in types.broken["laser"]
    assert "not a DriverType" in types.broken["sonar"]
    assert "named radar" in types.broken["radar"]
    assert types.get("laser") is None


def test_a_home_that_uses_a_broken_driver_is_told_why(tmp_path: Path) -> None:
    text = "home: a\ntimezone: UTC\ndevices: {x: {driver: laser, room: hall}}\n"
    (tmp_path / "home.yaml").write_text(text)
    _, notes = read_home(tmp_path / "home.yaml", drivers=DriverTypes(ALL))
    (mistake,) = notes.mistakes
    assert (mistake.line, mistake.field) == (3, "devices.x.driver")
    assert "no_such_package" in mistake.found


def test_our_own_drivers_are_registered() -> None:
    assert {"zigbee", "gpio", "recording"} <= {point for point in driver_types()._points}


def _installed(folder: Path, package: str, driver: str) -> None:
    about = folder / f"{package}-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\n{driver} = {package}:DRIVER\n")


def test_two_packages_with_a_driver_of_one_name_are_told_and_neither_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _installed(tmp_path, "first_meter", "meter")
    _installed(tmp_path, "second_meter", "meter")
    monkeypatch.syspath_prepend(tmp_path)
    types = driver_types()
    assert "meter" not in types
    assert {"first_meter", "second_meter"} < {*types.broken["meter"].split()}
    assert types.broken["meter"].endswith(" both have a driver of this name; uninstall one")


def test_a_package_with_the_name_of_one_of_ours_is_told_and_ours_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _installed(tmp_path, "their_gpio", "gpio")
    monkeypatch.syspath_prepend(tmp_path)
    types = driver_types()
    assert types["gpio"].kinds.__module__ == "drivers.gpio"
    assert "is not used; give it another" in types.broken["gpio of their_gpio"]
