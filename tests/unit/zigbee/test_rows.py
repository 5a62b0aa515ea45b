"""The table of devices that do otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.zigbee.rows import FILE, NO_ROW, RowMistake, all_rows, read_row, row_for
from homenode.kinds import kind_of


def test_every_row_has_a_source_and_only_known_kinds() -> None:
    for model, row in all_rows().items():
        assert row.source, model
        kinds = [kind for kind, _ in row.points.values()] + [kind for kind, _ in row.zone]
        kinds += [*row.presses.values(), *row.multistate.values(), *row.clears_ms, *row.without]
        assert all(kind_of(kind) for kind in kinds), model


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
        ("source", "", "source is missing"),
        ("modles", ["A/B"], "unknown field modles"),
        ("points", {"1/6": "contact"}, "1/6"),
        ("points", {"x/6/0": "contact"}, "ENDPOINT"),
        ("points", {"1/6/0": "door"}, "not a kind"),
        ("points", {"1/6/0": "contact guessed"}, "not a meaning"),
        ("zone", {"smoke": "alarm 3"}, "alarm 3"),
        ("stale_after", "soon", "stale_after"),
        ("models", ["AB"], "MANUFACTURER/MODEL"),
        ("without", ["lid"], "not a kind"),
    ],
)
def test_a_mistake_in_a_row_says_which_and_what(field: str, value: Any, says: str) -> None:
    with pytest.raises(RowMistake, match=says):
        read_row({"models": ["A/B"], "source": "datasheet 1", field: value})
