"""What an installer sees in a home's first days, and then doesn't bind: the same for every home.

A rule that is bound against this is a false alarm by the installer's hand, and says nothing of the rule.
"""

from __future__ import annotations

from datetime import datetime

from homenode.config.model import RuleUse
from homenode.language.bound import BoundRule
from tests.quality.hazards import number
from tests.quality.recorded import RecordedHome
from tests.quality.spans import MINUTE_MS, both, clock, lasted, where

DAY_MS = 24 * 60 * MINUTE_MS
OPEN_DAYS, OPEN_MS, OPEN_TIMES = 2, 30 * MINUTE_MS, 2
"""A contact that stays open so long so often in the first days doesn't come back when the door shuts.
On the fridges of these homes: three good ones never in 327 openings, a badly glued one 20 times in 128."""
HABIT_DAYS = 7
OUT_NIGHTS = 2


def unfit(home: RecordedHome, rule: BoundRule, use: RuleUse) -> str:
    """Why the installer takes this use of a rule away again after the first days; "" if not."""
    if use.file.stem in ("door_left_open", "fridge_left_open"):
        (point,) = use.bind.get("door") or use.bind["fridge"]
        end = home.start + OPEN_DAYS * DAY_MS
        stood = lasted(where(home.readings, point, bool, end), OPEN_MS)
        if len(stood) >= OPEN_TIMES:
            return f"open for over 30 min {len(stood)} times in the first {OPEN_DAYS} days: does it shut?"
    if use.file.stem.endswith("_by_ten"):
        return _no_habit(home, use)
    if use.file.stem.startswith("out_at_night"):
        return _out_by_habit(home, use)
    return ""


def _out_by_habit(home: RecordedHome, use: RuleUse) -> str:
    """Whether somebody came or went by the door on several nights of the first week: nobody is astray."""
    (door,) = use.bind["door"]
    end = home.start + HABIT_DAYS * DAY_MS
    nights = clock(number(use, "from"), number(use, "to"), home.zone, home.start, end)
    used = where(home.readings, door, bool, end)
    busy = [night for night in nights if both(used, [night])]
    days = ", ".join(f"{datetime.fromtimestamp(start / 1000, home.zone):%d %b}" for start, _ in busy)
    return f"comes and goes at night as a habit ({days})" if len(busy) >= OUT_NIGHTS else ""


def _no_habit(home: RecordedHome, use: RuleUse) -> str:
    """Whether the first week had a morning at home on which it wasn't used in time."""
    (point,) = use.bind.get("fridge") or use.bind["kettle"]
    end = home.start + HABIT_DAYS * DAY_MS
    mornings = clock(number(use, "dawn"), number(use, "by"), home.zone, home.start + DAY_MS // 2, end)
    used = where(home.readings, point, lambda value: value is not None and value > 0, end)
    missed = [
        morning
        for morning in mornings
        if not both(used, [morning]) and not home.annotation.at("away", morning[1], morning[1])
    ]
    days = ", ".join(f"{datetime.fromtimestamp(start / 1000, home.zone):%d %b}" for start, _ in missed)
    return f"no such habit in the first week ({days})" if missed else ""
