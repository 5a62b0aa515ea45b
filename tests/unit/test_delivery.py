"""Who hears what when, and who never does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from homenode.contract.alert import numbered
from homenode.contract.times import Zone
from homenode.delivery import Delivery, Evidence, NodeFault, Outcome, Say, Switch
from homenode.delivery.alerts import opened
from homenode.engine.mode import Over
from homenode.engine.transition import Happening, Transition
from homenode.language.bound import And, BoundRule, BoundStep, Compare, Not
from homenode.message import Class, Message
from homenode.reading import Quality
from tests.contract import CONTRACT

MIN = 60_000
ZONE = Zone("Europe/Stockholm")
ROOMS = {"stove": "kitchen", "eye": "kitchen", "sink": "kitchen", "alarm": "hall", "help": "bedroom"}


def bound(name: str, *points: str, **more: Any) -> BoundRule:
    when = And(tuple(Compare(point, "==", True) for point in points))
    fields: dict[str, Any] = {
        "rule": name,
        "version": 1,
        "severity": "warning",
        "to": ("care",),
        "when": when,
        "clear": Not(when),
        "says": {"sv": f"{name} i 20 min", "en": f"{name} for 20 min"},
        "roles": {"role": points},
    }
    return BoundRule(name, **{**fields, **more})


def notify(number: int = 1, after_ms: int | None = 0, **more: Any) -> BoundStep:
    return BoundStep(number, "notify", after_ms, **more)


LAMP = (
    BoundStep(1, "light", 0, point="hall.light", turn=True),
    BoundStep(2, "light", None, point="hall.light"),
)
RULES = {
    rule.name: rule
    for rule in (
        bound("door", "eye.motion"),
        bound(
            "stove",
            "stove.power",
            "eye.motion",
            severity="alarm",
            steps=(
                BoundStep(1, "say", 0, text={"sv": "Spisen är på."}),
                BoundStep(2, "switch", 2 * MIN, point="stove.switch", turn=False),
                notify(3, 3 * MIN),
            ),
        ),
        bound("leak", "sink.water", "eye.motion", to=("property", "care"), severity="alarm"),
        bound("smoke", "alarm.smoke", severity="alarm"),
        bound("help", "help.button", severity="alarm"),
        bound("quiet", "eye.motion", to=()),
        bound("goodbye", "eye.motion", steps=(notify(1, 10 * MIN), notify(2, None, parties=("resident",)))),
        bound("wrong", "eye.motion", to=("operator",)),
        *(bound(name, "eye.motion", to=(), steps=LAMP) for name in ("lit", "lit_too")),
    )
}


class Desk:
    """A node's delivery, and what each party has on its desk."""

    def __init__(self) -> None:
        self.delivery = self._new()
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.status: dict[str, dict[str, Any]] = {}
        self.actions: list[Any] = []

    def _new(self) -> Delivery:
        return Delivery("h1", ZONE, ROOMS, RULES, {"homenode": "0.1.0"})

    def take(self, outcome: Outcome) -> Outcome:
        for message in outcome.messages:
            self.put(message)
        self.actions += outcome.actions
        return outcome

    def put(self, message: Message) -> None:
        status = message.klass is Class.STATUS
        payload = message.payload if status else numbered(message.payload, 1, "e")
        assert not CONTRACT.why_not(message.topic, payload, retain=message.retain)
        body = json.loads(payload)
        if status:
            self.status[message.party] = body
            return
        assert message.topic == f"hn1/h1/{message.party}/alerts"
        assert body["id"] == message.id
        self.heard.append((message.party, body))

    def tell(self, event: Happening, rule: str, at: int, **more: Any) -> Outcome:
        alert = more.pop("alert", f"{rule}-1")
        evidence = more.pop("evidence", [])
        return self.take(self.delivery.transition(Transition(at, rule, alert, event, **more), evidence))

    def raised(self, rule: str, at: int, **more: Any) -> Outcome:
        return self.tell(Happening.RAISED, rule, at, **more)

    def step(self, rule: str, at: int, number: int, do: str = "notify", **more: Any) -> Outcome:
        return self.tell(Happening.STEP, rule, at, step=number, do=do, run=1, **more)

    def told(self, party: str = "") -> list[tuple[str, str, str]]:
        """(party, what, subject) in order."""
        return [
            (who, body["type"].rpartition(".")[2], body["subject"])
            for who, body in self.heard
            if party in ("", who)
        ]

    def restart(self) -> None:
        """Only what the journal has is left."""
        state = json.loads(json.dumps(self.delivery.dump()))
        self.delivery = self._new()
        self.delivery.load(state)


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- alerts


