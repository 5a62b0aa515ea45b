"""Every dump of a real device is what a person who knows it says it is (`python -m tests.zigbee_dumps`)."""

from __future__ import annotations

import pytest

from tests.unit.zigbee.devices_at_hand import DUMPS, index, plan_of, spec_of
from tests.zigbee_dumps.table import Expected, Line, expectations, line


def _lines() -> list[Line]:
    index()  # skips where the dumps are not at hand
    expected, lines = expectations(), []
    for file in sorted((DUMPS / "json").glob("*.json")):
        spec = spec_of(file)
        model = f"{spec.manufacturer}/{spec.model}"
        lines.append(line(model, plan_of(file).kinds, expected.get(model)))
    return lines


def test_every_dumped_device_has_the_points_of_what_it_is_and_no_other() -> None:
    assert [str(one) for one in _lines() if not one.right] == []


def test_no_dumped_device_watches_over_something_that_it_does_not() -> None:
    assert [str(one) for one in _lines() if one.dangerous] == []


def test_somebody_has_said_of_each_dump_what_it_is() -> None:
    models = {one.model for one in _lines()}
    assert models == set(expectations())


@pytest.mark.parametrize(
    ("kinds", "right", "dangerous"),
    [
        (("motion", "battery", "link_quality"), True, False),
        (("battery", "link_quality"), False, False),
        (("motion", "contact"), False, True),
        (("motion", "switch"), False, False),
        (("motion", "motion_2", "tamper"), True, False),
    ],
)
def test_the_table_tells_right_from_wrong(kinds: tuple[str, ...], right: bool, dangerous: bool) -> None:
    one = line("A/B", kinds, Expected({"motion": 1}, frozenset({"tamper"}), "by name"))
    assert (one.right, one.dangerous) == (right, dangerous)


def test_a_device_that_nobody_has_looked_at_is_not_right() -> None:
    assert not line("A/B", ("motion",), None).right
