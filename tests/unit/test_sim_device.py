"""What virtual devices do when a person does something to them, and by themselves."""

from __future__ import annotations

import dataclasses

import pytest
from zigpy.zdo.types import Neighbors

from homenode.errors import Refused, SetupError
from homenode.kinds import KINDS
from homenode.sim.zigbee.air import Role
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.device_catalogue import FOLDER, model, models
from tests.unit.sim_device_air import (
    COORDINATOR_IEEE,
    PaperAir,
    bind,
    configure,
    reports,
    specific,
    zone_status,
)


def _joined(name: str, air: PaperAir, **how: float) -> VirtualDevice:
    device = VirtualDevice(model(name), 0x00158D0002AABB01, air, **how)
    assert device.join()
    return device


def test_every_model_names_its_source_and_a_kind_that_homenode_has() -> None:
    assert len(models()) >= 13
    for name, spec in models().items():
        assert spec.source, name
        assert spec.thing in KINDS, name
        rows = [line for line in (FOLDER / f"{name}.yaml").read_text().splitlines() if line[:1] != "#"]
        assert len(rows) <= 15, name


def test_a_model_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(SetupError, match="water"):
        model("teapot")


def test_joining_is_announced_with_both_addresses() -> None:
    air = PaperAir()
    _joined("plug", air)
    announce, question = air.take()
    assert (question.destination, question.cluster) == (0, 0x0001)  # routers ask who the coordinator is
    assert (announce.destination, announce.profile, announce.cluster) == (0xFFFD, 0, 0x0013)
    assert announce.payload[1:] == b"\x34\x12" + (0x00158D0002AABB01).to_bytes(8, "little") + b"\x8e"


def test_nobody_joins_a_closed_network() -> None:
    air = PaperAir()
    air.open = False
    assert not VirtualDevice(model("plug"), 1, air).join()


def test_a_lamp_switched_from_the_air_is_seen_in_the_apartment() -> None:
    seen = []
    air = PaperAir()
    lamp = VirtualDevice(
        model("lamp"), 1, air, on_output=lambda device, kind, value: seen.append((kind, value))
    )
    lamp.join()
    air.tell(lamp, 0x0006, specific(0x01))
    air.tell(lamp, 0x0006, specific(0x01))
    air.tell(lamp, 0x0008, specific(0x04, b"\x00\x00\x00"))
    assert seen == [("light", True), ("light", False)]
    assert lamp.on is False


def test_a_plug_reports_what_its_own_button_does() -> None:
    air = PaperAir()
    plug = _joined("plug", air)
    configure(air, plug, (1, 0x0006, 0x0000), 0x10, 0, 3600, b"")
    plug.operate("switch", True)
    assert reports(air.take()) == [(1, 0x0006, 0x0000, True)]


def test_power_is_told_in_the_unit_of_the_plug_s_divisor() -> None:
    air = PaperAir()
    for name, raw in (("plug", 20000), ("plug_innr", 2000)):
        plug = _joined(name, air)
        bind(air, plug, 1, 0x0B04)
        air.take()
        plug.measure("power", 2000, at_once=True)
        assert reports(air.take()) == [(1, 0x0B04, 0x050B, raw)]


def test_temperature_light_and_occupancy_come_from_their_own_clusters() -> None:
    air = PaperAir()
    eye = _joined("motion_hue", air)
    configure(air, eye, (2, 0x0402, 0x0000), 0x29, 0, 3600, b"\x01\x00")
    configure(air, eye, (2, 0x0400, 0x0000), 0x21, 0, 3600, b"\x01\x00")
    configure(air, eye, (2, 0x0406, 0x0000), 0x18, 0, 3600, b"")
    air.take()
    eye.measure("temperature", -3.5)
    eye.measure("illuminance", 100)
    eye.trip()
    assert reports(air.take()) == [
        (2, 0x0402, 0, -350),
        (2, 0x0400, 0, 20001),
        (2, 0x0406, 0, 1),
    ]
    air.run(10)  # the delay after which it clears by itself
    assert reports(air.take()) == [(2, 0x0406, 0, 0)]


def test_a_bed_mat_holds_as_long_as_somebody_lies_on_it() -> None:
    air = PaperAir()
    mat = _joined("bed_mat", air)
    configure(air, mat, (1, 0x0406, 0x0000), 0x18, 0, 0, b"")
    mat.trip()
    air.run(8 * 3600)
    mat.trip(False)
    assert [value for *_, id_, value in reports(air.take()) if id_ == 0 and value < 2] == [1, 0]


