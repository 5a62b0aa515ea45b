"""What a telegram of a meter says, and where it begins and ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.p1 import DRIVER
from drivers.p1.telegram import LONGEST, Line, Telegram, values
from homenode.config.model import Device
from homenode.kinds import kind_of, why_not
from tests.system.meters import COOKING, QUIET, telegram

WHOLE = telegram(COOKING)


def read(data: bytes, size: int = 1000) -> list[Telegram]:
    line = Line()
    return [found for at in range(0, len(data), size) for found in line.feed(data[at : at + size])]


def of(*lines: str) -> dict[str, float]:
    return values(Telegram("\r\n".join(["/KAM5", "", *lines, "!"]).encode(), None))


@given(st.integers(1, len(WHOLE)))
def test_however_it_is_cut_it_is_one_sound_telegram(size: int) -> None:
    (found,) = read(b"\r\n" + WHOLE, size)
    assert found.sound
    assert values(found)["current"] == 8.3


def test_a_checksum_without_a_line_end_is_an_end() -> None:
    assert [found.sound for found in read(WHOLE.rstrip())] == [True]


def test_a_checksum_cut_in_two_is_waited_for() -> None:
    line = Line()
    assert not list(line.feed(WHOLE[:-4]))
    assert [found.sound for found in line.feed(WHOLE[-4:])] == [True]


@given(st.binary(max_size=300), st.integers(1, 300))
def test_whatever_comes_before_it_the_second_of_two_is_read(noise: bytes, size: int) -> None:
    assert any(found.sound for found in read(noise + b"\r\n" + WHOLE + WHOLE, size))


@given(st.integers(0, len(WHOLE) - 7), st.integers(1, 255))
def test_a_telegram_with_one_wrong_byte_is_never_sound(at: int, wrong: int) -> None:
    bad = WHOLE[:at] + bytes([WHOLE[at] ^ wrong]) + WHOLE[at + 1 :]
    assert not any(found.sound for found in read(bad))


@pytest.mark.parametrize("cut", [9, 200, 201, 205, len(WHOLE) - 40])
def test_one_that_the_next_cuts_off_anywhere_is_counted_and_costs_the_next_nothing(cut: int) -> None:
    line = Line()
    found = list(line.feed(WHOLE[:cut] + WHOLE))
    assert [one.sound for one in found] == [True]
    assert line.cut_off == 1


def test_one_that_never_ends_is_dropped_and_the_next_is_read() -> None:
    line = Line()
    assert not list(line.feed(b"/" + b"x" * LONGEST))
    assert line.cut_off == 1
    assert [one.sound for one in line.feed(WHOLE)] == [True]


def test_without_a_checksum_it_has_an_end_and_is_not_sound() -> None:
    (found,) = read(b"/ISk5\r\n1-0:1.7.0(1.0*kW)\r\n!\r\n")
    assert found.crc is None
    assert not found.sound


def test_what_is_fed_in_is_negative_power_and_energy_of_its_own() -> None:
    said = of("1-0:1.7.0(0000.100*kW)", "1-0:2.7.0(0002.500*kW)", "1-0:1.8.0(1.5*kWh)", "1-0:2.8.0(7.25*kWh)")
    assert said == {"power": -2400.0, "energy": 1.5, "energy_2": 7.25}


def test_the_sum_over_the_tariffs_is_used_where_there_is_none_of_the_meter() -> None:
    assert of("1-0:1.8.1(1.5*kWh)", "1-0:1.8.2(2.25*kWh)") == {"energy": 3.75}
    assert of("1-0:1.8.0(9*kWh)", "1-0:1.8.1(1.5*kWh)", "1-0:1.8.2(2.25*kWh)") == {"energy": 9.0}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1-0:1.7.0(02202*W)", {"power": 2202.0}),
        ("1-0:1.7.0.255(2.202*kW)", {"power": 2202.0}),
        ("1-0:1.8.0*255(60995424*Wh)", {"energy": 60995.424}),
        ("1-0:31.7.0(0830*mA)", {"current": 0.83}),
        ("1-0:1.7.0(2.202*kVA)", {}),
        ("1-0:1.7.0(2.202*kWh)", {}),
        ("1-0:1.7.0(2.202)", {}),
        ("1-0:1.7.0(2.20.2*kW)", {}),
        ("1-0:1.7.0(NaN*kW)", {}),
        ("1-0:3.7.0(0000.505*kVAr)", {}),
        ("0-1:24.2.1(170102161005W)(00000.107*m3)", {}),
        ("1-0:1.8.0(5*kW)", {}),
    ],
)
def test_a_line_in_another_unit_is_scaled_or_left_out(line: str, said: dict[str, float]) -> None:
    assert of(line) == said


@given(st.binary(max_size=400))
def test_no_bytes_make_a_value_that_is_none_of_its_kind(body: bytes) -> None:
    for kind, value in values(Telegram(body, None)).items():
        known = kind_of(kind)
        assert known is not None
        assert not why_not(known, value)


def test_every_point_of_a_driver_is_one_that_a_telegram_can_have() -> None:
    assert set(DRIVER.kinds({"phases": "3"}) or ()) == set(values(read(telegram(QUIET))[0]))


def test_one_phase_has_no_second() -> None:
    assert DRIVER.kinds({"phases": "1"}) == ("power", "current", "voltage", "energy", "energy_2")


def test_a_port_has_one_meter() -> None:
    two = [Device(name, "p1", "hall", "p1") for name in ("meter", "other")]
    other_port = Device("third", "p1", "hall", "p1b")
    assert [one[:2] for one in DRIVER.check([*two, other_port])] == [("other", "via")]