def test_an_alert_of_a_rule_that_says_nothing_is_called_by_its_name() -> None:
    alert = opened(replace(RULES["door"], says={}), "a", 1000, ROOMS)
    assert alert.text == {"sv": "door", "en": "door"}


def test_a_rule_without_a_notify_step_is_told_at_once(desk: Desk) -> None:
    desk.raised("door", 1000)
    assert desk.told() == [("care", "notified", "door")]
    assert desk.heard[0][1]["time"] == "1970-01-01T01:00:01.000+01:00"
    assert desk.heard[0][1]["data"]["text"] == {"sv": "door i 20 min", "en": "door for 20 min"}


def test_a_party_hears_nothing_before_its_notify_step(desk: Desk) -> None:
    desk.raised("stove", 0)
    desk.step("stove", 0, 1, "say")
    desk.step("stove", 2 * MIN, 2, "switch")
    assert desk.told() == []
    assert desk.status == {}
    assert desk.actions == [
        Say({"sv": "Spisen är på."}, "stove-1", 1, 1, "stove"),
        Switch("stove.switch", False, "stove-1", 2, 1),
    ]
    desk.step("stove", 3 * MIN, 3)
    assert desk.told() == [("care", "notified", "stove")]
    assert desk.heard[0][1]["data"]["raised"] == "1970-01-01T01:00:00.000+01:00"


def test_a_lamp_stays_lit_until_the_last_alert_that_wants_it_is_over(desk: Desk) -> None:
    for rule in ("lit", "lit_too"):
        desk.raised(rule, 0)
        desk.step(rule, 0, 1, "light")
    desk.tell(Happening.RESOLVED, "lit", MIN)
    desk.step("lit", MIN, 2, "light")
    desk.restart()
    desk.tell(Happening.RESOLVED, "lit_too", 2 * MIN)
    desk.step("lit_too", 2 * MIN, 2, "light")
    assert [(action.alert, action.to) for action in desk.actions] == [
        ("lit-1", True),
        ("lit_too-1", True),
        ("lit_too-1", False),
    ]


def test_an_alert_resolved_before_anybody_was_told_is_told_to_nobody(desk: Desk) -> None:
    desk.raised("stove", 0)
    desk.tell(Happening.RESOLVED, "stove", MIN)
    assert desk.told() == []
    assert desk.status == {}


def test_who_was_told_hears_of_acknowledgement_and_end(desk: Desk) -> None:
    desk.raised("leak", 0)
    desk.tell(Happening.ACKNOWLEDGED, "leak", MIN, parties=("care",), reason="Eva")
    desk.tell(Happening.RESOLVED, "leak", 2 * MIN)
    for party in ("care", "property"):
        assert [what for _, what, _ in desk.told(party)] == ["notified", "acknowledged", "resolved"]
    by = {party: body["data"].get("by") for party, body in desk.heard if body["type"].endswith("wledged")}
    assert by == {"care": "Eva", "property": "care"}
    assert all(entry["open"] == [] for entry in desk.status.values())


def test_every_message_has_an_id_of_its_own_and_the_same_after_a_restart() -> None:
    def play(restarts: bool) -> list[str]:
        desk = Desk()
        for event in (Happening.RAISED, Happening.ACKNOWLEDGED, Happening.LAPSED, Happening.RESOLVED):
            desk.tell(event, "leak", 0)
            if restarts:
                desk.restart()
        return [body["id"] for _, body in desk.heard]

    assert play(True) == play(False)
    assert len(set(play(False))) == len(play(False)) == 8


