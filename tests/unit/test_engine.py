"""Sentences about rules over time, each at its exact instant. `engine_reference` says the same in bulk."""

from __future__ import annotations

from typing import Any

import pytest

from homenode.config.model import Mode
from homenode.engine import Engine, WallClock
from homenode.engine.events import (
    Acknowledge,
    ClockSet,
    Event,
    Heard,
    ModeSet,
    NodeDown,
    NodeUp,
    Reading,
    StaleAfter,
)
from homenode.engine.truth import FALSE, TRUE, UNKNOWN, WORDS
from homenode.errors import Refused
from homenode.language.bound import (
    And,
    Between,
    BoundRule,
    BoundStep,
    Changes,
    Compare,
    Count,
    Expr,
    For,
    ModeIs,
    Not,
    Within,
)

SEC, MIN, HOUR = 1000, 60_000, 3_600_000
DOOR = Compare("door.contact", "==", True)
HELP = Compare("help.button", "==", True)


def rule(
    when: Expr, *steps: BoundStep, name: str = "rule", clear: Expr | None = None, **more: Any
) -> BoundRule:
    fields = {"grace_ms": 1000 * HOUR, **more}
    return BoundRule(name, name, 1, "alarm", ("care",), when, clear or Not(when), steps, **fields)


def engine(
    *rules: BoundRule, stale: dict[str, int] | None = None, start: int = 0, zone: str = "UTC"
) -> Engine:
    return Engine(rules, stale or {}, start=start, modes={"away": Mode("away", HOUR)}, wall=WallClock(zone))


def door(at: int, value: bool | None = True) -> Reading:
    return Reading("door.contact", value, at)


def told(machine: Engine, *events: Event, to: int) -> list[tuple[Any, ...]]:
    for event in events:
        machine.feed(event)
    return [(t.at, t.event.value, t.step) if t.step else (t.at, t.event.value) for t in machine.advance(to)]


# -- truth


def test_not_turns_truth_round_and_leaves_the_unknown() -> None:
    assert [2 - value for value in (FALSE, UNKNOWN, TRUE)] == [TRUE, UNKNOWN, FALSE]
    assert [WORDS[value] for value in (FALSE, UNKNOWN, TRUE)] == ["FALSE", "UNKNOWN", "TRUE"]


# -- instants


def test_a_duration_is_full_exactly_at_its_end_and_not_a_millisecond_sooner() -> None:
    machine = engine(rule(For(DOOR, 5 * MIN)))
    assert told(machine, door(0, False), door(1000), to=1000 + 5 * MIN - 1) == []
    assert machine.next_deadline() == 1000 + 5 * MIN
    assert told(machine, to=1000 + 5 * MIN) == [(1000 + 5 * MIN, "raised")]


def test_the_first_sample_is_not_five_minutes() -> None:
    assert told(engine(rule(For(DOOR, 5 * MIN))), door(0), to=5 * MIN - 1) == []


def test_what_was_true_is_within_reach_up_to_the_last_instant() -> None:
    machine = engine(rule(Within(DOOR, 5 * MIN)))
    said = told(machine, door(0, False), door(10 * MIN), door(11 * MIN, False), to=HOUR)
    assert said == [(10 * MIN, "raised"), (16 * MIN, "resolved")]


def test_of_several_values_at_one_instant_the_last_holds() -> None:
    assert told(engine(rule(DOOR)), door(5), door(5, False), to=9) == []


def test_a_press_counts_even_if_the_button_is_let_go_at_the_same_instant() -> None:
    press, release = Reading("help.button", True, 5), Reading("help.button", False, 5)
    assert told(engine(rule(HELP)), press, release, to=5) == [(5, "raised")]


def test_a_press_lasts_one_instant() -> None:
    assert told(engine(rule(HELP)), Reading("help.button", True, 5), to=9) == [(5, "raised"), (6, "resolved")]


def test_a_sensor_that_says_fault_is_not_counted_as_a_turn() -> None:
    machine = engine(rule(Count("door.contact", MIN, ">=", 1), grace_ms=0))
    assert told(machine, door(0, False), door(2 * MIN, None), to=HOUR) == [(2 * MIN, "fault")]


def test_a_count_is_known_once_nothing_unknown_is_left_in_its_window() -> None:
    machine = engine(rule(Count("help.button", 10, "<", 1)))
    assert told(machine, Heard("help", 100), Heard("help", 109), to=120) == [(110, "raised")]
    machine = engine(rule(Count("help.button", 10, "<=", 1)))
    assert told(machine, Heard("help", 100), Reading("help.button", True, 109), to=120) == [(110, "raised")]


