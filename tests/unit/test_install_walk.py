"""The walk test: untested stays red, whatever else happens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from homenode.install.steps import Installation
from homenode.install.walk import Walk, is_at_once, restored
from tests.unit.installing import AT, NEW, checked, devices, do, installation, joined, status

LATER = "2026-11-27T10:05:00.000+01:00"


@pytest.fixture
def steps(tmp_path: Path) -> Installation:
    found = installation(tmp_path)
    do(found, "walk")
    return found


def heard(steps: Installation, point: str, *values: object, at: str = AT) -> None:
    for value in values:
        steps.heard({"point": point, "value": value, "at": at})


def alert(steps: Installation, rule: str, name: str, *parties: str, test: bool = True) -> None:
    """Raised, told and with the broker."""
    steps.heard({"rule": rule, "event": "raised", "alert": name, "at": AT})
    for party in parties:
        about = {"alert": name, "party": party, "test": test}
        steps.heard({"message": f"{name}.{party}", **about, "at": AT})
        steps.heard({"got": f"{name}.{party}", "at": AT})


def acknowledged(steps: Installation, rule: str, name: str, party: str, by: str = "Karin") -> None:
    told = {"rule": rule, "event": "acknowledged", "alert": name, "parties": [party], "by": by, "at": LATER}
    steps.heard(told)


def test_at_first_everything_is_untested(steps: Installation) -> None:
    assert not any(row.passed for row in steps.walk.rows.values())
    assert ("device", "help") in steps.walk.lacks()
    assert ("rule", "water_leak") in steps.walk.lacks()
    assert ("party", "care") in steps.walk.lacks()


def test_a_door_is_tested_when_it_was_open_and_closed_again(steps: Installation) -> None:
    steps.walk.knew("door.contact", False)
    heard(steps, "door.contact", False)  # says again that it is closed: a stuck magnet does, too
    assert not steps.walk.rows["door"].checks["contact"].seen
    heard(steps, "door.contact", True)
    assert not steps.walk.rows["door"].passed
    heard(steps, "door.contact", False, at=LATER)
    assert steps.walk.rows["door"].passed
    assert steps.walk.rows["door"].at == LATER


def test_dry_is_no_test_of_a_water_sensor_and_a_fault_is_none_of_anything(steps: Installation) -> None:
    heard(steps, "sink.water", False, None)
    assert not steps.walk.rows["sink"].passed
    heard(steps, "sink.water", True)
    assert steps.walk.rows["sink"].passed


def test_an_output_is_tested_by_whoever_saw_it(steps: Installation) -> None:
    heard(steps, "lamp.light", True)
    assert not steps.walk.rows["lamp"].passed
    do(steps, "tried", point="lamp.light", works=True)
    assert steps.walk.rows["lamp"].passed
    do(steps, "tried", point="lamp.light", works=False)
    assert not steps.walk.rows["lamp"].passed


def test_outside_the_test_nothing_is_ticked(steps: Installation) -> None:
    do(steps, "pause")
    heard(steps, "sink.water", True)
    alert(steps, "water_leak", "w:1", "care", "property")
    assert not steps.walk.rows["sink"].passed
    assert not steps.walk.lines["water_leak"].raised


def test_service_mode_that_ends_by_itself_ends_the_test(steps: Installation) -> None:
    steps.saw(status(mode="service"), devices())
    assert steps.walk.active
    steps.saw(status(mode="home"), devices())
    assert not steps.walk.active


def test_a_device_in_trouble_does_not_pass(steps: Installation) -> None:
    heard(steps, "sink.water", True)
    steps.saw(status(faults=[{"source": "sink silent", "why": "silent for 5 h", "at": AT}]), devices())
    assert not steps.walk.rows["sink"].passed
    steps.saw(status(), devices())
    assert steps.walk.rows["sink"].passed


def test_what_was_seen_stays_seen_while_a_radio_does_not_know_its_devices_yet(steps: Installation) -> None:
    heard(steps, "help.button", True)
    assert steps.walk.rows["help"].passed
    steps.saw(status(), [])
    steps.set_up_walk()
    assert steps.walk.rows["help"].passed


def test_new_hardware_is_to_be_tested_anew(steps: Installation) -> None:
    heard(steps, "help.button", True)
    steps.walk.rows["help"].remark = "on the lamp"
    steps.saw(status(), devices(joined(NEW, "", "button")))
    do(steps, "replace", device="help", address=NEW)
    row = steps.walk.rows["help"]
    assert (row.passed, list(row.checks), row.remark) == (False, ["button"], "on the lamp")


def test_a_device_that_says_nothing_of_what_it_is_stays_red(steps: Installation) -> None:
    steps.saw(status(), [joined("00:15:8d:00:02:aa:bb:01", "help")])
    assert not steps.walk.rows["help"].checks or not steps.walk.rows["help"].passed
    steps.saw(status(), devices())
    assert list(steps.walk.rows["help"].checks) == ["button"]


def test_a_smoke_alarm_that_no_rule_reads_keeps_the_flat_from_being_handed_over(steps: Installation) -> None:
    assert not any(sort == "unused" for sort, _ in steps.walk.lacks())  # help and sink are read
    steps.walk.rows["help"].kinds = ("button", "button_2", "smoke", "tamper", "temperature")
    assert [lack for lack in steps.walk.lacks() if lack[0] == "unused"] == [("unused", "help.smoke")]


def test_an_alert_counts_when_it_went_out_as_a_test_arrived_and_was_acknowledged(steps: Installation) -> None:
    alert(steps, "water_leak", "w:1", "care", "property")
    line = steps.walk.lines["water_leak"]
    assert not line.passed
    acknowledged(steps, "water_leak", "w:1", "care")
    assert not line.passed  # property owes its own
    acknowledged(steps, "water_leak", "w:1", "property", "Bengt")
    assert line.passed
    assert line.parties["property"].by == "Bengt"


def test_an_alert_that_went_out_unmarked_is_no_test(steps: Installation) -> None:
    alert(steps, "help_button", "h:1", "care", test=False)
    acknowledged(steps, "help_button", "h:1", "care")
    assert not steps.walk.lines["help_button"].passed


def test_who_acknowledges_at_the_node_is_no_receiver(steps: Installation) -> None:
    alert(steps, "help_button", "h:1", "care")
    acknowledged(steps, "help_button", "h:1", "care", "at the node")
    assert not steps.walk.lines["help_button"].passed


def test_an_alert_that_the_broker_does_not_have_has_not_arrived(steps: Installation) -> None:
    steps.heard({"rule": "help_button", "event": "raised", "alert": "h:1", "at": AT})
    steps.heard({"message": "m", "alert": "h:1", "party": "care", "test": True, "at": AT})
    acknowledged(steps, "help_button", "h:1", "care")
    assert not steps.walk.lines["help_button"].passed


def test_a_second_alert_takes_the_place_of_one_that_nobody_answered(steps: Installation) -> None:
    alert(steps, "help_button", "h:1", "care")
    alert(steps, "help_button", "h:2", "care")
    acknowledged(steps, "help_button", "h:1", "care")
    assert not steps.walk.lines["help_button"].passed
    acknowledged(steps, "help_button", "h:2", "care")
    assert steps.walk.lines["help_button"].passed


def test_an_alert_from_before_the_test_is_not_of_it(steps: Installation) -> None:
    steps.heard({"message": "m", "alert": "h:0", "party": "care", "test": True, "at": AT})
    acknowledged(steps, "help_button", "h:0", "care")
    assert not steps.walk.lines["help_button"].passed


def test_all_of_it_makes_a_flat_that_can_be_handed_over(steps: Installation) -> None:
    heard(steps, "door.contact", True, False)
    heard(steps, "sink.water", True)
    heard(steps, "help.button", True)
    do(steps, "tried", point="lamp.light", works=True)
    for rule, parties in (("water_leak", ("care", "property")), ("help_button", ("care",))):
        alert(steps, rule, rule[:1], *parties)
        for party in parties:
            acknowledged(steps, rule, rule[:1], party)
    assert steps.walk.lacks() == []  # door_left_open takes its time and is not awaited


def test_rules_that_take_their_time_need_not_be_awaited(tmp_path: Path) -> None:
    rules = {rule.name: rule for rule in checked(tmp_path).rules}
    assert is_at_once(rules["water_leak"])
    assert is_at_once(rules["help_button"])
    assert not is_at_once(rules["door_left_open"])


def test_a_walk_goes_on_where_it_was(steps: Installation) -> None:
    heard(steps, "sink.water", True)
    alert(steps, "help_button", "h:1", "care")
    walk = restored(json.loads(json.dumps(steps.walk.dump())))
    assert walk == steps.walk
    walk.acknowledged("h:1", ["care"], "Karin", LATER)
    assert walk.lines["help_button"].passed


def test_what_was_tested_stays_so_when_another_device_is_added(steps: Installation) -> None:
    heard(steps, "sink.water", True)
    steps.reread(steps.home, steps.rules)
    assert steps.walk.rows["sink"].passed


def test_a_device_that_is_now_wanted_for_more_is_tested_anew(tmp_path: Path) -> None:
    report = checked(tmp_path)
    assert report.home is not None
    walk = Walk("flat-1203", AT, {}, {}, active=True)
    walk.set_up(report.home, report.rules, {"help": ("temperature", "button")})
    walk.heard("help.button", True, AT)
    assert walk.rows["help"].passed
    walk.set_up(report.home, (), {"help": ("temperature", "button")})
    assert walk.rows["help"].passed  # what it is for is its button still
    walk.set_up(report.home, (), {"help": ("temperature",)})
    assert not walk.rows["help"].passed
    assert walk.lacks()[-1] == ("nobody", "")
