"""How a virtual device answers the general commands of the ZCL, as zigpy reads its answers."""

from __future__ import annotations

import pytest
from zigpy.zcl.foundation import Status

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.device import VirtualDevice as Device
from homenode.sim.zigbee.device_catalogue import model
from tests.unit.sim_device_air import PaperAir, configure, general, read, reports, specific


@pytest.fixture
def air() -> PaperAir:
    return PaperAir()


@pytest.fixture
def plug(air: PaperAir) -> Device:
    device = Device(model("plug"), 0x1111, air)
    assert device.join()
    return device


def _status(frames: list[Aps]) -> Status:
    (frame,) = frames
    _, body = read(frame)
    return Status(body.status)  # type: ignore[attr-defined]  # zigpy makes its schemas at run time


def _read(*attributes: int) -> bytes:
    return general(0x00, b"".join(one.to_bytes(2, "little") for one in attributes))


def test_a_read_gives_value_or_unsupported_for_each_attribute(air: PaperAir, plug: Device) -> None:
    (frame,) = air.tell(plug, 0x0000, _read(0x0004, 0x0005, 0x9999))
    header, body = read(frame)
    maker, kind, unknown = body.status_records  # type: ignore[attr-defined]  # made at run time
    assert header.tsn == 7
    assert maker.value.value == "IKEA of Sweden"
    assert kind.value.value == "INSPELNING Smart plug"
    assert unknown.status == Status.UNSUPPORTED_ATTRIBUTE


def test_an_answer_never_outgrows_what_the_air_carries(air: PaperAir, plug: Device) -> None:
    (frame,) = air.tell(plug, 0x0000, _read(*[0x0005] * 12))
    assert len(frame.payload) <= 82
    _, body = read(frame)
    assert body.status_records[0].status == Status.SUCCESS  # type: ignore[attr-defined]  # made at run time
    assert body.status_records[-1].status == Status.INSUFFICIENT_SPACE  # type: ignore[attr-defined]  # the same


def test_an_unknown_cluster_is_refused_by_default_response(air: PaperAir, plug: Device) -> None:
    assert _status(air.tell(plug, 0x0402, _read(0))) == Status.UNSUPPORTED_CLUSTER


def test_an_unknown_command_is_refused_even_when_success_is_silent(air: PaperAir, plug: Device) -> None:
    assert _status(air.tell(plug, 0x0006, specific(0x77, quiet=True))) == Status.UNSUP_CLUSTER_COMMAND


def test_a_command_done_is_confirmed_unless_that_was_disabled(air: PaperAir, plug: Device) -> None:
    assert _status(air.tell(plug, 0x0006, specific(0x01))) == Status.SUCCESS
    assert air.tell(plug, 0x0006, specific(0x00, quiet=True)) == []


def test_an_unknown_general_command_is_refused(air: PaperAir, plug: Device) -> None:
    assert _status(air.tell(plug, 0x0006, general(0x30, b""))) == Status.UNSUP_GENERAL_COMMAND


def test_a_truncated_command_is_malformed_and_harms_nothing(air: PaperAir, plug: Device) -> None:
    assert _status(air.tell(plug, 0x0006, general(0x00, b"\x01"))) == Status.MALFORMED_COMMAND
    assert _status(air.tell(plug, 0x0003, specific(0x00))) == Status.MALFORMED_COMMAND
    assert _status(air.tell(plug, 0x0006, specific(0x01))) == Status.SUCCESS


def test_an_answer_is_not_answered(air: PaperAir, plug: Device) -> None:
    assert air.tell(plug, 0x0006, general(0x0B, b"\x0a\x00", to_client=False)) == []
    assert air.tell(plug, 0x7777, general(0x0B, b"\x0a\x00", to_client=False)) == []


def test_a_broadcast_is_obeyed_in_silence(air: PaperAir, plug: Device) -> None:
    assert air.tell(plug, 0x0006, specific(0x01), endpoint=0xFF, destination=0xFFFD) == []
    assert plug.on is True


