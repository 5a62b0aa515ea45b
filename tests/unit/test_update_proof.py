"""The judge of a version on trial: what it wants, until when, and that nothing unknown is ever good."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.update.proof import (
    ANSWERS_MS,
    AWAY_MS,
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
BEFORE = Before(MAINS, BATTERY, ("zigbee",), ("door", "stove"), True, journal=2)


def device(power: str = "battery", heard: bool = True, ago_ms: int | None = 5) -> dict[str, Any]:
    return {
        "power": power,
        "wired": False,
        "since_start": heard,
        "heard_ms_ago": ago_ms,
        "stale_after_ms": 14_400_000,
    }


def proof(*, unheard: tuple[str, ...] = (), **other: Any) -> dict[str, Any]:
    """A gateway that is well, but for what is said."""
    devices = {name: device("mains", name not in unheard) for name in MAINS}
    devices |= {name: device("battery", name not in unheard) for name in BATTERY}
    return {
        "start": "1", "configuration": True, "rules": ["door", "stove", "new"], "radios": {"zigbee": True},
        "broker": True, "link": "up", "devices": devices,
        "data": {"journal": 2, "trouble": ""}, **other,
    }  # fmt: skip


def seen(answer: dict[str, Any] | None, at_ms: int = 0) -> Seen:
    return Seen().add(answer, at_ms)


def test_the_deadlines_are_those_that_the_readme_tells() -> None:
    limits = (ANSWERS_MS, RADIO_MS, BROKER_MS, YOUNG_MS, MAINS_MS, AWAY_MS, BATTERY_MS)
    assert [one / 60_000 for one in limits] == [5, 10, 15, 10, 75, 120, 420]
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
    ({"broker": False}, BROKER_MS, False, "the broker has acknowledged nothing"),
    ({"broker": None}, BROKER_MS, False, "the broker has acknowledged nothing"),
    ({"broker": False, "link": "away"}, AWAY_MS, False, "nobody answers where the broker should be"),
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


STARTS_ANEW: dict[str, Any] = {"start": "2", "broker": False, "link": "down", "radios": {"zigbee": False}}


@pytest.mark.parametrize("at_h", [1, 3, 6])
def test_a_gateway_that_starts_anew_on_trial_has_its_time_again(at_h: int) -> None:
    """Its radio and its link take a minute, and the judge looks each minute."""
    at_ms = at_h * 3_600_000
    found = seen(proof(), 60_000).add(proof(), at_ms).add(proof(**STARTS_ANEW), at_ms + 60_000)
    assert not judge(BEFORE, found, at_ms + 60_000).bad
    later_ms = at_ms + 60_000 + RADIO_MS
    assert judge(BEFORE, found.add(proof(**STARTS_ANEW), later_ms), later_ms).bad
    back = found.add(proof(start="2", link="up", broker=False), later_ms)
    assert not judge(BEFORE, back, later_ms).bad
    assert judge(BEFORE, back.add(proof(start="2"), later_ms), later_ms).good


def test_one_that_starts_anew_before_the_first_stage_has_no_more_time_for_it() -> None:
    """The watch goes by the machine's start, and knows no reason."""
    found = seen(proof(**STARTS_ANEW), 60_000).add(proof(**{**STARTS_ANEW, "start": "3"}), RADIO_MS - 1)
    verdict = judge(BEFORE, found, RADIO_MS)
    assert (verdict.bad, verdict.lacks["en"]) == (True, "the radio is not up: zigbee")


def test_a_radio_that_goes_for_a_moment_is_waited_for_and_one_that_goes_again_and_again_is_not() -> None:
    found, at_ms = seen(proof(), 60_000), 3_600_000
    for _ in range(MOST_STARTS):
        found = found.add(proof(), at_ms).add(proof(radios={"zigbee": False}), at_ms + 60_000)
        assert not judge(BEFORE, found, at_ms + 60_000).bad
        at_ms += 600_000
    assert judge(BEFORE, found, at_ms - 600_000 + RADIO_MS).bad
    found = found.add(proof(), at_ms).add(proof(radios={"zigbee": False}), at_ms + 60_000)
    verdict = judge(BEFORE, found, at_ms + 60_000)
    assert (verdict.bad, verdict.lacks["en"]) == (True, "the radio is not up: zigbee")


