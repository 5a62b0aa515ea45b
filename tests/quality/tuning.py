"""What a technician gains who tunes a home on its first half, measured on its second.

Only how long something may go on is tuned, and to twice the default at most: more is a care planner's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from homenode.config.durations import milliseconds, words
from homenode.errors import FileMistakes
from homenode.language.bound import BoundRule
from homenode.language.checking import check_rules
from tests.quality.confirmed import is_confirmed
from tests.quality.hazards import number
from tests.quality.measuring import alarms, transitions
from tests.quality.recorded import RecordedHome

PATIENCE = {
    "burner_left_on": "alone",
    "burner_left_on_by_use": "alone",
    "cooker_left_on": "alone",
    "door_left_open": "open",
    "door_open_at_night": "open",
    "fridge_left_open": "wait",
    "long_in_bathroom": "long",
    "no_sign_of_life": "long",
    "no_sign_of_life_door": "out",
    "out_at_night": "back",
    "out_at_night_bed": "back",
    "out_of_bed_at_night": "out",
    "out_of_bed_at_night_mat": "out",
    "stove_left_on": "alone",
    "stove_left_on_by_use": "alone",
    "stove_on_and_gone": "quiet",
}
"""Rule file to the parameter by which it waits longer."""

FACTORS = (1, 1.25, 1.5, 2)


@dataclass(slots=True)
class Tuned:
    """What was chosen on the first half, and what is left.

    Attributes:
        chosen: Use to its setting, such as ``out: 45 min``.
        before, after: Told false alarms on the second half, with defaults and tuned.
        weeks: That the node was up in the second half.
    """

    chosen: dict[str, str] = field(default_factory=dict)
    before: int = 0
    after: int = 0
    weeks: float = 0.0


def tune(home: RecordedHome, rules: tuple[BoundRule, ...]) -> Tuned:
    """Chooses for each rule that isn't info the shortest wait with fewest false alarms on the first half."""
    middle = (home.start + home.end) // 2
    halves = {factor: _false(home, _patient(home, rules, factor), middle) for factor in FACTORS}
    result = Tuned(weeks=(home.end - middle) / (7 * 86_400_000))
    for down, up in home.outages:
        result.weeks -= max(0, up - max(down, middle)) / (7 * 86_400_000)
    uses = {use.name: use for use in home.home.rules}
    for rule in rules:
        if rule.severity == "info":
            continue
        _, factor = min((halves[each][0][rule.name], each) for each in FACTORS)
        if factor != 1:
            parameter = PATIENCE[uses[rule.name].file.stem]
            wait_ms = milliseconds(number(uses[rule.name], parameter))
            result.chosen[rule.name] = f"{parameter}: {words(int(wait_ms * factor))}"
        result.before += halves[1][1][rule.name]
        result.after += halves[factor][1][rule.name]
    return result


def _patient(home: RecordedHome, rules: tuple[BoundRule, ...], factor: float) -> tuple[BoundRule, ...]:
    """The same rules with so much longer waits, where their file allows that."""
    names = {rule.name for rule in rules}
    patient = []
    for use in home.home.rules:
        if use.name not in names:
            continue
        parameter = PATIENCE.get(use.file.stem)
        if parameter is None or factor == 1:
            patient.append(use)
            continue
        wait = words(int(milliseconds(number(use, parameter)) * factor))
        longer = replace(use, set={**use.set, parameter: wait})
        _, mistakes = check_rules(replace(home.home, rules=(longer,)))
        patient.append(use if mistakes else longer)
    bound, mistakes = check_rules(replace(home.home, rules=tuple(patient)))
    if mistakes:
        raise FileMistakes(mistakes)
    return bound


def _false(
    home: RecordedHome, rules: tuple[BoundRule, ...], middle: int
) -> tuple[Counter[str], Counter[str]]:
    """Told false alarms of each use on both halves."""
    files = {use.name: use.file.stem for use in home.home.rules}
    halves: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for alarm in alarms(transitions(home, home.events(), home.end, rules), rules):
        if alarm.told and not is_confirmed(files[alarm.rule], home.annotation, alarm):
            halves[alarm.at >= middle][alarm.rule] += 1
    return halves
