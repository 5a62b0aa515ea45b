"""`homenode driver`: what it makes works as it is, and what a technician does wrong is told in words."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from homenode.errors import SetupError
from homenode.kit.contract import PROMISES, Promise, kept
from homenode.kit.found import find
from homenode.kit.listener import Broken
from homenode.kit.new import KINDS, new

HOMENODE = Path(sys.executable).with_name("homenode")
READ = (".py", ".toml", ".md", ".yaml")
_NTH = count()


def homenode(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HOMENODE, *words], cwd=cwd, capture_output=True, text=True, timeout=180, env=dict(os.environ)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_driver_as_it_is_made_keeps_every_promise(tmp_path: Path, kind: str) -> None:
    made = homenode("driver", "new", "my_meter", "--kind", kind, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    tested = homenode("driver", "test", "homenode-my-meter", cwd=tmp_path)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert tested.stdout.count("✓") == len(PROMISES)
    assert tested.stdout.endswith("all is well\n")
    files = [it for it in (tmp_path / "homenode-my-meter").rglob("*") if it.suffix in READ]
    assert sum(len(file.read_text().splitlines()) for file in files) < 100, "a technician reads it whole"


def test_its_own_test_runs_under_pytest(tmp_path: Path) -> None:
    assert homenode("driver", "new", "my_meter", "--kind", "serial", cwd=tmp_path).returncode == 0
    folder = tmp_path / "homenode-my-meter"
    ran = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=folder, capture_output=True, text=True)
    assert "1 passed" in ran.stdout, ran.stdout
    _change(_driver(folder), '"power", int', '"humidity", int')
    ran = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=folder, capture_output=True, text=True)
    assert "1 failed" in ran.stdout
    assert "told meter.humidity" in ran.stdout


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A serial meter, under a name of its own, as Python imports each once."""
    new(f"kit_{next(_NTH)}", "serial", tmp_path / "package", StringIO())
    return tmp_path / "package"


def _driver(folder: Path) -> Path:
    (file,) = (it for it in folder.glob("homenode_*.py") if "simulated" not in it.name)
    return file


def _change(file: Path, old: str, to: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, to))


def _broken(folder: Path, name: str) -> str:
    """What is told of this promise."""
    (found,) = find(str(folder))
    assert found.bench is not None
    bench = found.bench()
    bench.driver, bench.patience_s = found.driver, 2.0
    promise = next(promise for promise in PROMISES if promise.name == name)
    (folder / "data").mkdir()
    with pytest.raises(Broken) as broken:
        asyncio.run(kept(promise, bench, folder / "data"))
    assert broken.value.do, "and what to do"
    return f"{broken.value.what} → {broken.value.do}"


def _make(folder: Path, row: dict[str, Any]) -> None:
    """The mistake of a row."""
    for old, to in {row["old"]: row["new"], **row.get("also", {})}.items():
        _change(_driver(folder), old, to)


def _table(file: str) -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name(file).read_text(encoding="utf-8"))
    return table


MISTAKES = _table("kit_mistakes.yaml")
ALONE = {row["breaks"]: row for row in MISTAKES if row.get("alone")}


@pytest.mark.parametrize("row", MISTAKES, ids=lambda row: row["mistake"])
def test_a_technicians_mistake_is_told_with_its_place_and_what_to_do(
    package: Path, row: dict[str, Any]
) -> None:
    _make(package, row)
    said = _broken(package, row["breaks"])
    assert re.search(row["told"], said), said


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
def test_a_fault_is_found_by_the_promise_that_it_breaks_and_by_no_other(
    package: Path, promise: Promise
) -> None:
    _make(package, ALONE[promise.name])
    tested = homenode("driver", "test", package, cwd=package)
    assert tested.returncode == 1
    broken = [line for line in tested.stdout.splitlines() if line.startswith("✗")]
    assert len(broken) == 1, tested.stdout
    assert broken[0].startswith(f"✗ {promise.text}: ")
    assert not tested.stderr


def test_one_that_never_gives_its_loop_back_is_told_and_the_list_ends(tmp_path: Path) -> None:
    new("hog", "serial", tmp_path / "hog", StringIO())
    old = "    async with serial_lines"
    _change(_driver(tmp_path / "hog"), old, f"    while True:\n        pass\n{old}")
    tested = homenode("driver", "test", "hog", cwd=tmp_path)
    assert tested.returncode == 1
    assert re.search(r"✗ It starts.* keeps its loop to itself .*, at homenode_hog\.py:1\d", tested.stdout)