AILING: dict[str, Any] = {"data": {"journal": 2, "trouble": "storage"}}


def test_a_card_that_hangs_for_a_moment_is_waited_for_and_one_that_hangs_again_and_again_is_not() -> None:
    found, at_ms = seen(proof(), 60_000), 3_600_000
    for _ in range(MOST_STARTS):
        found = found.add(proof(), at_ms).add(proof(**AILING), at_ms + 60_000)
        verdict = judge(BEFORE, found, at_ms + 60_000)
        assert (verdict.fast, verdict.good, verdict.bad) == (False, False, False)
        at_ms += 600_000
    last_ms = at_ms - 600_000 + ANSWERS_MS
    assert not judge(BEFORE, found, last_ms - 1).bad
    assert judge(BEFORE, found, last_ms).bad
    assert judge(BEFORE, found.add(proof(), last_ms), last_ms).good
    found = found.add(proof(), at_ms).add(proof(**AILING), at_ms + 60_000)
    verdict = judge(BEFORE, found, at_ms + 60_000)
    assert (verdict.bad, verdict.lacks["en"]) == (True, "data: storage")


def test_a_gateway_that_starts_anew_reads_its_data_within_the_time_that_it_has_again() -> None:
    found = seen(proof(), 60_000).add(proof(start="2", **AILING), 3_600_000)
    assert not judge(BEFORE, found, 3_600_000 + ANSWERS_MS - 1).bad
    assert judge(BEFORE, found.add(proof(start="2", **AILING), 3_600_000 + ANSWERS_MS), 3_900_000).bad


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


TAKEN_AWAY: list[dict[str, Any]] = [
    {"rules": ["door"]},
    {"radios": {"p1": True}},
    {"broker": None, "link": "down"},
    {"devices": {name: device("mains") for name in ("plug", "lamp 2")}},
]


@pytest.mark.parametrize("gone", TAKEN_AWAY)
def test_what_a_configuration_takes_away_on_trial_is_not_asked_any_more(gone: dict[str, Any]) -> None:
    """Signed, or by a technician; only where home.yaml or a rule file is another one than then."""
    before = before_of(as_before(proof(files="then")).record())
    assert judge(before, seen(proof(files="now", **gone), BATTERY_MS), BATTERY_MS).good
    for same in ({"files": "then"}, {}):
        assert judge(before, seen(proof(**same, **gone), BATTERY_MS), BATTERY_MS).bad
    assert judge(replace(before, files=""), seen(proof(files="now", **gone), BATTERY_MS), BATTERY_MS).bad


@pytest.mark.parametrize(
    "lack", [{"radios": {"zigbee": False}}, {"broker": False}, {"unheard": ("lamp",)}, {"unheard": BATTERY}]
)
def test_what_another_configuration_still_names_is_asked(lack: dict[str, Any]) -> None:
    before = as_before(proof(files="then"))
    assert judge(before, seen(proof(files="now", **lack), BATTERY_MS), BATTERY_MS).bad


def test_the_first_stage_is_what_the_node_can_do_alone() -> None:
    """So the boot loader's counter is wound up though the closed link is down."""
    for link, limit_ms in (("down", BROKER_MS), ("away", AWAY_MS)):
        away = seen(proof(broker=False, link=link), limit_ms - 1)
        verdict = judge(BEFORE, away, limit_ms - 1)
        assert (verdict.fast, verdict.good, verdict.bad) == (True, False, False)
        assert "broker" in verdict.lacks["en"], "and that is told to who asks on the spot"
        assert judge(BEFORE, away, limit_ms).bad


def test_a_link_that_comes_back_has_its_time_to_get_something_acknowledged() -> None:
    back_ms = AWAY_MS - 1
    found = Seen().add(proof(broker=False, link="down"), 1000).add(proof(broker=False, link="away"), 60_000)
    found = found.add(proof(broker=False, link="down"), back_ms)
    assert not judge(BEFORE, found, back_ms + ANSWERS_MS - 1).bad
    late_ms = back_ms + BROKER_MS
    assert judge(BEFORE, found.add(proof(broker=False, link="up"), late_ms), late_ms).bad
    assert judge(BEFORE, found.add(proof(), late_ms), late_ms).good