def test_windows_of_several_lengths_over_one_condition_each_come_at_their_own_instant() -> None:
    machine = engine(rule(For(DOOR, 3 * SEC)), rule(Not(For(DOOR, 100 * SEC)), name="long"))
    events = door(0), door(SEC, False), door(10 * SEC, None), door(20 * SEC)
    assert told(machine, *events, to=90 * SEC)[-1] == (23 * SEC, "raised")


def test_three_presses_within_a_minute_are_counted_and_forgotten() -> None:
    machine = engine(rule(Count("help.button", MIN, ">=", 3)))
    presses = [Reading("help.button", True, at) for at in (2 * MIN, 2 * MIN + 10, 3 * MIN)]
    said = told(machine, Heard("help", 0), *presses, to=HOUR)
    assert said == [(3 * MIN, "raised"), (3 * MIN + 1, "resolved")]


def test_an_instant_already_evaluated_is_closed() -> None:
    machine = engine(rule(DOOR))
    told(machine, door(0, False), to=10)
    assert told(machine, door(7), to=20) == [(11, "raised")]


# -- unknown and stale


def test_silence_is_not_knowing_and_neither_raises_nor_resolves() -> None:
    machine = engine(rule(DOOR), rule(Not(DOOR), name="shut"), stale={"door": HOUR})
    assert told(machine, door(0), to=10 * HOUR) == [(0, "raised")]
    assert machine.verdicts()["rule"].truth == "UNKNOWN"


def test_a_point_is_stale_exactly_when_its_time_is_over_and_until_its_own_next_reading() -> None:
    blind = rule(DOOR, grace_ms=0)
    machine = engine(blind, stale={"door": HOUR})
    other = Reading("door.battery", 80, HOUR + 5)
    assert told(machine, door(0, False), other, to=HOUR - 1) == []
    assert told(machine, to=HOUR) == [(HOUR, "fault")]
    assert told(machine, door(HOUR + 10, False), to=HOUR + 10) == [(HOUR + 10, "recovered")]


def test_hearing_any_point_of_a_device_keeps_the_others_good() -> None:
    machine = engine(rule(DOOR, grace_ms=0), stale={"door": HOUR})
    assert (
        told(
            machine,
            door(0, False),
            Reading("door.battery", 80, HOUR),
            Heard("door", 2 * HOUR - 1),
            to=3 * HOUR - 2,
        )
        == []
    )


def test_a_point_may_be_silent_for_a_time_of_its_own() -> None:
    machine = engine(rule(DOOR, grace_ms=0), stale={"door": 4 * HOUR, "door.contact": HOUR})
    assert told(machine, door(0, False), to=2 * HOUR) == [(HOUR, "fault")]


def test_a_button_is_believed_again_as_soon_as_it_may_be_silent_for_longer() -> None:
    machine = engine(rule(Not(HELP), grace_ms=0), stale={"help": MIN})
    events = Heard("help", 0), StaleAfter("help", 2 * MIN, HOUR)
    assert told(machine, *events, to=3 * MIN) == [(0, "raised"), (MIN, "fault"), (2 * MIN, "recovered")]


def test_a_new_limit_of_silence_holds_from_its_instant() -> None:
    machine = engine(rule(DOOR, grace_ms=0), stale={"door": 4 * HOUR})
    assert told(machine, door(0, False), StaleAfter("door", 2 * HOUR, HOUR), to=3 * HOUR) == [
        (2 * HOUR, "fault")
    ]


def test_a_fault_of_the_device_is_unknown_until_its_next_value() -> None:
    machine = engine(rule(DOOR, grace_ms=MIN))
    assert told(machine, door(0, False), door(10, None), door(10 + 2 * MIN), to=HOUR) == [
        (10 + MIN, "fault"),
        (10 + 2 * MIN, "raised"),
        (10 + 2 * MIN, "recovered"),
    ]


def test_the_points_that_blind_a_rule_are_named() -> None:
    machine = engine(rule(And((HELP, DOOR)), grace_ms=0))
    machine.feed(door(5, False))
    (fault,) = machine.advance(4)
    assert fault.because == ("door.contact", "help.button")
    assert [alert.because for alert in machine.open_alerts()] == [fault.because]


