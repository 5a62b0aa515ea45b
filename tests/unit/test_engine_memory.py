"""Sentences about what an engine remembers: over a restart, a reload, an acknowledgement, a downtime."""

from __future__ import annotations

import json
from pathlib import Path

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
from homenode.language.bound import (
    And,
    Between,
    BoundRule,
    BoundStep,
    Count,
    For,
    HasQuality,
    ModeIs,
    Not,
    Within,
)
from tests.unit import engine_state
from tests.unit.test_engine import DOOR, HELP, HOUR, MIN, SEC, door, engine, rule, told


def reloaded(machine: Engine, *rules: BoundRule, stale: dict[str, int] | None = None) -> Engine:
    """As after a restart of the node: only what stands in the journal is left."""
    return Engine.load(json.loads(json.dumps(machine.dump())), rules, stale or {}, wall=WallClock("UTC"))


def test_who_acknowledged_and_who_was_told_survive_a_restart() -> None:
    step = BoundStep(1, "notify", 0, parties=("care", "property"))
    for parties, by in (((), ()), (("care",), ("care",))):
        held = rule(HELP, step, hold=True)
        machine = engine(held)
        told(machine, Reading("help.button", True, 1), Acknowledge("rule", 1), to=1)
        told(machine, Heard("help", 2), to=2)
        machine = reloaded(machine, held)
        assert machine.open_alerts()[0].told == ("care", "property")
        assert told(machine, Acknowledge("rule", 3, parties), to=3)[0] == (3, "acknowledged")
        if not parties:
            continue
        machine = reloaded(machine, held)
        (alert,) = machine.open_alerts()
        assert (alert.by, alert.acknowledged) == (by, False)


def test_an_alert_acknowledged_by_all_is_so_after_a_restart() -> None:
    lasting = rule(DOOR, BoundStep(1, "notify", MIN, parties=("care",)))
    machine = engine(lasting)
    told(machine, door(0), Acknowledge("rule", 5), to=5)
    machine = reloaded(machine, lasting)
    assert machine.open_alerts()[0].acknowledged
    assert told(machine, to=HOUR) == []


def test_only_the_first_acknowledgement_of_a_party_is_told() -> None:
    machine = engine(rule(DOOR))
    acks = [Acknowledge("rule", at, parties) for at, parties in ((5, ("care",)), (6, ("care",)), (7, ()))]
    assert told(machine, door(0), *acks, to=9) == [(0, "raised"), (5, "acknowledged")]
    machine = engine(rule(DOOR))
    acks = [Acknowledge("rule", at, parties) for at, parties in ((5, ()), (6, ()), (7, ("care",)))]
    assert told(machine, door(0), *acks, to=9) == [(0, "raised"), (5, "acknowledged")]


def test_a_lapse_forgets_which_party_acknowledged() -> None:
    machine = engine(rule(DOOR, BoundStep(1, "notify", MIN, parties=("care",)), again_ms=HOUR))
    said = told(machine, door(0), Acknowledge("rule", 5, ("care",)), to=2 * HOUR)
    assert said == [
        (0, "raised"),
        (5, "acknowledged"),
        (HOUR + 5, "lapsed"),
        (HOUR + 5 + MIN, "step", 1),
    ]


def test_the_time_of_a_lapse_runs_from_the_first_acknowledgement() -> None:
    both = rule(DOOR, BoundStep(1, "notify", 0, parties=("care", "property")), again_ms=HOUR)
    machine = engine(both)
    acks = Acknowledge("rule", 5, ("care",)), Acknowledge("rule", MIN, ("property",))
    assert told(machine, door(0), *acks, to=HOUR + 5)[-2:] == [(HOUR + 5, "lapsed"), (HOUR + 5, "step", 1)]


def test_a_rule_without_notify_steps_was_told_to_its_parties_and_one_with_them_not_yet() -> None:
    machine = engine(rule(DOOR, BoundStep(1, "say", 0)), rule(DOOR, BoundStep(1, "notify", MIN), name="late"))
    told(machine, door(0), to=0)
    assert [alert.told for alert in machine.open_alerts()] == [("care",), ()]


def test_runs_are_counted_and_the_step_at_the_end_is_the_first_of_its_own() -> None:
    machine = engine(rule(DOOR, BoundStep(1, "say", 0, MIN, 3), BoundStep(2, "say", None)))
    for event in (door(0), NodeDown(90 * SEC), NodeUp(5 * MIN), door(6 * MIN, False)):
        machine.feed(event)
    runs = [(t.at, t.step, t.run) for t in machine.advance(HOUR) if t.step]
    assert runs == [(0, 1, 1), (MIN, 1, 2), (5 * MIN, 1, 3), (6 * MIN, 2, 1)]