def test_an_aqara_door_reports_without_being_asked_and_beats_its_heart() -> None:
    air = PaperAir()
    door = _joined("contact_aqara", air)
    air.take()
    door.trip()
    assert reports(air.take()) == [(1, 0x0006, 0x0000, True)]
    door.battery(50)
    air.run(3000)
    (beat,) = [frame for frame in air.take() if frame.cluster == 0x0000]
    assert beat.payload[:3] == b"\x1c\x5f\x11"
    assert beat.payload[5:8] == b"\x01\xff\x42"
    assert beat.payload[9:13] == b"\x01\x21" + (3000).to_bytes(2, "little")


def test_a_remote_speaks_only_to_what_it_is_bound_to() -> None:
    air = PaperAir()
    remote = _joined("button_ikea", air)
    air.take()
    remote.press()
    assert air.take() == []
    bind(air, remote, 1, 0x0006)
    air.take()
    remote.press("off")
    (command,) = air.take()
    assert (command.cluster, command.payload[0], command.payload[2]) == (0x0006, 0x01, 0x00)
    with pytest.raises(Refused, match="hold"):
        remote.press("with the elbow")


def test_a_button_reports_how_it_was_pressed() -> None:
    air = PaperAir()
    button = _joined("button", air)
    air.take()
    for kind in ("single", "double", "hold", "single", "single"):
        button.press(kind)
    assert [value for *_, value in reports(air.take())] == [1, 2, 0, 1, 1]


def test_a_lock_tells_who_moved_its_bolt() -> None:
    air = PaperAir()
    lock = _joined("lock", air)
    bind(air, lock, 1, 0x0101)
    event, answer = air.tell(lock, 0x0101, specific(0x01))
    assert event.payload[2:5] == b"\x20\x01\x02"  # by radio, unlocked
    assert answer.payload == b"\x19\x09\x01\x00"
    assert lock.locked is False
    lock.operate("lock", True)
    (event,) = air.take()
    assert event.payload[2:5] == b"\x20\x02\x08"  # by hand, locked


def test_a_siren_stops_by_itself_after_the_time_it_was_told() -> None:
    air = PaperAir()
    siren = _joined("siren", air)
    air.tell(siren, 0x0502, specific(0x00, b"\x14\x0a\x00\x00\x00"))
    assert siren.siren is True
    air.run(10)
    assert siren.siren is False
    air.tell(siren, 0x0502, specific(0x00, b"\x14\x0a\x00\x00\x00"))
    air.tell(siren, 0x0502, specific(0x00, b"\x00\x00\x00\x00\x00"))
    assert siren.siren is False


def test_a_sleeper_hears_what_waits_when_it_polls() -> None:
    air = PaperAir()
    sensor = _joined("water", air)
    air.run(70)
    air.polls.clear()
    air.run(60)
    assert len(air.polls) == 12  # every 5 s once it is asleep
    air.tell(sensor, 0x0000, b"\x00\x01\x00\x05\x00")
    air.polls.clear()
    air.run(1.1)
    assert len(air.polls) == 4  # every quarter second while it waits for an answer


def test_a_mains_device_never_polls() -> None:
    air = PaperAir()
    _joined("plug", air)
    air.run(600)
    assert air.polls == []


def test_a_sensor_checks_in_and_can_be_asked_to_stay_awake() -> None:
    air = PaperAir()
    sensor = _joined("water", air)
    bind(air, sensor, 1, 0x0020)
    air.take()
    air.run(3300)
    (check_in,) = air.take()
    assert (check_in.cluster, check_in.payload[0], check_in.payload[2]) == (0x0020, 0x09, 0x00)
    air.polls.clear()
    air.tell(sensor, 0x0020, specific(0x00, b"\x01\x28\x00"))
    air.run(10)
    assert len(air.polls) >= 40


def test_a_sensor_told_that_there_is_nothing_more_goes_back_to_sleep() -> None:
    air = PaperAir()
    sensor = _joined("water", air)
    air.tell(sensor, 0x0020, specific(0x02, b"\x28\x00\x00\x00", quiet=True))
    air.tell(sensor, 0x0020, specific(0x01, quiet=True))
    air.run(1)
    air.polls.clear()
    air.run(60)
    assert len(air.polls) == 6  # every 10 s, as it was told


