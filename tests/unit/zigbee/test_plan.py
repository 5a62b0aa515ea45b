"""What a device is, by the standard and its row, and never by a guess."""

from __future__ import annotations

import pytest

from drivers.zigbee.meanings import meaning_of
from drivers.zigbee.plan import Plan
from drivers.zigbee.rows import NO_ROW, Place, Row, read_row, row_for
from homenode.kinds import KINDS, kind_of
from tests.unit.zigbee.devices_at_hand import index, one, planned

ZONE, ZONE_TYPE = 0x0500, (0x0500, 0x0001)


KIND_OF_CLASS = {
    "door_contact": "contact",
    "motion_presence": "motion",
    "water_leak": "water",
    "smoke": "smoke",
    "vibration": "vibration",
    "door_lock": "lock",
    "temperature": "temperature",
    "plug_or_switch_with_metering": "power",
    "button_remote": "button",
    "siren": "siren",
    "energy_meter": "power",
}
KNOWN_GAPS = {
    ("LUMI", "lumi.remote.cagl02"),  # a cube is no button
    ("Third Reality, Inc", "3RSP019BZ"),  # lists a meter and refuses each of its attributes
}


def test_every_real_device_has_the_points_that_its_index_says() -> None:
    wrong = []
    for entry in index():
        kinds = {kind.rstrip("_0123456789") for kind in planned(entry["file"]).kinds}
        for thing in entry["classes"]:
            wanted = KIND_OF_CLASS.get(thing)
            gap = (entry["manufacturer"].strip(), entry["model"]) in KNOWN_GAPS
            if wanted and wanted not in kinds and not gap:
                wrong.append((entry["model"], thing, kinds))
    assert not wrong


@pytest.mark.parametrize("kind", ["contact", "water", "smoke", "co", "gas", "lock", "motion", "vibration"])
def test_no_real_device_has_a_safety_point_that_it_is_not(kind: str) -> None:
    classes = {thing for thing, what in KIND_OF_CLASS.items() if what == kind}
    if kind == "contact":
        classes |= {"door_lock"}  # a lock that can tell whether its door is open
    for entry in index():
        if kind in planned(entry["file"]).kinds:
            assert classes & set(entry["classes"]), f"{entry['model']} is no {kind}"


def test_every_point_of_every_real_device_is_a_known_kind() -> None:
    for entry in index():
        for kind in planned(entry["file"]).kinds:
            assert kind_of(kind) is not None


@pytest.mark.parametrize(
    ("zone_type", "kinds"),
    [
        (0x000D, ("motion", "tamper")),
        (0x0015, ("contact", "tamper")),
        (0x0028, ("smoke", "tamper")),
        (0x002A, ("water", "tamper")),
        (0x002B, ("co", "tamper")),
        (0x002D, ("vibration", "tamper")),
        (0x002C, ("button", "tamper")),
        (0x010F, ("button", "button_2", "tamper")),
        (0x0226, ()),
        (0xFFFF, ()),
        (0x0808, ()),
    ],
)
def test_the_zone_type_says_what_the_alarm_bits_mean(zone_type: int, kinds: tuple[str, ...]) -> None:
    assert one({ZONE}, values={ZONE_TYPE: zone_type}).kinds == (*kinds, "link_quality")


def test_a_row_with_a_zone_is_for_a_device_too_that_does_not_list_the_cluster() -> None:
    plan = one({0, 1, 3}, absent={(1, 0x21)}, row=Row(zone=(("water", 1),)))
    assert plan.zones[1].bits == (("water", 1),)


def test_the_on_off_of_a_sleeping_key_is_no_switch_and_that_of_an_output_is() -> None:
    assert "switch" not in one({6}, device_type=0x0103).kinds
    assert "switch" not in one({6}, device_type=0x5F01).kinds
    assert "switch" in one({6}, device_type=0x0002).kinds
    assert "switch" in one({6}, device_type=0x0103, sleepy=False).kinds


def test_what_a_sensor_tells_as_a_state_is_nobodys_finger() -> None:
    assert "button" in one({0x0012}, device_type=0x0103).kinds
    assert "button" not in one({0x0012, 0x0402}, device_type=0x0107).kinds


def test_presence_of_a_radar_on_a_battery_is_its_makers_attribute() -> None:
    plan = one({0x0012, 0x0402, 1}, device_type=0x0107, row=row_for("Aqara", "lumi.sensor_occupy.agl8"))
    assert plan.kinds == ("motion", "battery", "temperature", "link_quality")


def test_a_device_of_which_nothing_is_understood_says_so_to_the_installer() -> None:
    (note,) = one({0x0000, 0xEF00}, device_type=0x0051).notes(NO_ROW)
    assert note.text().startswith("nothing else of it is understood, and it feeds no rule")
    assert one({0x0402}).notes(NO_ROW) == []
    assert Plan().notes(NO_ROW) == []


def test_what_a_row_knows_of_an_endpoint_that_is_not_there_is_no_point() -> None:
    row = Row(points={Place(21, 0x000C, 0x55): ("power", meaning_of("whole") or bool)})
    assert "power" not in one({6}, row=row).kinds


def test_a_zone_whose_type_is_not_known_has_no_point() -> None:
    assert one({ZONE}).kinds == ("link_quality",)


def test_an_on_off_client_makes_no_door_and_a_sensor_no_button() -> None:
    assert one({ZONE}, {6, 8}, device_type=0x0103, values={ZONE_TYPE: 0x002A}).kinds == (
        "water",
        "tamper",
        "link_quality",
    )