def test_an_acknowledgement_that_lapses_tells_again_where_no_step_does(desk: Desk) -> None:
    desk.raised("door", 0)
    desk.tell(Happening.ACKNOWLEDGED, "door", MIN)
    assert desk.status["care"]["open"][0]["event"] == "acknowledged"
    desk.tell(Happening.LAPSED, "door", 2 * MIN)
    assert [what for _, what, _ in desk.told()] == ["notified", "acknowledged", "notified"]
    assert desk.status["care"]["open"][0]["event"] == "notified"


def test_a_rule_for_nobody_stays_in_the_home(desk: Desk) -> None:
    desk.raised("quiet", 0)
    desk.tell(Happening.RESOLVED, "quiet", 1)
    assert desk.told() == []


def test_the_operator_gets_no_alert_even_if_a_rule_says_so(desk: Desk) -> None:
    desk.raised("wrong", 0)
    assert desk.told() == []


def test_a_step_at_resolve_tells_only_whom_nobody_told(desk: Desk) -> None:
    desk.raised("goodbye", 0)
    desk.tell(Happening.RESOLVED, "goodbye", MIN)
    desk.step("goodbye", MIN, 2, parties=("resident", "care"))
    assert desk.told() == [("care", "resolved", "goodbye"), ("resident", "resolved", "goodbye")]


def test_a_changed_rule_closes_its_alert_with_the_reason(desk: Desk) -> None:
    desk.raised("door", 0)
    desk.delivery.reload(ROOMS, {})
    desk.tell(Happening.RESOLVED, "door", 1, reason="rule changed")
    assert desk.heard[-1][1]["data"]["reason"] == "rule changed"


# --- evidence


EVIDENCE = [
    Evidence("sink.water", True, Quality.GOOD, 0),
    Evidence("eye.motion", False, Quality.GOOD, 0),
    Evidence("eye.battery", 7, Quality.STALE, None),
]


def test_property_learns_where_it_leaks_and_not_who_is_home(desk: Desk) -> None:
    desk.raised("leak", 0, evidence=EVIDENCE)
    shown = {party: body["data"]["evidence"] for party, body in desk.heard}
    assert shown["property"][:2] == [
        {
            "point": "sink.water",
            "unit": None,
            "room": "kitchen",
            "value": True,
            "quality": "good",
            "at": "1970-01-01T01:00:00.000+01:00",
        },
        {"point": "eye.motion", "unit": None, "room": "kitchen"},
    ]
    assert shown["care"][1]["value"] is False
    assert shown["care"][2] == {"point": "eye.battery", "unit": "%", "value": None, "quality": "stale"}


def test_a_party_that_only_a_step_names_sees_no_evidence(desk: Desk) -> None:
    desk.raised("goodbye", 0, evidence=EVIDENCE)
    desk.step("goodbye", 10 * MIN, 1, parties=("resident", "care"), evidence=EVIDENCE)
    shown = {party: len(body["data"]["evidence"]) for party, body in desk.heard}
    assert shown == {"care": 3, "resident": 0}


# --- acknowledging


def test_a_party_may_acknowledge_only_what_was_sent_to_it(desk: Desk) -> None:
    desk.raised("door", 0)
    assert desk.delivery.may_acknowledge("care", "door-1")
    for party, alert in (("property", "door-1"), ("care", "other"), ("operator", "door-1")):
        assert not desk.delivery.may_acknowledge(party, alert)


def test_the_resident_answers_a_warning_before_it_is_sent(desk: Desk) -> None:
    desk.raised("goodbye", 0)
    assert desk.take(desk.delivery.answered(MIN)).acknowledge == ["goodbye-1"]


def test_the_residents_ok_holds_an_alarm_back_once_and_is_told(desk: Desk) -> None:
    desk.raised("stove", 0)
    assert desk.take(desk.delivery.answered(MIN)).acknowledge == []
    desk.take(desk.delivery.answered(2 * MIN))
    desk.step("stove", 3 * MIN, 3)
    desk.restart()
    assert desk.delivery.due() == 8 * MIN
    desk.take(desk.delivery.advance(8 * MIN - 1))
    assert desk.told() == []
    desk.take(desk.delivery.advance(8 * MIN))
    assert desk.told() == [("care", "notified", "stove")]
    assert desk.heard[0][1]["data"]["answered"] == "1970-01-01T01:01:00.000+01:00"