def test_a_rule_that_needs_the_time_is_blind_while_the_clock_is_untrusted() -> None:
    machine = engine(rule(And((DOOR, Between(0, 60))), grace_ms=0))
    machine.feed(ClockSet(0, trusted=False))
    machine.feed(door(0, False))
    (fault,) = machine.advance(5)
    assert fault.because == ("clock",)
    machine.feed(ClockSet(10))
    assert [change.event.value for change in machine.advance(10)] == ["recovered"]


# -- downtime


@pytest.mark.parametrize(("length", "raised"), [(15 * MIN, 20 * MIN), (15 * MIN + 1, None)])
def test_a_reboot_never_restarts_a_timer_and_a_long_outage_never_pretends_to_know(
    length: int, raised: int | None
) -> None:
    down = 2 * MIN
    said = told(engine(rule(For(DOOR, 20 * MIN))), door(0), NodeDown(down), NodeUp(down + length), to=HOUR)
    assert said == ([] if raised is None else [(raised, "raised")])


def test_what_became_due_while_the_node_was_down_happens_when_it_is_up() -> None:
    steps = (BoundStep(1, "say", MIN, 30 * SEC, 4), BoundStep(2, "notify", MIN + 1))
    machine = engine(rule(DOOR, *steps))
    said = told(machine, door(0), NodeDown(10), NodeUp(5 * MIN), to=HOUR)
    assert said == [(0, "raised"), (5 * MIN, "step", 1), (5 * MIN, "step", 2)]


def test_lines_at_the_instant_of_down_are_applied_and_evaluated_when_up() -> None:
    assert told(engine(rule(DOOR)), door(0, False), door(10), NodeDown(10), NodeUp(20), to=30) == [
        (20, "raised")
    ]


@pytest.mark.parametrize("bridge_ms", [0, HOUR])
def test_a_press_at_the_instant_of_down_counts_however_long_the_downtime(bridge_ms: int) -> None:
    for when in (Within(HELP, MIN), Within(Changes("help.button"), MIN), Count("help.button", MIN, ">=", 1)):
        machine = engine(rule(when, bridge_ms=bridge_ms))
        pressed = Reading("help.button", True, 10)
        said = told(machine, Heard("help", 0), pressed, NodeDown(10), NodeUp(20), to=30)
        assert said == [(20, "raised")]


def test_a_change_at_the_instant_of_down_counts_though_the_value_is_forgotten() -> None:
    machine = engine(rule(Within(Changes("door.contact"), MIN), bridge_ms=0))
    assert told(machine, door(0, False), door(10), NodeDown(10), NodeUp(20), to=30) == [(20, "raised")]


def test_a_downtime_that_ends_at_the_instant_it_began_leaves_it_one_instant() -> None:
    machine = engine(rule(Changes("door.contact"), bridge_ms=0))
    said = told(machine, door(0), door(5, False), NodeDown(5), NodeUp(5), door(5), to=9)
    assert said == []


def test_an_instant_of_any_number_of_downtimes_is_one_instant() -> None:
    machine = engine(rule(Changes("door.contact"), bridge_ms=0))
    stops = (NodeDown(5), NodeUp(5)) * 2000
    assert told(machine, door(0), *stops, door(5, False), *stops, to=9) == [(5, "raised"), (6, "resolved")]


def test_what_comes_while_down_is_not_heard() -> None:
    assert told(engine(rule(DOOR)), door(0, False), NodeDown(10), door(15), NodeUp(20), to=30) == []


def test_being_blind_is_counted_anew_from_each_up() -> None:
    machine = engine(rule(DOOR, grace_ms=MIN))
    assert told(machine, NodeDown(30 * SEC), NodeUp(40 * SEC), to=HOUR) == [(40 * SEC + MIN, "fault")]


def test_two_downtimes_that_touch_survive_a_restart_between_them() -> None:
    asleep = rule(And((DOOR, HELP)), bridge_ms=3, grace_ms=0)
    events = [Heard("help", 0), NodeDown(0), NodeUp(4), NodeDown(4)]
    whole, parts = engine(asleep), engine(asleep)
    for machine in (whole, parts):
        assert told(machine, *events, to=4) == []
    parts = Engine.load(parts.dump(), [asleep], {})
    assert told(whole, NodeUp(5), to=9) == told(parts, NodeUp(5), to=9) == []


# -- alerts and steps


