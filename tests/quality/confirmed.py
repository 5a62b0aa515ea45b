"""What it means that the hand annotation confirms an alarm: what it says was so. Silence confirms nothing.

An alarm that nothing here speaks of counts as false: nobody was hurt in these homes.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.quality.annotation import Annotation
from tests.quality.measuring import Alarm
from tests.quality.spans import MINUTE_MS

BEFORE_MS = 30 * MINUTE_MS
AROUND_MS = 10 * MINUTE_MS


def _nobody_in_kitchen(told: Annotation, alarm: Alarm) -> bool:
    return not told.at("kitchen", alarm.at - 20 * MINUTE_MS, alarm.at)


def _gone(told: Annotation, alarm: Alarm) -> bool:
    if told.at("away", alarm.at, alarm.at):
        return True
    return any(alarm.at - AROUND_MS <= each.end <= alarm.at for each in told.of("going"))


def _in_the_bathroom(told: Annotation, alarm: Alarm) -> bool:
    return any(
        each.start <= alarm.at - 40 * MINUTE_MS and each.end >= alarm.at for each in told.of("bathroom")
    )


UP = "annotated neither in bed nor out of the house in the 30 min before, and in bed in the 6 h before"


def _is_up(told: Annotation, alarm: Alarm) -> bool:
    since = alarm.at - BEFORE_MS
    up = not told.at("bed", since + 2 * MINUTE_MS, alarm.at) and not told.at("away", since, alarm.at)
    return up and told.at("bed", alarm.at - 6 * 60 * MINUTE_MS, alarm.at)


MEANS: dict[str, tuple[str, Callable[[Annotation, Alarm], bool]]] = {
    "stove_left_on": (
        "nobody is annotated in the kitchen in the 20 min before",
        _nobody_in_kitchen,
    ),
    "stove_left_on_by_use": ("as stove_left_on", _nobody_in_kitchen),
    "cooker_left_on": ("as stove_left_on", _nobody_in_kitchen),
    "burner_left_on": ("as stove_left_on", _nobody_in_kitchen),
    "burner_left_on_by_use": ("as stove_left_on", _nobody_in_kitchen),
    "stove_on_and_gone": ("annotated as out, or as having gone out in the 10 min before", _gone),
    "burner_on_and_gone": ("as stove_on_and_gone", _gone),
    "cooker_on_and_gone": ("as stove_on_and_gone", _gone),
    "out_at_night": ("annotated as out", lambda told, alarm: told.at("away", alarm.at, alarm.at)),
    "out_at_night_bed": ("annotated as out", lambda told, alarm: told.at("away", alarm.at, alarm.at)),
    "long_in_bathroom": ("annotated in the bathroom for the 40 min before", _in_the_bathroom),
    "appliance_left_on": ("the appliance's own recording says so", lambda told, alarm: True),
    "out_of_bed_at_night": (UP, _is_up),
    "out_of_bed_at_night_mat": (UP, _is_up),
    "door_open_at_night": (
        "annotated as leaving within 10 min of the opening",
        lambda told, alarm: told.at("leaving", alarm.at - 5 * MINUTE_MS - AROUND_MS, alarm.at),
    ),
}
"""By the rule file's name: in words, and as a test."""


def is_confirmed(rule: str, annotation: Annotation, alarm: Alarm) -> bool:
    """Whether the annotation says that an alarm of this rule file was right."""
    return rule in MEANS and MEANS[rule][1](annotation, alarm)