def test_the_residents_ok_delays_nothing_after_the_alarm_was_told(desk: Desk) -> None:
    desk.raised("stove", 0)
    desk.take(desk.delivery.answered(MIN))
    desk.step("stove", 3 * MIN, 3)
    desk.take(desk.delivery.advance(8 * MIN))
    desk.tell(Happening.ACKNOWLEDGED, "stove", 20 * MIN, parties=("care",))
    desk.tell(Happening.LAPSED, "stove", 30 * MIN)
    desk.step("stove", 33 * MIN, 3)
    assert desk.heard[-1][1]["time"] == "1970-01-01T01:33:00.000+01:00"
    assert [what for _, what, _ in desk.told()] == ["notified", "acknowledged", "notified"]


def test_an_alarm_that_ends_while_held_back_is_told_to_nobody(desk: Desk) -> None:
    desk.raised("stove", 0)
    desk.take(desk.delivery.answered(MIN))
    desk.step("stove", 3 * MIN, 3)
    desk.tell(Happening.RESOLVED, "stove", 4 * MIN)
    desk.take(desk.delivery.advance(60 * MIN))
    assert desk.told() == []


@pytest.mark.parametrize("rule", ["smoke", "help", "leak"])
def test_the_residents_ok_never_delays_smoke_water_or_the_help_button(desk: Desk, rule: str) -> None:
    desk.raised(rule, 0, alert="x")
    before = len(desk.heard)
    desk.delivery.answered(0)
    assert before == len(desk.heard) > 0


# --- tests by a technician


def test_in_service_every_message_is_a_test(desk: Desk) -> None:
    desk.take(desk.delivery.mode("service", 0))
    desk.raised("door", 1)
    desk.tell(Happening.RESOLVED, "door", 2)
    assert [body["data"]["test"] for _, body in desk.heard] == [True, True]


@pytest.mark.parametrize("rule", ["smoke", "help"])
def test_real_smoke_in_service_goes_out_unmarked_after_two_minutes(desk: Desk, rule: str) -> None:
    desk.take(desk.delivery.mode("service", 0))
    desk.raised(rule, 0)
    desk.restart()
    desk.take(desk.delivery.advance(2 * MIN - 1))
    assert [body["data"]["test"] for _, body in desk.heard] == [True]
    desk.tell(Happening.RESOLVED, rule, 5 * MIN)
    assert [(body["time"][14:19], body["data"]["test"]) for _, body in desk.heard] == [
        ("00:00", True),
        ("02:00", False),
        ("05:00", False),
    ]


def test_what_outlives_service_is_told_again_for_real(desk: Desk) -> None:
    desk.take(desk.delivery.mode("service", 0))
    desk.raised("door", 1)
    desk.take(desk.delivery.mode("home", MIN))
    assert [body["data"]["test"] for _, body in desk.heard] == [True, False]


def test_mode_is_told_to_care_and_resident_alone(desk: Desk) -> None:
    desk.take(desk.delivery.mode("away", 0))
    assert set(desk.status) == {"care", "resident"}
    assert desk.status["care"]["mode"] == "away"
    for message in desk.delivery.statuses(1):
        assert ("mode" in json.loads(message.payload)) == (message.party in ("care", "resident"))


# --- faults


def silent(device: str, **more: Any) -> NodeFault:
    return NodeFault(device, {"sv": f"{device} tyst", "en": f"{device} silent"}, to_property=True, **more)


def test_faults_within_a_minute_are_one_message_that_lists_them(desk: Desk) -> None:
    desk.take(desk.delivery.fault(silent("eye"), 0))
    desk.take(desk.delivery.fault(silent("sink"), MIN - 1))
    desk.tell(Happening.FAULT, "leak", MIN - 1, because=("eye.motion", "sink.water"), alert="f1")
    assert desk.told() == []
    desk.take(desk.delivery.advance(MIN))
    assert [who for who, _, _ in desk.told()] == ["property", "operator"]
    for _, body in desk.heard:
        assert body["data"]["severity"] == "warning"
        assert [fault.get("source", fault.get("rule")) for fault in body["data"]["faults"]] == [
            "eye",
            "sink",
            "leak",
        ]
    desk.take(desk.delivery.advance(2 * MIN))
    assert desk.told("care") == [("care", "fault", "leak")]
    assert desk.heard[-1][1]["data"]["because"] == ["eye.motion", "sink.water"]


