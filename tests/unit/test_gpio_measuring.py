"""What loops, clamps, meters and thermometers say, from numbers alone."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gpio.clamp import NoClamp, amperes
from drivers.gpio.loop import PARALLEL_OHM, PULL_OHM, SERIES_OHM, Loop, Settled, state
from drivers.gpio.one_wire import NoReading, celsius, crc8
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
