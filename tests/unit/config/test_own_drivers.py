"""Drivers of one file each, in the folder that home.yaml names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from homenode.config.check import check_home
from homenode.config.load import load_home
from homenode.config.registry import driver_types
from homenode.errors import FileMistakes

HOME = "home: t\ntimezone: UTC\ndrivers: own\ndevices:\n  it: {driver: NAME, room: hall}\n"
GOOD = """from homenode.driver import DriverType

DRIVER = DriverType("NAME", "Itself.", (), (), lambda options: ("power",), lambda *given: None)
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir(mode=0o755)
    return folder


def _put(folder: Path, name: str, text: str = GOOD) -> None:
    (folder / f"{name}.py").write_text(text.replace("NAME", name))
    (folder / f"{name}.py").chmod(0o644)


def _home(folder: Path, name: str) -> Path:
    file = folder.parent / "home.yaml"
    file.write_text(HOME.replace("NAME", name))
    return file


def _told(folder: Path, name: str) -> str:
    with pytest.raises(FileMistakes) as wrong:
        load_home(_home(folder, name), drivers=driver_types())
    return str(wrong.value)


def test_a_file_in_the_folder_is_a_driver(own: Path) -> None:
    _put(own, "first")
    home = load_home(_home(own, "first"), drivers=driver_types())
    assert home.devices["it"].kinds == ("power",)
    assert home.drivers == own
    assert "first" in driver_types(home.drivers)


def test_what_is_beside_it_is_no_driver(own: Path) -> None:
    for name in "_second", "test_second", "second_simulated", "second":
        _put(own, name)
    report = check_home(_home(own, "second"), drivers=driver_types())
    assert not report.mistakes
    assert not [warning for warning in report.warnings if "driver" in warning.field]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import re\n\nimport nosuch\n", ":3: ModuleNotFoundError: No module named 'nosuch'"),
        ("def f(:\n", ":1: SyntaxError: "),
        ("x = 1\n", "there is no DRIVER in it; write DRIVER = DriverType(name=…, …)"),
        ("DRIVER = 7\n", "is not a DriverType but of type int"),
        (GOOD.replace("NAME", "other"), "not named third_"),
        ("from homenode.driver import DriverType\nDRIVER = DriverType('x')\n", ":2: TypeError: "),
        ("raise SystemExit(3)\n", ":1: it ends the program"),
    ],
)
def test_a_file_that_can_not_be_used_says_line_and_reason(own: Path, text: str, told: str) -> None:
    name = f"third_{abs(hash(text))}"
    _put(own, name, text)
    said = _told(own, name)
    assert "devices.it.driver" in said
    assert told in said
    if told.startswith(":"):
        assert f"own/{name}.py{told}" in said


def test_a_broken_file_that_no_device_uses_is_a_warning(own: Path) -> None:
    _put(own, "fourth")
    _put(own, "fifth", "import nosuch\n")
    report = check_home(_home(own, "fourth"), drivers=driver_types())
    assert not report.mistakes
    assert any("fifth" in warning.field for warning in report.warnings)


def test_an_installed_driver_is_not_replaced_by_a_file(own: Path) -> None:
    _put(own, "gpio")
    assert "gpio.py, the name of an installed driver; accepted: a file of another name" in _told(own, "gpio")


@pytest.mark.parametrize("mode", [0o775, 0o757])
@pytest.mark.parametrize("which", ["folder", "file", "cache", "above"])
def test_where_others_may_write_nothing_is_run(own: Path, mode: int, which: str) -> None:
    name = f"sixth_{which}_{mode}"
    ran = own.parent / "ran"
    _put(own, name, f"open({str(ran)!r}, 'w')\n{GOOD}")
    (own / "__pycache__").mkdir()
    paths = {"folder": own, "file": own / f"{name}.py", "cache": own / "__pycache__", "above": own.parent}
    paths[which].chmod(mode)
    said = _told(own, name)
    shown = paths[which] if which == "above" else paths[which].relative_to(own.parent)
    assert f"others may write to {shown}; chmod go-w it" in said
    assert not ran.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_folder_of_somebody_else_is_refused(own: Path) -> None:
    _put(own, "seventh")
    os.chown(own, 12345, 12345)
    assert "own belongs to user 12345, who could put there what this node runs" in _told(own, "seventh")


@pytest.mark.parametrize("folder", ["nowhere", "home.yaml"])
def test_a_folder_that_is_none_is_told(own: Path, folder: str) -> None:
    file = _home(own, "eighth")
    file.write_text(file.read_text().replace("drivers: own", f"drivers: {folder}"))
    with pytest.raises(FileMistakes, match=r"drivers: found .*(No such file|Not a directory)"):
        load_home(file, drivers=driver_types())


def test_a_changed_file_counts_when_it_is_looked_at_again(own: Path) -> None:
    _put(own, "tenth")
    file = _home(own, "tenth")
    assert load_home(file, drivers=driver_types()).devices["it"].kinds == ("power",)
    for kind in "water", "smoke":  # of one length, within a second
        _put(own, "tenth", GOOD.replace("power", kind))
        assert load_home(file, drivers=driver_types()).devices["it"].kinds == (kind,)
    same = driver_types(own)["tenth"]
    assert driver_types(own)["tenth"] is same


def test_a_changed_file_beside_a_driver_counts_too(own: Path) -> None:
    _put(own, "_table", "KINDS = ('power',)\n")
    text = GOOD.replace('("power",)', "KINDS")
    _put(own, "eleventh", "from homenode.dropped._table import KINDS\n" + text)
    file = _home(own, "eleventh")
    assert load_home(file, drivers=driver_types()).devices["it"].kinds == ("power",)
    _put(own, "_table", "KINDS = ('water',)\n")
    assert load_home(file, drivers=driver_types()).devices["it"].kinds == ("water",)


def test_a_driver_whose_look_at_files_fails_is_told(own: Path) -> None:
    _put(own, "twelfth", GOOD.replace("*given: None)", "*given: None, own_files=lambda: 1 / 0)"))
    report = check_home(_home(own, "twelfth"), drivers=driver_types())
    assert [str(mistake) for mistake in report.mistakes] == [
        "twelfth: driver twelfth: found own_files= that fails (ZeroDivisionError: division by zero);"
        " accepted: another version of this driver"
    ]


def test_a_home_without_the_folder_forgets_its_files(own: Path) -> None:
    _put(own, "ninth")
    types = driver_types()
    load_home(_home(own, "ninth"), drivers=types)
    assert "ninth" in types
    file = _home(own, "ninth")
    file.write_text(file.read_text().replace("drivers: own\n", ""))
    with pytest.raises(FileMistakes):
        load_home(file, drivers=types)
    assert "ninth" not in types
