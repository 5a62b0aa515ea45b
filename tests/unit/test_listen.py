"""A receiver's view of one home: each alert once, what is missing, what is no alert."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.listen.bounds import MOST_B, MOST_COMMANDS, MOST_OPEN, shortened, size
from homenode.listen.event import Event, Reply, parse_alert, parse_link, parse_reading, parse_reply, split
from homenode.listen.places import EPOCHS, GAPS, Places
from homenode.listen.plan import Plan, Stage
from homenode.listen.told import Kind
from homenode.listen.watch import ENDED, REMEMBERED, Watch
from tests.unit.listening import MIN, NOW, PLAN, again, called, handed, message


def test_a_message_is_handed_to_every_target_once() -> None:
    watch = Watch("a", Plan("care", ("desk", "sms")))
    assert watch.alert(message(1), NOW)
    assert not watch.alert(message(1), NOW + 1)
    assert handed(watch) == [(Kind.ALERT, "desk"), (Kind.ALERT, "sms")]
    assert not watch.alert(message(1), NOW + 2)
    assert handed(watch) == []


def test_a_slow_target_keeps_its_order_and_holds_up_no_other() -> None:
    watch = Watch("a", Plan("care", ("desk", "sms")))
    for number in (1, 2):
        watch.alert(message(number), NOW)
    first, second = watch.tasks
    assert watch.taken(first.number, "desk", NOW)
    assert watch.waiting() == {"desk": second, "sms": first}


def test_taking_what_was_taken_changes_nothing() -> None:
    watch = Watch("a", PLAN)
    watch.alert(message(1), NOW)
    assert watch.taken(1, "desk", NOW)
    assert not watch.taken(1, "desk", NOW)
    assert not watch.taken(7, "desk", NOW)


def test_what_waits_for_a_target_that_is_gone_goes_to_the_others() -> None:
    watch = Watch("a", Plan("care", ("sms",)))
    watch.alert(message(1), NOW)
    later = Watch.restore("a", PLAN, watch.dump())
    assert handed(later) == [(Kind.ALERT, "desk")]


SENT = st.lists(st.tuples(st.sampled_from(["old", "new"]), st.integers(1, 25)), min_size=1, max_size=60)


@given(SENT, st.sets(st.integers(0, 59)))
def test_any_order_with_repeats_and_restarts_hands_each_over_once(
    sent: list[tuple[str, int]], restarts: set[int]
) -> None:
    watch, ids = Watch("a", PLAN), []
    for index, (epoch, number) in enumerate(sent):
        if index in restarts:
            watch = again(watch)
        watch.alert(message(number, epoch=epoch), NOW + index)
        if index % 3:
            continue
        for target, task in watch.waiting().items():
            ids.append(task.body["id"])
            watch.taken(task.number, target, NOW)
    while heads := watch.waiting():
        ids.append(heads["desk"].body["id"])
        watch.taken(heads["desk"].number, "desk", NOW)
    assert ids == list(dict.fromkeys(f"{epoch}.{number}" for epoch, number in sent))


@given(SENT, st.sets(st.integers(0, 59)), st.lists(st.integers(0, 40_000), min_size=60, max_size=60))
def test_no_hole_is_missed_or_invented(
    sent: list[tuple[str, int]], restarts: set[int], pauses: list[int]
) -> None:
    watch, now, first = Watch("a", PLAN), NOW, sent[0][0]
    missing: dict[tuple[str, int], int] = {}  # since when
    came: dict[str, set[int]] = {}
    told: set[tuple[str, int]] = set()
    filled: set[tuple[str, int]] = set()
    for index, (epoch, number) in enumerate(sent):
        now += pauses[index]
        _time_passes(watch, now, told, filled)
        assert told - filled == {place for place, since in missing.items() if now >= since + MIN}
        if index in restarts:
            watch = again(watch)
        watch.alert(message(number, epoch=epoch), now)
        came.setdefault(epoch, set()).add(number)
        missing = {
            (name, n): missing.get((name, n), now)
            for name, numbers in came.items()
            for n in range(min(numbers) if name == first else 1, max(numbers))
            if n not in numbers
        }
    now += MIN
    _time_passes(watch, now, told, filled)
    assert told - filled == set(missing)


def _time_passes(watch: Watch, now: int, told: set[Any], filled: set[Any]) -> None:
    due = watch.next_due()
    assert watch.due(now) == (due is not None and now >= due)
    assert (watch.next_due() or now + 1) > now
    while heads := watch.waiting():
        task = heads["desk"]
        data = task.body["data"]
        if task.kind in (Kind.HOLE, Kind.FILLED):
            numbers = {(data["epoch"], n) for n in range(data["first"], data["last"] + 1)}
            if task.kind is Kind.HOLE:
                assert not numbers & told
                told |= numbers
            else:
                assert numbers <= told - filled
                filled |= numbers
        watch.taken(task.number, "desk", now)


def test_a_home_that_sends_the_worst_there_is_fits_in_a_record() -> None:
    """Large, all different, numbered nonsense, and a target that takes nothing."""
    watch = Watch("a", Plan("care", ("desk",), (Stage(MIN, ("nurse",)),), {"nurse": "x" * 100}))
    worst = "\U0001f525" * 1_000
    for number in range(1, 600):
        data = dict.fromkeys(("rule", "room", "by", "at"), worst)
        event = message(2 * number, alert=f"{number:0120}", epoch="e" * 64, text={"sv": worst}, **data)
        watch.alert(event, NOW)
    watch.due(NOW + MIN)
    for target, task in watch.waiting().items():
        watch.taken(task.number, target, NOW)
    assert size(watch.dump()) < 1_000_000
    assert watch.dropped
    assert again(watch).dropped == watch.dropped
    assert watch.waiting().keys() == {"desk", "nurse"}


def test_what_waits_for_long_loses_its_evidence_before_anything_else() -> None:
    watch = Watch("a", PLAN)
    for number in range(1, 80):
        watch.alert(message(number, evidence=["x" * 10_000], text={"sv": "Spisen"}, room="kök"), NOW)
    assert not watch.dropped
    assert size(watch.dump()) < 300_000
    oldest, newest = watch.tasks[0].body, watch.tasks[-1].body
    assert newest["data"]["evidence"]
    assert oldest["shortened"] is True
    assert oldest["data"] == {
        "alert": "stove:1", "severity": "alarm", "event": "notified", "room": "kök", "test": False,
        "text": {"sv": "Spisen"},
    }  # fmt: skip
    assert {name: oldest[name] for name in ("id", "sequence", "epoch")} == {
        "id": "e.1", "sequence": "1", "epoch": "e",
    }  # fmt: skip


def test_numbers_that_make_no_sense_cost_little_and_old_holes_go_first() -> None:
    places = Places()
    for number in range(1, 2 * GAPS, 2):
        places.came("e", number, NOW)
    assert len(places.holes(NOW + MIN)) == GAPS - 1
    for number in range(2 * GAPS + 1, 4 * GAPS, 2):
        places.came("e", number, NOW + MIN)
    assert len(places.dump()["e"][2]) <= GAPS + 1
    assert len(places.holes(NOW + 2 * MIN)) == GAPS  # none of the new ones was lost


def test_no_gap_goes_while_there_is_room_and_then_the_oldest() -> None:
    places = Places()
    for number in range(1, 2 * GAPS + 2, 2):
        places.came("e", number, NOW)
    places.came("e", 2 * GAPS + 2, NOW)  # no gap more
    assert [gap[0] for gap in places.dump()["e"][2]][:2] == [2, 4]
    for number in (2 * GAPS + 4, 2 * GAPS + 5):  # one more, and then one too many
        places.came("e", number, NOW)
    assert [gap[0] for gap in places.dump()["e"][2]][:2] == [4, 6]


def test_what_waits_has_half_of_what_a_home_may_take_and_uses_it() -> None:
    watch = Watch("a", PLAN)
    for number in range(1, 120):
        watch.alert(message(number, evidence=["x" * 10_000]), NOW)
    waiting = sum(size(task.body) for task in watch.tasks)
    assert MOST_B // 2 - 10_500 < waiting <= MOST_B // 2


def test_what_is_shortened_keeps_its_types_and_what_is_sealed() -> None:
    data = {"rule": None, "test": True, "severity": "x" * 301, "jwe": "j" * 3_000, "evidence": [1]}
    assert shortened({"id": "1", "data": data})["data"] == {
        "rule": None, "test": True, "severity": "x" * 300, "jwe": "j" * 3_000,
    }  # fmt: skip
    assert "jwe" not in shortened({"data": {"jwe": "j" * 3_001}})["data"]


def test_silence_and_its_end_are_told_once() -> None:
    watch = Watch("a", PLAN)
    assert watch.fell_silent(NOW - 3 * MIN, "no heartbeat", NOW)
    assert not watch.fell_silent(NOW - 3 * MIN, "offline", NOW + 1)
    watch = again(watch)
    assert watch.came_back(NOW + MIN)
    assert not watch.came_back(NOW + MIN)
    assert [kind for kind, _ in handed(watch)] == [Kind.SILENT, Kind.BACK]


def test_a_hole_is_told_after_a_minute_and_that_it_was_filled() -> None:
    watch = Watch("a", PLAN)
    watch.alert(message(1), NOW)
    watch.alert(message(4), NOW)
    handed(watch)
    assert called(watch, NOW + MIN - 1) == []
    watch.due(NOW + MIN)
    assert [(task.kind, task.body["data"]["first"], task.body["data"]["last"]) for task in watch.tasks] == [
        (Kind.HOLE, 2, 3)
    ]
    handed(watch)
    watch.alert(message(3), NOW + 2 * MIN)
    assert handed(watch) == [(Kind.ALERT, "desk"), (Kind.FILLED, "desk")]
    assert watch.next_due() is None


def test_a_number_that_comes_again_with_another_id_is_handed_over() -> None:
    """A node whose journal was put back from a copy."""
    watch = Watch("a", PLAN)
    for number in (1, 2, 3):
        watch.alert(message(number), NOW)
    body = dict(message(2).body) | {"id": "another"}
    event = parse_alert("a", json.dumps(body).encode())
    assert isinstance(event, Event)
    handed(watch)
    assert watch.alert(event, NOW)
    assert handed(watch) == [(Kind.ALERT, "desk")]
    assert watch.next_due() is None


def test_alerts_and_acknowledgements_without_end_are_bounded() -> None:
    watch = Watch("a", Plan("care", ("nurse",), (Stage(MIN, ("nurse",)),), {"nurse": "Eva"}))
    for number in range(1, MOST_OPEN + 3):
        watch.alert(message(number, alert=f"x:{number}"), NOW)
    assert next(iter(watch.dump()["open"])) == "x:3"
    assert len(watch.dump()["open"]) == MOST_OPEN
    for number in range(1, MOST_COMMANDS + 3):
        watch.alert(message(number, alert=f"x:{number}", epoch="f"), NOW)
        handed(watch)
    assert len(watch.commands) == MOST_COMMANDS


def test_what_is_remembered_of_a_home_is_bounded() -> None:
    watch = Watch("a", PLAN)
    for number in range(1, 600):
        watch.alert(message(number, "resolved", alert=f"x:{number}", epoch=f"e{number // 20}"), NOW)
        handed(watch)
    kept = watch.dump()
    assert len(kept["seen"]) == REMEMBERED
    assert len(kept["ended"]) == ENDED
    assert f"x:{599}" in kept["ended"]
    assert len(kept["places"]) == EPOCHS
    assert watch.alert(message(1), NOW)  # so long ago that it may be another one
    assert not watch.alert(message(599, epoch="e29"), NOW)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"x", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b'["\\ud800"]', "not JSON"),
        (b'{"id": "1", "data": {"alert": "x", "v": NaN}}', "not JSON"),
        (b'{"id": "1", "data": {"alert": "x", "v": [-1e999]}}', "not JSON"),
        (b'{"id": "1", "data": {"alert": "x", "v": %s}}' % (b"[" * 900 + b"1" + b"]" * 900), "levels"),
        (b"[]", "no JSON object"),
        (b"{}", "no id"),
        (b'{"id": ""}', "no id"),
        (b'{"id": "1", "data": []}', "no data.alert"),
        (b'{"id": "1", "data": {"alert": 1}}', "no data.alert"),
        (b'{"id": "1", "data": {"alert": "%s"}}' % (b"x" * 121), "no data.alert"),
        (b'{"id": "%s", "data": {"alert": "x"}}' % (b"x" * 301), "no id"),
        (b'"' + b"x" * (1 << 20) + b'"', "bytes"),
    ],
)
def test_what_is_no_alert_is_told_apart(payload: bytes, why: str) -> None:
    found = parse_alert("a", payload)
    assert isinstance(found, str)
    assert why in found


def test_a_number_has_at_most_18_digits() -> None:
    body = {
        "id": "1",
        "type": "hn1.alert.notified",
        "sequence": "9" * 18,
        "epoch": "e",
        "data": {"alert": "x"},
    }
    event = parse_alert("a", json.dumps(body).encode())
    assert isinstance(event, Event)
    assert event.place == ("e", int("9" * 18))


@pytest.mark.parametrize("number", [None, 1, "0", "x", "-1", "١", "1" * 19])
def test_an_alert_without_a_number_is_handed_over_all_the_same(number: Any) -> None:
    body = {"id": "1", "type": "hn1.alert.notified", "sequence": number, "epoch": "e", "data": {"alert": "x"}}
    event = parse_alert("a", json.dumps(body).encode())
    assert isinstance(event, Event)
    assert event.place is None
    watch = Watch("a", PLAN)
    assert watch.alert(event, NOW)
    assert handed(watch) == [(Kind.ALERT, "desk")]


def test_links_replies_and_topics_are_read() -> None:
    assert parse_link(b'{"online": true, "at": "x"}') is True
    assert parse_link(b'{"online": false}') is False
    assert parse_link(b"") is parse_link(b"{}") is parse_link(b'{"online": 1}') is None
    assert parse_reply(b'{"id": "1", "ok": true}') == Reply("1", True)
    assert parse_reply(b'{"id": "1", "ok": false, "error": {"text": "no"}}') == Reply("1", False, "no")
    told = parse_reply(b'{"id": "1", "ok": false, "error": {"code": "busy", "text": "no"}}')
    assert told == Reply("1", False, "no", code="busy")
    assert parse_reply(b"{}") is parse_reply(b'{"id": 1}') is None
    assert split("hn1/a/link") == ("a", "", "link")
    assert split("hn1/a/care/alerts") == ("a", "care", "alerts")
    assert split("hn2/a/care/alerts") is split("hn1//care/alerts") is None
    assert split("hn1/a/care/readings/x/y") == ("a", "care", "readings")
    assert split("hn2/a/link") is split("hn1//link") is split("hn1/a/care/readings/x") is None
    assert split("hn2/a/care/readings/x/y") is split("hn1//care/readings/x/y") is None
    assert parse_reading(b'{"value": true}') == {"value": True}
    assert parse_reading(b"") is parse_reading(b"[]") is None
