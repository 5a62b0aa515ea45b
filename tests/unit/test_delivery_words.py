"""What a message says: its name, time, place and class, and what a status lists."""

from __future__ import annotations

import json
from typing import Any

import pytest

from homenode.config.model import PARTIES
from homenode.delivery import NodeFault, OfferVideo, Outcome, Switch
from homenode.delivery.faults import JOIN_MS
from homenode.engine.transition import Happening
from homenode.language.bound import BoundStep
from homenode.message import Class
from homenode.session.decision import terms
from tests.unit.session.some_decisions import CAMERAS, NIGHTS, decision
from tests.unit.test_delivery import MIN, ROOMS, RULES, Desk, bound, desk, notify, silent

__all__ = ["desk"]  # the fixture


def ids(desk: Desk, party: str) -> list[str]:
    return [body["id"] for who, body in desk.heard if who == party]


def last(desk: Desk) -> dict[str, Any]:
    data: dict[str, Any] = desk.heard[-1][1]["data"]
    return data


def told_fault(desk: Desk, *devices: str, at: int = 0) -> None:
    for device in devices:
        desk.take(desk.delivery.fault(silent(device), at))
    desk.take(desk.delivery.advance(at + MIN))


def with_rule(desk: Desk, *steps: BoundStep, name: str = "own", **more: Any) -> None:
    desk.delivery.reload(ROOMS, {**RULES, name: bound(name, "eye.motion", steps=steps, **more)})


# --- alerts


def test_messages_of_an_alert_are_numbered_per_party_from_one(desk: Desk) -> None:
    desk.raised("leak", 0)
    desk.tell(Happening.ACKNOWLEDGED, "leak", MIN, parties=("care",))
    for party in ("care", "property"):
        assert ids(desk, party) == [f"h1:leak-1.{party}.1", f"h1:leak-1.{party}.2"]


def test_an_alarm_is_an_alarm_to_the_outbox_and_a_warning_an_alert(desk: Desk) -> None:
    for rule, klass in (("smoke", Class.ALARM), ("door", Class.ALERT)):
        message = desk.raised(rule, 0).messages[0]
        assert (message.klass, message.alert, message.at, message.retain) == (klass, f"{rule}-1", 0, False)


def test_a_status_is_kept_by_the_broker(desk: Desk) -> None:
    for message in desk.delivery.statuses(5):
        assert (message.klass, message.retain, message.id, message.at) == (Class.STATUS, True, "", 5)
    assert [message.party for message in desk.delivery.statuses(5)] == list(PARTIES)


def test_times_are_those_of_the_wall_clock_as_it_was_set(desk: Desk) -> None:
    desk.take(desk.delivery.fault(NodeFault("zigbee", {"en": "gone"}), 0))
    desk.delivery.clock(1_767_600_000_000)
    desk.raised("door", 1000, evidence=[])
    assert desk.heard[-1][1]["time"] == "2026-01-05T09:00:01.000+01:00"
    assert last(desk)["raised"] == "2026-01-05T09:00:01.000+01:00"
    assert desk.status["care"]["open"][0]["at"] == "2026-01-05T09:00:01.000+01:00"
    desk.restart()
    desk.tell(Happening.RESOLVED, "door", 2000)
    assert desk.heard[-1][1]["time"] == "2026-01-05T09:00:02.000+01:00"


def test_an_alert_is_in_the_room_of_the_first_point_it_reads(desk: Desk) -> None:
    for rule, room in (("door", "kitchen"), ("smoke", "hall"), ("help", "bedroom")):
        desk.raised(rule, 0)
        assert last(desk)["room"] == room


def test_a_status_says_since_when_and_who_takes_care(desk: Desk) -> None:
    desk.raised("leak", 5000)
    (entry,) = desk.status["care"]["open"]
    assert (entry["alert"], entry["event"], entry["test"]) == ("leak-1", "notified", False)
    assert "acknowledged_by" not in entry
    desk.tell(Happening.ACKNOWLEDGED, "leak", MIN, parties=("care",), reason="Eva")
    (mine,), (theirs,) = desk.status["care"]["open"], desk.status["property"]["open"]
    assert (mine["event"], mine["acknowledged_by"]) == ("acknowledged", ["Eva"])
    assert (theirs["event"], theirs["acknowledged_by"]) == ("notified", ["care"])
    assert mine["at"] == theirs["at"] == "1970-01-01T01:00:05.000+01:00"