def test_a_lock_cluster_on_a_vibration_sensor_is_no_lock() -> None:
    plan = one({0x0101, ZONE}, device_type=0x000A, values={ZONE_TYPE: 0x002D})
    assert "lock" not in plan.kinds


def test_a_lock_locks() -> None:
    plan = one({0x0101, 1}, device_type=0x000A, absent={(0x0101, 3)})
    assert plan.kinds == ("battery", "lock", "link_quality")
    assert plan.outputs == {"lock": Place(1, 0x0101, 0)}


def test_a_mat_is_occupied_and_an_eye_sees_motion() -> None:
    assert "occupancy" in one({0x0406}, values={(0x0406, 1): 3}).kinds
    assert "motion" in one({0x0406}, values={(0x0406, 1): 0}).kinds
    assert "motion" in one({0x0406}).kinds


def test_an_eye_that_tells_by_cluster_and_by_zone_is_one_point() -> None:
    plan = one({0x0406, ZONE}, values={ZONE_TYPE: 0x000D})
    assert plan.kinds == ("motion", "tamper", "link_quality")
    assert plan.zones[1].bits == (("motion", 3),)


def test_power_is_scaled_by_what_the_plug_says() -> None:
    plan = one({6, 0x0B04}, device_type=0x0051, values={(0x0B04, 0x0604): 1, (0x0B04, 0x0605): 10})
    assert plan.senses[Place(1, 0x0B04, 0x050B)].meaning(14003) == 1400.3


def test_power_comes_from_the_meter_where_the_plug_measures_no_electricity() -> None:
    values = {(0x0702, 0x0300): 0, (0x0702, 0x0301): 1, (0x0702, 0x0302): 1000}
    plan = one({6, 0x0702}, device_type=0x0051, values=values)
    assert plan.senses[Place(1, 0x0702, 0x0400)].meaning(1400) == 1400
    assert plan.senses[Place(1, 0x0702, 0x0000)].meaning(2440) == 2.44
    both = one({6, 0x0702, 0x0B04}, device_type=0x0051, values=values, absent={(0x0B04, 0x090B)})
    assert Place(1, 0x0702, 0x0400) not in both.senses


def test_a_water_meter_counts_volume_and_no_energy() -> None:
    plan = one({0x0702}, values={(0x0702, 0x0300): 1, (0x0702, 0x0302): 1000})
    assert plan.kinds == ("flow_volume", "link_quality")
    assert plan.senses[Place(1, 0x0702, 0x0000)].meaning(1500) == 1.5


def test_what_a_device_said_it_does_not_have_is_no_point() -> None:
    assert "battery" not in one({1, 0x0402}, absent={(1, 0x21)}).kinds


def test_a_remote_numbers_its_ways_of_pressing() -> None:
    plan = one({0, 1}, {6, 8}, device_type=0x0820)
    assert plan.kinds == ("battery", "button", "button_2", "button_3", "button_4", "link_quality")
    assert plan.presses[1, 6, 0x01, None] == "button"
    assert plan.presses[1, 6, 0x00, None] == "button_2"
    assert plan.presses[1, 8, 0x05, 0] == "button_3"


def test_the_panic_key_of_a_keypad_is_its_button() -> None:
    plan = one({ZONE}, {0x0501}, device_type=0x0401, values={ZONE_TYPE: 0x021D})
    assert plan.presses[1, 0x0501, 0x04, None] == "button"
    assert plan.presses[1, 0x0501, 0x02, None] == "button"
    assert plan.presses[1, 0x0501, 0x03, None] == "button_2"


def test_a_row_replaces_what_the_standard_says() -> None:
    _, row = read_row(
        {
            "models": ["A/B"],
            "source": "datasheet 3.1",
            "zone": {"gas": "alarm 1"},
            "points": {"1/000c/0055": "power by 10"},
            "without": ["tamper"],
            "stale_after": "3 h",
        }
    )
    plan = one({ZONE, 0x0C}, values={ZONE_TYPE: 0x002B}, row=row)
    assert plan.kinds == ("power", "gas", "link_quality")
    assert plan.senses[Place(1, 0x0C, 0x55)].meaning(123) == 12.3
    assert row.stale_after_ms == 3 * 3_600_000


def test_without_takes_any_kind_away() -> None:
    everything = frozenset(KINDS)
    inputs = {1, 6, 0x0400, 0x0402, 0x0405, 0x0406, 0x0502, 0x0702, 0x0B04, ZONE}
    plan = one(inputs, values={ZONE_TYPE: 0x0015}, row=Row(without=everything))
    assert plan.kinds == ("link_quality",)


def test_what_a_device_owes_the_meaning_of_is_left_out_and_never_guessed() -> None:
    plan = one({0x0006, 0x0B04, 0x0500}, sleepy=False, owed={(0x0B04, 0x0605), (0x0500, 0x0001)})
    assert "power" not in plan.kinds
    assert {"switch", "voltage", "current"} < set(plan.kinds)
    assert plan.zones[1].bits == ()
    assert plan.left_out == ("alarm", "power")


def test_a_meter_that_owes_its_unit_counts_nothing() -> None:
    plan = one({0x0702}, values={(0x0702, 0x0302): 1000}, owed={(0x0702, 0x0300)})
    assert plan.kinds == ("link_quality",)
