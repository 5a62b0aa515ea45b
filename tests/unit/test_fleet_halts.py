"""Updates ring by ring: what halts them, and what does not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from homenode.fleet.plan import At, Ring, Step
from homenode.fleet.rings import AGAIN_MS, UNWATCHED_MS, Rollout
from tests.unit.fleets import NOW
from tests.unit.rollouts import HOUR, MIN, PLAN, World


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


def test_a_ring_without_a_home_halts_and_is_passed_over_only_by_hand() -> None:
    world = World("a")
    world.step()
    assert world.rollout.halted == "ring pilot: there is no home in it"
    world.rollout.resume()
    assert world.step(MIN).order == ["a"]


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
    world.step(1)
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


def the_soak_goes_on_where_it_was_left(world: World, *, restarts: bool = False) -> None:
    """Pilots are good at once, are watched for half of the soak, and then nobody looks for two days."""
    world.step()
    world.become_good("p-1")
    world.step(1)
    world.step(HOUR // 2)
    if restarts:
        world.rollout = Rollout.load(json.loads(json.dumps(world.rollout.dump())))
    assert world.step(48 * HOUR, watched=False).order == []
    assert world.step(HOUR // 2 - MIN).order == []


@pytest.mark.parametrize("restarts", [True, False])
def test_a_soak_that_nobody_watched_is_none(restarts: bool) -> None:
    world = World("p-1", "a")
    the_soak_goes_on_where_it_was_left(world, restarts=restarts)
    assert world.step(MIN).order == ["a"]


def test_pilots_that_got_worse_while_the_tool_was_stopped_halt_it() -> None:
    world = World("p-1", "a")
    world.step()
    world.become_good("p-1")
    world.step(1)
    world.home("p-1", version="2.0", silent=1)
    world.step(48 * HOUR, watched=False)
    world.step(5 * MIN)
    assert world.rollout.halted == "ring pilot: 1 of 1 homes are worse: p-1 (silent 0 → 1)"
    assert "a" not in world.ordered


def test_a_home_that_gets_worse_at_the_end_of_the_soak_is_waited_for() -> None:
    world = World("p-1", "a", "b", "c", plan=replace(PLAN, rings=(*PLAN.rings[:1], Ring("a", ("a",)),
                                                                Ring("rest", ("*",)))))  # fmt: skip
    world.step()
    world.become_good("p-1")
    world.step(1)
    world.step(HOUR - 2 * MIN)
    world.home("p-1", version="2.0", silent=1)
    world.step(MIN)
    assert world.step(2 * MIN).order == []
    world.home("p-1", version="2.0")
    assert world.step(1).order == ["a"], "it has recovered"
    world.become_good("a")
    world.step(1)
    world.step(HOUR - MIN)
    world.home("p-1", version="2.0", silent=1)
    assert world.step(2 * MIN).order == [], "of an earlier ring, too"
    world.step(5 * MIN)
    assert "p-1" in world.rollout.halted
    world.rollout.resume()
    assert world.step(1).order == ["b", "c"], "somebody has looked at it"


def test_one_worse_home_of_a_large_ring_holds_nobody_up_for_ever() -> None:
    names = [f"p-{nth:02d}" for nth in range(50)]
    world = World(*names, "a")
    world.step()
    world.become_good(*names)
    world.step(1)
    world.home(names[0], version="2.0", silent=1)
    world.step(HOUR - 2 * MIN)
    assert world.step(4 * MIN).order == []
    assert world.step(MIN).order == ["a"], "it is worse, and one may be"


def test_a_home_loses_no_patience_while_nobody_looks() -> None:
    world = World("p-1", "p-2", "p-3", "a")
    world.away.add("p-2")
    world.step()
    world.become_good("p-3")
    world.takes("p-1")
    world.says("p-1", "waiting")
    world.step(MIN)
    world.step(23 * HOUR)
    world.step(48 * HOUR, watched=False)
    assert (world.at("p-1"), world.at("p-2")) == (At.UNDER_WAY, At.PLANNED)
    world.step(HOUR)
    assert (world.at("p-1"), world.at("p-2")) == (At.LEFT, At.LEFT)
    world.away.add("a")
    world.step(1)
    assert world.rollout.ring == PLAN.rings[0]
    world.step(HOUR)
    assert world.rollout.ring == PLAN.rings[1]
    world.step(23 * HOUR)
    world.step(48 * HOUR, watched=False)
    assert world.at("a") is At.PLANNED
    world.step(HOUR)
    assert world.at("a") is At.LEFT


def test_looks_at_a_minutes_distance_and_a_clock_that_is_set_back_are_no_gap() -> None:
    world = World("p-1", "a")
    world.step()
    world.become_good("p-1")
    world.step(1)
    assert UNWATCHED_MS == 5 * MIN
    for _ in range(12):
        world.step(UNWATCHED_MS - 1, watched=False)
    world.step(12)
    assert "a" in world.ordered
    back = World("p-1", "a")
    back.step()
    back.become_good("p-1")
    back.step(1)
    back.step(-48 * HOUR, watched=False)
    assert back.step(HOUR - MIN).order == []
    assert back.step(2 * MIN).order == ["a"], "the soak is as long as before"


def test_the_home_that_halts_a_ring_is_called_off_too() -> None:
    world = World("p-1", "p-2")
    world.step()
    world.takes("p-1", "p-2")
    world.says("p-1", "waiting")
    world.says("p-2", "waiting")
    world.step(MIN)
    world.home("p-1", radios={"zigbee": False})
    world.step(MIN)
    assert sorted(world.step(5 * MIN).cancel) == ["p-1", "p-2"]
    assert "p-1 (radios down 0 → 1)" in world.rollout.halted


@pytest.mark.parametrize("halted", [True, False], ids=["halted", "going on"])
def test_who_was_left_behind_and_still_has_the_order_is_called_off_until_it_has_none(halted: bool) -> None:
    world = World("p-1", "p-2", "a")
    world.step()
    world.become_good("p-2")
    world.takes("p-1")
    world.says("p-1", "waiting")
    world.step(MIN)
    world.step(25 * HOUR)
    assert world.at("p-1") is At.LEFT
    if halted:
        world.rollout.halt("by hand", world.now)
    asked = len(world.cancelled)
    world.step(AGAIN_MS)
    world.step(AGAIN_MS)
    assert world.cancelled[asked:].count("p-1") == 2, "a command counts for an hour, or is lost"
    world.says("p-1", "cancelled")
    world.step(AGAIN_MS)
    assert world.step(HOUR).cancel == []
    assert world.at("p-1") is At.LEFT


def test_what_this_tool_called_off_says_nothing_of_the_order_that_follows() -> None:
    """The node's word comes after the order is out again."""
    world = World("p-1")
    world.step()
    world.takes("p-1")
    world.says("p-1", "waiting")
    world.step(MIN)
    world.rollout.halt("by hand", world.now)
    world.rollout.resume()
    assert world.step(MIN).order == ["p-1"]
    world.says("p-1", "cancelled")
    world.step(1)
    assert world.at("p-1") is At.SENT
    world.takes("p-1")
    world.says("p-1", "failed", en="radio never up")
    world.step(MIN)
    assert world.at("p-1") is At.FAILED
    assert "radio never up" in world.rollout.halted
    world = World("p-1")
    world.step()
    world.takes("p-1")
    world.rollout.halt("by hand", world.now)
    world.says("p-1", "cancelled")
    world.step(MIN)
    world.rollout.resume()
    world.step(MIN)
    world.takes("p-1")
    world.now += MIN
    world.says("p-1", "cancelled")
    world.step(MIN)
    assert world.at("p-1") is At.FAILED, "this one somebody else called off"