def test_a_groupcast_is_heard_by_members_only(air: PaperAir, plug: Device) -> None:
    air.tell(plug, 0x0006, specific(0x01), endpoint=0xFF, destination=0xFFFD, group=5)
    assert plug.on is False
    (added,) = air.tell(plug, 0x0004, specific(0x00, b"\x05\x00\x00"))
    assert added.payload == b"\x19\x09\x00\x00\x05\x00"
    air.tell(plug, 0x0006, specific(0x01), endpoint=0xFF, destination=0xFFFD, group=5)
    assert plug.on is True


def test_writing_is_refused_where_read_only_mistyped_or_unknown(air: PaperAir, plug: Device) -> None:
    records = b"\x00\x00\x10\x01" + b"\x03\x40\x20\x01" + b"\x77\x77\x20\x01"
    (frame,) = air.tell(plug, 0x0006, general(0x02, records))
    _, body = read(frame)
    assert [one.status for one in body.status_records] == [  # type: ignore[attr-defined]  # made at run time
        Status.READ_ONLY,
        Status.INVALID_DATA_TYPE,
        Status.UNSUPPORTED_ATTRIBUTE,
    ]


def test_an_undivided_write_is_all_or_nothing(air: PaperAir, plug: Device) -> None:
    before = plug.servers[1, 0x0006].value(0x4003)
    air.tell(plug, 0x0006, general(0x03, b"\x03\x40\x30\x00" + b"\x77\x77\x20\x01"))
    assert plug.servers[1, 0x0006].value(0x4003) == before
    (frame,) = air.tell(plug, 0x0006, general(0x03, b"\x03\x40\x30\x00"))
    assert frame.payload[3:] == b"\x00"
    assert plug.servers[1, 0x0006].value(0x4003) == 0


def test_manufacturer_specific_frames_miss_standard_attributes(air: PaperAir, plug: Device) -> None:
    (frame,) = air.tell(plug, 0x0000, general(0x00, b"\x04\x00", code=0x117C))
    header, body = read(frame)
    assert header.manufacturer == 0x117C
    assert body.status_records[0].status == Status.UNSUPPORTED_ATTRIBUTE  # type: ignore[attr-defined]  # made then
    (frame,) = air.tell(plug, 0x0006, bytes((0x05, 0x7C, 0x11, 9, 0x02)))
    assert frame.payload[-1] == Status.UNSUP_MANUF_CLUSTER_COMMAND


def test_reporting_is_refused_with_the_reason(air: PaperAir, plug: Device) -> None:
    power = b"\x00\x0b\x05"
    wrong_type = general(0x06, power + b"\x21\x01\x00\x0a\x00\x01\x00")
    assert air.tell(plug, 0x0B04, wrong_type)[0].payload[3:] == b"\x8d" + power
    backwards = general(0x06, power + b"\x29\x0a\x00\x01\x00\x01\x00")
    assert air.tell(plug, 0x0B04, backwards)[0].payload[3:] == b"\x87" + power
    unknown = general(0x06, b"\x00\x77\x77\x29\x01\x00\x0a\x00\x01\x00")
    assert air.tell(plug, 0x0B04, unknown)[0].payload[3:] == b"\x86\x00\x77\x77"
    of_a_string = general(0x06, b"\x00\x05\x00\x42\x01\x00\x0a\x00")
    assert air.tell(plug, 0x0000, of_a_string)[0].payload[3:] == b"\x8c\x00\x05\x00"


def test_the_reporting_configuration_can_be_read_back(air: PaperAir, plug: Device) -> None:
    asked = general(0x08, b"\x00\x0b\x05")
    assert air.tell(plug, 0x0B04, asked)[0].payload[3:] == b"\x8b\x00\x0b\x05"
    configure(air, plug, (1, 0x0B04, 0x050B), 0x29, 5, 600, b"\x0a\x00")
    (frame,) = air.tell(plug, 0x0B04, asked)
    _, body = read(frame)
    config = body.attribute_configs[0].config  # type: ignore[attr-defined]  # made at run time
    assert (config.min_interval, config.max_interval, config.reportable_change) == (5, 600, 10)


