"""What a box does next, and what it says of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.enrol import blink, command
from homenode.enrol.command import MOST_TRIES_SETTLED
from homenode.enrol.places import Places
from homenode.enrol.steps import (
    BECAUSE,
    CLOCK_S,
    LONGEST_S,
    PATIENT_S,
    Do,
    Held,
    Known,
    Outcome,
    State,
    Why,
    clock_to_set,
    due_ms,
    next_step,
    of_answer,
    wait_s,
)
from homenode.enrol.words import WHY, said

DAY_MS = 86_400_000
HELD = Held("1234", "h", 0, 90 * DAY_MS)
KNOWN = Known(DAY_MS, True, 1000.0, "1234", HELD)


def test_the_last_third_begins_after_two() -> None:
    assert due_ms(HELD) == 60 * DAY_MS
    assert due_ms(replace(HELD, from_ms=30 * DAY_MS)) == 70 * DAY_MS
    assert next_step(replace(KNOWN, now_ms=60 * DAY_MS - 1)) is Do.VISIT
    assert next_step(replace(KNOWN, now_ms=60 * DAY_MS)) is Do.RENEW
    assert next_step(replace(KNOWN, now_ms=90 * DAY_MS - 1)) is Do.RENEW
    assert next_step(replace(KNOWN, now_ms=90 * DAY_MS)) is Do.ENROL


@pytest.mark.parametrize(
    "change",
    [{"held": None}, {"held": replace(HELD, fits=False)}, {"serial": "5678"}, {"refused": True}],
)
def test_what_is_not_this_boxs_own_counts_for_nothing(change: dict[str, Any]) -> None:
    assert next_step(replace(KNOWN, **change)) is Do.ENROL


def test_a_clock_is_waited_for_and_not_for_ever() -> None:
    young = replace(KNOWN, clock=False, up_s=CLOCK_S - 1)
    assert next_step(young) is Do.AWAIT_CLOCK
    assert next_step(replace(young, up_s=CLOCK_S)) is Do.VISIT
    assert next_step(replace(young, clock=True)) is Do.VISIT


@pytest.mark.parametrize(("why", "asked"), [("clock", 13), ("network", MOST_TRIES_SETTLED)])
def test_a_clock_that_is_not_set_uses_up_no_try_of_a_home_that_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, why: str, asked: int
) -> None:
    """Else the office, whose clock it may get, would be asked a day later only."""
    said = iter(
        [Outcome(State.WAITING, Why(why))] * 12 + [Outcome(State.ENROLLED, Why("enrolled"), done=True)]
    )
    taken: list[Outcome] = []
    monkeypatch.setattr(command, "_once", lambda _: taken.append(next(said)) or taken[-1])
    monkeypatch.setattr(command, "_tell", lambda *_: None)
    monkeypatch.setattr(command, "_counts", lambda _: True)
    monkeypatch.setattr(command, "wait_s", lambda *_, **__: 0)
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    for name in ("config", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "config" / "home.yaml").touch()
    places = Places(*(tmp_path / name for name in ("config", "data", "boot", "trust", "machine")))
    assert command._tries(places, "1234", once=False) == 0
    assert len(taken) == asked


@given(
    failed=st.integers(0, 10_000), chance=st.floats(0, 1), settled=st.booleans(), again=st.integers(0, 10**9)
)
def test_a_wait_is_never_none_and_never_endless(
    failed: int, chance: float, settled: bool, again: int
) -> None:
    outcome = Outcome(State.WAITING, Why("busy"), again_s=again)
    found = wait_s(outcome, failed, chance, settled=settled)
    assert 2.5 <= found <= 1.1 * DAY_MS / 1000
    if not again:
        assert found <= (PATIENT_S if settled else LONGEST_S)


def test_a_wait_is_doubled_from_5_s_to_15_min_or_to_6_h_where_a_home_runs() -> None:
    outcome = Outcome(State.WAITING, Why("network"))
    waits = [wait_s(outcome, failed, 1.0, settled=False) for failed in range(10)]
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert [wait_s(outcome, failed, 1.0, settled=True) for failed in (8, 12, 13, 99)] == [
        1280, 20_480, 21_600, 21_600,
    ]  # fmt: skip
    assert wait_s(outcome, 0, 0.0, settled=False) == 2.5
    assert CLOCK_S == 120


def test_an_office_is_believed_from_10_s_to_a_day() -> None:
    def wait(again_s: int, chance: float = 0.0) -> float:
        return wait_s(Outcome(State.APPROVAL, Why("approval"), again_s=again_s), 3, chance, settled=False)

    assert [wait(1), wait(60), wait(10**6)] == [10, 60, 86_400]
    assert wait(100, 1.0) == pytest.approx(110)
    assert of_answer(202, "", 0, "1", "A").again_s == 300
    assert of_answer(409, "", 0, "1", "A").again_s == 3600
    assert of_answer(403, "", 0, "1", "A").again_s == 0
    assert len(of_answer(403, "x" * 1000, 0, "1", "A").why.facts["text"]) == 300


def test_a_street_after_a_power_cut_does_not_call_at_once() -> None:
    outcome = Outcome(State.WAITING, Why("network"))
    assert wait_s(outcome, 5, 0.0, settled=False) * 1.9 < wait_s(outcome, 5, 1.0, settled=False)
    assert wait_s(replace(outcome, again_s=300), 0, 0.0, settled=False) == 300


@pytest.mark.parametrize(
    ("status", "state", "key"),
    [
        (202, State.APPROVAL, "approval"), (401, State.FAILED, "code"), (403, State.FAILED, "refused"),
        (409, State.FAILED, "twin"), (429, State.WAITING, "busy"), (503, State.WAITING, "busy"),
        (500, State.WAITING, "broken"), (400, State.FAILED, "odd"), (404, State.FAILED, "odd"),
    ],
)  # fmt: skip
def test_an_answer_says_who_must_act(status: int, state: State, key: str) -> None:
    outcome = of_answer(status, "a\r\nb " * 100, 77, "1234", "AAAA")
    assert (outcome.state, outcome.why.key, outcome.again_s, outcome.done) == (state, key, 77, False)
    assert "\n" not in outcome.why.facts["text"]


@pytest.mark.parametrize(
    ("status", "text", "shown"),
    [
        (202, "Accepted: somebody has to approve it\n", "somebody has to approve it"),
        (401, "Unauthorized: no such code", "no such code"),
        (503, "Accepted: odd", "Accepted: odd"),
        (599, "odd", "odd"),
    ],
)
def test_what_the_office_says_is_told_without_the_word_of_http(status: int, text: str, shown: str) -> None:
    assert of_answer(status, text, 0, "1", "A").why.facts["text"] == shown


def test_a_box_that_only_lacks_a_home_asks_for_no_approval() -> None:
    outcome = of_answer(202, "", 60, "1234", "AAAA", because="unassigned")
    assert (outcome.state, outcome.why.key) == (State.APPROVAL, "unassigned")
    assert of_answer(202, "", 60, "1234", "AAAA", because="rain").why.key == "approval"


@pytest.mark.parametrize(
    ("status", "key"),
    [(202, "unassigned"), *((401, key) for key in BECAUSE[401]), *((403, key) for key in BECAUSE[403])],
)
def test_what_our_office_says_is_said_in_both_languages(status: int, key: str) -> None:
    why = of_answer(status, "English", 0, "1234", "AAAA", because=key).why
    assert why.key == key
    told = said(why)
    assert "English" not in str(told)
    assert "?" not in told["why"]["sv"]
    assert told["do"]["sv"]
    assert of_answer(404, "", 0, "1234", "AAAA", because=key).why.key == "odd"


def test_a_clock_is_set_forward_by_what_the_office_said_and_only_if_nothing_else_says() -> None:
    said = [5_000_000, 10_000]  # ten seconds after the boot
    assert clock_to_set(said, 0, 30.0, trusted=False) == 5_020_000
    assert clock_to_set(said, 0, 30.0, trusted=True) is None
    for year_2100_ms in (4_102_444_800_000, 10**25):
        assert clock_to_set([year_2100_ms, 0], 0, 0.0, trusted=False) is None
    assert clock_to_set([4_102_444_799_999, 0], 0, 0.0, trusted=False) == 4_102_444_799_999
    assert clock_to_set(said, 5_020_000 - 60_000, 30.0, trusted=False) is None
    assert clock_to_set(said, 5_020_000 - 60_001, 30.0, trusted=False) == 5_020_000
    assert clock_to_set(said, 9_000_000, 30.0, trusted=False) is None
    assert clock_to_set(said, 0, 9.0, trusted=False) is None  # of another boot
    for odd in (None, [], [1], ["1", "2"], [1, -1], {"a": 1}, [1.5, 2]):
        assert clock_to_set(odd, 0, 30.0, trusted=False) is None


@pytest.mark.parametrize("key", sorted(WHY))
def test_everything_is_said_in_both_languages(key: str) -> None:
    told = said(Why(key, dict.fromkeys(("text", "serial", "key", "home", "found", "status"), "X")))
    assert told["why"]["sv"] != told["why"]["en"]
    assert "?" not in str(told["why"])
    assert bool(told["do"]["sv"]) == bool(told["do"]["en"])
    assert WHY[key][0].count("{") == WHY[key][1].count("{")


def test_the_lamp_counts_and_rests_when_all_is_well() -> None:
    assert blink.code("enrolled", "enrolled") == 0
    assert {blink.code(state.value, "") for state in State} == {0, 1, 2, 3}
    assert blink.code("failed", "file_wrong") == 4
    assert blink.code("failed", "no_trust") == 4
    assert blink.code("failed", "card") == 5
    assert blink.code("of a later version", "") == 1
    assert blink.code("failed", "code") == 3
    assert [blink.half_period_ms(flashes) for flashes in (1, 3)] == [500, 250]
    assert blink.pattern(2) == "1 200 1 0 0 300 0 0 1 200 1 0 0 1500 0 0"
    assert set(blink.MEANINGS) == {*blink.CODES.values(), *blink.BY_WHY.values()}