def test_what_was_gone_on_with_is_accepted_until_the_next_order() -> None:
    world = World("p-1", "p-2", plan=replace(PLAN, patience_ms=HOUR))
    world.away |= {"p-1", "p-2"}
    world.step()
    world.step(2 * HOUR)
    assert "no home has become good" in world.rollout.halted
    world.rollout.resume()
    world.away.clear()
    assert sorted(world.step(MIN).order) == ["p-1", "p-2"]
    world.takes("p-1", "p-2")
    world.says("p-1", "failed", en="radio never up")
    world.step(MIN)
    assert "radio never up" in world.rollout.halted


def test_a_home_that_was_worse_and_is_ordered_again_is_judged_by_how_it_is_then() -> None:
    world = World("p-1", "p-2")
    world.step()
    world.takes("p-1")
    world.says("p-1", "waiting")
    world.home("p-1", silent=1)
    world.step(MIN)
    world.step(5 * MIN)
    assert "silent 0 → 1" in world.rollout.halted
    world.rollout.resume()
    assert "p-1" in world.step(MIN).order
    world.become_good("p-1", "p-2")
    world.home("p-1", version="2.0", silent=1)
    world.step(10 * MIN)
    assert not world.rollout.halted
    world.home("p-1", version="2.0", silent=2)
    world.step(MIN)
    world.step(5 * MIN)
    assert "silent 1 → 2" in world.rollout.halted


def test_a_home_that_was_away_just_before_nobody_looked_has_its_time_to_come_back() -> None:
    world = World("p-1", "a")
    world.step()
    world.takes("p-1")
    world.says("p-1", "trying")
    world.step(MIN)
    world.away.add("p-1")
    world.step(MIN)
    world.step(8 * HOUR, watched=False)
    assert not world.rollout.halted
    world.step(MIN)
    assert not world.rollout.halted
    world.step(5 * MIN)
    assert "p-1 (offline)" in world.rollout.halted


def test_a_home_of_whose_health_nothing_is_known_is_not_ordered() -> None:
    """Its status is sealed, and no key opens it: it would be well whatever the version does to it."""
    world = World("p-1", "p-2")
    world.mute |= {"p-1", "p-2"}
    assert world.step().order == []
    world.step(25 * HOUR)
    assert (world.at("p-1"), world.ordered) == (At.LEFT, [])
    assert world.rollout.courses["p-1"].told == "tells nothing of its health"
    world.mute.remove("p-1")
    world.rollout.resume()
    assert world.step(MIN).order == ["p-1"]


def test_what_was_kept_before_looks_were_begins_its_soak_anew() -> None:
    world = World("p-1", "a")
    world.step()
    world.become_good("p-1")
    world.step(1)
    kept = json.loads(json.dumps(world.rollout.dump()))
    del kept["looked_ms"]
    world.rollout = Rollout.load(kept)
    assert world.step(48 * HOUR, watched=False).order == []
    assert world.step(HOUR - 1).order == []
    assert world.step(1).order == ["a"]
