"""The count of the soak test notices what it is for: a soak that can't fail proves nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.system.soak_count import Journal, Outage, Trip, judged, read_journal, told_wrong

ALERT = "door:1000"


def message(number: int, event: str, alert: str = ALERT) -> tuple[str, dict[str, Any]]:
    data = {"alert": alert, "event": event}
    return "care/alerts", {"id": f"{alert}.{number}", "sequence": str(number), "epoch": "e", "data": data}


WELL = [message(1, "notified"), message(2, "acknowledged"), message(3, "resolved")]


def journal(came: list[tuple[str, dict[str, Any]]] = WELL) -> Journal:
    return Journal({ALERT: ("door", 1000, 9000)}, {ALERT}, {body["id"]: "care" for _, body in came})


def test_what_came_as_it_was_decided_is_fine_and_twice_too() -> None:
    assert not list(told_wrong(journal(), [*WELL, WELL[0]]))


@pytest.mark.parametrize(
    ("came", "wrong"),
    [
        (WELL[:2], "never came"),
        ([*WELL, message(4, "notified", "door:2")], "not in the journal"),
        ([WELL[1], WELL[0], WELL[2]], "came in the order"),
        ([*WELL, (WELL[0][0], {**WELL[0][1], "sequence": "7"})], "other contents"),
        ([WELL[0], message(4, "acknowledged"), message(5, "resolved")], "holes"),
        ([message(1, "acknowledged"), message(2, "resolved")], "told as ar"),
        ([(topic, {**body, "epoch": body["sequence"]}) for topic, body in WELL], "several epochs"),
    ],
)
def test_each_thing_that_can_be_wrong_is_told(came: list[tuple[str, dict[str, Any]]], wrong: str) -> None:
    assert any(wrong in told for told in told_wrong(journal(), came))


def test_an_alert_that_was_raised_and_told_to_nobody_is_told() -> None:
    assert any("was to be notified" in told for told in told_wrong(journal([]), []))


def trip(on: int = 100_000, off: int = 120_000, path: str = "zigbee") -> Trip:
    return Trip("balcony", "door", path, 3000, on, off)


def raised(at: int) -> Journal:
    return Journal({"a": ("door", at, at + 60_000)})


def test_a_trip_without_its_alert_is_missed_and_one_with_it_not() -> None:
    assert judged([trip()], [], [], raised(103_000)) == (1, 0, [])
    assert judged([trip()], [], [], raised(105_001))[2]
    assert judged([trip()], [], [], Journal())[2]


def test_a_trip_that_nobody_can_have_heard_is_not_judged() -> None:
    deaf = Outage("zigbee", 90_000, 99_000)
    assert judged([trip()], [deaf], [], Journal()) == (0, 0, [])
    assert judged([trip(off=105_000)], [], [], Journal()) == (0, 0, [])


def test_a_level_on_a_pin_is_seen_whenever_somebody_looks() -> None:
    gone = Outage("gpio", 99_000, 102_000)
    assert judged([trip(path="gpio")], [gone], [], Journal())[2]
    assert judged([trip(path="gpio")], [gone], [], raised(110_001)) == (1, 0, [])


def test_what_was_heard_before_the_node_died_is_raised_when_it_is_back() -> None:
    died = Outage("node", 101_500, 110_000)
    assert judged([trip()], [died], [], raised(111_000)) == (1, 1, [])
    assert judged([trip()], [died], [], Journal())[2]
    assert judged([trip()], [Outage("node", 100_500, 110_000)], [], Journal()) == (0, 0, [])


def test_the_journal_is_read_as_it_is_shown() -> None:
    told = {"t": "tr", "alert": ALERT, "rule": "door", "at": 1000}
    lines = [
        {**told, "event": "raised"},
        {**told, "event": "step", "do": "notify"},
        {**told, "event": "resolved"},
    ]
    shown = [
        f"{n} 2026-01-05T06:12:0{n}.250+00:00 alert {json.dumps(line)}" for n, line in enumerate(lines, 1)
    ]
    found = read_journal("\n".join(shown))
    assert found.notified == {ALERT}
    (rule, begin, end) = found.raised[ALERT]
    assert (rule, end - begin) == ("door", 2000)


def test_an_alert_that_ended_while_the_clock_was_slow_ended_after_it_began() -> None:
    told = {"t": "tr", "alert": ALERT, "rule": "door", "at": 1000}
    shown = [
        f"1 2026-01-05T06:12:01.000+00:00 alert {json.dumps({**told, 'event': 'raised'})}",
        f"2 2026-01-05T03:12:09.000+00:00 alert {json.dumps({**told, 'event': 'resolved'})}",
    ]
    (_, begin, end) = read_journal("\n".join(shown)).raised[ALERT]
    assert begin == end
