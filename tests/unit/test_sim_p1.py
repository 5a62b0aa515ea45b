"""The simulated meter: its telegrams are what the driver reads, and mistakes in its section are told."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from drivers.p1.telegram import Line, values
from homenode.errors import FileMistakes
from homenode.sim.apartment import read_apartment
from homenode.sim.p1.things import telegram

WINTER = datetime(2026, 1, 5, 6, 12, 3, tzinfo=ZoneInfo("Europe/Stockholm"))
FLAT = """
timezone: Europe/Stockholm
zigbee:
  stove: {model: plug, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen, appliance: hob}
p1:
  meter: {port: p1, room: hall, l1: [stove], l2: [heater, fridge]}
"""


def test_a_telegram_says_what_the_driver_reads() -> None:
    (read,) = Line().feed(telegram(WINTER, (1400.0, 0.0, -230.0), 60995.4))
    assert read.sound
    assert values(read) == {
        "power": 1170, "power_2": 1400, "power_3": 0, "power_4": -230, "current": 6.1, "current_2": 0,
        "current_3": 1.0, "voltage": 230, "voltage_2": 230, "voltage_3": 230, "energy": 60995.4,
        "energy_2": 0,
    }  # fmt: skip


def test_the_clock_of_a_telegram_says_summer_or_winter() -> None:
    assert b"0-0:1.0.0(260105061203W)" in telegram(WINTER, (0, 0, 0), 0)
    assert b"0-0:1.0.0(260705061203S)" in telegram(WINTER.replace(month=7), (0, 0, 0), 0)


def test_what_hangs_on_a_phase_is_a_plug_or_an_appliance_without_one(tmp_path: Path) -> None:
    (tmp_path / "apartment.yaml").write_text(FLAT)
    apartment = read_apartment(tmp_path / "apartment.yaml")
    assert apartment.p1["meter"].loads == (("stove",), ("heater", "fridge"), ())
    assert apartment.unplugged == {"heater": "hall", "fridge": "hall"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("heater", "heather"), "p1.meter.l2"),
        (("port: p1, ", ""), "p1.meter.port"),
        (("l1", "l4"), "p1.meter.l4"),
        (("  meter:", "  stove:"), "p1.stove"),
    ],
)
def test_a_mistake_is_told_at_its_field(tmp_path: Path, change: tuple[str, str], field: str) -> None:
    (tmp_path / "apartment.yaml").write_text(FLAT.replace(*change))
    with pytest.raises(FileMistakes) as told:
        read_apartment(tmp_path / "apartment.yaml")
    assert [mistake.field for mistake in told.value.mistakes] == [field]