@pytest.mark.parametrize("row", _table("kit_unloadable.yaml"), ids=lambda row: row["mistake"])
def test_a_package_that_can_not_be_loaded_says_where_and_why(package: Path, row: dict[str, Any]) -> None:
    file = package / row["file"] if "file" in row else _driver(package)
    if "text" in row:
        file.write_text(row["text"])
    else:
        _change(file, row["old"], row["new"])
    with pytest.raises(SetupError) as error:
        find(str(package))
    assert re.search(row["told"], str(error.value)), error.value


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("My-Meter", r"'My-Meter' can't be a driver's name: .* begins with a letter \(such as my_meter\)"),
        ("1wire", r"begins with a letter"),
        ("class", r"'class' can't be a driver's name"),
        ("gpio", r"there is a driver gpio installed already \(choose another name\)"),
    ],
)  # fmt: skip
def test_a_name_that_can_not_be_is_refused(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(SetupError, match=told):
        new(name, "serial", tmp_path / "out", StringIO())
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(SetupError, match=r"is there already .*--out"):
        new("meter", "serial", tmp_path / "out", StringIO())
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("nosuch", "nosuch: is no folder, no file and no installed driver (name a folder with"),
        ("nosuch.py", "nosuch.py: is not there"),
        (".", "pyproject.toml: is not there (homenode driver new makes a package)"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said(tmp_path: Path, named: str, told: str) -> None:
    tested = homenode("driver", "test", named, cwd=tmp_path)
    assert tested.returncode == 1
    assert told in tested.stderr


TECHNICIANS = Path(__file__).with_name("technicians")


@pytest.mark.parametrize(
    "driver", sorted(file.stem for file in TECHNICIANS.glob("*.py") if not file.stem.endswith("_simulated"))
)
def test_what_a_technician_wrote_by_the_page_is_short_and_keeps_every_promise(
    tmp_path: Path, driver: str
) -> None:
    """A meter that is asked, 7E1 with ETX; one asked over HTTP; datagrams; text over MQTT."""
    files = [TECHNICIANS / f"{driver}.py", TECHNICIANS / f"{driver}_simulated.py"]
    tested = homenode("driver", "test", files[0], cwd=tmp_path)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert sum(len(file.read_text().splitlines()) for file in files) < 60


def test_a_driver_without_a_simulated_device_is_not_called_well(package: Path, tmp_path: Path) -> None:
    next(package.glob("*_simulated.py")).unlink()
    tested = homenode("driver", "test", package, cwd=tmp_path)
    assert tested.returncode == 1
    assert "not tried: it has no simulated device" in tested.stdout


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('raise ValueError("oj")', r"its simulated device failed with ValueError: oj at .*_simulated\.py:10"),
        ("return 1", r"its simulated device failed with TypeError: .*'int'.*"),
    ],
)
def test_a_mistake_in_the_simulated_device_is_not_told_as_the_drivers(
    package: Path, line: str, told: str
) -> None:
    (simulated,) = package.glob("*_simulated.py")
    _change(simulated, 'return b"P=%d W\\r\\n" % (400 + nth % 100)', line)
    said = _broken(package, "starts")
    assert re.search(f"{told} → mend that, not the driver", said), said


@pytest.mark.parametrize(
    ("text", "told"),
    [("def (", "other.py:1: SyntaxError"), ("import nix", "other.py:1: ModuleNotFoundError")],
)
def test_a_simulated_device_that_can_not_be_loaded_says_where_and_why(
    package: Path, text: str, told: str
) -> None:
    (package / "other.py").write_text(text)
    tested = homenode("driver", "test", package, "--simulated", "other.py", cwd=package)
    assert tested.returncode == 1
    assert told in tested.stderr


def test_a_driver_that_is_no_text_is_told_without_a_place(package: Path) -> None:
    _driver(package).write_text("DRIVER = 1", encoding="utf-16")
    with pytest.raises(SetupError, match="doesn't load: SyntaxError: ") as error:
        find(str(package))
    assert "None" not in str(error.value)


def test_rows_without_a_row_are_told(tmp_path: Path) -> None:
    new("drip", "zigbee", tmp_path / "drip", StringIO())
    (tmp_path / "drip/homenode_drip/rows.yaml").write_text("# later\n")
    tested = homenode("driver", "test", "drip", cwd=tmp_path)
    assert tested.returncode == 1
    assert "for which there is no row" in tested.stderr
    assert "the rows are for none" in tested.stderr


def test_the_file_of_a_package_is_tested_with_its_package(package: Path, tmp_path: Path) -> None:
    tested = homenode("driver", "test", _driver(package), cwd=tmp_path)
    assert tested.returncode == 1
    assert f"(test its package: homenode driver test {package})" in tested.stderr


def test_a_single_file_without_a_simulated_device_is_told_its_name(package: Path, tmp_path: Path) -> None:
    name = _driver(package).rename(tmp_path / f"{_driver(package).stem.removeprefix('homenode_')}.py").name
    tested = homenode("driver", "test", name, cwd=tmp_path)
    assert f"→ write {name.removesuffix('.py')}_simulated.py beside it;" in tested.stdout


def test_a_single_file_is_tested_with_what_stands_beside_it(package: Path, tmp_path: Path) -> None:
    driver = _driver(package)
    name = driver.stem.removeprefix("homenode_")
    driver.rename(package / f"{name}.py")
    (package / f"{driver.stem}_simulated.py").rename(package / f"{name}_simulated.py")
    tested = homenode("driver", "test", package / f"{name}.py", cwd=tmp_path)
    assert tested.returncode == 0, tested.stdout + tested.stderr
