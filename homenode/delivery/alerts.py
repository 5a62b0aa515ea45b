"""What delivery remembers of an open alert: who was told, how, and what is still to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from homenode.kinds import kind_of
from homenode.language.bound import BoundRule, points_of
from homenode.reading import Instant

HAZARDS = frozenset({"smoke", "co", "button"})
"""Smoke, CO and the help button go out unmarked even from mode `service` (design section 4)."""

NEVER_DELAYED = HAZARDS | {"gas", "heat", "water"}
"""The resident's OK neither answers nor delays these."""

UNMARKED_MS = 120_000
"""A hazard still open so long after its raise is no test."""

NEWS_MS = 86_400_000
"""News that nobody acknowledged are old after a day."""

ANSWER_DELAYS_MS = 300_000
"""How long the resident's OK holds an alarm back, once: until somebody was told of it."""


@dataclass(slots=True)
class OpenAlert:
    """One alert from raise to resolve.

    Attributes:
        to: Parties of the rule: they see its evidence.
        hazard: Reads smoke, CO or a button.
        delayable: The resident may answer it.
        told: Party to ``test`` or ``real``: how it was told last.
        since: Party to when it was first told.
        acknowledged: Party to who took care of it.
        answered: When the resident pressed OK; None if not.
        held: Notifications that the resident's OK holds back: (due, parties).
        evidence: As of the last notification (`evidence.stored`).
        messages: Party to the number of messages so far, from which the next id comes.
        wants: Output to how its steps have set it while it is open.
        news: No rule raised it (`homenode.delivery.news`).
        version: Of the rule file; 0 if no rule raised it.
        thresholds: Parameter of the rule to its text in force, such as ``20 min``.
        offers: Cameras through which a look is offered.
    """

    id: str
    rule: str
    severity: str
    raised: Instant
    room: str
    text: dict[str, str]
    to: list[str]
    hazard: bool
    delayable: bool
    told: dict[str, str] = field(default_factory=dict)
    since: dict[str, Instant] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    answered: Instant | None = None
    held: list[tuple[Instant, list[str]]] = field(default_factory=list)
    evidence: list[list[Any]] = field(default_factory=list)
    messages: dict[str, int] = field(default_factory=dict)
    wants: dict[str, bool] = field(default_factory=dict)
    news: bool = False
    version: int = 0
    thresholds: dict[str, str] = field(default_factory=dict)
    offers: list[str] = field(default_factory=list)

    @property
    def may_answer(self) -> bool:
        """Whether the resident's OK would do something."""
        return self.delayable and self.answered is None and not self.told and not self.acknowledged

    def due(self) -> Instant | None:
        """When something is to be told without anything happening."""
        dues = [due for due, _ in self.held]
        if self.hazard and "test" in self.told.values():
            dues.append(self.raised + UNMARKED_MS)
        if self.news:
            dues.append(self.raised + NEWS_MS)
        return min(dues, default=None)

    def acknowledged_by(self, viewer: str) -> list[str]:
        """Who took care of it: of one's own party the person, of another only the party."""
        return sorted({name if party == viewer else party for party, name in self.acknowledged.items()})

    def dump(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


def opened(rule: BoundRule, alert: str, at: Instant, rooms: Mapping[str, str]) -> OpenAlert:
    """A new alert of a rule. Its room is that of the first point of `when` that has one."""
    points = [p for p in (*_in_order(rule), *rule.points)]
    room = next((rooms[d] for p in points if (d := p.rpartition(".")[0]) in rooms), "")
    kinds = {kind.name for point in points_of(rule.when) if (kind := kind_of(point))}
    return OpenAlert(
        alert,
        rule.name,
        rule.severity,
        at,
        room,
        dict(rule.says) or dict.fromkeys(("sv", "en"), rule.name),  # a receiver must have something to show
        [party for party in rule.to if party != "operator"],
        bool(kinds & HAZARDS),
        not kinds & NEVER_DELAYED,
        version=rule.version,
        thresholds={name: str(text) for name, text in rule.parameters.items()},
    )


def _in_order(rule: BoundRule) -> Sequence[str]:
    """The points bound to the rule's roles, as the file lists them, that `when` reads."""
    read = set(points_of(rule.when))
    return [point for points in rule.roles.values() for point in points if point in read]


def restored(state: Mapping[str, Any]) -> OpenAlert:
    """What `OpenAlert.dump` gave."""
    held = [(int(due), list(parties)) for due, parties in state["held"]]
    return OpenAlert(**{**state, "held": held})