def test_a_blind_rule_is_told_to_its_parties_and_the_operator(desk: Desk) -> None:
    desk.tell(Happening.FAULT, "door", 0, because=("eye.motion",), alert="f1")
    desk.take(desk.delivery.advance(MIN))
    desk.tell(Happening.RECOVERED, "door", 5 * MIN, alert="f1")
    assert desk.told("care") == [("care", "fault", "door"), ("care", "recovered", "door")]
    assert [what for _, what, _ in desk.told("operator")] == ["fault", "recovered"]
    assert desk.told("property") == []
    assert desk.heard[0][1]["data"]["text"]["en"] == "blind: door, because eye.motion"
    assert desk.heard[0][1]["data"]["rule"] == "door"


def test_a_fault_over_before_it_is_told_is_told_to_nobody(desk: Desk) -> None:
    desk.take(desk.delivery.fault(silent("eye"), 0))
    desk.take(desk.delivery.recovered("eye", MIN - 1))
    desk.take(desk.delivery.advance(9 * MIN))
    assert desk.told() == []


def test_a_fault_told_twice_is_one(desk: Desk) -> None:
    for at in (0, 10, 5 * MIN):
        desk.take(desk.delivery.fault(silent("eye"), at))
    desk.take(desk.delivery.advance(9 * MIN))
    assert [who for who, _, _ in desk.told()] == ["property", "operator"]


def test_a_fault_in_other_words_is_told_anew_also_to_who_took_care_of_the_former(desk: Desk) -> None:
    def fails(version: str, at: int) -> None:
        desk.take(desk.delivery.fault(NodeFault("update", {"en": f"{version} failed"}, at_once=True), at))

    fails("1.1", 0)
    fails("1.1", MIN)
    desk.take(desk.delivery.acknowledge_fault("operator", "update-0", "Bo", 2 * MIN) or Outcome())
    desk.restart()
    fails("1.2", 3 * MIN)
    texts = [(body["type"].rpartition(".")[2], body["data"]["text"]["en"]) for _, body in desk.heard]
    assert texts == [("fault", "1.1 failed"), ("acknowledged", "1.1 failed"), ("fault", "1.2 failed")]
    assert len({body["data"]["alert"] for _, body in desk.heard}) == 1, (
        "it is one fault, and nothing recovered"
    )
    assert len({body["id"] for _, body in desk.heard}) == 3
    (shown,) = desk.status["operator"]["open"]
    assert (shown["text"], shown["event"]) == ({"en": "1.2 failed"}, "fault")
    desk.take(desk.delivery.recovered("update", 4 * MIN))
    assert desk.told()[-1] == ("operator", "recovered", "node")
    assert desk.status["operator"]["open"] == []


def test_a_fault_in_other_words_is_told_with_what_it_joined_and_after_a_minute(desk: Desk) -> None:
    desk.take(desk.delivery.fault(silent("eye"), 0))
    desk.take(desk.delivery.fault(silent("sink"), 0))
    desk.take(desk.delivery.advance(MIN))
    desk.take(desk.delivery.fault(replace(silent("sink"), text={"en": "gone"}), 5 * MIN))
    assert len(desk.heard) == 2
    desk.take(desk.delivery.fault(replace(silent("sink"), text={"en": "broken"}), 5 * MIN + 1))
    desk.take(desk.delivery.advance(6 * MIN))
    for _, body in desk.heard[2:]:
        assert [fault["text"]["en"] for fault in body["data"]["faults"]] == ["eye silent", "broken"]
    assert desk.told()[2:] == [("property", "fault", "node"), ("operator", "fault", "node")]


def test_a_radio_fault_is_the_operators_alone(desk: Desk) -> None:
    desk.take(desk.delivery.fault(NodeFault("zigbee", {"en": "radio gone"}), 0))
    desk.take(desk.delivery.advance(MIN))
    assert desk.told() == [("operator", "fault", "node")]
    assert desk.heard[0][1]["data"]["source"] == "zigbee"
    assert desk.status["operator"]["health"] == {"state": "fault"}


