"""Updates ring by ring: who is ordered when, and what halts them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.fleet.board import Board
from homenode.fleet.plan import At, Plan, Ring, Step
from homenode.fleet.rings import AGAIN_MS, Rollout
from tests.unit.fleets import NOW, UTC, link, status

MIN = 60_000
HOUR = 60 * MIN
PLAN = Plan(
    (Ring("pilot", ("p-*",)), Ring("rest", ("*",))), soak_ms=HOUR, settle_ms=5 * MIN, patience_ms=24 * HOUR
)
WELL = {"radios": {"zigbee": True}, "silent": 0, "blind": 0}


class World:
    """Homes, the tool, and the time between them."""

    def __init__(self, *names: str, plan: Plan = PLAN) -> None:
        self.board, self.now = Board(), NOW
        self.rollout = Rollout(plan, "2.0", "key")
        self.version: dict[str, str] = {}
        self.figures: dict[str, Mapping[str, Any]] = {}
        self.update: dict[str, Mapping[str, Any]] = {}
        self.away: set[str] = set()
        self.news: list[str] = []
        self.ordered: list[str] = []
        self.cancelled: list[str] = []
        for name in names:
            self.home(name)

    def home(self, name: str, version: str = "1.0", **figures: Any) -> None:
        self.version[name] = version
        self.figures[name] = {**WELL, **figures}

    def step(self, later: int = 0) -> Step:
        """So many ms later: every home that is there beats, and the tool looks."""
        self.now += later
        for name, version in self.version.items():
            is_away = name in self.away
            link(self.board, name, online=not is_away, at=self.now, retained=False)
            if not is_away:
                more = {"update": self.update[name]} if name in self.update else {}
                status(self.board, name, at=self.now, version=version, **self.figures[name], **more)
        step = self.rollout.step(self.board.homes, self.now)
        self.news += step.news
        self.ordered += step.order
        self.cancelled += step.cancel
        return step

    def takes(self, *names: str) -> None:
        """They take the order."""
        for name in names:
            body = {"id": self.rollout.id_of(name), "ok": True, "result": {"state": "ordered"}}
            self.news += self.rollout.replied(name, body, self.now)

    def says(self, name: str, state: str, **why: str) -> None:
        """Its updater has a word."""
        self.update[name] = {"version": "2.0", "state": state, "at": UTC.text(self.now), "why": why}
        if state == "good":
            self.version[name] = "2.0"

    def become_good(self, *names: str) -> None:
        self.takes(*names)
        for name in names:
            self.says(name, "good")

    def at(self, name: str) -> At:
        return self.rollout.courses[name].at


def test_the_next_ring_waits_for_every_home_of_the_one_before_and_for_its_soak() -> None:
    world = World("p-1", "p-2", "a", "b")
    assert world.step().order == ["p-1", "p-2"]
    world.takes("p-2")
    world.become_good("p-1")
    assert world.step(HOUR).order == []
    world.become_good("p-2")
    assert world.step(MIN).order == []
    assert world.step(HOUR - MIN).order == []
    assert world.step(MIN).order == ["a", "b"]
    world.become_good("a", "b")
    world.step(MIN)
    world.step(HOUR)
    assert world.rollout.ended == "done"
    assert world.step(HOUR) == Step()


def test_what_an_update_said_before_it_was_ordered_counts_for_nothing() -> None:
    world = World("p-1", "a")
    world.says("p-1", "failed", en="of another day")
    world.step()
    world.takes("p-1")
    world.step(MIN)
    assert world.at("p-1") is At.UNDER_WAY
    world.now += 1
    world.says("p-1", "failed", en="radio never up")
    world.step(MIN)
    assert world.at("p-1") is At.FAILED
    assert "radio never up" in world.rollout.halted


def test_good_is_believed_only_with_the_version_that_runs() -> None:
    world = World("p-1")
    world.step()
    world.takes("p-1")
    world.says("p-1", "good")
    world.version["p-1"] = "1.0"
    world.step(MIN)
    assert world.at("p-1") is not At.GOOD


def test_a_home_that_has_it_already_is_not_ordered() -> None:
    world = World("a")
    world.home("p-1", version="2.0")
    assert world.step().order == ["a"]
    assert world.at("p-1") is At.GOOD


@pytest.mark.parametrize("state", ["failed", "refused"])
def test_one_failed_home_of_a_small_ring_halts_and_calls_off_who_has_not_begun(state: str) -> None:
    world = World("p-1", "p-2", "p-3", "a")
    world.step()
    world.takes("p-1", "p-2", "p-3")
    world.says("p-1", state, en="why")
    world.says("p-2", "waiting")
    world.says("p-3", "installing")
    step = world.step(MIN)
    assert step.cancel == ["p-2"]
    assert world.rollout.halted == "ring pilot: 1 of 3 homes are worse: p-1 (" + state + ": why)"
    assert world.at("p-3") is At.UNDER_WAY
    world.says("p-3", "good")
    world.step(HOUR)
    assert world.at("p-3") is At.GOOD
    assert world.ordered == ["p-1", "p-2", "p-3"], "nobody else while it is halted"


@pytest.mark.parametrize(
    ("worse", "why"),
    [
        ({"radios": {"zigbee": False}}, "radios down 0 → 1"),
        ({"silent": 1}, "silent 0 → 1"),
        ({"blind": 2}, "blind 0 → 2"),
        ({"silent": None}, "silent 0 → unknown"),
        ({"radios": None}, "radios down 0 → unknown"),
    ],
)
def test_a_home_that_is_worse_for_longer_than_a_start_takes_halts(worse: dict[str, Any], why: str) -> None:
    world = World("p-1", "a")
    world.step()
    world.become_good("p-1")
    world.home("p-1", version="2.0", **worse)
    world.step(MIN)
    world.step(5 * MIN - 1)
    assert not world.rollout.halted
    world.step(1)
    assert world.rollout.halted == f"ring pilot: 1 of 1 homes are worse: p-1 ({why})"


def test_a_home_that_is_worse_for_as_long_as_it_starts_anew_is_not_worse() -> None:
    world = World("p-1", "a")
    world.step()
    world.takes("p-1")
    world.away.add("p-1")
    world.step(4 * MIN)
    world.away.clear()
    world.home("p-1", version="2.0", silent=3)
    world.says("p-1", "good")
    world.step(4 * MIN)
    world.home("p-1", version="2.0")
    world.step(4 * MIN)
    world.home("p-1", version="2.0", silent=1)
    world.step(4 * MIN)
    assert not world.rollout.halted


def test_a_home_that_never_comes_back_halts() -> None:
    world = World("p-1", "a")
    world.step()
    world.takes("p-1")
    world.says("p-1", "trying")
    world.step(MIN)
    world.away.add("p-1")
    world.step(MIN)
    world.step(5 * MIN)
    assert world.rollout.halted == "ring pilot: 1 of 1 homes are worse: p-1 (offline)"


def test_what_was_wrong_before_is_not_held_against_the_update() -> None:
    world = World("a")
    world.home("p-1", radios={"zigbee": False, "modbus": True}, silent=4, blind=1)
    world.step()
    world.become_good("p-1")
    world.home("p-1", version="2.0", radios={"zigbee": False, "modbus": True}, silent=4, blind=1)
    world.step(HOUR)
    world.step(HOUR)
    assert not world.rollout.halted
    assert "a" in world.ordered


def test_of_a_large_ring_two_in_a_hundred_may_be_worse_and_not_three() -> None:
    names = [f"h-{nth}" for nth in range(100)]
    world = World(*names, plan=replace(PLAN, rings=(Ring("all", ("*",)),)))
    world.step()
    world.become_good(*names)
    for name in names[:2]:
        world.home(name, version="2.0", silent=1)
    world.step(MIN)
    world.step(10 * MIN)
    assert not world.rollout.halted
    world.home(names[2], version="2.0", blind=1)
    world.step(MIN)
    world.step(10 * MIN)
    assert "3 of 100" in world.rollout.halted


def test_a_home_that_is_away_is_ordered_when_it_comes_and_left_behind_if_it_does_not() -> None:
    world = World("p-1", "p-2", "a")
    world.away.add("p-2")
    assert world.step().order == ["p-1"]
    world.become_good("p-1")
    world.step(HOUR)
    assert "a" not in world.ordered, "p-2 may still come"
    world.step(24 * HOUR)
    assert world.at("p-2") is At.LEFT
    world.step(HOUR)
    assert "a" in world.ordered
    world.away.clear()
    assert "p-2" in world.step(MIN).order


def test_homes_of_a_later_ring_lose_no_patience_while_it_is_not_their_turn() -> None:
    world = World("p-1", "a", plan=replace(PLAN, soak_ms=48 * HOUR))
    world.away.add("a")
    world.step()
    world.become_good("p-1")
    world.step(MIN)
    world.step(48 * HOUR)
    world.step(HOUR)
    assert world.at("a") is At.PLANNED
    world.away.clear()
    assert world.step(HOUR).order == ["a"]


def test_a_ring_in_which_nobody_was_there_gives_no_leave_for_the_next() -> None:
    world = World("p-1", "a")
    world.away.add("p-1")
    world.step()
    world.step(25 * HOUR)
    assert world.rollout.halted == "ring pilot: no home has become good"
    world.news += world.rollout.resume().news
    assert world.step(MIN).order == ["a"]


def test_a_ring_without_a_home_halts_and_is_passed_over_only_by_hand() -> None:
    world = World("a")
    world.step()
    assert world.rollout.halted == "ring pilot: there is no home in it"
    world.rollout.resume()
    assert world.step(MIN).order == ["a"]


def test_an_order_nobody_answers_is_sent_again_under_the_same_id() -> None:
    world = World("p-1")
    world.step()
    first = world.rollout.id_of("p-1")
    assert world.step(AGAIN_MS - 1).order == []
    assert world.step(1).order == ["p-1"]
    assert world.step(AGAIN_MS - 1).order == []
    assert world.step(1).order == ["p-1"]
    assert world.rollout.id_of("p-1") == first


@pytest.mark.parametrize("code", ["clock", "busy", "expired"])
def test_a_refusal_that_passes_is_asked_again_under_another_id(code: str) -> None:
    world = World("p-1")
    world.step()
    first = world.rollout.id_of("p-1")
    body = {"id": first, "ok": False, "error": {"code": code, "text": "not set"}}
    assert world.rollout.replied("p-1", body, world.now) == []
    assert world.step(AGAIN_MS).order == ["p-1"]
    assert world.rollout.id_of("p-1") != first


def test_a_refusal_that_stays_is_a_failure() -> None:
    world = World("p-1", "a")
    world.step()
    body = {
        "id": world.rollout.id_of("p-1"),
        "ok": False,
        "error": {"code": "refused", "text": "an older\n one"},
    }
    assert world.rollout.replied("p-1", body, world.now) == ["p-1: failed (refused: an older one)"]
    world.step(1)
    assert world.rollout.halted


def test_answers_to_others_and_of_others_change_nothing() -> None:
    world = World("p-1")
    world.step()
    for home, body in (
        ("p-1", {"id": "else", "ok": True}),
        ("x", {"ok": True}),
        ("p-1", {}),
        ("p-1", {"id": 1}),
    ):
        assert world.rollout.replied(home, body, world.now) == []
    assert world.at("p-1") is At.SENT


def test_so_many_at_once_and_no_more() -> None:
    names = [f"h-{nth}" for nth in range(7)]
    world = World(*names, plan=replace(PLAN, rings=(Ring("all", ("*",), at_once=3),)))
    assert len(world.step().order) == 3
    assert world.step(MIN).order == []
    world.become_good(world.ordered[0])
    assert len(world.step(1).order) == 1
    assert world.step(48 * HOUR).order != [], "who waits for its place is not left behind"


def test_put_off_for_too_long_is_left_behind_and_begun_and_never_ended_is_failed() -> None:
    world = World("p-1", "p-2", "p-3", "a")
    world.step()
    world.takes("p-1", "p-2")
    world.become_good("p-3")
    world.says("p-1", "busy")
    world.says("p-2", "trying")
    world.step(MIN)
    world.step(24 * HOUR)
    assert world.at("p-1") is At.LEFT
    assert "p-1" in world.cancelled
    assert world.at("p-2") is At.FAILED
    assert "begun and not ended: trying" in world.rollout.halted


def test_resume_orders_again_who_was_called_off_and_counts_only_what_is_new() -> None:
    world = World("p-1", "p-2", "p-3", "a")
    world.step()
    world.takes("p-1", "p-2", "p-3")
    world.says("p-1", "failed", en="why")
    world.says("p-3", "good")
    world.step(MIN)
    before = world.rollout.id_of("p-2")
    assert world.step(HOUR).order == []
    assert world.rollout.resume().news == ["goes on"]
    assert world.step(MIN).order == ["p-2"]
    assert world.rollout.id_of("p-2") != before
    world.become_good("p-2")
    world.step(1)
    assert not world.rollout.halted
    world.home("p-2", version="2.0", silent=1)
    world.step(MIN)
    world.step(HOUR)
    assert "p-2" in world.rollout.halted


def test_halt_by_hand_and_cancel() -> None:
    world = World("p-1", "p-2", "a")
    world.step()
    world.takes("p-1")
    assert world.rollout.halt("by hand", world.now).cancel == ["p-1", "p-2"]
    assert world.rollout.halt("again", NOW) == Step()
    assert world.step(HOUR).order == []
    world.rollout.resume()
    world.step(1)
    assert world.rollout.cancel(NOW).cancel == ["p-1", "p-2"]
    assert world.rollout.ended == "cancelled"
    assert world.step(HOUR) == Step()
    assert world.rollout.resume() == world.rollout.cancel(NOW) == world.rollout.halt("x", NOW) == Step()


def test_what_somebody_at_the_home_cancelled_is_no_harm() -> None:
    world = World("p-1", "p-2", "a")
    world.step()
    world.become_good("p-2")
    world.takes("p-1")
    world.says("p-1", "cancelled")
    world.step(MIN)
    world.step(HOUR)
    assert world.at("p-1") is At.FAILED
    assert "a" in world.ordered


def test_a_share_is_that_part_of_the_homes_and_another_one_for_another_version() -> None:
    plan = Plan((Ring("early", ("*",), share=0.1), Ring("rest", ("*",))))
    names = [f"h-{nth}" for nth in range(2000)]
    early = {name for name in names if plan.ring_of(name, "2.0") == "early"}
    assert 150 < len(early) < 250
    assert early != {name for name in names if plan.ring_of(name, "2.1") == "early"}
    assert {plan.ring_of(name, "2.0") for name in names} == {"early", "rest"}
    assert Plan((Ring("pilot", ("p-*",)),)).ring_of("a", "2.0") == ""


def test_of_one_ring_alone_are_no_homes_of_those_before_it() -> None:
    plan = Plan((Ring("pilot", ("p-*",)), Ring("early", ("*",), share=0.5), Ring("rest", ("*",))))
    names = ["p-1", *(f"h-{nth}" for nth in range(100))]
    whole = {name: plan.ring_of(name, "2.0") for name in names}
    for ring in plan.rings:
        alone = plan.only(ring.name)
        made = Rollout.load(json.loads(json.dumps(Rollout(alone, "2.0", "key").dump()))).plan
        assert made == alone
        for name in names:
            assert alone.ring_of(name, "2.0") == (ring.name if whole[name] == ring.name else "")


def test_worse_homes_that_recovered_are_not_counted_with_those_that_are_worse_now() -> None:
    names = [f"h-{nth}" for nth in range(100)]
    world = World(*names, plan=replace(PLAN, soak_ms=48 * HOUR, rings=(Ring("all", ("*",)),)))
    world.step()
    world.become_good(*names)
    for pair in (names[:2], names[2:4], names[4:6]):
        for name in pair:
            world.home(name, version="2.0", silent=1)
        world.step(MIN)
        world.step(10 * MIN)
        assert world.rollout.counted()["all"] == {"good": 100, "worse": 2}
        for name in pair:
            world.home(name, version="2.0")
        world.step(MIN)
    assert not world.rollout.halted


def test_patience_counts_from_where_a_home_is_and_not_from_its_order() -> None:
    world = World("p-1")
    world.step()
    world.step(20 * HOUR)
    world.says("p-1", "waiting")
    world.step(HOUR)
    world.says("p-1", "busy")
    world.step(23 * HOUR)
    assert world.at("p-1") is At.UNDER_WAY
    world.step(HOUR)
    assert world.at("p-1") is At.LEFT


def test_a_home_that_begins_after_days_of_being_put_off_has_its_time_for_the_trial() -> None:
    world = World("p-1", "p-2", "a")
    world.step()
    world.takes("p-1")
    world.become_good("p-2")
    world.says("p-1", "busy")
    world.step(MIN)
    world.step(23 * HOUR)
    world.says("p-1", "trying")
    world.step(MIN)
    world.step(2 * HOUR)
    assert (world.at("p-1"), world.rollout.halted) == (At.UNDER_WAY, "")
    world.step(24 * HOUR)
    assert "begun and not ended: trying" in world.rollout.halted


def test_a_home_that_is_away_loses_no_patience_while_the_update_stands_still() -> None:
    world = World("b", plan=replace(PLAN, rings=(Ring("pilot", ("p-*",)), Ring("rest", ("*",)))))
    world.away.add("b")
    world.step()
    assert world.rollout.halted == "ring pilot: there is no home in it"
    world.step(48 * HOUR)
    world.rollout.resume()
    world.step(MIN)
    assert world.at("b") is At.PLANNED
    world.step(24 * HOUR)
    assert world.at("b") is At.LEFT


def test_a_ring_of_which_some_had_it_is_watched_for_the_others() -> None:
    world = World("p-2", "a")
    world.home("p-1", version="2.0")
    world.step()
    world.become_good("p-2")
    assert world.step(MIN).order == []
    assert world.step(HOUR).order == ["a"]


def test_what_happens_is_told_once_in_words() -> None:
    names = [f"p-{nth}" for nth in range(8)]
    world = World(*names, "a")
    world.step()
    world.takes(*names)
    for name in names[:7]:
        world.says(name, "failed", sv="radion")
    world.says("p-7", "good")
    world.step(1)
    world.step(1)
    told = [f"p-{nth}: ordered" for nth in range(8)]
    told += [f"p-{nth}: failed (failed: radion)" for nth in range(7)] + ["p-7: good"]
    shown = ", ".join(f"p-{nth} (failed: radion)" for nth in range(5))
    told += [f"HALTED: ring pilot: 7 of 8 homes are worse: {shown} and 2 more"]
    assert world.news == told
    assert world.rollout.counted() == {
        "pilot": {"failed": 7, "good": 1, "worse": 7},
        "rest": {"planned": 1, "worse": 0},
    }
    world.rollout.resume()
    world.news.clear()
    world.step(1)
    world.step(HOUR)
    world.become_good("a")
    world.home("a", version="2.0", blind=1)
    world.step(1)
    world.step(HOUR)
    assert world.news == [
        "ring pilot: all at an end, and watched now", "ring pilot: done", "a: ordered", "a: good",
        "ring rest: all at an end, and watched now", "a: worse than before: blind 0 → 1",
        "HALTED: ring rest: 1 of 1 homes are worse: a (blind 0 → 1)",
    ]  # fmt: skip


MOVES = st.lists(
    st.tuples(
        st.sampled_from(("p-1", "p-2", "a", "b", "c")),
        st.sampled_from(("takes", "waiting", "installing", "trying", "good", "failed", "away", "back",
                         "worse", "well", "resume", "halt")),
        st.integers(0, 3 * HOUR),
    ),
    max_size=40,
)  # fmt: skip


def moved(world: World, moves: Iterable[tuple[str, str, int]], *, restarts: bool) -> Rollout:
    """The rollout after all that; with `restarts` the tool is started anew after each step."""
    for name, what, later in moves:
        match what:
            case "takes":
                if name in world.rollout.courses:
                    world.takes(name)
            case "away":
                world.away.add(name)
            case "back":
                world.away.discard(name)
            case "worse" | "well":
                world.home(name, version=world.version[name], silent=int(what == "worse"))
            case "resume":
                world.rollout.resume()
            case "halt":
                world.cancelled += world.rollout.halt("by hand", world.now).cancel
            case _:
                world.says(name, what)
        halted = world.rollout.halted
        orders = world.step(later).order
        assert not (halted and orders), "a halted update orders nobody"
        assert not set(orders) & world.away, "who is away is not ordered"
        if any(not one.startswith("p-") for one in orders):
            pilots = [course for one, course in world.rollout.courses.items() if one.startswith("p-")]
            assert any(course.at is At.GOOD or course.accepted for course in pilots)
        if restarts:
            world.rollout = Rollout.load(json.loads(json.dumps(world.rollout.dump())))
    return world.rollout


@given(MOVES)
@settings(max_examples=150, deadline=None)
def test_a_tool_that_is_stopped_at_any_time_goes_on_as_if_it_was_not(
    moves: list[tuple[str, str, int]],
) -> None:
    names = ("p-1", "p-2", "a", "b", "c")
    kept, anew = World(*names), World(*names)
    assert moved(anew, moves, restarts=True).dump() == moved(kept, moves, restarts=False).dump()
    assert (anew.ordered, anew.cancelled) == (kept.ordered, kept.cancelled)


def test_a_version_is_the_same_however_it_is_written() -> None:
    world = World("p-1")
    world.home("p-2", version="2.0.0")
    world.step()
    assert world.at("p-2") is At.GOOD
    world.become_good("p-1")
    world.version["p-1"] = "2"
    world.step(MIN)
    assert world.at("p-1") is At.GOOD


def test_who_loads_or_waits_for_its_window_has_not_begun_and_is_called_off() -> None:
    states = ("waiting", "busy", "loading", "installing")
    world = World("p-0", *(f"p-{state}" for state in states))
    world.step()
    world.takes(*world.version)
    for state in states:
        world.says(f"p-{state}", state)
    world.says("p-0", "failed", en="why")
    assert sorted(world.step(MIN).cancel) == ["p-busy", "p-loading", "p-waiting"]


def test_who_was_away_when_it_was_called_off_is_called_off_when_it_comes_back() -> None:
    world = World("p-1", "p-2")
    world.step()
    world.takes("p-1", "p-2")
    world.says("p-2", "loading")
    world.step(MIN)
    world.away.add("p-2")
    world.says("p-1", "failed", en="why")
    assert world.step(MIN).cancel == ["p-2"]
    assert world.step(HOUR).cancel == []
    world.away.clear()
    world.says("p-2", "waiting")
    assert world.step(MIN).cancel == ["p-2"]
    assert world.step(AGAIN_MS - 1).cancel == []
    assert world.step(1).cancel == ["p-2"]
    world.says("p-2", "cancelled")
    assert world.step(HOUR).cancel == []


def test_who_could_not_be_called_off_any_more_is_watched() -> None:
    world = World("p-1", "p-2")
    world.step()
    world.takes("p-1", "p-2")
    world.says("p-2", "waiting")
    world.step(MIN)
    world.says("p-1", "failed", en="why")
    assert world.step(MIN).cancel == ["p-2"]
    world.says("p-2", "trying")
    world.step(MIN)
    assert world.at("p-2") is At.UNDER_WAY
    world.says("p-2", "failed", en="no radio")
    world.step(MIN)
    assert world.at("p-2") is At.FAILED


def test_a_home_that_became_good_and_runs_the_old_version_again_halts() -> None:
    world = World("p-1", "a")
    world.step()
    world.become_good("p-1")
    world.step(MIN)
    world.version["p-1"] = "1.0"
    world.step(MIN)
    world.step(5 * MIN)
    assert "p-1 (runs 1.0 again)" in world.rollout.halted
    world.step(HOUR)
    assert "a" not in world.ordered


def test_a_home_on_trial_with_the_version_does_not_have_it_yet() -> None:
    """By an order of before: it may fall back, and nobody would order it again."""
    world = World("p-1", "a")
    world.home("p-1", version="2.0")
    world.says("p-1", "trying")
    world.step()
    assert world.at("p-1") is not At.GOOD
    world.become_good("p-1")
    world.now += 1
    world.says("p-1", "good")
    world.step(MIN)
    assert world.at("p-1") is At.GOOD


def test_a_home_that_had_it_and_runs_another_one_is_ordered() -> None:
    world = World("p-2", "a")
    world.home("p-1", version="2.0")
    assert world.step().order == ["p-2"]
    world.version["p-1"] = "1.0"
    assert world.step(MIN).order == ["p-1"]
