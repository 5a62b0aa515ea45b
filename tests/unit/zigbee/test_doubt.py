"""A model's name is not enough to make a door, or a detector of gas, of a device."""

from __future__ import annotations

import pytest

from drivers.zigbee.rows import row_for
from tests.unit.zigbee.devices_at_hand import one

ZONE, ZONE_TYPE = 0x0500, (0x0500, 0x0001)
DOOR = row_for("LUMI", "lumi.sensor_magnet.aq2")
GAS = row_for("HEIMAN", "GASSensor-EN")


def test_a_door_by_its_row_is_a_door() -> None:
    plan = one({0x0006}, device_type=0x5F01, row=DOOR)
    assert "contact" in plan.kinds
    assert plan.doubt is None


@pytest.mark.parametrize(
    ("inputs", "device_type", "sleepy", "values"),
    [
        ({0x0006}, 0x0051, False, {}),
        ({0x0006}, 0x0100, False, {}),
        ({0x0406}, 0x0107, True, {}),
        ({ZONE}, 0x0402, True, {ZONE_TYPE: 0x000D}),
        ({ZONE}, 0x0402, True, {ZONE_TYPE: 0x002A}),
    ],
)
def test_what_only_says_that_it_is_a_door_is_none(
    inputs: set[int], device_type: int, sleepy: bool, values: dict[tuple[int, int], int]
) -> None:
    plan = one(inputs, device_type=device_type, sleepy=sleepy, values=values, row=DOOR)
    assert "contact" not in plan.kinds
    (note,) = plan.notes(DOOR)
    assert note.text().startswith("it says that it is a contact sensor by its model, and ")
    assert note.text().endswith("replace it")


def test_a_door_that_says_it_is_a_detector_of_gas_is_a_door() -> None:
    assert "gas" in one({ZONE}, values={ZONE_TYPE: 0x002B}, row=GAS).kinds
    plan = one({ZONE}, values={ZONE_TYPE: 0x0015}, row=GAS)
    assert "gas" not in plan.kinds
    assert "contact" in plan.kinds


def test_a_plug_says_switch_whatever_its_model_says() -> None:
    assert one({0x0006}, device_type=0x0051, sleepy=False, row=DOOR).kinds == ("switch", "link_quality")
