"""What people are shown of the engine: verdicts, open alerts, and when a rule would fire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from homenode.engine.truth import TRUE, WORDS
from homenode.reading import Instant

if TYPE_CHECKING:
    from homenode.engine.engine import Engine

LOOK_AHEAD_MS = 7 * 86_400_000
"""A week: longer deadlines are not worth showing."""

LOOKS = 64
"""Deadlines that are tried ahead; shipped rules need at most ten."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule thinks.

    Attributes:
        truth: ``TRUE``, ``FALSE`` or ``UNKNOWN``.
        true_at: Instant at which `when` becomes TRUE if nothing changes and no sensor falls silent; None
            if it doesn't (or not within a week); the present instant if it is TRUE.
        blind: Points (or ``clock``) that keep it from knowing; empty unless it is blind.
    """

    truth: str
    true_at: Instant | None
    blind: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An open alert or fault.

    Attributes:
        alert: Its ID.
        raised_at: Instant; of a fault that of the raise as well.
        acknowledged: By everybody it was sent to.
        by: Parties that acknowledged.
        told: Parties that were notified.
        because: Of a fault: what blinds the rule now; empty for an alert.
        fault: Whether it is one.
        said: What was last said of it at home, by language; {} if nothing yet.
    """

    alert: str
    rule: str
    severity: str
    raised_at: Instant
    acknowledged: bool = False
    by: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    fault: bool = False
    said: Mapping[str, str] = field(default_factory=dict)


def open_alerts(engine: Engine) -> list[OpenAlert]:
    """Open alerts and faults, in the order of the rules."""
    found = []
    for state in engine.states:
        rule = state.rule
        if (alert := state.alert) is not None:
            by, told = tuple(sorted(alert.by)), tuple(sorted(alert.told))
            found.append(
                OpenAlert(
                    alert.id,
                    rule.name,
                    rule.severity,
                    alert.raised_at,
                    alert.acknowledged,
                    by,
                    told,
                    said=state.last_said(alert),
                )
            )
        if state.fault:
            since = int(state.fault.rpartition(":")[2])
            found.append(
                OpenAlert(state.fault, rule.name, "warning", since, because=state.bad_points(), fault=True)
            )
    return found


def verdicts(engine: Engine) -> dict[str, Verdict]:
    """Every rule's verdict."""
    return {
        state.rule.name: Verdict(
            WORDS[state.when.value],
            engine.now if state.when.value == TRUE else _true_at(engine, state.rule.name),
            state.bad_points() if state.is_blind() else (),
        )
        for state in engine.states
    }


def _true_at(engine: Engine, rule: str) -> Instant | None:
    """Let a copy of one rule run ahead, with sensors that keep saying what they say."""
    if engine.down_at is not None:
        return None
    copy = engine.alone(rule)
    state = copy.states[0]
    for _ in range(LOOKS):
        at = copy.next_deadline()
        if at is None or at > engine.now + LOOK_AHEAD_MS:
            return None
        copy.advance(at)
        if state.when.value == TRUE:
            return at
    return None