def test_a_status_lists_only_what_its_party_was_told(desk: Desk) -> None:
    desk.raised("door", 0)
    told_fault(desk, "eye")
    desk.take(desk.delivery.fault(silent("sink"), 2 * MIN))
    statuses = {m.party: json.loads(m.payload) for m in desk.delivery.statuses(2 * MIN + 1)}
    listed = {party: [entry["alert"] for entry in body["open"]] for party, body in statuses.items()}
    assert listed == {"care": ["door-1"], "property": ["eye-0"], "resident": [], "operator": ["eye-0"]}
    assert {body["health"]["state"] for body in statuses.values()} == {"fault"}


def test_no_party_is_told_that_all_is_good_while_a_fault_is_open(desk: Desk) -> None:
    def health() -> list[str]:
        return [body["health"]["state"] for body in desk.status.values()]

    desk.take(desk.delivery.fault(NodeFault("zigbee", {"en": "radio gone"}), 0))
    assert health() == ["fault"] * 4
    assert all(not body["open"] for body in desk.status.values())
    desk.take(desk.delivery.advance(MIN))
    desk.status.clear()
    desk.take(desk.delivery.fault(silent("sink"), 2 * MIN))
    desk.take(desk.delivery.recovered("sink", 2 * MIN))
    desk.restart()
    desk.take(desk.delivery.fault(silent("eye"), 2 * MIN))
    assert not desk.status
    desk.take(desk.delivery.recovered("eye", 2 * MIN + 1))
    assert not desk.status
    desk.take(desk.delivery.recovered("zigbee", 4 * MIN))
    assert health() == ["good"] * 4
    desk.take(desk.delivery.fault(silent("eye"), 5 * MIN))
    assert health() == ["fault"] * 4


def test_what_is_a_test_is_listed_as_one(desk: Desk) -> None:
    desk.take(desk.delivery.mode("service", 0))
    desk.raised("door", 1)
    told_fault(desk, "eye", at=2)
    assert [entry["test"] for entry in desk.status["care"]["open"]] == [True]
    assert [entry["test"] for entry in desk.status["operator"]["open"]] == [True]
    assert last(desk)["test"] is True
    desk.take(desk.delivery.mode("home", 5 * MIN))
    assert [entry["test"] for entry in desk.status["operator"]["open"]] == [False]
    assert last(desk)["test"] is False


def test_what_was_told_for_real_is_no_test_in_service(desk: Desk) -> None:
    desk.raised("door", 0)
    desk.take(desk.delivery.mode("service", MIN))
    desk.tell(Happening.ACKNOWLEDGED, "door", 2 * MIN)
    assert last(desk)["test"] is False
    desk.take(desk.delivery.mode("home", 3 * MIN))
    assert [what for _, what, _ in desk.told()] == ["notified", "acknowledged"]


def test_another_mode_than_service_repeats_nothing(desk: Desk) -> None:
    desk.raised("door", 0)
    for mode in ("away", "home", "service", "service"):
        desk.take(desk.delivery.mode(mode, MIN))
    assert len(desk.heard) == 1


def test_who_took_care_is_not_told_again(desk: Desk) -> None:
    with_rule(desk, notify(1, 0), notify(2, MIN))
    desk.raised("own", 0)
    desk.step("own", 0, 1)
    desk.tell(Happening.ACKNOWLEDGED, "own", 1, parties=("care",))
    desk.step("own", MIN, 2, parties=("care", "resident"))
    assert [(who, what) for who, what, _ in desk.told()] == [
        ("care", "notified"),
        ("care", "acknowledged"),
        ("resident", "notified"),
    ]


def test_a_lapse_is_seen_in_the_status_before_anybody_is_told_again(desk: Desk) -> None:
    with_rule(desk, notify(1, MIN))
    desk.raised("own", 0)
    desk.step("own", MIN, 1)
    desk.tell(Happening.ACKNOWLEDGED, "own", 2 * MIN)
    assert desk.status["care"]["open"][0]["event"] == "acknowledged"
    desk.tell(Happening.LAPSED, "own", 3 * MIN)
    assert desk.status["care"]["open"][0]["event"] == "notified"
    assert [what for _, what, _ in desk.told()] == ["notified", "acknowledged"]


def test_a_step_names_who_hears_else_the_rule_does(desk: Desk) -> None:
    with_rule(desk, notify(1, 0), notify(2, MIN, parties=("resident",)), to=("property", "care"))
    desk.raised("own", 0)
    desk.step("own", 0, 1)
    assert [who for who, _, _ in desk.told()] == ["care", "property"]
    desk.step("own", MIN, 2)
    assert desk.told()[-1] == ("resident", "notified", "own")


@pytest.mark.parametrize("do", ["light", "switch", "valve", "siren"])
def test_what_is_switched_is_the_steps_point(desk: Desk, do: str) -> None:
    with_rule(desk, BoundStep(1, do, 0, point=f"lamp.{do}", turn=True))
    desk.raised("own", 0)
    desk.step("own", 0, 1, do)
    assert desk.actions == [Switch(f"lamp.{do}", True, "own-1", 1, 1)]


