"""What is said of a point that a home doesn't have, and what it probably was meant to be."""

from __future__ import annotations

import pytest

from homenode.config.model import Device
from homenode.config.points import why_no_pattern, why_no_point
from homenode.kinds import KINDS

DEVICES = {
    "stove": Device("stove", "zigbee", "kitchen"),
    "sink": Device("sink", "gpio", "kitchen", kinds=("water", "battery")),
    "wire": Device("wire", "gpio", "hall", kinds=("contact",)),
}
KNOWN = "a point of a device of this home: stove, sink or wire"
SHAPE = "a point DEVICE.KIND, such as stove.power"


@pytest.mark.parametrize(
    ("name", "accepted", "suggestion"),
    [
        ("stove.power", "", ""),
        ("stove.power_2", "", ""),
        ("sink.water", "", ""),
        ("stov.power", KNOWN, "stove.power"),
        ("stov.powr", KNOWN, "stove.power"),
        ("snk.power", KNOWN, "sink.water"),
        ("snk.batery", KNOWN, "sink.battery"),
        ("wires.nothing", KNOWN, "wire.contact"),
        ("xyz.power", KNOWN, ""),
        ("sink.power", "sink.water or sink.battery", "sink.water"),
        ("sink.batery", "sink.water or sink.battery", "sink.battery"),
        ("wire.water", "wire.contact", "wire.contact"),
        ("stove", "a point DEVICE.KIND, such as stove.contact", ""),
        ("sink", "a point DEVICE.KIND, such as sink.water", ""),
        ("Stove.power", SHAPE, "stove.power"),
        ("Stove.Powr", SHAPE, "stove.power"),
        ("nothing", SHAPE, ""),
        (".power", SHAPE, ""),
    ],
)
def test_what_a_home_does_not_have_is_told_with_what_was_meant(
    name: str, accepted: str, suggestion: str
) -> None:
    assert why_no_point(name, DEVICES) == (accepted, suggestion)


def test_a_device_with_a_name_that_is_none_is_not_what_was_meant() -> None:
    devices = {"Dörr": Device("Dörr", "gpio", "hall", kinds=("contact",))}  # read on, so that all is told
    assert why_no_point("Dörr.contact", devices) == (SHAPE, "")


def test_a_kind_that_nobody_knows_is_told_with_all_there_are() -> None:
    accepted, suggestion = why_no_point("stove.powr", DEVICES)
    assert accepted.startswith("stove.KIND, KIND one of contact, motion")
    assert all(kind in accepted for kind in KINDS)
    assert suggestion == "stove.power"
    assert why_no_point("stove.zzzz", DEVICES)[1] == ""


@pytest.mark.parametrize(
    ("pattern", "accepted", "suggestion"),
    [
        ("*.battery", "", ""),
        ("sink.*", "", ""),
        ("*.*", "", ""),
        ("sink.water", "", ""),
        ("*.power_2", "", ""),
        ("snk.*", "a device of this home: stove, sink or wire", "sink.*"),
        ("snk.water", "a device of this home: stove, sink or wire", "sink.water"),
        ("zzz.water", "a device of this home: stove, sink or wire", ""),
        ("sink.power", "sink.water or sink.battery", "sink.water"),
        ("*", f'{SHAPE}; or with * for any device or any kind, such as "*.battery"', ""),
        ("si*.water", f'{SHAPE}; or with * for any device or any kind, such as "*.battery"', "sink.water"),
    ],
)
def test_what_can_be_shared_is_named_by_point_device_or_kind(
    pattern: str, accepted: str, suggestion: str
) -> None:
    assert why_no_pattern(pattern, DEVICES) == (accepted, suggestion)


def test_a_kind_that_nobody_knows_cannot_be_shared() -> None:
    accepted, suggestion = why_no_pattern("*.batery", DEVICES)
    assert accepted.startswith("KIND one of contact")
    assert all(kind in accepted for kind in KINDS)
    assert suggestion == "*.battery"
    assert why_no_pattern("stove.batery", DEVICES)[1] == "stove.battery"