def test_attributes_can_be_discovered_page_by_page(air: PaperAir, plug: Device) -> None:
    found, start = [], 0
    while True:
        (frame,) = air.tell(plug, 0x0B04, general(0x0C, start.to_bytes(2, "little") + b"\x04"))
        _, body = read(frame)
        found += [int(one.attrid) for one in body.attribute_info]  # type: ignore[attr-defined]  # made at run time
        if body.discovery_complete:  # type: ignore[attr-defined]  # the same
            break
        start = found[-1] + 1
    assert found == sorted(plug.servers[1, 0x0B04].attributes)


def test_a_lock_tells_what_commands_it_takes(air: PaperAir) -> None:
    lock = Device(model("lock"), 0x22, air)
    lock.join()
    (frame,) = air.tell(lock, 0x0101, general(0x11, b"\x00\x10"))
    assert frame.payload[3:] == b"\x01\x00\x01\x02"


def test_the_ota_client_answers_a_read_of_its_version(air: PaperAir, plug: Device) -> None:
    (frame,) = air.tell(plug, 0x0019, general(0x00, b"\x02\x00", to_client=True))
    header, body = read(frame)
    assert not header.direction
    assert body.status_records[0].status == Status.SUCCESS  # type: ignore[attr-defined]  # made at run time


def test_the_ota_client_asks_for_an_image_when_told_of_one(air: PaperAir, plug: Device) -> None:
    (query,) = air.tell(plug, 0x0019, specific(0x00, b"\x00\x64", to_client=True, quiet=True))
    assert query.payload[0] == 0x01
    assert query.payload[2] == 0x01
    assert query.payload[4:6] == b"\x7c\x11"
    assert air.tell(plug, 0x0019, specific(0x02, b"\x98", to_client=True, quiet=True)) == []


def test_reports_keep_the_minimum_interval_and_tell_the_last_value(air: PaperAir, plug: Device) -> None:
    configure(air, plug, (1, 0x0B04, 0x050B), 0x29, 5, 600, b"\x0a\x00")
    air.take()
    plug.measure("power", 100)
    plug.measure("power", 200)
    plug.measure("power", 300)
    assert reports(air.take()) == [(1, 0x0B04, 0x050B, 1000)]
    air.run(5)
    assert reports(air.take()) == [(1, 0x0B04, 0x050B, 3000)]


def test_a_small_change_waits_for_the_maximum_interval(air: PaperAir, plug: Device) -> None:
    configure(air, plug, (1, 0x0B04, 0x050B), 0x29, 0, 60, b"\x64\x00")
    plug.measure("power", 9)
    assert reports(air.take()) == []
    air.run(59)
    assert reports(air.take()) == []
    air.run(1)
    assert reports(air.take()) == [(1, 0x0B04, 0x050B, 90)]
    air.run(60)
    assert reports(air.take()) == [(1, 0x0B04, 0x050B, 90)]


def test_reporting_ends_with_the_maximum_interval_of_all_ones(air: PaperAir, plug: Device) -> None:
    configure(air, plug, (1, 0x0B04, 0x050B), 0x29, 0, 60, b"\x01\x00")
    configure(air, plug, (1, 0x0B04, 0x050B), 0x29, 0, 0xFFFF, b"\x01\x00")
    plug.measure("power", 500)
    air.run(600)
    assert reports(air.take()) == []


def test_nothing_is_reported_to_nobody(air: PaperAir, plug: Device) -> None:
    record = b"\x00\x00\x00\x10\x00\x00\x3c\x00"
    (answer,) = air.tell(plug, 0x0006, general(0x06, record))
    assert answer.payload[3:] == b"\x00"
    air.take()
    plug.operate("switch", True)
    air.run(120)
    assert reports(air.take()) == []


def test_a_faster_pace_shortens_the_device_s_own_intervals(air: PaperAir) -> None:
    device = Device(model("plug"), 0x33, air, pace=60)
    device.join()
    configure(air, device, (1, 0x0B04, 0x050B), 0x29, 0, 600, b"\x01\x00")
    air.take()
    air.run(10)
    assert len(reports(air.take())) == 1
