"""What is known of a home, and whether it may be believed."""

from __future__ import annotations

import json
from dataclasses import replace

from drivers.gpio import DRIVER as GPIO
from drivers.zigbee import DRIVER as ZIGBEE
from homenode.config.model import NEVER, Device
from homenode.home import HomeState, silence_limits
from homenode.reading import Quality

HOUR = 3_600_000
GOOD, STALE, UNKNOWN = Quality.GOOD, Quality.STALE, Quality.UNKNOWN


def heard(**limits: int) -> HomeState:
    home = HomeState(limits or {"door": HOUR})
    home.hear("door.contact", True, 100)
    return home


def test_what_was_never_heard_is_unknown() -> None:
    assert HomeState().point("door.contact").quality(5) is UNKNOWN


def test_a_point_is_good_up_to_the_last_millisecond_of_its_limit() -> None:
    home = heard()
    assert home.point("door.contact").quality(100 + HOUR - 1) is GOOD
    assert home.point("door.contact").quality(100 + HOUR) is STALE


def test_a_device_heard_too_late_leaves_its_points_stale_until_their_own_reading() -> None:
    home = heard()
    home.alive("door", 200 + HOUR)
    assert home.point("door.contact").quality(200 + HOUR) is STALE
    home.hear("door.contact", True, 201 + HOUR)
    assert home.point("door.contact").quality(201 + HOUR) is GOOD


def test_a_device_heard_at_the_last_instant_is_in_time() -> None:
    home = heard()
    home.alive("door", 100 + HOUR)
    assert home.point("door.contact").quality(100 + HOUR) is GOOD


def test_a_fault_is_unknown_and_never_stale() -> None:
    home = heard()
    home.hear("door.contact", None, 200)
    assert home.point("door.contact").quality(200 + 2 * HOUR) is UNKNOWN


def test_a_button_is_known_once_its_device_is_heard_and_again_when_it_is_heard_again() -> None:
    home = HomeState({"help": HOUR})
    home.point("help.button")
    assert home.point("help.button").quality(5) is UNKNOWN
    home.hear("help.battery", 80, 10)
    assert home.point("help.button").quality(10) is GOOD
    assert home.point("help.button").quality(10 + HOUR) is STALE
    home.alive("help", 20 + HOUR)
    assert home.point("help.button").quality(20 + HOUR) is GOOD


def test_a_new_limit_holds_from_now_on_and_what_is_stale_stays_so() -> None:
    home = heard()
    home.set_stale_after("door", 3 * HOUR, 100 + HOUR)
    assert home.point("door.contact").quality(100 + HOUR) is STALE
    home = heard()
    home.set_stale_after("door", 3 * HOUR, 100 + HOUR - 1)
    assert home.point("door.contact").quality(100 + 2 * HOUR) is GOOD
    assert home.point("door.contact").quality(100 + 3 * HOUR) is STALE


def test_a_device_is_silent_by_its_own_limit() -> None:
    device = heard().devices["door"]
    assert (device.is_silent(100 + HOUR - 1), device.is_silent(100 + HOUR)) == (False, True)
    forever = heard(door=NEVER).devices["door"]
    assert not forever.is_silent(10**15)
    assert not HomeState({"door": 1}).devices["door"].is_silent(5)


def test_what_was_read_before_a_cut_is_shown_as_unknown_until_it_is_read_again() -> None:
    home = heard()
    home.hear("help.button", True, 100)
    home.cut_until = 200
    door, button = home.point("door.contact"), home.point("help.button")
    assert (home.quality(door, 200), door.quality(200)) == (UNKNOWN, GOOD)
    assert home.quality(button, 200) is GOOD
    assert home.quality(home.point("door.tamper"), 200) is UNKNOWN
    home.alive("door", 200)
    assert home.quality(door, 200) is UNKNOWN
    home.hear("door.contact", True, 200)
    assert home.quality(door, 200) is GOOD
    assert home.quality(door, 200 + HOUR) is STALE


def test_a_device_sleeps_unless_it_is_wired_or_says_what_only_the_mains_can_feed() -> None:
    home = HomeState({"eye": HOUR, "wire": NEVER, "plug": HOUR})
    for point in ("eye.motion", "eye.battery", "wire.contact", "plug.motion", "plug.current_2"):
        home.point(point)
    assert [home.device(name).sleeps for name in ("eye", "wire", "plug")] == [True, False, False]


def test_what_is_known_survives_as_json() -> None:
    home = heard()
    home.cut_until = 150
    home.hear("door.contact", None, 200)
    home.hear("help.button", True, 300)
    again = HomeState({"door": HOUR})
    again.restore(json.loads(json.dumps(home.dump())))
    assert again.dump() == home.dump()
    assert again.point("door.contact").quality(300) is UNKNOWN
    assert again.points["door.contact"].known is True
    assert again.cut_until == 150


def test_a_home_moved_in_time_was_heard_so_much_earlier() -> None:
    home = heard()
    home.hear("door.contact", False, 150)
    home.hear("help.button", True, 300)
    home.shift(-50)
    door, button = home.point("door.contact"), home.point("help.button")
    assert (door.device.heard, door.at, door.changed, door.pressed) == (100, 100, 100, None)
    assert (button.device.heard, button.at, button.pressed) == (250, 250, 250)
    home.device("never")
    assert home.cut_until is None
    home.cut_until = 400
    home.shift(10)
    assert home.device("never").heard is None
    assert home.cut_until == 410