def test_a_look_is_offered_and_not_taken(desk: Desk) -> None:
    with_rule(desk, BoundStep(1, "offer_video", 0, camera="hall"))
    desk.raised("own", 0)
    desk.step("own", 0, 1, "offer_video")
    assert desk.actions == [OfferVideo("hall", "own-1", 1, 1)]


def test_an_offer_comes_with_the_alert_to_who_may_look_and_to_the_resident_and_to_nobody_else(
    desk: Desk,
) -> None:
    everybody = ("care", "property", "resident")
    with_rule(desk, BoundStep(1, "offer_video", 0, camera="hall"), notify(2, 0), to=everybody)
    desk.raised("own", 0)
    desk.step("own", 0, 1, "offer_video")
    assert desk.heard == []
    desk.step("own", 0, 2)
    offers = {party: body["data"].get("offers") for party, body in desk.heard}
    assert offers == {"care": ["hall"], "property": None, "resident": ["hall"]}
    desk.tell(Happening.RESOLVED, "own", 1)
    assert all("offers" not in body["data"] for _, body in desk.heard[3:])


def test_who_was_told_before_the_offer_is_told_once_more_unless_they_took_care(desk: Desk) -> None:
    steps = (notify(1, 0), *(BoundStep(nth, "offer_video", nth, camera="hall") for nth in (2, 3)))
    with_rule(desk, *steps, to=("care", "property", "resident"))
    desk.raised("own", 0)
    desk.step("own", 0, 1)
    desk.tell(Happening.ACKNOWLEDGED, "own", 1, parties=("resident",))
    del desk.heard[:]
    desk.step("own", 2, 2, "offer_video")
    assert [(who, body["data"]["offers"]) for who, body in desk.heard] == [("care", ["hall"])]
    desk.step("own", 3, 3, "offer_video")
    assert len(desk.heard) == 1


def test_an_offer_at_the_end_of_an_alert_is_none(desk: Desk) -> None:
    with_rule(desk, notify(1, 0), BoundStep(2, "offer_video", None, camera="hall"))
    desk.raised("own", 0)
    desk.step("own", 0, 1)
    desk.tell(Happening.RESOLVED, "own", 1)
    before = len(desk.heard)
    desk.step("own", 1, 2, "offer_video")
    assert len(desk.heard) == before


def test_what_may_be_looked_at_stands_in_the_status_of_who_may_and_of_the_resident(desk: Desk) -> None:
    looks = terms(CAMERAS, {"nights": NIGHTS})
    desk.take(Outcome([*desk.delivery.statuses(0)]))
    assert "looks" not in desk.status["care"]
    desk.delivery.reload(ROOMS, RULES, looks)
    desk.take(Outcome([*desk.delivery.statuses(1)]))
    assert desk.status["care"]["looks"] == desk.status["resident"]["looks"] == [
        {"decision": "nights", "party": "care", "cameras": [{"camera": "bed", "room": "bedroom"}],
         "views": ["silhouette", "blurred"], "from": "2026-01-01", "to": "2026-06-30", "ask": False,
         "longest_s": 120.0, "hours": "22:00-06:00"},
    ]  # fmt: skip
    assert "looks" not in desk.status["property"]
    assert "looks" not in desk.status["operator"]
    only = terms(CAMERAS, {"x": decision(hours=None, modes=("away",), ask=True)})
    assert ("hours" in only[0], only[0]["modes"], only[0]["ask"]) == (False, ["away"], True)


def test_a_mode_that_a_step_sets_is_set_and_nothing_is_done_at_home(desk: Desk) -> None:
    with_rule(desk, BoundStep(1, "mode", 0, mode="home"))
    desk.raised("own", 0)
    desk.step("own", 0, 1, "mode")
    assert desk.actions == []


def test_a_step_of_an_alert_that_nobody_knows_does_nothing(desk: Desk) -> None:
    desk.step("stove", 0, 1, "say")
    desk.tell(Happening.ACKNOWLEDGED, "stove", 1)
    desk.tell(Happening.RESOLVED, "stove", 2)
    desk.raised("stove", 3)
    desk.step("stove", 4, 9, "say")
    assert (desk.actions, desk.heard) == ([], [])


def test_the_step_at_resolve_of_another_alert_is_not_this_ones(desk: Desk) -> None:
    desk.raised("goodbye", 0)
    desk.tell(Happening.RESOLVED, "goodbye", 1)
    desk.step("goodbye", 1, 2, alert="goodbye-2")
    assert desk.told() == []
    desk.step("goodbye", 1, 2)
    assert [who for who, _, _ in desk.told()] == ["resident"]


