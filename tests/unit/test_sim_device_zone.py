"""How alarm sensors enrol and tell, in each of the ways that devices on the market have."""

from __future__ import annotations

import dataclasses

import pytest

from homenode.errors import Refused
from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.device_catalogue import model
from tests.unit.sim_device_air import COORDINATOR_IEEE, PaperAir, general, specific, zone_status

ZONE, CIE = 0x0500, 0x0010
ENROL = specific(0x00, b"\x00\x05", quiet=True)


def _sensor(air: PaperAir, enrolment: str = "request", name: str = "water") -> VirtualDevice:
    device = VirtualDevice(dataclasses.replace(model(name), enrolment=enrolment), 0x44, air)
    device.join()
    air.take()
    return device


def _write_cie(air: PaperAir, device: VirtualDevice) -> list[Aps]:
    """Write the CIE address; gives what follows the write response."""
    record = CIE.to_bytes(2, "little") + b"\xf0" + COORDINATOR_IEEE.to_bytes(8, "little")
    (answer,) = air.tell(device, ZONE, general(0x02, record))
    assert answer.payload[3:] == b"\x00"
    air.run(0)
    return air.take()


def _state(device: VirtualDevice) -> tuple[object, object]:
    zone = device.servers[1, ZONE]
    return zone.value(0x0000), zone.value(0x0011)


def test_a_sensor_asks_to_enrol_once_the_address_is_written() -> None:
    air = PaperAir()
    device = _sensor(air)
    (request,) = _write_cie(air, device)
    assert request.payload[0] & 0x09 == 0x09  # of the cluster, to the client
    assert request.payload[2:] == b"\x01\x2a\x00\x7c\x11"  # enroll request, water, IKEA
    assert _state(device) == (0, 0xFF)
    air.tell(device, ZONE, ENROL)
    assert _state(device) == (1, 5)


def test_a_response_that_nobody_asked_for_enrols_too() -> None:
    air = PaperAir()
    device = _sensor(air, "response")
    assert _write_cie(air, device) == []
    air.tell(device, ZONE, ENROL)
    assert _state(device) == (1, 5)


def test_a_response_before_the_address_or_with_a_refusal_enrols_nobody() -> None:
    air = PaperAir()
    device = _sensor(air)
    air.tell(device, ZONE, ENROL)
    assert _state(device) == (0, 0xFF)
    _write_cie(air, device)
    air.tell(device, ZONE, specific(0x00, b"\x01\x05", quiet=True))
    assert _state(device) == (0, 0xFF)


def test_trip_to_pair_asks_when_tripped_and_tells_what_happened_once_enrolled() -> None:
    air = PaperAir()
    device = _sensor(air, "trip")
    assert _write_cie(air, device) == []
    device.trip()
    (request,) = air.take()
    assert request.payload[2] == 0x01
    assert zone_status(air.tell(device, ZONE, ENROL)) == [1]


def test_nothing_is_told_before_enrolment() -> None:
    air = PaperAir()
    device = _sensor(air, "response")
    device.trip()
    assert air.take() == []


def test_a_device_that_needs_no_enrolment_tells_at_once() -> None:
    air = PaperAir()
    device = _sensor(air, "none")
    device.trip()
    assert zone_status(air.take()) == [1]


def test_alarm_tamper_and_battery_are_bits_of_one_status() -> None:
    air = PaperAir()
    device = _sensor(air, "none")
    device.trip()
    device.tamper()
    device.battery(5)
    device.trip(False)
    device.tamper(False)
    assert zone_status(air.take()) == [0x01, 0x05, 0x0D, 0x0C, 0x08]


def test_being_tripped_twice_is_told_once() -> None:
    air = PaperAir()
    device = _sensor(air, "none")
    device.trip()
    device.trip()
    assert zone_status(air.take()) == [1]


def test_the_idle_status_of_a_frient_alarm_is_kept_under_its_alarm() -> None:
    air = PaperAir()
    device = _sensor(air, "none", "smoke")
    device.trip()
    device.trip(False)
    assert zone_status(air.take()) == [0x31, 0x30]


def test_test_mode_carries_the_test_bit_and_ends_by_itself() -> None:
    air = PaperAir()
    device = _sensor(air, "none")
    told = air.tell(device, ZONE, specific(0x02, b"\x0a\x01", quiet=True))
    assert zone_status(told) == [0x100]
    air.run(10)
    assert zone_status(air.take()) == [0]


def test_a_test_button_is_not_an_alarm_and_on_a_gas_detector_looks_like_one() -> None:
    air = PaperAir()
    for name, bits in (("smoke", 0x130), ("gas", 0x02)):
        device = _sensor(air, "none", name)
        device.test()
        assert zone_status(air.take()) == [bits]


def test_leaving_ends_the_enrolment() -> None:
    air = PaperAir()
    device = _sensor(air)
    _write_cie(air, device)
    air.tell(device, ZONE, ENROL)
    device.leave()
    assert _state(device) == (0, 0xFF)


@pytest.mark.parametrize(("name", "thing"), [("lamp", "anything"), ("plug", "anything")])
def test_what_senses_nothing_cannot_be_tripped(name: str, thing: str) -> None:
    device = VirtualDevice(model(name), 1, PaperAir())
    with pytest.raises(Refused, match=f"doesn't sense {thing}"):
        device.trip()