def test_an_acknowledgement_stops_notify_and_nothing_else() -> None:
    steps = (
        BoundStep(1, "say", MIN),
        BoundStep(2, "notify", MIN, parties=("care",)),
        BoundStep(3, "light", None),
    )
    machine = engine(rule(DOOR, *steps))
    said = told(machine, door(0), Acknowledge("rule", MIN), door(2 * MIN, False), to=HOUR)
    assert said == [
        (0, "raised"),
        (MIN, "acknowledged"),
        (MIN, "step", 1),
        (2 * MIN, "resolved"),
        (2 * MIN, "step", 3),
    ]


def test_an_acknowledgement_at_the_instant_of_down_is_told_when_the_node_stays_up() -> None:
    acknowledged = door(0), Acknowledge("rule", 5), NodeDown(5)
    assert told(engine(rule(DOOR)), *acknowledged, NodeUp(9), to=9) == [(0, "raised"), (9, "acknowledged")]
    for again in ((NodeUp(7), NodeDown(7)), (NodeUp(5), NodeDown(5))):
        said = told(engine(rule(DOOR)), *acknowledged, *again, NodeUp(9), to=9)
        assert said == [(0, "raised"), (9, "acknowledged")]


def test_an_acknowledgement_at_the_instant_of_the_raise_does_nothing() -> None:
    assert told(engine(rule(DOOR)), door(5), Acknowledge("rule", 5), to=9) == [(5, "raised")]


def test_an_acknowledgement_lapses_and_notify_starts_anew() -> None:
    machine = engine(rule(DOOR, BoundStep(1, "notify", MIN, parties=("care",)), again_ms=HOUR))
    said = told(machine, door(0), Acknowledge("rule", 10), to=2 * HOUR)
    lapse = HOUR + 10
    assert said == [(0, "raised"), (10, "acknowledged"), (lapse, "lapsed"), (lapse + MIN, "step", 1)]


def test_what_must_be_acknowledged_stays_open_until_it_is() -> None:
    machine = engine(rule(HELP, hold=True))
    said = told(machine, Reading("help.button", True, 5), Acknowledge("rule", MIN), to=HOUR)
    assert said == [(5, "raised"), (MIN, "acknowledged"), (MIN, "resolved")]


def test_each_party_silences_only_its_own_notify_and_hold_wants_all_that_were_told() -> None:
    steps = (
        BoundStep(1, "notify", 0, parties=("care",)),
        BoundStep(2, "notify", MIN, MIN, 9, parties=("care", "property")),
    )
    machine = engine(rule(HELP, *steps, hold=True))
    machine.feed(Reading("help.button", True, 0))
    machine.feed(Acknowledge("rule", MIN + 5, ("care",), "Anna"))
    changes = machine.advance(2 * MIN)
    assert [(t.at, t.parties) for t in changes if t.do == "notify"] == [
        (0, ("care",)),
        (MIN, ("care", "property")),
        (2 * MIN, ("property",)),
    ]
    assert machine.open_alerts()[0].by == ("care",)
    alert = machine.open_alerts()[0].alert
    assert told(machine, Acknowledge(alert, 2 * MIN + 5, ("property",)), to=HOUR) == [
        (2 * MIN + 5, "acknowledged"),
        (2 * MIN + 5, "resolved"),
    ]


@pytest.mark.parametrize("by", [None, "care", "resident"])
def test_the_next_party_is_told_when_not_all_before_it_took_care(by: str | None) -> None:
    steps = (
        BoundStep(1, "notify", 0, parties=("care",)),
        BoundStep(2, "notify", 5 * MIN, MIN, 3, parties=("property",)),
    )
    if by == "resident":
        steps = (*steps, BoundStep(3, "notify", MIN, parties=("resident",)))
    machine = engine(rule(DOOR, *steps))
    machine.feed(door(0))
    if by:
        machine.feed(Acknowledge("rule", 2 * MIN, (by,)))
    told_to = [(t.at, t.parties) for t in machine.advance(HOUR) if t.do == "notify"]
    reaches_property = by != "care"
    assert ((5 * MIN, ("property",)) in told_to) is reaches_property
    assert len([at for at, parties in told_to if parties == ("property",)]) == 3 * reaches_property


def test_after_a_lapse_the_next_party_is_reached_though_the_first_had_acknowledged() -> None:
    steps = (
        BoundStep(1, "notify", 0, parties=("care",)),
        BoundStep(2, "notify", 5 * MIN, parties=("property",)),
    )
    machine = engine(rule(DOOR, *steps, again_ms=HOUR))
    machine.feed(door(0))
    machine.feed(Acknowledge("rule", 2 * MIN, ("care",)))
    lapse = 2 * MIN + HOUR
    assert [(t.at, t.parties) for t in machine.advance(3 * HOUR) if t.do == "notify"] == [
        (0, ("care",)),
        (lapse, ("care",)),
        (lapse + 5 * MIN, ("property",)),
    ]


