"""What kernel and card show of the machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from homenode.health.machine import Card, look
from homenode.health.record import Record
from tests.unit.health_seen import put, put_a_pi, told


@pytest.fixture
def pi(tmp_path: Path) -> tuple[Path, Path]:
    """Root of a Pi with an eMMC, and the node's folder."""
    root, data = tmp_path / "root", tmp_path / "data"
    data.mkdir()
    put_a_pi(root, data)
    return root, data


def test_a_pi_is_seen_as_its_kernel_shows_it(pi: tuple[Path, Path]) -> None:
    root, data = pi
    seen = look(data, None, root)
    assert (seen.slot, seen.model, seen.boot_id, seen.up_s) == (
        "B",
        "Raspberry Pi 4 Model B Rev 1.5",
        "abc",
        3600.5,
    )
    assert seen.card == Card("mmcblk0", life_pct=20, spare=1, written_b=2000 * 512, errors=2)
    assert (seen.temperature_c, seen.memory_free, seen.clock_by) == (52.1, 0.6, "chrony")
    assert (seen.undervolted, seen.undervolted_before) == (False, True)
    assert (seen.partition, seen.partition_mb) == ("repaired", 5000)
    assert seen.disk_free is not None
    assert 0 <= seen.disk_free <= 1


def test_debians_kernel_tells_of_undervoltage_by_hwmon(pi: tuple[Path, Path]) -> None:
    root, data = pi
    (root / "sys/devices/platform/soc/soc:firmware/get_throttled").unlink()
    put(root, "sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
    put(root, "sys/class/hwmon/hwmon1/name", "rpi_volt\n")
    put(root, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    seen = look(data, None, root)
    assert (seen.undervolted, seen.undervolted_before) == (True, None)


def test_a_card_that_tells_nothing_and_a_machine_that_has_nothing_are_unknown(tmp_path: Path) -> None:
    seen = look(tmp_path, tmp_path / "none.pem", tmp_path / "root")
    assert seen.card == Card()
    unknown = (seen.slot, seen.model, seen.up_s, seen.temperature_c, seen.undervolted, seen.memory_free,
               seen.clock_by, seen.certificate)  # fmt: skip
    assert set(unknown) == {None}
    assert look(tmp_path / "gone", None, tmp_path).disk_free is None


@pytest.mark.parametrize("junk", ["", "\0", "x", "0x", "0xZZ 1", "9" * 400, "-1", "é\n"])
def test_files_that_say_nonsense_are_unknown_and_never_good(pi: tuple[Path, Path], junk: str) -> None:
    root, data = pi
    for path in [one for one in root.rglob("*") if one.is_file() and one.name != "partition"]:
        path.write_text(junk)
    seen = look(data, None, root)
    record = Record()
    record.add(seen, 0)
    figures = told(record, seen)
    assert figures["undervoltage"] is None or junk.strip("-0x ").isdigit()
    json.dumps(figures)


def test_this_machine_is_seen(tmp_path: Path) -> None:
    seen = look(tmp_path, None)
    assert seen.kernel == os.uname().release
    assert seen.up_s
    assert seen.memory_free
    assert seen.boot_id
