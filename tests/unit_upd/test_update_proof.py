"""The judge of a version on trial: what it wants, until when, and that nothing unknown is ever good."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.update.proof import (
    ANSWERS_MS,
    BATTERY_MS,
    BROKER_MS,
    MAINS_MS,
    MOST_STARTS,
    RADIO_MS,
    YOUNG_MS,
    Before,
    Seen,
    as_before,
    before_of,
    judge,
)

MAINS, BATTERY = ("plug", "lamp"), ("front", "back", "eye", "bed")
BEFORE = Before(MAINS, BATTERY, ("zigbee",), ("door", "stove"), True, 2)


def device(power: str = "battery", heard: bool = True, ago_ms: int | None = 5) -> dict[str, Any]:
    return {"power": power, "since_start": heard, "heard_ms_ago": ago_ms, "stale_after_ms": 14_400_000}


def proof(*, unheard: tuple[str, ...] = (), **other: Any) -> dict[str, Any]:
    """A gateway that is well, but for what is said."""
    devices = {name: device("mains", name not in unheard) for name in MAINS}
    devices |= {name: device("battery", name not in unheard) for name in BATTERY}
    return {
        "start": "1", "configuration": True, "rules": ["door", "stove", "new"], "radios": {"zigbee": True},
        "broker": True, "devices": devices, "data": {"journal": 2, "reads": 2, "trouble": ""}, **other,
    }  # fmt: skip


def seen(answer: dict[str, Any] | None, at_ms: int = 0) -> Seen:
    return Seen().add(answer, at_ms)


def test_the_deadlines_are_those_that_the_readme_tells() -> None:
    minutes = [one / 60_000 for one in (ANSWERS_MS, RADIO_MS, BROKER_MS, YOUNG_MS, MAINS_MS, BATTERY_MS)]
    assert minutes == [5, 10, 15, 10, 75, 420]
    assert MOST_STARTS == 5


def test_all_that_was_there_before_and_some_minutes_are_good() -> None:
    verdict = judge(BEFORE, seen(proof(), YOUNG_MS), YOUNG_MS)
    assert (verdict.fast, verdict.good, verdict.bad) == (True, True, False)


def test_nothing_is_good_in_its_first_minutes_but_the_first_stage_is_passed() -> None:
    verdict = judge(BEFORE, seen(proof(), YOUNG_MS - 1), YOUNG_MS - 1)
    assert (verdict.fast, verdict.good, verdict.bad) == (True, False, False)
    assert verdict.lacks["en"] == "devices are waited for"


LACKS = [
    ({"configuration": False}, ANSWERS_MS, True, "home.yaml is not read"),
    ({"rules": ["door"]}, ANSWERS_MS, True, "rules are missing: stove"),
    ({"rules": []}, ANSWERS_MS, True, "rules are missing: door, stove"),
    ({"data": {"trouble": "journal aside"}}, ANSWERS_MS, True, "data: journal aside"),
    ({"radios": {"zigbee": False}}, RADIO_MS, True, "the radio is not up: zigbee"),
    ({"radios": {}}, RADIO_MS, True, "the radio is not up: zigbee"),
    ({"broker": False}, BROKER_MS, True, "the broker has acknowledged nothing"),
    ({"broker": None}, BROKER_MS, True, "the broker has acknowledged nothing"),
    ({"unheard": ("lamp",)}, MAINS_MS, False, "mains-powered devices are not heard: lamp"),
    ({"unheard": ("front", "bed")}, BATTERY_MS, False, "too few battery devices are heard: 2/4"),
    ({"unheard": BATTERY}, BATTERY_MS, False, "too few battery devices are heard: 0/4"),
]


@pytest.mark.parametrize(("lack", "within_ms", "fast", "words"), LACKS)
def test_each_lack_is_waited_for_until_its_time_and_then_bad(
    lack: dict[str, Any], within_ms: int, fast: bool, words: str
) -> None:
    before_ms = seen(proof(**lack), within_ms - 1)
    early, late = judge(BEFORE, before_ms, within_ms - 1), judge(BEFORE, before_ms, within_ms)
    assert (early.fast, early.good, early.bad) == (not fast, False, False)
    assert (late.good, late.bad, late.lacks["en"]) == (False, True, words)


@pytest.mark.parametrize("lacks", list(itertools.combinations(LACKS, 2)))
def test_of_two_lacks_the_one_that_is_too_late_is_told(lacks: tuple[Any, Any]) -> None:
    first, second = sorted(lacks, key=lambda one: one[1])
    if first[0].keys() & second[0].keys():
        return
    answer = seen(proof(**first[0], **second[0]), second[1] - 1)
    verdict = judge(BEFORE, answer, first[1])
    assert verdict.bad
    assert first[3] in verdict.lacks["en"]
    assert (second[3] in verdict.lacks["en"]) == (second[1] <= first[1])


def test_what_is_told_on_trial_does_not_change_with_what_is_heard() -> None:
    for unheard in itertools.chain.from_iterable(itertools.combinations(BATTERY, n) for n in (2, 3, 4)):
        for mains in (MAINS, MAINS[:1]):
            verdict = judge(BEFORE, seen(proof(unheard=(*unheard, *mains)), YOUNG_MS), YOUNG_MS)
            assert verdict.lacks["en"] == "devices are waited for"


def test_a_gateway_that_never_answers_is_bad_after_minutes() -> None:
    assert not judge(BEFORE, Seen(), ANSWERS_MS - 1).bad
    verdict = judge(BEFORE, Seen(), ANSWERS_MS)
    assert (verdict.fast, verdict.bad, verdict.lacks["en"]) == (False, True, "the node does not answer")


def test_a_gateway_that_falls_silent_later_is_bad_whatever_it_said_before() -> None:
    answered = seen(proof(), 60 * 60_000)
    assert judge(BEFORE, answered, 60 * 60_000 + ANSWERS_MS - 1).good
    verdict = judge(BEFORE, answered, 60 * 60_000 + ANSWERS_MS)
    assert (verdict.fast, verdict.good, verdict.bad) == (False, False, True)


def test_one_that_starts_again_and_again_is_bad_at_once() -> None:
    found = Seen()
    for start in range(MOST_STARTS):
        found = found.add(proof(start=str(start)), 1000 * start)
        found = found.add(proof(start=str(start)), 1000 * start + 500)
    assert not judge(BEFORE, found, 10_000).bad
    verdict = judge(BEFORE, found.add(proof(start="one more"), 11_000), 11_000)
    assert (verdict.bad, verdict.lacks["en"]) == (True, "the node starts again and again")


def test_what_was_heard_once_on_this_trial_counts_though_the_gateway_started_anew() -> None:
    found = seen(proof(unheard=("front", "back")), 1000)
    found = found.add(proof(unheard=("eye", "bed", "plug"), start="2"), YOUNG_MS)
    assert judge(BEFORE, found, YOUNG_MS).good
    kept = Seen(heard=found.heard).add(proof(unheard=(*MAINS, *BATTERY), start="3"), YOUNG_MS)
    assert judge(BEFORE, kept, YOUNG_MS).good


def test_three_of_four_batteries_are_enough_and_two_are_not() -> None:
    assert judge(BEFORE, seen(proof(unheard=("bed",)), YOUNG_MS), YOUNG_MS).good
    assert not judge(BEFORE, seen(proof(unheard=("bed", "eye")), YOUNG_MS), YOUNG_MS).good


@pytest.mark.parametrize(("count", "wanted"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (8, 6)])
def test_the_quorum_is_rounded_up(count: int, wanted: int) -> None:
    names = tuple(f"s{nth}" for nth in range(count))
    before = Before(battery=names)
    for heard in range(count + 1):
        devices = {name: device(heard=nth < heard) for nth, name in enumerate(names)}
        verdict = judge(before, seen(proof(devices=devices), YOUNG_MS), YOUNG_MS)
        assert verdict.good == (heard >= wanted)


def test_what_was_not_there_before_is_not_asked_of_the_new_version() -> None:
    answer = proof(broker=False, radios={"zigbee": False}, rules=[], unheard=(*MAINS, *BATTERY))
    assert judge(Before(), seen(answer, YOUNG_MS), YOUNG_MS).good


def test_before_is_what_was_heard_and_not_stale() -> None:
    devices = {
        "plug": device("mains"), "front": device(ago_ms=14_399_999), "lost": device(ago_ms=14_400_000),
        "new": device(ago_ms=None), "wired": device("mains", ago_ms=10**9) | {"stale_after_ms": None},
    }  # fmt: skip
    found = as_before(proof(devices=devices, radios={"zigbee": True, "p1": False}))
    assert (found.mains, found.battery) == (("plug", "wired"), ("front",))
    assert (found.radios, found.rules) == (("zigbee",), ("door", "new", "stove"))
    assert (found.broker, found.journal) == (True, 2)
    assert before_of(found.record()) == found


@given(
    up_ms=st.integers(0, BATTERY_MS * 2),
    answered_ms=st.none() | st.integers(0, BATTERY_MS * 2),
    heard=st.sets(st.sampled_from((*MAINS, *BATTERY))),
    broker=st.sampled_from((True, False, None)),
    radio=st.booleans(),
)
def test_good_and_bad_never_hold_together_and_after_the_last_deadline_one_does(
    up_ms: int, answered_ms: int | None, heard: set[str], broker: bool | None, radio: bool
) -> None:
    unheard = tuple(name for name in (*MAINS, *BATTERY) if name not in heard)
    answer = proof(unheard=unheard, broker=broker, radios={"zigbee": radio})
    found = Seen() if answered_ms is None or answered_ms > up_ms else seen(answer, answered_ms)
    verdict = judge(BEFORE, found, up_ms)
    assert not (verdict.good and verdict.bad)
    assert not verdict.good or verdict.fast
    assert up_ms < BATTERY_MS or verdict.good or verdict.bad
    if verdict.good:
        assert {*MAINS} <= heard
        assert radio
        assert broker