def test_what_one_device_causes_later_joins_its_message(desk: Desk) -> None:
    desk.take(desk.delivery.fault(silent("eye"), 0))
    desk.take(desk.delivery.advance(MIN))
    desk.tell(Happening.FAULT, "door", 10 * MIN, because=("eye.motion",), alert="f1")
    desk.take(desk.delivery.advance(11 * MIN))
    operator = [body for who, body in desk.heard if who == "operator"]
    assert {body["data"]["alert"] for body in operator} == {operator[0]["data"]["alert"]}
    assert [len(body["data"]["faults"]) for body in operator] == [1, 2]
    desk.tell(Happening.RECOVERED, "door", 20 * MIN, alert="f1")
    desk.take(desk.delivery.recovered("eye", 20 * MIN))
    assert desk.told("operator")[-1] == ("operator", "recovered", "node")
    assert len(desk.status["operator"]["open"]) == 0


def test_what_counts_as_missing_later_is_told_then_and_not_with_what_is_told_now(desk: Desk) -> None:
    for rule, point, missing_from in (("door", "eye.motion", 60 * MIN), ("stove", "oven.power", 61 * MIN)):
        change = Transition(0, rule, rule, Happening.FAULT, because=(point,))
        desk.take(desk.delivery.transition(change, (), missing_from))
    desk.tell(Happening.FAULT, "smoke", 1000, because=("alarm.smoke",), alert="f")
    desk.restart()
    desk.take(desk.delivery.advance(60 * MIN - 1))
    assert desk.told("care") == [("care", "fault", "smoke")]
    desk.take(desk.delivery.advance(60 * MIN))
    assert [fault["rule"] for fault in desk.heard[-1][1]["data"]["faults"]] == ["door", "stove"]
    assert len(desk.told("care")) == 2


def test_half_recovered_is_told_as_what_remains(desk: Desk) -> None:
    desk.take(desk.delivery.fault(silent("eye"), 0))
    desk.take(desk.delivery.fault(silent("sink"), 0))
    desk.take(desk.delivery.advance(MIN))
    desk.take(desk.delivery.recovered("eye", 2 * MIN))
    desk.restart()
    desk.take(desk.delivery.advance(3 * MIN))
    last = desk.heard[-1][1]
    assert last["type"] == "hn1.alert.fault"
    assert [fault["source"] for fault in last["data"]["faults"]] == ["sink"]


def test_a_restart_is_told_at_once(desk: Desk) -> None:
    fault = NodeFault("downtime", {"en": "restarted after 25 min, not yet heard: eye"}, at_once=True)
    desk.take(desk.delivery.fault(fault, 7))
    assert desk.told() == [("operator", "fault", "node")]


def test_a_fault_is_acknowledged_by_whom_it_was_sent_to(desk: Desk) -> None:
    desk.take(desk.delivery.fault(silent("eye"), 0))
    assert not desk.delivery.may_acknowledge("property", "eye-0")
    desk.take(desk.delivery.advance(MIN))
    assert desk.delivery.may_acknowledge("property", "eye-0")
    outcome = desk.delivery.acknowledge_fault("property", "eye-0", "Bo", 2 * MIN)
    assert outcome is not None
    desk.take(outcome)
    assert desk.told("property")[-1] == ("property", "acknowledged", "node")
    assert desk.status["property"]["open"][0]["event"] == "acknowledged"
    assert desk.delivery.acknowledge_fault("care", "eye-0", "Eva", 2 * MIN) is None


