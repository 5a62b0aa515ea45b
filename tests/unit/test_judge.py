"""The deciding half of a node: what comes in is decided once, and the same when the journal is read again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homenode.config.model import NEVER, Device, Home, Mode
from homenode.config.rows import STANDARD_MODES
from homenode.contract.times import Zone
from homenode.delivery import Delivery, NodeFault
from homenode.engine.engine import Engine
from homenode.engine.events import ClockSet, ModeSet, NodeDown, NodeUp
from homenode.judge import Judge
from homenode.language.bound import And, BoundRule, BoundStep, Compare, For, Not, Or
from homenode.message import Message
from homenode.reading import How, Reading

MIN = 60_000
OPEN = Compare("door.contact", "==", True)
RULE = BoundRule(
    "ajar",
    "ajar",
    1,
    "warning",
    ("care",),
    For(OPEN, 5 * MIN),
    Not(OPEN),
    steps=(BoundStep(1, "say", 0, text={"en": "The door"}), BoundStep(2, "notify", 2 * MIN)),
    says={"sv": "Dörren", "en": "The door"},
)
MODES = {name: Mode(name, longest_ms) for name, longest_ms in STANDARD_MODES.items()}
DEVICES = {
    "door": Device("door", "gpio", "hall", kinds=("contact",)),
    "eye": Device("eye", "zigbee", "kitchen", via="zigbee"),
}
HOME = Home(
    path=Path("home.yaml"),
    home="h1",
    timezone="UTC",
    language="en",
    broker=None,
    radios={},
    devices=DEVICES,
    rules=(),
    share={"care": ("*.*",)},
    modes=MODES,
)
LIMITS_MS = {"door": NEVER, "eye": 60 * MIN}
FAULT = NodeFault("zigbee", {"sv": "Radion borta", "en": "Radio gone"}, ("eye",), to_property=True)


def a_judge(engine: Any = None) -> Judge:
    rooms = {name: device.room for name, device in DEVICES.items()}
    delivery = Delivery("h1", Zone("UTC"), rooms, {RULE.name: RULE}, {"homenode": "0"})
    made = Engine([RULE], LIMITS_MS, start=0, modes=MODES) if engine is None else engine
    return Judge(HOME, [RULE], made, delivery, Zone("UTC"))


def data_of(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message.payload)
    return found


def opened(judge: Judge, at: int = 1000) -> None:
    judge.feed(Reading("door.contact", True, at))


def down_for(judge: Judge, span_ms: int, *heard: Reading, since: int = 3000, measured: bool = True) -> int:
    """The node was down, and is up again when it hears this; returns when."""
    judge.feed(NodeDown(since))
    judge.feed(NodeUp(since + span_ms, measured))
    for reading in heard:
        judge.feed(reading._replace(at=since + span_ms))
    judge.advance(since + span_ms)
    return since + span_ms


def restored(judge: Judge, up: int) -> dict[str, dict[str, Any]]:
    """Device and kind to what is told of it after a start at `up`."""
    return {m.topic.rpartition("readings/")[2]: data_of(m) for m in judge.restored(up, judge.engine.now)}


def test_an_alert_is_recorded_before_it_is_told_and_told_when_its_step_says() -> None:
    judge = a_judge()
    opened(judge)
    judge.advance(1000)
    due = judge.next_deadline()
    assert due == 1000 + 5 * MIN
    raised = judge.advance(due)
    assert [record["t"] for record in raised.records][:2] == ["tr", "tr"]
    assert [change.event.value for change in raised.transitions] == ["raised", "step"]
    assert len(raised.actions) == 1
    told = judge.advance(due + 2 * MIN)
    assert any(message.id for message in told.messages)
    assert [record["t"] for record in told.records if record["t"] == "msg"]


@pytest.mark.parametrize(("down_ms", "since"), [(15 * MIN, 1000), (15 * MIN + 1, 3000 + 15 * MIN + 1)])
def test_an_alert_says_no_longer_ago_than_what_the_rule_knows(down_ms: int, since: int) -> None:
    judge = a_judge()
    opened(judge)
    up = down_for(judge, down_ms, Reading("door.contact", True, 0))
    told = [data_of(message) for message in judge.advance(up + 10 * MIN).messages if message.id]
    assert told[0]["data"]["evidence"][0]["since"] == Zone("UTC").text(since)


def test_nothing_is_decided_twice() -> None:
    judge = a_judge()
    opened(judge)
    assert judge.advance(10 * MIN).transitions
    again = judge.advance(10 * MIN)
    assert (again.transitions, again.messages, again.records) == ([], [], [])


def test_the_evidence_is_what_the_rule_read_and_only_if_it_is_good() -> None:
    judge = a_judge()
    opened(judge)
    decided = judge.advance(20 * MIN)
    (notified,) = [data_of(m) for m in decided.messages if m.id and b"notified" in bytes(m.payload)]
    (evidence,) = notified["data"]["evidence"]
    assert (evidence["point"], evidence["value"], evidence["quality"]) == ("door.contact", True, "good")


def test_a_reading_older_than_the_newest_of_its_point_is_historical() -> None:
    judge = a_judge()
    assert judge.dated(Reading("door.contact", True, 500), 1000).how is How.LIVE
    assert judge.dated(Reading("door.contact", False, 499), 1000).how is How.HISTORICAL
    assert judge.dated(Reading("door.contact", False, 500), 1000).how is How.LIVE
    assert judge.dated(Reading("eye.motion", True, 1), 1000).how is How.LIVE


def test_a_reading_from_the_future_counts_from_now() -> None:
    judge = a_judge()
    assert judge.dated(Reading("door.contact", True, 5000), 1000) == Reading("door.contact", True, 1000)
    assert judge.dated(Reading("door.contact", False, 1000), 1000).how is How.LIVE


def test_after_a_start_points_are_told_as_restored_and_as_unknown_where_not_believed() -> None:
    judge = a_judge()
    opened(judge)
    judge.feed(Reading("eye.motion", None, 1000))
    judge.advance(2000)
    told = restored(judge, 2000)
    assert (told["door/contact"]["value"], told["door/contact"]["how"]) == (True, "restored")
    assert told["eye/motion"]["value"] is None
    up = down_for(judge, 15 * MIN)
    assert restored(judge, up)["door/contact"]["value"] is True
    up = down_for(judge, 15 * MIN + 1, Reading("eye.motion", True, 0), since=up + 1)
    doubted = restored(judge, up)
    assert list(doubted) == ["door/contact"]
    assert (doubted["door/contact"]["value"], doubted["door/contact"]["quality"]) == (None, "unknown")


def test_a_downtime_of_unknown_length_leaves_nothing_to_be_believed_until_it_is_told() -> None:
    judge = a_judge()
    judge.feed(Reading("eye.motion", True, 1000))
    up = down_for(judge, MIN, measured=False)
    assert restored(judge, up)["eye/motion"]["quality"] == "unknown"
    judge.feed(ClockSet(up + 1, slept_ms=10 * MIN))
    judge.advance(up + 1)
    assert restored(judge, up)["eye/motion"]["quality"] == "good"
    assert [message.at for message in judge.restored(up, up + 1)] == [up + 1]
    up = down_for(judge, 20 * MIN, since=up + 2)
    up = down_for(judge, 1, since=up + 1)
    assert restored(judge, up)["eye/motion"]["quality"] == "unknown"


def test_a_point_unknown_since_a_long_downtime_is_not_told_as_stale() -> None:
    judge = a_judge()
    judge.feed(Reading("eye.motion", True, 1000))
    up = down_for(judge, 20 * MIN)
    assert not [m for m in judge.silence(up + 60 * MIN).messages if "readings" in m.topic]


def test_what_a_rule_could_not_believe_is_no_evidence() -> None:
    either = replace(RULE, when=Or((OPEN, Compare("eye.motion", "==", True))), steps=())
    for bridge_ms, quality in ((15 * MIN, "unknown"), (60 * MIN, "good")):
        rule = replace(either, bridge_ms=bridge_ms)
        judge = a_judge(Engine([rule], LIMITS_MS, start=0, modes=MODES))
        judge.delivery.reload({}, {rule.name: rule})
        judge.feed(Reading("eye.motion", False, 1000))
        up = down_for(judge, 50 * MIN)
        judge.feed(Reading("door.contact", True, up + 1))
        (raised,) = [data_of(m) for m in judge.advance(up + 1).messages if m.id]
        qualities = {item["point"]: item["quality"] for item in raised["data"]["evidence"]}
        assert qualities == {"door.contact": "good", "eye.motion": quality}


def test_a_rule_that_is_gone_closes_its_alert_with_the_reason() -> None:
    judge = a_judge()
    opened(judge)
    judge.advance(10 * MIN)
    closed = judge.reload(HOME, [], LIMITS_MS, 10 * MIN).transitions
    assert [(change.event.value, change.reason) for change in closed] == [("resolved", "rule changed")]
    assert judge.rules == {}


def test_faults_are_kept_from_when_they_began_until_they_are_over() -> None:
    judge = a_judge()
    fault = NodeFault("zigbee", {"sv": "Radion borta", "en": "Radio gone"})
    judge.fault(fault, 1000)
    judge.fault(fault, 2000)
    assert judge.troubled == {"zigbee": (1000, {"sv": "Radion borta", "en": "Radio gone"})}
    again = NodeFault("zigbee", {"sv": "Radion hänger", "en": "Radio hangs"})
    judge.fault(again, 3000)
    assert judge.troubled == {"zigbee": (3000, {"sv": "Radion hänger", "en": "Radio hangs"})}
    assert judge.says("zigbee") == again.text
    assert judge.next_deadline() is not None
    told = judge.advance(5 * MIN)
    assert [m.topic for m in told.messages if m.id] == ["hn1/h1/operator/alerts"]
    over = judge.well("zigbee", 6 * MIN)
    assert over.records[0] == {"t": "well", "source": "zigbee", "at": 6 * MIN}
    assert judge.troubled == {}
    assert judge.says("zigbee") is None


def test_the_residents_answer_to_a_warning_acknowledges_it_before_it_is_sent() -> None:
    judge = a_judge()
    opened(judge)
    judge.advance(5 * MIN + 1000)
    answer = judge.answered(6 * MIN)
    assert answer.records[-1] == {"t": "ok", "at": 6 * MIN}
    acknowledged = judge.advance(10 * MIN)
    assert [change.event.value for change in acknowledged.transitions] == ["acknowledged"]


def test_a_mode_is_told_to_care_when_it_begins_and_when_it_ends_by_itself() -> None:
    judge = a_judge()
    judge.feed(Reading("door.contact", False, 1000))
    judge.feed(ModeSet("away", 1000, 5 * MIN))
    began = judge.advance(2000)
    assert [data_of(m)["mode"] for m in began.messages if m.topic == "hn1/h1/care/status"] == ["away"]
    ended = judge.advance(10 * MIN)
    assert [data_of(m)["mode"] for m in ended.messages if m.topic == "hn1/h1/care/status"] == ["home"]


@pytest.mark.parametrize("down", [False, True])
def test_a_mode_that_ended_by_itself_is_news_to_care_also_when_the_node_was_down(down: bool) -> None:
    judge = a_judge()
    judge.feed(Reading("door.contact", False, 1000))
    judge.feed(ModeSet("away", 1000, 5 * MIN))
    if down:
        judge.feed(NodeDown(2000))
        judge.feed(NodeUp(10 * MIN))
    told = [message for message in judge.advance(10 * MIN).messages if message.id]
    assert [(m.id, m.at, m.party) for m in told] == [
        (f"h1:mode-{1000 + 5 * MIN}.care.1", 10 * MIN if down else 1000 + 5 * MIN, "care")
    ]
    assert judge.advance(20 * MIN).messages == []


EYE, HELP = Compare("eye.motion", "==", True), Compare("help.button", "==", True)
NOBODY = Or((Not(EYE), For(EYE, 60 * MIN)))


def evidence_of(*readings: Reading, at: int) -> dict[str, dict[str, Any]]:
    """Point to what the message of an alert shows that is raised at `at`."""
    when = And((For(OPEN, 5 * MIN), Or((NOBODY, HELP))))
    rule = replace(RULE, when=when, clear=Not(OPEN), steps=(), version=2, parameters={"open": "5 min"})
    engine = Engine([rule], {"eye": 600 * MIN}, start=0, modes=MODES)
    delivery = Delivery("h1", Zone("UTC"), {}, {RULE.name: rule}, {"homenode": "0"})
    judge = Judge(HOME, [rule], engine, delivery, Zone("UTC"))
    known = Reading("door.contact", False, 0), Reading("help.button", False, 0)
    for reading in (*known, *readings):
        judge.feed(reading)
    (told,) = (m for m in judge.advance(at).messages if m.id)
    data = data_of(told)["data"]
    assert (data["version"], data["thresholds"], "why" in data) == (2, {"open": "5 min"}, True)
    return {entry["point"]: entry for entry in data["evidence"]}


@pytest.mark.parametrize(("since_ms", "stuck"), [(0, True), (1, False)])
def test_evidence_says_since_when_and_which_presence_counts_as_absent(since_ms: int, stuck: bool) -> None:
    renewed = Reading("eye.motion", True, 30 * MIN)
    pressed = [Reading("help.button", True, 60 * MIN)]
    seen = evidence_of(
        Reading("eye.motion", True, since_ms),
        renewed,
        Reading("door.contact", True, 10 * MIN),
        *pressed,
        at=60 * MIN,
    )
    assert seen["door.contact"]["since"] == "1970-01-01T00:10:00.000+00:00"
    assert seen["eye.motion"]["at"] == "1970-01-01T00:30:00.000+00:00"
    assert seen["eye.motion"]["since"] == f"1970-01-01T00:00:00.00{since_ms}+00:00"
    assert ("stuck" in seen["eye.motion"]) is stuck
    assert seen["help.button"]["since"] == "1970-01-01T01:00:00.000+00:00"


def test_a_reload_looks_anew_at_what_counts_as_absent() -> None:
    judge = a_judge()
    rule = replace(RULE, when=And((OPEN, NOBODY)), clear=Not(OPEN), steps=())
    judge.reload(HOME, [rule], LIMITS_MS, 1000)
    for reading in (
        ("door.contact", False, 2000),
        ("eye.motion", True, 2000),
        ("eye.motion", True, 50 * MIN),
    ):
        judge.feed(Reading(*reading))
    judge.feed(Reading("door.contact", True, 62 * MIN))
    (told,) = (m for m in judge.advance(62 * MIN).messages if m.id)
    eye = data_of(told)["data"]["evidence"][1]
    assert (eye["point"], eye["stuck"]) == ("eye.motion", True)


def test_after_a_reload_the_new_share_counts() -> None:
    judge = a_judge()
    opened(judge)
    judge.advance(2000)
    reading = Reading("door.contact", False, 3000)
    assert [message.topic for message in judge.shared(reading, 1)] == ["hn1/h1/care/readings/door/contact"]
    judge.reload(replace(HOME, share={"property": ("door.*",)}), [RULE], LIMITS_MS, 3000)
    assert [message.topic for message in judge.shared(reading, 1)] == [
        "hn1/h1/property/readings/door/contact"
    ]
    assert judge.home.share == {"property": ("door.*",)}


def test_the_next_deadline_is_the_earliest_of_rules_delivery_and_silence() -> None:
    judge = a_judge()
    judge.silence(1000)
    assert judge.next_deadline() == 1000 + MIN
    judge.fault(FAULT, 3000)
    judge.silence(4000)
    assert judge.next_deadline() == 3000 + MIN
    opened(judge, 5000)
    judge.silence(5 * MIN)
    assert judge.next_deadline() == 5000 + 5 * MIN


def test_a_reload_counts_from_the_next_instant_and_all_before_is_told_first() -> None:
    judge = a_judge()
    opened(judge)
    changed = replace(RULE, version=2)
    told = judge.reload(HOME, [changed], LIMITS_MS, 6 * MIN)
    assert [(change.at, change.event.value) for change in told.transitions] == [
        (1000 + 5 * MIN, "raised"),
        (1000 + 5 * MIN, "step"),
        (6 * MIN + 1, "resolved"),
        (6 * MIN + 1, "raised"),
        (6 * MIN + 1, "step"),
    ]
    assert judge.rules == {"ajar": changed}


def test_what_is_told_as_restored_is_as_old_as_its_reading() -> None:
    judge = a_judge()
    opened(judge)
    judge.feed(Reading("eye.button", True, 1000))
    judge.advance(2000)
    (told,) = judge.restored(9000, 9000)
    assert data_of(told)["at"] == "1970-01-01T00:00:01.000+00:00"
    assert data_of(told)["valid_until"] is None


def test_a_deadline_of_delivery_before_one_of_the_rules_is_told_first() -> None:
    judge = a_judge()
    judge.fault(FAULT, 1000)
    opened(judge, 1001)
    told = judge.advance(20 * MIN)
    subjects = [data_of(message)["subject"] for message in told.messages if message.id]
    assert subjects == ["node", "node", "ajar"]
    assert judge.next_deadline() is None


def test_a_new_rule_that_holds_already_is_told_in_its_own_words_and_the_old_one_ends_in_its_own() -> None:
    ending = replace(RULE, steps=(BoundStep(1, "say", None, text={"en": "Over"}),))
    judge = a_judge(Engine([ending], LIMITS_MS, start=0, modes=MODES))
    judge.delivery.reload({}, {ending.name: ending})
    judge.rules = {ending.name: ending}
    opened(judge)
    judge.advance(10 * MIN)
    new = replace(RULE, name="new", steps=(), says={"en": "New words"})
    told = judge.reload(HOME, [new], LIMITS_MS, 11 * MIN)
    assert [(change.rule, change.event.value) for change in told.transitions] == [
        ("ajar", "resolved"),
        ("ajar", "step"),
        ("new", "raised"),
    ]
    assert len(told.actions) == 1
    (raised,) = [data_of(m) for m in told.messages if b"notified" in m.payload and m.id]
    assert raised["data"]["text"] == {"en": "New words"}
    assert raised["data"]["room"] == "hall"
    assert [item["point"] for item in raised["data"]["evidence"]] == ["door.contact"]