def test_a_link_that_comes_and_goes_is_not_waited_for_for_ever() -> None:
    found, last_ms = Seen(), AWAY_MS + BROKER_MS
    for at_ms in range(0, last_ms, 60_000):
        found = found.add(proof(broker=False, link="down"), at_ms)
        found = found.add(proof(broker=False, link="away" if at_ms < AWAY_MS - 60_000 else "up"), at_ms)
    assert judge(BEFORE, found.add(proof(broker=False, link="down"), last_ms), last_ms).bad


@pytest.mark.parametrize("link", ["away", "down"])
def test_the_broker_is_asked_for_only_if_it_was_there_just_before(link: str) -> None:
    """That it acknowledged something weeks ago says nothing of a link that is down tonight."""
    before = as_before(proof(link=link))
    assert not before.broker
    assert judge(before, seen(proof(broker=False, link="away"), YOUNG_MS), YOUNG_MS).good


@pytest.mark.parametrize("sick", [{"configuration": False}, {"data": {"journal": 2, "trouble": "storage"}}])
def test_what_ailed_the_old_version_is_not_held_against_the_new_one(sick: dict[str, Any]) -> None:
    before = before_of(as_before(proof(**sick)).record())
    assert judge(before, seen(proof(**sick), YOUNG_MS), YOUNG_MS).good
    assert judge(BEFORE, seen(proof(**sick), ANSWERS_MS), ANSWERS_MS).bad
    assert judge(before_of({}), seen(proof(**sick), ANSWERS_MS), ANSWERS_MS).bad, "unknown is never good"
    worse = proof(**sick) | {"data": {"journal": 2, "trouble": "storage; journal state"}}
    verdict = judge(before, seen(worse, ANSWERS_MS), ANSWERS_MS)
    assert (verdict.bad, "journal state" in verdict.lacks["en"]) == (True, True), "and nothing else"


def test_before_is_what_was_heard_and_not_stale() -> None:
    devices = {
        "plug": device("mains") | {"stale_after_ms": 3_600_000},
        "front": device(ago_ms=14_399_999), "lost": device(ago_ms=14_400_000),
        "new": device(ago_ms=None),
        "wired": device("mains", ago_ms=10**9) | {"stale_after_ms": None, "wired": True},
    }  # fmt: skip
    found = as_before(proof(devices=devices, radios={"zigbee": True, "p1": False}))
    assert (found.mains, found.battery) == (("plug", "wired"), ("front",))
    assert (found.radios, found.rules) == (("zigbee",), ("door", "new", "stove"))
    assert (found.broker, found.journal) == (True, 2)
    assert before_of(found.record()) == found


@pytest.mark.parametrize(
    ("power", "stale_after_h", "asked"),
    [("mains", 1, "mains"), ("mains", 2.5, "mains"), ("mains", 4, "slow"), ("battery", 24, "battery"),
     ("mains", 25, ""), ("battery", 25, ""), ("mains", None, ""), ("battery", None, "")],
)  # fmt: skip
def test_nobody_is_asked_for_who_may_be_silent_for_longer_than_is_waited(
    power: str, stale_after_h: float | None, asked: str
) -> None:
    """A limit is at least twice the longest silence (design, 3); what has none speaks when it is used."""
    limit_ms = None if stale_after_h is None else int(stale_after_h * 3_600_000)
    found = as_before(proof(devices={"one": device(power) | {"stale_after_ms": limit_ms}}))
    assert {name: getattr(found, name) for name in ("mains", "slow", "battery")} == {
        name: ("one",) if asked == name else () for name in ("mains", "slow", "battery")
    }


def test_every_mains_powered_device_is_heard_and_one_that_reports_seldom_has_more_time() -> None:
    before = Before(("plug",), ("front", "back", "eye", "bed"), slow=("lamp",))
    lacks = seen(proof(unheard=("lamp",)), BATTERY_MS - 1)
    assert not judge(before, lacks, BATTERY_MS - 1).bad
    verdict = judge(before, lacks, BATTERY_MS)
    assert (verdict.bad, verdict.lacks["en"]) == (True, "mains-powered devices are not heard: lamp")


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
