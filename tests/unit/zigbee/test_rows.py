"""The table of devices that do otherwise."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from drivers.zigbee.rows import (
    CONVERTERS,
    FILE,
    NO_ROW,
    QUIRKS,
    Place,
    RowMistake,
    all_rows,
    read_row,
    row_for,
)
from homenode.kinds import kind_of


def test_every_row_has_a_source_and_only_known_kinds() -> None:
    for model, row in all_rows().items():
        assert row.source, model
        kinds = [kind for kind, _ in row.points.values()] + [kind for kind, _ in row.zone]
        kinds += [*row.presses.values(), *row.multistate.values(), *row.clears_ms, *row.without]
        assert all(kind_of(kind) for kind in kinds), model


SOURCES = {
    QUIRKS: r"zha-quirks [0-9.]+ [a-zA-Z0-9_/]+\.py",
    CONVERTERS: r"zigbee-herdsman-converters [0-9.]+ [a-z0-9_]+\.ts .+",
}
GENERATED = [(file, entry) for file in SOURCES for entry in json.loads(file.read_text(encoding="utf-8"))]


def test_every_row_that_was_read_from_others_says_from_where_and_no_model_has_two() -> None:
    models: set[str] = set()
    for file, entry in GENERATED:
        assert re.fullmatch(SOURCES[file], read_row(entry)[1].source)
        assert not models & set(entry["models"])
        models |= set(entry["models"])
    assert len(models) > 900


def test_each_such_row_is_a_line_that_is_found_by_its_model() -> None:
    for _, entry in GENERATED:
        for model in entry["models"]:
            assert entry["source"] in row_for(*model.split("/", 1)).source


def test_no_alarm_out_of_them_calls_an_unknown_value_harmless() -> None:
    for _, entry in GENERATED:
        for place, (kind, meaning) in read_row(entry)[1].points.items():
            if kind in ("smoke", "gas", "co", "water") and place.cluster == 0xEF00:
                assert meaning(99) is not False, (entry["models"], kind)


@pytest.mark.parametrize(
    ("model", "point", "raw", "kind", "value"),
    [
        ("_TZE284_vawy74yh/TS0601", 1, 0, "smoke", True),
        ("_TZE284_vawy74yh/TS0601", 1, 1, "smoke", False),
        ("_TZE284_aoah6bv8/TS0601", 18, 0, "co", True),
        ("_TZE200_ijey4q29/TS0601", 1, True, "contact", True),
        ("_TZE200_jfw0a4aa/TS0601", 1, 1, "vibration", True),
        ("_TZE284_hqys6frs/TS0601", 1, 0, "motion", True),
        ("_TZE200_hr0tdd47/TS0601", 1, 0, "co", True),
        ("_TZE200_seq9cm6u/TS0601", 1, 0, "occupancy", True),
    ],
)
def test_what_zigbee2mqtt_knows_of_a_tuya_device_is_known_here(
    model: str, point: int, raw: int, kind: str, value: bool
) -> None:
    row = row_for(*model.split("/", 1))
    found, meaning = row.points[Place(1, 0xEF00, point)]
    assert (found, meaning(raw)) == (kind, value)


def test_a_row_says_in_words_what_a_device_is_to_be_told() -> None:
    (mode,) = row_for("LUMI", "lumi.remote.b686opcn01").asks
    assert (mode.endpoint, mode.cluster) == (1, 0xFCC0)
    assert mode.frame(7) == bytes.fromhex("14 5f11 07 02 0900 20 01")
    door, _ = row_for("Signify Netherlands B.V.", "SOC001").asks
    assert door.frame(8) == bytes.fromhex("14 0b10 08 06 00 0001 30 0000 100e")


def test_a_row_by_hand_says_more_than_the_one_of_the_quirks_and_wins() -> None:
    row = row_for("LUMI", "lumi.vibration.aq1")
    assert {kind for kind, _ in row.points.values()} == {"vibration", "battery"}
    assert row_for("LUMI", "lumi.motion.ac02").clears_ms == {"motion": 90_000}


def test_a_row_for_all_makers_of_a_model_is_under_that_of_one_maker() -> None:
    assert row_for("_TZ3000_anything", "TS0203").stale_after_ms == 24 * 3_600_000


@pytest.mark.parametrize(
    ("model", "status", "gas"),
    [
        ("GASSensor-EN", 0x21, True),
        ("GASSensor-EN", 0x22, False),
        ("GASSensor-N", 0x22, True),
        ("GASSensor-N", 0x20, False),
        ("GAS_V15", 0x22, True),
    ],
)
def test_gas_is_the_bit_that_the_model_sets_for_it(model: str, status: int, gas: bool) -> None:
    (kind, mask), *_ = row_for("HEIMAN", model).zone
    assert kind == "gas"
    assert bool(status & mask) is gas


def test_no_row_is_longer_than_ten_lines() -> None:
    text = FILE.read_text(encoding="utf-8")
    for entry in text.split("\n- models:")[1:]:
        assert len(entry.strip().splitlines()) <= 10, entry


def test_a_model_without_a_row_is_as_the_standard_says() -> None:
    assert row_for("Nobody", "Nothing") is NO_ROW


def test_a_name_with_spaces_around_it_finds_its_row() -> None:
    assert row_for(" LUMI", "lumi.sensor_magnet.aq2 ").points


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("source", "", "no source"),
        ("modles", ["A/B"], "unknown field modles"),
        ("points", {"1/6": "contact"}, "1/6"),
        ("points", {"x/6/0": "contact"}, "ENDPOINT"),
        ("points", {"1/6/0": "door"}, "not a kind"),
        ("points", {"1/6/0": "contact guessed"}, "not a meaning"),
        ("zone", {"smoke": "alarm 3"}, "alarm 3"),
        ("stale_after", "soon", "'soon', which is no stale_after"),
        ("models", ["AB"], "MANUFACTURER/MODEL"),
        ("without", ["lid"], "not a kind"),
        ("asks", {"1/fcc0/0009": "write uint8 300"}, "nothing to be asked"),
        ("asks", {"1/fcc0/0009": "shout"}, "nothing to be asked"),
    ],
)
def test_a_mistake_in_a_row_says_which_and_what(field: str, value: Any, says: str) -> None:
    with pytest.raises(RowMistake, match=says):
        read_row({"models": ["A/B"], "source": "datasheet 1", field: value})
