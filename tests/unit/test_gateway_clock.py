"""The node's clock: no step moves it, it goes on over a restart, and it says when it can't be believed."""

from __future__ import annotations

import time

import pytest

from homenode.errors import Refused
from homenode.gateway.clock import FASTEST, Clock

DAY_MS = 86_400_000
START_MS = 1_767_600_000_000


def test_a_played_clock_begins_where_it_is_told_and_is_trusted() -> None:
    clock = Clock(start_ms=START_MS)
    assert START_MS <= clock.now() < START_MS + 1000
    assert clock.trusted()


def test_two_clocks_with_the_same_anchor_agree() -> None:
    clocks = [Clock(speed=60, start_ms=START_MS, anchor_s=1_767_600_000.0) for _ in range(2)]
    assert abs(clocks[0].now() - clocks[1].now()) < 60_000
    assert clocks[0].now() > START_MS + DAY_MS  # the anchor is long ago


def test_a_change_of_speed_is_no_jump() -> None:
    clock = Clock(speed=1000, start_ms=START_MS)
    before = clock.now()
    clock.set_speed(0.001)
    assert 0 <= clock.now() - before < 5000


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf"), FASTEST * 2])
def test_no_clock_stands_still_or_runs_backwards(speed: float) -> None:
    with pytest.raises(Refused, match="above 0"):
        Clock(start_ms=START_MS).set_speed(speed)


def test_the_real_time_runs_at_one_speed_only() -> None:
    with pytest.raises(Refused, match="real time"):
        Clock().set_speed(2)


def test_after_a_restart_the_wall_time_that_passed_is_added() -> None:
    clock = Clock(start_ms=START_MS)
    assert clock.resume(last=5_000, last_wall_ms=START_MS - DAY_MS)
    assert 0 <= clock.now() - (5_000 + DAY_MS) < 1000
    assert abs(clock.wall() - START_MS) < 1000


def test_a_wall_clock_that_stands_before_the_last_one_seen_adds_nothing() -> None:
    clock = Clock(start_ms=START_MS)
    clock.resume(last=5_000, last_wall_ms=START_MS + DAY_MS)
    assert 0 <= clock.now() - 5_000 < 1000


def test_a_wall_clock_that_could_not_be_believed_then_tells_nothing_now() -> None:
    clock = Clock(start_ms=START_MS)
    assert clock.trusted()
    assert not clock.resume(last=5_000, last_wall_ms=None)
    assert 0 <= clock.now() - 5_000 < 1000


def test_in_the_same_boot_no_wall_clock_is_asked() -> None:
    before = Clock()
    last, boot = before.now(), before.boot()
    clock = Clock()
    assert clock.resume(last, last_wall_ms=before.wall() + DAY_MS, boot=boot)
    assert 0 <= clock.now() - last < 5000


def test_who_is_kept_from_the_processor_between_two_readings_keeps_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, late_s = time.clock_gettime, 0.0

    def later(which: int) -> float:
        nonlocal late_s
        late_s += 0.05
        return real(which) + late_s

    before = Clock()
    last = before.now()
    monkeypatch.setattr(time, "clock_gettime", later)
    boot = before.boot()
    clock = Clock()
    clock.resume(last, None, boot)
    assert abs(clock.boot_ms(last) - before.boot_ms(last)) <= 1


def test_what_is_past_is_waited_for_no_time_and_a_fast_clock_waits_less() -> None:
    clock = Clock(speed=100, start_ms=START_MS)
    assert clock.real_seconds(START_MS - 1) == 0
    assert 0.9 < clock.real_seconds(clock.now() + 100_000) <= 1.01


def test_always_trusted_is_believed_from_the_start() -> None:
    assert Clock(always_trusted=True).trusted()