def test_a_router_lists_the_coordinator_and_other_routers_as_neighbours() -> None:
    air = PaperAir()
    plug = _joined("plug", air)
    coordinator = b"\x01\x00" + COORDINATOR_IEEE.to_bytes(8, "little") + b"\x00\x00"
    air.tell(plug, 0x8001, coordinator, endpoint=0, profile=0)
    for ieee, capability in ((5, b"\x8e"), (6, b"\x80")):
        announce = b"\x01" + ieee.to_bytes(2, "little") + ieee.to_bytes(8, "little") + capability
        air.tell(plug, 0x0013, announce, endpoint=0, profile=0, destination=0xFFFD)
    (answer,) = air.tell(plug, 0x0031, b"\x01\x00", endpoint=0, profile=0)
    neighbours, rest = Neighbors.deserialize(answer.payload[2:])
    assert rest == b""
    assert [int(one.nwk) for one in neighbours.NeighborTableList] == [0, 5]


def test_a_jammed_lock_says_so_and_leaves_the_bolt() -> None:
    air = PaperAir()
    lock = _joined("lock", air)
    lock.misbehave("jammed")
    (answer,) = air.tell(lock, 0x0101, specific(0x01))
    assert answer.payload == b"\x19\x09\x01\x01"
    assert lock.locked is True


def test_a_help_button_is_an_alarm_for_a_moment() -> None:
    air = PaperAir()
    button = VirtualDevice(dataclasses.replace(model("help_button"), enrolment="none"), 1, air)
    button.join()
    button.press()
    air.run(1)
    assert zone_status(air.take()) == [1, 0]


def test_check_ins_come_sooner_at_a_faster_pace() -> None:
    air = PaperAir()
    sensor = _joined("water", air, pace=60)
    bind(air, sensor, 1, 0x0020)
    air.take()
    air.run(166)
    assert len(air.take()) == 3


def test_a_silent_sensor_neither_speaks_nor_hears_until_it_is_revived() -> None:
    air = PaperAir()
    sensor = _joined("bed_mat", air)
    configure(air, sensor, (1, 0x0406, 0x0000), 0x18, 0, 0, b"")
    sensor.silence()
    air.take()
    sensor.trip()
    air.run(7200)
    assert air.tell(sensor, 0x0002, b"\x01\x34\x12", endpoint=0, profile=0) == []
    assert air.take() == []
    sensor.revive()
    assert air.take()[0].cluster == 0x0013
    sensor.trip(False)
    assert reports(air.take()) == [(1, 0x0406, 0, 0)]


def test_an_unplugged_plug_is_mute_and_a_plugged_in_one_tells_its_state() -> None:
    air = PaperAir()
    plug = _joined("plug", air)
    configure(air, plug, (1, 0x0006, 0x0000), 0x10, 0, 600, b"")
    plug.operate("switch", True)
    air.take()
    plug.unplug()
    air.run(3600)
    assert air.take() == []
    plug.plug_in()
    announce, _, report = air.take()
    assert announce.cluster == 0x0013
    assert reports([report]) == [(1, 0x0006, 0x0000, True)]
    air.run(600)
    assert len(reports(air.take())) == 1


def test_a_moved_device_is_heard_with_its_new_link_quality() -> None:
    air = PaperAir()
    door = _joined("contact_aqara", air)
    door.move(17)
    door.trip()
    assert air.link_quality == 17


def test_a_leave_request_is_answered_and_obeyed() -> None:
    air = PaperAir()
    plug = _joined("plug", air)
    bind(air, plug, 1, 0x0006)
    (answer,) = air.tell(plug, 0x0034, b"\x05" + bytes(8) + b"\x00", endpoint=0, profile=0)
    assert (answer.cluster, answer.payload) == (0x8034, b"\x05\x00")
    assert air.left == [(plug.ieee, False)]
    assert not plug.on_network
    assert plug.bindings == []


def test_a_device_remembers_the_network_over_a_restart_of_the_simulator() -> None:
    air = PaperAir()
    plug = _joined("plug", air)
    configure(air, plug, (1, 0x0B04, 0x050B), 0x29, 0, 600, b"\x0a\x00")
    air.tell(plug, 0x0004, specific(0x00, b"\x05\x00\x00"))
    plug.operate("switch", True)
    state = plug.remember()
    again = VirtualDevice(model("plug"), plug.ieee, air)
    air.take()
    again.recall(state)
    assert air.take() == []
    assert again.remember() == state
    assert again.on is True
    again.measure("power", 50)
    assert reports(air.take()) == [(1, 0x0B04, 0x050B, 500)]


def test_roles_are_as_the_power_says() -> None:
    assert model("plug").role is Role.ROUTER
    assert model("water").sleepy
    assert not model("plug").battery_powered