def test_what_the_resident_held_back_is_told_only_to_who_has_not_taken_care(desk: Desk) -> None:
    desk.raised("stove", 0)
    desk.delivery.answered(MIN)
    desk.step("stove", 3 * MIN, 3, parties=("care", "property"))
    desk.tell(Happening.ACKNOWLEDGED, "stove", 4 * MIN, parties=("care",))
    desk.take(desk.delivery.advance(60 * MIN))
    assert desk.told() == [("property", "notified", "stove")]
    assert desk.delivery.due() is None


def test_the_residents_ok_after_the_message_comes_too_late(desk: Desk) -> None:
    desk.raised("door", 0)
    desk.raised("goodbye", 0)
    desk.tell(Happening.ACKNOWLEDGED, "goodbye", 1)
    assert desk.delivery.answered(MIN).acknowledge == []


# --- faults


def test_a_fault_is_told_as_of_when_it_began_and_its_end_as_of_the_end(desk: Desk) -> None:
    told_fault(desk, "eye", at=1000)
    assert last(desk)["at"] == "1970-01-01T01:00:01.000+01:00"
    desk.take(desk.delivery.recovered("eye", 5 * MIN))
    assert last(desk)["at"] == "1970-01-01T01:05:00.000+01:00"
    assert ids(desk, "operator") == ["h1:eye-1000.operator.1", "h1:eye-1000.operator.2"]


def test_faults_of_one_room_are_told_in_it_and_of_several_in_none(desk: Desk) -> None:
    told_fault(desk, "eye", "sink")
    assert last(desk)["room"] == "kitchen"
    told_fault(desk, "alarm", "help", at=10 * MIN)
    assert last(desk)["room"] == ""
    assert last(desk)["source"] == "alarm, help"
    assert "because" not in last(desk)


def test_a_fault_in_a_message_says_what_it_is_of(desk: Desk) -> None:
    desk.tell(Happening.FAULT, "door", 0, because=("eye.motion",), alert="f1")
    desk.take(desk.delivery.fault(silent("eye"), 0))
    desk.take(desk.delivery.advance(MIN))
    (told,) = [body["data"] for who, body in desk.heard if who == "operator"]
    of_rule, of_device = told["faults"]
    assert (of_rule["rule"], of_rule["because"], of_rule["alert"]) == ("door", ["eye.motion"], "f1")
    assert (of_device["source"], of_device["text"]["en"]) == ("eye", "eye silent")
    assert "source" not in of_rule
    assert told["rule"] == "node"
    assert told["text"]["en"] == "blind: door, because eye.motion; eye silent"


def test_faults_more_than_a_minute_apart_are_messages_of_their_own(desk: Desk) -> None:
    desk.take(desk.delivery.fault(silent("eye"), 0))
    desk.take(desk.delivery.fault(silent("alarm"), JOIN_MS + 1))
    assert [body["data"]["source"] for who, body in desk.heard if who == "operator"] == ["eye"]
    assert desk.delivery.due() == 2 * JOIN_MS + 1


def test_a_fault_that_joins_what_was_told_is_told_a_minute_later_with_it(desk: Desk) -> None:
    told_fault(desk, "eye")
    desk.tell(Happening.FAULT, "door", 10 * MIN, because=("eye.motion",), alert="f1")
    assert desk.delivery.due() == 11 * MIN
    desk.take(desk.delivery.fault(NodeFault("eye gone", {"en": "x"}, ("eye",), at_once=True), 10 * MIN + 5))
    assert desk.told("operator")[-1] == ("operator", "fault", "node")
    assert len(last(desk)["faults"]) == 3


def test_who_takes_care_of_a_fault_is_told_once_and_listed(desk: Desk) -> None:
    told_fault(desk, "eye")
    for at in (2 * MIN, 3 * MIN):
        outcome = desk.delivery.acknowledge_fault("operator", "eye-0", "Bo", at)
        assert outcome is not None
        desk.take(outcome)
    assert [what for _, what, _ in desk.told("operator")] == ["fault", "acknowledged"]
    assert last(desk)["by"] == "Bo"
    desk.restart()
    assert [m.party for m in desk.delivery.statuses(4 * MIN) if b"acknowledged" in m.payload] == ["operator"]


def test_one_of_several_faults_that_is_over_before_the_telling_is_left_out(desk: Desk) -> None:
    desk.take(desk.delivery.fault(silent("eye"), 0))
    desk.take(desk.delivery.fault(silent("sink"), 0))
    desk.take(desk.delivery.recovered("eye", 10))
    desk.take(desk.delivery.recovered("nobody", 20))
    assert desk.delivery.due() == MIN
    desk.take(desk.delivery.advance(MIN))
    assert last(desk)["source"] == "sink"
