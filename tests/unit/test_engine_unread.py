"""What can't decide is not followed, and is right from the instant at which it can."""

from __future__ import annotations

import pytest

from homenode.engine import Engine
from homenode.engine.atoms import ChangesNode
from homenode.engine.events import ModeSet
from homenode.engine.rule import RuleState
from homenode.language.bound import (
    And,
    Between,
    Changes,
    Compare,
    Count,
    Expr,
    For,
    HasQuality,
    ModeIs,
    Not,
    Or,
    Since,
    Within,
)
from homenode.reading import Instant, Reading
from tests.unit.test_engine import DOOR, HELP, SEC, door, engine, rule, told

STIRS = Changes("eye.motion")
LONG_OPEN = For(DOOR, 5 * SEC)


def eye(at: Instant, value: bool | None) -> Reading:
    return Reading("eye.motion", value, at)


def test_what_is_behind_a_gate_counts_at_the_very_instant_the_gate_opens() -> None:
    machine = engine(rule(And((STIRS, LONG_OPEN))))
    events = eye(0, False), door(0), eye(SEC, True), eye(5 * SEC, False)
    assert told(machine, *events, to=9 * SEC) == [(5 * SEC, "raised"), (5 * SEC + 1, "resolved")]


def test_what_happened_behind_a_shut_gate_is_over_when_it_opens() -> None:
    machine = engine(rule(And((STIRS, LONG_OPEN))))
    events = eye(0, False), door(0), eye(5 * SEC - 1, True)
    assert told(machine, *events, to=9 * SEC) == []
    assert told(machine, door(10 * SEC, False), door(20 * SEC), eye(26 * SEC, False), to=30 * SEC) == [
        (26 * SEC, "raised"),
        (26 * SEC + 1, "resolved"),
    ]


def test_a_press_is_looked_at_again_once_the_gate_is_open() -> None:
    machine = engine(rule(And((HELP, LONG_OPEN))))
    press = [Reading("help.button", True, at) for at in (4999, 5000, 7000)]
    assert told(machine, door(0), *press, to=9 * SEC) == [
        (5000, "raised"), (5001, "resolved"), (7000, "raised"), (7001, "resolved"),
    ]  # fmt: skip


def test_a_sensor_that_says_fault_behind_a_shut_gate_is_unknown_when_it_opens() -> None:
    machine = engine(rule(And((STIRS, LONG_OPEN)), grace_ms=0))
    events = eye(0, False), door(0, False), door(SEC), eye(2 * SEC, None)
    assert told(machine, *events, to=9 * SEC) == [(6 * SEC, "fault")]


@pytest.mark.parametrize(
    "gate", [LONG_OPEN, Within(DOOR, 0), ModeIs("home"), Count("door.contact", SEC, ">=", 0)]
)
def test_an_expression_may_stand_twice_in_a_conjunction(gate: Expr) -> None:
    clear = And((gate, gate, Not(DOOR), Not(DOOR)))
    machine = engine(rule(And((gate, gate, DOOR, DOOR)), clear=Or((clear, clear, Not(DOOR)))))
    for nth in range(3):
        at = nth * 60 * SEC
        said = told(machine, door(at), door(at + 20 * SEC, False), to=at + 59 * SEC)
        assert [what for _, what in said] == ["raised", "resolved"]


def test_what_would_end_an_alert_is_right_from_its_raise_on() -> None:
    machine = engine(rule(LONG_OPEN, clear=And((Not(DOOR), Not(HasQuality("eye.motion", "unknown"))))))
    assert told(machine, door(0), eye(SEC, True), door(6 * SEC, False), to=6 * SEC)[-1] == (
        6 * SEC,
        "resolved",
    )
    assert told(machine, eye(7 * SEC, None), door(8 * SEC), to=20 * SEC) == [(13 * SEC, "raised")]
    assert told(machine, door(21 * SEC, False), eye(25 * SEC, True), to=30 * SEC) == [(25 * SEC, "resolved")]


def test_a_press_at_the_instant_of_the_raise_is_over_at_the_next() -> None:
    machine = engine(rule(DOOR, clear=And((Not(HELP), Not(DOOR)))))
    press = Reading("help.button", True, 5)
    assert told(machine, door(0, False), press, door(5), door(6, False), to=9) == [
        (5, "raised"),
        (6, "resolved"),
    ]


SHUT = [
    LONG_OPEN,
    Within(DOOR, SEC),
    Since(DOOR, DOOR),
    Count("door.contact", 60 * SEC, ">=", 1),
    Between(120, 180),
    ModeIs("away"),
]


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Instant]:
    """Instants at which a change was looked for."""
    instants: list[Instant] = []
    look = ChangesNode.settle

    def settle(node: ChangesNode, at: Instant) -> int:
        instants.append(at)
        return look(node, at)

    monkeypatch.setattr(ChangesNode, "settle", settle)
    return instants


def stirred(machine: Engine, at: Instant, looks: list[Instant]) -> bool:
    """Whether a hundred changes are looked for."""
    looks.clear()
    told(machine, *(eye(at + 2 * nth, nth % 2 == 0) for nth in range(100)), to=at + 300)
    return bool(looks)


@pytest.mark.parametrize("gate", SHUT)
def test_what_is_behind_a_shut_gate_costs_nothing(gate: Expr, looks: list[Instant]) -> None:
    machine = engine(rule(And((STIRS, gate))))
    told(machine, door(0, False), eye(0, False), to=70 * SEC)
    assert not stirred(machine, 80 * SEC, looks)


def test_what_would_end_an_alert_costs_nothing_while_there_is_none(looks: list[Instant]) -> None:
    clear = And((Not(DOOR), Not(STIRS)))
    machine = engine(rule(DOOR, clear=clear), rule(LONG_OPEN, clear=clear, name="long"))
    told(machine, door(0, False), eye(0, False), to=SEC)
    for at in (10 * SEC, 100 * SEC):
        assert not stirred(machine, at, looks)
        told(machine, door(at + SEC), to=at + SEC)
        assert stirred(machine, at + 2 * SEC, looks)
        told(machine, to=at + 8 * SEC)
        assert stirred(machine, at + 9 * SEC, looks)
        assert len(told(machine, door(at + 20 * SEC, False), to=at + 30 * SEC)) == 2


def test_a_gate_that_was_shut_when_the_alert_ended_opens_for_nobody(looks: list[Instant]) -> None:
    machine = engine(rule(DOOR, clear=Or((And((ModeIs("away"), STIRS)), Not(DOOR)))))
    said = told(machine, eye(0, False), door(0), door(SEC, False), ModeSet("away", 2 * SEC), to=3 * SEC)
    assert said == [(0, "raised"), (SEC, "resolved")]
    assert not stirred(machine, 4 * SEC, looks)


def test_a_rule_is_not_judged_for_what_would_end_its_last_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = engine(rule(LONG_OPEN, clear=Compare("eye.motion", "==", True)))
    told(machine, eye(0, False), door(0), door(6 * SEC, False), eye(7 * SEC, True), to=8 * SEC)
    judged: list[Instant] = []
    monkeypatch.setattr(RuleState, "judge", lambda state, at, acks=(): judged.append(at) or [])
    stirred(machine, 10 * SEC, [])
    assert judged == []


def test_conditions_that_compare_are_followed_only_where_they_turn() -> None:
    hot = [rule(Compare("stove.power", ">", watt), name=f"above {watt}") for watt in range(10, 1000, 10)]
    machine = engine(*hot)
    assert len(told(machine, Reading("stove.power", 0, 0), Reading("stove.power", 55, SEC), to=2 * SEC)) == 5
