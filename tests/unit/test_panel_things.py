"""A thermostat pauses: what was on is off only when it has been quiet for long enough."""

from __future__ import annotations

import pytest

from homenode.panel.chosen import HOLD_MS
from homenode.panel.things import Known, Quiet, State, Thing, state_of

STOVE = Thing(("stove.power",), "stove", "stove", "kök", above={"stove.power": 50.0}, hold_ms=HOLD_MS)


def test_what_jitters_below_the_limit_is_off_after_the_hold() -> None:
    quiet, now = Quiet(), 0
    for second in range(HOLD_MS // 1000 + 1):
        now = second * 1000
        known = {"stove.power": Known(0.1 * (second % 3), True, 0)}
        state = state_of(STOVE, quiet.look([STOVE], known, now))
        assert (state is State.OFF) == (now >= HOLD_MS), now


def test_a_pause_of_the_hob_starts_the_wait_anew() -> None:
    quiet = Quiet()
    off, on = {"stove.power": Known(0.0, True, 0)}, {"stove.power": Known(1400.0, True, 0)}
    for second in range(400):
        quiet.look([STOVE], off, second * 1000)
    assert state_of(STOVE, quiet.look([STOVE], on, 400_000)) is State.ON
    assert quiet.look([STOVE], off, 401_000)["stove.power"].for_ms == 0


@pytest.mark.parametrize("later", [Quiet.GAP_MS + 1, -1])
def test_what_nobody_watched_is_not_known_to_have_been_off(later: int) -> None:
    quiet, off = Quiet(), {"stove.power": Known(0.0, True, 0)}
    for second in range(600):
        quiet.look([STOVE], off, second * 1000)
    assert quiet.look([STOVE], off, 599_000 + later)["stove.power"].for_ms == 0


def test_a_time_of_not_knowing_starts_the_wait_anew() -> None:
    quiet, off = Quiet(), {"stove.power": Known(0.0, True, 0)}
    quiet.look([STOVE], off, 0)
    quiet.look([STOVE], {"stove.power": Known(None, False)}, 1000)
    assert quiet.look([STOVE], off, 2000)["stove.power"].for_ms == 0
    assert quiet.look([STOVE], {}, 3000) == {}


def test_two_looks_at_one_instant_are_no_gap() -> None:
    quiet, off = Quiet(), {"stove.power": Known(0.0, True, 0)}
    for now in (0, 5_000, 5_000):
        told_ms = quiet.look([STOVE], off, now)["stove.power"].for_ms
        assert told_ms == now
    assert quiet.look([STOVE], off, 10_001)["stove.power"].for_ms == 0