def test_points_of_one_device_may_be_silent_for_times_of_their_own() -> None:
    home = HomeState({"plug": 4 * HOUR, "plug.power": HOUR})
    home.hear("plug.power", 5, 0)
    home.hear("plug.temperature", 20, 0)
    power, warmth = home.point("plug.power"), home.point("plug.temperature")
    assert (power.quality(HOUR), warmth.quality(HOUR)) == (STALE, GOOD)
    home.alive("plug", HOUR + 1)
    assert (power.quality(HOUR + 1), warmth.quality(HOUR + 1)) == (STALE, GOOD)
    assert home.limits_ms() == {"plug": 4 * HOUR, "plug.power": HOUR, "plug.temperature": 4 * HOUR}
    home.set_stale_after("plug", 2 * HOUR, HOUR + 2)
    assert home.limits_ms() == {"plug": 2 * HOUR, "plug.power": 2 * HOUR, "plug.temperature": 2 * HOUR}
    assert (power.quality(HOUR + 2), warmth.quality(HOUR + 2)) == (STALE, GOOD)
    assert warmth.quality(3 * HOUR + 1) is STALE


def test_a_device_heard_twice_is_as_old_as_the_newer_whatever_the_order() -> None:
    home = heard()
    home.alive("door", 50)
    assert home.devices["door"].heard == 100
    home.alive("door", 200)
    assert home.devices["door"].heard == 200


def test_a_change_is_against_the_last_known_value_and_a_first_value_is_none() -> None:
    home = heard()
    point = home.point("door.contact")
    assert point.changed is None
    home.hear("door.contact", None, 200)
    assert (point.value, point.known, point.changed) == (None, True, None)
    home.hear("door.contact", True, 300)
    assert point.changed is None
    home.hear("door.contact", False, 400)
    assert [point.changed, point.known] == [400, False]


def test_a_value_is_so_since_it_came_and_repeats_change_nothing_but_a_break_does() -> None:
    home = heard()
    point = home.point("door.contact")
    home.hear("door.contact", True, 200)
    assert point.since == 100
    home.hear("door.contact", None, 300)
    home.hear("door.contact", True, 400)
    assert point.since == 400
    home.hear("door.contact", True, 400 + HOUR + 1)  # it was stale in between
    assert point.since == 400 + HOUR + 1
    home.hear("door.contact", True, 500 + HOUR)
    again = HomeState({"door": HOUR})
    again.restore(json.loads(json.dumps(home.dump())))
    assert again.point("door.contact").since == 400 + HOUR + 1
    again.shift(-1)
    assert again.point("door.contact").since == 400 + HOUR


def test_what_the_first_version_remembered_of_a_point_is_so_since_its_last_reading() -> None:
    data = heard().dump()
    data["points"]["door.contact"].pop()
    home = HomeState({"door": HOUR})
    home.restore(data)
    assert home.point("door.contact").since == 100


def test_a_button_keeps_its_last_press() -> None:
    home = HomeState()
    home.hear("help.button", True, 5)
    button = home.hear("help.button", False, 9)
    assert [button.value, button.known, button.pressed, button.at] == [True, False, 5, 9]


def test_what_is_told_of_some_points_leaves_the_others_out() -> None:
    home = heard()
    home.hear("eye.motion", True, 120)
    home.point("eye.battery")
    data = home.dump({"eye.motion"})
    assert list(data["points"]) == ["eye.motion"]
    assert data["devices"] == {"eye": 120}
    assert list(home.dump()["points"]) == ["door.contact", "eye.motion"]


def test_a_stale_point_is_stale_after_a_restart_and_a_button_never_is() -> None:
    home = heard()
    home.hear("door.button", True, 100)
    home.alive("door", 200 + HOUR)
    again = HomeState({"door": HOUR})
    again.restore(json.loads(json.dumps(home.dump())))
    assert again.point("door.contact").quality(200 + HOUR) is STALE
    assert again.point("door.button").quality(200 + HOUR) is GOOD
    assert again.point("door.button").pressed == 100


def test_limits_come_from_home_yaml_then_the_row_then_the_wire_then_the_kind() -> None:
    devices = [
        Device("said", "zigbee", "hall", stale_after_ms=5),
        Device("row", "zigbee", "hall"),
        Device("wire", "gpio", "hall"),
        Device("plug", "zigbee", "hall"),
        Device("modelled", "zigbee", "hall", model="Maker/Model"),
        Device("told", "zigbee", "hall", model="Maker/Model"),
        Device("nobody's", "lost", "hall", model="Maker/Model"),
    ]
    row = {"Maker/Model": 11}.get
    types = {"zigbee": replace(ZIGBEE, stale_after_ms=row), "gpio": GPIO}
    points = ["said.power", "row.power", "wire.switch", "plug.power", "plug.temperature", "other.power"]
    limits = silence_limits(devices, points, types, {"said": 7, "row": 9, "told": 9})
    assert limits == {
        "said": 5, "row": 9, "wire": NEVER, "plug": 4 * HOUR, "plug.power": HOUR,
        "modelled": 11, "told": 9, "nobody's": 4 * HOUR,
    }  # fmt: skip


def test_a_model_of_home_yaml_has_the_limit_of_its_row() -> None:
    assert ZIGBEE.stale_after_ms("CentraLite/3405-L") == 2 * HOUR
    assert ZIGBEE.stale_after_ms("Nobody/Nothing") is None
