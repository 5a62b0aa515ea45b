"""What is tried when a stick was lost, and when silence on the air is suspicious."""

from __future__ import annotations

import asyncio
import itertools
import os
from pathlib import Path

import pytest

from drivers.zigbee import usb
from drivers.zigbee.recovery import (
    APS_RECEIVED,
    ASK_AGAIN_S,
    MAC_RECEIVED,
    POWER_AGAIN_S,
    RESTED_S,
    STEADY_S,
    Ears,
    Ladder,
    Verdict,
)

MAC, APS = MAC_RECEIVED[1], APS_RECEIVED[1]


def test_the_first_loss_is_a_reset_and_the_second_takes_the_power_away() -> None:
    ladder = Ladder()
    ladder.lost(0.0, 1.0)
    assert not ladder.wants_power_cycle(1.0)
    ladder.lost(0.0, 2.0)
    assert ladder.wants_power_cycle(2.0)


def test_power_is_taken_away_less_and_less_often() -> None:
    ladder = Ladder()
    cycled = []
    for second in range(1000):
        ladder.lost(0.0, float(second))
        if ladder.wants_power_cycle(float(second)):
            cycled.append(second)
    apart = [after - before for before, after in itertools.pairwise(cycled)]
    assert apart == [POWER_AGAIN_S, 2 * POWER_AGAIN_S, 4 * POWER_AGAIN_S, 8 * POWER_AGAIN_S]


def test_a_stick_that_ran_well_begins_from_the_first_step() -> None:
    ladder = Ladder()
    for _ in range(3):
        ladder.lost(0.0, 0.0)
    ladder.lost(STEADY_S, 100.0)
    assert not ladder.wants_power_cycle(100.0)


def test_other_speeds_are_tried_only_after_the_power_and_never_for_a_deaf_radio() -> None:
    ladder = Ladder()
    for _ in range(2):
        ladder.lost(0.0, 0.0)
        assert ladder.next_speed(9600) == 9600
    ladder.lost(0.0, 0.0)
    tried = {ladder.next_speed(9600) for _ in range(8)}
    assert tried == {9600, 115200, 460800, 57600, 38400}
    ladder.lost(0.0, 0.0, deaf=True)
    assert {ladder.next_speed(9600) for _ in range(8)} == {9600}


def test_a_speed_that_was_found_is_kept() -> None:
    ladder = Ladder(speed=57600)
    assert ladder.next_speed(115200) == 57600


def test_a_home_where_nobody_answers_though_all_was_tried_is_left_alone_for_an_hour() -> None:
    ladder = Ladder()
    for second in range(4):
        assert ladder.may_doubt(float(second))
        ladder.lost(5.0, float(second), deaf=True)
        ladder.wants_power_cycle(float(second))
    assert not ladder.may_doubt(5.0)
    assert ladder.may_doubt(5.0 + RESTED_S)


def _quiet(ears: Ears, upto_s: int, **how: bool) -> list[Verdict]:
    return [ears.look(float(second), 0, {MAC: 0, APS: 0}, **how) for second in range(0, upto_s, 5)]


def test_who_is_awake_is_asked_when_nothing_is_on_the_air() -> None:
    told = _quiet(Ears(0.0), 60, can_ask=True)
    assert told.count(Verdict.ASK) == 60 // int(ASK_AGAIN_S) - 1
    assert Verdict.DEAF not in told


def test_among_sleepers_nothing_is_suspicious_before_it_is_learnt_how_they_poll() -> None:
    assert set(_quiet(Ears(0.0), 100_000, can_ask=False)) == {Verdict.HEARS}


def test_sleepers_that_polled_every_few_seconds_and_are_silent_all_at_once_are_not_heard() -> None:
    ears = Ears(0.0)
    for second in range(0, 100, 5):
        assert ears.look(float(second), 0, {MAC: second}, can_ask=False) is Verdict.HEARS
    told = [ears.look(float(second), 0, {MAC: 95}, can_ask=False) for second in range(100, 130, 5)]
    assert told[0] is Verdict.HEARS
    assert told[-1] is Verdict.DEAF


def test_sleepers_that_poll_once_an_hour_are_given_three() -> None:
    ears = Ears(0.0)
    for hour in range(20):
        ears.look(3600.0 * hour, 0, {MAC: hour}, can_ask=False)
    assert ears.look(3600.0 * 21, 0, {MAC: 19}, can_ask=False) is Verdict.HEARS
    assert ears.look(3600.0 * 22.5, 0, {MAC: 19}, can_ask=False) is Verdict.DEAF


@pytest.mark.parametrize("can_ask", [True, False])
def test_a_stick_that_counts_messages_and_hands_none_over_is_doubted(can_ask: bool) -> None:
    ears = Ears(0.0)
    ears.look(0.0, 5, {MAC: 1, APS: 1}, can_ask=can_ask)
    told = [ears.look(5.0 * n, 5, {MAC: 1 + n, APS: 1 + n}, can_ask=can_ask) for n in (1, 2)]
    assert told[-1] is (Verdict.ASK if can_ask else Verdict.DEAF)


def test_a_stick_without_counters_is_judged_by_its_messages_alone() -> None:
    ears = Ears(0.0)
    told = [ears.look(float(second), second, None, can_ask=True) for second in range(0, 100, 5)]
    assert set(told) == {Verdict.HEARS}


def _socket(sysfs: Path, device: str, hub: str, port: str) -> Path:
    bus = sysfs / "devices/usb1"
    at = bus / device
    (at / "tty").mkdir(parents=True)
    (at / "authorized").write_text("1")
    switch = bus / (f"{device.rpartition('/')[0]}/{hub}" if "/" in device else hub) / port / "disable"
    switch.parent.mkdir(parents=True)
    switch.write_text("0")
    (sysfs / "class/tty/ttyACM0").mkdir(parents=True)
    (sysfs / "class/tty/ttyACM0/device").symlink_to(at / "tty")
    return switch


@pytest.mark.parametrize(
    ("device", "hub", "port"),
    [("1-1", "1-0:1.0", "usb1-port1"), ("1-1/1-1.4", "1-1:1.0", "1-1-port4")],
)
def test_the_socket_of_a_stick_is_found_and_switched_off_and_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, hub: str, port: str
) -> None:
    switch = _socket(tmp_path / "sys", device, hub, port)
    monkeypatch.setattr(usb, "SYSFS", tmp_path / "sys")
    monkeypatch.setattr(usb, "OFF_S", 0.0)
    (tmp_path / "ttyACM0").write_text("")
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyACM0")
    socket = usb.socket_of(str(tmp_path / "by-id"))
    assert socket is not None
    assert socket.name == os.path.basename(device)
    assert socket.switches == (switch.resolve(),) or socket.switches == (switch,)
    written: list[str] = []
    monkeypatch.setattr(usb, "_write", lambda file, word: written.append(f"{file.name} {word}"))
    asyncio.run(usb.cycle(socket, str(tmp_path / "by-id")))
    assert written == ["disable 1", "disable 0"]


def test_a_network_port_and_a_soldered_one_have_no_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usb, "SYSFS", tmp_path)
    (tmp_path / "class/tty/ttyAMA0").mkdir(parents=True)
    (tmp_path / "ttyAMA0").write_text("")
    assert usb.socket_of("socket://10.0.0.2:6638") is None
    assert usb.socket_of(str(tmp_path / "ttyAMA0")) is None
    assert usb.socket_of(str(tmp_path / "nothing")) is None
