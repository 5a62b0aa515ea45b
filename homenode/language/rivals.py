"""A point that two want different things of: two rules that switch it, or a rule and the resident (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

from homenode.config.model import Home, RuleUse
from homenode.errors import Mistake
from homenode.kinds import kind_of
from homenode.language.bound import BoundRule, BoundStep, points_of


def rivals(home: Home, rules: Sequence[BoundRule]) -> list[Mistake]:
    """A warning for each two uses and each point that one turns on and the other off.

    What a rule sets back at its resolve waits for the other (`homenode.delivery`).
    """
    switching: dict[str, dict[str, list[BoundStep]]] = defaultdict(lambda: defaultdict(list))
    for rule in rules:
        for step in rule.steps:
            if step.point:
                switching[step.point][rule.name].append(step)
    uses = {use.name: use for use in home.rules}
    found = []
    for point, by_rule in switching.items():
        for name, steps in by_rule.items():
            found += _within(home, uses[name], point, steps)
        for (first, ours), (second, theirs) in combinations(by_rule.items(), 2):
            pair = _opposed(ours, theirs)
            if pair:
                told = f"{second} turns {_does(point, pair[1])}, and {first} turns {_does(point, pair[0])}"
                found.append(_warning(home, uses[second], point, told))
    return found


def _within(home: Home, use: RuleUse, point: str, steps: Sequence[BoundStep]) -> list[Mistake]:
    """Two steps of one rule at one instant, under two roles that are bound to one point."""
    return [
        _warning(home, use, point, f"step {b.number} turns {_does(point, b)}, step {a.number} the other way")
        for a, b in combinations(steps, 2)
        if a.turn is not b.turn and a.after_ms == b.after_ms and _roles(use, point) > 1
    ]


def _roles(use: RuleUse, point: str) -> int:
    return sum(point in points for points in use.bind.values())


def _opposed(ours: Sequence[BoundStep], theirs: Sequence[BoundStep]) -> tuple[BoundStep, BoundStep] | None:
    """The first steps that go against each other while both alerts are open."""
    pairs = ((a, b) for a in ours for b in theirs if a.turn is not b.turn)
    return next(((a, b) for a, b in pairs if a.after_ms is not None and b.after_ms is not None), None)


def _does(point: str, step: BoundStep) -> str:
    kind = kind_of(point)
    assert kind is not None  # binding refused other points
    word = kind.true_word if step.turn else kind.false_word
    return f"it {word}" + (" when it resolves" if step.after_ms is None else "")


def double_meanings(home: Home, rules: Sequence[BoundRule]) -> list[Mistake]:
    """A warning for each use that is raised by the button with which the resident says yes to a look."""
    ok, uses = home.resident_ok, {use.name: use for use in home.rules}
    if not ok or not any(decision.ask for decision in home.video.values()):
        return []
    told, accepted = "a press would also say yes to a look (resident.ok)", "another button for resident.ok"
    return [
        _warning(home, uses[rule.name], ok, told, accepted) for rule in rules if ok in points_of(rule.when)
    ]


def _warning(
    home: Home,
    use: RuleUse,
    point: str,
    told: str,
    accepted: str = "one rule that switches a point, or two that agree",
) -> Mistake:
    places = (place for place in use.places if place.startswith("bind.") and place.endswith(f".{point}"))
    line, column = use.places.get(next(places, ""), (use.line, use.column))
    where = f"rules.{use.name}"
    return Mistake(str(home.path), line, where, f"{point}: {told}", accepted, "", column)
