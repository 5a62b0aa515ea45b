"""Modbus: frames as the standard has them, what registers mean, and mistakes in home.yaml and in rows."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus import DRIVER
from drivers.modbus.frames import Denied, Question, crc
from drivers.modbus.rows import FORMS, Implausible, Register, questions, types
from homenode.config.model import Device

PRINTED = Question(17, 3, 0x6B, 3)
"""The example of the Modbus guide (PI-MBUS-300), page 22."""
ANSWER = bytes.fromhex("11 03 06 02 2B 00 00 00 64")
WORDS = (0x022B, 0x0000, 0x0064)
OWN = """
heater:
  source: manual of 2026-01, page 9
  function: holding
  as: uint16
  points:
    flow_volume: {at: 16, as: uint32, scale: 0.001}
    temperature: {at: 20, as: int16, scale: 0.1, low: -20, high: 120}
"""


def device(name: str = "meter", via: str = "bus", **options: Any) -> Device:
    return Device(name, "modbus", "hall", via, options={"unit": 1, "type": "sdm630", **options})


def test_a_question_is_as_the_guide_prints_it() -> None:
    assert PRINTED.over_serial() == bytes.fromhex("11 03 00 6B 00 03 76 87")
    assert PRINTED.over_tcp(1) == bytes.fromhex("00 01 00 00 00 06 11 03 00 6B 00 03")


@given(before=st.binary(max_size=40), after=st.binary(max_size=40))
def test_an_answer_is_found_in_noise(before: bytes, after: bytes) -> None:
    assert PRINTED.from_serial(before + ANSWER + crc(ANSWER) + after) == WORDS


@given(cut=st.integers(0, 10), bit=st.integers(0, 87))
def test_half_an_answer_or_one_with_a_wrong_bit_is_none(cut: int, bit: int) -> None:
    whole = ANSWER + crc(ANSWER)
    assert PRINTED.from_serial(whole[:cut]) is None
    wrong = bytearray(whole)
    wrong[bit // 8] ^= 1 << bit % 8
    assert PRINTED.from_serial(bytes(wrong)) is None


def test_an_answer_of_another_unit_size_or_transaction_is_none() -> None:
    other = bytes([18]) + ANSWER[1:]
    assert PRINTED.from_serial(other + crc(other)) is None
    assert PRINTED._replace(size=2).from_serial(ANSWER + crc(ANSWER)) is None
    over_tcp = struct.pack(">HHH", 7, 0, 9) + ANSWER
    assert PRINTED.from_tcp(over_tcp, 7) == WORDS
    assert PRINTED.from_tcp(over_tcp, 8) is None
    assert PRINTED.from_tcp(over_tcp + struct.pack(">HHH", 8, 0, 9) + ANSWER, 8) == WORDS


@pytest.mark.parametrize(("code", "words"), [(2, "has no such register"), (11, "doesn't answer the gateway")])
def test_an_exception_is_told_in_words(code: int, words: str) -> None:
    denied = bytes([17, 0x83, code])
    for came in (
        lambda: PRINTED.from_serial(denied + crc(denied)),
        lambda: PRINTED.from_tcp(struct.pack(">HHH", 7, 0, 3) + denied, 7),
    ):
        with pytest.raises(Denied, match=words):
            came()


def register(form: str, kind: str = "power", *, little: bool = False, none: bool = False) -> Register:
    return Register(kind, 4, 0, form, little, none, 1.0, -1e6, 1e6)


def words_of(form: str, value: float, *, little: bool = False) -> tuple[int, ...]:
    raw = struct.pack(f">{FORMS[form]}", value)
    words = struct.unpack(f">{len(raw) // 2}H", raw)
    return words[::-1] if little else words


@pytest.mark.parametrize("little", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_each_type_in_both_orders(form: str, little: bool) -> None:
    value = 1500 if form.startswith("u") else -1500
    assert register(form, little=little).value(words_of(form, value, little=little)) == value


def test_what_is_not_there_is_unknown() -> None:
    assert register("float32").value(words_of("float32", float("nan"))) is None
    for form, largest in (
        ("uint32", 2**32 - 1),
        ("int32", 2**31 - 1),
        ("uint64", 2**64 - 1),
        ("int16", 2**15 - 1),
    ):
        assert register(form, none=True).value(words_of(form, largest)) is None


def test_a_voltage_with_its_words_swapped_is_hardly_ever_taken_for_one() -> None:
    """Another number may be: 1500 W swapped is 0 to 41 digits. So a meter is believed by its voltage."""
    (row,) = questions({"unit": 1, "type": "sdm120"}, ("voltage",))[0][1]
    taken = 0
    for centivolts in range(20_000, 25_000):
        try:
            row.value(words_of("float32", centivolts / 100, little=True))
        except Implausible:
            continue
        taken += 1
    assert taken <= 50, "1 % of 5,000"
    with pytest.raises(Implausible):
        register("float32").value(words_of("float32", 1500.0, little=True))


def test_the_voltage_is_asked_first_and_neighbours_together() -> None:
    asked = questions({"unit": 3, "type": "sdm630"}, ("power", "current", "current_2", "current_3"))
    assert [question for question, _ in asked] == [
        Question(3, 4, 0x0000, 2), Question(3, 4, 0x0006, 6), Question(3, 4, 0x0034, 2)
    ]  # fmt: skip
    assert [one.kind for _, its in asked for one in its] == [
        "voltage",
        "current",
        "current_2",
        "current_3",
        "power",
    ]


@pytest.mark.parametrize("name", types())
def test_each_type_of_ours_asks_no_more_than_its_device_takes(name: str) -> None:
    family = types()[name]
    asked = questions({"unit": 1, "type": name}, tuple(family["points"]))
    assert {one.kind for _, its in asked for one in its} == set(family["points"])
    assert all(question.size <= family.get("most", 125) for question, _ in asked)


@pytest.mark.parametrize(
    ("options", "field", "word"),
    [
        ({"type": "sdm6300"}, "type", "one of sdm120"),
        ({"points": ("power", "humidity")}, "points", "has no humidity; it has voltage"),
        ({"rows": Path("/nowhere/rows.yaml")}, "rows", "can't be read"),
    ],
)
def test_a_mistake_is_told_at_its_field(options: dict[str, Any], field: str, word: str) -> None:
    ((_, told, text),) = DRIVER.check([device(**options)])
    assert told == field
    assert word in text


def test_a_unit_is_one_device_on_a_bus() -> None:
    two = [device("a"), device("b"), device("c", via="other")]
    ((name, field, text),) = DRIVER.check(two)
    assert (name, field) == ("b", "unit")
    assert "a has it already" in text


def test_rows_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "rows.yaml").write_text(OWN)
    own = {"unit": 1, "type": "heater", "rows": tmp_path / "rows.yaml"}
    assert DRIVER.kinds(own) == ("flow_volume", "temperature")
    assert not DRIVER.check([device(**own)])
    (flow, (litres,)), (_, (warm,)) = questions(own, DRIVER.kinds(own) or ())
    assert (flow.function, flow.address, flow.size) == (3, 16, 2)
    assert litres.value((1, 2)) == 65.538
    assert warm.value((0xFFFF,)) == -0.1
    with pytest.raises(Implausible, match="not between -20 and 120"):
        warm.value((1300,))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("  source: manual of 2026-01, page 9\n", ""), "source is missing"),
        (("function: holding", "function: coil"), "function is holding or input"),
        (("as: int16", "as: float16"), "as is int16"),
        (("at: 16, ", ""), "at is an address"),
        (("at: 16", "at: 65536"), "at is an address"),
        (("flow_volume", "flow"), "is no kind with a number"),
        (("flow_volume", "contact"), "is no kind with a number"),
        (("scale: 0.1", "scale: ten"), "are numbers"),
        (("low:", "lowest:"), "unknown field lowest"),
        (("  function", "  most: 0\n  function"), "most is a number"),
        (("heater:\n", "heater: [\n"), "is no YAML"),
    ],
)
def test_a_mistake_in_rows_of_ones_own_is_told(tmp_path: Path, change: tuple[str, str], word: str) -> None:
    (tmp_path / "rows.yaml").write_text(OWN.replace(*change, 1))
    ((_, field, text),) = DRIVER.check([device(type="heater", rows=tmp_path / "rows.yaml")])
    assert field == "rows"
    assert word in text