def test_a_fault_that_joins_is_open_though_the_others_were_taken_care_of(desk: Desk) -> None:
    def taken_care_of(at: int) -> None:
        outcome = desk.delivery.acknowledge_fault("property", "eye-0", "Bo", at)
        assert outcome is not None
        desk.take(outcome)

    def events() -> list[str]:
        return [entry["event"] for entry in desk.status["property"]["open"]]

    desk.take(desk.delivery.fault(silent("eye"), 0))
    desk.take(desk.delivery.advance(MIN))
    taken_care_of(2 * MIN)
    desk.take(desk.delivery.fault(silent("eye battery", causes=("eye",)), 60 * MIN))
    desk.restart()
    taken_care_of(60 * MIN + 1)  # of what was told by then
    desk.take(desk.delivery.advance(61 * MIN))
    assert events() == ["fault"]
    taken_care_of(62 * MIN)
    assert events() == ["acknowledged"]
    desk.take(desk.delivery.fault(silent("eye value", causes=("eye",)), 63 * MIN))
    desk.take(desk.delivery.recovered("eye value", 63 * MIN))
    desk.take(desk.delivery.advance(64 * MIN))  # a fault that joined and was over before it was told
    assert events() == ["acknowledged"]
    desk.take(desk.delivery.recovered("eye", 70 * MIN))
    desk.take(desk.delivery.advance(71 * MIN))
    assert events() == ["acknowledged"]
    told = [what for _, what, _ in desk.told("property")]
    assert told == ["fault", "acknowledged", "fault", "acknowledged", "fault", "fault"]


def test_what_fell_due_is_told_with_its_own_time_however_late_it_is_asked(desk: Desk) -> None:
    desk.delivery.clock(1_767_600_000_000)
    desk.take(desk.delivery.fault(silent("eye"), 0))
    desk.raised("door", 10 * MIN)
    assert desk.told() == [
        ("property", "fault", "node"),
        ("operator", "fault", "node"),
        ("care", "notified", "door"),
    ]


# -- news of modes


def over(mode: str, at: int = 2 * MIN, why: str = "command", lasted_ms: int = 120 * MIN) -> Over:
    return Over(at, mode, why, lasted_ms)


def test_service_that_ended_by_itself_is_told_to_care_and_to_the_technicians_party(desk: Desk) -> None:
    desk.take(desk.delivery.mode("service", 0))
    desk.take(desk.delivery.mode("home", 2 * MIN, [over("service")]))
    assert desk.told() == [("care", "notified", "node"), ("property", "notified", "node")]
    data = desk.heard[0][1]["data"]
    assert (data["severity"], data["test"], data["evidence"]) == ("info", False, [])
    assert data["text"] == {
        "sv": "Läget service slutade av sig självt efter 2 h. Nu gäller läget hemma.",
        "en": "Mode service ended by itself after 2 h. The mode is home now.",
    }
    assert [entry["alert"] for entry in desk.status["care"]["open"]] == [f"mode-{2 * MIN}"]


def test_that_nobody_is_away_any_more_is_for_care_alone_and_a_night_is_no_news(desk: Desk) -> None:
    desk.take(desk.delivery.mode("home", 2 * MIN, [over("away", why="silence", lasted_ms=1440 * MIN)]))
    assert desk.told() == [("care", "notified", "node")]
    assert "1 d after the front door was used" in desk.heard[0][1]["data"]["text"]["en"]
    desk.take(desk.delivery.mode("home", 3 * MIN, [over("night", 3 * MIN)]))
    assert len(desk.told()) == 1


def test_news_are_over_when_somebody_has_acknowledged_them_or_after_a_day(desk: Desk) -> None:
    for at in (2 * MIN, 5 * MIN):
        desk.take(desk.delivery.mode("home", at, [over("service", at)]))
    first, second = f"mode-{2 * MIN}", f"mode-{5 * MIN}"
    assert desk.delivery.may_acknowledge("property", first)
    assert not desk.delivery.may_acknowledge("resident", first)
    desk.restart()
    outcome = desk.delivery.acknowledge_fault("property", first, "Bo", 6 * MIN)
    assert outcome is not None
    desk.take(outcome)
    told = [(who, body["type"].rpartition(".")[2], body["data"].get("by")) for who, body in desk.heard[4:]]
    assert told == [
        ("care", "acknowledged", "property"),
        ("property", "acknowledged", "Bo"),
        ("care", "resolved", None),
        ("property", "resolved", None),
    ]
    assert [entry["alert"] for entry in desk.status["care"]["open"]] == [second]
    assert desk.delivery.due() == 5 * MIN + 1440 * MIN
    desk.take(desk.delivery.advance(5 * MIN + 1440 * MIN))
    assert desk.told()[-2:] == [("care", "resolved", "node"), ("property", "resolved", "node")]
    assert desk.status["care"]["open"] == []
    assert desk.delivery.due() is None
