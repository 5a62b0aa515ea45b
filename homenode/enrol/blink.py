"""What the green lamp says while a box has no home: so many flashes, a pause, again (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from homenode.enrol.steps import State

ON_MS, OFF_MS, PAUSE_MS = 200, 300, 1_500
"""Slow enough to be counted aloud."""

CODES: Mapping[State, int] = {State.WAITING: 1, State.ASKING: 1, State.APPROVAL: 2, State.FAILED: 3}
BY_WHY: Mapping[str, int] = {
    "file_wrong": 4,
    "file_name": 4,
    "no_trust": 4,
    "home_wrong": 4,
    "card_home_wrong": 4,
    "other_home": 4,
    "key_wrong": 4,
    "card": 5,
    "lost": 5,
}
"""Before the state: what is to be done is another thing."""
MEANINGS: Mapping[int, tuple[str, str]] = {
    1: ("väntar på nät eller kontor", "waits for network or office"),
    2: (
        "kontoret ska godkänna dosan eller ge den ett hem",
        "the office has to approve the box, or give it a home",
    ),
    3: ("kontoret säger nej, eller är fel kontor", "the office says no, or is the wrong one"),
    4: ("det är fel i en fil, eller den heter fel", "a file has mistakes, or a wrong name"),
    5: ("byt kortet", "use another card"),
}
"""In Swedish and English."""


def code(state: str, why: str) -> int:
    """How many flashes; 0: the lamp is the machine's own again."""
    if state == State.ENROLLED.value:
        return 0
    known = next((one for one in State if one.value == state), State.WAITING)
    return BY_WHY.get(why, CODES.get(known, 1))


def pattern(flashes: int) -> str:
    """For the kernel's trigger `pattern`: brightness and milliseconds in turn, with hard edges."""
    steps = [(1, ON_MS), (1, 0), (0, OFF_MS), (0, 0)] * flashes
    steps[-2] = (0, PAUSE_MS)
    return " ".join(f"{bright} {ms}" for bright, ms in steps)


def half_period_ms(flashes: int) -> int:
    """For a kernel that has only the trigger `timer`: the more flashes, the faster it blinks."""
    return 1_000 // (flashes + 1)