def test_an_unchanged_rule_keeps_its_open_alert_over_a_reload_and_a_changed_one_says_goodbye() -> None:
    kept, gone = rule(DOOR, name="kept"), rule(DOOR, BoundStep(1, "light", None), name="gone")
    machine = engine(kept, gone)
    told(machine, door(0), to=0)
    changes = machine.reload([kept, rule(HELP, name="gone")], {}, 10)
    assert [(t.at, t.rule, t.event.value, t.reason) for t in changes] == [
        (10, "gone", "resolved", "rule changed"),
        (10, "gone", "step", ""),
    ]
    assert [alert.alert for alert in machine.open_alerts()] == ["kept:0"]


def test_a_reload_first_tells_what_was_due_before_it_and_no_instant_twice() -> None:
    machine = engine(rule(For(DOOR, MIN)))
    told(machine, door(0), to=1)
    assert [t.at for t in machine.reload([rule(For(DOOR, MIN))], {}, 2 * MIN)] == [MIN]
    assert machine.now == 2 * MIN - 1
    machine.advance(2 * MIN)
    machine.reload([rule(For(DOOR, MIN))], {}, MIN)
    assert machine.now == 2 * MIN


def test_a_fault_of_a_changed_rule_is_over_with_the_reason() -> None:
    machine = engine(rule(DOOR, grace_ms=0))
    (fault,) = machine.advance(5)
    (over,) = machine.reload([rule(Not(DOOR))], {}, 10)
    assert (over.alert, over.event.value, over.reason) == (fault.alert, "recovered", "rule changed")


def test_the_modes_of_a_reload_count() -> None:
    machine = engine(rule(ModeIs("away")))
    machine.reload([rule(ModeIs("away"))], {}, 5, modes={"away": Mode("away", MIN)})
    assert told(machine, ModeSet("away", 10), to=HOUR) == [(10, "raised"), (10 + MIN, "resolved")]
    machine.reload([rule(ModeIs("away"))], {}, HOUR + 5)
    assert told(machine, ModeSet("away", 2 * HOUR), to=3 * HOUR)[1] == (2 * HOUR + MIN, "resolved")


def test_what_a_rule_that_is_gone_had_open_is_closed_as_soon_as_the_node_is_up() -> None:
    both = rule(DOOR, name="open"), rule(HELP, name="blind", grace_ms=0)
    machine = engine(*both)
    told(machine, door(0), NodeDown(10), to=10)
    machine = reloaded(machine)
    assert machine.next_deadline() is None
    machine.feed(door(15))
    assert machine.advance(19) == []
    machine.feed(NodeUp(20))
    machine.feed(Heard("help", 20))
    changes = machine.advance(20)
    assert [(t.at, t.alert, t.event.value, t.reason) for t in changes] == [
        (20, "open:0", "resolved", "rule changed"),
        (20, "blind:blind:0", "recovered", "rule changed"),
    ]
    assert told(machine, door(30), to=40) == []


def test_what_is_heard_at_the_instant_of_the_closing_counts() -> None:
    machine = engine(rule(DOOR, name="gone"))
    told(machine, door(0), to=5)
    machine = reloaded(machine, rule(Not(DOOR)))
    assert told(machine, door(6, False), to=6) == [(6, "resolved"), (6, "raised")]


def test_a_new_rule_looks_back_through_a_downtime_as_its_bridge_has_it() -> None:
    for bridge_ms, raised in ((5 * MIN, [(20 * MIN, "raised")]), (5 * MIN - 1, [])):
        machine = engine(rule(HELP, name="other"))
        told(machine, door(0), NodeDown(MIN), NodeUp(6 * MIN), to=7 * MIN)
        new = rule(For(DOOR, 20 * MIN), bridge_ms=bridge_ms)
        history: list[Event] = [door(0)]
        for given in (None, history):
            copy = reloaded(machine, rule(HELP, name="other"))
            copy.reload([new], {}, 8 * MIN, history=given)
            assert told(copy, to=HOUR) == raised


def test_a_new_rule_knows_of_a_downtime_that_began_with_the_first_reading() -> None:
    machine = engine(rule(HELP, name="other"))
    told(machine, door(0), NodeDown(0), NodeUp(20 * MIN), to=21 * MIN)
    machine.reload([rule(DOOR)], {}, 22 * MIN)
    assert told(machine, to=HOUR) == []


