"""What loops, clamps, meters and thermometers say, from numbers alone."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gpio import DRIVER
from drivers.gpio.clamp import NoClamp, amperes
from drivers.gpio.counting import Meters
from drivers.gpio.loop import PARALLEL_OHM, PULL_OHM, SERIES_OHM, Loop, Settled, state
from drivers.gpio.one_wire import NoReading, celsius, crc8
from homenode.config.model import Device
from homenode.sim.gpio import adc as hardware


def _share(contact_ohm: float, *, supply: float = 1.0, tolerance: float = 1.0) -> float:
    parallel = PARALLEL_OHM * tolerance
    far = SERIES_OHM * tolerance + contact_ohm * parallel / (contact_ohm + parallel)
    return far / (far + PULL_OHM / tolerance) * supply


def test_the_simulated_loop_has_the_resistors_that_the_driver_expects() -> None:
    wired = (hardware.PULL_OHM, hardware.SERIES_OHM, hardware.PARALLEL_OHM)
    assert wired == (PULL_OHM, SERIES_OHM, PARALLEL_OHM)


@given(st.floats(0.95, 1.05), st.floats(0.99, 1.01), st.booleans())
def test_no_tolerance_of_supply_and_resistors_takes_one_state_for_another(
    supply: float, tolerance: float, probe: bool
) -> None:
    assert state(_share(0, supply=supply, tolerance=tolerance), probe=probe) is Loop.CLOSED
    assert state(_share(1e12, supply=supply, tolerance=tolerance), probe=probe) is Loop.OPEN
    assert state(1.0 * supply, probe=probe) is Loop.CUT
    assert state(0.0, probe=probe) is Loop.SHORTED


@given(st.floats(0, 80_000))
def test_whatever_conducts_like_water_is_wet(ohm: float) -> None:
    assert state(_share(ohm), probe=True) is Loop.CLOSED


@given(st.floats(2_500, 80_000))
def test_a_contact_that_is_neither_open_nor_closed_is_a_fault(ohm: float) -> None:
    assert state(_share(ohm), probe=False) is Loop.BETWEEN


@given(st.floats(0, 1), st.booleans())
def test_each_share_has_a_state_and_only_two_are_believed(share: float, probe: bool) -> None:
    assert state(share, probe=probe).is_fault is (state(share, probe=probe) not in (Loop.CLOSED, Loop.OPEN))


def test_a_fault_lasts_longer_before_it_counts_than_a_state() -> None:
    settled = Settled(2)
    assert [settled.see(seen) for seen in [Loop.OPEN] * 3] == [False, True, False]
    assert [settled.see(seen) for seen in [Loop.CUT] * 6] == [False, False, False, False, True, False]
    assert [settled.see(seen) for seen in (Loop.OPEN, Loop.CLOSED, Loop.OPEN, Loop.OPEN)] == [
        False,
        False,
        False,
        True,
    ]


def _samples(current_a: float, turn: float = 0.0, count: int = 200, **clamp: object) -> list[float]:
    circuit = hardware.Clamp(current_a, turn=turn, **clamp)  # type: ignore[arg-type]  # its own fields
    return [circuit.share(n * 0.2 / count) for n in range(count)]


@given(st.floats(0.2, 28), st.floats(0, 1), st.integers(60, 400))
def test_amperes_are_right_to_two_percent_whatever_the_phase(
    current_a: float, turn: float, count: int
) -> None:
    assert math.isclose(amperes(_samples(current_a, turn, count), 30), current_a, rel_tol=0.02)


def test_a_clamp_that_is_not_plugged_in_is_no_zero() -> None:
    with pytest.raises(NoClamp, match="plugged in"):
        amperes(_samples(0, plugged=False), 30)
    with pytest.raises(NoClamp):
        amperes([1.0] * 100, 30)


GOOD = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"
"""linux/Documentation/w1/slaves/w1_therm."""


def test_the_sum_is_dallas_own() -> None:
    assert crc8(bytes.fromhex("7201 4b46 7fff 0e10")) == 0x57  # as the kernel's documentation shows it


def test_a_thermometer_is_read_as_the_kernel_writes_it() -> None:
    assert celsius(GOOD) == 23.125
    assert celsius(GOOD.replace("23125", "-62")) == -0.062


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (GOOD.replace("YES", "NO"), "checksum"),
        (GOOD.replace("72 01", "73 01"), "checksum"),
        (f"{'00 ' * 9}: crc=00 YES\n{'00 ' * 9}t=0\n", "0 V"),
        ("50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n", "85 °C"),
        ("", "nothing"),
        ("rubbish", "nothing"),
    ],
)
def test_what_is_no_temperature_says_why(text: str, why: str) -> None:
    with pytest.raises(NoReading, match=why):
        celsius(text)


@given(st.text())
def test_any_other_text_is_no_temperature(text: str) -> None:
    with pytest.raises(NoReading):
        celsius(text)


class _Host:
    """What a meter sees of the gateway."""

    def __init__(self, data: Path, last: float | None = None, *, heard: bool = True) -> None:
        self.data, self.said = data, list[tuple[str, str, float]]()
        self._last = (last, 0) if heard else None

    def last_heard(self, device: str, kind: str) -> tuple[float | None, int] | None:
        return self._last

    def heard(self, device: str, kind: str, value: float) -> None:
        self.said.append((device, kind, value))


def _meters(host: _Host, per_unit: int = 1000, **options: object) -> Meters:
    chosen = {"kind": "energy", "pin": 5, "pulses": per_unit, **options}
    return Meters([Device("meter", "gpio", "hall", options=chosen, kinds=("energy",))], host)  # type: ignore[arg-type]  # what it asks for


def _count(host: _Host, pulses: int, per_unit: int = 1000, **options: object) -> float:
    meters = _meters(host, per_unit, **options)
    for _ in range(pulses):
        meters.meters["meter"].pulse()
    meters.store(ahead=False)
    meters.tell()
    return host.said[-1][2]


@given(st.lists(st.integers(0, 500), max_size=6), st.sampled_from([1, 100, 640, 1000, 10_000]))
def test_over_any_restarts_each_pulse_is_counted_once(runs: list[int], per_unit: int) -> None:
    with TemporaryDirectory() as folder:
        for number, pulses in enumerate(runs, 1):
            told = _count(_Host(Path(folder)), pulses, per_unit)
            assert round(told * per_unit) == sum(runs[:number])


@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.sampled_from(["go on", "power cut", "stop"]), st.integers(0, 4))
    ),
    st.sampled_from([1, 640, 10_000]),
)
def test_no_reading_steps_back_and_none_is_more_than_was_used(
    days: list[tuple[int, str, int]], per_unit: int
) -> None:
    told, true, now_s = list[float](), 0, 0.0
    with TemporaryDirectory() as folder:
        host = _Host(Path(folder), heard=False)
        meters = _meters(host, per_unit)
        for pulses, then, late in days:
            for _ in range(pulses):
                meters.meters["meter"].pulse()
            true, now_s = true + pulses, now_s + 10
            if meters.meters["meter"].is_due:
                meters.store(now_s)
            meters.tell()
            if then == "stop":
                meters.store(now_s, ahead=False)
                meters.tell()
            told += [value for _, _, value in host.said]
            host.said.clear()
            if then != "go on":  # the journal has not yet what was told last
                journal = told[: len(told) - late * (then == "power cut")]
                host = _Host(Path(folder), journal[-1] if journal else None, heard=bool(journal))
                meters = _meters(host, per_unit)
            assert told == sorted(told)
            assert not told or round(told[-1] * per_unit) <= true


def test_after_a_power_cut_nothing_is_told_until_the_count_is_beyond_what_may_have_been(
    tmp_path: Path,
) -> None:
    host = _Host(tmp_path)
    meters = _meters(host)
    for now_s in 10.0, 20.0:
        for _ in range(100):
            meters.meters["meter"].pulse()
        meters.store(now_s)
        meters.tell()
    assert host.said[-1][2] == 0.2
    host = _Host(tmp_path, 0.1)  # the journal doesn't have the last
    meters = _meters(host)
    meters.tell()
    assert not host.said
    for _ in range(200):
        meters.meters["meter"].pulse()
        if meters.meters["meter"].is_due:
            meters.store()
    meters.tell()
    assert host.said[-1][2] == 0.4


def test_at_a_steady_pace_it_is_written_each_ten_minutes(tmp_path: Path) -> None:
    meters, written = _meters(_Host(tmp_path)), list[int]()
    for ten_s in range(1, 24 * 360):
        for _ in range(3):
            meters.meters["meter"].pulse()
        if meters.meters["meter"].is_due:
            meters.store(1000 + ten_s * 10.0)
            written.append(ten_s * 10)
        meters.tell()
    assert len(written) < 155
    assert min(later - before for before, later in pairwise(written[8:])) >= 590


def test_after_a_power_cut_it_goes_on_from_the_larger_of_file_and_journal(tmp_path: Path) -> None:
    assert _count(_Host(tmp_path), 7) == 0.007
    assert _count(_Host(tmp_path, 0.020), 1) == 0.021  # the journal is ahead of the file
    assert _count(_Host(tmp_path, 0.010), 1) == 0.022  # and the file of the journal
    assert _count(_Host(tmp_path, None), 1) == 0.023  # which has a null of a driver that was lost


@pytest.mark.parametrize(
    "damage",
    [b"", b"\xff\x00", b"[1]", b'{"meter.energy": 5.5}', b'{"meter.energy": {"counted": NaN, "most": 1}}'],
)
def test_a_damaged_file_costs_no_more_than_the_journal_does_not_know(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "counts.json").write_bytes(damage)
    assert _count(_Host(tmp_path, 5.5), 1) == 5.501
    assert _count(_Host(tmp_path), 1) == 5.502


def test_it_begins_with_what_the_meter_showed(tmp_path: Path) -> None:
    assert _count(_Host(tmp_path, heard=False), 3, start=5123.4) == 5123.403


def test_another_number_of_pulses_goes_on_from_the_same_energy(tmp_path: Path) -> None:
    assert _count(_Host(tmp_path), 500) == 0.5
    assert _count(_Host(tmp_path), 1, per_unit=100) == 0.51


def test_counts_are_forgotten_with_all_that_was_measured(tmp_path: Path) -> None:
    _count(_Host(tmp_path), 500)
    assert DRIVER.forget(tmp_path) == 1
    assert DRIVER.forget(tmp_path) == 0
    assert _count(_Host(tmp_path, heard=False), 1) == 0.001


def test_a_count_that_did_not_change_is_neither_told_nor_stored_again(tmp_path: Path) -> None:
    host = _Host(tmp_path)
    meters = _meters(host)
    for _ in range(3):
        meters.tell()
        meters.store()
    assert len(host.said) == 1
    meters.meters["meter"].pulse()
    meters.store()
    before = (tmp_path / "counts.json").stat().st_ino
    meters.store()
    assert (tmp_path / "counts.json").stat().st_ino == before
