"""What a device's frames say, and when they say nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.zigbee.ear import Ear, Known
from drivers.zigbee.plan import Facts, Plan
from drivers.zigbee.rows import row_for
from tests.unit.zigbee.devices_at_hand import one
from tests.unit.zigbee.listening import Gateway

ZONE, ZONE_TYPE = 0x0500, (0x0500, 0x0001)
WATER, DOOR, PENDANT = 0x002A, 0x0015, 0x002C


class Listening:
    """An ear, a device, and frames whose sequence number counts."""

    def __init__(self, plan: Plan, *, name: str = "it") -> None:
        self.host = Gateway()
        self.later: dict[tuple[str, str], tuple[float, Callable[[], None]]] = {}
        self.appeared: list[str] = []
        self.known = Known("", 0, name, plan, Facts(complete=True), None, True)
        self.ear = Ear(
            self.host,
            lambda key, after_s, call: self.later.update({key: (after_s, call)}),
            lambda known, kind: self.appeared.append(kind),
        )
        self._sequence = 0

    def frame(self, cluster: int, control: int, command: int, body: str) -> bool:
        self._sequence += 1
        payload = bytes((control, self._sequence, command)) + bytes.fromhex(body)
        return self.ear.hear(self.known, 1, cluster, payload, self._sequence, None)

    def zone(self, status: int, *, sequence: int | None = None) -> bool:
        if sequence is not None:
            self._sequence = sequence - 1
        return self.frame(ZONE, 0x09, 0x00, status.to_bytes(2, "little").hex() + "00000000")

    def report(self, cluster: int, body: str) -> bool:
        return self.frame(cluster, 0x18, 0x0A, body)


def zoned(zone_type: int, **more: object) -> Listening:
    return Listening(one({ZONE}, values={ZONE_TYPE: zone_type}))


@pytest.mark.parametrize(("status", "wet"), [(0, False), (1, True), (0x21, True), (48, False), (0xF0, False)])
def test_only_alarm_bits_are_an_alarm(status: int, wet: bool) -> None:
    heard = zoned(WATER)
    heard.zone(status)
    assert heard.host.told("water") == [wet]


@pytest.mark.parametrize("zone_type", [0x0028, 0x002A, 0x002B])
def test_alarm_2_of_a_detector_is_its_test_and_no_alarm(zone_type: int) -> None:
    heard = zoned(zone_type)
    heard.zone(0x0002)
    assert [value for _, kind, value in heard.host.readings if kind != "tamper"] == [False]


def test_trouble_is_unknown_and_never_dry_and_wet_is_wet() -> None:
    heard = zoned(WATER)
    heard.zone(0x0040)
    heard.zone(0x0041)
    assert heard.host.told("water") == [None, True]


def test_tamper_is_told_when_it_changes_and_now_and_then() -> None:
    heard = zoned(DOOR)
    for status in (0, 1, 5, 4, 0):
        heard.zone(status)
    assert heard.host.told("tamper") == [False, True, False]
    heard.host.time_ms += 11 * 60_000
    heard.zone(0)
    assert heard.host.told("tamper") == [False, True, False, False]


def test_a_second_portal_is_a_point_once_it_was_open() -> None:
    heard = zoned(DOOR)
    heard.zone(0x0001)
    assert heard.appeared == []
    heard.zone(0x0002)
    assert heard.appeared == ["contact_2"]
    assert heard.host.told("contact") == [True, False]
    assert heard.host.told("contact_2") == [True]


def test_each_alarm_of_a_pendant_is_a_press_and_its_end_is_none() -> None:
    heard = zoned(PENDANT)
    for status in (2, 0, 1, 1):
        heard.zone(status)
    assert heard.host.told("button") == [True, True, True]


def test_reading_the_zone_of_a_pendant_is_no_press() -> None:
    heard = zoned(PENDANT)
    heard.frame(ZONE, 0x18, 0x01, "0200 00 19 0100")
    assert heard.host.told("button") == []


def test_a_low_battery_without_a_percentage_is_a_fault_until_it_is_changed() -> None:
    heard = zoned(DOOR)
    heard.zone(0x0008)
    assert list(heard.host.faults) == ["it battery"]
    assert heard.host.batteries == {"it battery"}
    heard.zone(0x0000)
    assert not heard.host.faults


def test_a_battery_that_was_changed_while_nobody_listened_is_no_fault_any_more() -> None:
    heard = zoned(DOOR)
    heard.host.lost("it battery", "told before a restart")
    heard.zone(0x0000)
    assert not heard.host.faults


@pytest.mark.parametrize(
    ("cluster", "body", "kind", "value"),
    [
        (0x0402, "0000 29 6d08", "temperature", 21.57),
        (0x0402, "0000 29 0080", "temperature", None),
        (0x0405, "0000 21 2e11", "humidity", 43.98),
        (0x0405, "0000 21 ffff", "humidity", None),
        (0x0400, "0000 21 1127", "illuminance", 10.0),
        (0x0400, "0000 21 0000", "illuminance", 0.0),
        (0x0001, "2100 20 9a", "battery", 77.0),
        (0x0001, "2100 20 ff", "battery", None),
        (0x0001, "2100 20 fa", "battery", None),
        (0x0406, "0000 18 01", "motion", True),
        (0x0006, "0000 10 01", "switch", True),
        (0x0006, "0000 10 ff", "switch", None),
    ],
)
def test_a_report_is_told_in_the_unit_of_its_kind(
    cluster: int, body: str, kind: str, value: float | bool | None
) -> None:
    heard = Listening(one({1, 6, 0x0400, 0x0402, 0x0405, 0x0406}, device_type=0x0051))
    assert heard.report(cluster, body)
    assert heard.host.told(kind) == [value]


def test_a_value_of_a_wrong_type_is_malformed_and_ends_the_one_before() -> None:
    heard = Listening(one({0x0402}))
    heard.report(0x0402, "0000 29 6608")
    assert not heard.report(0x0402, "0000 42 02 3231")
    assert heard.host.told("temperature") == [21.5, None]
    assert heard.known.malformed == 1


def test_a_device_that_can_not_be_read_again_and_again_is_a_fault_until_it_can() -> None:
    heard = Listening(one({0x0402}))
    for n in range(5):
        assert heard.host.faults == {}
        heard.report(0x0402, f"0000 42 02 323{n}")
    (text,) = heard.host.faults.values()
    assert text.startswith("it sends what can't be read (cluster 0x0402: ")
    assert text.endswith("pair it again; if that doesn't help, replace it")
    heard.report(0x0402, "0000 29 6608")
    assert heard.host.faults == {}


def test_an_event_that_is_asked_for_is_no_event() -> None:
    heard = Listening(one({0x0006}, row=row_for("Konke", "3AFE280100510001")))
    heard.frame(0x0006, 0x18, 0x01, "0000 00 10 01")
    assert heard.host.told("button") == []
    heard.report(0x0006, "0000 30 80")
    assert heard.host.told("button") == [True]


def test_malformed_frames_are_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    heard = Listening(one({0x0402}))
    for _ in range(50):
        heard.report(0x0402, "0000 29 00")
    assert heard.known.malformed == 50
    assert len(caplog.records) == 1
    heard.host.time_ms += 61_000
    heard.report(0x0402, "0000 29 00")
    assert len(caplog.records) == 2


def test_a_press_that_the_device_repeats_is_one_press() -> None:
    heard = Listening(one({0, 1}, {6}, device_type=0x0820))
    payload = bytes((0x01, 7, 0x02))
    for aps_sequence in (1, 2, 3):
        heard.ear.hear(heard.known, 1, 6, payload, aps_sequence, None)
    assert heard.host.told("button") == [True]
    heard.host.time_ms += 11_000
    heard.ear.hear(heard.known, 1, 6, payload, 4, None)
    assert heard.host.told("button") == [True, True]


def test_presses_one_after_the_other_all_count() -> None:
    heard = Listening(one({0, 1}, {6}, device_type=0x0820))
    for _ in range(3):
        heard.frame(0x0006, 0x01, 0x01, "")
    heard.frame(0x0006, 0x01, 0x00, "")
    assert heard.host.told("button") == [True, True, True]
    assert heard.host.told("button_2") == [True]


def test_a_frame_that_was_overtaken_is_told_as_older_than_the_newer_one() -> None:
    heard = zoned(DOOR)
    opened, closed = bytes.fromhex("0908000100000000 0000"), bytes.fromhex("0909000000000000 0000")
    heard.ear.hear(heard.known, 1, ZONE, closed, 2, None)
    newest = heard.host.time_ms
    heard.host.time_ms += 40
    heard.ear.hear(heard.known, 1, ZONE, opened, 1, None)
    assert heard.host.past == [("contact", True, newest - 1)]


def test_sequence_numbers_that_stand_still_hold_nothing_back() -> None:
    heard = zoned(DOOR)
    for aps_sequence, status in enumerate((1, 0, 1)):
        payload = bytes((0x09, 0, 0, status, 0, 0, 0, 0, 0))
        heard.ear.hear(heard.known, 1, ZONE, payload, aps_sequence, None)
    assert heard.host.told("contact") == [True, False, True]
    assert heard.host.past == []


def test_a_device_that_is_not_in_the_home_feeds_nothing() -> None:
    heard = Listening(one({ZONE, 0x0402}, values={ZONE_TYPE: WATER}), name="")
    heard.zone(0x000D)
    heard.report(0x0402, "0000 29 6d08")
    assert heard.host.readings == []
    assert heard.host.living == []
    assert not heard.host.faults


def test_a_frame_without_a_point_is_a_sign_of_life() -> None:
    heard = Listening(one({ZONE}, values={ZONE_TYPE: WATER}))
    heard.report(0x0020, "0000 23 00000000")
    assert heard.host.living == ["it"]


def test_motion_that_a_device_never_clears_is_cleared_for_it() -> None:
    row = row_for("LUMI", "lumi.sensor_motion.aq2")
    heard = Listening(one({0x0406, ZONE}, values={ZONE_TYPE: 0x000D}, row=row))
    heard.report(0x0406, "0000 18 01")
    after_s, clear = heard.later["it", "motion"]
    assert after_s == 90
    clear()
    assert heard.host.told("motion") == [True, False]


def test_a_manufacturer_s_own_report_is_a_point_only_where_a_row_says_so() -> None:
    row = row_for("LUMI", "lumi.motion.ac02")
    heard = Listening(one({0xFCC0}, row=row))
    payload = bytes((0x1C, 0x5F, 0x11, 1, 0x0A)) + bytes.fromhex("1201 23 05000100")
    assert not heard.ear.hear(heard.known, 1, 0xFCC0, payload, 1, None)
    assert heard.host.told("motion") == [True]


def test_a_manufacturer_s_own_report_is_left_alone() -> None:
    heard = Listening(one({6}, device_type=0x0051))
    payload = bytes((0x1C, 0x5F, 0x11, 1, 0x0A)) + bytes.fromhex("0000 10 01")
    assert not heard.ear.hear(heard.known, 1, 6, payload, 1, None)
    assert heard.host.told("switch") == []


def test_an_overtaken_status_takes_nothing_back() -> None:
    heard = zoned(DOOR)
    heard.zone(0, sequence=9)
    heard.zone(5, sequence=11)
    heard.zone(0, sequence=10)
    assert heard.host.told("tamper") == [False, True]
    assert heard.host.past[-1][:2] == ("contact", False)


def test_a_device_that_sends_everything_twice_is_remembered_as_briefly_as_any() -> None:
    heard = zoned(DOOR)
    for nth in range(100):
        for _ in range(2):
            heard.zone(nth % 2, sequence=nth)
    assert len(heard.known.recent) <= 12


def test_a_siren_that_was_switched_on_is_off_when_it_has_ended_by_itself() -> None:
    heard = Listening(one({0x0502}, sleepy=False, device_type=0x0403))
    heard.ear.switched(heard.known, "siren", True)
    after_s, call = heard.later["it", "siren"]
    assert after_s == 180
    call()
    assert heard.host.told("siren") == [True, False]


def test_a_frame_type_that_zcl_does_not_have_and_a_makers_own_command_say_nothing() -> None:
    heard = zoned(WATER)
    heard.frame(ZONE, 0x0A, 0x0A, "02001901000000")
    heard.ear.hear(heard.known, 1, ZONE, bytes.fromhex("0d5f110700010000000000"), 7, None)
    assert heard.host.readings == []


def test_an_illuminance_that_can_not_be_is_no_value() -> None:
    heard = Listening(one({0x0400}))
    heard.report(0x0400, "00002affffff")
    assert heard.host.readings == [("it", "illuminance", None)]
    assert heard.known.malformed == 1


def test_a_motion_sensor_that_only_switches_a_lamp_is_one_whose_motion_ends_by_itself() -> None:
    row = row_for("IKEA of Sweden", "TRADFRI motion sensor")
    heard = Listening(one({0, 1, 3}, {3, 6}, device_type=0x0850, row=row))
    heard.frame(0x0006, 0x01, 0x42, "00 0807 0000")
    after_s, call = heard.later["it", "motion"]
    assert after_s == 180
    call()
    assert heard.host.told("motion") == [True, False]


def test_the_keys_of_a_makers_own_cluster_are_told_apart_by_their_endpoint() -> None:
    row = row_for("Bosch", "RBSH-US4BTN-ZB-EU")
    heard = Listening(one({0, 1, 0xFCA1}, device_type=0x0000, row=row))
    heard.ear.hear(heard.known, 1, 0xFCA1, bytes.fromhex("0d09120702000000"), 7, None)
    assert heard.host.told("button_3") == [True]