def test_a_mode_ends_by_itself_also_while_the_node_is_down() -> None:
    machine = engine(rule(ModeIs("away")))
    assert told(machine, ModeSet("away", 10), to=2 * HOUR) == [(10, "raised"), (10 + HOUR, "resolved")]
    assert told(
        machine, ModeSet("away", 3 * HOUR), NodeDown(3 * HOUR + 1), NodeUp(5 * HOUR), to=6 * HOUR
    ) == [
        (3 * HOUR, "raised"),
        (5 * HOUR, "resolved"),
    ]


# -- memory


def test_the_time_left_is_known_and_costs_nothing_of_the_state() -> None:
    machine = engine(rule(For(DOOR, 5 * MIN)))
    told(machine, door(0, False), door(1000), to=2 * MIN)
    before = machine.dump()
    assert machine.verdicts()["rule"].true_at == 1000 + 5 * MIN
    assert machine.dump() == before


def test_what_blinds_a_rule_is_shown_with_its_verdict_and_nothing_else() -> None:
    machine = engine(rule(DOOR, grace_ms=0), rule(Not(HELP), name="other"))
    told(machine, door(0, None), Heard("help", 0), to=0)
    assert {name: verdict.blind for name, verdict in machine.verdicts().items()} == {
        "rule": ("door.contact",),
        "other": (),
    }
    faults = [(alert.rule, alert.fault) for alert in machine.open_alerts()]
    assert faults == [("rule", True), ("other", False)]


@pytest.mark.parametrize(("days", "shown"), [(6, True), (8, False)])
def test_the_time_left_is_shown_up_to_a_week(days: int, shown: bool) -> None:
    machine = engine(rule(For(DOOR, days * 24 * HOUR)))
    told(machine, door(0, False), door(SEC), to=SEC)
    due = SEC + days * 24 * HOUR if shown else None
    assert machine.verdicts()["rule"].true_at == due


def test_a_newer_state_is_refused_with_what_to_do() -> None:
    data = engine(rule(DOOR)).dump()
    assert data["version"] == 2
    data["version"] = 3
    with pytest.raises(Refused, match="run the version"):
        Engine.load(data, [rule(DOOR)], {})


def test_rules_that_did_not_change_keep_everything_over_a_reload() -> None:
    machine = engine(rule(For(DOOR, 5 * MIN)), rule(DOOR, name="gone"))
    assert told(machine, door(0), to=MIN) == [(0, "raised")]
    changes = machine.reload([rule(DOOR, name="new"), rule(For(DOOR, 5 * MIN))], {}, 2 * MIN)
    changes += machine.advance(2 * MIN)
    assert [(t.rule, t.event.value, t.reason) for t in changes] == [
        ("gone", "resolved", "rule changed"),
        ("new", "raised", ""),
    ]
    assert told(machine, to=HOUR) == [(5 * MIN, "raised")]


def test_a_changed_rule_starts_on_the_history_of_its_points() -> None:
    machine = engine(rule(For(DOOR, 5 * MIN)))
    told(machine, door(0), to=3 * MIN)
    assert machine.reload([rule(For(DOOR, 4 * MIN))], {}, 3 * MIN + 1) == []
    assert told(machine, to=HOUR) == [(4 * MIN, "raised")]


def test_an_alert_of_a_rule_that_changed_while_the_node_was_off_is_closed_at_its_start() -> None:
    machine = engine(rule(DOOR), rule(HELP, name="other"))
    told(machine, door(0), to=MIN)
    again = Engine.load(machine.dump(), [rule(HELP, name="other")], {})
    (change,) = again.advance(2 * MIN)
    assert (change.at, change.rule, change.event.value, change.reason) == (
        MIN + 1,
        "rule",
        "resolved",
        "rule changed",
    )


def test_equal_conditions_of_several_rules_are_one_node() -> None:
    same = [rule(For(DOOR, 5 * MIN), name=f"r{number}") for number in range(100)]
    machine = engine(*same)
    assert len(machine._network.nodes) == 4  # the door, when it was last shut, the window, its negation
    assert len(told(machine, door(0), to=HOUR)) == 100
