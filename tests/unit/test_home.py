"""What is known of a home, and whether it may be believed."""

from __future__ import annotations

import json

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


def test_what_is_known_survives_as_json() -> None:
    home = heard()
    home.hear("door.contact", None, 200)
    home.hear("help.button", True, 300)
    again = HomeState({"door": HOUR})
    again.restore(json.loads(json.dumps(home.dump())))
    assert again.dump() == home.dump()
    assert again.point("door.contact").quality(300) is UNKNOWN
    assert again.points["door.contact"].known is True


def test_limits_come_from_home_yaml_then_the_row_then_the_wire_then_the_kind() -> None:
    devices = [
        Device("said", "zigbee", "hall", stale_after_ms=5),
        Device("row", "zigbee", "hall"),
        Device("wire", "gpio", "hall"),
        Device("plug", "zigbee", "hall"),
    ]
    points = ["said.power", "row.power", "wire.switch", "plug.power", "plug.temperature", "other.power"]
    limits = silence_limits(devices, points, wired=("gpio",), rows_ms={"said": 7, "row": 9})
    assert limits == {"said": 5, "row": 9, "wire": NEVER, "plug": 4 * HOUR, "plug.power": HOUR}
