"""Devices that do wrong, on demand."""

from __future__ import annotations

import pytest

from homenode.errors import Refused
from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.device_catalogue import model
from homenode.sim.zigbee.device_faults import KINDS
from tests.unit.sim_device_air import PaperAir, bind, reports


def _plug(air: PaperAir, fault: str, **how: float) -> VirtualDevice:
    device = VirtualDevice(model("plug"), 7, air)
    device.join()
    bind(air, device, 1, 0x0B04)
    air.take()
    device.misbehave(fault, **how)
    return device


def _measure(fault: str) -> list[Aps]:
    air = PaperAir()
    _plug(air, fault).measure("power", 100, at_once=True)
    return air.take()


def test_an_unknown_fault_is_refused_with_those_there_are() -> None:
    with pytest.raises(Refused, match="half_interview"):
        _plug(PaperAir(), "explodes")


def test_half_an_interview_ends_at_the_simple_descriptor() -> None:
    air = PaperAir()
    plug = _plug(air, "half_interview")
    assert air.tell(plug, 0x0002, b"\x01\x34\x12", endpoint=0, profile=0)
    assert air.tell(plug, 0x0005, b"\x01\x34\x12", endpoint=0, profile=0)
    assert air.tell(plug, 0x0004, b"\x01\x34\x12\x01", endpoint=0, profile=0) == []
    assert air.tell(plug, 0x0000, b"\x00\x01\x00\x05\x00") == []


def test_a_report_of_the_wrong_type_is_text() -> None:
    assert reports(_measure("wrong_types")) == [(1, 0x0B04, 0x050B, "oops")]


def test_a_report_out_of_range_is_the_invalid_value() -> None:
    assert reports(_measure("out_of_range")) == [(1, 0x0B04, 0x050B, -0x8000)]


def test_a_duplicate_is_the_same_frame_byte_for_byte() -> None:
    first, second = _measure("duplicates")
    assert first == second


def test_a_truncated_frame_lacks_its_end() -> None:
    (frame,) = _measure("truncated")
    assert len(frame.payload) == 6


def test_a_frame_from_nowhere_names_an_endpoint_that_is_not_there() -> None:
    (frame,) = _measure("unknown_cluster")
    assert (frame.source_endpoint, frame.cluster) == (99, 0xFD00)


def test_out_of_order_swaps_two_frames() -> None:
    air = PaperAir()
    plug = _plug(air, "out_of_order")
    plug.measure("power", 1, at_once=True)
    plug.measure("power", 2, at_once=True)
    assert [value for *_, value in reports(air.take())] == [20, 10]


def test_a_flood_repeats_until_the_device_is_well_again() -> None:
    air = PaperAir()
    plug = _plug(air, "flood", rate=50)
    plug.measure("power", 1, at_once=True)
    air.run(2.01)
    assert 99 <= len(air.take()) <= 102
    plug.misbehave("")
    air.run(2)
    assert air.take() == []


def test_a_device_that_joins_twice_announces_itself_again_and_again() -> None:
    air = PaperAir()
    _plug(air, "joins_twice", every_s=10)
    air.run(35)
    assert [frame.cluster for frame in air.take()] == [0x0013] * 3


@pytest.mark.parametrize("fault", KINDS)
def test_no_fault_breaks_the_device_itself(fault: str) -> None:
    air = PaperAir()
    plug = _plug(air, fault)
    plug.measure("power", 3, at_once=True)
    air.run(1)
    plug.misbehave("")
    air.take()
    plug.measure("power", 4, at_once=True)
    assert reports(air.take()) == [(1, 0x0B04, 0x050B, 40)]