def test_a_new_rule_knows_only_as_much_of_the_past_as_it_is_given() -> None:
    new = rule(Count("door.contact", HOUR, ">=", 2), clear=HELP)
    for history, truth in (
        ([door(0, False), door(5), door(10, False), door(15)], "TRUE"),
        ([], "UNKNOWN"),
        (None, "UNKNOWN"),
    ):
        machine = engine(rule(HELP, name="other"))
        told(machine, door(0, False), door(5), door(10, False), door(15), to=20)
        machine.reload([new], {}, 30, history=history)
        machine.advance(30)
        assert machine.verdicts()["rule"].truth == truth


def test_events_fed_out_of_order_apply_in_theirs() -> None:
    machine = engine(rule(DOOR))
    assert told(machine, door(10), door(5, False), door(10, False), door(7), to=20) == [
        (7, "raised"),
        (10, "resolved"),
    ]


def test_a_mode_that_ends_at_the_instant_of_a_downtime_does_not_hold_at_it() -> None:
    lately = Within(And((ModeIs("away"), DOOR)), 10 * MIN)
    machine = engine(rule(lately))
    events = door(0, False), ModeSet("away", 0, MIN), door(MIN), NodeDown(MIN), NodeUp(2 * MIN)
    assert told(machine, *events, to=HOUR) == []


def test_a_deadline_at_the_instant_of_up_is_told_once() -> None:
    machine = engine(rule(For(DOOR, 5 * MIN), BoundStep(1, "say", 0)))
    assert told(machine, door(0), NodeDown(MIN), NodeUp(5 * MIN), to=HOUR) == [
        (5 * MIN, "raised"),
        (5 * MIN, "step", 1),
    ]


def test_a_shorter_limit_makes_stale_at_once_and_a_longer_one_puts_it_off() -> None:
    machine = engine(rule(DOOR, grace_ms=0), stale={"door": 4 * HOUR})
    told(machine, door(0, False), to=2 * HOUR)
    assert told(machine, StaleAfter("door", 2 * HOUR + 5, HOUR), to=3 * HOUR) == [(2 * HOUR + 5, "fault")]
    machine = engine(rule(DOOR, grace_ms=0), stale={"door": HOUR})
    said = told(machine, door(0, False), StaleAfter("door", 5, 4 * HOUR), to=5 * HOUR)
    assert said == [(4 * HOUR, "fault")]
    machine = engine(rule(DOOR, grace_ms=0), stale={"door": HOUR})
    assert told(machine, door(0, False), StaleAfter("door", 5, -1), to=5 * HOUR) == []


def test_a_clock_that_is_moved_changes_what_time_it_is_at_once() -> None:
    machine = engine(rule(Between(60, 120)))
    assert told(machine, ClockSet(MIN, offset_ms=HOUR), to=3 * HOUR) == [
        (MIN, "raised"),
        (HOUR, "resolved"),
    ]


def test_a_reading_at_the_instant_just_evaluated_counts_as_of_the_next() -> None:
    machine = engine(rule(DOOR))
    told(machine, door(0, False), to=10)
    assert told(machine, door(10), to=20) == [(11, "raised")]


def test_an_alert_is_named_after_the_instant_of_its_raise() -> None:
    machine = engine(rule(For(DOOR, MIN)))
    told(machine, door(5), to=HOUR)
    assert [(alert.alert, alert.raised_at) for alert in machine.open_alerts()] == [
        (f"rule:{MIN + 5}", MIN + 5)
    ]


def test_a_new_rule_looks_back_at_a_press() -> None:
    machine = engine(rule(DOOR, name="other"))
    told(machine, Heard("help", 0), Reading("help.button", True, 5), Reading("help.button", False, 9), to=20)
    machine.reload([rule(Within(HELP, MIN))], {}, 30)
    assert told(machine, to=HOUR) == [(30, "raised"), (MIN + 6, "resolved")]


def test_a_count_is_known_as_soon_as_what_was_unknown_is_out_of_reach() -> None:
    machine = engine(rule(Count("door.contact", MIN, "==", 1)))
    said = told(machine, door(10, False), door(20), to=HOUR)
    assert said == [(MIN + 10, "raised"), (MIN + 21, "resolved")]


def test_a_state_written_by_the_first_version_goes_on_as_if_nothing_had_happened() -> None:
    modes = {"away": Mode("away", 3_600_000)}
    limits_ms = {"eye": 3_600_000}
    whole = Engine(engine_state.rules(), limits_ms, start=0, modes=modes, wall=WallClock("Europe/Stockholm"))
    for event in engine_state.first():
        whole.feed(event)
    whole.advance(engine_state.first()[-1].at)
    data = json.loads((Path(__file__).parent / "engine_state_1.json").read_text())
    again = Engine.load(
        data, engine_state.rules(), limits_ms, modes=modes, wall=WallClock("Europe/Stockholm")
    )
    for event in engine_state.rest():
        whole.feed(event)
        again.feed(event)
    told = again.advance(3 * 3_600_000)
    assert {change.rule for change in told} == {rule.name for rule in engine_state.rules()}
    assert told == whole.advance(3 * 3_600_000)


