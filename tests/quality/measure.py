"""One home, all its rules: alarms and what the annotation says of them, and hazards found or missed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from homenode.config.model import RuleUse
from homenode.language.bound import BoundRule
from homenode.reading import Instant
from tests.quality.commissioning import unfit
from tests.quality.confirmed import is_confirmed
from tests.quality.hazards import HAZARDS, Injected, draw
from tests.quality.laid_over import attended, whole_days
from tests.quality.measuring import Alarm, alarms, transitions
from tests.quality.recorded import RecordedHome
from tests.quality.spans import Spans
from tests.quality.tuning import Tuned, tune

WEEK_MS = 7 * 86_400_000
PLUGS = {"stove": "stove", "iron": "iron", "kettle": "kettle", "coffee": "coffeemaker"}
"""Device of the homes' files to the appliance whose recorded days its plug lives."""


@dataclass(slots=True)
class Found:
    """What a rule made of the hazards put in.

    Attributes:
        injected, found, exact: How many; raised at all by then; raised at the very millisecond it was due.
        delays_ms: From its beginning to the raise.
        missed: Those that weren't raised when due, and when the rule raised instead.
    """

    injected: int = 0
    found: int = 0
    exact: int = 0
    delays_ms: list[int] = field(default_factory=list)
    missed: list[tuple[Injected, list[Instant]]] = field(default_factory=list)


@dataclass(slots=True)
class RuleQuality:
    """One use of a rule in one home.

    Attributes:
        alarms: On the recording, with a hob on through each annotated cooking.
        confirmed: Those of them that the annotation says were right.
        laid_over: Alarms on the recording with appliances living their own days; None if it reads no power.
        laid_over_confirmed: Those of them that were right.
        hazards: None if none is known for this rule.
    """

    rule: str
    use: str
    severity: str
    alarms: list[Alarm]
    confirmed: list[Alarm]
    laid_over: list[Alarm] | None = None
    laid_over_confirmed: list[Alarm] = field(default_factory=list)
    hazards: Found | None = None

    @property
    def false(self) -> list[Alarm]:
        """Told to a party, and not confirmed."""
        return [alarm for alarm in self.alarms if alarm.told and alarm not in self.confirmed]

    @property
    def aside(self) -> list[Alarm]:
        """Said at home at most, ended before any party was told, and not confirmed."""
        return [alarm for alarm in self.alarms if not alarm.told and alarm not in self.confirmed]


@dataclass(slots=True)
class HomeQuality:
    """All rules of one home.

    Attributes:
        weeks: That its node was up.
        cooked: Annotated cookings with a hob on.
        unbound: Use to why the installer took it away after the first days.
        unchecked_per_week: False alarms with everything bound that the installer took away, too.
        tuned: On the first half, and measured on the second.
        during_cooking: Alarms of rules that read the hob's power during those.
    """

    home: str
    weeks: float
    rules: list[RuleQuality]
    cooked: int = 0
    unbound: dict[str, str] = field(default_factory=dict)
    during_cooking: list[Alarm] = field(default_factory=list)
    unchecked_per_week: float = 0.0
    tuned: Tuned = field(default_factory=Tuned)

    @property
    def false_per_week(self) -> float:
        """False alarms of all rules that aren't info, together."""
        return sum(len(rule.false) for rule in self.rules if rule.severity != "info") / self.weeks


def measure(home: RecordedHome, times: int, seed: int, rules: Sequence[BoundRule] = ()) -> HomeQuality:
    """Everything of one home.

    Args:
        home: The home.
        times: Hazards for each rule.
        seed: Of their times, and of which recorded use of a hob is laid over which cooking.
        rules: In place of the home's own (the same uses with other settings).
    """
    rng = random.Random(f"{seed} {home.name}")
    uses = {use.name: use for use in home.home.rules}
    why_not = {rule.name: unfit(home, rule, uses[rule.name]) for rule in home.rules}
    bound = tuple(rule for rule in rules or home.rules if not why_not[rule.name])
    stoves = [point for point in home.added if point.startswith("stove.")]
    readings, cooked = attended(home, stoves[0], rng) if stoves else (home.readings, 0)
    raised = alarms(transitions(home, home.events(readings), home.end, bound), bound)
    result = HomeQuality(home.name, home.up_ms / WEEK_MS, [], cooked)
    result.tuned = tune(home, bound)
    everything = tuple(rule for rule in rules or home.rules if rule.severity != "info")
    all_raised = alarms(transitions(home, home.events(readings), home.end, everything), everything)
    wrong = [a for a in all_raised if a.told and not is_confirmed(_file(uses, a), home.annotation, a)]
    result.unchecked_per_week = len(wrong) / result.weeks
    result.unbound = {name: why for name, why in why_not.items() if why}
    plugs = {f"{name}.power": what for name, what in PLUGS.items() if f"{name}.power" in home.added}
    lived = whole_days(home, plugs)
    over = alarms(transitions(home, home.events(lived), home.end, bound), bound)
    for rule in bound:
        file = uses[rule.name].file.stem
        own = [alarm for alarm in raised if alarm.rule == rule.name]
        quality = RuleQuality(
            file, rule.name, rule.severity, own, [a for a in own if is_confirmed(file, home.annotation, a)]
        )
        if set(rule.points) & set(plugs):
            quality.laid_over = [alarm for alarm in over if alarm.rule == rule.name]
            quality.laid_over_confirmed = [
                a for a in quality.laid_over if is_confirmed(file, home.annotation, a)
            ]
        if set(rule.points) & set(stoves):
            result.during_cooking += [a for a in own if home.annotation.at("cooking", a.at, a.at)]
        if file in HAZARDS:
            busy = [(alarm.at, home.end if alarm.end is None else alarm.end) for alarm in own]
            quality.hazards = _hazards(home, rule, uses[rule.name], times, rng, busy)
        result.rules.append(quality)
    return result


def _file(uses: dict[str, RuleUse], alarm: Alarm) -> str:
    return uses[alarm.rule].file.stem


def _hazards(
    home: RecordedHome, rule: BoundRule, use: RuleUse, times: int, rng: random.Random, busy: Spans
) -> Found:
    found = Found()
    for hazard in draw(home, use, times, rng, busy):
        found.injected += 1
        changes = transitions(home, hazard.events(), hazard.end, (rule,))
        raised = [alarm.at for alarm in alarms(changes, (rule,))]
        if hazard.due in raised:
            found.exact += 1
        else:
            found.missed.append((hazard, raised))
        if later := [at for at in raised if at >= hazard.at]:
            found.found += 1
            found.delays_ms.append(later[0] - hazard.at)
    return found
