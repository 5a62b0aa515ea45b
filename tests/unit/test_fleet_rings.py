"""Updates ring by ring: who is ordered when."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.fleet.plan import At, Plan, Ring, Step
from homenode.fleet.rings import AGAIN_MS, Rollout
from tests.unit.fleets import NOW, UTC
from tests.unit.rollouts import HOUR, MIN, PLAN, World


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
    assert "p-1: left behind (not there)" in world.news
    world.news += world.rollout.resume().news
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
    world.step(-HOUR)
    assert world.step(AGAIN_MS + MIN).order == ["p-1"], "a clock that is set back holds nothing up"


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


def test_a_home_without_slots_is_left_behind_and_holds_nobody_up() -> None:
    world = World("p-1", "p-2", "p-3", "a")
    world.step()
    world.become_good("p-1", "p-2")
    body = {"id": world.rollout.id_of("p-3"), "ok": False, "error": {"code": "no_slots", "text": "none"}}
    news = world.rollout.replied("p-3", body, world.now)
    assert news == ["p-3: left behind (no second slot to update into)"]
    world.step(1)
    world.step(HOUR)
    assert (world.at("p-3"), world.rollout.halted) == (At.LEFT, "")
    assert "a" in world.ordered


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


def test_a_home_that_a_ring_names_and_nobody_knows_is_told_once() -> None:
    world = World("p-1", plan=Plan((Ring("pilot", ("p-1", "p-l", "test-*")), Ring("rest", ("*",)))))
    world.step()
    told = [f"ring pilot: no home is called {name}" for name in ("p-l", "test-*")]
    assert (world.news, world.ordered) == (told, ["p-1"])
    world.rollout = Rollout.load(world.rollout.dump())
    world.step(MIN)
    assert world.news == told


def test_a_home_to_which_somebody_else_ordered_another_version_is_left_to_them() -> None:
    world = World("p-1", "p-2", "a")
    world.update = {"p-1": {"version": "1.9", "state": "trying", "at": UTC.text(NOW)}}
    world.step()
    world.takes("p-1")
    world.become_good("p-2")
    world.update["p-1"] = {"version": "1.9", "state": "good", "at": UTC.text(NOW + 1)}
    world.step(MIN)
    assert world.at("p-1") is At.UNDER_WAY, "that was ordered before, and this one is waited for"
    world.says("p-1", "waiting")
    world.step(MIN)
    world.update["p-1"] = {"version": "3.0", "state": "waiting", "at": UTC.text(NOW + MIN)}
    world.step(MIN)
    assert world.news[-2:] == [
        "p-1: left behind (3.0 was ordered there since)", "ring pilot: all at an end, and watched now"
    ]  # fmt: skip
    assert world.cancelled == [], "theirs is not called off"
    assert world.step(HOUR).order == ["a"]


MOVES = st.lists(
    st.tuples(
        st.sampled_from(("p-1", "p-2", "a", "b", "c")),
        st.sampled_from(("takes", "waiting", "installing", "trying", "good", "failed", "away", "back",
                         "worse", "well", "resume", "halt", "unwatched")),
        st.integers(0, 3 * HOUR),
    ),
    max_size=40,
)  # fmt: skip


def looked(world: World, later: int, *, watched: bool = True) -> None:
    """The tool looks, and orders nobody whom it must not."""
    halted = world.rollout.halted
    orders = world.step(later, watched=watched).order
    assert not (halted and orders), "a halted update orders nobody"
    assert not set(orders) & world.away, "who is away is not ordered"
    if any(not one.startswith("p-") for one in orders):
        pilots = [course for one, course in world.rollout.courses.items() if one.startswith("p-")]
        assert any(course.at is At.GOOD or course.accepted for course in pilots)


def moved(world: World, moves: Iterable[tuple[str, str, int]], *, restarts: bool) -> Rollout:
    """The rollout after all that; with `restarts` the tool is started anew after each step."""
    for name, what, later in moves:
        looked(world, later, watched=what != "unwatched")
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
            case "unwatched":
                pass
            case _:
                world.says(name, what)
        looked(world, 0)
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