@pytest.mark.parametrize(
    ("op", "few", "enough", "many"),
    [
        (">=", UNKNOWN, TRUE, TRUE), ("<", UNKNOWN, FALSE, FALSE), (">", UNKNOWN, UNKNOWN, TRUE),
        ("<=", UNKNOWN, UNKNOWN, FALSE), ("==", UNKNOWN, UNKNOWN, FALSE), ("!=", UNKNOWN, UNKNOWN, TRUE),
    ],
)  # fmt: skip
def test_a_count_with_a_gap_in_it_is_only_known_to_be_at_least_so_much(
    op: str, few: int, enough: int, many: int
) -> None:
    machine = engine(rule(Count("help.button", HOUR, op, 2)))
    machine.feed(Reading("help.button", False, 1))
    for number, truth in ((1, few), (2, enough), (3, many)):
        machine.feed(Reading("help.button", True, number * MIN))
        machine.advance(number * MIN + 1)
        assert machine.verdicts()["rule"].truth == WORDS[truth], f"{number} {op} 2"


def test_a_new_rule_knows_that_a_button_says_fault() -> None:
    machine = engine(rule(DOOR))
    told(machine, Reading("help.button", True, 1), Reading("help.button", None, 2), to=MIN)
    machine.reload([rule(HELP, grace_ms=MIN)], {}, MIN)
    assert told(machine, to=HOUR) == [(2 * MIN + 1, "fault")]


def test_the_last_thing_said_is_known() -> None:
    says = (
        BoundStep(1, "say", 0, 5 * MIN, 3, text={"en": "again and again"}),
        BoundStep(2, "say", 7 * MIN, text={"en": "once"}),
    )
    machine = engine(rule(DOOR, *says))
    machine.feed(door(0))
    for at, said in (
        (0, "again and again"),
        (6 * MIN, "again and again"),
        (8 * MIN, "once"),
        (11 * MIN, "again and again"),
    ):
        machine.advance(at)
        assert machine.open_alerts()[0].said == {"en": said}


def test_what_ends_at_the_instant_of_up_and_begins_anew_at_it_has_not_ended() -> None:
    machine = engine(rule(For(Within(DOOR, 5 * MIN), 10 * MIN)))
    open_and_shut = (door(0), door(MIN, False))
    again = (NodeDown(5 * MIN), NodeUp(6 * MIN), door(6 * MIN))
    assert told(machine, *open_and_shut, *again, to=HOUR) == [(10 * MIN, "raised")]


def test_a_new_limit_is_put_off_by_what_is_heard_after_it() -> None:
    machine = engine(rule(HasQuality("door.contact", "stale")), stale={"door": HOUR})
    limit = StaleAfter("door", MIN, 10 * MIN)
    assert told(machine, door(0), limit, door(8 * MIN), to=HOUR) == [(18 * MIN, "raised")]


def test_a_new_rule_knows_of_a_button_that_its_device_was_heard_though_nobody_pressed_it() -> None:
    machine = engine(rule(DOOR))
    told(machine, Heard("help", SEC), to=HOUR)
    machine = reloaded(machine, rule(Not(Within(HELP, MIN)), name="new"))
    assert told(machine, to=HOUR + 1) == [(HOUR + 1, "raised")]


def test_turns_that_two_rules_count_are_remembered_once() -> None:
    twice = Count("door.contact", HOUR, ">=", 2)
    both = rule(twice), rule(twice, name="other")
    machine = engine(*both)
    told(machine, door(0, False), door(SEC), to=MIN)
    machine = reloaded(machine, *both)
    assert told(machine, door(2 * MIN, False), to=3 * MIN) == []
    assert told(machine, door(4 * MIN), to=4 * MIN) == [(4 * MIN, "raised"), (4 * MIN, "raised")]


def test_an_acknowledgement_that_waits_for_its_instant_keeps_its_parties_over_a_restart() -> None:
    machine = engine(rule(DOOR))
    machine.feed(Acknowledge("rule", MIN, ("care",)))
    told(machine, door(0), to=SEC)
    machine = reloaded(machine, *machine.rules)
    assert [(change.at, change.parties) for change in machine.advance(HOUR)] == [(MIN, ("care",))]
